package broker

import (
	"bytes"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// hit is what the matching subscriptions of one session ask for together. A
// session gets one copy of a message: at the highest QoS that it was granted,
// with the Subscription Identifiers of all. [MQTT-3.3.4-2] [MQTT-3.3.4-4]
type hit struct {
	turn   uint64 // the message that it is about
	qos    codec.QoS
	retain bool // Retain As Published
	merged bool // ids was made for this message
	ids    *codec.SubscriptionIdentifiers
}

// match collects who gets the message that is being routed.
type match struct {
	turn     uint64
	from     *sess // the publisher, nil for the broker itself
	sessions []*sess
	groups   []*group
	due      []*subscription // of sessions, those whose retained messages are due
}

func (m *match) start(from *sess) {
	m.turn++
	m.from = from
	m.sessions, m.groups, m.due = m.sessions[:0], m.groups[:0], m.due[:0]
}

// add takes note of a subscription that matches.
func (m *match) add(sub *subscriber) {
	if sub.group != nil {
		m.addGroup(sub.group)
		return
	}
	s := sub.sess
	if sub.noLocal && s == m.from {
		return // [MQTT-3.8.3-3]
	}
	h := &s.hit
	if h.turn != m.turn {
		*h = hit{turn: m.turn, qos: sub.qos, retain: sub.retainAsPublished, ids: sub.ids}
		m.sessions = append(m.sessions, s)
		return
	}
	h.qos = max(h.qos, sub.qos)
	h.retain = h.retain || sub.retainAsPublished
	switch {
	case sub.ids == nil:
	case h.ids == nil:
		h.ids = sub.ids
	default:
		if !h.merged {
			both := h.ids.Clone()
			h.ids, h.merged = &both, true
		}
		h.ids.Add(sub.id())
	}
}

// addGroup takes note of a shared subscription that matches.
func (m *match) addGroup(g *group) {
	if g.turn != m.turn {
		g.turn = m.turn
		m.groups = append(m.groups, g)
	}
}

// ownership says whose a message is that is to be routed.
type ownership bool

const (
	borrowed ownership = false // it has to be copied to be kept
	owned    ownership = true  // it is the broker's and does not change any more
)

// routed is a message on its way to those who get it.
type routed struct {
	*codec.Publish
	kept    *session.Kept // what keeps it; nil for the collector
	whose   ownership
	from    *Client // nil for the broker itself
	expires time.Time
}

// own makes the message one that may be kept. A retained one, which may stay for
// long, gets memory of its own.
func (b *Broker) own(m *routed) {
	switch {
	case m.whose == owned:
		return
	case m.Retain:
		m.Publish = m.Publish.Clone()
		m.PacketID, m.Dup = 0, false
	default:
		m.kept = b.shared.Keep(m.Publish)
		m.Publish = &m.kept.Publish
	}
	m.whose = owned
}

// Publish routes a message of the application, as if a client had sent it. It
// copies what it has to keep.
func (b *Broker) Publish(now time.Time, p *codec.Publish) error {
	b.set(now)
	if err := legal(p); err != nil {
		return err
	}
	b.publish(nil, nil, p, borrowed)
	return nil
}

// legal reports what is wrong with a message of the application. Packet Identifier,
// DUP and Topic Alias of it do not count.
func legal(p *codec.Publish) error {
	q := *p
	q.PacketID, q.Dup, q.Properties.TopicAlias = 0, false, codec.Opt[uint16]{}
	if q.QoS == codec.QoS1 || q.QoS == codec.QoS2 {
		q.QoS = codec.QoS0
	}
	if !storable(&q) {
		return &session.Error{Op: "Publish", Err: codec.ErrTooLarge, Code: codec.ReasonPacketTooLarge, Detail: "no record has room for the properties"}
	}
	return q.Validate(codec.V5.FromClient())
}

// message handles PUBLISH of a client. It reports whether the driver is asked.
// (v3.1.1 and v5.0 3.3)
func (b *Broker) message(c *conn, ev *Event) bool {
	p := ev.Publish
	b.stats.received(p)
	b.mount(c, &p.Topic, &p.Properties.ResponseTopic)
	b.charge(c, 1, 0)
	b.throttle(c)
	if b.cfg.Ask&AskPublish != 0 {
		b.ask(c, ev, &question{publish: p.Clone(), token: ev.Token})
		return true
	}
	code := b.accepts(c.sess, c.client, p, borrowed)
	if p.QoS > codec.QoS0 && code != codec.ReasonSuccess {
		// The code fits PUBACK and PUBREC, so there is no error.
		_ = c.srv.Respond(session.Reply{Code: code})
	}
	return false
}

// accepts routes a message of a client and returns the code of its
// acknowledgement.
func (b *Broker) accepts(s *sess, from *Client, p *codec.Publish, whose ownership) codec.ReasonCode {
	if code := b.refusal(from, p); code != codec.ReasonSuccess {
		return code
	}
	q, code := b.mayPublish(from, p)
	switch {
	case code.IsError():
		return code
	case q == nil:
		return codec.ReasonSuccess
	case q != p && legal(q) != nil:
		return codec.ReasonImplementationSpecificError
	case q != p:
		p, whose = q, owned
	}
	if b.publish(s, from, p, whose) == 0 {
		return codec.ReasonNoMatchingSubscribers
	}
	return codec.ReasonSuccess
}

// refusal returns the reason code with which a message is refused for its topic,
// or Success. As the client names them, topics that begin with $SYS are the
// broker's own, those that look like a shared subscription could not be subscribed
// to, and all that begin with $ are no way for clients to talk to each other.
// [U5-4.7.2-a] [v3.1.1 U311-4.7.2-a]
func (b *Broker) refusal(c *Client, p *codec.Publish) codec.ReasonCode {
	switch topic := c.seen(p.Topic); {
	case b.unnameable(p):
		return codec.ReasonTopicNameInvalid
	case !storable(p):
		return codec.ReasonQuotaExceeded
	case topic[0] != '$':
		return codec.ReasonSuccess
	case bytes.HasPrefix(topic, []byte("$share/")):
		return codec.ReasonTopicNameInvalid
	case !b.cfg.DollarTopics, bytes.Equal(topic, []byte("$SYS")), bytes.HasPrefix(topic, []byte("$SYS/")):
		return codec.ReasonNotAuthorized
	}
	return codec.ReasonSuccess
}

// tooLong reports whether a topic or filter has more levels or bytes than are
// served.
func (b *Broker) tooLong(topic []byte) bool {
	if len(topic) > b.cfg.MaximumTopicLength {
		return true
	}
	most := b.cfg.MaximumLevels
	return len(topic) >= most && bytes.Count(topic, []byte{'/'}) >= most
}

// unnameable reports whether a topic of a message is too long, as it may become
// by a mount point.
func (b *Broker) unnameable(p *codec.Publish) bool {
	return b.tooLong(p.Topic) || len(p.Properties.ResponseTopic.Value) > longestTopic
}

// publish routes a message to every matching subscription and returns how many
// sessions and shared subscriptions these were. from and its client are nil for the
// broker itself. [MQTT-4.5.0-1]
func (b *Broker) publish(from *sess, client *Client, p *codec.Publish, whose ownership) int {
	if p.Retain && b.cfg.NoRetain { // of nobody who was told
		q := *p
		q.Retain = false
		p = &q
	}
	m := &b.match
	m.start(from)
	b.subs.match(p.Topic, m)
	n := len(m.sessions) + len(m.groups)
	if n == 0 && !p.Retain {
		return 0
	}
	msg := routed{Publish: p, whose: whose, from: client}
	if interval, ok := p.Properties.MessageExpiryInterval.Get(); ok {
		msg.expires = b.now.Add(time.Duration(interval) * time.Second)
	}
	if p.Retain {
		b.own(&msg)
		b.retain(&msg)
	}
	if len(m.due) > 0 && !p.Retain {
		b.precede(p.Topic, m.due)
	}
	if msg.whose == owned && n > 1 {
		msg.kept = b.shared.Wrap(msg.Publish)
		msg.Publish = &msg.kept.Publish
	}
	if whose == borrowed {
		b.shared.Forget()
	}
	if b.shares(p, m.sessions) {
		b.own(&msg)
		b.share(&msg)
	}
	for _, s := range m.sessions {
		d := session.Delivery{
			QoS:                     b.qos(p, s.hit.qos),
			Retain:                  p.Retain && s.hit.retain, // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
			SubscriptionIdentifiers: s.hit.ids,
			Expires:                 msg.expires,
			Several:                 n > 1,
		}
		switch {
		case !b.mayDeliver(s, msg.Publish, msg.from):
		case msg.whose == borrowed && b.pass(s, p, &d):
		default:
			b.own(&msg)
			b.deliver(s, &msg, &d)
		}
	}
	for _, g := range m.groups {
		b.own(&msg)
		b.deliverShared(g, &msg)
	}
	msg.kept.Release()
	return n
}

// qos returns the QoS at which a message is delivered for a subscription.
// [MQTT-3.8.4-8] [v3.1.1 MQTT-3.8.4-6]
func (b *Broker) qos(p *codec.Publish, granted codec.QoS) codec.QoS {
	if b.cfg.UpgradeOutgoingQoS {
		return granted
	}
	return min(p.QoS, granted)
}

// soleSize is the payload size in bytes from which a message of QoS 0 to a sole
// receiver is referred to as well. Buffers for smaller ones are used again.
const soleSize = 64 << 10

// pass hands on a borrowed message of QoS 0 to a client that can take it at
// once, so that nobody has to keep it. It reports false where that is not so. A
// large payload that has a sole receiver is copied into the output too, as it
// would have to be copied anyway.
func (b *Broker) pass(s *sess, p *codec.Publish, d *session.Delivery) bool {
	c := s.conn
	if d.QoS > codec.QoS0 || c == nil {
		return d.QoS == codec.QoS0
	}
	size := b.cfg.Server.ReferenceSize
	if !d.Several {
		size = max(size, soleSize)
	}
	if c.blocked || len(p.Payload) >= size || c.at.MountPoint != "" {
		return false
	}
	sent, err := c.srv.PublishBorrowed(b.now, p, *d)
	switch {
	case err != nil:
		b.stats.drop(codec.QoS0)
	case !sent:
		return false
	}
	b.busy.push(c)
	return true
}
