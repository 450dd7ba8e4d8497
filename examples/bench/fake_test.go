package main

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// fake is a broker for one subscriber that does not keep to the rules.
type fake struct {
	// fault says what becomes of the n-th message; fewer than 0 copies end the
	// connection of the subscriber.
	fault func(n int) (copies int, late bool)
	pings atomic.Int64

	mu         sync.Mutex
	subscriber net.Conn
	n          int
	kept       *codec.Publish // a late one, sent behind the next
}

// newFake starts one.
func newFake(t *testing.T) (f *fake, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f = new(fake)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				f.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return f, port
}

func (f *fake) serve(c net.Conn) {
	for r := codec.NewReader(c, codec.V5, 0); ; {
		p, err := r.ReadPacket()
		if err != nil {
			return
		}
		f.mu.Lock()
		switch p := p.(type) {
		case *codec.Connect:
			send(c, &codec.Connack{})
		case *codec.Subscribe:
			f.subscriber = c
			send(c, &codec.Suback{PacketID: p.PacketID, ReasonCodes: []codec.ReasonCode{0}})
		case *codec.Publish:
			switch p.QoS {
			case codec.QoS1:
				send(c, &codec.Puback{PacketID: p.PacketID})
			case codec.QoS2:
				send(c, &codec.Pubrec{PacketID: p.PacketID})
			}
			f.forward(p)
		case *codec.Pubrel:
			send(c, &codec.Pubcomp{PacketID: p.PacketID})
		case *codec.Pingreq:
			f.pings.Add(1)
			send(c, &codec.Pingresp{})
		}
		f.mu.Unlock()
	}
}

// forward passes a message on, after the fault. Its packet identifiers differ,
// so that copies are messages of their own.
func (f *fake) forward(p *codec.Publish) {
	copies, late := f.fault(f.n)
	f.n++
	if copies < 0 {
		f.subscriber.Close()
	}
	if late {
		f.kept = p.Clone()
		return
	}
	for i := range max(0, copies) {
		q := p.Clone()
		q.PacketID += uint32(i) * 10000
		send(f.subscriber, q)
	}
	if f.kept != nil {
		send(f.subscriber, f.kept)
		f.kept = nil
	}
}

// send writes a packet. A peer that is gone is noticed where it is read from.
func send(c net.Conn, p codec.Packet) {
	b, err := p.AppendTo(nil, codec.V5)
	if err != nil {
		panic(err)
	}
	_, _ = c.Write(b)
}
