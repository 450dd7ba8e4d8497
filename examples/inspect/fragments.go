package main

import (
	"bytes"
	"container/list"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

const (
	// fragmentLife is how long the fragments of a packet wait for the others.
	fragmentLife = 30 * time.Second
	// maxFragmented is of how many packets there are fragments at a time, and
	// maxFragmentBytes what they take.
	maxFragmented, maxFragmentBytes = 4096, 16 << 20
	// fragmentCost is what a fragment takes besides its bytes.
	fragmentCost = 64
	// maxPayload is how many bytes a packet of IP can carry.
	maxPayload = 1<<16 - 1
)

// fragment is a part of an IP packet.
type fragment struct {
	of    packetID
	next  layers.IPProtocol // of what the packet carries
	start int
	data  []byte
	more  bool // it is not the last one
	cut   bool // by the capture
}

func (f *fragment) end() int { return f.start + len(f.data) }

// packetID tells packets in fragments apart.
type packetID struct {
	network  gopacket.Flow
	protocol layers.IPProtocol // 0 for IPv6
	id       uint32
}

// fragmented is a packet that comes in fragments.
type fragmented struct {
	id    packetID
	place *list.Element
	began time.Time
	parts []fragment // in order
	size  int        // of all parts
	total int        // size of the packet, -1 until the last fragment is there

	// over tells since when no more is needed. What still comes then is a repetition,
	// or belongs to what is not trusted.
	over  bool
	since time.Time
}

// defragmenter puts packets together again. They are of both versions of IP.
type defragmenter struct {
	isServerPort func(uint16) bool
	open         map[packetID]*fragmented
	oldest       list.List // of the same
	held         int       // bytes that all take

	// The packets of which not all was there, and those of which it contradicts itself.
	incomplete, contradictory int
}

func newDefragmenter(isServerPort func(uint16) bool) *defragmenter {
	return &defragmenter{isServerPort: isServerPort, open: make(map[packetID]*fragmented)}
}

// fragmentOf returns what a frame has if that is a fragment that may be of TCP.
func fragmentOf(p gopacket.Packet) (f fragment, ok bool) {
	switch ip := p.NetworkLayer().(type) {
	case *layers.IPv4:
		f = fragment{next: ip.Protocol, start: int(ip.FragOffset) * 8, more: ip.Flags&layers.IPv4MoreFragments != 0, data: ip.Payload}
		f.of = packetID{ip.NetworkFlow(), ip.Protocol, uint32(ip.Id)}
		ok = f.more || f.start > 0
	case *layers.IPv6:
		var part *layers.IPv6Fragment
		if part, ok = p.Layer(layers.LayerTypeIPv6Fragment).(*layers.IPv6Fragment); ok {
			f = fragment{next: part.NextHeader, start: int(part.FragmentOffset) * 8, more: part.MoreFragments, data: part.Payload}
			f.of = packetID{ip.NetworkFlow(), 0, part.Identification}
		}
	}
	f.cut = p.Metadata().Truncated
	return f, ok && (f.next == layers.IPProtocolTCP || f.next == layers.IPProtocolIPv6Destination)
}

// tcp returns the segment that is complete with a frame, if that is a fragment and
// the last one that was missing.
func (d *defragmenter) tcp(p gopacket.Packet, at time.Time) (*layers.TCP, bool) {
	f, ok := fragmentOf(p)
	if !ok {
		return nil, false
	}
	whole, next := d.add(f, at)
	if whole == nil {
		return nil, false
	}
	inner := gopacket.NewPacket(whole, next.LayerType(), gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	tcp, ok := inner.TransportLayer().(*layers.TCP)
	return tcp, ok
}

// add takes a fragment. If the packet is complete with it, that is returned with
// what is in it.
func (d *defragmenter) add(f fragment, at time.Time) (whole []byte, next layers.IPProtocol) {
	for e := d.oldest.Front(); e != nil && at.Sub(e.Value.(*fragmented).began) > fragmentLife; e = d.oldest.Front() {
		d.forget(e.Value.(*fragmented))
	}
	p := d.open[f.of]
	if p != nil && p.over && at.Sub(p.since) > patience {
		d.forget(p)
		p = nil
	}
	if p == nil {
		p = &fragmented{id: f.of, began: at, total: -1}
		p.place = d.oldest.PushBack(p)
		d.open[f.of] = p
	}
	if p.over || f.cut {
		d.bound()
		return nil, 0
	}
	isNew, fits := p.insert(f)
	switch {
	case !fits:
		if d.concerns(p) {
			d.contradictory++
		}
		d.finish(p, at)
	case isNew:
		d.held += len(f.data) + fragmentCost
		if p.size == p.total {
			next = p.parts[0].next
			whole = make([]byte, 0, p.total)
			for _, part := range p.parts {
				whole = append(whole, part.data...)
			}
			d.finish(p, at)
		}
	}
	d.bound()
	return whole, next
}

// insert puts a fragment in its place, unless it is there already. It does not fit
// if it says something else than the others.
func (p *fragmented) insert(f fragment) (isNew, fits bool) {
	i, _ := slices.BinarySearchFunc(p.parts, f.start+1, func(part fragment, start int) int { return part.end() - start })
	if i < len(p.parts) && p.parts[i].start == f.start && p.parts[i].more == f.more && bytes.Equal(p.parts[i].data, f.data) {
		return false, true
	}
	last := 0 // where the parts end that are there
	if n := len(p.parts); n > 0 {
		last = p.parts[n-1].end()
	}
	switch {
	case len(f.data) == 0, f.more && len(f.data)%8 != 0, f.end() > maxPayload:
		return false, false
	case i < len(p.parts) && p.parts[i].start < f.end():
		return false, false // they overlap
	case p.total >= 0 && (!f.more || f.end() > p.total), !f.more && f.end() < last:
		return false, false // the packet has another end
	}
	if !f.more {
		p.total = f.end()
	}
	f.data = bytes.Clone(f.data) // the frame may be larger
	p.parts = slices.Insert(p.parts, i, f)
	p.size += len(f.data)
	return true, true
}

// concerns reports whether a packet may be for the broker: the ports are in the
// first fragment.
func (d *defragmenter) concerns(p *fragmented) bool {
	if len(p.parts) == 0 || p.parts[0].start > 0 || p.parts[0].next != layers.IPProtocolTCP {
		return true
	}
	b := p.parts[0].data
	return len(b) < 4 || d.isServerPort(binary.BigEndian.Uint16(b)) || d.isServerPort(binary.BigEndian.Uint16(b[2:]))
}

// finish ends a packet that is complete or not to be trusted. It is remembered for
// as long as frames may come that belong to it.
func (d *defragmenter) finish(p *fragmented, at time.Time) {
	d.release(p)
	p.over, p.since = true, at
}

func (d *defragmenter) release(p *fragmented) {
	d.held -= p.size + len(p.parts)*fragmentCost
	p.parts, p.size = nil, 0
}

// forget removes a packet.
func (d *defragmenter) forget(p *fragmented) {
	if !p.over && d.concerns(p) {
		d.incomplete++
	}
	d.release(p)
	d.oldest.Remove(p.place)
	delete(d.open, p.id)
}

// bound forgets the oldest packets if they are too many.
func (d *defragmenter) bound() {
	for len(d.open) > maxFragmented || d.held > maxFragmentBytes {
		d.forget(d.oldest.Front().Value.(*fragmented))
	}
}

// verdict tells of what was left out, and is empty if that is nothing.
func (d *defragmenter) verdict() string {
	for d.oldest.Len() > 0 {
		d.forget(d.oldest.Front().Value.(*fragmented))
	}
	var of []string
	if d.incomplete > 0 {
		of = append(of, fmt.Sprintf("of %d not all are there", d.incomplete))
	}
	if d.contradictory > 0 {
		of = append(of, fmt.Sprintf("of %d they overlap or contradict each other", d.contradictory))
	}
	if of == nil {
		return ""
	}
	return "IP packets whose fragments could not be put together: " + strings.Join(of, ", ")
}
