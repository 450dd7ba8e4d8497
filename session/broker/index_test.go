package broker

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// The index finds what codec.Match finds while subscriptions come and go, and it
// does so when hashes are so bad that different filters have one node, and
// different subscriptions of a session have one spot. What a session with a mount
// point finds is what codec.Match finds behind that. [MQTT-4.7.1-2] v5
// [MQTT-4.7.2-1] v5
func TestIndexAgainstModel(t *testing.T) {
	for _, bits := range []uint{64, 12, 5, 1} {
		r := rand.New(rand.NewPCG(uint64(bits), 1))
		x := newIndexModel(t, ^uint64(0)>>bits, bits != 12)
		for step := range 20_000 {
			s := x.sessions[r.IntN(len(x.sessions))]
			filter, topic := randomTopic(r), randomTopic(r)
			if bits == 64 && step%8 == 0 {
				filter, topic = deepTopic(r), deepTopic(r)
			}
			if mount := s.client.Endpoint.MountPoint; mount != "" && r.IntN(3) == 0 {
				topic = mount + topic
			}
			full := mountedFilter(s.client.Endpoint.MountPoint, codec.Bytes(withWildcards(r, filter)))
			x.toggle(s, string(full), codec.QoS(r.IntN(3)), r.IntN(300) > x.tree.n)
			if step%4 == 0 {
				x.compare(topic)
			}
		}
		x.empty()
	}
}

type indexModel struct {
	*testing.T
	tree     *subscriptionTree
	sessions []*sess
	model    map[*sess]map[string]*subscription
	m        match
}

func newIndexModel(t *testing.T, weaken uint64, mounted bool) *indexModel {
	x := &indexModel{T: t, tree: new(subscriptionTree), model: make(map[*sess]map[string]*subscription)}
	x.tree.weaken = weaken
	x.tree.init()
	x.tree.mounted = mounted
	mounts := []string{"", "", "", "a/", "a/b/"}
	for i := range 20 {
		s := newSess(uint64(i + 1))
		s.client = &Client{Endpoint: new(Endpoint)}
		if mounted {
			s.client.Endpoint.MountPoint = mounts[i%len(mounts)]
		}
		x.sessions = append(x.sessions, s)
		x.model[s] = make(map[string]*subscription)
	}
	return x
}

// toggle subscribes if there is no such subscription and add holds, and
// unsubscribes or changes the QoS if there is one.
func (x *indexModel) toggle(s *sess, filter string, qos codec.QoS, add bool) {
	x.Helper()
	sub := x.tree.find(s, []byte(filter))
	if sub != x.model[s][filter] {
		x.Fatalf("session %d, %s: found %v, want %v", s.number, filter, sub, x.model[s][filter])
	}
	switch {
	case sub != nil && sub.qos != qos:
		sub.qos = qos
		x.tree.update(sub)
	case sub != nil:
		x.tree.remove(sub)
		delete(x.model[s], filter)
	case add:
		sub = x.tree.add(s, []byte(filter))
		if got := string(x.tree.name(sub)); got != filter {
			x.Fatalf("the filter is %q, want %q", got, filter)
		}
		sub.qos = qos
		x.tree.update(sub)
		x.model[s][filter] = sub
	}
}

