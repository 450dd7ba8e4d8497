package broker

import (
	"cmp"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// retainedTree stores the retained messages by the levels of their topics.
// (v3.1.1 3.3.1.3, v5.0 3.3.1.3)
type retainedTree struct {
	root  retainedNode
	n     int
	sys   int // of n, those of $SYS
	bytes int
	seq   uint64
}

// retainedNode is a level of one or more topics.
type retainedNode struct {
	parent   *retainedNode
	level    string
	children map[string]*retainedNode
	// message is the retained message of the topic that ends here, or nil.
	message *codec.Publish
	from    *Client // nil for the broker itself
	expires time.Time
	seq     uint64 // says which was stored first
	timer   timer
}

// retain stores a message, or removes the one that is stored where the payload
// is empty. The message is owned. [MQTT-3.3.1-5] [MQTT-3.3.1-6]
func (b *Broker) retain(m *routed) {
	t, p, expires := &b.retained, m.Publish, m.expires
	if len(p.Payload) == 0 {
		b.unretain(t.get(p.Topic))
		return
	}
	if !isSys(p.Topic) && b.retainedFull(p) {
		b.stats.NotRetained++
		b.unretain(t.get(p.Topic))
		return
	}
	n := t.make(p.Topic)
	if n.message == nil {
		t.n++
		t.sys += sysCount(p.Topic)
	} else {
		t.bytes -= size(n.message)
	}
	t.bytes += size(p)
	t.seq++
	n.message, n.expires, n.seq, n.from = p, expires, t.seq, m.from
	if !expires.IsZero() || n.timer.place != 0 {
		n.timer.owner = n
		b.timers.set(&n.timer, expires)
	}
	b.storeRetained(n)
}

// unretain removes the message of a node, if there is one.
func (b *Broker) unretain(n *retainedNode) {
	if n != nil && n.message != nil {
		b.discardRetained(n.message.Topic)
		b.retained.remove(&b.timers, n)
	}
}

// size is what a message counts against MaximumRetainedBytes.
func size(p *codec.Publish) int { return len(p.Topic) + len(p.Payload) }

// retainedFull reports whether there is no room for a message.
func (b *Broker) retainedFull(p *codec.Publish) bool {
	n, bytes := b.retained.n-b.retained.sys+1, b.retained.bytes+size(p)
	most, mostBytes := b.cfg.MaximumRetained, b.cfg.MaximumRetainedBytes
	if (most <= 0 || n <= most) && (mostBytes <= 0 || bytes <= mostBytes) {
		return false
	}
	if old := b.retained.get(p.Topic); old != nil {
		n--
		bytes -= size(old.message)
	}
	return most > 0 && n > most || mostBytes > 0 && bytes > mostBytes
}

// get returns the node of a topic that has a message, or nil.
func (t *retainedTree) get(topic []byte) *retainedNode {
	n := &t.root
	for more := true; more; {
		var level []byte
		level, topic, more = cutLevel(topic)
		if n = n.children[string(level)]; n == nil {
			return nil
		}
	}
	if n.message == nil {
		return nil
	}
	return n
}

// make returns the node of a topic, which it makes if there is none.
func (t *retainedTree) make(topic []byte) *retainedNode {
	n := &t.root
	for more := true; more; {
		var level []byte
		level, topic, more = cutLevel(topic)
		child := n.children[string(level)]
		if child == nil {
			if n.children == nil {
				n.children = make(map[string]*retainedNode)
			}
			child = &retainedNode{parent: n, level: string(level)}
			n.children[child.level] = child
		}
		n = child
	}
	return n
}

// remove removes the message of a node, and the nodes that nobody needs any
// more.
func (t *retainedTree) remove(timers *timers, n *retainedNode) {
	timers.stop(&n.timer)
	t.bytes -= size(n.message)
	t.sys -= sysCount(n.message.Topic)
	n.message = nil
	t.n--
	for ; n.parent != nil && n.message == nil && len(n.children) == 0; n = n.parent {
		delete(n.parent.children, n.level)
	}
}

// match appends the nodes with a message whose topic matches the filter, in the
// order in which they were stored.
func (t *retainedTree) match(filter []byte, found []*retainedNode) []*retainedNode {
	found = t.root.match(filter, found)
	slices.SortFunc(found, func(a, b *retainedNode) int { return cmp.Compare(a.seq, b.seq) })
	return found
}

func (n *retainedNode) match(filter []byte, found []*retainedNode) []*retainedNode {
	level, rest, more := cutLevel(filter)
	switch string(level) {
	case "#":
		return n.all(found)
	case "+":
		for _, child := range n.children {
			if !n.hides(child) {
				found = child.found(rest, more, found)
			}
		}
	default:
		if child := n.children[string(level)]; child != nil {
			found = child.found(rest, more, found)
		}
	}
	return found
}

// found goes on in a node that matches a level of the filter.
func (n *retainedNode) found(rest []byte, more bool, found []*retainedNode) []*retainedNode {
	if more {
		return n.match(rest, found)
	}
	if n.message != nil {
		found = append(found, n)
	}
	return found
}

// all appends the node and everything below it, which # matches.
func (n *retainedNode) all(found []*retainedNode) []*retainedNode {
	if n.message != nil {
		found = append(found, n)
	}
	for _, child := range n.children {
		if !n.hides(child) {
			found = child.all(found)
		}
	}
	return found
}

// hides reports whether wildcards do not match the child: the first level
// begins with $. [MQTT-4.7.2-1]
func (n *retainedNode) hides(child *retainedNode) bool {
	return n.parent == nil && len(child.level) > 0 && child.level[0] == '$'
}
