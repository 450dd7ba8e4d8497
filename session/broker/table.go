package broker

// table holds values by 64-bit hashes, which are as good as random. It does not
// keep what was hashed, so that it is small and takes one read of memory to look
// something up: who uses it compares what it finds, and takes into account that
// two things may have one slot.
//
// It consists of segments, one of which is split when it gets full (extendible
// hashing), so no change costs more than that.
type table[V any] struct {
	segments []*segment[V]
	shift    uint8 // 64 less the number of bits of a key that choose the segment
}

// segment is a part of the table. Between the home of a slot and its place
// there is none that is free.
type segment[V any] struct {
	slots [segmentSlots]slot[V]
	used  uint16
	bits  uint8 // of the keys that all in it have in common
}

type slot[V any] struct {
	key   uint64
	refs  uint32 // things that have it, 0 if it is free
	value V
}

const (
	segmentSlots = 1023 // with the rest a power of two
	segmentFull  = segmentSlots * 3 / 4
)

func (t *table[V]) init() {
	t.segments, t.shift = []*segment[V]{new(segment[V])}, 64
}

func (t *table[V]) segment(key uint64) *segment[V] { return t.segments[key>>t.shift] }

// home returns the place where a slot should be.
func home(key uint64) int { return int(uint64(uint32(key)) * segmentSlots >> 32) }

// place returns where a slot is, or the free one that would be it.
func (s *segment[V]) place(key uint64) int {
	i := home(key)
	for s.slots[i].key != key && s.slots[i].refs != 0 {
		if i++; i == segmentSlots {
			i = 0
		}
	}
	return i
}

// touch reads from where a slot should be. Reads of several slots, one after the
// other, do not wait for each other.
func (t *table[V]) touch(key uint64) uint64 { return t.segment(key).slots[home(key)].key }

// at returns a slot that is used, or nil. The pointer is valid until one is taken
// or dropped.
func (t *table[V]) at(key uint64) *slot[V] {
	s := t.segment(key)
	if v := &s.slots[s.place(key)]; v.refs != 0 {
		return v
	}
	return nil
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
		v = &s.slots[s.place(key)]
		v.key = key
		s.used++
	}
	v.refs++
	return v
}

// drop takes back one take.
func (t *table[V]) drop(v *slot[V]) {
	if v.refs--; v.refs == 0 {
		s := t.segment(v.key)
		s.clear(s.place(v.key))
	}
}

// clear frees a slot. Those behind it that it kept from their home move up.
func (s *segment[V]) clear(free int) {
	for i := free; ; {
		if i++; i == segmentSlots {
			i = 0
		}
		v := &s.slots[i]
		if v.refs == 0 {
			break
		}
		if distance(home(v.key), i) >= distance(free, i) {
			s.slots[free], free = *v, i
		}
	}
	s.slots[free] = slot[V]{}
	s.used--
}

// distance returns how far it is from one place on to another.
func distance(from, to int) int {
	if to < from {
		to += segmentSlots
	}
	return to - from
}

// split divides the segment of a key in two, by the next bit of the keys.
func (t *table[V]) split(key uint64) {
	old := t.segment(key)
	if old.bits == 64-t.shift {
		wider := make([]*segment[V], 0, 2*len(t.segments))
		for _, s := range t.segments {
			wider = append(wider, s, s)
		}
		t.segments, t.shift = wider, t.shift-1
	}
	halves := [2]*segment[V]{{bits: old.bits + 1}, {bits: old.bits + 1}}
	for i := range old.slots {
		if v := &old.slots[i]; v.refs != 0 {
			half := halves[v.key>>(63-old.bits)&1]
			half.slots[half.place(v.key)] = *v
			half.used++
		}
	}
	// The entries that had the old segment lie side by side.
	n := 1 << (64 - t.shift - old.bits)
	first := int(key>>t.shift) &^ (n - 1)
	for i := range n {
		t.segments[first+i] = halves[i*2/n]
	}
}
