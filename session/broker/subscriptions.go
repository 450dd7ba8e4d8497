package broker

import (
	"bytes"
	"hash/maphash"
	"math/bits"

	"github.com/mqttcore/mqttcore/codec"
)

// subscriber is who subscribed and how: what a match has to know of a subscription.
type subscriber struct {
	sess  *sess                          // nil once it has ended, and for a shared one in the index
	ids   *codec.SubscriptionIdentifiers // nil for none
	group *group                         // of a shared subscription
	options
	kind kind // of its filter, not for one of a group
}

type options struct {
	qos               codec.QoS
	noLocal           bool
	retainAsPublished bool
}

// id returns the Subscription Identifier, 0 for none.
func (s *subscriber) id() uint32 {
	if s.ids != nil {
		for id := range s.ids.All() {
			return id
		}
	}
	return 0
}

// subscription is one Topic Filter of a session, with its options. After a change
// of these the index is told by update. (v3.1.1 and v5.0 3.8)
type subscription struct {
	subscriber
	filter uint64 // where its filter is in the index, not for one of a group
	long   string // its name, if that has no room there
	number uint32
	due    uint32 // its place among those whose retained messages are due, from 1; 0 for none
	// Its places among those of its session and of its filter.
	ofSession, ofFilter links
}

// subscriptionTree is the index of all subscriptions. Finding the matches of a
// topic costs what its levels and the matches cost, however many subscriptions
// there are.
//
// It is the tree of all levels of all filters, of which only those nodes are
// stored that a match cannot do without: where a filter ends, and where one goes
// on with +. They are found by a hash of all levels as far as them, not by way of
// the nodes above. So a match reads them at the same time, and few of them: with
// very many subscriptions what costs most is to wait for memory, once after the
// other.
type subscriptionTree struct {
	seed       maphash.Seed
	weaken     uint64 // bits that all paths have in common, for tests
	root       uint64 // path of the node above the first level
	plusSign   uint64 // hash of the level +
	numberSign uint64 // of #

	filters [kinds]table[filter]
	pluses  table[depths] // paths that end with +, one for each + of a filter
	reach   []reach       // of all filters, by the number of levels before

	subs   slab[subscription]
	spots  table[uint32]     // numbers of subs by session and filter
	groups map[string]*group // by $share/ShareName/filter
	n      int
	shared int // of n

	mounted bool // there are sessions with a mount point

	turns  []plus   // of the filter that is being entered
	levels []uint64 // of the topic that is being matched, hashed
	whole  bool     // these are all of its levels
}

// kind is a kind of filters. Each has a table of its own, so that one with few of
// them stays in the cache where another is large, and says there what is not in it.
type kind uint8

const (
	exact       kind = iota // without wildcards
	singleLevel             // with +
	multiLevel              // with # at the end
	kinds       = 3
)

// filter is a Topic Filter, without $share/ShareName. Most have one subscription
// and a short name. Then it contains all that a match needs, in one line of a
// processor's cache.
type filter struct {
	sess *sess // of the only subscription, unless that is due or has an identifier or a group
	subs chain // empty if the slot only leads to others
	options
	beyond bool  // other filters with the same hash are behind it
	n      uint8 // bytes of short, 0 for a long name, which the subscriptions have
	short  [31]byte
}

// reach says how many filters end with so many levels, have # as the next level,
// and +. Where there are none, nothing is looked for.
type reach struct{ ends, rest, plus uint32 }

// depths says at which levels behind a + one of its filters ends or has a wildcard:
// bit 0 right behind it, bit 31 at the 31st or later. Others need not be looked
// at. What has ended may still be in it.
type depths uint32

const far = depths(1) << 31

func (d depths) add(levels int) depths { return d | 1<<min(levels, 31) }

// next returns what there is from the next level on.
func (d depths) next() depths { return d>>1 | d&far }

