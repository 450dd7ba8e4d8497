package broker

import (
	"slices"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
)

// find returns the subscription of a session to a filter, or nil.
func (t *subscriptionTree) find(s *sess, filter []byte) *subscription {
	share, rest, shared := codec.ParseShared(filter)
	number := uint32(rootNode)
	for more := true; more && number != 0; {
		var text []byte
		text, rest, more = cutLevel(rest)
		number = t.get(number, text)
	}
	if number == 0 {
		return nil
	}
	at := spot{session: s.number, node: number}
	if shared {
		g := t.nodes.at(number).group(share)
		if g == nil {
			return nil
		}
		at.group = g.number
	}
	if i := t.spots[at]; i != 0 {
		return t.subs.at(i)
	}
	return nil
}

// add enters a subscription of a session that has none to the filter.
func (t *subscriptionTree) add(s *sess, filter []byte) *subscription {
	share, rest, shared := codec.ParseShared(filter)
	at := uint32(rootNode)
	for more := true; more; {
		var text []byte
		text, rest, more = cutLevel(rest)
		at = t.make(at, text)
	}
	number, sub := t.subs.add()
	*sub = subscription{sess: s, number: number, node: at}
	n := t.nodes.at(at)
	t.n++
	if shared {
		t.shared++
		t.join(n, string(share), sub)
	} else {
		t.push(&n.subs, sub, (*subscription).nodeLinks)
	}
	t.push(&s.subs, sub, (*subscription).sessionLinks)
	s.filters++
	t.spots[sub.spot()] = number
	return sub
}

// remove takes a subscription out of the index, and with it the nodes that
// nobody needs any more. One that is due stays as a value until its turn comes.
func (t *subscriptionTree) remove(sub *subscription) {
	delete(t.spots, sub.spot())
	t.drop(&sub.sess.subs, sub, (*subscription).sessionLinks)
	sub.sess.filters--
	number := sub.node
	n := t.nodes.at(number)
	t.n--
	if sub.group != nil {
		t.shared--
		n.leave(sub)
	} else {
		t.drop(&n.subs, sub, (*subscription).nodeLinks)
	}
	if sub.sess = nil; !sub.due {
		t.subs.remove(sub.number)
	}
	for number != rootNode && t.nodes.at(number).empty() {
		number = t.unmake(number)
	}
}

func (s *subscription) spot() spot {
	p := spot{session: s.sess.number, node: s.node}
	if s.group != nil {
		p.group = s.group.number
	}
	return p
}

func (n *node) empty() bool {
	return n.subs.first == 0 && n.groups == nil && n.children == 0 && n.plus == 0 && n.hash == 0
}

// get returns the child of a node for a level of a filter, 0 for none.
func (t *subscriptionTree) get(parent uint32, text []byte) uint32 {
	switch string(text) {
	case "+":
		return t.nodes.at(parent).plus
	case "#":
		return t.nodes.at(parent).hash
	}
	return t.child(parent, text)
}

// make returns the child of a node for a level of a filter, which it makes if
// there is none.
func (t *subscriptionTree) make(parent uint32, text []byte) uint32 {
	if number := t.get(parent, text); number != 0 {
		return number
	}
	number, n := t.nodes.add()
	n.parent = parent
	if len(text) > len(n.level.text) {
		n.level.n = longLevel
		t.texts[number] = string(text)
	} else {
		n.level.n = uint8(copy(n.level.text[:], text))
	}
	t.attach(number, number)
	return number
}

// unmake removes an empty node and returns its parent.
func (t *subscriptionTree) unmake(number uint32) (parent uint32) {
	parent = t.nodes.at(number).parent
	t.attach(number, 0)
	delete(t.texts, number)
	t.nodes.remove(number)
	return parent
}

// attach enters a node among the children of its parent, or takes it out of them
// where the child is to be 0.
func (t *subscriptionTree) attach(number, child uint32) {
	n := t.nodes.at(number)
	parent := t.nodes.at(n.parent)
	switch text := t.text(number); {
	case text == "+":
		parent.plus = child
	case text == "#":
		parent.hash = child
	case child == 0:
		parent.children--
		if n.level.n == longLevel {
			delete(t.long, longEdge{n.parent, text})
		} else {
			delete(t.children, n.edge)
		}
	default:
		parent.children++
		if n.level.n == longLevel {
			t.long[longEdge{n.parent, text}] = child
		} else {
			t.children[n.edge] = child
		}
	}
}

// text returns the level of a node.
func (t *subscriptionTree) text(number uint32) string {
	l := &t.nodes.at(number).level
	if l.n == longLevel {
		return t.texts[number]
	}
	return string(l.text[:l.n])
}

// filter returns the filter of a subscription.
func (t *subscriptionTree) filter(sub *subscription) string {
	var levels []string
	for i := sub.node; i != rootNode; i = t.nodes.at(i).parent {
		levels = append(levels, t.text(i))
	}
	if sub.group != nil {
		levels = append(levels, sub.group.share, "$share")
	}
	slices.Reverse(levels)
	return strings.Join(levels, "/")
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
