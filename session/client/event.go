package client

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/mqttcore/mqttcore/events"
)

// Event is one thing that a Client tells its driver. Kind decides which of the
// other fields mean something. What it points to is borrowed until the next
// call on the Client.
type Event struct {
	// Event holds what the events of a session hold too. Its Kind is that of
	// the session, and None for kinds that only a Client has.
	events.Event
	// Kind says what the event is about.
	Kind Kind
	// Attempt counts the attempts to connect since the last stable
	// connection, from 1.
	Attempt int
	// Server is the Server Reference to connect to, empty for the server that
	// the driver was configured with. (v5.0 4.11)
	Server string
	// Filter is the Topic Filter that the event is about.
	Filter string
	// Restored marks a subscription that was made again because the server
	// had lost it.
	Restored bool
	// Late marks a response that came after its request had ended: a Stray, or a
	// MessageBegin.
	Late bool
}

// Kind says what an Event is about. Those below Open are the kinds of a session,
// with the same numbers: see package events for the fields that they set. Those
// from Open on are the Client's own.
type Kind uint8

const (
	// Write carries in Data all bytes that are due, in their order.
	Write = Kind(events.Write)
	// Timer carries in Deadline the time at which Tick is to be called. It
	// replaces the deadline told before. One that only moved back is not told.
	Timer = Kind(events.Timer)
	// Close asks the driver to close the transport. It is the last event of a
	// connection; Waiting or Stopped follows.
	Close = Kind(events.Close)
	// Connected tells that the connection stands. Subscriptions were sent
	// again if the session was lost. (v3.1.1 and v5.0 3.2)
	Connected = Kind(events.Connected)
	// Refused tells that the server refused CONNECT: Packet, Reason.
	Refused = Kind(events.Refused)
	// Auth tells that AUTH arrived: Packet, Reason.
	Auth = Kind(events.Auth)
	// Disconnected tells that the server sent DISCONNECT: Packet, Reason.
	Disconnected = Kind(events.Disconnected)
	// Message delivers a message that no handler took.
	Message = Kind(events.Message)
	// MessageBegin, MessageData and MessageEnd deliver a message whose payload
	// comes in pieces and that no StreamHandler took.
	MessageBegin = Kind(events.MessageBegin)
	MessageData  = Kind(events.MessageData)
	MessageEnd   = Kind(events.MessageEnd)
	// Released and Received are for ManualComplete and ManualRelease.
	Released = Kind(events.Released)
	Received = Kind(events.Received)
	// Published is the outcome of a message that is through: Token, Reason. A
	// Reason of 0x80 or above is a refusal. One of QoS 0 is through when the
	// Write that carries it was pulled.
	Published = Kind(events.Published)
	// Dropped is the outcome of a message that will not be sent, or not again:
	// Token, Publish, Err. Publish is nil for a QoS 2 message after PUBREC,
	// and for one of QoS 0 that was lost with the connection.
	Dropped = Kind(events.Dropped)
	// Subscribed tells what the server answered for Filter: Reason is the
	// granted QoS, or 0x80 and above for a refusal, which Err explains if the
	// filter was not even sent. Restored may be set.
	Subscribed = Kind(events.Subscribed)
	// Unsubscribed tells what the server answered for Filter that is no longer
	// wanted: Reason, and Err if it could not be asked. ReasonNoSubscriptionExisted
	// also stands for a filter that was lost with the session.
	Unsubscribed = Kind(events.Unsubscribed)
	// SessionLost tells that the session state was lost: Count messages were
	// under way; they were Dropped or Orphaned before. Queued messages wait.
	SessionLost = Kind(events.SessionLost)
	// Unexpected reports an acknowledgement that belongs to nothing.
	Unexpected = Kind(events.Unexpected)
	// Store and Discard are for persistence. See session.AppendRecord, which
	// takes the Event within.
	Store   = Kind(events.Store)
	Discard = Kind(events.Discard)
)

const (
	// Open asks the driver to open a transport and to call Opened or
	// OpenFailed: Attempt, Server. Reason and Err say how the connection or
	// attempt before ended.
	Open Kind = 64 + iota
	// Waiting tells that the next attempt, number Attempt, begins at Deadline.
	// Reason and Err say how the last one ended.
	Waiting
	// Stopped tells that there will be no further attempt: Reason, and Err,
	// which is nil after Stop. It is the last event until Start.
	Stopped
	// Orphaned tells that a message which was under way when the session was
	// lost is published again: Token, Publish. Its outcome is still to come.
	Orphaned
	// Response ends the request that Token names: Publish is the response, or
	// Err says why there is none. (v5.0 4.10)
	Response
	// Stray reports a message on a Response Topic that answers no request:
	// Publish. Late is set if its request has ended already.
	Stray

	kinds
)

var kindNames = [...]string{"Open", "Waiting", "Stopped", "Orphaned", "Response", "Stray"}

// String returns the name of the constant.
func (k Kind) String() string {
	if k >= Open && k < kinds {
		return kindNames[k-Open]
	}
	return events.Kind(k).String()
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

// attrs returns the fields that mean something: the Client's own, then those of
// the session without the kind.
func (e Event) attrs() (a []slog.Attr) {
	add := func(ok bool, attr slog.Attr) {
		if ok {
			a = append(a, attr)
		}
	}
	add(e.Attempt != 0, slog.Int("attempt", e.Attempt))
	add(e.Server != "", slog.String("server", e.Server))
	add(e.Filter != "", slog.String("filter", e.Filter))
	add(e.Restored, slog.Bool("restored", true))
	add(e.Late, slog.Bool("late", true))
	if e.Kind == Subscribed || e.Kind == Unsubscribed {
		add(e.Reason == 0, slog.String("reason", "0x00"))
	}
	return append(a, e.Event.LogValue().Group()[1:]...)
}
