package access

import (
	"bytes"
	"strings"
)

// node is a place in a tree of filters, which branches at each level. A check
// costs what the topic's levels and the matching rules cost, however many others
// there are.
type node struct {
	here  bits // of filters that end here
	below bits // of filters that go on with # alone

	names     map[string]*node
	plus      *node
	templates []*template
}

// template is a level with names to be put in.
type template struct {
	level string
	parts []part
	next  *node
}

// part is either text, or 'c' or 'u' for the name that stands there.
type part struct {
	text string
	name byte
}

// names is who a check is about.
type names struct{ user, id string }

// add adds a filter, which is valid.
func (n *node) add(filter string, access bits, pattern bool) {
	for level := range strings.SplitSeq(filter, "/") {
		if level == "#" {
			n.below |= access
			return
		}
		n = n.child(level, pattern)
	}
	n.here |= access
}

func (n *node) child(level string, pattern bool) *node {
	if level == "+" {
		if n.plus == nil {
			n.plus = new(node)
		}
		return n.plus
	}
	if pattern && (strings.Contains(level, "%c") || strings.Contains(level, "%u")) {
		return n.template(level)
	}
	next := n.names[level]
	if next == nil {
		if n.names == nil {
			n.names = make(map[string]*node)
		}
		next = new(node)
		n.names[level] = next
	}
	return next
}

func (n *node) template(level string) *node {
	for _, t := range n.templates {
		if t.level == level {
			return t.next
		}
	}
	t := &template{level: level, parts: parts(level), next: new(node)}
	n.templates = append(n.templates, t)
	return t.next
}

func parts(level string) (all []part) {
	text := 0
	for i := 0; i+1 < len(level); i++ {
		if level[i] == '%' && (level[i+1] == 'c' || level[i+1] == 'u') {
			if i > text {
				all = append(all, part{text: level[text:i]})
			}
			all = append(all, part{name: level[i+1]})
			i++
			text = i + 1
		}
	}
	if text < len(level) {
		all = append(all, part{text: level[text:]})
	}
	return all
}

// find returns what the rules say that match a topic, all of them together. At
// the top of the tree, wildcards and names do not match a topic that begins
// with $.
func (n *node) find(topic []byte, who names, top bool) (found bits) {
	if n == nil {
		return 0
	}
	dollar := top && len(topic) > 0 && topic[0] == '$'
	level, rest, more := bytes.Cut(topic, []byte("/"))
	found = n.names[string(level)].follow(rest, who, more)
	if dollar {
		return found
	}
	found |= n.below | n.plus.follow(rest, who, more)
	for _, t := range n.templates {
		if t.matches(level, who) {
			found |= t.next.follow(rest, who, more)
		}
	}
	return found
}

// follow goes on behind a level that matched.
func (n *node) follow(rest []byte, who names, more bool) bits {
	switch {
	case n == nil:
		return 0
	case more:
		return n.find(rest, who, false)
	}
	return n.here | n.below // home/# matches home too
}

// matches reports whether a level is what the template becomes with the names.
// A client without a user name has nothing that %u could match.
func (t *template) matches(level []byte, who names) bool {
	for _, p := range t.parts {
		text := p.text
		switch p.name {
		case 'c':
			text = who.id
		case 'u':
			if text = who.user; text == "" {
				return false
			}
		}
		if len(level) < len(text) || string(level[:len(text)]) != text {
			return false
		}
		level = level[len(text):]
	}
	return len(level) == 0
}
