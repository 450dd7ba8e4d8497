package broker

import (
	"strconv"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// connect begins the answer to CONNECT. The packet is copied, as the answer may
// have to wait. It reports whether the driver is asked. (v3.1.1 and v5.0 3.1.4)
func (b *Broker) connect(c *conn, p *codec.Connect) bool {
	c.connect = p.Clone()
	switch {
	case b.stopping:
		b.refuse(c, codec.ReasonServerUnavailable)
	case !formatted(p):
		b.refuse(c, codec.ReasonPayloadFormatInvalid) // [U5-3.1.3.2.3-a]
	case b.cfg.Ask&AskConnect != 0:
		c.admitting = true
		return true
	case p.Properties.AuthenticationMethod.Set:
		b.refuse(c, codec.ReasonBadAuthenticationMethod) // [U5-4.12-a]
	default:
		b.admit(c)
	}
	return false
}

// formatted reports whether the payload of the Will is what it is said to be.
func formatted(p *codec.Connect) bool {
	w, ok := p.Will.Get()
	return !ok || w.Properties.PayloadFormatIndicator.Or(0) == 0 || utf8.Valid(w.Payload)
}

// refuse answers CONNECT by a CONNACK with a reason code.
func (b *Broker) refuse(c *conn, code codec.ReasonCode) {
	c.connect = nil
	if err := c.srv.Refuse(b.now, &codec.Connack{ReasonCode: code}); err != nil {
		c.srv.Closed(b.now, err)
	}
}

// admit goes on with a client that may connect: it waits for the Close of the
// connection that has the session now, if there is one. [MQTT-3.1.4-3]
// [v3.1.1 MQTT-3.1.4-2]
func (b *Broker) admit(c *conn) {
	c.clientID = string(c.connect.ClientID)
	if c.clientID == "" {
		c.clientID = b.assignClientID()
	}
	s := b.sessions[c.clientID]
	if s == nil || s.conn == nil {
		b.accept(c)
		return
	}
	old := s.conn
	if rival := old.successor; rival != nil {
		// It came in the meantime, and is taken over in its turn.
		rival.heirOf = nil
		b.refuse(rival, codec.ReasonServerBusy)
		b.busy.push(rival)
	}
	old.successor, c.heirOf = c, old
	b.disconnect(old, codec.ReasonSessionTakenOver)
}

// assignClientID returns an identifier that no session has. [MQTT-3.1.3-6]
func (b *Broker) assignClientID() string {
	for {
		b.assigned++
		id := b.cfg.ClientIDPrefix + strconv.FormatUint(b.assigned, 10)
		if b.sessions[id] == nil {
			return id
		}
	}
}

// accept answers CONNECT by a CONNACK with success. No connection has the
// session any more.
func (b *Broker) accept(c *conn) {
	p := c.connect
	c.connect = nil
	if c.admission.NoWill {
		p.Will = codec.Opt[codec.Will]{}
	}
	b.busy.push(c)
	s := b.sessions[c.clientID]
	var state *session.State
	fresh := s == nil || p.CleanStart || s.state.Expired(b.now)
	if !fresh {
		state = s.state // [MQTT-3.1.2-5]
	}
	if err := c.srv.Accept(b.now, b.connack(c, p), state); err != nil {
		if c.srv.Status() == session.StatusConnecting {
			b.refuse(c, codec.ReasonUnspecifiedError)
		}
		return
	}
	if fresh {
		if s != nil {
			b.endSession(s) // [MQTT-3.1.2-4] [v3.1.1 MQTT-3.1.2-6]
		}
		b.sessionNumber++
		s = newSess(c.clientID, b.sessionNumber)
		b.sessions[c.clientID] = s
	}
	s.state, s.conn, c.sess = c.srv.State(), c, s
	s.resumed()
	b.timers.stop(&s.expiry)
	b.timers.stop(&s.willDelay) // [MQTT-3.1.3-9]
	if s.will != nil {
		b.discardWill(s)
	}
	s.will = newWill(p)
	// One that was told stays so until its end is told.
	s.durable = s.durable || b.cfg.Server.Persist && c.srv.Limits().SessionExpiry > 0
	b.storeInfo(s)
	s.acknowledge(b.now)
}

// connack puts the answer to CONNECT together.
func (b *Broker) connack(c *conn, p *codec.Connect) *codec.Connack {
	ack := new(codec.Connack)
	if !c.srv.Version().IsV5() {
		return ack
	}
	props := &ack.Properties
	*props = c.admission.properties()
	b.cfg.announce(props)
	if len(p.ClientID) == 0 {
		props.AssignedClientIdentifier = codec.Text(c.clientID) // [MQTT-3.2.2-16]
	}
	if longest := b.cfg.MaximumSessionExpiry; longest != 0 && p.Properties.SessionExpiryInterval.Or(0) > longest {
		props.SessionExpiryInterval = codec.Some(longest)
	}
	if longest := b.cfg.MaximumKeepAlive; longest != 0 && (p.KeepAlive == 0 || p.KeepAlive > longest) {
		props.ServerKeepAlive = codec.Some(longest)
	}
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
	b.conns.remove(c)
	c.connect = nil
	if old := c.heirOf; old != nil {
		old.successor, c.heirOf = nil, nil
	}
	if s := c.sess; s != nil {
		c.sess, s.conn = nil, nil
		b.detached(s)
	}
	if heir := c.successor; heir != nil {
		c.successor, heir.heirOf = nil, nil
		b.accept(heir)
	}
}
