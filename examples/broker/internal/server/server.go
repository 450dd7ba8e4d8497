// Package server adds I/O to a broker.Broker: sockets, a clock, a store, and the
// answers to who may do what.
//
// One goroutine, that of Run, owns the broker. It reads from all sockets that have
// something, and takes from an inbox what came meanwhile from goroutines: those
// of streams, such as TLS, that of the store and others. So one round of the
// broker handles many packets of many clients, makes their changes durable
// together and writes to each client once. The owner waits for all of these at
// once, when there is nothing to do, and never for a single socket or the store.
package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
)

// Options configures a Server.
type Options struct {
	*config.Config
	// Listeners are open; Run closes them.
	Listeners []*listen.Listener
	// Store keeps what is to survive; nil for nothing.
	Store Store
	// IDPrefix is part of the Client Identifiers that the broker assigns, and no
	// earlier run had it.
	IDPrefix string
	Log      *slog.Logger
}

// Server is a broker with its connections.
type Server struct {
	options Options
	log     *slog.Logger
	broker  *broker.Broker
	gate    *listen.Gate
	now     time.Time    // of the round
	event   broker.Event // that is being served

	inbox     inbox
	happening []happening   // in this round
	done      chan struct{} // closed at the end of Run
	timer     *time.Timer

	doors       map[*listen.Listener]*door
	doorsByName map[string]*door
	elsewhere   *door // of clients whose listener is not configured any more
	lastDoor    *door

	commits  commits
	checks   checks
	conns    map[broker.Handle]*conn // until their links are closed
	eager    []*conn                 // may bring more, but were not let go on yet
	held     int                     // of these, the first, while nobody is read from
	unproven int                     // bytes of clients that are not let in yet
	sockets  sockets
	measured measured
	grumble  grumble
	denials  grumble
	trouble  atomic.Pointer[error] // why clients are not served
	stopping bool
	abandon  bool
}

// Times that need no configuration.
const (
	lingering = 500 * time.Millisecond  // for the client to close too
	stopping  = 1500 * time.Millisecond // for all clients, at the end
)

// mostUnproven bounds the bytes of all clients that are not let in yet.
const mostUnproven = 16 << 20

var errCrowded = errors.New("too many clients at once send large CONNECT packets")

// New returns a Server that goes on with what is stored. It does nothing before
// Run. The error is one line for people.
func New(o Options) (*Server, error) {
	s := &Server{
		options: o, log: o.Log,
		gate:        listen.NewGate(&o.Limits),
		done:        make(chan struct{}),
		doors:       make(map[*listen.Listener]*door),
		doorsByName: make(map[string]*door),
		conns:       make(map[broker.Handle]*conn),
		measured:    measured{refused: make(map[string]uint64)},
	}
	if err := s.openDoors(); err != nil {
		return nil, err
	}
	if err := s.sockets.open(s); err != nil {
		return nil, err
	}
	s.inbox.nudge = s.sockets.nudge
	s.lastDoor = s.elsewhere
	s.broker = broker.New(s.brokerConfig())
	s.commits.init(o.Store)
	if o.Store == nil {
		return s, nil
	}
	return s, s.restore()
}

// serve serves a connection. It runs in a goroutine of its own, which stays if
// the connection is no socket.
func (s *Server) serve(in *listen.Conn) {
	if c := s.sockets.adopt(s, in); c != nil {
		if !s.inbox.put(happening{what: wasOpened, conn: c}) {
			c.link.close()
		}
		return
	}
	c := newStream(s, in)
	if !s.inbox.put(happening{what: wasOpened, conn: &c.conn}) {
		c.close()
		return
	}
	c.read()
	c.release()
}

// Run serves connections until the context ends, and ends them then. The error
// tells, in one line, what could not be stored.
func (s *Server) Run(ctx context.Context) error {
	s.timer = time.AfterFunc(0, func() { s.inbox.put(happening{what: wasDue}) })
	defer s.timer.Stop()
	defer context.AfterFunc(ctx, func() { s.ask(s.stop) })()
	if s.options.Store != nil {
		go s.commit()
	}
	for _, l := range s.options.Listeners {
		go s.listen(l)
	}
	for more := s.round(); !s.over(); more = s.round() {
		if more {
			runtime.Gosched() // others have waited for as long as the round took
		} else {
			s.sockets.wait()
		}
	}
	s.closeAll()
	return s.commits.end()
}

// round serves what there is. It reports whether there is more already.
func (s *Server) round() (more bool) {
	more = s.sockets.look()
	s.happening = s.inbox.take(s.happening)
	s.now = time.Now() // not before the deadline whose timer is among them
	s.release()
	for i := range s.happening {
		s.handle(&s.happening[i])
	}
	s.sockets.read()
	for s.drain(); s.sockets.flush(); {
		s.drain()
	}
	s.commits.begin()
	more = s.release() || more
	s.measured.round(s.now)
	return more || s.sockets.unread()
}

// closeAll closes all connections, also those that come late.
func (s *Server) closeAll() {
	close(s.done)
	for _, h := range s.inbox.close() {
		if h.what == wasOpened {
			h.conn.link.close()
		}
	}
	for _, c := range s.conns {
		c.link.close() // goroutines end by it
	}
	s.sockets.close()
}

func (s *Server) listen(l *listen.Listener) {
	if err := l.Serve(s.gate, s.serve); err != nil {
		s.log.Error("a listener has ended", "listener", l.String(), "error", err)
	}
}

