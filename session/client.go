package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// Client is the client side of an MQTT connection, and of those that follow it
// with the same session. Its methods are not safe for concurrent use.
type Client struct {
	core
	side           clientSide
	connackTimeout time.Duration
}

// clientSide is what only a client has. A server does not hold it.
type clientSide struct {
	pingEvery time.Duration // PingInterval
	pongWait  time.Duration // PingTimeout
	sent      instant       // the last Write
	requests  list          // SUBSCRIBE and UNSUBSCRIBE that wait for their answer
}

// NewClient returns a client that has no connection yet.
func NewClient(cfg ClientConfig) *Client {
	c := &Client{connackTimeout: timeout(cfg.ConnackTimeout, defaultTimeout)}
	c.core.init(settings{Config: cfg.Config}, false)
	c.client = &c.side
	c.side.pingEvery = max(cfg.PingInterval, 0)
	c.side.pongWait = timeout(cfg.PingTimeout, defaultTimeout)
	c.st = cfg.State
	if c.st == nil {
		c.st = new(State)
	}
	c.st.arrange()
	v := cfg.Version
	if !v.Known() {
		v = codec.V5
	}
	c.speak(v)
	return c
}

// speak sets the version of both directions.
func (c *core) speak(v codec.Version) {
	v = v.Base()
	if c.cfg.AllowControlCharacters {
		v = v.AllowControlCharacters()
	}
	c.version, c.own = v.FromServer(), v.FromClient()
	if c.server {
		c.version, c.own = c.own, c.version
	}
}

// Connect starts a connection over a transport that is up: it queues CONNECT.
// It may be called on a new Client and again after each Close; the session
// state goes on, unless p asks for a clean start. p is not kept.
//
// In v5.0, Maximum Packet Size is added from the configuration when p has
// none. While CONNACK is to come, Publish queues its messages. (v3.1.1 and v5.0
// 3.1)
func (c *Client) Connect(now time.Time, p *codec.Connect) error {
	if c.status != StatusIdle && c.status != StatusClosed {
		return stateError("Connect", c.status)
	}
	connect := *p
	size := &connect.Properties.MaximumPacketSize
	if c.version.IsV5() && !size.Set && c.cfg.MaximumPacketSize != 0 {
		*size = codec.Some(c.cfg.MaximumPacketSize)
	}
	packet, err := connect.AppendTo(nil, c.own)
	if err != nil {
		return &Error{Op: "Connect", Code: reasonOf(err), Err: err}
	}
	c.reset()
	c.setNow(now)
	c.byConnect(&connect)
	if !c.version.IsV5() {
		c.limits.packetIn = c.cfg.MaximumPacketSize
	}
	c.st.epoch++
	c.st.open = true
	if c.st.torn() {
		c.loseSession(true)
		c.st.tried = true // the peer may have a session since then
	}
	if p.CleanStart || c.st.clientID != "" && c.st.clientID != string(p.ClientID) {
		// The session is that of another Client Identifier [MQTT-3.1.3-2], or
		// [MQTT-3.1.2-4] [v3.1.1 MQTT-3.1.2-6]: what was under way is over
		// on this side too. The queue was never part of the session.
		c.loseSession(false)
		c.st.exists, c.st.tried = false, false
	}
	c.status = StatusConnecting
	c.timers.wait = c.after(c.connackTimeout)
	c.wrote(append(c.room(), packet...), nil)
	if c.cfg.Observe != nil {
		c.observe(false, &connect, packet, nil)
	}
	return nil
}

// onConnack handles CONNACK. (v3.1.1 and v5.0 3.2)
func (c *core) onConnack(ev *events.Event, p *codec.Connack) error {
	if p.ReasonCode.IsError() {
		if ref := p.Properties.ServerReference; ref.Set {
			c.limits.more = &moreLimits{serverReference: string(ref.Value)}
		}
		*ev = events.Event{Kind: events.Refused, Reason: p.ReasonCode, Packet: p}
		c.finishWith(p.ReasonCode, &Error{Op: "Connect", Code: p.ReasonCode, Err: ErrRefused, Detail: p.ReasonCode.String()})
		return nil
	}
	if err := c.checkConnack(p); err != nil {
		return err
	}
	c.byConnack(p, featuresOf(&p.Properties))
	if c.st.exists && !p.SessionPresent {
		c.loseSession(true) // [MQTT-3.2.2-5]
	}
	c.establish()
	*ev = events.Event{Kind: events.Connected, Packet: p}
	if p.SessionPresent {
		ev.Flags = events.SessionPresent
	}
	return nil
}

// checkConnack reports a success that does not fit CONNECT.
func (c *core) checkConnack(p *codec.Connack) error {
	if !c.version.IsV5() {
		return nil
	}
	props, t := &p.Properties, codec.TypeConnack
	switch method := props.AuthenticationMethod; {
	case c.auth.method == "" && (method.Set || props.AuthenticationData.Set):
		return c.violation(t, "MQTT-4.12.0-6", "", codec.ReasonProtocolError, "authentication was not asked for")
	case c.auth.method != "" && string(method.Value) != c.auth.method:
		return c.violation(t, "MQTT-4.12.0-5", "", codec.ReasonProtocolError, "other authentication method than in CONNECT")
	case p.SessionPresent && !c.st.exists && !c.st.tried:
		return c.violation(t, "MQTT-3.2.2-4", "", codec.ReasonProtocolError, "Session Present, but the client has no session")
	case c.limits.clientID == "" && !props.AssignedClientIdentifier.Set:
		return c.violation(t, "MQTT-3.1.3-7", "", codec.ReasonProtocolError, "no Assigned Client Identifier")
	case props.ResponseInformation.Set && !c.limits.responseInfo:
		return c.violation(t, "MQTT-3.1.2-28", "", codec.ReasonProtocolError, "Response Information was not asked for")
	}
	return nil
}

// establish begins the connected state, on both sides.
func (c *core) establish() {
	s := c.st
	s.exists, s.open, s.closed, s.expiry = true, true, 0, c.limits.expiry
	s.clientID = c.limits.clientID
	c.status = StatusConnected
	c.waiting = false
	c.timers.wait = 0
	c.timers.received = c.now
	c.startFlow()
	c.startAliases()
	c.st.resend = resend{pub: s.sent.head, rel: s.released.head}
	c.storeSession()
}

// Ping queues PINGREQ, at any time. The Keep Alive needs no help. (v3.1.1 and
// v5.0 3.12)
func (c *Client) Ping(now time.Time) error {
	if c.status != StatusConnected {
		return stateError("Ping", c.status)
	}
	c.setNow(now)
	c.ping()
	return nil
}
