package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// maxWaitingInput bounds what is kept of a peer that goes on sending while the
// application has not answered its CONNECT.
const maxWaitingInput = 64 << 10

// lifeSign is how many bytes are a sign of life like a packet: one that takes longer
// than the Keep Alive leaves no room for PINGREQ. With fewer, a peer could hold on to
// a connection byte by byte. (v3.1.1 and v5.0 3.1.2.10)
const lifeSign = 1 << 10

// Receive takes bytes of the peer, cut at any place. They are borrowed until
// Next reports false or Receive is called again; only the beginning of an
// unfinished packet is copied. Bytes that come after the end of the connection
// are ignored.
func (c *core) Receive(now time.Time, p []byte) {
	c.setNow(now)
	if c.server && c.status == StatusIdle {
		c.open()
	}
	if len(p) == 0 || !c.status.live() || c.lastInput {
		return
	}
	c.keepInput()
	if before := c.stats.BytesIn; (before+uint64(len(p)))/lifeSign > before/lifeSign {
		c.timers.received = c.now
	}
	c.stats.BytesIn += uint64(len(p))
	c.heard()
	c.in = p
}

// InputPaused reports whether the driver should read no more for now: the
// application has to answer CONNECT or AUTH first, HoldInput says so, or the
// peer does not read what was written to it. Bytes that are received
// nevertheless are kept. Meanwhile the peer does not count as silent.
func (c *core) InputPaused() bool {
	return c.waiting || c.held || c.blocked && c.unsent() >= c.cfg.HighWater ||
		c.sending != nil && len(c.sending.held) >= c.cfg.HighWater
}

// HoldInput tells whether packets of the peer are to wait, so that it sends more
// slowly. Everything else goes on. While they wait the peer does not count as
// silent, as nobody listens. (v5.0 4.9, 4.13)
func (c *core) HoldInput(now time.Time, held bool) {
	c.setNow(now)
	if c.held && !held {
		c.timers.received = c.now
		if c.server && c.status < StatusConnected && c.timers.wait != 0 {
			c.timers.wait = c.after(c.cfg.connectTimeout)
		}
	}
	c.held = held
	c.listens()
}

// hasInput reports whether there may be a packet to look at.
func (c *core) hasInput() bool { return len(c.in) > 0 || len(c.partial) > 0 || c.arriving != nil }

// keepInput copies what was not handled yet, because the caller gets its bytes
// back.
func (c *core) keepInput() {
	if len(c.in) == 0 {
		return
	}
	c.freePartial()
	if c.partial == nil {
		c.partial = c.sh.buffer()
	}
	c.partial = append(c.partial, c.in...)
	c.in = nil
	if c.waiting && len(c.partial) > maxWaitingInput {
		c.violate(c.violation(0, "", "", codec.ReasonQuotaExceeded, "%d bytes sent without waiting for an answer", len(c.partial)))
	}
}

// freePartial gives the buffer of a handled packet back.
func (c *core) freePartial() {
	if c.used {
		c.sh.free(c.partial)
		c.partial, c.used = nil, false
	}
}

func (c *core) dropInput() {
	c.in = nil
	if c.partial != nil {
		c.sh.free(c.partial)
	}
	c.partial, c.used = nil, false
}

// parse handles the next packet, if all of it is there. It reports false if it
// is not. ev comes empty, and stays so if there is nothing to tell.
func (c *core) parse(ev *events.Event) bool {
	if len(c.in) >= 4 && c.in[1] == 2 && c.short(ev) {
		return true
	}
	if c.arriving != nil {
		return c.arrive(ev)
	}
	h, frame, err := c.frame()
	if err != nil {
		c.violate(c.framing(err))
		return true
	}
	if frame == nil {
		return false
	}
	c.stats.PacketsIn++
	if err := c.packet(ev, h, frame); err != nil {
		*ev = events.Event{}
		c.violate(err)
	}
	return true
}

