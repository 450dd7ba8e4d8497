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
		if sub := t.subs.at(spot.value); sub.sess == s && t.has(sub, filter) {
			return sub
		}
		return nil
	}
	for i := s.subs; i != 0; {
		sub := t.subs.at(i)
		if t.has(sub, filter) {
			return sub
		}
		i = sub.ofSession.next
	}
	return nil
}

// name returns the filter of a subscription, with $share/ShareName. It is valid
// until the index changes, and not to be changed.
func (t *subscriptionTree) name(sub *subscription) []byte {
	if sub.group != nil {
		return []byte(sub.group.filter)
	}
	return t.nameInIndex(sub)
}

// nameInIndex is name without $share/ShareName, for a subscription in the index.
func (t *subscriptionTree) nameInIndex(sub *subscription) []byte {
	if sub.long != "" {
		return []byte(sub.long)
	}
	f := t.filterOf(sub)
	return f.short[:f.n]
}

// has reports whether a subscription has the filter.
func (t *subscriptionTree) has(sub *subscription, filter []byte) bool {
	if sub.group != nil {
		return sub.group.filter == string(filter)
	}
	return t.is(t.filterOf(sub), filter)
}

// filterOf returns the filter of a subscription in the index.
func (t *subscriptionTree) filterOf(sub *subscription) *filter {
	return &t.filters[sub.kind].at(sub.filter).value
}

// spot returns the key of what there is one subscription for.
func (t *subscriptionTree) spot(s *sess, filter []byte) uint64 {
	return t.below(s.number*0xD6E8FEB86659FD93, t.hash(filter))
}

// add enters a subscription of a session that has none to the filter.
func (t *subscriptionTree) add(s *sess, filter []byte) *subscription {
	number, sub := t.subs.add()
	*sub = subscription{subscriber: subscriber{sess: s}, number: number}
	if _, rest, shared := codec.ParseShared(filter); shared {
		t.shared++
		t.join(sub, filter, rest)
	} else {
		t.enter(sub, filter)
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

// remove takes a subscription out of the index.
func (t *subscriptionTree) remove(sub *subscription) {
	t.spots.drop(t.spots.at(t.spot(sub.sess, t.name(sub))))
	t.drop(&sub.sess.subs, sub, (*subscription).sessionLinks)
	t.n--
	sub.sess.filters--
	if sub.due != 0 {
		sub.sess.replay.drop(sub)
	}
	if sub.group != nil {
		t.shared--
		t.leave(sub)
	} else {
		t.withdraw(sub)
	}
	t.subs.remove(sub.number)
}

// enter makes a subscription one that is found for topics.
func (t *subscriptionTree) enter(sub *subscription, name []byte) {
	w := t.way(name)
	for i, p := range w.pluses {
		at := &t.pluses.take(p.path).value
		for _, q := range w.pluses[i+1:] {
			*at = at.add(q.levels - p.levels - 1)
		}
		*at = at.add(w.levels - p.levels - 1)
	}
	t.count(&w, 1)
	for path := w.end; ; path = another(path) {
		f := &t.filters[w.kind].take(path).value
		switch {
		case f.subs != 0 && !t.is(f, name):
			f.beyond = true
			continue
		case len(name) <= len(f.short):
			f.n = uint8(copy(f.short[:], name))
		case f.subs != 0:
			sub.long = t.subs.at(f.subs).long
		default:
			sub.long = string(name)
		}
		sub.filter, sub.kind = path, w.kind
		t.push(&f.subs, sub, (*subscription).filterLinks)
		t.settle(f)
		return
	}
}

// withdraw takes back what enter did.
func (t *subscriptionTree) withdraw(sub *subscription) {
	w := t.way(t.nameInIndex(sub))
	for _, p := range w.pluses {
		t.pluses.drop(t.pluses.at(p.path))
	}
	t.count(&w, ^uint32(0))
	for path, found := w.end, false; !found; path = another(path) {
		s := t.filters[w.kind].at(path)
		if found = path == sub.filter; found {
			f := &s.value
			t.drop(&f.subs, sub, (*subscription).filterLinks)
			t.settle(f)
		}
		t.filters[w.kind].drop(s)
	}
}

// update is called after the options of a subscription have changed.
func (t *subscriptionTree) update(sub *subscription) {
	if sub.group == nil {
		t.settle(t.filterOf(sub))
	}
}

// settle notes the only subscription of a filter.
func (t *subscriptionTree) settle(f *filter) {
	f.sess = nil
	if f.subs == 0 {
		f.n = 0
	} else if sub := t.subs.at(f.subs); sub.ofFilter.next == 0 && sub.ids == nil && sub.group == nil && sub.due == 0 {
		f.sess, f.options = sub.sess, sub.options
	}
}

// way is how a match comes to a filter.
type way struct {
	pluses []plus
	end    uint64 // where the filter is
	levels int    // but for #
	kind   kind
}

// plus is a level + of a filter.
type plus struct {
	path   uint64 // as far as this level
	levels int    // before it
}

func (t *subscriptionTree) way(name []byte) (w way) {
	w = way{pluses: t.turns[:0], end: t.root}
	for more := true; more; {
		var level []byte
		level, name, more = cutLevel(name)
		if string(level) == "#" {
			w.end, w.kind = t.below(w.end, t.numberSign), multiLevel
			break
		}
		w.end = t.below(w.end, t.hash(level))
		if string(level) == "+" {
			w.pluses, w.kind = append(w.pluses, plus{w.end, w.levels}), singleLevel
		}
		w.levels++
	}
	t.turns = w.pluses
	return w
}

// count adds to what is known of the reach of all filters.
func (t *subscriptionTree) count(w *way, n uint32) {
	for len(t.reach) <= w.levels {
		t.reach = append(t.reach, reach{})
	}
	for _, p := range w.pluses {
		t.reach[p.levels].plus += n
	}
	if w.kind == multiLevel {
		t.reach[w.levels].rest += n
	} else {
		t.reach[w.levels].ends += n
	}
}

// of returns the subscriptions of a session.
func (t *subscriptionTree) of(s *sess) []*subscription {
	list := make([]*subscription, 0, s.filters)
	for i := s.subs; i != 0; {
		sub := t.subs.at(i)
		list = append(list, sub)
		i = sub.ofSession.next
	}
	return list
}

func (s *subscription) sessionLinks() *links { return &s.ofSession }
func (s *subscription) filterLinks() *links  { return &s.ofFilter }

// push puts a subscription at the end of a chain.
func (t *subscriptionTree) push(c *chain, sub *subscription, of func(*subscription) *links) {
	if *c == 0 {
		*of(sub) = links{prev: sub.number}
		*c = sub.number
		return
	}
	first := of(t.subs.at(*c))
	*of(sub) = links{prev: first.prev}
	of(t.subs.at(first.prev)).next = sub.number
	first.prev = sub.number
}

// drop takes a subscription out of a chain.
func (t *subscriptionTree) drop(c *chain, sub *subscription, of func(*subscription) *links) {
	l := *of(sub)
	if *c == sub.number {
		*c = l.next
	} else {
		of(t.subs.at(l.prev)).next = l.next
	}
	switch {
	case l.next != 0:
		of(t.subs.at(l.next)).prev = l.prev
	case *c != 0: // it was the last one
		of(t.subs.at(*c)).prev = l.prev
	}
}
