package access

import (
	"errors"
	"strings"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// bits is what a rule is about.
type bits uint8

const (
	read bits = 1 << iota
	write
	deny
)

// rules is an ACL file.
type rules struct {
	users    map[string]*node // "" has the rules for clients without a name
	patterns *node            // for all

	// Whether there are patterns, and whether they hold %c and %u.
	any, usesID, usesUser bool
}

// allow decides as mosquitto does: first by the rules of the user, where deny
// goes before all others, then by the patterns in the same way. What no rule
// allows is forbidden.
func (r *rules) allow(user, id string, topic []byte, want bits) bool {
	who := names{user: user, id: id}
	if found := r.users[user].find(topic, who, true); found != 0 {
		if found&deny != 0 {
			return false
		}
		if found&want != 0 {
			return true
		}
	}
	if r.any && r.dangerous(who) {
		return false
	}
	found := r.patterns.find(topic, who, true)
	return found&deny == 0 && found&want != 0
}

// dangerous reports whether patterns would mean something else with these names:
// wildcards, or another number of levels. Such a client is allowed nothing by
// patterns, not even where they leave names out, as with mosquitto; a name with
// "/", which mosquitto takes, only counts where it is used.
func (r *rules) dangerous(who names) bool {
	return strings.ContainsAny(who.user, "+#") || strings.ContainsAny(who.id, "+#") ||
		r.usesUser && strings.Contains(who.user, "/") ||
		r.usesID && strings.Contains(who.id, "/")
}

func loadRules(file string) (*rules, error) {
	lines, err := config.ReadLines("ACL file", file)
	if err != nil {
		return nil, err
	}
	return parseRules(lines)
}

func parseRules(lines []config.Line) (*rules, error) {
	r := &rules{users: make(map[string]*node), patterns: new(node)}
	var errs []error
	user := ""
	for _, l := range lines {
		word, rest := l.Cut()
		var err error
		switch word {
		case "user":
			if user = rest; user == "" {
				err = errors.New("user needs a name")
			}
		case "topic":
			n := r.users[user]
			if n == nil {
				n = new(node)
				r.users[user] = n
			}
			err = n.rule(word, rest, false)
		case "pattern":
			r.any = true
			r.usesID = r.usesID || strings.Contains(rest, "%c")
			r.usesUser = r.usesUser || strings.Contains(rest, "%u")
			err = r.patterns.rule(word, rest, true)
		default:
			err = errors.New("a line of an ACL file begins with topic, user, pattern or #")
		}
		if err != nil {
			errs = append(errs, l.Errorf("%w", err))
		}
	}
	return r, errors.Join(errs...)
}

// rule adds a rule in its written form, [read|write|readwrite|deny] FILTER. One
// word alone is a filter, whatever it is.
func (n *node) rule(word, text string, pattern bool) error {
	kind, filter, ok := strings.Cut(text, " ")
	access := read | write
	switch {
	case text == "":
		return errors.New(word + " needs a filter, such as home/#")
	case !ok:
		filter = text
	default:
		switch kind {
		case "read":
			access = read
		case "write":
			access = write
		case "readwrite":
		case "deny":
			access = deny
		default:
			return errors.New(kind + " is no kind of access; use read, write, readwrite or deny")
		}
		filter = strings.TrimSpace(filter)
	}
	if codec.ValidTopicFilter(filter, codec.V5.AllowControlCharacters()) != nil {
		return errors.New(filter + " is no filter: + stands for a whole level, # for all at the end")
	}
	n.add(filter, access, pattern)
	return nil
}