func (t *subscriptionTree) init() {
	t.seed = maphash.MakeSeed()
	t.root, t.plusSign, t.numberSign = t.hash([]byte{'/'}), t.hash([]byte{'+'}), t.hash([]byte{'#'})
	for i := range t.filters {
		t.filters[i].init()
	}
	t.pluses.init()
	t.spots.init()
	t.reach = make([]reach, 1)
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

// another returns where a filter is if there is another one at its path. All values
// come before the first one comes again.
func another(path uint64) uint64 { return path*0x5851F42D4C957F2D + 0x14057B7EF767814F }

// match hands every subscription that matches the topic to m.
func (t *subscriptionTree) match(topic []byte, m *match) {
	t.prepare(topic)
	t.matchBelow(exact, t.root, 0, ^depths(0), topic, m)
}

// prepare hashes the levels of a topic, as far as there are filters.
func (t *subscriptionTree) prepare(topic []byte) {
	levels, more := t.levels[:0], true
	for rest := topic; more && len(levels) < len(t.reach)-1; {
		var level []byte
		level, rest, more = cutLevel(rest)
		levels = append(levels, t.hash(level))
	}
	t.levels, t.whole = levels, !more
}

// matchBelow goes on from a path that has the first n levels of the topic. k tells
// whether + is one of them.
func (t *subscriptionTree) matchBelow(k kind, path uint64, n int, at depths, topic []byte, m *match) {
	for ; at != 0; n, at = n+1, at.next() {
		if r := &t.reach[n]; at&1 != 0 && (r.rest|r.plus != 0 || n == len(t.levels)) {
			t.matchAt(k, path, n, topic, m)
		}
		if n == len(t.levels) {
			return
		}
		path = t.below(path, t.levels[n])
	}
}

// matchAt looks for what ends at a path, or goes on with a wildcard.
func (t *subscriptionTree) matchAt(k kind, path uint64, n int, topic []byte, m *match) {
	r := &t.reach[n]
	if n == len(t.levels) && r.ends != 0 && t.whole {
		t.collect(k, path, topic, m)
	}
	if n == 0 && topic[0] == '$' {
		return // [MQTT-4.7.2-1]
	}
	if r.rest != 0 {
		t.collect(multiLevel, t.below(path, t.numberSign), topic, m)
	}
	if n < len(t.levels) && r.plus != 0 {
		p := t.below(path, t.plusSign)
		if s := t.pluses.at(p); s != nil {
			t.matchBelow(singleLevel, p, n+1, s.value, topic, m)
		}
	}
}

// collect takes the subscriptions of the filters of a path that really match.
func (t *subscriptionTree) collect(k kind, path uint64, topic []byte, m *match) {
	for more := true; more; path = another(path) {
		s := t.filters[k].at(path)
		if s == nil {
			return
		}
		f := &s.value
		if f.subs != 0 && t.fits(f, topic) {
			t.hand(f, topic, m)
		}
		more = f.beyond
	}
}

// hand hands the subscriptions of a filter to m, but for those of sessions that do
// not see the topic. Who sees it of a shared one is for its turn to tell.
func (t *subscriptionTree) hand(f *filter, topic []byte, m *match) {
	if f.sess != nil {
		if !t.mounted || t.reaches(f.sess, f, topic) {
			m.add(&subscriber{sess: f.sess, options: f.options})
		}
		return
	}
	for i := f.subs; i != 0; {
		sub := t.subs.at(i)
		if !t.mounted || sub.group != nil || t.reaches(sub.sess, f, topic) {
			m.add(&sub.subscriber)
			if sub.due != 0 {
				m.due = append(m.due, sub)
			}
		}
		i = sub.ofFilter.next
	}
}

// reaches reports whether a session sees a topic by a filter.
func (t *subscriptionTree) reaches(s *sess, f *filter, topic []byte) bool {
	if f.n == 0 {
		return sees(s, t.subs.at(f.subs).long, topic)
	}
	return sees(s, f.short[:f.n], topic)
}

// fits reports whether a filter matches a topic.
func (t *subscriptionTree) fits(f *filter, topic []byte) bool {
	if f.n == 0 {
		return codec.Match(t.subs.at(f.subs).long, topic)
	}
	name := f.short[:f.n]
	return string(name) == string(topic) || codec.Match(name, topic)
}

// is reports whether a filter has a name, which is not empty.
func (t *subscriptionTree) is(f *filter, name []byte) bool {
	if f.n == 0 {
		return t.subs.at(f.subs).long == string(name)
	}
	return string(f.short[:f.n]) == string(name)
}
