package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/gopacket/gopacket/reassembly"
)

const (
	// patience is how long a gap may be filled by what comes late.
	patience = 2 * time.Second
	// tidying is how often it is looked for gaps that are not filled.
	tidying = time.Second
	// maxPages bounds what is kept behind gaps, in pages of about 2 KiB.
	maxPages, maxPagesOfOne = 32 << 10, 4 << 10
	// forgetting is the silence after which a connection is forgotten. It is longer
	// than any keep alive.
	forgetting = 48 * time.Hour
)

// frames reads the link layer's frames of a capture.
type frames struct {
	read     func() ([]byte, gopacket.CaptureInfo, error)
	linkType func(gopacket.CaptureInfo) layers.LinkType
}

func openCapture(r *bufio.Reader) (*frames, error) {
	head, err := r.Peek(len(ngMagic))
	if err != nil {
		return nil, err
	}
	if bytes.Equal(head, ngMagic) {
		ng, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, err
		}
		return &frames{ng.ReadPacketData, func(ci gopacket.CaptureInfo) layers.LinkType {
			if len(ci.AncillaryData) > 0 {
				if t, ok := ci.AncillaryData[0].(layers.LinkType); ok {
					return t
				}
			}
			return ng.LinkType()
		}}, nil
	}
	plain, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, err
	}
	return &frames{plain.ReadPacketData, func(gopacket.CaptureInfo) layers.LinkType { return plain.LinkType() }}, nil
}

// readCapture shows the packets of a capture.
func (i *inspector) readCapture(ctx context.Context, r *bufio.Reader) error {
	in, err := openCapture(r)
	if err != nil {
		return fmt.Errorf("this is no capture in pcap or pcapng: %v", err)
	}
	a := reassembly.NewAssembler(reassembly.NewStreamPool(&flows{i}))
	a.MaxBufferedPagesTotal, a.MaxBufferedPagesPerConnection = maxPages, maxPagesOfOne
	d := newDefragmenter(i.isServerPort)
	defer func() {
		a.FlushAll()
		if text := d.verdict(); text != "" {
			i.say(newConnection(i), time.Time{}, text)
		}
	}()
	var tidied time.Time
	for some := false; ctx.Err() == nil; {
		data, ci, err := in.read()
		switch {
		case errors.Is(err, io.EOF) && some:
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("the capture is empty")
		case errors.Is(err, io.ErrUnexpectedEOF):
			i.say(newConnection(i), time.Time{}, "the capture ends within a frame")
			return nil
		case err != nil:
			return err
		}
		some = true
		i.frame(a, d, data, ci, in.linkType(ci))
		if ci.Timestamp.Sub(tidied) > tidying {
			tidied = ci.Timestamp
			a.FlushWithOptions(reassembly.FlushOptions{T: tidied.Add(-patience), TC: tidied.Add(-forgetting)})
		}
	}
	return nil
}

// frame takes a frame that may have a segment of TCP, or the rest of one.
func (i *inspector) frame(a *reassembly.Assembler, d *defragmenter, data []byte, ci gopacket.CaptureInfo, link layers.LinkType) {
	p := gopacket.NewPacket(data, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	tcp, ok := p.TransportLayer().(*layers.TCP)
	if !ok {
		tcp, ok = d.tcp(p, ci.Timestamp)
	}
	if !ok || !i.isServerPort(uint16(tcp.SrcPort)) && !i.isServerPort(uint16(tcp.DstPort)) {
		return
	}
	i.segments++
	a.AssembleWithContext(p.NetworkLayer().NetworkFlow(), tcp, captured(ci))
}

// captured is when and how a frame was captured, for the assembler.
type captured gopacket.CaptureInfo

func (c captured) GetCaptureInfo() gopacket.CaptureInfo { return gopacket.CaptureInfo(c) }
