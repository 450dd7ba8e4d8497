package broker

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"github.com/mqttcore/mqttcore/codec"
)

// subscription is one Topic Filter of a session, with its options.
// (v3.1.1 and v5.0 3.8)
//
// What is needed to find it begins it, and is in one line of a processor's cache
// if the filter is short.
type subscription struct {
	sess  *sess                          // nil once it has ended
	ids   *codec.SubscriptionIdentifiers // nil for none
	group *group                         // of a shared subscription

	qos               codec.QoS
	noLocal           bool
	retainAsPublished bool
	due               bool // retained messages are still to be sent
	alike             bool // the one before it at its node has the same filter

	filter text // with $share/ShareName
	number uint32
	// Its places among those of its session and of its node.
	ofSession, ofNode links
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
// levels and the matches cost, however many subscriptions there are.
//
// A node is found by a hash of all levels as far as it, not by way of its parent,
// and does not know its text. So all nodes that a topic may need can be read at
// the same time, and few bytes have to be: with very many subscriptions what
// costs most is to wait for memory, once after the other.
type subscriptionTree struct {
	seed   maphash.Seed
	weaken uint64 // bits that all paths have in common, for tests
	root   uint64 // path of the node above the first level
	plus   uint64 // hash of the level

	nodes  table[node]
	subs   slab[subscription]
	spots  table[uint32]     // numbers of subs by session and filter
	groups map[string]*group // by $share/ShareName/filter
	n      int
	shared int // of n

	levels  []uint64 // of the topic that is being matched, hashed
	legs    []leg    // of the filter that is being entered
	touched uint64   // what was read ahead; of no use itself
}

// node is a level of one or more filters, or of different ones that have the
// same hash.
type node struct {
	plus uint32 // of the filters that go through it, those that go on with +
	ends chain  // subscriptions whose filter ends here
	rest chain  // those whose filter ends with # behind it
}

func (t *subscriptionTree) init() {
	t.seed = maphash.MakeSeed()
	t.root, t.plus = t.hash([]byte{'/'}), t.hash([]byte{'+'})
	t.nodes.init()
	t.nodes.take(t.root)
	t.spots.init()
	t.groups = make(map[string]*group)
}

// hash returns the hash of a level. Its seed is random so that nobody can choose
// levels whose hashes are alike; what is found does not depend on it.
func (t *subscriptionTree) hash(level []byte) uint64 { return maphash.Bytes(t.seed, level) }

// below returns the path that is longer by a level.
func (t *subscriptionTree) below(path, level uint64) uint64 {
	hi, lo := bits.Mul64(path^0x9E3779B97F4A7C15, level)
	return (hi ^ lo) | t.weaken
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
	t.prepare(topic)
	// [MQTT-4.7.2-1]: wildcards at the beginning do not match $.
	t.matchBelow(t.root, t.levels, topic[0] != '$', topic, m)
}

// prepare hashes the levels of a topic, and reads ahead the nodes that lead to
// it.
func (t *subscriptionTree) prepare(topic []byte) {
	levels, path, read := t.levels[:0], t.root, uint64(0)
	for more := true; more; {
		var level []byte
		level, topic, more = cutLevel(topic)
		h := t.hash(level)
		levels = append(levels, h)
		path = t.below(path, h)
		read |= t.nodes.touch(path)
	}
	t.levels, t.touched = levels, read
}

// matchBelow goes on from a path with the levels of the topic that are left.
func (t *subscriptionTree) matchBelow(path uint64, levels []uint64, wildcards bool, topic []byte, m *match) {
	for ; ; wildcards = true {
		n := t.nodes.at(path)
		if n == nil {
			return
		}
		if n.value.rest.first != 0 && wildcards {
			t.collect(n.value.rest, topic, m)
		}
		if len(levels) == 0 {
			t.collect(n.value.ends, topic, m)
			return
		}
		if n.value.plus != 0 && wildcards {
			t.matchBelow(t.below(path, t.plus), levels[1:], true, topic, m)
		}
		path, levels = t.below(path, levels[0]), levels[1:]
	}
}

// collect takes the subscriptions of a node whose filters really match.
func (t *subscriptionTree) collect(c chain, topic []byte, m *match) {
	matches := false
	for i := c.first; i != 0; {
		sub := t.subs.at(i)
		if !sub.alike {
			matches = sub.filter.is(topic) || codec.Match(sub.filter.bytes(), topic)
		}
		switch {
		case !matches:
		case sub.group != nil:
			m.addGroup(sub.group)
		default:
			m.add(sub)
		}
		i = sub.ofNode.next
	}
}
