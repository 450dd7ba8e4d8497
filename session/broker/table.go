package broker

// table holds values by 64-bit hashes, which are as good as random. It does not
// keep what was hashed: who uses it compares what it finds, and takes into account
// that two things may have one slot.
//
// It consists of segments, one of which is split when it gets full (extendible
// hashing), and two of which become one when there is little in them. So no change
// costs more than that.
type table[V any] struct {
	segments []part[V]
	shift    uint8 // 64 less the number of bits of a key that choose the segment
}

// segment is a part of the table. Between the home of a slot and its place
// there is none that is free.
//
// The marks are few bytes and stay in a cache where the slots do not. So what is
// not there costs no read of a slot, and what is there about one.
type segment[V any] struct {
	slots [segmentSlots]slot[V]
	used  uint16
	bits  uint8 // of the keys that all in it have in common
}

// marks are parts of the keys of slots, 0 where one is free.
type marks [segmentSlots]uint8

// part is a segment and its marks, which lie close to those of others.
type part[V any] struct {
	*segment[V]
	marks *marks
}

func newPart[V any](bits uint8) part[V] {
	return part[V]{&segment[V]{bits: bits}, new(marks)}
}

type slot[V any] struct {
	key   uint64
	refs  uint32 // things that have it, 0 if it is free
	value V
}

const (
	segmentSlots = 1023 // with the rest a power of two
	segmentFull  = segmentSlots * 3 / 4
	segmentPoor  = segmentSlots * 3 / 16 // from where on it may become one with another
)

func (t *table[V]) init() {
	t.segments, t.shift = []part[V]{newPart[V](0)}, 64
}

func (t *table[V]) segment(key uint64) *part[V] { return &t.segments[key>>t.shift] }

// home returns the place where a slot should be.
func home(key uint64) int { return int(uint64(uint32(key)) * segmentSlots >> 32) }

// mark returns a part of a key that says nothing of where it is.
func mark(key uint64) uint8 { return max(uint8(key>>32), 1) }

// place returns where a slot is, or the free one that would be it.
func (s *part[V]) place(key uint64) int {
	i, mark := home(key), mark(key)
	for s.marks[i] != 0 && (s.marks[i] != mark || s.slots[i].key != key) {
		if i++; i == segmentSlots {
			i = 0
		}
	}
	return i
}

// at returns a slot that is used, or nil. The pointer is valid until one is taken
// or dropped.
func (t *table[V]) at(key uint64) *slot[V] {
	s := t.segment(key)
	i := s.place(key)
	if s.marks[i] == 0 {
		return nil
	}
	return &s.slots[i]
}

// take returns the slot of a key for one more thing. The pointer is valid until
// another one is taken or dropped.
func (t *table[V]) take(key uint64) *slot[V] {
	v := t.at(key)
	if v == nil {
		for t.segment(key).used == segmentFull {
			t.split(key)
		}
		s := t.segment(key)
		i := s.place(key)
		v = &s.slots[i]
		v.key, s.marks[i] = key, mark(key)
		s.used++
	}
	v.refs++
	return v
}

// drop takes back one take.
func (t *table[V]) drop(v *slot[V]) {
	if v.refs--; v.refs == 0 {
		key := v.key
		s := t.segment(key)
		s.clear(s.place(key))
		for t.join(key) {
		}
	}
}

// clear frees a slot. Those behind it that it kept from their home move up.
func (s *part[V]) clear(free int) {
	for i := free; ; {
		if i++; i == segmentSlots {
			i = 0
		}
		if s.marks[i] == 0 {
			break
		}
		if distance(home(s.slots[i].key), i) >= distance(free, i) {
			s.slots[free], s.marks[free], free = s.slots[i], s.marks[i], i
		}
	}
	s.slots[free], s.marks[free] = slot[V]{}, 0
	s.used--
}

// distance returns how far it is from one place on to another.
func distance(from, to int) int {
	if to < from {
		to += segmentSlots
	}
	return to - from
}

// split divides the segment of a key in two, by the next bit of the keys. One of
// them stays where it is.
func (t *table[V]) split(key uint64) {
	s := *t.segment(key)
	if s.bits == 64-t.shift {
		wider := make([]part[V], 0, 2*len(t.segments))
		for _, s := range t.segments {
			wider = append(wider, s, s)
		}
		t.segments, t.shift = wider, t.shift-1
	}
	all := t.having(key, s.bits)
	s.bits++
	other := newPart[V](s.bits)
	for i := 0; i < segmentSlots; {
		if v := &s.slots[i]; v.refs != 0 && v.key>>(64-s.bits)&1 != 0 {
			other.enter(v)
			s.clear(i) // one that was not looked at yet may have moved here
		} else {
			i++
		}
	}
	for i := len(all) / 2; i < len(all); i++ {
		all[i] = other
	}
}

// join makes the segment of a key and the one that it was split from one again, if
// both have little in them. It reports whether it did so.
func (t *table[V]) join(key uint64) bool {
	s := *t.segment(key)
	if s.used > segmentPoor || s.bits == 0 {
		return false
	}
	other := *t.segment(key ^ 1<<(64-s.bits))
	if other.bits != s.bits || other.used > segmentPoor {
		return false
	}
	both := newPart[V](s.bits - 1)
	for _, old := range []part[V]{s, other} {
		for i := range old.slots {
			if v := &old.slots[i]; v.refs != 0 {
				both.enter(v)
			}
		}
	}
	all := t.having(key, both.bits)
	for i := range all {
		all[i] = both
	}
	return true
}

// having returns the entries for all keys that begin with the same bits. They lie
// side by side.
func (t *table[V]) having(key uint64, bits uint8) []part[V] {
	n := 1 << (64 - t.shift - bits)
	first := int(key>>t.shift) &^ (n - 1)
	return t.segments[first : first+n]
}

// enter copies a slot that is not in the segment.
func (s *part[V]) enter(v *slot[V]) {
	i := s.place(v.key)
	s.slots[i], s.marks[i] = *v, mark(v.key)
	s.used++
}
