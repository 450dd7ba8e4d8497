package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// authState is how far an enhanced authentication has come. (v5.0 4.12)
type authState struct {
	method  string // of CONNECT; empty for none
	running bool   // an exchange is under way
	turn    bool   // the next AUTH, CONNACK or DISCONNECT is this side's
}

// noAuth is that of connections whose CONNECT has no Authentication Method. It
// does not change.
var noAuth authState

// Auth sends AUTH: with reason code 0x18, Continue Authentication, as the
// answer to an Auth event, or with 0x19, Re-authenticate, at any time after
// CONNACK. The Authentication Method is added if p has none. p is not kept. A
// client that does not like an answer of the server calls Disconnect. (v5.0
// 3.15, 4.12)
func (c *Client) Auth(now time.Time, p *codec.Auth) error {
	const op = "Auth"
	again := c.status == StatusConnected && !c.auth.running
	switch {
	case c.auth.method == "":
		return &Error{Op: op, Rule: "MQTT-4.12.0-7", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "CONNECT had no Authentication Method"}
	case again && p.ReasonCode != codec.ReasonReAuthenticate:
		return misuse(op, "no exchange is under way; reason code 0x19 starts one")
	case again:
	case c.status != StatusAuthenticating && c.status != StatusConnected:
		return stateError(op, c.status)
	case !c.auth.turn:
		return misuse(op, "the next AUTH is the server's")
	case p.ReasonCode != codec.ReasonContinueAuthentication:
		return &Error{Op: op, Rule: "MQTT-4.12.0-3", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "reason code has to be 0x18"}
	}
	if err := c.sendAuth(op, now, p); err != nil {
		return err
	}
	if c.status == StatusAuthenticating {
		c.timers.wait = c.after(c.connackTimeout)
	}
	return nil
}

// Auth sends AUTH: with reason code 0x18, Continue Authentication, as the
// answer to a Connect or Auth event, or with 0x00, Success, at the end of a
// re-authentication. The exchange that belongs to CONNECT ends with Accept or
// Refuse, a failed re-authentication with Disconnect. The Authentication Method
// is added if p has none. p is not kept. (v5.0 3.15, 4.12)
func (s *Server) Auth(now time.Time, p *codec.Auth) error {
	const op = "Auth"
	initial := s.status == StatusConnecting || s.status == StatusAuthenticating
	switch {
	case !initial && s.status != StatusConnected:
		return stateError(op, s.status)
	case s.auth.method == "":
		return &Error{Op: op, Rule: "MQTT-4.12.0-6", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "CONNECT had no Authentication Method"}
	case !s.auth.running || !s.auth.turn:
		return misuse(op, "the next AUTH is the client's")
	case initial && p.ReasonCode != codec.ReasonContinueAuthentication:
		return &Error{Op: op, Rule: "MQTT-4.12.0-2", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "reason code has to be 0x18; see Accept"}
	}
	if err := s.sendAuth(op, now, p); err != nil {
		return err
	}
	if initial {
		s.status = StatusAuthenticating
		s.waiting = false
		s.timers.wait = s.after(s.cfg.connectTimeout)
	} else if p.ReasonCode == codec.ReasonSuccess {
		s.auth.running = false
	}
	return nil
}

// sendAuth sends AUTH and gives the turn to the peer. [MQTT-4.12.0-5]
func (c *core) sendAuth(op string, now time.Time, p *codec.Auth) error {
	c.setNow(now)
	q := &c.sh.auth
	*q = *p
	method := &q.Properties.AuthenticationMethod
	switch {
	case !method.Set:
		*method = codec.Text(c.auth.method)
	case string(method.Value) != c.auth.method:
		return &Error{Op: op, Rule: "MQTT-4.12.0-5", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "other Authentication Method than in CONNECT"}
	}
	sent, err := c.fit(q, &q.Properties.ReasonString, &q.Properties.UserProperties)
	if err != nil {
		return asError(op, err)
	}
	if !sent {
		return overLimit(op, "MQTT-3.1.2-24", codec.ReasonPacketTooLarge, "AUTH is too large for the peer")
	}
	c.auth.running, c.auth.turn = true, false
	return nil
}

// onAuth handles AUTH of the peer. (v5.0 4.12)
func (c *core) onAuth(ev *events.Event, p *codec.Auth) error {
	t, a := codec.TypeAuth, c.auth
	switch {
	case a.method == "":
		return c.violation(t, "U5-3.15-a", "", codec.ReasonProtocolError, "CONNECT had no Authentication Method")
	case string(p.Properties.AuthenticationMethod.Value) != a.method:
		return c.violation(t, "MQTT-4.12.0-5", "", codec.ReasonProtocolError, "other authentication method than in CONNECT")
	case a.running && a.turn:
		return c.violation(t, "MQTT-4.12.0-3", "", codec.ReasonProtocolError, "sent out of turn")
	}
	var legal bool
	switch code := p.ReasonCode; {
	case c.server && c.status == StatusConnected && !a.running:
		legal = code == codec.ReasonReAuthenticate
	case c.server:
		legal = code == codec.ReasonContinueAuthentication
	case c.status == StatusConnected:
		legal = a.running && (code == codec.ReasonContinueAuthentication || code == codec.ReasonSuccess)
	default:
		legal = code == codec.ReasonContinueAuthentication
	}
	if !legal {
		rule := "MQTT-4.12.0-2"
		if c.server {
			rule = "MQTT-4.12.0-3"
		}
		return c.violation(t, rule, "", codec.ReasonProtocolError, "reason code 0x%02X does not fit the exchange", byte(p.ReasonCode))
	}
	a.turn = p.ReasonCode != codec.ReasonSuccess
	a.running = a.turn
	if c.status != StatusConnected {
		c.status = StatusAuthenticating
		c.timers.wait = 0
		c.waiting = c.server
	}
	*ev = events.Event{Kind: events.Auth, Reason: p.ReasonCode, Packet: p}
	return nil
}
