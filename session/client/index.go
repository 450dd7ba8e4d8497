package client

import (
	"bytes"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
)

// index finds the filters that match a topic. It has a node for each level of
// each filter, so that a search costs what the levels of the topic and the
// matches cost, however many filters there are.
type index struct{ root indexNode }

// indexNode is a level of one or more filters.
type indexNode struct {
	parent   *indexNode
	level    string
	children map[string]*indexNode // but for the wildcards
	plus     *indexNode
	hash     *indexNode
	entries  []*entry // whose filter ends here
}

// add enters a filter. A shared subscription matches what its filter behind
// the ShareName matches. (v5.0 4.8.2)
func (x *index) add(e *entry) {
	_, filter, _ := codec.ParseShared(e.filter)
	n := &x.root
	for more := true; more; {
		var level string
		level, filter, more = strings.Cut(filter, "/")
		n = n.child(level)
	}
	e.node = n
	n.entries = append(n.entries, e)
}

// child returns the node of a level, which it makes if there is none.
func (n *indexNode) child(level string) *indexNode {
	slot := &n.hash
	switch level {
	case "#":
	case "+":
		slot = &n.plus
	default:
		child := n.children[level]
		if child == nil {
			child = &indexNode{parent: n, level: level}
			if n.children == nil {
				n.children = make(map[string]*indexNode)
			}
			n.children[level] = child
		}
		return child
	}
	if *slot == nil {
		*slot = &indexNode{parent: n, level: level}
	}
	return *slot
}

// remove takes a filter out, and with it the nodes that nobody needs any more.
// The order of the others stays.
func (x *index) remove(e *entry) {
	n := e.node
	e.node = nil
	for i, other := range n.entries {
		if other == e {
			n.entries = append(n.entries[:i], n.entries[i+1:]...)
			break
		}
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

func (n *indexNode) empty() bool {
	return len(n.entries)+len(n.children) == 0 && n.plus == nil && n.hash == nil
}

// match hands every filter that matches the topic to s. Wildcards at the
// beginning do not match $. (v3.1.1 and v5.0 4.7.2)
func (x *index) match(topic []byte, s *subscriptions) {
	if len(topic) > 0 {
		x.root.match(topic, topic[0] != '$', s)
	}
}

// match goes on below a node with what is left of the topic.
func (n *indexNode) match(topic []byte, wildcards bool, s *subscriptions) {
	if n.hash != nil && wildcards {
		s.collect(n.hash)
	}
	level, rest, more := topic, []byte(nil), false
	if i := bytes.IndexByte(topic, '/'); i >= 0 {
		level, rest, more = topic[:i], topic[i+1:], true
	}
	if child := n.children[string(level)]; child != nil {
		child.follow(rest, more, s)
	}
	if n.plus != nil && wildcards {
		n.plus.follow(rest, more, s)
	}
}

// follow goes on in a node that matches a level.
func (n *indexNode) follow(rest []byte, more bool, s *subscriptions) {
	if more {
		n.match(rest, true, s)
		return
	}
	s.collect(n)
	if n.hash != nil {
		s.collect(n.hash) // "a/#" matches "a"
	}
}

// collect adds the groups of the filters that end at a node to found.
func (s *subscriptions) collect(n *indexNode) {
	for _, e := range n.entries {
		s.find(e.group)
	}
}

// find adds a group to found, once.
func (s *subscriptions) find(g *group) {
	if g.mark != s.mark {
		g.mark = s.mark
		s.found = append(s.found, g)
	}
}
