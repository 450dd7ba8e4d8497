package broker

import (
	"bytes"

	"github.com/mqttcore/mqttcore/codec"
)

// subscription is one Topic Filter of a session, with its options.
// (v3.1.1 and v5.0 3.8)
type subscription struct {
	sess   *sess                          // nil once it has ended
	ids    *codec.SubscriptionIdentifiers // nil for none
	group  *group                         // of a shared subscription
	number uint32
	node   uint32
	// Its places among those of its session and of its node.
	ofSession, ofNode links

	qos               codec.QoS
	noLocal           bool
	retainAsPublished bool
	due               bool // retained messages are still to be sent
}

// id returns the Subscription Identifier, 0 for none.
func (s *subscription) id() uint32 {
	if s.ids != nil {
		for id := range s.ids.All() {
			return id
		}
	}
	return 0
}

// subscriptionTree is the index of all subscriptions. It has a node for each
// level of each filter, so that finding the matches of a topic costs what its
// levels and the matches cost, however many subscriptions there are. Nodes and
// subscriptions are numbers, and all children are in one table, as memory that is
// not in a cache is what costs most.
type subscriptionTree struct {
	nodes    slab[node]
	subs     slab[subscription]
	children map[edge]uint32     // but for the wildcards
	long     map[longEdge]uint32 // those whose level is long
	texts    map[uint32]string   // of these
	spots    map[spot]uint32
	n        int
	shared   int    // of n
	groups   uint32 // that there ever were
}

// node is a level of one or more filters.
type node struct {
	edge
	children   uint32 // less the wildcards
	plus, hash uint32 // the children for wildcards, 0 for none
	subs       chain  // those whose filter ends here
	groups     *group
}

// edge leads from a node to one of its children.
type edge struct {
	parent uint32
	level  level
}

// level is the text of a level, if it is short.
type level struct {
	n    uint8 // longLevel for another one
	text [15]byte
}

type longEdge struct {
	parent uint32
	text   string
}

const (
	longLevel = 0xFF
	rootNode  = 1
)

// spot is what there is one subscription for.
type spot struct {
	session     uint64
	node, group uint32
}

func (t *subscriptionTree) init() {
	t.children, t.long = make(map[edge]uint32), make(map[longEdge]uint32)
	t.texts, t.spots = make(map[uint32]string), make(map[spot]uint32)
	t.nodes.add() // rootNode
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
	t.matchBelow(rootNode, topic, topic[0] != '$', m)
}

// matchBelow goes on below a node with what is left of the topic.
func (t *subscriptionTree) matchBelow(number uint32, topic []byte, wildcards bool, m *match) {
	n := t.nodes.at(number)
	if n.hash != 0 && wildcards {
		t.collect(t.nodes.at(n.hash), m)
	}
	level, rest, more := cutLevel(topic)
	if n.children != 0 {
		if child := t.child(number, level); child != 0 {
			t.found(child, rest, more, m)
		}
	}
	if n.plus != 0 && wildcards {
		t.found(n.plus, rest, more, m)
	}
}

// found goes on in a node that matches a level.
func (t *subscriptionTree) found(number uint32, rest []byte, more bool, m *match) {
	if more {
		t.matchBelow(number, rest, true, m)
		return
	}
	n := t.nodes.at(number)
	t.collect(n, m)
	if n.hash != 0 {
		t.collect(t.nodes.at(n.hash), m) // "a/#" matches "a"
	}
}

func (t *subscriptionTree) collect(n *node, m *match) {
	for i := n.subs.first; i != 0; {
		sub := t.subs.at(i)
		m.add(sub)
		i = sub.ofNode.next
	}
	for g := n.groups; g != nil; g = g.sibling {
		m.groups = append(m.groups, g)
	}
}

// child returns the child of a node for a level that is no wildcard, 0 for none.
func (t *subscriptionTree) child(parent uint32, text []byte) uint32 {
	e := edge{parent: parent}
	if len(text) > len(e.level.text) {
		return t.long[longEdge{parent, string(text)}]
	}
	e.level.n = uint8(copy(e.level.text[:], text))
	return t.children[e]
}
