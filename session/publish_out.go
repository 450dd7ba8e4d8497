package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// resend says where the repetition of what was under way stands, after a
// session went on. [MQTT-4.4.0-1]
type resend struct{ pub, rel *message }

// Publish sends an application message, or queues it while there is no
// connection or the peer's Receive Maximum is used up. The order of messages
// is kept. It copies what it has to keep. The session chooses the Packet
// Identifier, so PacketID must be 0; Dup must be false.
//
// The token names the message in the events Published and Dropped. A message of
// QoS 0 has no Published; it is Dropped only if it was queued.
//
// Errors are ErrQueueFull; ErrLimit for what the peer has excluded (Maximum
// QoS, Retain Available, Maximum Packet Size, Topic Alias Maximum); ErrState;
// codec.ErrTooLarge for properties that leave no room in a record for what it adds
// to them; and an *codec.Error for an illegal message. (v3.1.1 and v5.0 3.3, 4.3)
func (c *core) Publish(now time.Time, p *codec.Publish) (token uint64, err error) {
	c.setTime(now)
	return c.publish(c.compose(p, &Delivery{QoS: p.QoS, Retain: p.Retain}), p)
}

// PublishShared is Publish without a copy, for a message that goes to many
// peers: QoS, Retain, Subscription Identifiers and expiry are those of d, and
// p itself is kept, so it and its bytes must not change any more. A Topic Alias
// of p is ignored. On a v3.1.1 connection the properties, which do not exist
// there, are left out.
func (c *core) PublishShared(now time.Time, p *codec.Publish, d Delivery) (token uint64, err error) {
	c.setTime(now)
	m := c.compose(p, &d)
	m.shared = true
	return c.publish(m, p)
}

// PublishBorrowed is PublishShared for a message of QoS 0 that can be sent at once
// and that p keeps only until the call returns. It reports false, and does
// nothing, where the message would have to wait. Whoever calls it for another
// message that is in the same place calls Shared.Forget in between.
func (c *core) PublishBorrowed(now time.Time, p *codec.Publish, d Delivery) (sent bool, err error) {
	if d.QoS != codec.QoS0 {
		return false, nil
	}
	c.setTime(now)
	m := c.compose(p, &d)
	m.shared, m.borrowed = true, true
	if err = c.prepare(m, p); err == nil {
		if c.wakeWork(); c.ready(m) {
			sent, err = true, c.emit(m, false)
		}
	}
	c.sh.freeMessage(m)
	if err != nil {
		return true, asError("Publish", err)
	}
	return sent, nil
}

// compose returns a new message. If it expires, that is told by the session state,
// whose timeline is lent as well.
func (c *core) compose(p *codec.Publish, d *Delivery) *message {
	m := c.sh.message()
	m.set(p, d)
	now := c.sh.clock.last
	if end := expires(now, p, d); !end.IsZero() && c.ownState() != nil {
		if monotonic(now) {
			c.wake()
		}
		m.expires = c.st.until(now, end)
	}
	return m
}

func (c *core) publish(m *message, p *codec.Publish) (uint64, error) {
	err := c.prepare(m, p)
	if err == nil {
		if c.wakeWork(); c.ready(m) {
			err = c.publishNow(m, p)
		} else {
			err = c.publishLater(m, p)
		}
	}
	if err != nil {
		c.sh.freeMessage(m)
		return 0, err
	}
	if m.alias != 0 && !m.short {
		c.send.wanted[m.alias] = string(p.Topic)
	}
	token := m.token
	if m.qos == codec.QoS0 && m.stage == stageSent && !m.streamed {
		c.sh.freeMessage(m)
	}
	return token, nil
}

// prepare checks a new message against the state and the peer's limits.
func (c *core) prepare(m *message, p *codec.Publish) error {
	const op = "Publish"
	switch {
	case c.ownState() == nil:
		return stateError(op, c.status)
	case c.status != StatusConnected && c.cfg.Queue.RefuseOffline:
		return stateError(op, c.status)
	case !m.shared && p.PacketID != 0:
		return misuse(op, "the session chooses the Packet Identifier")
	case !m.shared && p.Dup:
		return misuse(op, "the session sets DUP")
	case m.qos > codec.QoS2:
		return misuse(op, "no such QoS")
	}
	if !m.shared && p.Properties.TopicAlias.Set {
		if err := c.wantAlias(m, p); err != nil {
			return err
		}
	}
	if c.status == StatusConnected && c.limits.features != 0 {
		return c.offered(m)
	}
	return nil
}

