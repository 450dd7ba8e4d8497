package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
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
	if !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	attrs := []any{"client", ev.Client.ID}
	if ev.Client.User != "" {
		attrs = append(attrs, "user", ev.Client.User)
	}
	s.log.Debug("connected", append(attrs,
		"address", c.link.place().Remote(),
		"version", s.broker.Version(ev.Conn).String(),
		"keep_alive", s.broker.ConnLimits(ev.Conn).KeepAlive,
		"session_present", ev.SessionPresent(),
	)...)
}

// report logs why a connection was closed.
func (s *Server) report(c *conn, ev *broker.Event) {
	level := slog.LevelInfo
	if ev.Err == nil && ev.Reason == 0 || s.stopping && told(ev.Err) || c.said == nothing && gone(ev.Err) {
		level = slog.LevelDebug // as it should be; or somebody looked whether we are there
	}
	if s.options.Config.Log.NoConnections && s.left(ev) || !s.log.Enabled(context.Background(), level) {
		return
	}
	attrs := []any{"address", c.link.place().Remote()}
	if level > slog.LevelDebug || !c.letIn {
		ok, skipped := s.grumble.allows(s.now, c.link.place().Network(), c.letIn)
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
	text := explain(ev.Err, c.letIn)
	if ev.Reason != 0 && (ev.Reason != codec.ReasonUnspecifiedError || text == "") {
		attrs = append(attrs, "reason", ev.Reason.String())
	}
	if text != "" {
		attrs = append(attrs, "error", text)
	}
	var illegal *codec.Error
	if hint := hints[c.said]; hint != "" && !c.letIn && errors.As(ev.Err, &illegal) {
		attrs = append(attrs, "hint", hint)
	}
	s.log.Log(context.Background(), level, "connection closed", attrs...)
}

// grumble bounds the lines about connections: those from one address, and those
// about connections that were never let in, since anybody can cause them.
type grumble struct {
	second    int64
	strangers int
	of        map[netip.Prefix]int
	skipped   int
}

// mostGrumbles is the number of such lines in a second.
const mostGrumbles = 10

// allows reports whether there may be a line now, and how many there were not
// since the last one.
func (g *grumble) allows(now time.Time, from netip.Prefix, letIn bool) (ok bool, skipped int) {
	if s := now.Unix(); s != g.second {
		*g = grumble{second: s, of: make(map[netip.Prefix]int), skipped: g.skipped}
	}
	if g.of[from] == mostGrumbles || !letIn && g.strangers == mostGrumbles {
		g.skipped++
		return false, 0
	}
	g.of[from]++
	if !letIn {
		g.strangers++
	}
	skipped, g.skipped = g.skipped, 0
	return true, skipped
}

// denied logs that the rules do not allow a client to publish, which those of v3.1.1
// are not told.
func (s *Server) denied(c *broker.Client, topic []byte) {
	if !s.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	ok, skipped := s.denials.allows(s.now, netip.Prefix{}, true)
	if !ok {
		return
	}
	attrs := []any{"client", c.ID, "user", c.User, "topic", string(topic)}
	if skipped > 0 {
		attrs = append(attrs, "not_logged", skipped)
	}
	s.log.Debug("the rules do not allow to publish this", attrs...)
}

// left reports whether a connection ended as connections do, and not because of
// what the client did.
func (s *Server) left(ev *broker.Event) bool {
	return gone(ev.Err) || errors.Is(ev.Err, session.ErrDisconnected) || s.stopping && told(ev.Err) ||
		ev.Err == nil && (!ev.Reason.IsError() || ev.Reason == codec.ReasonSessionTakenOver)
}

// told reports whether the reason code is all that there is to say.
func told(err error) bool { return err == nil || errors.Is(err, session.ErrRefused) }

// gone reports whether the client closed the connection.
func gone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, session.ErrTransport) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// explain says in words what ended a connection, or nothing where the reason code
// says all.
func explain(err error, letIn bool) string {
	var own *session.Error
	switch {
	case told(err):
		return ""
	case errors.Is(err, session.ErrDisconnected):
		return "the client says so"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the client reset the connection"
	case gone(err) && !letIn:
		return "the client closed the connection before it was let in"
	case gone(err):
		return "the client closed the connection without DISCONNECT"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client took less than 64 KiB in the time for writing"
	case errors.As(err, &own) && own.Detail != "":
		return own.Detail
	}
	return err.Error()
}

// said is what the first bytes of a client look like.
type said uint8

const (
	nothing said = iota
	something
	helloTLS
	helloHTTP
	mqtt31
	fromBridge
)

// hints are for those who were taken for somebody else.
var hints = [...]string{
	helloTLS:   "this looks like TLS, for which there has to be a listener of its own",
	helloHTTP:  "this looks like HTTP; WebSocket needs a listener of its own",
	mqtt31:     "this is MQTT 3.1; the client has to speak 3.1.1 or 5",
	fromBridge: "this is a bridge of mosquitto; give it bridge_protocol_version mqttv50",
}

// listenTo looks at the first bytes of a client.
func listenTo(data []byte) said {
	begins := func(with string) bool { return bytes.HasPrefix(data, []byte(with)) }
	switch {
	case len(data) == 0:
		return nothing
	case begins("\x16\x03"): // a record of TLS with a handshake
		return helloTLS
	case begins("GET "), begins("HEAD "), begins("POST "), begins("PUT "), begins("OPTIONS "), begins("PRI * HTTP/2"):
		return helloHTTP
	case data[0] != byte(codec.TypeConnect)<<4:
		return something
	}
	if _, level, ok := bytes.Cut(data[:min(len(data), 12)], []byte("\x00\x04MQTT")); ok && len(level) > 0 && level[0]&0x80 != 0 {
		return fromBridge
	}
	if bytes.Contains(data[:min(len(data), 14)], []byte("\x00\x06MQIsdp")) {
		return mqtt31
	}
	return something
}
