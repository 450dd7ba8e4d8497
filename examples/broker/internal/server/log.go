package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// connected logs that a client was let in.
func (s *Server) connected(ev *broker.Event) {
	c := s.conns[ev.Conn]
	s.prove(c)
	c.letIn = true
	c.link.place().LetIn()
	if s.options.Config.Log.NoConnections {
		return
	}
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("connected", "client", ev.Client.ID, "address", c.link.place().Remote(), "session_present", ev.SessionPresent())
	}
}

// report logs why a connection was closed.
func (s *Server) report(c *conn, ev *broker.Event) {
	level := slog.LevelInfo
	if ev.Err == nil && (ev.Reason == 0 || s.stopping) {
		level = slog.LevelDebug
	}
	if s.options.Config.Log.NoConnections || !s.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{"address", c.link.place().Remote()}
	if !c.letIn {
		ok, skipped := s.grumble.allows(s.now)
		if !ok {
			return
		}
		if skipped > 0 {
			attrs = append(attrs, "not_logged", skipped)
		}
	}
	if ev.Client.ID != "" {
		attrs = append(attrs, "client", ev.Client.ID)
	}
	if ev.Reason != 0 && ev.Reason != codec.ReasonUnspecifiedError {
		attrs = append(attrs, "reason", ev.Reason.String())
	}
	if ev.Err != nil {
		attrs = append(attrs, "error", explain(ev.Err))
	}
	var illegal *codec.Error
	if !c.letIn && errors.As(ev.Err, &illegal) {
		attrs = append(attrs, "hint", "if the client speaks TLS or WebSocket, it needs a listener for that")
	}
	s.log.Log(context.Background(), level, "connection closed", attrs...)
}

// grumble bounds the lines about connections that were never let in, since
// anybody can cause them.
type grumble struct {
	second  int64
	lines   int
	skipped int
}

// mostGrumbles is the number of such lines in a second.
const mostGrumbles = 10

// allows reports whether there may be a line now, and how many there were not
// since the last one.
func (g *grumble) allows(now time.Time) (ok bool, skipped int) {
	if s := now.Unix(); s != g.second {
		g.second, g.lines = s, 0
	}
	if g.lines >= mostGrumbles {
		g.skipped++
		return false, 0
	}
	g.lines++
	skipped, g.skipped = g.skipped, 0
	return true, skipped
}

// explain says in words what ended a connection.
func explain(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, session.ErrTransport):
		return "the client closed the connection without DISCONNECT"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the client reset the connection"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client took no bytes for too long"
	}
	return err.Error()
}