// offered reports a message that is beyond what the server offers.
func (c *core) offered(m *message) error {
	if c.server {
		return nil
	}
	switch {
	case m.qos > c.limits.features.maximumQoS():
		return overLimit("Publish", "MQTT-3.2.2-11", codec.ReasonQoSNotSupported, "QoS is above Maximum QoS")
	case m.retain && c.limits.features&noRetain != 0:
		return overLimit("Publish", "MQTT-3.2.2-14", codec.ReasonRetainNotSupported, "Retain Available is 0")
	}
	return nil
}

// ready reports whether m may go out before Publish returns.
func (c *core) ready(m *message) bool {
	x := c.st.exchanges
	return c.status == StatusConnected && c.sending == nil && (x == nil || x.queue.n == 0 && x.resend.pub == nil) &&
		c.out.size < c.cfg.HighWater && (m.qos == codec.QoS0 || c.admits(m))
}

// publishNow encodes a message at once.
func (c *core) publishNow(m *message, p *codec.Publish) error {
	if m.qos != codec.QoS0 {
		if c.wake(); !c.identify(m) {
			return c.publishLater(m, p)
		}
	}
	if !m.shared && (m.qos != codec.QoS0 || m.streamed) {
		m.pub = p.Clone()
		c.fullTopic(m)
	}
	var err error
	if m.qos != codec.QoS0 {
		err = m.storable()
	}
	if err == nil {
		err = c.emit(m, false)
	}
	if err != nil {
		if m.id != 0 {
			c.st.ids.undo(m)
		}
		return asError("Publish", err)
	}
	m.token = c.st.token()
	m.stage = stageSent
	if m.qos != codec.QoS0 {
		c.st.sent.push(m)
		c.take(m)
		c.store(m)
	}
	if m.streamed {
		c.startSending(m)
	}
	return nil
}

// asError makes an *Error of what a packet could not be encoded for.
func asError(op string, err error) error {
	if _, ok := err.(*Error); ok {
		return err
	}
	return &Error{Op: op, Code: reasonOf(err), Err: err}
}

// publishLater queues a message. It is checked now, as nobody could be told
// later.
func (c *core) publishLater(m *message, p *codec.Publish) error {
	c.wake()
	q := *p
	q.Dup, q.QoS, q.PacketID = false, codec.QoS0, 0
	v := c.own
	if m.shared {
		// The link may speak either version when the message is sent.
		v, q.Properties.TopicAlias = codec.V5, codec.Opt[uint16]{}
	}
	if m.short {
		q.Topic = codec.Bytes(c.send.wanted[m.alias])
	}
	if err := q.Validate(v); err != nil {
		return asError("Publish", err)
	}
	if !m.shared {
		m.pub = p.Clone()
		c.fullTopic(m)
	}
	if err := c.st.enqueue(m, c.cfg.Queue, func(old *message) { c.dropped(old, ErrQueueFull) }); err != nil {
		return err
	}
	c.store(m)
	return nil
}

// waits reports whether there may be something for pump to do.
func (c *core) waits() bool {
	x := c.st.exchanges
	return c.sending != nil || x != nil && (x.queue.head != nil || x.resend != resend{})
}

// pump sends what waits, in order: first what was under way when the session
// went on, then the queue.
func (c *core) pump() {
	if c.sending != nil && c.sending.m == nil {
		c.fill()
	}
	for c.sending == nil && c.out.size < c.cfg.HighWater {
		if c.st.resend.pub != nil || c.st.resend.rel != nil {
			if !c.resendNext() {
				return
			}
			continue
		}
		m := c.st.queue.head
		if m == nil {
			return
		}
		if m.expires != 0 && m.expires <= c.unix() {
			c.st.dequeue(m)
			c.dropped(m, ErrExpired)
			continue
		}
		if m.qos != codec.QoS0 && (!c.admits(m) || !c.identify(m)) {
			return
		}
		c.sendQueued(m)
	}
}

