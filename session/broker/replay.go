package broker

import (
	"maps"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// replay is what a session still has to get of the retained messages: it gets
// them as its client takes them, so that they never fill its queue. They stay
// due while the client is away.
type replay struct {
	turns  []turn
	next   int // of turns
	due    int // turns that are left
	marked int // turns that the index knows of, see mark

	// Of the next one, once it has begun:
	begun bool
	found []*retainedNode // those that are left
	seq   uint64          // of the last one that is not left

	// ahead are those that went ahead of a newer message, with the number of turns
	// that they were due in then.
	ahead map[*retainedNode]int
}

// turn is a subscription whose retained messages are due.
type turn struct {
	sub  *subscription // nil if it has ended, or has another turn later
	seq  uint64        // what was stored later reached the subscriber by itself
	from uint64        // what was stored before, or then, was handed out
}

// startReplay makes the retained messages of a subscription due, from the
// beginning if they are due already.
func (b *Broker) startReplay(t turn) {
	if b.cfg.NoRetain {
		return
	}
	sub := t.sub
	s := sub.sess
	if s.replay == nil {
		if s.replay, b.scratch.replay = b.scratch.replay, nil; s.replay == nil {
			s.replay = new(replay)
		}
	}
	r := s.replay
	r.drop(sub)
	if len(r.turns) >= 2*r.due+16 {
		r.compact()
	}
	r.turns = append(r.turns, t)
	r.due++
	sub.due = uint32(len(r.turns))
}

// mark tells the index what is due for longer than a moment, see precede.
func (b *Broker) mark(r *replay) {
	for ; r.marked < len(r.turns); r.marked++ {
		if sub := r.turns[r.marked].sub; sub != nil {
			b.subs.update(sub)
		}
	}
}

// drop takes back the turn of a subscription.
func (r *replay) drop(sub *subscription) {
	if sub.due == 0 {
		return
	}
	at := int(sub.due) - 1
	r.turns[at].sub = nil
	r.due--
	if sub.due = 0; at == r.next {
		r.begun = false
	}
}

// compact takes out the turns that are over, so that a client that subscribes and
// unsubscribes again and again takes no memory.
func (r *replay) compact() {
	kept, marked := r.turns[:0], 0
	before := make([]int, len(r.turns)+1) // turns that are kept, of the first so many
	for i, t := range r.turns {
		if before[i] = len(kept); t.sub == nil {
			continue
		}
		kept = append(kept, t)
		t.sub.due = uint32(len(kept))
		if i < r.marked {
			marked = len(kept)
		}
	}
	before[len(r.turns)] = len(kept)
	for n, turns := range r.ahead {
		r.ahead[n] = before[turns]
	}
	clear(r.turns[len(kept):])
	r.turns, r.next, r.marked = kept, 0, marked
}

// passReplay goes on to the next turn.
func (b *Broker) passReplay(s *sess) {
	r := s.replay
	if sub := r.turns[r.next].sub; sub != nil {
		r.drop(sub)
		if r.next < r.marked {
			b.subs.update(sub)
		}
	}
	r.next++
	if r.begun = false; r.due == 0 {
		s.replay = nil
		b.spareReplay(r)
	}
}

// spareReplay keeps a replay in which nothing is due for the next one: most are
// over as soon as they begin.
func (b *Broker) spareReplay(r *replay) {
	const most = 64
	if cap(r.turns) > most {
		return
	}
	*r = replay{turns: r.turns[:0]}
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
		sub := r.turns[r.next].sub
		if sub != nil && !r.begun {
			r.begun, r.seq = true, r.turns[r.next].from
			r.found = b.retained.match(b.subs.name(sub), r.found[:0])
		}
		if sub == nil || len(r.found) == 0 {
			b.passReplay(s)
			if sub != nil {
				b.storeSubscription(sub)
			}
			continue
		}
		n := r.found[0]
		r.found = r.found[1:]
		t := r.turns[r.next]
		if r.ahead[n] <= r.next && n.seq > r.seq {
			sent = b.sendRetained(t, n) || sent
		}
		if n.seq <= t.seq {
			r.seq = max(r.seq, n.seq)
		}
	}
	if r := s.replay; r != nil {
		b.mark(r)
		if t := &r.turns[r.next]; sent && r.begun && r.seq > t.from {
			t.from = r.seq
			b.storeSubscription(t.sub)
		}
	}
	return sent
}

// precede sends the retained message of a topic to those for whom it is still due,
// before they get a newer message: so the last one that a client sees is the
// newest.
func (b *Broker) precede(topic codec.Bytes, due []*subscription) {
	n := b.retained.get(topic)
	if n == nil {
		return
	}
	for _, sub := range due {
		r, place := sub.sess.replay, int(sub.due)-1
		t := r.turns[place]
		over := n.seq <= t.from || place == r.next && r.begun && n.seq <= r.seq
		if !over && r.ahead[n] <= place {
			b.sendRetained(t, n)
		}
	}
	for _, sub := range due {
		r := sub.sess.replay
		if r.ahead == nil {
			r.ahead = make(map[*retainedNode]int)
		}
		if r.ahead[n] = len(r.turns); len(r.ahead) > 2*b.retained.n+16 {
			maps.DeleteFunc(r.ahead, func(n *retainedNode, _ int) bool { return n.message == nil })
		}
	}
}

// sendRetained sends a retained message to a new subscriber, unless it is no
// longer stored, has expired or is the subscriber's own and not wanted.
func (b *Broker) sendRetained(t turn, n *retainedNode) bool {
	sub := t.sub
	m := routed{Publish: n.message, whose: owned, from: n.from, expires: n.expires}
	switch {
	case n.message == nil, n.seq > t.seq:
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
