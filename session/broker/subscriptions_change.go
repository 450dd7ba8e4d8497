package broker

import (
	"github.com/mqttcore/mqttcore/codec"
)

// find returns the subscription of a session to a filter, or nil.
func (t *subscriptionTree) find(s *sess, filter []byte) *subscription {
	spot := t.spots.at(t.spot(s, filter))
	if spot == nil {
		return nil
	}
	if spot.value != 0 { // else several have this hash
		if sub := t.subs.at(spot.value); sub.sess == s && sub.filter.is(filter) {
			return sub
		}
		return nil
	}
	for i := s.subs.first; i != 0; {
		sub := t.subs.at(i)
		if sub.filter.is(filter) {
			return sub
		}
		i = sub.ofSession.next
	}
	return nil
}

// spot returns the key of what there is one subscription for.
func (t *subscriptionTree) spot(s *sess, filter []byte) uint64 {
	return t.below(s.number*0xD6E8FEB86659FD93, t.hash(filter))
}

// add enters a subscription of a session that has none to the filter.
func (t *subscriptionTree) add(s *sess, filter []byte) *subscription {
	number, sub := t.subs.add()
	*sub = subscription{sess: s, number: number, filter: newText(filter)}
	if _, rest, shared := codec.ParseShared(filter); shared {
		t.shared++
		t.join(sub, rest)
	} else {
		t.enter(sub)
	}
	t.push(&s.subs, sub, (*subscription).sessionLinks)
	t.n++
	s.filters++
	spot := t.spots.take(t.spot(s, filter))
	if spot.value = number; spot.refs > 1 {
		spot.value = 0 // one of several: find looks through those of the session
	}
	return sub
}

// remove takes a subscription out of the index. One that is due stays as a value
// until its turn comes.
func (t *subscriptionTree) remove(sub *subscription) {
	t.spots.drop(t.spots.at(t.spot(sub.sess, sub.filter.bytes())))
	t.drop(&sub.sess.subs, sub, (*subscription).sessionLinks)
	t.n--
	sub.sess.filters--
	if sub.group != nil {
		t.shared--
		t.leave(sub)
	} else {
		t.withdraw(sub)
	}
	if sub.sess = nil; !sub.due {
		t.subs.remove(sub.number)
	}
}

// enter makes a subscription one that is found for topics.
func (t *subscriptionTree) enter(sub *subscription) {
	way, hash := t.way(sub.filter.bytes())
	var n *slot[node]
	for _, leg := range way {
		if n = t.nodes.take(leg.path); leg.plus {
			n.value.plus++
		}
	}
	t.push(n.value.chain(hash), sub, (*subscription).nodeLinks)
	t.compare(sub)
}

// withdraw takes back what enter did.
func (t *subscriptionTree) withdraw(sub *subscription) {
	way, hash := t.way(sub.filter.bytes())
	next := sub.ofNode.next
	t.drop(t.nodes.at(way[len(way)-1].path).value.chain(hash), sub, (*subscription).nodeLinks)
	if next != 0 {
		t.compare(t.subs.at(next))
	}
	for _, leg := range way {
		n := t.nodes.at(leg.path)
		if leg.plus {
			n.value.plus--
		}
		t.nodes.drop(n)
	}
}

// compare notes whether a subscription has the filter of the one before it.
func (t *subscriptionTree) compare(sub *subscription) {
	prev := sub.ofNode.prev
	sub.alike = prev != 0 && t.subs.at(prev).filter.is(sub.filter.bytes())
}

// leg is a node on the way to the end of a filter.
type leg struct {
	path uint64
	plus bool // the next level is +
}

// way returns the nodes that lead to a filter, and whether # follows them.
func (t *subscriptionTree) way(filter []byte) (way []leg, hash bool) {
	way = append(t.legs[:0], leg{path: t.root})
	for more := true; more; {
		var level []byte
		level, filter, more = cutLevel(filter)
		if hash = string(level) == "#"; hash {
			break
		}
		last := &way[len(way)-1]
		last.plus = string(level) == "+"
		way = append(way, leg{path: t.below(last.path, t.hash(level))})
	}
	t.legs = way
	return way, hash
}

// chain returns the subscriptions that end at a node, or with # behind it.
func (n *node) chain(hash bool) *chain {
	if hash {
		return &n.rest
	}
	return &n.ends
}

// of returns the subscriptions of a session.
func (t *subscriptionTree) of(s *sess) []*subscription {
	list := make([]*subscription, 0, s.filters)
	for i := s.subs.first; i != 0; {
		sub := t.subs.at(i)
		list = append(list, sub)
		i = sub.ofSession.next
	}
	return list
}

func (s *subscription) sessionLinks() *links { return &s.ofSession }
func (s *subscription) nodeLinks() *links    { return &s.ofNode }

// push puts a subscription at the end of a chain.
func (t *subscriptionTree) push(c *chain, sub *subscription, of func(*subscription) *links) {
	*of(sub) = links{prev: c.last}
	if c.last == 0 {
		c.first = sub.number
	} else {
		of(t.subs.at(c.last)).next = sub.number
	}
	c.last = sub.number
}

// drop takes a subscription out of a chain.
func (t *subscriptionTree) drop(c *chain, sub *subscription, of func(*subscription) *links) {
	l := *of(sub)
	if l.prev == 0 {
		c.first = l.next
	} else {
		of(t.subs.at(l.prev)).next = l.next
	}
	if l.next == 0 {
		c.last = l.prev
	} else {
		of(t.subs.at(l.next)).prev = l.prev
	}
}