// sendQueued sends the head of the queue, which has its identifier.
func (c *core) sendQueued(m *message) {
	c.st.dequeue(m)
	err := c.offered(m)
	if err == nil {
		err = c.emit(m, false)
	}
	if err != nil {
		if m.id != 0 {
			c.st.ids.undo(m)
		}
		c.dropped(m, asError("Publish", err))
		return
	}
	m.stage = stageSent
	if m.streamed {
		c.startSending(m)
	}
	if m.qos == codec.QoS0 {
		c.discard(m)
		if !m.streamed {
			c.sh.freeMessage(m)
		}
		return
	}
	c.st.sent.push(m)
	c.take(m)
	c.store(m)
}

// resendNext repeats the next PUBLISH or PUBREL. It reports false when the
// quota is used up, which holds back PUBLISH only. [MQTT-4.9.0-3]
func (c *core) resendNext() bool {
	pub, rel := c.st.resend.pub, c.st.resend.rel
	for _, m := range [...]*message{pub, rel} {
		if m != nil && m.id > c.own.MaxPacketID() {
			c.unname(m)
			return true
		}
	}
	if rel != nil && rel.stage == stageReceived {
		c.st.resend.rel = rel.next
		if c.cfg.ManualRelease { // its PUBREL is the application's
			c.tell(note{kind: events.Received, id: rel.id, token: rel.token, qos: codec.QoS2})
			return true
		}
		rel.stage = stageReleased
		c.store(rel)
		c.sendPubrel(rel.id, codec.ReasonSuccess)
		return true
	}
	if pub != nil && pub.epoch == c.st.epoch {
		c.st.resend.pub = nil // sent for the first time on this connection
		return true
	}
	if pub != nil && pub.givenUp {
		c.abandon(pub)
		return true
	}
	m := first(pub, rel)
	if m != nil && m == pub && !c.admits(pub) {
		m = rel
	}
	switch {
	case m == nil:
		return false
	case m == rel:
		c.st.resend.rel = rel.next
		c.sendPubrel(m.id, codec.ReasonSuccess)
	default:
		c.resendPublish(m)
	}
	return true
}

// resendPublish repeats a PUBLISH with DUP, its full topic and its old
// identifier. What the limits of the new connection exclude is given up.
// [MQTT-3.3.1-1]
func (c *core) resendPublish(m *message) {
	m.alias, m.short = 0, false
	err := c.offered(m)
	if err == nil {
		err = c.emit(m, true)
	}
	if err != nil {
		c.giveUp(m, asError("Publish", err)) // and resendNext abandons it
		return
	}
	c.st.resend.pub = m.next
	c.take(m)
	if m.streamed {
		c.startSending(m)
	}
}

// unlink takes m out of the list of its stage, and off the way of resend.
func (c *core) unlink(m *message) {
	if c.st.resend.pub == m {
		c.st.resend.pub = m.next
	}
	if c.st.resend.rel == m {
		c.st.resend.rel = m.next
	}
	if m.stage == stageSent {
		c.st.sent.remove(m)
	} else {
		c.st.released.remove(m)
	}
}

// conclude ends the exchange of m: its identifier is free again.
// [U5-2.2.1-a] [v3.1.1 MQTT-2.3.1-3]
func (c *core) conclude(m *message) {
	c.unlink(m)
	c.st.ids.remove(m)
	c.give(m)
}

// published tells that the exchange of m is over, and frees m.
func (c *core) published(ev *events.Event, m *message, code codec.ReasonCode, p codec.Packet) {
	c.conclude(m)
	if !m.givenUp {
		// ev is empty; setting all of it costs more.
		ev.Kind, ev.Token, ev.PacketID, ev.Reason, ev.Packet = events.Published, m.token, m.id, code, p
	}
	c.discard(m)
	c.sh.freeMessage(m)
}

// unexpected reports an acknowledgement of an identifier that is not in use.
func unexpected(ev *events.Event, p codec.Packet, id uint32) {
	*ev = events.Event{Kind: events.Unexpected, PacketID: id, Packet: p}
}

// wrongKind reports an acknowledgement that does not belong to what the
// identifier is used for.
func (c *core) wrongKind(t codec.PacketType, id uint32) error {
	return c.violation(t, "MQTT-2.2.1-5", "MQTT-2.3.1-6", codec.ReasonProtocolError, "not the answer that packet identifier %d waits for", id)
}

