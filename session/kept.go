package session

import (
	"math/bits"
	"slices"

	"github.com/mqttcore/mqttcore/codec"
)

// Kept is a copy of a message that connections of one Shared may have in common,
// in memory that is used again once nobody needs it: Keep makes one, which has
// one user, and each that goes on to need it adds itself by Use and says Release
// in the end. A session does so with the Kept of a Delivery. What is never
// released is left to the collector.
//
// The memory of one without users is used again after Reclaim, not before: until
// then events may still refer to it.
type Kept struct {
	Publish codec.Publish // does not change

	keeper *keeper
	of     *Kept // whose bytes it has, nil for its own
	next   *Kept
	buf    []byte
	uses   int
	// encoded is the number of the encoding that was made of it last.
	encoded uint64
	apart   bool // the payload is not in buf
	lent    bool // the payload is in a Write, for as long as the driver likes
}

const (
	minKept = 64      // bytes of the smallest block
	maxKept = 4 << 10 // of the largest one that is used again
	// maxKeptPayload is the size of the largest payload in a block. Writes refer to
	// larger ones, so that these are not used again.
	maxKeptPayload = 1 << 10
	keptClasses    = 8
)

// keeper holds the memory of Kepts, by the size of their blocks.
type keeper struct {
	free  [keptClasses]keptList
	spare int   // bytes in free
	limbo *Kept // without users, to be used again after Reclaim
	scrub bool
}

type keptList struct {
	head *Kept
	n    int
	low  int // the least n of this round
}

// class returns the list of blocks with n bytes or more, -1 for a size that is
// not used again. Class 0 is for none.
func class(n int) int {
	switch {
	case n == 0:
		return 0
	case n > maxKept:
		return -1
	}
	return 1 + bits.Len(uint(n-1)/minKept)
}

// size returns the bytes of the blocks of a class.
func (l *keeper) size(class int) int {
	if class == 0 {
		return 0
	}
	return minKept << (class - 1)
}

// Keep copies a message. PacketID and Dup are not those of p, but 0.
func (s *Shared) Keep(p *codec.Publish) *Kept {
	q := *p
	q.PacketID, q.Dup = 0, false
	apart := len(q.Payload) >= maxKeptPayload
	if apart {
		q.Payload = nil
	}
	n := q.CloneSize()
	k := s.keeper.take(class(n), n)
	k.apart = apart
	q.CloneTo(&k.Publish, k.buf)
	if apart {
		k.Publish.Payload = slices.Clone(p.Payload)
	}
	return k
}

// Wrap returns a Kept for a message that does not change and that is left to the
// collector, so that those that need it later have an encoding in common too. Its
// Publish has the bytes of p.
func (s *Shared) Wrap(p *codec.Publish) *Kept {
	k := s.keeper.take(0, 0)
	k.Publish, k.apart = *p, true
	return k
}

// View returns a Kept that has the bytes of another one, and is a user of it. Its
// Publish is a copy that the caller changes before anybody else has it.
func (k *Kept) View() *Kept {
	v := k.keeper.take(0, 0)
	v.Publish, v.of = k.Publish, k.Use()
	return v
}

// take returns a Kept with a block of n bytes or more, of the given class.
func (l *keeper) take(class, n int) *Kept {
	if class < 0 {
		return &Kept{keeper: l, uses: 1, buf: make([]byte, n)}
	}
	list := &l.free[class]
	k := list.head
	if k == nil {
		k = &Kept{keeper: l, uses: 1}
		if class > 0 {
			k.buf = make([]byte, l.size(class))
		}
		return k
	}
	list.head = k.next
	list.n--
	list.low = min(list.low, list.n)
	l.spare -= l.cost(class)
	k.next, k.uses, k.encoded = nil, 1, 0
	return k
}

// cost is what a free Kept of a class counts against maxSpareBytes.
func (l *keeper) cost(class int) int { return 512 + l.size(class) }

// Use adds a user and returns k, which may be nil.
func (k *Kept) Use() *Kept {
	if k != nil {
		k.uses++
	}
	return k
}

// Release removes a user. k may be nil.
func (k *Kept) Release() {
	if k == nil {
		return
	}
	k.uses--
	switch {
	case k.uses == 0:
		k.next, k.keeper.limbo = k.keeper.limbo, k
	case k.uses < 0:
		panic("session: Release of a message without users")
	}
}

// lend notes that a Write refers to the payload.
func (k *Kept) lend() {
	for ; k != nil; k = k.of {
		k.lent = true
	}
}

// Scrub makes Reclaim overwrite messages that nobody needs any more. It is for
// tests that are to find out who has one for too long.
func (s *Shared) Scrub() { s.keeper.scrub = true }

// Reclaim makes the memory of Kepts without users ready to be used again. It is
// called when no event of any connection is due and what earlier ones pointed to
// is no longer needed.
func (s *Shared) Reclaim() {
	if s.rounds++; s.rounds >= spareRounds {
		s.rounds = 0
		s.shrink()
	}
	l := &s.keeper
	if l.limbo == nil {
		return
	}
	s.Forget()
	for l.limbo != nil {
		k := l.limbo
		l.limbo = k.next
		k.of.Release() // which may add to limbo
		l.put(k)
	}
}

// put takes back a Kept that nobody needs.
func (l *keeper) put(k *Kept) {
	if l.scrub {
		k.scrub()
	}
	c := class(len(k.buf))
	if k.lent && !k.apart && k.of == nil || c < 0 || l.spare+l.cost(c) > maxSpareBytes {
		return // to the collector
	}
	if c == 0 {
		k.Publish = codec.Publish{} // the bytes are those of others
	} else if k.lent || k.apart {
		k.Publish.Payload = nil
	}
	k.lent, k.apart, k.of = false, false, nil
	k.next, l.free[c].head = l.free[c].head, k
	l.free[c].n++
	l.spare += l.cost(c)
}

// scrub overwrites what nobody may look at any more.
func (k *Kept) scrub() {
	if !k.lent || k.apart {
		for i := range k.buf {
			k.buf[i] = 0xFF
		}
	}
	k.Publish = codec.Publish{Topic: codec.Bytes("scrubbed"), Payload: codec.Bytes("-1 scrubbed")}
}

// shrink gives up half of what was not needed since it was called last.
func (l *keeper) shrink() {
	for c := range l.free {
		list := &l.free[c]
		for range (list.low + 1) / 2 {
			list.head = list.head.next
			list.n--
			l.spare -= l.cost(c)
		}
		list.low = list.n
	}
}