// short handles an acknowledgement that is a Packet Identifier alone, which is
// the same in both versions. Like those that are sent, see acknowledge, they are
// so many that they do not go through the codec. It reports false for all other
// packets, and where somebody wants to see this one.
func (c *core) short(ev *events.Event) bool {
	if c.status != StatusConnected || c.arriving != nil || len(c.partial) > 0 || c.cfg.Observe != nil || c.own.Wide() ||
		c.limits.packetIn != 0 && c.limits.packetIn < 4 {
		return false
	}
	id := uint32(c.in[2])<<8 | uint32(c.in[3])
	if id == 0 {
		return false
	}
	var err error
	switch sh := c.sh; c.in[0] {
	case byte(codec.TypePuback) << 4:
		c.took(4)
		sh.short.puback.PacketID = id
		err = c.onPuback(ev, &sh.short.puback)
	case byte(codec.TypePubrec) << 4:
		c.took(4)
		sh.short.pubrec.PacketID = id
		err = c.onPubrec(ev, &sh.short.pubrec)
	case byte(codec.TypePubrel)<<4 | 0x02: // (v3.1.1 and v5.0 3.6.1)
		c.took(4)
		sh.short.pubrel.PacketID = id
		err = c.onPubrel(ev, &sh.short.pubrel)
	case byte(codec.TypePubcomp) << 4:
		c.took(4)
		sh.short.pubcomp.PacketID = id
		err = c.onPubcomp(ev, &sh.short.pubcomp)
	default:
		return false
	}
	if err != nil {
		*ev = events.Event{}
		c.violate(err)
	}
	return true
}

// took takes a whole packet of n bytes off the lent bytes.
func (c *core) took(n int) {
	c.in = c.in[n:]
	c.stats.PacketsIn++
	c.timers.received = c.now
}

// frame returns the next whole packet, or nil if bytes are missing. Of a PUBLISH
// whose payload comes in pieces it is all before the payload. The packet is cut
// from what the caller lent; one that straddles two calls of Receive is
// put together in a buffer that grows with the bytes that came.
func (c *core) frame() (h codec.Header, frame []byte, err error) {
	c.freePartial()
	switch {
	case len(c.partial) > 0:
		return c.completeFrame()
	case len(c.in) == 0:
		return h, nil, nil
	}
	h, n, err := c.header(c.in)
	if err == nil && c.cfg.StreamAbove > 0 && c.streams(h) {
		if n, err = c.headSize(h, c.in); n > len(c.in) {
			n = 0
		}
	}
	if err == nil && n > 0 {
		frame, c.in = c.in[:n:n], c.in[n:]
	}
	return h, frame, err
}

// completeFrame is frame for a packet whose beginning was kept.
func (c *core) completeFrame() (h codec.Header, frame []byte, err error) {
	for {
		h, n, err := c.header(c.partial)
		need := max(h.Size(), len(c.partial)+1) // the header itself may be incomplete
		if n > 0 {
			need = n
		}
		if err == nil && c.cfg.StreamAbove > 0 && c.streams(h) {
			need, err = c.headSize(h, c.partial)
		}
		if err != nil {
			return h, nil, err
		}
		if need <= len(c.partial) {
			return h, c.cutPartial(need), nil
		}
		missing := min(need-len(c.partial), len(c.in))
		if missing == 0 {
			return h, nil, nil
		}
		c.partial = append(roomier(c.partial, missing, need), c.in[:missing]...)
		c.in = c.in[missing:]
	}
}

// roomier returns b with room for more bytes. Its capacity doubles, so that no
// byte is copied often, but never goes beyond the size that is needed.
func roomier(b []byte, more, need int) []byte {
	if len(b)+more <= cap(b) {
		return b
	}
	return append(make([]byte, 0, min(need, max(2*cap(b), len(b)+more))), b...)
}

// header frames the packet at the beginning of b. A packet that may not come now
// is refused as soon as its fixed header is there.
func (c *core) header(b []byte) (h codec.Header, n int, err error) {
	h, n, err = codec.Frame(b, c.maximumIn())
	if err == nil && h.Len > 0 && (c.status != StatusConnected || anyTime>>h.Type&1 == 0) {
		err = c.expected(h.Type)
	}
	return h, n, err
}

