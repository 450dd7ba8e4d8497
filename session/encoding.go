package session

import "github.com/mqttcore/mqttcore/codec"

// A message that goes to many peers by PublishShared is encoded once for all that
// need the same bytes, also for those that can take it only later. Unless Several
// says that there are others, the first connection encodes it for itself, since
// most messages go to one peer; the second one makes the encoding that it and those
// after it have in common.
//
// So that it is the same bytes above QoS 0 too, all send the message under the same
// Packet Identifier, see identify. One that cannot, as it uses that identifier
// already or has come past it, sends its own one and refers to the payload. So does
// one that knows the topic under another alias than most.
//
// Encodings lie one behind the other in chunks that are only appended to and never
// used again, so Writes may refer to them for as long as it takes. Those made last
// are remembered by their number. A message that waits in queues knows the number
// alone, so it keeps no chunk alive: what is remembered takes maxEncodings times
// maxEncoding bytes at most, and a third more for the ends of chunks.

const (
	chunkSize = 16 << 10
	// maxEncoding is the size of the largest encoding that is shared. Of larger
	// messages it is all but the payload.
	maxEncoding = chunkSize / 4
	// maxEncodings is the number of encodings that are remembered, maxKinds that of
	// one message, and maxPersonal that of those with an alias or Subscription
	// Identifiers, where each peer may need another one. What has more is encoded for
	// each other peer, but for the payload.
	maxEncodings = 1024
	maxKinds     = 8
	maxPersonal  = 2
	// maxPayload is the size of the largest payload of a message that may be
	// kept only because it was the last one. Beside it an encoding costs little.
	maxPayload = 64 << 10
)

// encodings are those that were made last, and what the next one needs. A message
// remembers the number of its newest one, which knows the one before.
type encodings struct {
	ring   []encoding // by number
	oldest uint64     // the number of the first that is remembered; 0 is none
	next   uint64     // the number of the next one
	chunk  []byte
	chunks uint32 // how many there were
	// front is the packet identifier behind the last that any connection has used,
	// so that all can use it next; one for each width.
	front [2]uint32
	last  struct { // the message that was sent last, if it has no Kept for this
		pub     *codec.Publish
		encoded uint64
	}
}

// encoding is a message as it goes out.
type encoding struct {
	needs
	bytes    []byte // in a chunk; the packet, or all before the payload
	chunk    uint32 // its number
	id       uint32 // its Packet Identifier, 0 in QoS 0
	head     uint16 // bytes before the payload
	at       uint16 // where the Packet Identifier is
	kinds    uint8  // encodings of the same message, with this one
	personal uint8  // of kinds, see maxPersonal
	apart    bool   // the payload is not in bytes
	before   uint64 // the number of another one of the same message
}

// needs is what the bytes of a message depend on, but for its identifier.
type needs struct {
	ids  *codec.SubscriptionIdentifiers
	form uint64 // all else, see form
}

// The parts of needs.form, from bit 32 on the Message Expiry Interval.
const (
	formRetain  = 1 << 0
	formQoS     = 1 << 1 // times the QoS
	formExpires = 1 << 3
	formKnown   = 1 << 4 // the topic is left out in favour of the alias
	formVersion = 1 << 8
	formAlias   = 1 << 16
	formExpiry  = 1 << 32
)

// needs returns what an encoding of m has to be for this connection.
func (c *core) needs(m *message, use *aliasUse) (n needs) {
	n.form = uint64(c.own)*formVersion | uint64(m.qos)*formQoS
	if m.retain {
		n.form |= formRetain
	}
	if use != nil {
		n.form |= uint64(use.alias) * formAlias
		if use.known {
			n.form |= formKnown
		}
	}
	if c.version.IsV5() {
		n.ids = m.ids
		if left, expires := c.expiry(m, false); expires {
			n.form |= formExpires | uint64(left)*formExpiry
		}
	}
	return n
}

// personal reports whether each peer may need another encoding.
func (n *needs) personal() bool { return n.ids != nil || uint16(n.form/formAlias) != 0 }

// version is the one of the encoding.
func (n *needs) version() codec.Version { return codec.Version(n.form / formVersion) }

// identify gives m a packet identifier, the same one in all connections for a
// message that goes to several peers, where that is free. It reports false when
// all are in use. As no connection is past the one that such a message gets first,
// they keep step, whatever else they send in between.
func (c *core) identify(m *message) bool {
	ids, max := &c.st.ids, c.own.MaxPacketID()
	front := &c.sh.encoded.front[0]
	if c.own.Wide() {
		front = &c.sh.encoded.front[1]
	}
	if !m.several || !ids.take(m, c.sh.commonID(m, *front, c.own.Wide()), max) {
		if !ids.alloc(m, max) {
			return false
		}
	}
	if ahead(*front, ids.next, max) {
		*front = ids.next
	}
	return true
}

// commonID returns the identifier under which m was encoded, or front.
func (s *Shared) commonID(m *message, front uint32, wide bool) uint32 {
	number := uint64(0)
	switch e := &s.encoded; {
	case m.kept != nil && m.pub == &m.kept.Publish:
		number = m.kept.encoded
	case m.pub == e.last.pub:
		number = e.last.encoded
	}
	for e := s.encoded.get(number); e != nil; e = s.encoded.get(e.before) {
		if e.id != 0 && e.version().Wide() == wide {
			return e.id
		}
	}
	return max(1, front)
}

