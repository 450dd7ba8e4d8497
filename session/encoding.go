package session

import (
	"encoding/binary"
	"slices"

	"github.com/mqttcore/mqttcore/codec"
)

// A message that goes to many peers by PublishShared is encoded once for all
// that need the same bytes and come one after the other. Unless Several says
// that there are others, the first connection encodes it for itself, since most
// messages go to one peer; the second one makes the encoding that it and those
// after it have in common.
//
// What it costs the processor, in ns for each delivery, copied into the output of
// each peer / referred to (BenchmarkReference). Many messages are 50 to each peer
// in one Write; "socket" includes the system call, which costs 3,000 to 9,000 for a
// Write of one message, whatever it holds.
//
//	payload                       16 B       64 B      256 B       1 KiB        4 KiB
//	QoS 0, 1:10, one           212/112    187/174    201/146     222/172      197/166
//	QoS 0, 1:10, many            89/70     113/71      90/83     132/115      224/251
//	QoS 0, 1:10, many, socket  246/221    252/197    250/254     458/407    1521/1051
//	QoS 0, 1:100, many           91/50      74/48     106/62     1415/51     9259/220
//	QoS 0, 1:100, many, socket 278/226    284/245    353/269    1647/324    8580/1048
//	QoS 1, 1:10, one           184/161    231/163    166/155     163/152      135/159
//	QoS 1, 1:10, many           71/196     77/297    107/293     332/354      299/264
//	QoS 1, 1:10, many, socket  208/527    221/606    267/523     631/647    1135/1072
//	QoS 1, 1:100, many          71/499    106/379    136/418     526/482      536/518
//	QoS 1, 1:100, many, socket 414/769    267/645    511/676    869/1076    1722/1552
//
// In QoS 0 all messages of a Write are one piece of memory, so referring costs less
// throughout. Above QoS 0 it makes two pieces of each message, one of them with the
// Packet Identifier, and pays from about 1 KiB.
//
// Those of QoS 0 lie one after the other in chunks that are only appended to
// and never used again, so a Write may refer to them for as long as it takes.
// Above QoS 0 each peer has a Packet Identifier of its own, and gets a copy.

const (
	chunkSize = 16 << 10
	// maxEncoding is the size of the largest encoding that is shared. Of larger
	// messages it is all but the payload.
	maxEncoding = chunkSize / 4
	// maxPayload is the size of the largest payload of a message that may be
	// kept only because it was the last one. Beside it an encoding costs little.
	maxPayload = 64 << 10
	// minReference is the size in bytes from which it pays to refer to bytes
	// between others rather than to copy them, see above. It also bounds what a
	// slow peer keeps alive: as many chunks as its unsent bytes have such pieces.
	minReference = 1 << 10
)

// needs is what the bytes of a PUBLISH depend on.
type needs struct {
	pub     *codec.Publish
	ids     *codec.SubscriptionIdentifiers
	expiry  uint32 // seconds, if expires
	own     codec.Version
	retain  bool
	expires bool
}

// encodings are the messages that PublishShared took last, one for each version
// and QoS, so that peers of several kinds may take turns.
type encodings [2][3]encoding

type encoding struct {
	needs
	head    []byte // the packet up to the payload that follows; nil if it was needed once
	payload []byte // what follows head, nil if that is all
	id      int    // where head has the Packet Identifier, above QoS 0
	chunk   []byte // ends with head
}

