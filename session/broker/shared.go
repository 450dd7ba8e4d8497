package broker

import (
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// group is a shared subscription: all sessions that subscribed with the same
// ShareName and filter. (v5.0 4.8.2)
type group struct {
	share   string
	members []*subscription
	next    int // whose turn it is
}

// group returns the shared subscription with a ShareName, which it makes if
// there is none.
func (n *subscriptionNode) group(share string) *group {
	for _, g := range n.groups {
		if g.share == share {
			return g
		}
	}
	g := &group{share: share}
	n.groups = append(n.groups, g)
	return g
}

func (g *group) add(sub *subscription) {
	sub.group, sub.place = g, len(g.members)
	g.members = append(g.members, sub)
}

// leave removes a member. A shared subscription without members ends.
func (n *subscriptionNode) leave(sub *subscription) {
	g := sub.group
	g.members = slices.Delete(g.members, sub.place, sub.place+1)
	for i, m := range g.members[sub.place:] {
		m.place = sub.place + i
	}
	if sub.place < g.next {
		g.next--
	}
	sub.group = nil
	if len(g.members) == 0 {
		n.groups = slices.DeleteFunc(n.groups, func(x *group) bool { return x == g })
	}
}

// deliverShared hands a message to one member of a shared subscription.
func (b *Broker) deliverShared(g *group, p *codec.Publish, expires time.Time) {
	sub := g.choose(p.QoS)
	if sub == nil {
		b.stats.Dropped++
		return
	}
	b.deliver(sub.sess, p, session.Delivery{
		QoS:                     min(p.QoS, sub.qos), // [MQTT-4.8.2-3]
		Retain:                  p.Retain && sub.retainAsPublished,
		SubscriptionIdentifiers: sub.ids,
		Expires:                 expires,
	})
}

// choose returns the member whose turn it is among those that can take a
// message best, or nil if none can take it at all.
func (g *group) choose(qos codec.QoS) *subscription {
	var best *subscription
	var bestFitness, place int
	for i := range g.members {
		at := (g.next + i) % len(g.members)
		sub := g.members[at]
		if f := sub.sess.fitness(min(qos, sub.qos)); f > bestFitness {
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
