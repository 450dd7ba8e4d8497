package main

import (
	"net"
	"strconv"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/reassembly"
)

// flows makes a flow of each TCP connection.
type flows struct{ *inspector }

// New begins a connection by its first segment.
func (f *flows) New(network, _ gopacket.Flow, tcp *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	c := newConnection(f.inspector)
	c.version = f.version
	first := client
	switch {
	case !f.isServerPort(uint16(tcp.DstPort)), f.isServerPort(uint16(tcp.SrcPort)) && tcp.SYN && tcp.ACK:
		first = server
	}
	c.addresses[first] = net.JoinHostPort(network.Src().String(), strconv.Itoa(int(tcp.SrcPort)))
	c.addresses[first.other()] = net.JoinHostPort(network.Dst().String(), strconv.Itoa(int(tcp.DstPort)))
	return &flow{connection: c, first: first}
}

// flow is a TCP connection of a capture.
type flow struct {
	*connection
	first side // who sent the first segment that was captured
	next  [2]struct {
		known    bool
		sequence uint32 // of what is to come
	}
	last  time.Time
	ended bool
}

// sender returns who sends in a direction.
func (f *flow) sender(dir reassembly.TCPFlowDirection) side {
	if dir == reassembly.TCPDirClientToServer {
		return f.first
	}
	return f.first.other()
}

// unknownSequence is what the assembler gives for a direction of which it has seen
// nothing.
const unknownSequence = reassembly.Sequence(-1)

// Accept looks at a segment before it is put in its place.
func (f *flow) Accept(tcp *layers.TCP, ci gopacket.CaptureInfo, dir reassembly.TCPFlowDirection, next reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	from := f.sender(dir)
	f.last = ci.Timestamp
	if mine := &f.next[from]; next == unknownSequence && !mine.known {
		*start = true
		mine.known, mine.sequence = true, tcp.Seq
		if tcp.SYN {
			mine.sequence++
			f.tracker.whole = from == client || f.tracker.whole
		} else {
			f.carriers[from].join()
			f.tracker.forget()
		}
	}
	// What this side has and the capture does not is missing for good, whatever comes
	// late. The end of a direction counts as a byte.
	if theirs := &f.next[from.other()]; tcp.ACK && (!theirs.known || int32(tcp.Ack-theirs.sequence) > 1) {
		f.tracker.forget()
	}
	return true
}

// ReassembledSG takes the next bytes of a direction, in order.
func (f *flow) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	dir, _, _, skip := sg.Info()
	n, _ := sg.Lengths()
	from := f.sender(dir)
	w := &f.carriers[from]
	at := func(offset int) time.Time { return sg.CaptureInfo(offset).Timestamp }
	if skip != 0 && n > 0 {
		w.gap(max(skip, 0), at(0))
	}
	f.next[from].sequence += uint32(n + max(skip, 0))
	w.feed(sg.Fetch(n), at)
}

// ReassemblyComplete tells that nothing more comes.
func (f *flow) ReassemblyComplete(reassembly.AssemblerContext) bool {
	if !f.ended {
		f.ended = true
		f.carriers[client].end(f.last, false)
		f.carriers[server].end(f.last, false)
	}
	return false // what comes after the end belongs here and not to a new connection
}
