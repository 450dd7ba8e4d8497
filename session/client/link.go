package client

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// Status is what a Client is doing.
type Status uint8

const (
	// StatusIdle is a Client that was not started.
	StatusIdle Status = iota
	// StatusWaiting is a Client that waits for its next attempt.
	StatusWaiting
	// StatusOpening is a Client whose driver opens a transport.
	StatusOpening
	// StatusConnecting is a Client that waits for CONNACK.
	StatusConnecting
	// StatusConnected is a Client with a connection.
	StatusConnected
	// StatusStopped is a Client that makes no further attempt.
	StatusStopped
)

var statusNames = [...]string{"idle", "waiting", "opening", "connecting", "connected", "stopped"}

// String returns the status in lower case.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return "unknown"
}

// link is the connection and the way to it.
type link struct {
	status   Status
	connect  codec.Connect // of every connection
	assigned string        // Client Identifier that the server chose
	clientID string        // of the last connection that was accepted
	accepted bool          // a connection was accepted, so Clean Start has been done
	stopping bool
	ending   bool      // Stopped is due
	attempt  int       // in this row
	redirect int       // redirections in this row
	retryAt  time.Time // of StatusWaiting
	since    time.Time // the connection stands
	last     Failure
	moved    string // the server has moved there for good
	detour   string // for the next attempt alone
}

// SetConnect sets the CONNECT of the connections from the next one on, for
// credentials that change. p is not kept. Error is that of its Validate.
//
// In v5.0 the Client changes two things in it. Clean Start asks for a new
// session with the first connection that is accepted, and not with those after
// it, which go on with that session. And where the Client Identifier is empty,
// the one that the server assigned is used again. In v3.1.1 a Clean Session is
// one with every connection. (v3.1.1 3.1.2.4, v5.0 3.1.2.4, 3.2.2.3.7)
func (c *Client) SetConnect(p *codec.Connect) error {
	if err := p.Validate(c.version); err != nil {
		return &session.Error{Op: "SetConnect", Code: reasonOf(err), Err: err}
	}
	c.link.connect = *p.Clone()
	return nil
}

// Start begins to connect: an Open event follows. It may be called again after
// Stopped, not before; session, queue and subscriptions go on. Errors are ErrState
// of a Client that is started, and that of Validate of the configured CONNECT.
func (c *Client) Start(now time.Time) error {
	l := &c.link
	if l.status != StatusIdle && l.status != StatusStopped || l.ending {
		return c.stateError("Start")
	}
	if err := l.connect.Validate(c.version); err != nil {
		return &session.Error{Op: "Start", Code: reasonOf(err), Err: err}
	}
	c.set(now)
	l.attempt, l.redirect, l.stopping, l.last, l.detour = 0, 0, false, Failure{}, ""
	c.open()
	return nil
}

// open asks for a transport.
func (c *Client) open() {
	l := &c.link
	l.status = StatusOpening
	l.attempt++
	c.stats.Attempts++
	ev := Event{Kind: Open, Attempt: l.attempt, Server: l.moved}
	if l.detour != "" {
		ev.Server, l.detour = l.detour, ""
	}
	ev.Reason, ev.Err = l.last.Reason, l.last.Err
	c.note(ev)
}

// Opened tells that the transport which Open asked for is up. CONNECT follows.
// With an error the driver closes the transport: ErrState if no transport is
// asked for, because Stop was called meanwhile.
func (c *Client) Opened(now time.Time) error {
	l := &c.link
	if l.status != StatusOpening {
		return c.stateError("Opened")
	}
	c.set(now)
	p := l.connect
	if c.version.IsV5() && len(p.ClientID) == 0 {
		p.ClientID = codec.Bytes(l.assigned)
	}
	if l.accepted && string(p.ClientID) != l.clientID {
		// Another session, which has none of our subscriptions.
		l.accepted = false
		c.subs.forget()
	}
	if c.version.IsV5() {
		p.CleanStart = p.CleanStart && !l.accepted
	}
	if err := c.s.Connect(now, &p); err != nil {
		c.stopped(Failure{Err: err, Reason: reasonOf(err)})
		return err
	}
	l.status, l.since, l.last = StatusConnecting, time.Time{}, Failure{}
	return nil
}

// OpenFailed tells that the transport which Open asked for cannot be opened.
// It is ignored when none is asked for.
func (c *Client) OpenFailed(now time.Time, err error) {
	if c.link.status != StatusOpening {
		return
	}
	c.set(now)
	if err == nil {
		err = session.ErrTransport
	}
	c.failed(Failure{Err: err})
}

