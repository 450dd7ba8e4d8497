package session_test

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkReference compares two ways in which messages can reach many peers:
// each connection encodes them for itself, or all have one encoding in common. It
// takes the time from PublishShared to the last acknowledgement, with Writes that go
// nowhere or to a socket of their own, in turns, and reports medians. The thresholds
// of reference.go follow from it.
func BenchmarkReference(b *testing.B) {
	for _, socket := range []bool{false, true} {
		for _, traffic := range []traffic{oneByOne, inARow, interleaved, backlog, aliases} {
			for qos := range codec.QoS(3) {
				if traffic == backlog && qos == codec.QoS0 {
					continue
				}
				for _, receivers := range []int{10, 100} {
					for _, size := range []int{16, 64, 256, 1 << 10, 4 << 10} {
						b.Run(fmt.Sprintf("socket=%v/%v/QoS=%d/1:%d/%d bytes", socket, traffic, qos, receivers, size), func(b *testing.B) {
							runtime.LockOSThread()
							defer runtime.UnlockOSThread()
							alone := newFan(b, traffic, qos, receivers, size, true, socket)
							common := newFan(b, traffic, qos, receivers, size, false, socket)
							var one, other, ratio []float64
							for b.Loop() {
								x, y := alone.turn(), common.turn()
								one, other, ratio = append(one, x), append(other, y), append(ratio, y/x)
							}
							b.ReportMetric(0, "ns/op")
							b.ReportMetric(median(one), "ns-alone")
							b.ReportMetric(median(other), "ns-common")
							b.ReportMetric(median(ratio), "ratio")
						})
					}
				}
			}
		}
	}
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// traffic is what comes in a round.
type traffic string

const (
	oneByOne    traffic = "one"
	inARow      traffic = "in a row"    // fifty
	interleaved traffic = "interleaved" // fifty, of which each peer gets every second or third one
	backlog     traffic = "backlog"     // fifty, for peers that take twenty at a time
	aliases     traffic = "aliases"     // fifty, for peers that know the topic under different aliases
)

// fan is a sender with many peers.
type fan struct {
	t          testing.TB
	shared     session.Shared
	servers    []*session.Server
	written    []written // by each
	conns      []net.Conn
	message    codec.Publish
	traffic    traffic
	qos        codec.QoS
	alone      bool
	took       time.Duration
	deliveries int
	ev         events.Event
}

// written is what a server wrote.
type written struct {
	data    [][]byte
	buffers [][]byte
	answer  []byte
}

func newFan(b *testing.B, traffic traffic, qos codec.QoS, receivers, size int, alone, socket bool) *fan {
	f := &fan{t: b, traffic: traffic, qos: qos, alone: alone, written: make([]written, receivers)}
	f.message = codec.Publish{Topic: codec.Bytes("bench/topic"), Payload: make(codec.Bytes, size)}
	cfg := session.Config{Shared: &f.shared, HighWater: 1 << 20, ReferenceSize: 8 << 10, Queue: session.QueueLimits{Messages: -1}}
	if traffic == backlog {
		cfg.MaximumInflight = 20
	}
	for i := range receivers {
		if traffic == aliases {
			f.servers = append(f.servers, withAliases(b, cfg, i))
		} else {
			f.servers = append(f.servers, connected(b, codec.V311, cfg))
		}
		if socket {
			f.conns = append(f.conns, sink(b))
		}
	}
	return f
}

// withAliases returns a server whose peer has been told so many aliases.
func withAliases(t testing.TB, cfg session.Config, known int) *session.Server {
	cfg.TopicAliases = session.AliasAuto
	s := connectWith(t, codec.V5, session.ServerConfig{Config: cfg}, codec.ConnectProperties{TopicAliasMaximum: codec.Some[uint16](1000)})
	for i := range known {
		if _, err := s.PublishShared(start, &codec.Publish{Topic: codec.Bytes(fmt.Sprint("bench/", i))}, session.Delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	drain(s)
	return s
}

// turn returns the time that a delivery takes.
func (f *fan) turn() float64 {
	f.took, f.deliveries = 0, 0
	for f.deliveries < 2000 {
		f.round()
	}
	return float64(f.took.Nanoseconds()) / float64(f.deliveries)
}

// round sends messages to all, and answers until all is quiet.
func (f *fan) round() {
	messages := 50
	if f.traffic == oneByOne {
		messages = 1
	}
	f.clock(func() {
		for j := range messages {
			f.publish(j)
		}
	})
	for f.clock(f.pull); f.answer(); f.clock(f.pull) {
	}
	f.shared.Reclaim()
	for _, s := range f.servers {
		if s.Inflight()+s.Queued() > 0 {
			f.t.Fatal("not acknowledged")
		}
	}
}

func (f *fan) clock(run func()) {
	began := time.Now()
	run()
	f.took += time.Since(began)
}

// publish sends the message j of a round.
func (f *fan) publish(j int) {
	kept := f.shared.Keep(&f.message)
	d := session.Delivery{QoS: f.qos, Several: !f.alone, Kept: kept}
	for i, s := range f.servers {
		if f.traffic == interleaved && j%(2+i%2) != 0 {
			continue
		}
		if f.alone {
			f.shared.Forget()
		}
		if _, err := s.PublishShared(start, &kept.Publish, d); err != nil {
			f.t.Fatal(err)
		}
		f.deliveries++
	}
	kept.Release()
}

// pull serves the events of all.
func (f *fan) pull() {
	for i, s := range f.servers {
		w := &f.written[i]
		if len(w.answer) > 0 {
			s.Receive(start, w.answer)
		}
		for s.NextInto(&f.ev) {
			if f.ev.Kind != events.Write {
				continue
			}
			w.data = append(w.data, f.ev.Data...)
			if f.conns != nil {
				data := net.Buffers(f.ev.Data)
				if _, err := data.WriteTo(f.conns[i]); err != nil {
					f.t.Fatal(err)
				}
			}
			w.buffers = append(w.buffers, s.ReplaceWriteBuffer(nil))
		}
	}
}

// answer forms the answers to what was written. It reports whether there are any.
func (f *fan) answer() (more bool) {
	for i := range f.written {
		w := &f.written[i]
		w.answer = answers(w.answer[:0], w.data)
		more = more || len(w.answer) > 0
		for _, buf := range w.buffers {
			f.shared.Recycle(buf)
		}
		clear(w.data)
		w.data, w.buffers = w.data[:0], w.buffers[:0]
	}
	return more
}

// answers appends the acknowledgements of the packets in data.
func answers(b []byte, data [][]byte) []byte {
	skip := 0 // of the next piece, which belongs to the packet before
	for _, p := range data {
		for skip < len(p) {
			p, skip = p[skip:], 0
			h, _, err := codec.Frame(p, 0)
			if err != nil {
				panic(err)
			}
			switch {
			case h.Type == codec.TypePublish && p[0]&0x06 != 0:
				at := h.Len + 2 + (int(p[h.Len])<<8 | int(p[h.Len+1]))
				kind := byte(codec.TypePuback)
				if p[0]&0x04 != 0 {
					kind = byte(codec.TypePubrec)
				}
				b = append(b, kind<<4, 2, p[at], p[at+1])
			case h.Type == codec.TypePubrel:
				b = append(b, byte(codec.TypePubcomp)<<4, 2, p[h.Len], p[h.Len+1])
			}
			skip = h.Size()
		}
		skip -= len(p)
	}
	return b
}

// sink returns a connection whose other end reads all there is.
func sink(t testing.TB) net.Conn {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, other)
		other.Close()
	}()
	t.Cleanup(func() { c.Close() })
	return c
}
