// Package server adds I/O to a broker.Broker: sockets, a clock, a store, and the
// answers to who may do what.
//
// One goroutine, that of Run, owns the broker. Each connection has a goroutine
// that reads; what it brings goes through an inbox, from which the owner takes
// all that has come at once. So one round of the broker handles many packets
// of many clients, makes their changes durable together and writes to each
// client once. The owner itself never waits, neither for sockets nor for the
// store.
package server

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
)

// Options configures a Server.
type Options struct {
	Broker       broker.Config
	// Store keeps what is to survive; nil for nothing.
	Store *store.Store
	// WriteTimeout bounds the time without progress of a Write.
	WriteTimeout time.Duration
	// Pending bounds the connections that have not been let in yet; 0 for no
	// bound.
	Pending int
	Log     *slog.Logger
}

// Server is a broker with its connections.
type Server struct {
	options Options
	log     *slog.Logger
	broker  *broker.Broker
	now     time.Time // of the round

	inbox *inbox
	done  chan struct{} // closed at the end of Run
	timer *time.Timer

	commits  commits
	conns    map[broker.Handle]*conn // until Close
	live     map[*conn]struct{}      // until their sockets are closed
	fed      []*conn                 // whose readers wait
	sockets  socketWriter
	buffers  buffers
	stopping bool
	abandon  bool
}

// Incoming is a connection that was accepted, and what is known of it.
type Incoming struct {
	net.Conn
}

// Times that need no configuration.
const (
	lingering = 500 * time.Millisecond  // for the client to close too
	stopping  = 1500 * time.Millisecond // for all clients, at the end
)

// New returns a Server that does nothing before Run.
func New(o Options) *Server {
	s := &Server{
		options: o, log: o.Log,
		broker: broker.New(o.Broker),
		inbox:  newInbox(),
		done:   make(chan struct{}),
		conns:  make(map[broker.Handle]*conn),
		live:   make(map[*conn]struct{}),
	}
	return s
}

// Serve serves a connection, and returns when its socket is closed. It runs in
// a goroutine of its own.
func (s *Server) Serve(in Incoming) {
	c := &conn{
		Incoming: in, server: s, raw: rawOf(in.Conn),
		goOn: make(chan struct{}, 1),
		over: make(chan struct{}),
	}
	s.inbox.put(happening{what: wasOpened, conn: c})
	c.read()
	c.release()
}

// Run serves connections until the context ends, and ends them then.
func (s *Server) Run(ctx context.Context) {
	s.commits.init(s.options.Store)
	if s.commits.store != nil {
		go s.commit()
		defer close(s.commits.work)
	}
	s.timer = time.AfterFunc(time.Hour, func() { s.inbox.put(happening{what: wasDue}) })
	defer s.timer.Stop()
	defer context.AfterFunc(ctx, func() { s.ask(s.stop) })()
	var list []happening
	for !s.over() {
		list = s.inbox.take(list)
		s.now = time.Now()
		for i := range list {
			s.handle(&list[i])
		}
		s.drain()
		s.commits.begin()
		s.release()
	}
	close(s.done)
	for c := range s.live {
		_ = c.Close() // its goroutines end by it
	}
}

// over reports whether all connections have ended after stop, or may not wait
// any longer.
func (s *Server) over() bool {
	return s.abandon || s.stopping && len(s.live) == 0 && !s.commits.pending()
}

// ask runs a function in the goroutine of the owner, some time.
func (s *Server) ask(f func()) { s.inbox.put(happening{what: wasAsked, call: f}) }

// stop begins the end: nobody is let in any more, and all clients are told.
func (s *Server) stop() {
	st := s.broker.Stats()
	s.log.Info("stopping", "connections", st.Connections, "sessions", st.Sessions, "received", st.Received, "delivered", st.Delivered, "dropped", st.Dropped)
	s.stopping = true
	s.broker.Shutdown(s.now)
	time.AfterFunc(stopping, func() {
		s.ask(func() {
			s.log.Info("some clients did not close in time", "connections", len(s.live))
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
		s.broker.Receive(s.now, c.handle, h.data)
		if h.err != nil {
			s.broker.Closed(s.now, c.handle, h.err)
			return
		}
		s.fed = append(s.fed, c)
	case wasWritten:
		c.sending = false
		c.written(h.err)
	case wasReleased:
		delete(s.live, c)
	case wasDue:
		s.broker.Tick(s.now)
	case wasAsked:
		h.call()
	}
}

// open begins to serve a connection.
func (s *Server) open(c *conn) {
	if s.stopping {
		s.live[c] = struct{}{}
		close(c.over)
		_ = c.Close()
		return
	}
	c.handle = s.broker.Open(s.now)
	s.conns[c.handle] = c
	s.live[c] = struct{}{}
}

// release lets the readers go on whose bytes were handled, unless their client
// has to wait. Those stay in the list.
func (s *Server) release() {
	if s.commits.full() {
		return
	}
	wait := s.fed[:0]
	for _, c := range s.fed {
		if s.broker.InputPaused(c.handle) {
			wait = append(wait, c)
			continue
		}
		c.goOn <- struct{}{} // has room for the one that can be due
	}
	clear(s.fed[len(wait):])
	s.fed = wait
}

// drain serves all events that are due.
func (s *Server) drain() {
	for ev, ok := s.broker.Next(); ok; ev, ok = s.broker.Next() {
		switch ev.Kind {
		case events.Write:
			s.conns[ev.Conn].write(ev.Data)
		case events.Store, events.Discard:
			s.commits.add(&ev)
		case events.Timer:
			s.timer.Reset(ev.Deadline.Sub(s.now))
		case events.Connected:
			s.connected(&ev)
		case events.Close:
			c := s.conns[ev.Conn]
			delete(s.conns, ev.Conn)
			s.report(c, &ev)
			c.end()
		}
	}
}
