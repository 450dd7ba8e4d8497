package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// Server is the server side of one MQTT connection. Its methods are not safe
// for concurrent use.
type Server struct{ core }

// NewServer returns a server that waits for its transport, see Open.
func NewServer(cfg ServerConfig) *Server {
	only := serverOnly{
		connectTimeout: timeout(cfg.ConnectTimeout, defaultTimeout),
		connectSize:    int(cfg.MaximumConnectSize),
		wide:           cfg.Wide,
		refuseV311:     cfg.RefuseV311,
		refuseV5:       cfg.RefuseV5,
		manualPong:     cfg.ManualPong,
		longest:        cfg.MaximumSessionExpiry,
	}
	if only.connectSize == 0 {
		only.connectSize = defaultConnectSize
	}
	if m := int(cfg.MaximumPacketSize); m != 0 && m < only.connectSize {
		only.connectSize = m
	}
	s := new(Server)
	s.core.init(settings{cfg.Config, only}, true)
	return s
}

// Open tells that the transport is up. It starts the wait for CONNECT, and
// makes a Server ready for another connection after Close; the session state
// of the one before is let go. Receive on a new Server does it too.
func (s *Server) Open(now time.Time) {
	if s.status == StatusIdle || s.status == StatusClosed {
		s.setNow(now)
		s.open()
	}
}

func (c *core) open() {
	c.reset()
	c.st, c.version, c.own = nil, 0, 0
	c.status = StatusOpened
	c.limits.connectSize = c.cfg.connectSize
	c.timers.wait = c.after(c.cfg.connectTimeout)
}

// onFirst handles the first packet, which has to be CONNECT.
func (c *core) onFirst(ev *events.Event, h codec.Header, body, frame []byte) error {
	v, err := codec.DetectVersion(body)
	if err != nil {
		c.speak(answerVersion(body))
		return err
	}
	if c.cfg.wide {
		v = map[bool]codec.Version{true: codec.V5Wide, false: codec.V311Wide}[v.IsV5()]
	}
	c.speak(v)
	if v.IsV5() && c.cfg.refuseV5 || !v.IsV5() && c.cfg.refuseV311 {
		e := c.violation(h.Type, "MQTT-3.1.2-2", "MQTT-3.1.2-2", codec.ReasonUnsupportedProtocolVersion, "%v is not served here", v)
		e.(*codec.Error).Err = codec.ErrUnsupportedVersion
		return e
	}
	p, err := c.sh.decoder.Decode(h, body, c.version)
	if err != nil {
		return err
	}
	if c.cfg.Observe != nil {
		c.observe(true, p, frame, nil)
	}
	connect := p.(*codec.Connect)
	c.byConnect(connect)
	c.limits.packetIn = c.cfg.MaximumPacketSize
	if will, ok := connect.Will.Get(); ok {
		c.limits.will = willFeatures(will)
	}
	c.status = StatusConnecting
	c.waiting = true
	c.timers.wait = 0
	*ev = events.Event{Kind: events.Connect, Packet: p, Version: v}
	return nil
}

// willFeatures returns the limits under which a Will would not be served.
func willFeatures(w codec.Will) (f features) {
	if w.Retain {
		f |= noRetain
	}
	if w.QoS > codec.QoS0 {
		f |= maxQoS0
	}
	if w.QoS > codec.QoS1 {
		f |= maxQoS1
	}
	return f
}

// answerVersion returns the version whose CONNACK a client can read that speaks
// another version than ours, or 0 if it does not seem to speak MQTT.
func answerVersion(body []byte) codec.Version {
	if len(body) < 2 {
		return 0
	}
	n := 2 + (int(body[0])<<8 | int(body[1]))
	if len(body) <= n {
		return 0
	}
	name, level := string(body[2:n]), body[n]
	switch {
	case name == "MQIsdp", name == "MQTT" && level&0x7F < 5:
		return codec.V311
	case name == "MQTT":
		return codec.V5
	}
	return 0
}