// over reports whether all connections have ended after stop, or may not wait
// any longer.
func (s *Server) over() bool {
	return s.abandon || s.stopping && len(s.conns) == 0 && !s.commits.pending()
}

// ask runs a function in the goroutine of the owner, some time.
func (s *Server) ask(f func()) { s.inbox.put(happening{what: wasAsked, call: f}) }

// stop begins the end: nobody is let in any more, and all clients are told.
func (s *Server) stop() {
	st := s.broker.Stats()
	s.log.Info("stopping", "connections", st.Connections, "sessions", st.Sessions)
	s.stopping = true
	s.trouble.Store(&errStopped)
	for _, l := range s.options.Listeners {
		_ = l.Close() // nothing can be done about it
	}
	s.broker.Shutdown(s.now)
	time.AfterFunc(stopping, func() {
		s.ask(func() {
			s.log.Info("some clients did not close in time", "connections", len(s.conns))
			s.abandon = true
		})
	})
}

// handle passes on to the broker what has happened.
func (s *Server) handle(h *happening) {
	c := h.conn
	switch h.what {
	case wasOpened:
		s.open(c)
	case wasRead:
		s.receive(c, h.data, h.err)
		if h.err == nil {
			s.await(c)
		}
	case wasWritten:
		c.sent(h.wrote, h.err)
	case wasReleased:
		delete(s.conns, c.handle)
	case wasDue:
		s.broker.Tick(s.now)
	case wasAsked:
		h.call()
	}
}

// open begins to serve a connection.
func (s *Server) open(c *conn) {
	if s.stopping {
		c.link.close()
		return
	}
	c.handle = s.broker.Open(s.now, c.door.endpoint)
	s.conns[c.handle] = c
	err := c.link.revoked() // the list may have been read again meanwhile
	if err == nil {
		err = s.sockets.add(c)
	}
	if err != nil {
		s.broker.Closed(s.now, c.handle, err)
	}
}

// receive passes on what a connection brought.
func (s *Server) receive(c *conn, data []byte, err error) {
	if c.said == nothing {
		c.said = listenTo(data)
	}
	s.broker.Receive(s.now, c.handle, data)
	if err != nil {
		s.broker.Closed(s.now, c.handle, err)
		return
	}
	if c.proven {
		return
	}
	c.unproven += int32(len(data))
	if s.unproven += len(data); s.unproven > mostUnproven {
		c = s.largestUnproven()
		s.broker.Closed(s.now, c.handle, errCrowded)
		s.prove(c)
	}
}

// largestUnproven returns the client that holds most of what those brought that are
// not let in yet: it has to make room for others, not who came last.
func (s *Server) largestUnproven() (largest *conn) {
	for _, c := range s.conns {
		if !c.proven && (largest == nil || c.unproven > largest.unproven) {
			largest = c
		}
	}
	return largest
}

// await notes that a connection may bring more, as soon as it is let go on. Once it
// has, the link says so.
func (s *Server) await(c *conn) {
	if !c.eager {
		c.eager = true
		s.eager = append(s.eager, c)
	}
}

// prove ends the count of what a client brought before it was let in.
func (s *Server) prove(c *conn) {
	s.unproven -= int(c.unproven)
	c.unproven, c.proven = 0, true
}

// release lets connections bring more, unless their client has to wait. Those
// stay in the list. It reports whether the broker may have something to do.
func (s *Server) release() (more bool) {
	if s.commits.full() {
		return s.hold(len(s.eager))
	}
	more = s.hold(0)
	wait := s.eager[:0]
	for _, c := range s.eager {
		if s.broker.InputPaused(c.handle) {
			wait = append(wait, c)
			continue
		}
		c.link.resume()
	}
	clear(s.eager[len(wait):])
	s.eager = wait
	return more
}

// hold tells the broker that nobody reads from the first n of the connections that
// may bring more. It reports whether these are others than before.
func (s *Server) hold(n int) (changed bool) {
	changed = n != s.held
	for ; s.held < n; s.held++ {
		s.broker.HoldInput(s.now, s.eager[s.held].handle, true)
	}
	for ; s.held > n; s.held-- {
		s.broker.HoldInput(s.now, s.eager[s.held-1].handle, false)
	}
	return changed
}

// drain serves all events that are due.
func (s *Server) drain() {
	for ev := &s.event; s.broker.NextInto(ev); {
		switch ev.Kind {
		case events.Write:
			s.conns[ev.Conn].write(ev.Data)
		case events.Store, events.Discard:
			s.commits.add(ev)
		case events.Timer:
			s.timer.Reset(ev.Deadline.Sub(s.now))
		case events.Connect:
			s.admit(ev)
		case events.Auth:
			// No method of authentication is on offer. (v5.0 4.12)
			s.broker.Disconnect(s.now, ev.Conn, codec.ReasonProtocolError)
		case events.Connected:
			s.connected(ev)
		case events.Close:
			s.closed(ev)
		}
	}
}

// closed handles the end of a connection.
func (s *Server) closed(ev *broker.Event) {
	c := s.conns[ev.Conn]
	if cause := refusal(ev); !c.letIn && cause != "" {
		s.measured.refused[cause]++
	}
	s.prove(c)
	s.report(c, ev)
	s.stopChecking(c)
	c.end()
}