// Closed tells that the transport is gone: it was closed by the server, or
// reading or writing failed with err, which may be nil. What was received
// before is still handled. Close follows, unless it came already; then the
// call is ignored, but a driver must not report the end of an old transport
// when the next one is open.
func (c *Client) Closed(now time.Time, err error) {
	c.set(now)
	c.s.Closed(now, err)
}

// Stop ends the connection by DISCONNECT, or the attempts to make one; p may be
// nil for a normal end. Stopped follows. Requests end with ErrStopped; messages
// without an outcome stay in the session state, for the next Start. Errors are
// ErrState of a Client that is not started, and that of an illegal DISCONNECT.
// (v3.1.1 and v5.0 3.14)
func (c *Client) Stop(now time.Time, p *codec.Disconnect) error {
	l := &c.link
	if l.status == StatusIdle || l.status == StatusStopped {
		return c.stateError("Stop")
	}
	if p != nil {
		if err := p.Validate(c.version); err != nil {
			return &session.Error{Op: "Stop", Code: reasonOf(err), Err: err}
		}
	}
	c.set(now)
	switch l.status {
	case StatusWaiting, StatusOpening:
		c.stopped(Failure{})
		return nil
	}
	if err := c.s.Disconnect(now, p); err != nil && c.s.Status() != session.StatusClosing {
		return err
	}
	l.stopping = true
	return nil
}

// Retry ends a wait: the next attempt begins at once. It is for drivers that
// learn that the network is back. Without a wait it does nothing.
func (c *Client) Retry(now time.Time) {
	c.set(now)
	if c.link.status == StatusWaiting {
		c.link.retryAt = c.now
	}
}

// connected takes note of CONNACK.
func (c *Client) connected(ev *Event) {
	l := &c.link
	l.status, l.since, l.accepted = StatusConnected, c.now, true
	l.clientID = c.s.Limits().ClientID
	c.stats.Connections++
	if p, ok := ev.Packet.(*codec.Connack); ok && p.Properties.AssignedClientIdentifier.Set {
		l.assigned = string(p.Properties.AssignedClientIdentifier.Value)
	}
	c.restore(ev.SessionPresent())
}

// blame takes note of why the server ends the connection.
func (c *Client) blame(ev *Event) {
	f := &c.link.last
	f.Reason = ev.Reason
	switch p := ev.Packet.(type) {
	case *codec.Connack:
		f.Refused, f.Server = true, string(p.Properties.ServerReference.Value)
	case *codec.Disconnect:
		f.Disconnected, f.Server = true, string(p.Properties.ServerReference.Value)
	}
}

// closed handles the end of a connection. Close is told after the outcomes of
// messages that were lost with it, and before what comes next.
func (c *Client) closed(ev *Event) {
	c.loseQoS0(ev.Err)
	c.release()
	c.note(*ev)
	l := &c.link
	f := l.last
	f.Err = ev.Err
	if f.Reason == 0 {
		f.Reason = ev.Reason
	}
	if !l.since.IsZero() {
		f.Lived = c.now.Sub(l.since)
	}
	if l.stopping {
		c.stopped(Failure{})
		return
	}
	c.failed(f)
}

// failed decides what comes after a failure.
func (c *Client) failed(f Failure) {
	l, b := &c.link, &c.cfg.Backoff
	if f.Lived >= b.Stable {
		l.attempt, l.redirect = 0, 0
	}
	f.Attempt = max(1, l.attempt)
	again := c.cfg.Retry(f)
	if f.Refused && f.Reason == codec.ReasonClientIdentifierNotValid && l.assigned != "" && len(l.connect.ClientID) == 0 {
		l.assigned, again = "", true // let it assign another one
	}
	if !again || b.Attempts > 0 && l.attempt >= b.Attempts {
		c.stopped(f)
		return
	}
	l.last, l.status = f, StatusWaiting
	wait := b.delay(f.Attempt)
	if f.redirects() {
		l.detour = f.Server
		if f.Reason == codec.ReasonServerMoved {
			l.moved = f.Server
		}
		if l.redirect++; l.redirect == 1 {
			wait = 0 // but servers may send us in circles
		}
	}
	l.retryAt = c.now.Add(wait)
	ev := Event{Kind: Waiting, Attempt: l.attempt + 1}
	ev.Deadline, ev.Reason, ev.Err = l.retryAt, f.Reason, f.Err
	c.note(ev)
}

// stopped ends the attempts. Requests have ended before it is told.
func (c *Client) stopped(f Failure) {
	c.link.status, c.link.stopping, c.link.ending, c.link.last = StatusStopped, false, true, f
	c.failCalls(ErrStopped, func(*call) bool { return true })
	c.note(Event{Kind: Stopped, Event: events.Event{Reason: f.Reason, Err: f.Err}})
}