// Accept answers CONNECT, or the last AUTH, by a CONNACK with success. ack may
// be nil. It is not kept; its SessionPresent is set here:
//
// st is the session state that is kept for the Client Identifier, nil for
// none. It goes on, and Session Present is 1, unless CONNECT asked for a clean
// start or st has expired; then st is emptied, Session Present is 0 and
// Dropped events tell what was in it. From now on it is this connection's, see
// State. A connection that had it before has to have ended with Close; Closed
// ends one that is stuck. [MQTT-3.2.2-2] [MQTT-3.2.2-3]
//
// All properties of ack take effect. Maximum Packet Size is added from the
// configuration, and Authentication Method from CONNECT. In v3.1.1 CONNACK has
// none: ack may have Maximum QoS and Retain Available, which hold all the same,
// so that a client ends its connection by going beyond them, and no others. If the
// Will of CONNECT is beyond these, the client is refused instead and the error says
// so. [MQTT-3.2.2-12] [MQTT-3.2.2-13] [v3.1.1 MQTT-3.3.5-2]
func (s *Server) Accept(now time.Time, ack *codec.Connack, st *State) error {
	const op = "Accept"
	if !s.waiting || s.status != StatusConnecting && s.status != StatusAuthenticating {
		return stateError(op, s.status)
	}
	p := &s.sh.connack
	*p = codec.Connack{}
	if ack != nil {
		*p = *ack
	}
	p.SessionPresent = st != nil && !s.limits.cleanStart && !st.Expired(now) && !st.torn()
	missing := featuresOf(&p.Properties)
	if err := s.completeAccept(p, st); err != nil {
		return err
	}
	s.setNow(now)
	if code := s.refusesWill(missing); code != 0 {
		err := overLimit(op, s.willRule(code), code, "Will of CONNECT is not served; the client was refused")
		s.refuse(&codec.Connack{ReasonCode: code}, err)
		return err
	}
	sent, err := s.fit(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
	if err != nil {
		return &Error{Op: op, Code: reasonOf(err), Err: err}
	}
	if !sent {
		s.finishWith(codec.ReasonPacketTooLarge, overLimit(op, "MQTT-3.1.2-24", codec.ReasonPacketTooLarge, "CONNACK is too large for the client"))
		return s.end.err
	}
	present := p.SessionPresent
	s.byConnack(p, missing)
	s.takeState(st, present)
	s.establish()
	n := note{kind: events.Connected}
	if present {
		n.flags = events.SessionPresent
	}
	s.tell(n)
	return nil
}

// completeAccept adds to CONNACK what is known, and reports what does not fit.
func (s *Server) completeAccept(p *codec.Connack, st *State) error {
	const op = "Accept"
	props := &p.Properties
	switch {
	case st != nil && st.open:
		return misuse(op, "another connection has the session state")
	case st != nil && st.clientID != "" && s.limits.clientID != "" && st.clientID != s.limits.clientID:
		return &Error{Op: op, Rule: "MQTT-3.1.3-2", Err: ErrState, Code: codec.ReasonClientIdentifierNotValid, Detail: "the session state is that of another Client Identifier"}
	case p.ReasonCode != codec.ReasonSuccess:
		return misuse(op, "reason code is not Success; see Refuse")
	case !s.version.IsV5():
		s.limits.expiry = s.bounded(s.limits.expiry)
		return untold(props)
	}
	method := &props.AuthenticationMethod
	switch {
	case s.auth.method == "" && (method.Set || props.AuthenticationData.Set):
		return &Error{Op: op, Rule: "MQTT-4.12.0-6", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "CONNECT had no Authentication Method"}
	case method.Set && string(method.Value) != s.auth.method:
		return &Error{Op: op, Rule: "MQTT-4.12.0-5", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "other Authentication Method than in CONNECT"}
	case s.limits.clientID == "" && !props.AssignedClientIdentifier.Set:
		return &Error{Op: op, Rule: "MQTT-3.1.3-7", Err: ErrState, Code: codec.ReasonClientIdentifierNotValid, Detail: "no Assigned Client Identifier"}
	case props.ResponseInformation.Set && !s.limits.responseInfo:
		return &Error{Op: op, Rule: "MQTT-3.1.2-28", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "Response Information was not asked for"}
	}
	if s.auth.method != "" {
		*method = codec.Text(s.auth.method)
	}
	if !props.MaximumPacketSize.Set && s.cfg.MaximumPacketSize != 0 {
		props.MaximumPacketSize = codec.Some(s.cfg.MaximumPacketSize)
	}
	if longest := s.bounded(s.limits.expiry); longest < s.limits.expiry && !props.SessionExpiryInterval.Set {
		props.SessionExpiryInterval = codec.Some(longest) // [MQTT-3.2.2-21]
	}
	return nil
}

// untold takes off a CONNACK of v3.1.1 what holds without being sent.
func untold(p *codec.ConnackProperties) error {
	said := codec.Connack{Properties: codec.ConnackProperties{MaximumQoS: p.MaximumQoS, RetainAvailable: p.RetainAvailable}}
	if err := said.Validate(codec.V5); err != nil {
		return asError("Accept", err)
	}
	p.MaximumQoS, p.RetainAvailable = codec.Opt[uint8]{}, codec.Opt[uint8]{}
	return nil
}

// bounded returns a Session Expiry Interval within the configured bound.
func (c *core) bounded(expiry uint32) uint32 {
	if longest := c.cfg.longest; longest != 0 {
		return min(expiry, longest)
	}
	return expiry
}

// refusesWill returns the reason code with which what the server does not offer
// excludes the Will of CONNECT, or 0.
func (s *Server) refusesWill(missing features) codec.ReasonCode {
	missing &= s.limits.will
	switch {
	case missing&(maxQoS0|maxQoS1) != 0:
		return codec.ReasonQoSNotSupported
	case missing&noRetain != 0:
		return codec.ReasonRetainNotSupported
	}
	return 0
}

func (s *Server) willRule(code codec.ReasonCode) string {
	switch {
	case !s.version.IsV5():
		return "U311-3.1.4-b"
	case code == codec.ReasonQoSNotSupported:
		return "MQTT-3.2.2-12"
	}
	return "MQTT-3.2.2-13"
}

// takeState makes st the session of the connection, or a new one.
func (s *Server) takeState(st *State, present bool) {
	if st == nil {
		st = new(State)
	}
	s.st, s.awake = st, false
	s.wake()
	st.arrange()
	st.epoch++
	if !present && st.exists {
		s.loseSession(false)
		s.loseQueue()
	}
}

// Refuse answers CONNECT, or the last AUTH, by a CONNACK with a reason code of
// 0x80 or above. Close follows. In v3.1.1 the code is mapped to a return code,
// and where none fits no CONNACK is sent. [MQTT-3.2.2-7] [v3.1.1 MQTT-3.2.2-6]
func (s *Server) Refuse(now time.Time, ack *codec.Connack) error {
	const op = "Refuse"
	switch {
	case !s.waiting || s.status != StatusConnecting && s.status != StatusAuthenticating:
		return stateError(op, s.status)
	case !ack.ReasonCode.IsError():
		return misuse(op, "reason code is a success; see Accept")
	case ack.SessionPresent:
		return &Error{Op: op, Rule: "MQTT-3.2.2-6", Err: ErrState, Code: codec.ReasonProtocolError, Detail: "Session Present with a refusal"}
	}
	if s.version.IsV5() {
		if err := ack.Validate(s.own); err != nil {
			return &Error{Op: op, Code: reasonOf(err), Err: err}
		}
	}
	s.setNow(now)
	s.refuse(ack, nil)
	return nil
}

// refuse sends CONNACK, if the client can be told, and ends the connection.
func (c *core) refuse(ack *codec.Connack, err error) {
	p := &c.sh.connack
	*p = *ack
	told := c.version.Known()
	if !c.version.IsV5() {
		_, ok := ack.ReasonCode.ConnackV311()
		told = told && ok
	}
	if told {
		// A CONNACK that the codec or the client cannot take is left out.
		_, _ = c.fit(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
	}
	if err == nil {
		err = &Error{Op: "Refuse", Code: ack.ReasonCode, Err: ErrRefused, Detail: ack.ReasonCode.String()}
	}
	c.finishWith(ack.ReasonCode, err)
}

// Pong queues PINGRESP where ManualPong leaves it to the application.
// [MQTT-3.12.4-1]
func (s *Server) Pong(now time.Time) error {
	if s.status != StatusConnected {
		return stateError("Pong", s.status)
	}
	s.setNow(now)
	return s.encode(&s.sh.pingresp)
}

func (c *core) onPingreq(ev *events.Event) error {
	if c.cfg.manualPong {
		*ev = events.Event{Kind: events.Ping}
		return nil
	}
	return c.encode(&c.sh.pingresp)
}
