package session

import "math/bits"

// idTable holds what uses the packet identifiers of this side, by identifier,
// and gives out free ones. Messages, SUBSCRIBE and UNSUBSCRIBE share it.
// (v3.1.1 2.3.1, v5.0 2.2.1)
//
// An identifier lives in slot id modulo the size of the table, a power of two.
// No two identifiers in use have the same slot, because only such identifiers
// are given out whose slot is free; so looking one up costs one step, always.
// Identifiers are given out in rising order with wrap-around, so that one that
// was freed is not used again at once. Some may be skipped, see take.
type idTable struct {
	slots []*message
	*vacancies
	next uint32 // the identifier to try first; 0 counts as 1
	used int
}

// vacancies are the free slots of an idTable.
type vacancies struct {
	free []uint64 // a bit for each free slot
	some []uint64 // a bit for each word of free that is not 0
}

const minSlots = 8

// get returns the entry of an identifier, or nil.
func (t *idTable) get(id uint32) *message {
	if t.used == 0 {
		return nil
	}
	if slots := t.slots; len(slots) > 0 {
		if m := slots[int(id)&(len(slots)-1)]; m != nil && m.id == id {
			return m
		}
	}
	return nil
}

func (t *idTable) mask() uint32 { return uint32(len(t.slots) - 1) }

// alloc gives m the next free identifier up to max. It reports false when all
// are in use.
func (t *idTable) alloc(m *message, max uint32) bool {
	if t.crowded(max) {
		t.grow()
	}
	id := t.next
	if id == 0 || id > max || t.slots[id&t.mask()] != nil {
		var ok bool
		if id, ok = t.find(id, max); !ok {
			return false
		}
	}
	t.give(m, id, max)
	return true
}

// take gives m the given identifier, if its slot is free and it is the next one
// or lies ahead of it. As others are skipped, the table grows for it up to four
// slots for each identifier in use.
func (t *idTable) take(m *message, id, max uint32) bool {
	if t.next != 0 && t.next <= max && !ahead(t.next, id, max) {
		return false
	}
	if t.crowded(max) {
		t.grow()
	}
	for t.slots[id&t.mask()] != nil {
		if t.slots[id&t.mask()].id == id || len(t.slots) >= 4*t.used {
			return false
		}
		t.grow()
	}
	t.give(m, id, max)
	return true
}

func (t *idTable) give(m *message, id, max uint32) {
	m.id = id
	t.set(id, m)
	t.next = id + 1
	if id == max {
		t.next = 1
	}
}

// ahead reports whether b is a, or comes after it rather than before it: the
// identifiers up to max are a ring, and less than half of it lies between.
func ahead(a, b, max uint32) bool {
	distance := b - a
	if b < a {
		distance += max
	}
	return distance <= max/2
}

// crowded reports whether the table should grow before the next entry. A table
// with a slot for every identifier may fill up.
func (t *idTable) crowded(max uint32) bool {
	if uint64(len(t.slots)) > uint64(max) {
		return false
	}
	return t.used >= len(t.slots)/4*3
}

// find returns the first identifier from id on, with wrap-around, whose slot
// is free.
func (t *idTable) find(id, max uint32) (uint32, bool) {
	if id == 0 || id > max {
		id = 1
	}
	mask := t.mask()
	for range 2 {
		slot, ok := t.freeSlot(id & mask)
		if !ok {
			return 0, false
		}
		if found := uint64(id) + uint64((slot-id)&mask); found <= uint64(max) {
			return uint32(found), true
		}
		id = 1
	}
	return 0, false
}

// freeSlot returns the first free slot from slot on, with wrap-around.
func (t *idTable) freeSlot(slot uint32) (uint32, bool) {
	w := int(slot / 64)
	if rest := t.free[w] >> (slot % 64); rest != 0 {
		return slot + uint32(bits.TrailingZeros64(rest)), true
	}
	w, ok := t.freeWord(w + 1)
	if !ok {
		return 0, false
	}
	return uint32(w*64 + bits.TrailingZeros64(t.free[w])), true
}

// freeWord returns the first word of free that is not 0, from word w on, with
// wrap-around.
func (t *idTable) freeWord(w int) (int, bool) {
	if w < len(t.free) {
		s := w / 64
		if rest := t.some[s] >> (w % 64); rest != 0 {
			return w + bits.TrailingZeros64(rest), true
		}
		for s++; s < len(t.some); s++ {
			if t.some[s] != 0 {
				return s*64 + bits.TrailingZeros64(t.some[s]), true
			}
		}
	}
	for s, word := range t.some {
		if word != 0 {
			return s*64 + bits.TrailingZeros64(word), true
		}
	}
	return 0, false
}

// put enters m under an identifier that it has already, from a stored session.
// It reports false if the identifier is in use or the table would grow beyond
// limit slots.
func (t *idTable) put(m *message, limit int) bool {
	if t.get(m.id) != nil {
		return false
	}
	for len(t.slots) == 0 || t.slots[m.id&t.mask()] != nil {
		if len(t.slots) >= limit {
			return false
		}
		t.grow()
	}
	t.set(m.id, m)
	return true
}

// remove frees the identifier of m.
func (t *idTable) remove(m *message) {
	slot := m.id & t.mask()
	t.slots[slot] = nil
	t.free[slot/64] |= 1 << (slot % 64)
	t.some[slot/4096] |= 1 << (slot / 64 % 64)
	t.used--
	if t.used == 0 && len(t.slots) > 1024 {
		t.slots, t.vacancies = nil, nil
	}
}

// undo frees an identifier that was given out last and not used.
func (t *idTable) undo(m *message) {
	t.remove(m)
	t.next, m.id = m.id, 0
}

func (t *idTable) set(id uint32, m *message) {
	slot := id & t.mask()
	t.slots[slot] = m
	t.used++
	t.free[slot/64] &^= 1 << (slot % 64)
	if t.free[slot/64] == 0 {
		t.some[slot/4096] &^= 1 << (slot / 64 % 64)
	}
}

// grow doubles the table. Identifiers with different slots keep different
// slots.
func (t *idTable) grow() {
	old := t.slots
	n := max(minSlots, 2*len(old))
	words := (n + 63) / 64
	t.slots = make([]*message, n)
	t.vacancies = &vacancies{free: make([]uint64, words), some: make([]uint64, (words+63)/64)}
	for slot := range n {
		t.free[slot/64] |= 1 << (slot % 64)
	}
	for w := range words {
		t.some[w/64] |= 1 << (w % 64)
	}
	t.used = 0
	for _, m := range old {
		if m != nil {
			t.set(m.id, m)
		}
	}
}
