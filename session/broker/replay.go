package broker

import (
	"github.com/mqttcore/mqttcore/session"
)

// replay is what a session still has to get of the retained messages: it gets
// them as its client takes them, so that they never fill its queue. They stay
// due while the client is away.
type replay struct {
	subs  []*subscription // whose turn is to come; some may have ended
	next  int             // of subs
	found []*retainedNode // of the next one, those that are left
	seq   uint64          // what was stored later reached the subscriber by itself
	begun bool            // found belongs to the next one
}

// startReplay makes the retained messages of a subscription due, from the
// beginning if they are due already.
func (b *Broker) startReplay(sub *subscription) {
	if b.cfg.NoRetain {
		return
	}
	s := sub.sess
	if s.replay == nil {
		if s.replay, b.scratch.replay = b.scratch.replay, nil; s.replay == nil {
			s.replay = new(replay)
		}
	}
	switch r := s.replay; {
	case !sub.due:
		sub.due = true
		r.subs = append(r.subs, sub)
	case r.subs[r.next] == sub:
		r.begun = false
	}
}

// pass goes on to the next subscription.
func (b *Broker) passReplay(s *sess) {
	r := s.replay
	sub := r.subs[r.next]
	r.subs[r.next] = nil
	r.next++
	r.begun = false
	sub.due = false
	if sub.sess == nil {
		b.subs.subs.remove(sub.number)
	}
	if r.next == len(r.subs) {
		s.replay = nil
		b.spareReplay(r)
	}
}

// spareReplay keeps a replay in which nothing is due for the next one: most are
// over as soon as they begin.
func (b *Broker) spareReplay(r *replay) {
	const most = 64
	if cap(r.subs) > most {
		return
	}
	*r = replay{subs: r.subs[:0]}
	b.scratch.replay = r
}

// stopReplay ends everything that is due.
func (b *Broker) stopReplay(s *sess) {
	for s.replay != nil {
		b.passReplay(s)
	}
}

// feed sends retained messages that are due as long as nothing waits for the
// client. It reports whether it sent any.
func (b *Broker) feed(c *conn) (sent bool) {
	s := c.sess
	if s == nil {
		return false
	}
	for s.replay != nil && c.srv.Status() == session.StatusConnected && c.srv.Queued() == 0 {
		r := s.replay
		sub := r.subs[r.next]
		if !r.begun && sub.sess != nil {
			r.begun, r.seq = true, b.retained.seq
			r.found = b.retained.match(b.subs.name(sub), r.found[:0])
		}
		if sub.sess == nil || len(r.found) == 0 {
			b.passReplay(s)
			if sub.sess != nil {
				b.storeSubscription(sub)
			}
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
	m := routed{Publish: n.message, whose: owned, from: n.from, expires: n.expires}
	switch {
	case n.message == nil, n.seq > seq:
		return false
	case !sees(sub.sess, b.subs.name(sub), n.message.Topic):
		return false
	case !n.expires.IsZero() && !b.now.Before(n.expires):
		return false
	case sub.noLocal && n.from != nil && n.from.ID == sub.sess.client.ID, !b.mayDeliver(sub.sess, n.message, n.from):
		return false
	}
	return b.deliver(sub.sess, &m, &session.Delivery{
		QoS:                     b.qos(n.message, sub.qos),
		Retain:                  true, // [v3.1.1 MQTT-3.3.1-8]
		SubscriptionIdentifiers: sub.ids,
		Expires:                 n.expires,
	})
}
