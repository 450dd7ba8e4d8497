package main

import (
	"bytes"
	"net"
	"testing"
)

// sink is a connection that takes everything.
type sink struct {
	net.Conn
	taken []byte
}

func (s *sink) Write(b []byte) (int, error) {
	s.taken = append(s.taken, b...)
	return len(b), nil
}

// Messages are given up once PINGREQ was answered behind them, first on the
// connections of publishers, then on those of subscribers, and not before, however
// long that takes.
func TestDoubt(t *testing.T) {
	b := &bench{o: new(options)}
	b.stopped.Store(true)
	p, s := &publisher{bench: b}, &subscriber{bench: b}
	p.o = b.o
	out := new(sink)
	s.Conn = out
	b.publishers, b.subscribers = []*publisher{p}, []*subscriber{s}
	d := &doubt{bench: b}
	step := func(what string, settled int64, asksPublisher bool, asked int) {
		t.Helper()
		for range 1000 {
			d.look()
		}
		if p.settled.Load() != settled || p.asks != asksPublisher || len(out.taken) != asked*len(pingreq) {
			t.Fatalf("%s: %d settled, publisher is asked %v, subscriber was sent % x", what, p.settled.Load(), p.asks, out.taken)
		}
	}
	ask := func() {
		t.Helper()
		if err := p.fillBuffer(); err != nil || !bytes.Equal(p.buf, pingreq) {
			t.Fatalf("sent % x, error %v", p.buf, err)
		}
	}
	step("nothing is under way", 0, false, 0)
	p.due.Store(10)
	s.received.Store(7)
	p.settled.Store(7)
	step("the publisher has not sent it", 7, true, 0)
	ask()
	step("no answer", 7, false, 0)
	p.pongs.Add(1)
	step("the subscriber does not answer", 7, false, 1)
	s.received.Add(1) // what is before the answer is noted before it
	p.settled.Add(1)
	s.pongs.Add(1)
	step("something came", 8, true, 1)
	ask()
	p.due.Add(5) // sent behind PINGREQ
	p.pongs.Add(1)
	step("the subscriber does not answer again", 8, false, 2)
	s.pongs.Add(1)
	d.look()
	if p.settled.Load() != 10 {
		t.Fatalf("%d settled, want 10", p.settled.Load())
	}
	step("the next doubt", 10, true, 2)
}
