package listen

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

func from(address string) *Conn {
	c := addressed{address: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))}
	return &Conn{Conn: c, socket: c}
}

// addressed is a connection that has nothing but an address.
type addressed struct {
	net.Conn
	address net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.address }
func (a addressed) Close() error         { return nil }

func TestGate(t *testing.T) {
	one, two := &Listener{cfg: &config.Listener{MaxConnections: 3}}, &Listener{cfg: new(config.Listener)}
	g := NewGate(&config.Limits{Connections: 6, ConnectionsPerAddress: 2, PendingConnections: 4})
	admit := func(l *Listener, address, want string) *Conn {
		t.Helper()
		c := from(address)
		c.Listener = l
		if got := g.admit(c); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
		return c
	}
	const none, all, listener, address, pending = "", "too many connections", "too many connections of this listener", "too many connections from this address", "too many connections that are not let in yet"
	a := admit(two, "10.0.0.1:1", none)
	admit(two, "[::ffff:10.0.0.1]:2", none).LetIn() // the same address
	admit(two, "10.0.0.1:3", address)
	b := admit(one, "[2001:db8::1]:1", none)
	c := admit(one, "[2001:db8::ffff:0:0:1%eth0]:1", none)
	admit(one, "[2001:db8::2]:1", address) // the same /64
	d := admit(one, "[2001:db8:0:1::1]:1", none)
	admit(one, "10.0.0.2:1", listener)
	admit(two, "10.0.0.2:1", pending)
	b.LetIn()
	b.LetIn()
	admit(two, "10.0.0.2:1", none)
	admit(two, "10.0.0.3:1", all)
	if s := g.Stats(); s.All != 6 || s.Pending != 4 || s.Of[one] != 3 || s.Of[two] != 3 || s.Refused[address] != 2 || s.Refused[all] != 1 {
		t.Errorf("%+v", s)
	}

	for _, x := range []*Conn{a, a, b, b, c, d} { // more than once is once
		x.Close()
	}
	if s := g.Stats(); s.All != 2 || s.Pending != 1 || s.Of[one] != 0 {
		t.Errorf("%+v", s)
	}
	if len(g.from) != 2 {
		t.Errorf("addresses stay: %v", g.from)
	}
	admit(two, "10.0.0.1:4", none)
	admit(two, "10.0.0.1:5", address)
}

// Nobody keeps others out with connections that say nothing.
func TestGatePending(t *testing.T) {
	l := &Listener{cfg: new(config.Listener)}
	g := NewGate(&config.Limits{PendingConnections: 5})
	admitted := func(address string, n int) (all []*Conn) {
		t.Helper()
		for range 6 {
			c := from(address)
			c.Listener = l
			if g.admit(c) == "" {
				all = append(all, c)
			}
		}
		if len(all) != n {
			t.Errorf("%s has %d places, want %d", address, len(all), n)
		}
		return all
	}
	foe := admitted("10.0.0.1:1", 3)
	friend := admitted("10.0.0.2:1", 2)
	friend[0].LetIn()
	foe[0].Close()
	admitted("10.0.0.1:1", 1)
	admitted("10.0.0.2:1", 1)
	if s := g.Stats(); s.All != 6 || s.Pending != 5 || s.Refused["too many connections from this address that are not let in yet"] == 0 {
		t.Errorf("%+v", s)
	}
}

// Connections that are refused are closed at once, with few lines in the log,
// and places come free again.
func TestFull(t *testing.T) {
	s := serve(t, &config.Listener{WebSocket: true}, &config.Limits{Connections: 2, ConnectTimeout: time.Hour})
	a, b := s.dial(t), s.dial(t)
	awaitPlaces(t, s.gate, 2)
	began := time.Now()
	for range 50 {
		c := s.dial(t)
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("%d bytes, error %v", n, err)
		}
	}
	seconds := int(time.Since(began)/time.Second) + 1 // that were begun
	if n := strings.Count(s.log.String(), "too many connections"); n < 1 || n > seconds {
		t.Errorf("%d lines in the log:\n%s", n, s.log)
	}
	a.Close()
	b.Close()
	awaitPlaces(t, s.gate, 0)
	if n := s.gate.Stats().Refused["too many connections"]; n != 50 {
		t.Errorf("%d refused", n)
	}
	s.forget()
	s.complain("again")
	s.log.await(t, "not_logged=")
}

// failing is a net.Listener whose Accept fails some times.
type failing struct {
	net.Listener
	mu       sync.Mutex
	failures int
	calls    []time.Time
}

func (f *failing) Accept() (net.Conn, error) {
	f.mu.Lock()
	f.calls = append(f.calls, time.Now())
	fail := len(f.calls) <= f.failures
	f.mu.Unlock()
	if fail {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return f.Listener.Accept()
}

// Without descriptors it waits longer and longer, and goes on.
func TestAcceptErrors(t *testing.T) {
	log := new(logBuffer)
	l, err := Open(t.Context(), &config.Listener{Network: "tcp", Address: "127.0.0.1:0"}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	f := &failing{Listener: l.net[0], failures: 4}
	l.net[0] = f
	accepted := make(chan *Conn, 1)
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(NewGate(new(config.Limits)), func(c *Conn) { accepted <- c }) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {
	case c := <-accepted:
		c.Close()
	case <-time.After(limit):
		t.Error("it does not go on")
	}
	l.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	log.await(t, "no more file descriptors; raise the limit")
	for i, wait := 1, shortestWait; i <= f.failures; i, wait = i+1, 2*wait {
		if got := f.calls[i].Sub(f.calls[i-1]); got < wait {
			t.Errorf("wait %d is %v, want %v", i, got, wait)
		}
	}
}

// Close ends the wait too.
func TestCloseWhileWaiting(t *testing.T) {
	l, err := Open(t.Context(), &config.Listener{Network: "tcp", Address: "127.0.0.1:0"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l.close()
	start := time.Now()
	l.pause(time.Hour)
	l.Close()
	if d := time.Since(start); d > limit {
		t.Errorf("it waits %v", d)
	}
}
