package client

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

const limit = 20 * time.Second

// pair returns a link that is connected, and the far end of its connection.
func pair(t *testing.T, o Options) (*Link, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			close(far)
			return
		}
		_, _ = codec.NewReader(c, codec.V5, 0).ReadPacket()
		_, _ = c.Write([]byte{0x20, 0x03, 0x00, 0x00, 0x00}) // CONNACK
		far <- c
	}()
	o.Address = l.Addr().String()
	s := session.NewClient(session.ClientConfig{Config: session.Config{Queue: session.QueueLimits{Messages: -1}}})
	link, err := Dial(context.Background(), o, s, &codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")})
	if err != nil {
		t.Fatal(err)
	}
	await(t, link, events.Connected, nil)
	c := <-far
	t.Cleanup(func() { c.Close() })
	return link, c
}

// await drives the link until an event of the kind comes. each sees all others.
func await(t *testing.T, l *Link, kind events.Kind, each func(events.Event)) (found events.Event) {
	t.Helper()
	timeout := time.After(limit)
	for {
		for ev := range l.Events() {
			switch {
			case ev.Kind == kind:
				return ev
			case ev.Kind == events.Close:
				t.Fatalf("closed: %v", ev.Err)
			case each != nil:
				each(ev)
			}
		}
		select {
		case h := <-l.Happened():
			l.Handle(h)
		case <-timeout:
			t.Fatalf("no %v", kind)
		}
	}
}

func publish(t *testing.T, l *Link, size int, qos codec.QoS) {
	t.Helper()
	p := &codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, size), QoS: qos}
	if _, err := l.Session.Publish(time.Now(), p); err != nil {
		t.Fatal(err)
	}
}

// Everything that was published before Disconnect arrives, and then the end.
func TestCloseFlushes(t *testing.T) {
	link, far := pair(t, Options{})
	size := make(chan int64, 1)
	go func() {
		n, _ := io.Copy(io.Discard, far)
		size <- n
	}()
	for range 8 {
		publish(t, link, 1<<20, codec.QoS0)
	}
	for ev := range link.Events() { // Disconnect leaves behind what is queued
		t.Fatalf("got %v", ev)
	}
	if err := link.Session.Disconnect(time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if ev := await(t, link, events.Close, nil); ev.Err != nil {
		t.Errorf("error %v", ev.Err)
	}
	link.Close(0)
	far.Close()
	if n := <-size; n < 8<<20 {
		t.Errorf("%d bytes arrived", n)
	}
}

// A peer that reads nothing ends the connection, in time.
func TestWriteTimeout(t *testing.T) {
	link, _ := pair(t, Options{WriteTimeout: 100 * time.Millisecond})
	publish(t, link, 32<<20, codec.QoS0)
	if ev := await(t, link, events.Close, nil); !errors.Is(ev.Err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", ev.Err)
	}
	link.Close(time.Second)
}

// A peer that reads only after it has written everything does not lock up with
// a client that writes at the same time.
func TestBothWrite(t *testing.T) {
	const n = 64
	link, far := pair(t, Options{})
	done := make(chan error, 1)
	go func() {
		for id := range uint32(n) {
			p := &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS1, PacketID: id + 1, Payload: make([]byte, 1<<20)}
			b, _ := p.AppendTo(nil, codec.V5)
			if _, err := far.Write(b); err != nil {
				done <- err
				return
			}
		}
		// The acknowledgements stand behind what the client has published.
		r, acks := codec.NewReader(far, codec.V5, 0), 0
		for acks < n {
			p, err := r.ReadPacket()
			if err != nil {
				done <- err
				return
			}
			if p.Type() == codec.TypePuback {
				acks++
			}
		}
		done <- nil
		_, _ = far.Write([]byte{0xE0, 0x00})
	}()
	for range n {
		publish(t, link, 1<<20, codec.QoS0)
	}
	got := 0
	await(t, link, events.Disconnected, func(ev events.Event) {
		if ev.Kind == events.Message {
			got++
		}
	})
	if err := <-done; err != nil || got != n {
		t.Errorf("%d messages, error %v", got, err)
	}
	link.Close(time.Second)
}

// Close does not wait for a peer that neither reads nor closes.
func TestClosePatience(t *testing.T) {
	link, _ := pair(t, Options{})
	publish(t, link, 32<<20, codec.QoS0)
	for range link.Events() {
		t.Fatal("an event")
	}
	start := time.Now()
	link.Close(100 * time.Millisecond)
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("Close took %v", d)
	}
}

func TestDialErrors(t *testing.T) {
	s := session.NewClient(session.ClientConfig{})
	if _, err := Dial(context.Background(), Options{Address: "127.0.0.1:1"}, s, new(codec.Connect)); err == nil {
		t.Error("no error for a port without a listener")
	}
	if _, err := Dial(context.Background(), Options{Address: "127.0.0.1:1", Bind: "not an address"}, s, new(codec.Connect)); err == nil {
		t.Error("no error for a bad local address")
	}
}