// cutPartial takes a packet of n bytes off the buffer. More than one packet is
// in it only after the input was paused.
func (c *core) cutPartial(n int) []byte {
	frame := c.partial[:n:n]
	if n == len(c.partial) {
		c.used = true
		return frame
	}
	rest := c.partial[n:]
	if len(c.in) == 0 {
		// Read on in place: what was kept becomes the lent bytes.
		c.in, c.partial = rest, nil
		return frame
	}
	c.partial = rest
	return frame
}

// maximumIn returns the size of the largest packet that is accepted now.
func (c *core) maximumIn() int {
	if c.status == StatusOpened {
		return c.limits.connectSize
	}
	return int(c.limits.packetIn)
}

// framing completes an error of the fixed header.
func (c *core) framing(err error) error {
	if e, ok := err.(*codec.Error); ok {
		e.Version = c.version.Base()
		if e.Err == codec.ErrTooLarge && c.version.IsV5() {
			e.Rule = "U5-3.1.2.11.4-b"
		}
	}
	return err
}

// packet decodes and handles one packet. Its error is a violation.
func (c *core) packet(ev *events.Event, h codec.Header, frame []byte) error {
	body := frame[h.Len:]
	if c.status == StatusOpened {
		return c.onFirst(ev, h, body, frame)
	}
	rest := h.Size() - len(frame)
	if rest > 0 {
		h = headOnly(h, len(body))
	}
	if h.Type == codec.TypePublish && c.cfg.Observe == nil && rest == 0 {
		// What most packets are, without a detour.
		p := &c.sh.received
		if err := p.Decode(h, body, c.version); err != nil {
			return err
		}
		c.timers.received = c.now
		return c.onPublish(ev, p)
	}
	p, err := c.sh.decoder.Decode(h, body, c.versionOf(h, body))
	if err != nil {
		return err
	}
	if c.cfg.Observe != nil {
		c.observeHead(true, p, frame, rest)
	}
	c.timers.received = c.now
	if c.limits.noProblemInfo && !c.server && explains(p) {
		return c.violation(h.Type, "MQTT-3.1.2-29", "", codec.ReasonProtocolError,
			"Reason String or User Property, but Request Problem Information was 0")
	}
	if rest > 0 {
		return c.begin(ev, p.(*codec.Publish), rest)
	}
	return c.dispatch(ev, h.Type, p)
}

// anyTime are the packets that both sides may send at any time, as a set.
const anyTime = 1<<codec.TypePublish | 1<<codec.TypePuback | 1<<codec.TypePubrec | 1<<codec.TypePubrel | 1<<codec.TypePubcomp

// explains reports whether a packet other than PUBLISH, CONNACK and DISCONNECT
// has a Reason String or User Properties.
func explains(p codec.Packet) bool {
	var reason codec.Opt[codec.Bytes]
	var user codec.UserProperties
	switch p := p.(type) {
	case *codec.Puback:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Pubrec:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Pubrel:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Pubcomp:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Suback:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Unsuback:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	case *codec.Auth:
		reason, user = p.Properties.ReasonString, p.Properties.UserProperties
	}
	return reason.Set || user.Len() > 0
}

// versionOf returns the version in which a packet is to be read. A server that
// does not know v5.0 refuses CONNECT by a CONNACK of v3.1.1, which is one byte
// shorter.
func (c *core) versionOf(h codec.Header, body []byte) codec.Version {
	if h.Type == codec.TypeConnack && c.status == StatusConnecting && c.version.IsV5() && len(body) == 2 && body[1] != 0 {
		return codec.V311.FromServer()
	}
	return c.version
}

