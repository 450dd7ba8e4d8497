package codec

import (
	"bytes"
	"iter"
)

// span collects where the repeated properties of one kind stand in a block.
type span struct{ first, last, size, n int }

func (s *span) add(at, end int) {
	if s.n == 0 {
		s.first = at
	}
	s.last = end
	s.size += end - at
	s.n++
}

// repeated keeps the occurrences of a property that may come several times as
// the encoded properties themselves. A decoded block may hold other properties
// between them.
type repeated struct {
	block   []byte // nil where there is none
	n       int
	mixed   bool // other properties stand in between
	tooLong bool // Add was given what cannot be encoded
}

func (s *span) repeated(b []byte) repeated {
	return repeated{block: b[s.first:s.last:s.last], n: s.n, mixed: s.size != s.last-s.first}
}

// size returns the bytes that the properties take when encoded.
func (r *repeated) size(id byte) int {
	if r.mixed {
		return r.mixedSize(id)
	}
	return len(r.block)
}

func (r *repeated) mixedSize(id byte) (n int) {
	for one := range r.each(id) {
		n += 1 + len(one)
	}
	return n
}

func (r *repeated) appendTo(dst []byte, id byte) []byte {
	if r.mixed {
		return r.appendMixed(dst, id)
	}
	return append(dst, r.block...)
}

func (r *repeated) appendMixed(dst []byte, id byte) []byte {
	for one := range r.each(id) {
		dst = append(append(dst, id), one...)
	}
	return dst
}

// spoil records that Add was given what cannot be encoded.
func (r *repeated) spoil() {
	r.tooLong = true
	if r.block == nil {
		r.block = []byte{}
	}
}

// own makes the block one of its own that holds nothing but the properties, so
// that others can be appended.
func (r *repeated) own(id byte) {
	if r.mixed {
		r.block, r.mixed = r.appendTo(nil, id), false
	}
}

// each walks over the encoded values of the properties with the given
// identifier. It stops where the block is damaged, which can only happen if
// somebody wrote to the bytes it borrows.
func (r *repeated) each(id byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for b := r.block; len(b) > 0; {
			n := propertySize(b)
			if n == 0 || b[0] == id && !yield(b[1:n:n]) {
				return
			}
			b = b[n:]
		}
	}
}

// propertySize returns the bytes that the first property of b takes, its
// identifier included, or 0 where it is not whole.
func propertySize(b []byte) int {
	n := 0
	switch propertyWires[b[0]] {
	case wireU8:
		n = 2
	case wireU16:
		n = 3
	case wireU32:
		n = 5
	case wireVarint:
		for n = 1; n < len(b) && n < 4 && b[n] >= 0x80; n++ {
		}
		n++
	case wireText:
		n = 1 + lengthAt(b, 1)
	case wirePair:
		n = 1 + lengthAt(b, 1)
		n += lengthAt(b, n)
	}
	if n > len(b) {
		return 0
	}
	return n
}

// lengthAt returns the size of the string or binary data at b[i:], its length
// included.
func lengthAt(b []byte, i int) int {
	if i+2 > len(b) {
		return 2
	}
	return 2 + (int(b[i])<<8 | int(b[i+1]))
}

// propertyWire is the data type of a property. (v5.0 2.2.2.2)
type propertyWire uint8

const (
	wireNone propertyWire = iota
	wireU8
	wireU16
	wireU32
	wireVarint
	wireText // UTF-8 string or binary data
	wirePair
)

// UserProperties are the User Properties of a packet: pairs of strings, whose
// order matters and whose names may repeat. In a decoded packet they are a
// view into the decoded bytes. (v5.0 1.5.7, 3.1.2.11.8)
type UserProperties struct{ r repeated }

// Len returns the number of pairs.
func (u *UserProperties) Len() int { return u.r.n }

// Add appends a pair. Both strings have to be UTF-8 of at most 65,535 bytes,
// which Validate and AppendTo of the packet check.
func (u *UserProperties) Add(name, value string) {
	if len(name) > maxText || len(value) > maxText {
		u.r.spoil()
		return
	}
	u.r.own(propertyUserProperty)
	b := append(u.r.block, propertyUserProperty, byte(len(name)>>8), byte(len(name)))
	b = append(b, name...)
	b = append(b, byte(len(value)>>8), byte(len(value)))
	u.r.block = append(b, value...)
	u.r.n++
}

