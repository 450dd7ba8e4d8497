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
}

func (m *match) start(from *sess) {
	m.turn++
	m.from = from
	m.sessions, m.groups = m.sessions[:0], m.groups[:0]
}

// add takes note of a subscription that matches.
func (m *match) add(sub *subscription) {
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
		h.ids.Add(sub.id)
	}
}

// ownership says whose a message is that is to be routed.
type ownership bool

const (
	borrowed ownership = false // it has to be copied to be kept
	owned    ownership = true  // it is the broker's and does not change any more
)

// Publish routes a message of the application, as if a client had sent it. It
// copies what it has to keep.
func (b *Broker) Publish(now time.Time, p *codec.Publish) error {
	b.now = now
	if err := codec.ValidTopicName(p.Topic, codec.V5); err != nil {
		return err
	}
	b.publish(nil, p, borrowed)
	return nil
}

// message handles PUBLISH of a client. (v3.1.1 and v5.0 3.3)
func (b *Broker) message(c *conn, p *codec.Publish) {
	b.stats.Received++
	code := b.refusal(p.Topic)
	if code == codec.ReasonSuccess && b.publish(c.sess, p, borrowed) == 0 {
		code = codec.ReasonNoMatchingSubscribers
	}
	if p.QoS > codec.QoS0 && code != codec.ReasonSuccess {
		// The code fits PUBACK and PUBREC, so there is no error.
		_ = c.srv.Respond(session.Reply{Code: code})
	}
}

// refusal returns the reason code with which a message to the topic is refused,
// or Success. Topics that begin with $SYS are the broker's own, and those that
// look like a shared subscription could not be subscribed to.
func (b *Broker) refusal(topic []byte) codec.ReasonCode {
	switch {
	case b.tooLong(topic):
		return codec.ReasonTopicNameInvalid
	case topic[0] != '$':
		return codec.ReasonSuccess
	case bytes.HasPrefix(topic, []byte("$share/")):
		return codec.ReasonTopicNameInvalid
	case bytes.Equal(topic, []byte("$SYS")), bytes.HasPrefix(topic, []byte("$SYS/")):
		return codec.ReasonNotAuthorized
	}
	return codec.ReasonSuccess
}

// tooLong reports whether a topic or filter has more levels or bytes than are
// served.
func (b *Broker) tooLong(topic []byte) bool {
	if most := b.cfg.MaximumTopicLength; most > 0 && len(topic) > most {
		return true
	}
	most := b.cfg.MaximumLevels
	return len(topic) >= most && bytes.Count(topic, []byte{'/'}) >= most
}

// publish routes a message to every matching subscription and returns how many
// sessions and shared subscriptions these were. [MQTT-4.5.0-1]
func (b *Broker) publish(from *sess, p *codec.Publish, whose ownership) int {
	m := &b.match
	m.start(from)
	b.subs.match(p.Topic, m)
	n := len(m.sessions) + len(m.groups)
	if n == 0 && !p.Retain {
		return 0
	}
	if whose == borrowed {
		p = p.Clone()
		p.PacketID, p.Dup = 0, false
	}
	var expires time.Time
	if interval, ok := p.Properties.MessageExpiryInterval.Get(); ok {
		expires = b.now.Add(time.Duration(interval) * time.Second)
	}
	if p.Retain {
		b.retain(from, p, expires)
	}
	for _, s := range m.sessions {
		b.deliver(s, p, session.Delivery{
			QoS:                     min(p.QoS, s.hit.qos),
			Retain:                  p.Retain && s.hit.retain, // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
			SubscriptionIdentifiers: s.hit.ids,
			Expires:                 expires,
		})
	}
	for _, g := range m.groups {
		b.deliverShared(g, p, expires)
	}
	return n
}
