package session

import (
	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// arriving is an incoming message whose payload comes in pieces. Until the last
// one has come no other packet can.
type arriving struct {
	left  int // bytes of the payload that are still to come
	id    uint32
	token uint64 // for Ack
	qos   codec.QoS
	code  codec.ReasonCode // what Respond or Ack said, for the end
	reply *Reply
	skip  bool // the rest is not told: a repetition, or refused
	known bool // a repetition of a message that was received before
	again bool // of those, repeated on one connection
}

// maxHead bounds what a PUBLISH whose payload comes in pieces may have before
// its payload, as this is held as a whole. Topics fit always.
const maxHead = 256 << 10

// streams reports whether the payload of a packet may have to come in pieces.
func (c *core) streams(h codec.Header) bool {
	return h.Type == codec.TypePublish && h.Remaining > c.cfg.StreamAbove && c.status == StatusConnected
}

// headSize returns how many bytes of a PUBLISH are handled at once: all, or all
// before the payload if that comes in pieces. As long as b does not tell, it is
// a bound above the length of b.
func (c *core) headSize(h codec.Header, b []byte) (int, error) {
	n := min(beforePayload(h, b, c.version), h.Size())
	if h.Size()-n <= c.cfg.StreamAbove {
		return h.Size(), nil
	}
	if n > maxHead {
		return 0, c.violation(codec.TypePublish, "", "", codec.ReasonQuotaExceeded, "more than %d bytes before the payload", maxHead)
	}
	return n, nil
}

// beforePayload returns the number of bytes before the payload, or a bound above
// the length of b. Where the lengths within contradict each other it returns so
// few that the codec finds the fault. (v3.1.1 and v5.0 3.3.2)
func beforePayload(h codec.Header, b []byte, v codec.Version) int {
	n := h.Len + 2
	if len(b) < n {
		return n
	}
	n += int(b[n-2])<<8 | int(b[n-1])
	if h.Flags&0x06 != 0 {
		n += 2
		if v.Wide() {
			n += 2
		}
	}
	if !v.IsV5() {
		return n
	}
	length := 0
	for shift := 0; shift < 28; shift += 7 {
		if len(b) <= n {
			return n + 1
		}
		x := b[n]
		n++
		length |= int(x&0x7F) << shift
		if x < 0x80 {
			if n+length <= h.Size() {
				n += length
			}
			break
		}
	}
	return n
}

// headOnly returns the fixed header of a packet that ends before its payload.
func headOnly(h codec.Header, n int) codec.Header {
	padded := h.Padded()
	h.Remaining, h.Len = n, 2
	for ; n >= 0x80; n >>= 7 {
		h.Len++
	}
	if padded {
		h.Len++
	}
	return h
}

// begin handles a PUBLISH whose payload comes in pieces. (v3.1.1 and v5.0 3.3,
// 4.3)
func (c *core) begin(ev *events.Event, p *codec.Publish, payload int) error {
	c.stats.MessagesIn++
	if err := c.acceptable(p); err != nil {
		return err
	}
	var resolved bool
	var err error
	if p.Properties.TopicAlias.Set {
		if resolved, err = c.resolve(p); err != nil {
			return err
		}
	}
	a := &arriving{left: payload, id: p.PacketID, qos: p.QoS}
	if p.QoS > codec.QoS0 {
		if r := c.st.received.get(p.PacketID); r != nil {
			a.skip, a.known = true, true
			a.again, err = c.recount(r, p)
		} else if err = c.count(); err == nil && c.cfg.ManualAck {
			r = c.receive(p.PacketID, p.QoS)
			r.state = receiptArriving
			c.await(r)
			a.token = r.token()
		}
	}
	if err != nil {
		return err
	}
	c.arriving = a
	if a.skip {
		return nil
	}
	*ev = events.Event{Kind: events.MessageBegin, Publish: p, PacketID: p.PacketID, QoS: p.QoS, Token: a.token, Size: int64(payload)}
	if resolved {
		ev.Flags = events.Resolved
	}
	return nil
}

// arrive tells the next piece of a payload, or its end. It reports false if
// there is none yet.
func (c *core) arrive(ev *events.Event) bool {
	a := c.arriving
	for a.left > 0 {
		piece := c.piece(a.left)
		if len(piece) == 0 {
			return false
		}
		a.left -= len(piece)
		if a.skip {
			continue
		}
		c.sh.data[0] = piece
		*ev = events.Event{Kind: events.MessageData, PacketID: a.id, Token: a.token, QoS: a.qos, Data: c.sh.data[:], Size: int64(len(piece))}
		return true
	}
	c.arriving = nil
	c.timers.received = c.now
	if err := c.arrived(ev, a); err != nil {
		*ev = events.Event{}
		c.violate(err)
	}
	return true
}

// piece takes up to max bytes of the input.
func (c *core) piece(max int) []byte {
	c.freePartial()
	if len(c.partial) > 0 {
		return c.cutPartial(min(max, len(c.partial)))
	}
	n := min(max, len(c.in))
	piece := c.in[:n:n]
	c.in = c.in[n:]
	return piece
}

// arrived ends a message whose payload came in pieces.
func (c *core) arrived(ev *events.Event, a *arriving) error {
	if !a.skip {
		*ev = events.Event{Kind: events.MessageEnd, PacketID: a.id, Token: a.token, QoS: a.qos}
	}
	r := c.st.received.get(a.id)
	switch {
	case a.qos == codec.QoS0:
	case a.known && r != nil:
		return c.answerAgain(r, a.again)
	case a.known:
	case a.token == 0:
		c.acks.due, c.acks.id, c.acks.qos = true, a.id, a.qos
		c.acks.code, c.acks.reply = a.code, a.reply
	case a.skip:
		r.state, r.reply = receiptAnswered, a.reply
		return c.inTurn()
	default:
		r.state = receiptWaiting
	}
	return nil
}

// respondArriving is Respond for a message whose payload is not complete.
func (c *core) respondArriving(r Reply) error {
	const op = "Respond"
	a := c.arriving
	switch {
	case a.skip:
		return misuse(op, "the message was refused before")
	case a.qos == codec.QoS0 && !r.Code.IsError():
		return misuse(op, "messages of QoS 0 have no acknowledgement")
	case a.qos > codec.QoS0:
		if err := c.checkReply(op, a.id, a.qos, &r); err != nil {
			return err
		}
	}
	a.skip = r.Code.IsError()
	if c.version.IsV5() {
		a.code, a.reply = r.Code, nil
		if !r.plain() {
			a.reply = &r
		}
	}
	return nil
}

// ackArriving is Ack for a message whose payload is not complete.
func (c *core) ackArriving(rc *receipt, r Reply) error {
	const op = "Ack"
	a := c.arriving
	switch {
	case a == nil || a.skip:
		return &Error{Op: op, Err: ErrUnknownToken, Code: codec.ReasonPacketIdentifierNotFound}
	case !r.Code.IsError():
		return misuse(op, "the payload is not complete; only a refusal is possible")
	}
	if err := c.checkReply(op, rc.id, rc.qos, &r); err != nil {
		return err
	}
	a.skip = true
	if c.version.IsV5() {
		a.reply = &r
	}
	return nil
}
