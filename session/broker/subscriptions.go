package broker

import (
	"bytes"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
)

// subscription is one Topic Filter of a session, with its options.
// (v3.1.1 and v5.0 3.8)
type subscription struct {
	sess              *sess
	filter            string // as the client wrote it
	qos               codec.QoS
	noLocal           bool
	retainAsPublished bool
	id                uint32                         // Subscription Identifier, 0 for none
	ids               *codec.SubscriptionIdentifiers // the same as a property, nil for none

	node  *subscriptionNode
	group *group // of a shared subscription
	place int    // in the list of its node or group
	full  uint64 // the round of the group in which it had no room
}

// subscriptionTree is the index of all subscriptions. It has a node for each
// level of each filter, so that finding the matches of a topic costs what its
// levels and the matches cost, however many subscriptions there are.
type subscriptionTree struct {
	root   subscriptionNode
	n      int
	shared int // of n
}

// subscriptionNode is a level of one or more filters.
type subscriptionNode struct {
	parent   *subscriptionNode
	level    string
	children map[string]*subscriptionNode // but for the wildcards
	plus     *subscriptionNode
	hash     *subscriptionNode
	subs     []*subscription // whose filter ends here
	groups   []*group
}

// cutLevel splits off the first level of a topic.
func cutLevel(topic []byte) (level, rest []byte, more bool) {
	i := bytes.IndexByte(topic, '/')
	if i < 0 {
		return topic, nil, false
	}
	return topic[:i], topic[i+1:], true
}

// match hands every subscription that matches the topic to m.
func (t *subscriptionTree) match(topic []byte, m *match) {
	// [MQTT-4.7.2-1]: wildcards at the beginning do not match $.
	t.root.match(topic, topic[0] != '$', m)
}

// match goes on below a node with what is left of the topic.
func (n *subscriptionNode) match(topic []byte, wildcards bool, m *match) {
	if n.hash != nil && wildcards {
		n.hash.collect(m)
	}
	level, rest, more := cutLevel(topic)
	if child := n.children[string(level)]; child != nil {
		child.found(rest, more, m)
	}
	if n.plus != nil && wildcards {
		n.plus.found(rest, more, m)
	}
}

// found goes on in a node that matches a level.
func (n *subscriptionNode) found(rest []byte, more bool, m *match) {
	if more {
		n.match(rest, true, m)
		return
	}
	n.collect(m)
	if n.hash != nil {
		n.hash.collect(m) // "a/#" matches "a"
	}
}

func (n *subscriptionNode) collect(m *match) {
	for _, sub := range n.subs {
		m.add(sub)
	}
	m.groups = append(m.groups, n.groups...)
}

// add enters a subscription.
func (t *subscriptionTree) add(sub *subscription) {
	share, filter, shared := codec.ParseShared(sub.filter)
	n := &t.root
	for more := true; more; {
		var level string
		level, filter, more = strings.Cut(filter, "/")
		n = n.child(level)
	}
	sub.node = n
	t.n++
	if shared {
		t.shared++
		n.group(share).add(sub)
		return
	}
	sub.place = len(n.subs)
	n.subs = append(n.subs, sub)
}

// child returns the node of a level, which it makes if there is none.
func (n *subscriptionNode) child(level string) *subscriptionNode {
	var slot **subscriptionNode
	switch level {
	case "+":
		slot = &n.plus
	case "#":
		slot = &n.hash
	default:
		if child := n.children[level]; child != nil {
			return child
		}
		if n.children == nil {
			n.children = make(map[string]*subscriptionNode)
		}
		child := &subscriptionNode{parent: n, level: level}
		n.children[level] = child
		return child
	}
	if *slot == nil {
		*slot = &subscriptionNode{parent: n, level: level}
	}
	return *slot
}

// remove takes a subscription out of the index, and with it the nodes that
// nobody needs any more.
func (t *subscriptionTree) remove(sub *subscription) {
	t.n--
	n := sub.node
	if sub.group != nil {
		t.shared--
		n.leave(sub)
	} else {
		last := len(n.subs) - 1
		n.subs[sub.place] = n.subs[last]
		n.subs[sub.place].place = sub.place
		n.subs[last] = nil
		n.subs = n.subs[:last]
	}
	for ; n.parent != nil && n.empty(); n = n.parent {
		switch p := n.parent; n.level {
		case "+":
			p.plus = nil
		case "#":
			p.hash = nil
		default:
			delete(p.children, n.level)
		}
	}
}

func (n *subscriptionNode) empty() bool {
	return len(n.subs)+len(n.groups)+len(n.children) == 0 && n.plus == nil && n.hash == nil
}
