package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"syscall"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// connected logs that a client was let in.
func (s *Server) connected(ev *broker.Event) {
	c := s.conns[ev.Conn]
	s.prove(c)
	c.LetIn()
	if s.options.Config.Log.NoConnections {
		return
	}
	if s.log.Enabled(context.Background(), slog.LevelDebug) {
		s.log.Debug("connected", "client", ev.Client.ID, "address", c.RemoteAddr().String(), "session_present", ev.SessionPresent())
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
	attrs := []any{"address", c.RemoteAddr().String()}
	if ev.Client.ID != "" {
		attrs = append(attrs, "client", ev.Client.ID)
	}
	if ev.Reason != 0 && ev.Reason != codec.ReasonUnspecifiedError {
		attrs = append(attrs, "reason", ev.Reason.String())
	}
	if ev.Err != nil {
		attrs = append(attrs, "error", explain(ev.Err))
	}
	s.log.Log(context.Background(), level, "connection closed", attrs...)
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
