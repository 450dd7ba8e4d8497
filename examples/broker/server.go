package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// server adds sockets to a broker.Broker. One goroutine, that of run, owns the
// broker; each connection has a goroutine that reads, and one that writes while
// there is something to write. They tell the owner what has happened, and it
// never waits for them.
type server struct {
	options  *options
	log      *slog.Logger
	listener net.Listener
	broker   *broker.Broker

	accepted chan net.Conn
	happened chan happening
	done     chan struct{} // closed at the end of run
	slots    chan struct{} // one for each connection
	timer    *time.Timer

	conns    map[broker.Handle]*conn // until Close
	live     map[*conn]struct{}      // until their sockets are closed
	stopping bool
}

// happening is what a goroutine of a connection tells the owner.
type happening struct {
	conn *conn
	what occasion
	data []byte
	err  error
}

type occasion uint8

const (
	wasRead occasion = iota
	wasWritten
	wasReleased // the socket is closed
)

func newServer(o *options, log *slog.Logger, l net.Listener) *server {
	return &server{
		options: o, log: log, listener: l,
		broker:   broker.New(o.brokerConfig()),
		accepted: make(chan net.Conn),
		happened: make(chan happening),
		done:     make(chan struct{}),
		slots:    make(chan struct{}, o.maxConnections),
		timer:    time.NewTimer(never),
		conns:    make(map[broker.Handle]*conn),
		live:     make(map[*conn]struct{}),
	}
}

// run serves connections until the context ends.
func (s *server) run(ctx context.Context) {
	go s.accept()
	stop := ctx.Done()
	var giveUp <-chan time.Time
	for !s.stopping || len(s.live) > 0 {
		select {
		case c := <-s.accepted:
			s.open(c)
		case h := <-s.happened:
			s.handle(h)
		case <-s.timer.C:
			s.broker.Tick(time.Now())
			s.drain()
		case <-stop:
			stop, giveUp = nil, time.After(stopping)
			s.stop()
		case <-giveUp:
			s.log.Info("some clients did not close in time", "connections", len(s.live))
			s.abandon()
			return
		}
	}
	s.abandon()
}

// stop begins the end: nobody is accepted any more, and all clients are told.
func (s *server) stop() {
	st := s.broker.Stats()
	s.log.Info("stopping", "connections", st.Connections, "sessions", st.Sessions, "received", st.Received, "delivered", st.Delivered, "dropped", st.Dropped)
	s.stopping = true
	s.listener.Close()
	s.broker.Shutdown(time.Now())
	s.drain()
}

// abandon closes what is still open and lets all goroutines end.
func (s *server) abandon() {
	close(s.done)
	for c := range s.live {
		c.Close()
	}
}

// accept runs in a goroutine of its own.
func (s *server) accept() {
	var complained time.Time
	for {
		nc, err := s.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			s.log.Warn("a connection could not be accepted", "error", err)
			time.Sleep(backOff) // out of descriptors, perhaps
			continue
		}
		select {
		case s.slots <- struct{}{}:
		default:
			nc.Close()
			if time.Since(complained) > time.Second {
				complained = time.Now()
				s.log.Warn("too many connections: see --max-connections", "most", cap(s.slots), "refused", nc.RemoteAddr())
			}
			continue
		}
		select {
		case s.accepted <- nc:
		case <-s.done:
			nc.Close()
			return
		}
	}
}

// open begins to serve a connection.
func (s *server) open(nc net.Conn) {
	if s.stopping {
		nc.Close()
		return
	}
	c := &conn{
		Conn: nc, server: s,
		handle: s.broker.Open(time.Now(), nil),
		next:   make(chan struct{}, 1),
		over:   make(chan struct{}),
	}
	s.conns[c.handle] = c
	s.live[c] = struct{}{}
	s.drain()
	go c.read()
}

// handle passes on to the broker what has happened on a connection.
func (s *server) handle(h happening) {
	c, now := h.conn, time.Now()
	switch h.what {
	case wasReleased:
		delete(s.live, c)
		<-s.slots
		return
	case wasRead:
		c.held = h.err == nil
		s.broker.Receive(now, c.handle, h.data)
		if h.err != nil {
			s.broker.Closed(now, c.handle, h.err)
		}
	case wasWritten:
		c.written(now, h.err)
	}
	s.drain()
	if c.held && !s.broker.InputPaused(c.handle) {
		c.held = false
		c.next <- struct{}{} // has room for the one that can be due
	}
}

// drain serves all events that are due.
func (s *server) drain() {
	for ev := range s.broker.Events() {
		switch ev.Kind {
		case events.Write:
			s.broker.ReplaceWriteBuffer(ev.Conn, nil) // the bytes are ours now
			s.conns[ev.Conn].write(ev.Data)
		case events.Timer:
			s.timer.Reset(time.Until(ev.Deadline))
		case events.Connected:
			s.log.Debug("connected", "client", ev.Client.ID, "address", s.conns[ev.Conn].RemoteAddr().String(), "session_present", ev.SessionPresent())
		case events.Close:
			c := s.conns[ev.Conn]
			delete(s.conns, ev.Conn)
			s.report(c, &ev)
			c.end()
		}
	}
}

// report logs why a connection was closed.
func (s *server) report(c *conn, ev *broker.Event) {
	level := slog.LevelInfo
	attrs := []any{"address", c.RemoteAddr().String()}
	if id := ev.Client.ID; id != "" {
		attrs = append(attrs, "client", id)
	}
	if ev.Reason != 0 && ev.Reason != codec.ReasonUnspecifiedError {
		attrs = append(attrs, "reason", ev.Reason.String())
	}
	switch {
	case ev.Err != nil:
		attrs = append(attrs, "error", explain(ev.Err))
	case ev.Reason == 0 || s.stopping:
		level = slog.LevelDebug
	}
	s.log.Log(context.Background(), level, "connection closed", attrs...)
}
