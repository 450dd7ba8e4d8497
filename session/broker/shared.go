package broker

import (
	"slices"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// group is a shared subscription: all sessions that subscribed with the same
// ShareName and filter. (v5.0 4.8.2)
type group struct {
	filter  string // $share/ShareName/filter
	carrier uint32 // its subscription in the index
	members []member
	durable int // of members
	next    int // whose turn it is
	round   uint64
	turn    uint64 // the message that it was found for
}

// member is a session of a shared subscription.
type member struct {
	*subscription
	full uint64 // the round in which it had no room
}

// join adds a subscription to a shared one, which begins with its first member.
// In the index it stands as one subscription of nobody.
func (t *subscriptionTree) join(sub *subscription, filter, rest []byte) {
	g := t.groups[string(filter)]
	if g == nil {
		number, carrier := t.subs.add()
		g = &group{filter: string(filter), carrier: number}
		*carrier = subscription{subscriber: subscriber{group: g}, number: number}
		t.enter(carrier, rest)
		t.groups[g.filter] = g
	}
	sub.group = g
	g.members = append(g.members, member{subscription: sub})
	if sub.sess.durable {
		g.durable++
	}
}

// leave removes a member. A shared subscription without members ends.
func (t *subscriptionTree) leave(sub *subscription) {
	g := sub.group
	i := slices.IndexFunc(g.members, func(m member) bool { return m.subscription == sub })
	g.members = slices.Delete(g.members, i, i+1)
	if i < g.next {
		g.next--
	}
	if sub.sess.durable {
		g.durable--
	}
	if len(g.members) == 0 {
		delete(t.groups, g.filter)
		t.withdraw(t.subs.at(g.carrier))
		t.subs.remove(g.carrier)
	}
}

// reaches reports whether a member sees a topic that the filter matches.
func (g *group) reaches(s *sess, topic codec.Bytes) bool {
	_, filter, _ := codec.ParseShared(g.filter)
	return sees(s, filter, topic)
}

// deliverShared hands a message to one member of a shared subscription: to
// the one whose turn it is or, where that has no room, to another.
func (b *Broker) deliverShared(g *group, m *routed) bool {
	p := m.Publish
	g.round++
	for range g.members {
		sub := g.choose(b, p)
		if sub == nil {
			break
		}
		if !g.reaches(sub.sess, p.Topic) || !b.mayDeliver(sub.sess, p, m.from) {
			sub.full = g.round
			continue
		}
		s, qos := sub.sess, b.qos(p, sub.qos) // [MQTT-4.8.2-3]
		if qos > codec.QoS0 && s.durable && len(p.Payload) >= minBody {
			b.share(m) // the record of the session and that of what it was lent have it
		}
		token, ok := b.offer(s, m, &session.Delivery{
			QoS:                     qos,
			Retain:                  p.Retain && sub.retainAsPublished,
			SubscriptionIdentifiers: sub.ids,
			Expires:                 m.expires,
		})
		if !ok {
			sub.full = g.round
			continue
		}
		if qos > codec.QoS0 {
			b.lend(s, token, &lent{routed: *m, group: g, qos: qos, begun: s.conn != nil})
		}
		return true
	}
	b.stats.drop(p.QoS)
	return false
}

// choose returns the member whose turn it is among those that can take a
// message best, or nil if none can take it at all.
func (g *group) choose(b *Broker, p *codec.Publish) *member {
	var best *member
	var bestFitness, place int
	for i := range g.members {
		at := (g.next + i) % len(g.members)
		sub := &g.members[at]
		if f := sub.sess.fitness(b.qos(p, sub.qos)); f > bestFitness && sub.full != g.round {
			best, bestFitness, place = sub, f, at
		}
		if bestFitness == fitNow {
			break
		}
	}
	if best != nil {
		g.next = (place + 1) % len(g.members)
	}
	return best
}

// How well a session can take a message now.
const (
	fitNever = iota
	fitAway  // it is kept until the client comes back
	fitLater // it waits behind others
	fitNow
)

func (s *sess) fitness(qos codec.QoS) int {
	switch {
	case s.conn == nil && qos == codec.QoS0:
		return fitNever
	case s.conn == nil:
		return fitAway
	case s.conn.srv.Queued() > 0, qos > codec.QoS0 && s.conn.srv.Vacancy() == 0:
		return fitLater
	}
	return fitNow
}
