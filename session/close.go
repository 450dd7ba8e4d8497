package session

import (
	"errors"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// ending is how a connection ends.
type ending struct {
	reason  codec.ReasonCode
	err     error
	cause   error // given to Closed
	settled bool  // the session state was brought to rest
}

// Closed tells that the transport is gone: it was closed by the peer, or
// reading or writing failed with err, which may be nil. Packets that were
// received before are still handled; nothing more is written. Close follows,
// unless it came already. Its Err is err, or ErrTransport, and its Reason that of
// an err that has one.
func (c *core) Closed(now time.Time, err error) {
	if c.status == StatusIdle || c.status == StatusClosed {
		return
	}
	c.setNow(now)
	c.lost = true
	c.dropOutput()
	if c.status.live() && !c.lastInput {
		c.lastInput, c.end = true, &ending{cause: err}
	}
}

// transportLost ends a connection whose last bytes were handled.
func (c *core) transportLost() {
	err := c.end.cause
	if err == nil {
		err = ErrTransport
	}
	c.finishWith(reasonOf(err), err)
}

// Disconnect ends the connection by DISCONNECT; p may be nil for a normal end.
// On a v3.1.1 server there is no such packet and the connection just closes.
// Messages that may be sent go out first; what is left in the queue stays
// there. Close follows. (v3.1.1 and v5.0 3.14)
//
// Within a payload that is sent in pieces there is no place for DISCONNECT: the
// connection just closes, which for the server is the loss of the client.
//
// A client may set a new Session Expiry Interval, unless it was 0 in CONNECT.
// A client may disconnect as soon as CONNECT was sent, a server only after
// CONNACK, see Refuse. [MQTT-3.14.0-1] [U5-3.14.2.2.2-a]
func (c *core) Disconnect(now time.Time, p *codec.Disconnect) error {
	const op = "Disconnect"
	if c.status != StatusConnected && (c.server || !c.status.live()) {
		return stateError(op, c.status)
	}
	d := codec.Disconnect{}
	if p != nil {
		d = *p
	}
	if !c.version.IsV5() && c.server {
		d.Properties = codec.DisconnectProperties{}
	} else if err := d.Validate(c.own); err != nil {
		return &Error{Op: op, Code: reasonOf(err), Err: err}
	}
	expiry, changed := d.Properties.SessionExpiryInterval.Get()
	if changed && expiry != 0 && c.limits.connectExpiry == 0 {
		return &Error{Op: op, Rule: "U5-3.14.2.2.2-a", Err: ErrState, Code: codec.ReasonProtocolError,
			Detail: "Session Expiry Interval was 0 in CONNECT"}
	}
	c.setNow(now)
	if changed {
		c.limits.expiry = expiry
	}
	if c.acks.due {
		c.answer()
	}
	if c.status == StatusConnected {
		c.pump()
	}
	if c.version.IsV5() || !c.server {
		c.sendDisconnect(&d)
	}
	c.finishWith(d.ReasonCode, nil)
	return nil
}

// sendDisconnect queues DISCONNECT. One that does not fit is left out, since
// the connection closes all the same. [MQTT-4.13.2-1]
func (c *core) sendDisconnect(d *codec.Disconnect) {
	p := &c.sh.disconn
	*p = *d
	_, _ = c.fit(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
}

// onDisconnect handles DISCONNECT of the peer. (v3.1.1 and v5.0 3.14)
func (c *core) onDisconnect(ev *events.Event, p *codec.Disconnect) error {
	if expiry, ok := p.Properties.SessionExpiryInterval.Get(); ok && c.server {
		if expiry != 0 && c.limits.connectExpiry == 0 {
			return c.violation(codec.TypeDisconnect, "U5-3.14.2.2.2-a", "", codec.ReasonProtocolError,
				"Session Expiry Interval was 0 in CONNECT")
		}
		c.limits.expiry = c.bounded(expiry)
	}
	*ev = events.Event{Kind: events.Disconnected, Reason: p.ReasonCode, Packet: p}
	var err error
	if p.ReasonCode.IsError() {
		err = &Error{Op: "Receive", Code: p.ReasonCode, Err: ErrDisconnected, Detail: p.ReasonCode.String()}
	}
	c.finishWith(p.ReasonCode, err)
	return nil
}

// violate ends the connection because of what the peer did. It tells the peer
// the reason in the packet that the state allows. [MQTT-4.13.1-1]
// [U5-4.13.1-a] [U5-4.13.1-b] [v3.1.1 MQTT-4.8.0-1]
func (c *core) violate(err error) {
	if c.acks.due {
		c.answer() // nothing may follow DISCONNECT
	}
	code := reasonOf(err)
	switch {
	case c.server && c.status == StatusConnected, !c.server:
		if c.version.IsV5() {
			c.tellReason(code)
		}
	case c.tellable(code, err):
		c.refuse(&codec.Connack{ReasonCode: code}, err)
	}
	c.finishWith(code, err)
}

// tellable reports whether a client whose CONNECT is at fault gets a CONNACK.
// In v3.1.1 only two of its faults have a return code, all others close
// silently. [v3.1.1 MQTT-3.1.4-1] [v3.1.1 MQTT-3.1.2-2] [v3.1.1 MQTT-3.1.3-8]
func (c *core) tellable(code codec.ReasonCode, err error) bool {
	if errors.Is(err, codec.ErrUnsupportedVersion) || code == codec.ReasonClientIdentifierNotValid {
		return true
	}
	// Something other than CONNECT came first: there is no version to answer in.
	return c.version.IsV5()
}

// tellReason queues DISCONNECT with a reason code, or with a plainer one where
// this side may not send it.
func (c *core) tellReason(code codec.ReasonCode) {
	for _, code := range [...]codec.ReasonCode{code, codec.ReasonUnspecifiedError} {
		p := codec.Disconnect{ReasonCode: code}
		if p.Validate(c.own) == nil {
			c.sendDisconnect(&p)
			return
		}
	}
}

// finishWith starts the end of the connection. The first reason stays.
func (c *core) finishWith(reason codec.ReasonCode, err error) {
	if !c.status.live() {
		return
	}
	c.status = StatusClosing
	c.waiting = false
	c.in = nil
	c.acks.due = false
	if c.end == nil {
		c.end = new(ending)
	}
	c.end.reason, c.end.err = reason, err
	c.timers.wait = c.after(c.cfg.CloseTimeout)
}

// finish yields the last events of a connection: what became of its messages,
// then Close.
func (c *core) finish(ev *events.Event) bool {
	if c.status != StatusClosing || c.out.size > 0 && !c.lost {
		return false
	}
	if !c.end.settled {
		c.end.settled = true
		c.wake()
		c.settle()
		if c.pull(ev) {
			return true
		}
	}
	c.dropInput()
	c.dropOutput()
	c.rest()
	c.status, c.awake = StatusClosed, false
	*ev = events.Event{Kind: events.Close, Reason: c.end.reason, Err: c.end.err}
	return true
}

// settle brings the session state to rest when the connection is over.
func (c *core) settle() {
	s := c.st
	if s == nil {
		return
	}
	s.open = false
	c.endStreams()
	if c.client != nil {
		c.endRequests()
	}
	c.forgetReceipts()
	if !c.limits.established {
		// CONNACK may have been lost on its way: the server may have a session
		// then of which nothing is missing here.
		s.tried = s.tried || !c.server && c.limits.expiry > 0
		return
	}
	s.expiry = c.limits.expiry
	s.closed = max(c.unix(), 1)
	if s.expiry == 0 {
		// [MQTT-4.1.0-2] [v3.1.1 MQTT-3.1.2-6]
		c.loseSession(false)
		if c.server {
			c.loseQueue()
		}
		s.exists = false
	} else {
		c.storeSession()
	}
}

// endRequests gives up requests. They are not session state; their identifiers
// are free again.
func (c *core) endRequests() {
	for l := &c.client.requests; l.head != nil; {
		m := l.head
		l.remove(m)
		c.st.ids.remove(m)
		c.dropped(m, ErrEnded)
	}
}

// forgetReceipts lets go of what the peer will repeat, and of its requests.
// Incoming QoS 2 messages stay known, so that none is delivered twice.
func (c *core) forgetReceipts() {
	var gone []*receipt
	c.st.received.each(func(r *receipt) {
		r.next = nil
		if r.qos != codec.QoS2 || r.state == receiptArriving {
			gone = append(gone, r)
		}
	})
	for _, r := range gone {
		c.st.received.remove(r)
		c.sh.freeReceipt(r)
	}
	c.st.qos1, c.st.qos2 = receiptQueue{}, receiptQueue{}
	c.acks = acks{}
}

// loseSession drops what is session state: messages that are under way and
// received QoS 2 identifiers. Messages that were never sent stay queued. tell
// asks for SessionLost even where there was nothing to lose.
func (c *core) loseSession(tell bool) {
	s, n := c.st, 0
	if c.cfg.Persist && s.exists {
		c.tell(note{kind: events.Discard, record: events.RecordSession}) // first, see torn
	}
	s.parts = false
	for m := first(s.sent.head, s.released.head); m != nil; m = first(s.sent.head, s.released.head) {
		c.unlink(m)
		s.ids.remove(m)
		c.dropped(m, ErrSessionLost)
		n++
	}
	tell = tell || n > 0 || s.received.used > 0
	s.received.each(func(r *receipt) {
		if c.cfg.Persist {
			c.tell(note{kind: events.Discard, record: events.RecordReceived, id: r.id})
		}
	})
	s.received = receivedTable{}
	if tell {
		c.tell(note{kind: events.SessionLost, count: uint64(n), id: uint32(s.queue.n)})
	}
}

// loseQueue drops the messages that were never sent, on a server, whose queue
// ends with the session.
func (c *core) loseQueue() {
	for m := c.st.queue.head; m != nil; m = c.st.queue.head {
		c.st.dequeue(m)
		c.dropped(m, ErrSessionLost)
	}
}