// emitShared is emit with an encoding that connections have in common. It
// reports false where the message has none.
func (c *core) emitShared(m *message) (done bool, err error) {
	n := needs{pub: m.pub, own: c.own, retain: m.retain}
	e := &c.sh.encoded[0][m.qos]
	if c.version.IsV5() {
		e = &c.sh.encoded[1][m.qos]
		n.ids = m.ids
		n.expiry, n.expires = c.expiry(m, false)
	}
	if !e.serves(&n) {
		e.needs, e.head, e.payload = n, nil, nil
		if !m.several {
			return false, nil
		}
	}
	if e.head == nil && !c.encodeShared(e, m) {
		return false, nil
	}
	size := len(e.head) + len(e.payload)
	if limit := c.limits.packetOut; limit != 0 && size > int(limit) {
		return true, c.tooLarge("Publish", uint64(size))
	}
	c.stats.MessagesOut++
	if m.qos == codec.QoS0 && e.payload == nil && c.refer(e.head) {
		return true, nil
	}
	room := c.room()
	buf := append(room, e.head...)
	if m.qos != codec.QoS0 {
		putPacketID(buf[len(room)+e.id:], m.id, c.own.Wide())
	}
	if e.payload != nil {
		m.kept.lend()
	}
	c.wrote(buf, e.payload)
	return true, nil
}

// serves reports whether the encoding is also the one of n.
func (e *encoding) serves(n *needs) bool {
	if e.pub != n.pub || e.own != n.own || e.retain != n.retain || e.expires != n.expires || e.expiry != n.expiry {
		return false
	}
	return e.ids == n.ids || e.ids != nil && n.ids != nil && e.ids.Equal(n.ids)
}

// encodeShared makes the encoding that others need too. It reports false for a
// packet that is too large for that, or that the codec refuses.
func (c *core) encodeShared(e *encoding, m *message) bool {
	p := c.form(m, false)
	if m.qos != codec.QoS0 {
		p.PacketID = 1 // where those of the connections go
	}
	size, payload := p.Size(c.own), p.Payload
	if len(payload) >= c.cfg.ReferenceSize || m.qos != codec.QoS0 && len(payload) >= minReference || size > maxEncoding {
		size -= len(payload)
	} else {
		payload = nil
	}
	if size > maxEncoding || payload != nil && m.borrowed {
		return false
	}
	switch {
	case m.qos != codec.QoS0:
		e.chunk = slices.Grow(e.chunk[:0], size) // what it held was copied
	case cap(e.chunk)-len(e.chunk) < size:
		e.chunk = make([]byte, 0, chunkSize)
	}
	start := len(e.chunk)
	chunk, err := p.AppendHeaderTo(e.chunk, c.own)
	if err != nil {
		return false
	}
	if payload == nil {
		chunk = append(chunk, p.Payload...)
	}
	e.chunk, e.head, e.payload = chunk, chunk[start:], payload
	h, _, _ := codec.Frame(e.head, 0)
	e.id = h.Len + 2 + len(p.Topic)
	return true
}

// Forget ends what connections have in common of the messages that they sent
// last: the next ones are others, even where they are in the same memory.
func (s *Shared) Forget() {
	for version := range s.encoded {
		for qos := range s.encoded[version] {
			e := &s.encoded[version][qos]
			if e.pub != nil {
				e.needs, e.payload, e.head = needs{}, nil, nil
			}
		}
	}
}

// putPacketID writes a Packet Identifier over another one.
func putPacketID(b []byte, id uint32, wide bool) {
	if wide {
		binary.BigEndian.PutUint32(b, id)
	} else {
		binary.BigEndian.PutUint16(b, uint16(id))
	}
}

// refer adds bytes of a chunk to the output without copying them. It reports
// false where copying costs less.
func (c *core) refer(b []byte) bool {
	o := &c.out
	if o.lent {
		o.recycle(c.sh)
	}
	if n := len(o.cuts); n > 0 && o.cuts[n-1].at == len(o.buf) && follows(o.cuts[n-1].payload, b) {
		last := &o.cuts[n-1].payload
		*last = (*last)[:len(*last)+len(b)]
		o.size += len(b)
		c.stats.PacketsOut++
		return true
	}
	if o.size > 0 && len(b) < minReference {
		return false
	}
	c.wrote(o.buf, b)
	return true
}

// follows reports whether b lies right behind a in memory.
func follows(a, b []byte) bool {
	return cap(a)-len(a) >= len(b) && &a[:len(a)+1][len(a)] == &b[0]
}
