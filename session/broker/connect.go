package broker

import (
	"strconv"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// connect begins the answer to CONNECT. It reports whether the driver is asked.
// (v3.1.1 and v5.0 3.1.4)
func (b *Broker) connect(c *conn, p *codec.Connect) bool {
	c.client = &Client{ID: c.srv.Limits().ClientID, Endpoint: c.at.nobody.Endpoint}
	c.entry = &entry{
		cleanStart: p.CleanStart, unnamed: len(p.ClientID) == 0, keepAlive: p.KeepAlive,
		informed: p.Properties.RequestResponseInformation.Or(0) != 0,
	}
	if w, ok := p.Will.Get(); ok {
		b.mount(c, &w.Topic, &w.Properties.ResponseTopic)
		c.entry.will = newWill(&w)
	}
	switch {
	case b.stopping:
		b.refuse(c, codec.ReasonServerUnavailable)
	case !formatted(p):
		b.refuse(c, codec.ReasonPayloadFormatInvalid) // [U5-3.1.3.2.3-a]
	case c.at.RefuseEmptyClientID && len(p.ClientID) == 0:
		b.refuse(c, codec.ReasonClientIdentifierNotValid) // [MQTT-3.1.3-8]
	case b.cfg.Ask&AskConnect != 0:
		c.entry.asked = true
		return true
	case p.Properties.AuthenticationMethod.Set:
		b.refuse(c, codec.ReasonBadAuthenticationMethod) // [U5-4.12-a]
	default:
		b.admit(c)
	}
	return false
}

// tooSlow reports whether a Keep Alive is beyond the bound.
func (e *endpoint) tooSlow(keepAlive uint16) bool {
	return e.MaximumKeepAlive != 0 && (keepAlive == 0 || keepAlive > e.MaximumKeepAlive)
}

// formatted reports whether the payload of the Will is what it is said to be.
func formatted(p *codec.Connect) bool {
	w, ok := p.Will.Get()
	return !ok || w.Properties.PayloadFormatIndicator.Or(0) == 0 || utf8.Valid(w.Payload)
}

// refuse answers CONNECT by a CONNACK with a reason code.
func (b *Broker) refuse(c *conn, code codec.ReasonCode) {
	c.entry = nil
	b.busy.push(c)
	if err := c.srv.Refuse(b.now, &codec.Connack{ReasonCode: code}); err != nil {
		c.srv.Closed(b.now, err)
	}
}

// admit goes on with a client that may connect: it waits for the Close of the
// connection that has the session now, if there is one. [MQTT-3.1.4-3]
// [v3.1.1 MQTT-3.1.4-2]
func (b *Broker) admit(c *conn) {
	if c.client.ID == "" {
		c.client.ID = b.assignClientID(c.at.ClientIDPrefix)
	}
	s := b.sessions[c.client.ID]
	switch code := b.mayConnect(c, s); {
	case code.IsError():
		b.refuse(c, code)
		return
	case s == nil || s.conn == nil:
		b.accept(c)
		return
	}
	old := s.conn
	if rival := old.successor; rival != nil {
		// It came in the meantime, and is taken over in its turn.
		b.refuse(rival, codec.ReasonServerBusy)
	}
	old.successor, c.entry.heirOf = c, old
	b.disconnect(old, codec.ReasonSessionTakenOver)
}

// mayConnect returns the reason code with which a client is refused that the
// driver lets in, or Success.
func (b *Broker) mayConnect(c *conn, s *sess) codec.ReasonCode {
	if most := b.cfg.MaximumSessions; s == nil && most > 0 && len(b.sessions) >= most {
		return codec.ReasonQuotaExceeded
	}
	w := c.entry.will
	switch {
	case w == nil:
		return codec.ReasonSuccess
	case w.message.QoS > c.maximumQoS():
		return codec.ReasonQoSNotSupported // [MQTT-3.2.2-12]
	case w.message.Retain && b.cfg.NoRetain:
		return codec.ReasonRetainNotSupported // [MQTT-3.2.2-13]
	case c.entry.admission.NoWill:
		return codec.ReasonSuccess
	}
	if code := b.refusal(c.client, w.message); code.IsError() {
		return code
	}
	p := *w.message // for this call
	_, code := b.mayPublish(c.client, &p)
	return code
}

// assignClientID returns an identifier that no session has. [MQTT-3.1.3-6]
func (b *Broker) assignClientID(prefix string) string {
	for {
		b.assigned++
		id := prefix + strconv.FormatUint(b.assigned, 10)
		if b.sessions[id] == nil {
			return id
		}
	}
}

// accept answers CONNECT by a CONNACK with success. No connection has the
// session any more.
func (b *Broker) accept(c *conn) {
	e := c.entry
	c.entry = nil
	if e.admission.NoWill {
		e.will = nil
	}
	b.busy.push(c)
	s := b.sessions[c.client.ID]
	var state *session.State
	fresh := s == nil || e.cleanStart || s.state.Expired(b.now) || s.client.Endpoint.MountPoint != c.at.MountPoint
	if !fresh {
		state = s.state // [MQTT-3.1.2-5]
	}
	if err := c.srv.Accept(b.now, b.connack(c, e), state); err != nil {
		if c.srv.Status() != session.StatusClosing {
			b.refuse(c, codec.ReasonUnspecifiedError)
		}
		return
	}
	if fresh {
		if s != nil {
			b.endSession(s) // [MQTT-3.1.2-4] [v3.1.1 MQTT-3.1.2-6]
		}
		b.sessionNumber++
		s = newSess(b.sessionNumber)
		b.sessions[c.client.ID] = s
	}
	s.state, s.client, s.conn, c.sess = c.srv.State(), c.client, c, s
	if b.overasked(c) {
		b.listen(c)
	}
	b.resumed(s)
	b.stats.Accepted++
	b.timers.stop(&s.timer) // [MQTT-3.1.3-9]
	if s.will != nil {
		b.discardWill(s)
	}
	s.will = e.will
	// One that was told stays so until its end is told.
	s.durable = s.durable || b.cfg.Server.Persist && c.srv.Limits().SessionExpiry > 0
	b.storeInfo(s)
	if !fresh {
		b.withhold(s)
	}
}

// connack puts the answer to CONNECT together.
func (b *Broker) connack(c *conn, e *entry) *codec.Connack {
	ack := &b.scratch.connack
	*ack = codec.Connack{}
	props := &ack.Properties
	if c.srv.Version().IsV5() {
		*props = e.admission.properties()
		if e.unnamed {
			props.AssignedClientIdentifier = codec.Text(c.client.ID) // [MQTT-3.2.2-16]
		}
		if c.at.tooSlow(e.keepAlive) {
			props.ServerKeepAlive = codec.Some(c.at.MaximumKeepAlive)
		}
	}
	b.cfg.announce(props, c)
	return ack
}

// disconnected handles DISCONNECT of a client. Only one with the code 0x00
// withdraws the Will; every one of v3.1.1 has it. [MQTT-3.14.4-3]
func (b *Broker) disconnected(c *conn, ev *events.Event) {
	if s := c.sess; s != nil && s.will != nil && ev.Reason == codec.ReasonNormalDisconnection {
		s.will = nil
		b.discardWill(s)
	}
}

// closed handles the end of a connection.
func (b *Broker) closed(c *conn) {
	b.timers.stop(&c.timer)
	b.stats.addConn(c.srv.Stats())
	if c.rate != nil {
		b.timers.stop(&c.rate.timer)
	}
	b.conns.remove(c)
	if e := c.entry; e != nil && e.heirOf != nil {
		e.heirOf.successor = nil
	}
	c.entry = nil
	if s := c.sess; s != nil {
		c.sess, s.conn = nil, nil
		b.detached(s)
	}
	if heir := c.successor; heir != nil {
		c.successor = nil
		b.accept(heir)
	}
}
