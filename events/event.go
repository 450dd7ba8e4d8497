package events

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Event is one thing that a session tells its driver. Kind decides which of
// the other fields mean something. What it points to is borrowed until the
// next call on the session.
type Event struct {
	Kind    Kind
	Flags   Flags
	Record  Record
	Reason  codec.ReasonCode // v5.0 numbering in both versions
	Version codec.Version
	QoS     codec.QoS // of the message of a Store

	// PacketID is the Packet Identifier, in the space of whoever chose it.
	PacketID uint32
	// Queued is the number of messages that wait in the queue.
	Queued uint32
	// Token names a message or a request for as long as it lives.
	Token uint64
	// Size counts bytes, Count messages. Offset is a place in a payload.
	Size   int64
	Offset int64
	Count  int

	// Deadline is the time at which Tick is due; zero for never.
	Deadline time.Time
	// Data holds the bytes of a Write or MessageData.
	Data [][]byte
	// Packet is the packet that the event is about.
	Packet codec.Packet
	// Publish is the message that the event is about.
	Publish *codec.Publish
	// ClientID is the Client Identifier of the session in a RecordSession.
	ClientID string
	// Err says what went wrong.
	Err error
}

// WriteTo writes Data to w. It is the simple way to serve a Write; for a
// net.Conn, net.Buffers(e.Data) does it in one system call.
func (e Event) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for _, b := range e.Data {
		n, err := w.Write(b)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// SessionPresent reports whether the event has the SessionPresent flag.
func (e Event) SessionPresent() bool { return e.Flags&SessionPresent != 0 }

// Resolved reports whether the topic of a Message came from a topic alias.
func (e Event) Resolved() bool { return e.Flags&Resolved != 0 }

// Key returns the key under which the record of a Store or Discard is kept. It
// is unique within a session.
func (e Event) Key() uint64 {
	switch e.Record {
	case RecordReceived:
		return uint64(e.PacketID)<<1 | 1
	case RecordMessage, RecordRelease:
		return e.Token << 1
	}
	return 0
}

// String returns the event in one line, without payloads and credentials. Its
// form is meant for people and may change.
func (e Event) String() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	for _, a := range e.attrs() {
		fmt.Fprintf(&b, " %s=%v", a.Key, a.Value)
	}
	return b.String()
}

// LogValue returns the event as a group, without payloads and credentials.
func (e Event) LogValue() slog.Value {
	return slog.GroupValue(append([]slog.Attr{slog.String("kind", e.Kind.String())}, e.attrs()...)...)
}

// attrs returns the fields that mean something for the kind of the event.
func (e Event) attrs() []slog.Attr {
	var a []slog.Attr
	add := func(ok bool, attr slog.Attr) {
		if ok {
			a = append(a, attr)
		}
	}
	add(e.Record != 0, slog.String("record", e.Record.String()))
	add(e.Token != 0, slog.Uint64("token", e.Token))
	add(e.PacketID != 0, slog.Uint64("id", uint64(e.PacketID)))
	add(e.Kind == Connected, slog.Bool("session", e.SessionPresent()))
	add(e.Resolved(), slog.Bool("resolved", true))
	add(e.Kind == SessionLost, slog.Int("lost", e.Count))
	add(e.Kind == SessionLost, slog.Uint64("queued", uint64(e.Queued)))
	add(e.Flags&Streamed != 0, slog.Bool("streamed", true))
	add(e.Flags&Unreleased != 0, slog.Bool("unreleased", true))
	add(e.Flags&GivenUp != 0, slog.Bool("given-up", true))
	add(e.Offset != 0 || e.Kind == Wanted, slog.Int64("offset", e.Offset))
	add(e.Size != 0, slog.Int64("size", e.Size))
	add(e.Kind == Timer && e.Deadline.IsZero(), slog.String("deadline", "none"))
	add(!e.Deadline.IsZero(), slog.Time("deadline", e.Deadline))
	add(e.Reason != 0, slog.String("reason", fmt.Sprintf("0x%02X", byte(e.Reason))))
	if e.Publish != nil {
		a = append(a, slog.Any("publish", e.Publish))
	} else if e.Packet != nil {
		a = append(a, slog.Any("packet", e.Packet))
	}
	if e.Err != nil {
		a = append(a, slog.Any("error", e.Err))
	}
	return a
}