// dispatch hands a packet to its handler.
func (c *core) dispatch(ev *events.Event, t codec.PacketType, p codec.Packet) error {
	switch t { // a jump, which a switch over the types of p is not
	case codec.TypePublish:
		return c.onPublish(ev, p.(*codec.Publish))
	case codec.TypePuback:
		return c.onPuback(ev, p.(*codec.Puback))
	case codec.TypePubrec:
		return c.onPubrec(ev, p.(*codec.Pubrec))
	case codec.TypePubrel:
		return c.onPubrel(ev, p.(*codec.Pubrel))
	case codec.TypePubcomp:
		return c.onPubcomp(ev, p.(*codec.Pubcomp))
	case codec.TypeSubscribe:
		return c.onSubscribe(ev, p.(*codec.Subscribe))
	case codec.TypeSuback:
		return c.onSuback(ev, p.(*codec.Suback))
	case codec.TypeUnsubscribe:
		return c.onUnsubscribe(ev, p.(*codec.Unsubscribe))
	case codec.TypeUnsuback:
		return c.onUnsuback(ev, p.(*codec.Unsuback))
	case codec.TypePingreq:
		return c.onPingreq(ev)
	case codec.TypePingresp:
		c.timers.wait = 0
		return nil
	case codec.TypeConnack:
		return c.onConnack(ev, p.(*codec.Connack))
	case codec.TypeDisconnect:
		return c.onDisconnect(ev, p.(*codec.Disconnect))
	case codec.TypeAuth:
		return c.onAuth(ev, p.(*codec.Auth))
	}
	return nil
}

// expected reports a packet that may not come in this direction or in this
// state of the connection.
func (c *core) expected(t codec.PacketType) error {
	if c.status == StatusOpened {
		if t != codec.TypeConnect {
			return c.violation(t, "MQTT-3.1.0-1", "MQTT-3.1.0-1", codec.ReasonProtocolError, "sent before CONNECT")
		}
		return nil
	}
	if t == codec.TypeAuth && !c.version.IsV5() {
		return &codec.Error{Packet: t, Version: c.version.Base(), Offset: 0, Code: codec.ReasonMalformedPacket,
			Detail: "packet type 15 is reserved in v3.1.1", Err: codec.ErrMalformed}
	}
	if c.server {
		return c.expectedByServer(t)
	}
	return c.expectedByClient(t)
}

func (c *core) expectedByServer(t codec.PacketType) error {
	switch t {
	case codec.TypeConnect:
		return c.violation(t, "MQTT-3.1.0-2", "MQTT-3.1.0-2", codec.ReasonProtocolError, "second CONNECT")
	case codec.TypeConnack, codec.TypeSuback, codec.TypeUnsuback, codec.TypePingresp:
		return c.violation(t, "U5-2.1.2-b", "MQTT-4.8.0-1", codec.ReasonProtocolError, "only a server sends it")
	}
	if c.status == StatusAuthenticating && t != codec.TypeAuth && t != codec.TypeDisconnect {
		return c.violation(t, "MQTT-3.1.2-30", "", codec.ReasonProtocolError, "authentication is not complete")
	}
	return nil
}

func (c *core) expectedByClient(t codec.PacketType) error {
	switch t {
	case codec.TypeConnect, codec.TypeSubscribe, codec.TypeUnsubscribe, codec.TypePingreq:
		return c.violation(t, "U5-2.1.2-b", "MQTT-4.8.0-1", codec.ReasonProtocolError, "only a client sends it")
	case codec.TypeDisconnect:
		if !c.version.IsV5() {
			return c.violation(t, "", "MQTT-4.8.0-1", codec.ReasonProtocolError, "only a client sends it")
		}
	}
	if c.status == StatusConnected {
		if t == codec.TypeConnack {
			return c.violation(t, "MQTT-3.2.0-2", "MQTT-4.8.0-1", codec.ReasonProtocolError, "second CONNACK")
		}
		return nil
	}
	if t == codec.TypeDisconnect {
		return c.violation(t, "MQTT-3.14.0-1", "", codec.ReasonProtocolError, "sent before CONNACK")
	}
	if t != codec.TypeConnack && t != codec.TypeAuth {
		return c.violation(t, "MQTT-3.2.0-1", "MQTT-3.2.0-1", codec.ReasonProtocolError, "sent before CONNACK")
	}
	return nil
}
