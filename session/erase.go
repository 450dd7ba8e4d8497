package session

import (
	"strconv"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Erase gives up a message that waits, or whose PUBLISH was sent and not
// acknowledged. Dropped with ErrErased follows, and Published never. A message
// that was sent is not sent again, but keeps its Packet Identifier: one of QoS 1
// until it is answered or the connection ends, one of QoS 2 until its exchange
// is over, for which its record stays, as a RecordRelease. Erase searches the
// messages one by one.
func (c *core) Erase(now time.Time, token uint64) error {
	if c.ownState() == nil {
		return stateError("Erase", c.status)
	}
	c.setNow(now)
	for m := c.st.queue.head; m != nil; m = m.next {
		if m.token == token {
			c.st.dequeue(m)
			c.dropped(m, ErrErased)
			return nil
		}
	}
	for m := c.st.sent.head; m != nil; m = m.next {
		if m.token == token && !m.givenUp {
			if c.sending != nil && c.sending.m == m {
				return misuse("Erase", "its payload is being sent; see Abort")
			}
			c.giveUp(m, ErrErased)
			return nil
		}
	}
	return &Error{Op: "Erase", Err: ErrUnknownToken, Code: codec.ReasonPacketIdentifierNotFound}
}

// Withhold gives up the messages that refused picks: those that wait, and those
// that a session that went on would send again. Dropped with ErrWithheld follows
// for each. A server calls it right after Accept, or after its rules changed.
func (c *core) Withhold(now time.Time, refused func(*codec.Publish) bool) {
	if c.ownState() == nil {
		return
	}
	c.setNow(now)
	for m := c.st.resend.pub; m != nil; m = m.next {
		if m.epoch != c.st.epoch && !m.givenUp && refused(m.pub) {
			c.giveUp(m, ErrWithheld)
		}
	}
	for m := c.st.queue.head; m != nil; {
		next := m.next
		if refused(m.pub) {
			c.st.dequeue(m)
			c.dropped(m, ErrWithheld)
		}
		m = next
	}
}

// giveUp drops a message whose PUBLISH was sent. The peer counts it as open and
// may still answer, so its identifier and its quota are not free yet. At QoS 2
// that has to outlast a crash: the peer may have the message and wait for PUBREL,
// and until then it takes another one with the same identifier for this one.
// [MQTT-4.3.3-10]
func (c *core) giveUp(m *message, err error) {
	c.tellDropped(m, err)
	if m.qos == codec.QoS1 {
		c.discard(m)
	}
	c.letGo(m)
	if m.givenUp = true; m.qos == codec.QoS2 {
		c.store(m)
	}
}

// abandon goes on, on another connection, with a message that was given up: at
// QoS 2 as if PUBREC had come, which may have been lost. No record says so: a
// session that is restored does the same.
func (c *core) abandon(m *message) {
	if m.qos != codec.QoS2 {
		c.conclude(m)
		c.sh.freeMessage(m)
		return
	}
	c.toReleased(m)
	if c.st.resend.rel == nil {
		c.st.resend.rel = m
	}
}

// unname gives up a message that was sent over a wide link under an identifier for
// which this one has no room. Neither side can speak of it here.
func (c *core) unname(m *message) {
	c.unlink(m)
	c.st.ids.remove(m)
	c.dropped(m, &Error{Op: "Publish", Err: ErrLimit, Code: codec.ReasonPacketIdentifierNotFound,
		Detail: "the link has no room for packet identifier " + strconv.FormatUint(uint64(m.id), 10)})
}