// onPuback ends the exchange of a QoS 1 message. (v3.1.1 and v5.0 4.3.2)
func (c *core) onPuback(ev *events.Event, p *codec.Puback) error {
	switch m := c.st.ids.get(p.PacketID); {
	case m == nil:
		unexpected(ev, p, p.PacketID)
	case m.stage != stageSent || m.qos != codec.QoS1:
		return c.wrongKind(codec.TypePuback, p.PacketID)
	default:
		if err := c.early(codec.TypePuback, m, p.ReasonCode); err != nil {
			return err
		}
		c.published(ev, m, p.ReasonCode, p)
	}
	return nil
}

// onPubrec answers PUBREC by PUBREL, or ends the exchange if it is a refusal.
// (v3.1.1 and v5.0 4.3.3)
func (c *core) onPubrec(ev *events.Event, p *codec.Pubrec) error {
	m := c.st.ids.get(p.PacketID)
	switch {
	case m == nil:
		unexpected(ev, p, p.PacketID)
		return c.sendPubrel(p.PacketID, codec.ReasonPacketIdentifierNotFound)
	case m.qos != codec.QoS2 || m.stage == stageSubscribe || m.stage == stageUnsubscribe:
		return c.wrongKind(codec.TypePubrec, p.PacketID)
	}
	if err := c.early(codec.TypePubrec, m, p.ReasonCode); err != nil {
		return err
	}
	switch {
	case p.ReasonCode.IsError():
		c.published(ev, m, p.ReasonCode, p)
		return nil
	case m.stage == stageReleased:
		return c.sendPubrel(m.id, codec.ReasonSuccess)
	case m.stage == stageReceived:
		return nil
	}
	c.toReleased(m)
	manual := c.cfg.ManualRelease && !m.givenUp
	if manual {
		m.stage = stageReceived
		*ev = events.Event{Kind: events.Received, Token: m.token, PacketID: m.id, Reason: p.ReasonCode, Packet: p}
	}
	c.store(m)
	if manual || c.st.resend.rel != nil {
		return nil // in its turn: PUBRELs keep the order of the PUBRECs
	}
	return c.sendPubrel(m.id, codec.ReasonSuccess)
}

// toReleased notes that PUBREL is due for a message, or was sent.
func (c *core) toReleased(m *message) {
	c.unlink(m)
	c.letGo(m)
	m.order = c.st.token()
	m.stage = stageReleased
	c.st.released.push(m)
}

// onPubcomp ends the exchange of a QoS 2 message. (v3.1.1 and v5.0 4.3.3)
func (c *core) onPubcomp(ev *events.Event, p *codec.Pubcomp) error {
	switch m := c.st.ids.get(p.PacketID); {
	case m == nil:
		unexpected(ev, p, p.PacketID)
	case m.stage != stageReleased:
		return c.wrongKind(codec.TypePubcomp, p.PacketID)
	default:
		c.published(ev, m, p.ReasonCode, p)
	}
	return nil
}

// sendPubrel queues PUBREL. v3.1.1 has no reason codes.
func (c *core) sendPubrel(id uint32, code codec.ReasonCode) error {
	if code == codec.ReasonSuccess && c.acknowledge(codec.TypePubrel, id) {
		return nil
	}
	p := &c.sh.pubrel
	*p = codec.Pubrel{PacketID: id}
	if c.version.IsV5() {
		p.ReasonCode = code
	}
	return c.must(p, nil, nil)
}

// Release sends PUBREL where ManualRelease leaves it to the application. id is
// the PacketID of the Received event. Without a connection it is sent when the
// session goes on. (v3.1.1 and v5.0 3.6)
func (c *core) Release(now time.Time, id uint32, r Reply) error {
	if c.ownState() == nil {
		return stateError("Release", c.status)
	}
	c.setNow(now)
	m := c.st.ids.get(id)
	if m == nil || m.stage != stageReceived {
		return &Error{Op: "Release", Err: ErrUnknownToken, Code: codec.ReasonPacketIdentifierNotFound}
	}
	p := &codec.Pubrel{PacketID: id, ReasonCode: r.Code}
	p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
	if err := p.Validate(c.own); err != nil {
		return asError("Release", err)
	}
	m.stage = stageReleased
	c.store(m)
	if c.status != StatusConnected || c.st.resend.rel != nil && m.order >= c.st.resend.rel.order {
		return nil
	}
	return c.must(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
}
