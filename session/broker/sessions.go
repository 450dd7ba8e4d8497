package broker

import (
	"errors"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// sess is a session: what the broker knows of a Client Identifier.
// (v3.1.1 and v5.0 4.1)
type sess struct {
	client  *Client
	number  uint64 // in the keys of what is stored
	state   *session.State
	conn    *conn // nil while the client is away
	will    *will // from CONNACK until it is published or withdrawn
	replay  *replay
	lent    map[uint64]lent // messages of shared subscriptions, by token
	late    *late
	bodies  *bodyTable
	subs    chain  // of subscriptionTree
	timer   timer  // of the end of the session or the Will Delay, whichever is first
	filters uint32 // in subs
	durable bool   // it is told as changes
	ended   bool

	hit hit // used while a message is routed
}

// late is what waits for the driver, in order.
type late struct{ asked []*question }

// waits adds to what waits for the driver.
func (s *sess) waits(q *question) {
	if s.late == nil {
		s.late = new(late)
	}
	s.late.asked = append(s.late.asked, q)
}

// openQuestions returns how many questions are not settled.
func (s *sess) openQuestions() int {
	if s.late == nil {
		return 0
	}
	return len(s.late.asked)
}

func newSess(number uint64) *sess {
	s := &sess{number: number}
	s.timer.owner = s
	return s
}

// detached goes on with a session whose connection has ended.
func (b *Broker) detached(s *sess) {
	if s.state.Expired(b.now) {
		b.endSession(s) // [MQTT-4.1.0-2] [v3.1.1 MQTT-3.1.2-6]
		return
	}
	b.startWill(s)
}

// wait sets the timer of a session whose client is away.
func (b *Broker) wait(s *sess) {
	at, ok := s.state.Expires()
	if s.will != nil && !s.will.due.IsZero() && (!ok || s.will.due.Before(at)) {
		at = s.will.due
	}
	b.timers.set(&s.timer, at)
}

// rouse does what is due for a session whose client is away.
func (b *Broker) rouse(s *sess) {
	if s.will != nil && !s.will.due.IsZero() && !b.now.Before(s.will.due) {
		b.publishWill(s)
	}
	if s.state.Expired(b.now) {
		b.stats.Expired++
		b.endSession(s)
		return
	}
	b.wait(s)
}

// endSession ends a session that has no connection. A Will that waits is
// published. [MQTT-3.1.2-8]
func (b *Broker) endSession(s *sess) {
	if b.sessions[s.client.ID] == s {
		delete(b.sessions, s.client.ID)
	}
	s.ended = true
	b.timers.stop(&s.timer)
	b.stopReplay(s)
	for s.subs != 0 {
		b.subs.remove(b.subs.subs.at(s.subs))
	}
	for token, qos := range s.state.Undelivered() {
		if l, ok := s.lent[token]; !ok || l.stays() {
			b.stats.drop(qos)
		}
	}
	b.publishWill(s)
	b.redeliver(s)
	b.discardSession(s)
}

// deliver hands a message to a session, and counts it where that has no room.
func (b *Broker) deliver(s *sess, m *routed, d *session.Delivery) bool {
	if s.conn == nil && d.QoS == codec.QoS0 {
		return false
	}
	_, ok := b.offer(s, m, d)
	if !ok {
		b.stats.drop(d.QoS)
	}
	return ok
}

// offer hands a message to a session: to its connection or, while the client is
// away, to its queue. It reports whether the session has it, and returns its
// token there.
func (b *Broker) offer(s *sess, m *routed, d *session.Delivery) (token uint64, ok bool) {
	var err error
	var p *codec.Publish
	p, d.Kept = b.seenBy(s.client, m)
	if s.conn != nil {
		token, err = s.conn.srv.PublishShared(b.now, p, *d)
		b.busy.push(s.conn)
	} else {
		token, err = s.state.Enqueue(b.now, p, *d, b.cfg.Server.Queue, func(ev events.Event) {
			b.dropped(s, &ev)
			b.discardRecord(s, ev.Key())
		})
		if err == nil {
			b.storeQueued(s, token, p, d)
		}
	}
	if err != nil {
		return 0, false
	}
	return token, true
}

// dropped counts a message that a session gave up, unless the client has it. One
// of a shared subscription that the client may not have goes to another member, or
// may do so once the session has ended, see redeliver, and counts only if nobody
// gets it.
func (b *Broker) dropped(s *sess, ev *events.Event) {
	l, ok := s.lent[ev.Token]
	stays := !ok || ev.QoS == codec.QoS2 && ev.PacketID != 0 // [MQTT-4.8.2-5]
	switch {
	case !stays && errors.Is(ev.Err, session.ErrSessionLost):
		l.begun = false
		s.lent[ev.Token] = l
		return
	case !stays && errors.Is(ev.Err, session.ErrWithheld):
		b.lendAgain(&l)
	case ev.Publish != nil: // PUBREC did not come
		b.stats.drop(ev.QoS)
	}
	b.back(s, ev.Token)
}
