package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Erase gives up a message that waits, or whose PUBLISH was sent and not
// acknowledged. Dropped with ErrErased follows, and Published never. A message
// that was sent keeps its Packet Identifier until it is answered or the
// connection ends, and is not sent again. Erase searches the messages one by
// one.
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
		if m.token == token && !m.erased {
			if c.sending != nil && c.sending.m == m {
				return misuse("Erase", "its payload is being sent; see Abort")
			}
			c.giveUp(m)
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
	for m := c.st.resend.pub; m != nil; {
		next := m.next
		if m.epoch != c.st.epoch && !m.erased && refused(m.pub) {
			c.withhold(m)
		}
		m = next
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

// withhold gives up a message that was sent on an earlier connection.
func (c *core) withhold(m *message) {
	if m.qos != codec.QoS2 {
		c.conclude(m)
		c.dropped(m, ErrWithheld)
		return
	}
	c.stats.Dropped++
	c.tell(m.droppedNote(ErrWithheld))
	m.withheld = true
	c.abandon(m)
	c.store(m)
}

// abandon goes on with a message of QoS 2 that is not sent again as if PUBREC had
// come. The peer may have it and wait for PUBREL; until then it takes another
// message with the same identifier for this one. [MQTT-4.3.3-10]
func (c *core) abandon(m *message) {
	c.toReleased(m)
	if c.st.resend.rel == nil {
		c.st.resend.rel = m
	}
}

// giveUp erases a message whose PUBLISH was sent. The peer counts it as open and
// may still answer, so its identifier and its quota are not free yet.
func (c *core) giveUp(m *message) {
	c.tellDropped(m, ErrErased)
	c.letGo(m)
	m.erased = true
}
