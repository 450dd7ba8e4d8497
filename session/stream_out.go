package session

import (
	"slices"
	"strconv"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// sending is an outgoing message whose payload goes in pieces. Until the last
// one is out no other packet can go.
type sending struct {
	m    *message // nil once the peer has refused it: what is missing is filled with zeros
	left int      // bytes of the payload that are still to go
	want int      // the most that the next piece may have; 0 if none was asked for
	held []byte   // packets that wait for the end
	ping bool     // PINGREQ is one of them
}

// PublishStream is Publish for a payload of size bytes that is sent in pieces:
// p has none. Once the message is on its turn, Wanted events ask for the
// payload, piece after piece, as the transport takes it; PublishData answers
// each. Until the payload is complete all other packets wait, while what the
// peer sends is handled as ever.
//
// If the connection ends before, a message of QoS 0 is Dropped with
// ErrIncomplete. One of QoS 1 or 2 is session state, but its payload is not:
// when the session goes on, Wanted asks for it again from the beginning. The
// same goes for a payload that was complete but not acknowledged. Store says
// with the flag Streamed that a record has no payload. Erase gives up a message
// before or after its payload goes, Abort while it does. (v3.1.1 and v5.0 3.3,
// 4.3)
func (c *core) PublishStream(now time.Time, p *codec.Publish, size int) (token uint64, err error) {
	const op = "PublishStream"
	switch {
	case len(p.Payload) > 0:
		return 0, misuse(op, "the payload is given to PublishData")
	case size < 0 || size > codec.MaxRemaining:
		return 0, &Error{Op: op, Err: codec.ErrTooLarge, Code: codec.ReasonPacketTooLarge, Detail: "no packet can have such a payload"}
	case size == 0:
		return c.Publish(now, p)
	}
	c.setNow(now)
	m := c.compose(p, &Delivery{QoS: p.QoS, Retain: p.Retain})
	m.streamed, m.size = true, uint32(size)
	return c.publish(m, p)
}

// PublishData gives the piece of a payload that Wanted asked for. It copies p,
// which has from one byte to the Size of the event. (v3.1.1 and v5.0 3.3.3)
func (c *core) PublishData(now time.Time, token uint64, p []byte) error {
	const op = "PublishData"
	s := c.sending
	switch {
	case c.status != StatusConnected:
		return stateError(op, c.status)
	case s == nil || s.m == nil || s.m.token != token:
		return &Error{Op: op, Err: ErrUnknownToken, Code: codec.ReasonUnspecifiedError, Detail: "no payload of it is on its way"}
	case s.want == 0:
		return misuse(op, "no piece was asked for")
	case len(p) == 0 || len(p) > s.want:
		return misuse(op, "a piece of "+strconv.Itoa(len(p))+" bytes where 1 to "+strconv.Itoa(s.want)+" were asked for")
	}
	c.setNow(now)
	s.want = 0
	c.appendPiece(p)
	return nil
}

// Abort gives up a message whose payload is being sent. A packet cannot end
// before its end, and nothing, not even DISCONNECT, can go within one, so the
// connection closes with ErrAborted. Dropped with ErrErased comes before.
func (c *core) Abort(now time.Time, token uint64) error {
	s := c.sending
	if c.status != StatusConnected || s == nil || s.m == nil || s.m.token != token {
		return &Error{Op: "Abort", Err: ErrUnknownToken, Code: codec.ReasonUnspecifiedError, Detail: "no payload of it is on its way"}
	}
	c.setNow(now)
	m := s.m
	s.m = nil
	if m.qos == codec.QoS0 {
		c.dropped(m, ErrErased)
	} else {
		c.giveUp(m, ErrErased)
	}
	c.finishWith(codec.ReasonUnspecifiedError, &Error{Op: "Abort", Err: ErrAborted, Code: codec.ReasonUnspecifiedError})
	return nil
}

// appendHead appends a PUBLISH without its payload, whose length is part of the
// Remaining Length all the same.
func (c *core) appendHead(p *codec.Publish, payload int) error {
	room := c.room()
	start := len(room)
	buf, err := p.AppendHeaderTo(room, c.own)
	if err != nil {
		return err
	}
	h, _, err := codec.Frame(buf[start:], 0)
	if err != nil {
		return err
	}
	remaining := h.Remaining + payload
	size := uint64(len(buf)-start) + uint64(payload)
	limit := uint64(codec.MaxPacketSize)
	if c.limits.packetOut != 0 {
		limit = min(limit, uint64(c.limits.packetOut))
	}
	var length [4]byte
	n := 0
	for x := remaining; n == 0 || x > 0; x >>= 7 {
		if n == len(length) {
			return c.tooLarge("PublishStream", size)
		}
		if length[n] = byte(x & 0x7F); x >= 0x80 {
			length[n] |= 0x80
		}
		n++
	}
	if size += uint64(1 + n - h.Len); size > limit {
		return c.tooLarge("PublishStream", size)
	}
	buf = slices.Replace(buf, start+1, start+h.Len, length[:n]...)
	if c.cfg.Observe != nil {
		c.observeHead(false, p, buf[start:], payload)
	}
	c.wrote(buf, nil)
	return nil
}

// startSending makes the payload of m what goes next.
func (c *core) startSending(m *message) {
	c.sending = &sending{m: m, left: int(m.size), held: c.sh.buffer()}
}

// want asks for the next piece of a payload, as much as the output has room
// for. It reports false if there is no room, or the application was asked.
func (c *core) want(ev *events.Event) bool {
	s := c.sending
	n := min(s.left, c.cfg.HighWater-c.out.size)
	if s.m == nil || s.want != 0 || n <= 0 {
		return false
	}
	s.want = n
	*ev = events.Event{Kind: events.Wanted, Token: s.m.token, PacketID: s.m.id, QoS: s.m.qos, Offset: int64(int(s.m.size) - s.left), Size: int64(n)}
	return true
}

// appendPiece appends a piece of a payload, and what waited for the last.
func (c *core) appendPiece(p []byte) {
	s := c.sending
	c.sending = nil // so that room is the output
	buf := append(c.room(), p...)
	c.out.size += len(p)
	c.out.buf = buf
	if s.left -= len(p); s.left > 0 {
		c.sending = s
		return
	}
	c.out.buf = append(c.out.buf, s.held...)
	c.out.size += len(s.held)
	c.sh.free(s.held)
	if s.ping && c.timers.wait == 0 {
		c.timers.wait = c.after(c.client.pongWait)
	}
	if s.m != nil && s.m.qos == codec.QoS0 {
		c.sh.freeMessage(s.m)
	}
}

// fill goes on with a payload that the peer refused before it had all of it:
// the packet has to be completed, and nobody will look at it.
func (c *core) fill() {
	var zeros [512]byte
	for c.sending != nil && c.sending.m == nil && c.out.size < c.cfg.HighWater {
		c.appendPiece(zeros[:min(len(zeros), c.sending.left)])
	}
}

// early handles an acknowledgement of a message whose payload is not complete.
// Only a refusal makes sense then.
func (c *core) early(t codec.PacketType, m *message, code codec.ReasonCode) error {
	if c.sending == nil || c.sending.m != m {
		return nil
	}
	if !code.IsError() {
		return c.violation(t, "MQTT-2.2.1-5", "MQTT-2.3.1-6", codec.ReasonProtocolError, "acknowledges a message that is not complete")
	}
	c.sending.m = nil
	return nil
}

// endStreams ends the messages within which the connection ended.
func (c *core) endStreams() {
	if a := c.arriving; a != nil && !a.skip {
		c.tell(note{kind: events.MessageEnd, id: a.id, token: a.token, qos: a.qos, err: ErrIncomplete})
	}
	if s := c.sending; s != nil {
		c.sh.free(s.held)
		if s.m != nil && s.m.qos == codec.QoS0 {
			c.dropped(s.m, ErrIncomplete)
		}
	}
	c.arriving, c.sending = nil, nil
}