// emitShared is emit with an encoding that connections have in common. It
// reports false where the message has none.
func (c *core) emitShared(m *message, use *aliasUse) (done bool, err error) {
	newest := c.sh.encoded.of(m)
	if newest == nil {
		return false, nil
	}
	n := c.needs(m, use)
	e := c.sh.encoded.find(*newest, &n)
	if e == nil {
		if last := c.sh.encoded.get(*newest); last != nil && last.full(&n) {
			p := c.form(m, false)
			use.put(p)
			return true, c.appendPublish(p, c.payloadOf(last, m))
		}
		if e = c.encodeShared(m, use, *newest, &n); e == nil {
			return false, nil
		}
		*newest = c.sh.encoded.next - 1
	}
	size := len(e.bytes)
	if e.apart {
		size += len(m.pub.Payload)
	}
	if limit := c.limits.packetOut; limit != 0 && size > int(limit) {
		return true, c.tooLarge("Publish", uint64(size))
	}
	if e.apart || e.id != m.id {
		c.copy(e, m)
	} else {
		c.refer(e)
	}
	return true, nil
}

// of returns where the newest encoding of a message is remembered, nil for a
// message of which one does not pay yet.
func (s *encodings) of(m *message) *uint64 {
	switch k := m.kept; {
	case m.several && k != nil && m.pub == &k.Publish:
		return &k.encoded
	case m.pub == s.last.pub:
		return &s.last.encoded
	}
	s.last.pub, s.last.encoded = m.pub, 0
	if !m.several || m.token != 0 { // one that waited: nobody is next
		return nil
	}
	return &s.last.encoded
}

// get returns an encoding by its number, nil where it is forgotten.
func (s *encodings) get(number uint64) *encoding {
	if number < s.oldest || s.oldest == 0 {
		return nil
	}
	return &s.ring[number%maxEncodings]
}

// find returns the encoding for n, if there is one among those of a message.
func (s *encodings) find(newest uint64, n *needs) *encoding {
	for e := s.get(newest); e != nil; e = s.get(e.before) {
		if e.needs == *n || e.ids != nil && n.ids != nil && e.serves(n) {
			return e
		}
	}
	return nil
}

// serves reports whether the encoding is also the one for n, which has other
// Subscription Identifiers in memory.
func (e *encoding) serves(n *needs) bool {
	other := *n
	other.ids = e.ids
	return e.needs == other && e.ids.Equal(n.ids)
}

// full reports whether a message whose newest encoding this is gets no other one
// for n.
func (e *encoding) full(n *needs) bool {
	return e.kinds == maxKinds || e.personal == maxPersonal && n.personal()
}

// encodeShared makes the encoding that others need too. It returns nil where there
// are no others left, and for a packet that is too large for that or that the codec
// refuses.
func (c *core) encodeShared(m *message, use *aliasUse, newest uint64, n *needs) *encoding {
	if m.kept != nil && m.kept.uses == 1 {
		return nil
	}
	s := &c.sh.encoded
	kinds, personal := uint8(1), uint8(0)
	if e := s.get(newest); e != nil {
		kinds, personal = e.kinds+1, e.personal
	}
	if n.personal() {
		personal++
	}
	p := c.form(m, false)
	use.put(p)
	size := p.Size(c.own)
	apart := len(p.Payload) >= c.cfg.ReferenceSize || size > maxEncoding
	if apart {
		size -= len(p.Payload)
	}
	if size > maxEncoding || apart && m.borrowed {
		return nil
	}
	if cap(s.chunk)-len(s.chunk) < size {
		s.chunk = make([]byte, 0, chunkSize)
		s.chunks++
	}
	start := len(s.chunk)
	chunk, err := p.AppendHeaderTo(s.chunk, c.own)
	if err != nil {
		return nil
	}
	head := len(chunk) - start
	if !apart {
		chunk = append(chunk, p.Payload...)
	}
	s.chunk = chunk
	h, _, _ := codec.Frame(chunk[start:], 0)
	e := s.add()
	*e = encoding{
		needs: *n, bytes: chunk[start:], chunk: s.chunks, id: m.id, before: newest, kinds: kinds, personal: personal, apart: apart,
		head: uint16(head), at: uint16(h.Len + 2 + len(p.Topic)),
	}
	return e
}

// add makes room for an encoding, in place of the oldest one.
func (s *encodings) add() *encoding {
	if s.ring == nil {
		s.ring = make([]encoding, maxEncodings)
		s.oldest, s.next = 1, 1
	}
	number := s.next
	s.next++
	s.oldest = max(s.oldest, s.next-min(s.next, maxEncodings))
	return &s.ring[number%maxEncodings]
}

// forget forgets all encodings.
func (s *encodings) forget() {
	clear(s.ring)
	s.oldest = s.next
}

// Forget ends what connections have in common of the message that they sent
// last: the next one is another, even where it is in the same memory.
func (s *Shared) Forget() {
	s.encoded.last.pub, s.encoded.last.encoded = nil, 0
}
