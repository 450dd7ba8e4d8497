// Package listen accepts the broker's connections: over TCP, TLS, WebSocket and
// Unix sockets. What is behind handshakes comes as a net.Conn of MQTT bytes.
//
//	l, err := listen.Open(ctx, cfg, log)  // the port is taken, nobody is accepted yet
//	err = l.Serve(gate, func(c *listen.Conn) { … })
//
// A Gate bounds the connections of all listeners, and of each listener and each
// address, before anything is read from them. Handshakes run in goroutines of
// their own under a deadline, so a slow or hostile one holds up nobody else.
package listen

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Listener is a place where clients connect.
type Listener struct {
	cfg *config.Listener
	log *slog.Logger
	net []net.Listener             // one for each address
	tls atomic.Pointer[tls.Config] // nil without TLS; Reload replaces it

	closing context.Context // ends with Close
	close   context.CancelFunc
	shaking sync.WaitGroup // handshakes under way
	troubles
}

// Open takes the address that cfg names, or all of them for the name of a host. The error is one line for people. The
// context bounds the look-up of names only.
func Open(ctx context.Context, cfg *config.Listener, log *slog.Logger) (*Listener, error) {
	l := &Listener{cfg: cfg}
	l.log = log.With("listener", cfg.Address)
	l.troubles.log = l.log
	if err := l.Reload(); err != nil {
		return nil, err
	}
	var err error
	if cfg.Network == "unix" {
		l.net, err = openUnix(ctx, cfg.Address)
	} else {
		l.net, err = openTCP(ctx, cfg.Network, cfg.Address, l.log)
	}
	if err != nil {
		return nil, err
	}
	l.closing, l.close = context.WithCancel(context.Background())
	return l, nil
}

// Serve accepts connections until Close, and returns nil then. It calls handle
// in a new goroutine for each connection that may speak MQTT now. handle, or
// what it leaves the Conn to, closes it.
func (l *Listener) Serve(gate *Gate, handle func(*Conn)) error {
	defer l.shaking.Wait()
	var serving sync.WaitGroup
	for _, at := range l.net {
		serving.Go(func() { l.accept(at, gate, handle) })
	}
	serving.Wait()
	return nil
}

// accept serves one address.
func (l *Listener) accept(at net.Listener, gate *Gate, handle func(*Conn)) {
	var wait time.Duration
	for {
		nc, err := at.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			// Out of descriptors, perhaps: others have to end first.
			wait = min(max(2*wait, shortestWait), longestWait)
			l.complain("a connection could not be accepted", "error", explainAccept(err))
			l.pause(wait)
			continue
		}
		wait = 0
		c := &Conn{Conn: nc, Listener: l, socket: nc}
		if cause := gate.admit(c); cause != "" {
			nc.Close()
			l.complain("connection refused: "+cause, "address", c.Remote())
			continue
		}
		l.welcome(c, gate.limits.ConnectTimeout, handle)
	}
}

// The time to wait after an error of accept.
const (
	shortestWait = 5 * time.Millisecond
	longestWait  = time.Second
)

// pause waits, but not longer than until Close.
func (l *Listener) pause(d time.Duration) {
	ctx, cancel := context.WithTimeout(l.closing, d)
	defer cancel()
	<-ctx.Done()
}

// welcome takes a connection through its handshakes, if there are any.
func (l *Listener) welcome(c *Conn, timeout time.Duration, handle func(*Conn)) {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		boundUnsent(tcp)
		if !l.cfg.NoDelay {
			_ = tcp.SetNoDelay(false) // it may be gone already
		}
	}
	if l.cfg.TLS == nil && !l.cfg.WebSocket {
		go handle(c)
		return
	}
	l.shaking.Add(1)
	go func() {
		defer l.shaking.Done()
		if err := l.shake(c, timeout); err != nil {
			l.complain("handshake failed", "address", c.Remote(), "error", explainHandshake(err))
			c.Close()
			return
		}
		// A new goroutine, because handshakes need a large stack.
		go handle(c)
	}()
}

// shake does the handshakes. All of them have to be over within the timeout,
// or before Close.
func (l *Listener) shake(c *Conn, timeout time.Duration) error {
	if timeout > 0 {
		if err := c.socket.SetDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
	}
	over := context.AfterFunc(l.closing, func() { c.socket.Close() })
	err := l.secure(c)
	if err == nil && l.cfg.WebSocket {
		err = openWebSocket(c)
	}
	if !over() && err == nil {
		err = net.ErrClosed
	}
	if err != nil {
		return err
	}
	return c.socket.SetDeadline(time.Time{})
}

// Addr returns the first address that was taken.
func (l *Listener) Addr() net.Addr { return l.net[0].Addr() }

// Sockets returns how many addresses were taken.
func (l *Listener) Sockets() int { return len(l.net) }

// Config returns what Open was called with.
func (l *Listener) Config() *config.Listener { return l.cfg }

// Name tells the listener from all others, also in later runs with others beside
// it: by the address that is configured, or the one that was taken if any would do.
func (l *Listener) Name() string {
	address := l.cfg.Address
	if _, port, _ := net.SplitHostPort(address); port == "0" && l.cfg.Network != "unix" {
		address = l.Addr().String()
	}
	return l.cfg.Network + " " + address
}

// String says for people what listens where.
func (l *Listener) String() string {
	var kinds []string
	if l.cfg.WebSocket {
		kinds = append(kinds, "WebSocket")
	}
	if l.cfg.TLS != nil {
		kinds = append(kinds, "TLS")
	}
	if l.cfg.Network == "unix" {
		kinds = append(kinds, "Unix socket")
	}
	var places []string
	for _, at := range l.net {
		places = append(places, at.Addr().String())
	}
	s := strings.Join(places, " and ")
	if len(kinds) > 0 {
		s += " (" + strings.Join(kinds, ", ") + ")"
	}
	return s
}

// Close gives the address up and ends Serve. Connections that were handed to
// handle stay open; those in a handshake are closed.
func (l *Listener) Close() error {
	l.close()
	return closeAll(l.net)
}

// troubles logs what clients can cause at will, at most once a second.
type troubles struct {
	log *slog.Logger

	mu      sync.Mutex
	last    time.Time
	skipped int
}

func (t *troubles) complain(text string, attrs ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.last) < time.Second {
		t.skipped++
		return
	}
	if t.skipped > 0 {
		attrs = append(attrs, "not_logged", t.skipped)
	}
	t.last, t.skipped = time.Now(), 0
	t.log.Warn(text, attrs...)
}