// compare looks for the matches of a topic in both ways.
func (x *indexModel) compare(topic string) {
	x.Helper()
	x.m.start(nil)
	x.tree.match([]byte(topic), &x.m)
	var got, want []uint64
	for _, s := range x.m.sessions {
		got = append(got, s.number)
	}
	groups := make(map[string]bool)
	for _, s := range x.sessions {
		found, qos := false, codec.QoS0
		for filter, sub := range x.model[s] {
			if _, rest, shared := codec.ParseShared([]byte(filter)); shared {
				groups[filter] = groups[filter] || codec.Match(rest, topic)
			} else if matchBelow(s.client.Endpoint.MountPoint, filter, topic) {
				found, qos = true, max(qos, sub.qos)
			}
		}
		if found {
			want = append(want, s.number)
			if s.hit.qos != qos {
				x.Fatalf("%s: session %d gets it at QoS %d, want %d", topic, s.number, s.hit.qos, qos)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		x.Fatalf("%s: sessions %d, want %d", topic, got, want)
	}
	n := len(x.m.groups)
	for _, g := range x.m.groups {
		if !groups[g.filter] {
			x.Fatalf("%s: shared subscription %s", topic, g.filter)
		}
	}
	for _, matches := range groups {
		if matches {
			n--
		}
	}
	if n != 0 {
		x.Fatalf("%s: %d shared subscriptions, %d too many", topic, len(x.m.groups), n)
	}
}

// A match allocates nothing where there are mount points either.
func TestMountedMatchAllocates(t *testing.T) {
	b := New(Config{})
	at := b.endpoint(&Endpoint{MountPoint: strings.Repeat("long", 20) + "/"})
	s := newSess(1)
	s.client = &Client{Endpoint: &at.Endpoint}
	for _, f := range []string{"#", "+/x", "$x/x"} {
		b.enter(s, &codec.Subscription{Filter: mountedFilter(at.MountPoint, codec.Bytes(f))}, 0)
	}
	for name, sessions := range map[string]int{"$x/x": 1, "$y/x": 0, "x/x": 1} {
		topic := codec.Bytes(at.MountPoint + name)
		if n := testing.AllocsPerRun(100, func() {
			b.match.start(nil)
			b.subs.match(topic, &b.match)
		}); n != 0 || len(b.match.sessions) != sessions {
			t.Errorf("%s: %v allocations, %d sessions", name, n, len(b.match.sessions))
		}
	}
}

// matchBelow matches behind a mount point, with which the filter begins.
func matchBelow(mount, filter, topic string) bool {
	seen, ok := strings.CutPrefix(topic, mount)
	return ok && seen != "" && codec.Match(filter[len(mount):], seen)
}

// empty ends all subscriptions. Nothing may be left.
func (x *indexModel) empty() {
	x.Helper()
	x.count()
	for _, s := range x.sessions {
		if n := len(x.tree.of(s)); n != len(x.model[s]) {
			x.Errorf("session %d has %d subscriptions, want %d", s.number, n, len(x.model[s]))
		}
		for _, sub := range x.model[s] {
			x.tree.remove(sub)
		}
	}
	filters, pluses, spots := 0, used(&x.tree.pluses), used(&x.tree.spots)
	for k := range x.tree.filters {
		filters += used(&x.tree.filters[k])
	}
	if filters != 0 || pluses != 0 || spots != 0 || len(x.tree.groups) != 0 || x.tree.n != 0 || x.tree.shared != 0 {
		x.Errorf("%d filters, %d that go on with +, %d spots, %d groups, %d subscriptions, %d shared are left",
			filters, pluses, spots, len(x.tree.groups), x.tree.n, x.tree.shared)
	}
	for levels, r := range x.tree.reach {
		if r != (reach{}) {
			x.Errorf("%+v filters with %d levels are left", r, levels)
		}
	}
	if free := len(x.tree.subs.free); free != int(x.tree.subs.used) {
		x.Errorf("%d of %d subscriptions are free", free, x.tree.subs.used)
	}
	for _, c := range x.tree.subs.chunks {
		if c.used != 0 || c.values != nil {
			x.Errorf("memory of %d subscriptions is left", c.used)
		}
	}
}

// count compares how many filters are noted for each number of levels.
func (x *indexModel) count() {
	x.Helper()
	want := make([]reach, len(x.tree.reach))
	shared := make(map[string]bool) // which are there once
	for _, subs := range x.model {
		for filter := range subs {
			if _, rest, ok := codec.ParseShared(filter); ok && shared[filter] {
				continue
			} else if ok {
				shared[filter] = true
				filter = string(rest)
			}
			levels := strings.Split(filter, "/")
			for i, level := range levels {
				if level == "+" {
					want[i].plus++
				}
			}
			if n := len(levels); levels[n-1] == "#" {
				want[n-1].rest++
			} else {
				want[n].ends++
			}
		}
	}
	if !slices.Equal(x.tree.reach, want) {
		x.Errorf("filters by levels are %+v, want %+v", x.tree.reach, want)
	}
}

// With some of these levels a name just fits where it is short, or just does not.
var indexLevels = []string{"", "a", "b", "c", strings.Repeat("x", 29), strings.Repeat("long", 20)}

func randomTopic(r *rand.Rand) string {
	levels := []string{"$x"}[:r.IntN(16)/15]
	for range 1 + r.IntN(4) {
		levels = append(levels, indexLevels[r.IntN(len(indexLevels))])
	}
	if topic := strings.Join(levels, "/"); topic != "" {
		return topic
	}
	return "a"
}

// deepTopic returns one with more levels than are noted behind a +.
func deepTopic(r *rand.Rand) string { return strings.Repeat("a/", 30+r.IntN(10)) + "a" }

func withWildcards(r *rand.Rand, topic string) string {
	levels := strings.Split(topic, "/")
	for i := range levels {
		if r.IntN(max(4, len(levels)/2)) == 0 {
			levels[i] = "+"
		}
	}
	switch r.IntN(4) {
	case 0:
		levels[len(levels)-1] = "#"
	case 1:
		levels = append(levels, "#")
	}
	if r.IntN(6) == 0 {
		levels = append([]string{"$share", "g"}, levels...)
	}
	return strings.Join(levels, "/")
}

// What a match reads does not grow with the number of subscriptions, though with
// many of them it has to wait longer for each read (BenchmarkIndex).
func TestIndexReads(t *testing.T) {
	var few float64
	for _, n := range indexSizes {
		b := New(Config{})
		indexed(b, n)
		r := rand.New(rand.NewPCG(1, 2))
		reads, topics := 0, 10_000
		for range topics {
			topic := topicOf(nil, r.IntN(n))
			b.subs.prepare(topic)
			reads += b.subs.reads(exact, b.subs.root, 0, ^depths(0))
		}
		each := float64(reads) / float64(topics)
		t.Logf("%d subscriptions: %.2f slots for a topic of 5 levels", n, each)
		// Where it ends, with # after two levels in two ways, and + in three.
		if most := 2.0 * 6; each > most {
			t.Errorf("%d subscriptions: %.2f slots, want %.0f at the most", n, each, most)
		}
		if few == 0 {
			few = each
		} else if each > 1.5*few {
			t.Errorf("%.2f slots, %.2f among %d subscriptions", each, few, indexSizes[0])
		}
	}
}

// Filters of which each has its + elsewhere make nothing dear for a deep topic.
func TestIndexReadsDeep(t *testing.T) {
	const levels = 200
	b := New(Config{})
	s := newSess(1)
	for i := range levels {
		name := strings.Repeat("a/", i) + "+/b"
		b.enter(s, &codec.Subscription{Filter: codec.Bytes(name)}, 0)
	}
	b.subs.prepare([]byte(strings.Repeat("a/", levels-1) + "a"))
	// The topic itself, and for each + this one and two ends behind it.
	if reads, most := b.subs.reads(exact, b.subs.root, 0, ^depths(0)), 2*4*levels; reads > most {
		t.Errorf("%d slots, want %d at the most", reads, most)
	}
}

// reads counts the slots that matchBelow looks at, for a topic that begins with
// no $.
func (t *subscriptionTree) reads(k kind, path uint64, n int, at depths) (count int) {
	for ; at != 0; n, at = n+1, at.next() {
		if r := &t.reach[n]; at&1 != 0 {
			if n == len(t.levels) && r.ends != 0 && t.whole {
				count += t.filters[k].reads(path)
			}
			if r.rest != 0 {
				count += t.filters[multiLevel].reads(t.below(path, t.numberSign))
			}
			if n < len(t.levels) && r.plus != 0 {
				p := t.below(path, t.plusSign)
				count += t.pluses.reads(p)
				if s := t.pluses.at(p); s != nil {
					count += t.reads(singleLevel, p, n+1, s.value)
				}
			}
		}
		if n == len(t.levels) {
			break
		}
		path = t.below(path, t.levels[n])
	}
	return count
}

// reads counts the slots that at looks at.
func (t *table[V]) reads(key uint64) int {
	return distance(home(key), t.segment(key).place(key)) + 1
}
