package broker

import (
	"slices"

	"github.com/mqttcore/mqttcore/session"
)

// replay is what a session still has to get of the retained messages: it gets
// them as its client takes them, so that they never fill its queue. They stay
// due while the client is away.
type replay struct {
	subs  []*subscription // whose turn is to come, each once; the first is under way
	found []*retainedNode // of the first, those that are left
	seq   uint64          // what was stored later reached the subscriber by itself
	begun bool            // found belongs to the first
}

// startReplay makes the retained messages of a subscription due, from the
// beginning if they are due already.
func (b *Broker) startReplay(sub *subscription) {
	r := &sub.sess.replay
	r.drop(sub)
	r.subs = append(r.subs, sub)
}

// drop forgets a subscription.
func (r *replay) drop(sub *subscription) {
	i := slices.Index(r.subs, sub)
	if i < 0 {
		return
	}
	if i == 0 {
		r.begun, r.found = false, nil
	}
	r.subs = slices.Delete(r.subs, i, i+1)
}

// feed sends retained messages that are due as long as nothing waits for the
// client. It reports whether it sent any.
func (b *Broker) feed(c *conn) (sent bool) {
	s := c.sess
	if s == nil || len(s.replay.subs) == 0 {
		return false
	}
	r := &s.replay
	for len(r.subs) > 0 && c.srv.Status() == session.StatusConnected && c.srv.Queued() == 0 {
		sub := r.subs[0]
		if !r.begun {
			r.begun, r.seq = true, b.retained.seq
			r.found = b.retained.match([]byte(sub.filter), r.found[:0])
		}
		if len(r.found) == 0 {
			r.drop(sub)
			b.storeSubscription(sub, false)
			continue
		}
		n := r.found[0]
		r.found = r.found[1:]
		sent = b.sendRetained(sub, n, r.seq) || sent
	}
	return sent
}

// sendRetained sends a retained message to a new subscriber, unless it is no
// longer stored, has expired or is the subscriber's own and not wanted.
func (b *Broker) sendRetained(sub *subscription, n *retainedNode, seq uint64) bool {
	switch {
	case n.message == nil, n.seq > seq:
		return false
	case !n.expires.IsZero() && !b.now.Before(n.expires):
		return false
	case sub.noLocal && n.from != nil && n.from.ID == sub.sess.client.ID, !b.mayDeliver(sub.sess, n.message, n.from):
		return false
	}
	return b.deliver(sub.sess, b.seenBy(sub.sess.client, n.message), session.Delivery{
		QoS:                     b.qos(n.message, sub.qos),
		Retain:                  true, // [v3.1.1 MQTT-3.3.1-8]
		SubscriptionIdentifiers: sub.ids,
		Expires:                 n.expires,
	})
}
