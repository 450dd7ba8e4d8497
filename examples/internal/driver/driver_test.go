package driver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const limit = programtest.Limit

// pair returns a link that is connected, and the far end of its connection.
func pair(t *testing.T, o Options) (*Driver, net.Conn) {
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
	address := l.Addr().String()
	o.WriteTimeout = cmp.Or(o.WriteTimeout, limit)
	o.Dial = func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
	link := New(client.New(client.Config{
		Session: session.ClientConfig{Config: session.Config{Queue: session.QueueLimits{Messages: -1}}},
		Connect: &codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")},
		Retry:   func(client.Failure) bool { return false },
	}), o)
	if err := link.Client.Start(time.Now()); err != nil {
		t.Fatal(err)
	}
	await(t, link, client.Connected, nil)
	c := <-far
	t.Cleanup(func() { c.Close() })
	return link, c
}

// await drives the link until an event of the kind comes. each sees all others.
func await(t *testing.T, l *Driver, kind client.Kind, each func(client.Event)) (found client.Event) {
	t.Helper()
	timeout := time.After(limit)
	for {
		for ev := range l.Events() {
			switch {
			case ev.Kind == kind:
				return ev
			case ev.Kind == client.Stopped:
				t.Fatalf("stopped: %v", ev.Err)
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

func publish(t *testing.T, l *Driver, size int, qos codec.QoS) {
	t.Helper()
	p := &codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, size), QoS: qos}
	if _, err := l.Client.Publish(time.Now(), p); err != nil {
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
	for range link.Events() { // Stop leaves behind what is queued
	}
	if err := link.Client.Stop(time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	if ev := await(t, link, client.Stopped, nil); ev.Err != nil {
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
	if ev := await(t, link, client.Stopped, nil); !errors.Is(ev.Err, os.ErrDeadlineExceeded) {
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
	await(t, link, client.Disconnected, func(ev client.Event) {
		if ev.Kind == client.Message {
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
	link, _ := pair(t, Options{WriteTimeout: time.Hour})
	publish(t, link, 32<<20, codec.QoS0)
	for range link.Events() {
	}
	closed := make(chan struct{})
	go func() {
		link.Close(100 * time.Millisecond)
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(limit):
		t.Error("it waits")
	}
}

// A transport that cannot be opened is told as such, and tried again.
func TestDialErrors(t *testing.T) {
	attempts := 0
	d := New(client.New(client.Config{
		Connect: &codec.Connect{CleanStart: true},
		Backoff: client.Backoff{Minimum: time.Millisecond, Attempts: 3},
	}), Options{Dial: func(context.Context, string) (net.Conn, error) {
		attempts++
		return nil, io.ErrUnexpectedEOF
	}})
	if err := d.Client.Start(time.Now()); err != nil {
		t.Fatal(err)
	}
	ev := await(t, d, client.Stopped, nil)
	var dial *DialError
	if !errors.As(ev.Err, &dial) || !errors.Is(ev.Err, io.ErrUnexpectedEOF) || attempts != 3 {
		t.Errorf("error %v after %d attempts", ev.Err, attempts)
	}
	d.Close(time.Second)
}

// A connection that is lost is made again, and what was published meanwhile is
// sent.
func TestReconnect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for i := range 5 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := codec.NewReader(c, codec.V5, 0)
			_, _ = r.ReadPacket()
			_, _ = c.Write([]byte{0x20, 0x03, 0x00, 0x00, 0x00}) // CONNACK
			if i == 4 {
				if p, err := r.ReadPacket(); err == nil {
					id := p.(*codec.Publish).PacketID
					_, _ = c.Write([]byte{0x40, 0x02, byte(id >> 8), byte(id)}) // PUBACK
				}
				_, _ = r.ReadPacket()
			}
			c.Close()
		}
	}()
	d := New(client.New(client.Config{
		Connect: &codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")},
		Backoff: client.Backoff{Minimum: time.Millisecond},
		Orphans: client.OrphansRepublish,
	}), Options{Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	}})
	if err := d.Client.Start(time.Now()); err != nil {
		t.Fatal(err)
	}
	publish(t, d, 10, codec.QoS1)
	await(t, d, client.Published, nil)
	if n := d.Client.Stats().Connections; n != 5 {
		t.Errorf("%d connections", n)
	}
	d.Close(time.Second)
}