// All walks over the pairs in their order. The strings are views.
func (u *UserProperties) All() iter.Seq2[Bytes, Bytes] {
	return func(yield func(Bytes, Bytes) bool) {
		for b := range u.r.each(propertyUserProperty) {
			i := lengthAt(b, 0)
			if !yield(b[2:i:i], b[i+2:]) {
				return
			}
		}
	}
}

// Get returns the value of the first pair with the given name.
func (u *UserProperties) Get(name string) (Bytes, bool) {
	for k, v := range u.All() {
		if string(k) == name {
			return v, true
		}
	}
	return nil, false
}

// Clone returns a copy that owns its bytes.
func (u UserProperties) Clone() UserProperties {
	return UserProperties{u.r.clone(propertyUserProperty)}
}

// IsZero reports whether there is no pair.
func (u UserProperties) IsZero() bool { return u.r.block == nil }

func (u *UserProperties) check(v Version) fault {
	if u.r.tooLong {
		return faultTooLong
	}
	n := 0
	for b := u.r.block; len(b) > 0; {
		size := propertySize(b)
		if size == 0 {
			return faultDamaged
		}
		if b[0] == propertyUserProperty {
			n++
			value := 1 + lengthAt(b, 1)
			if why := checkPair(b[3:value], b[value+2:size], v); why != 0 {
				return why
			}
		}
		b = b[size:]
	}
	if n != u.r.n {
		return faultDamaged
	}
	return 0
}

func checkPair(name, value []byte, v Version) fault {
	if isPlain(name) && isPlain(value) {
		return 0
	}
	if why := checkText(name, v); why != 0 {
		return why
	}
	return checkText(value, v)
}

func (r *repeated) clone(id byte) repeated {
	if r.block == nil {
		return repeated{}
	}
	return repeated{block: r.appendTo(make([]byte, 0, r.size(id)), id), n: r.n, tooLong: r.tooLong}
}

// SubscriptionIdentifiers are the Subscription Identifiers of a PUBLISH: one
// for each matching subscription that has one, in no particular order. In a
// decoded packet they are a view into the decoded bytes. (v5.0 3.3.2.3.8)
type SubscriptionIdentifiers struct{ r repeated }

// Len returns the number of identifiers.
func (s *SubscriptionIdentifiers) Len() int { return s.r.n }

// Add appends an identifier, which has to be 1 to 268,435,455.
func (s *SubscriptionIdentifiers) Add(id uint32) {
	if id > MaxRemaining {
		s.r.spoil()
		return
	}
	s.r.own(propertySubscriptionIdentifier)
	s.r.block = appendVarint(append(s.r.block, propertySubscriptionIdentifier), id)
	s.r.n++
}

// All walks over the identifiers.
func (s *SubscriptionIdentifiers) All() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for b := range s.r.each(propertySubscriptionIdentifier) {
			if !yield(decodedVarint(b)) {
				return
			}
		}
	}
}

func decodedVarint(b []byte) (x uint32) {
	for i, c := range b {
		x |= uint32(c&0x7F) << (7 * i)
	}
	return x
}

// Clone returns a copy that owns its bytes.
func (s SubscriptionIdentifiers) Clone() SubscriptionIdentifiers {
	return SubscriptionIdentifiers{s.r.clone(propertySubscriptionIdentifier)}
}

// Equal reports whether both are encoded in the same bytes.
func (s *SubscriptionIdentifiers) Equal(other *SubscriptionIdentifiers) bool {
	if s.r.mixed || other.r.mixed {
		const id = propertySubscriptionIdentifier
		return bytes.Equal(s.r.appendTo(nil, id), other.r.appendTo(nil, id))
	}
	return bytes.Equal(s.r.block, other.r.block)
}

// IsZero reports whether there is no identifier.
func (s SubscriptionIdentifiers) IsZero() bool { return s.r.block == nil }

func (s *SubscriptionIdentifiers) check() fault {
	if s.r.tooLong {
		return faultRange
	}
	n := 0
	for b := range s.r.each(propertySubscriptionIdentifier) {
		n++
		switch id := decodedVarint(b); {
		case id == 0:
			return faultZero
		case len(b) != varintSize(int(id)):
			return faultPadded
		}
	}
	if n != s.r.n {
		return faultDamaged
	}
	return 0
}
