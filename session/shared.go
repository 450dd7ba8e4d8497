package session

import (
	"reflect"

	"github.com/mqttcore/mqttcore/codec"
)

// Shared is memory that connections of one owner use in turn, so that an idle
// connection holds next to none: the decoder, buffers and list entries. Its
// zero value is ready. Like the connections it serves it is not safe for
// concurrent use, and what an event of one of them points to is valid only
// until the next call on any of them.
type Shared struct {
	decoder   codec.Decoder
	buffers   [][]byte
	kept      int // bytes in buffers
	keptLow   int // the least of it since it was shrunk
	messages  *message
	spare     int // entries in messages
	receipts  *receipt
	unused    int // entries in receipts
	notes     [][]note
	noteSpace int // entries in notes
	cuts      [][]cut
	works     []*work
	exchanges []*exchanges
	encoded   encodings
	keeper    keeper
	rounds    int // Reclaims since it was shrunk
	sent      Sent
	last      *settings // of the connection made last
	wanted    settings  // of the one that is being made

	data  [1][]byte // of a MessageData
	segs  [][]byte  // of the Write that was pulled last
	clock clock

	// Packets that are being formed. They are here rather than on the stack
	// because passing them through an interface would allocate.
	publish codec.Publish
	// received is the PUBLISH that came last.
	received codec.Publish
	plain    codec.Publish // never has properties
	stored   codec.Publish // of a Store event
	// Those that were received and are a Packet Identifier alone.
	short struct {
		puback  codec.Puback
		pubrec  codec.Pubrec
		pubrel  codec.Pubrel
		pubcomp codec.Pubcomp
	}
	puback   codec.Puback
	pubrec   codec.Pubrec
	pubrel   codec.Pubrel
	pubcomp  codec.Pubcomp
	pingreq  codec.Pingreq
	pingresp codec.Pingresp
	connack  codec.Connack
	suback   codec.Suback
	unsuback codec.Unsuback
	disconn  codec.Disconnect
	auth     codec.Auth
}

// Sent counts the messages that the connections of a Shared sent, without repeats.
type Sent struct {
	Messages [3]uint64 // by QoS
	Bytes    uint64    // of their payloads
}

// Sent returns what all connections sent, also those that are over.
func (s *Shared) Sent() Sent { return s.sent }

const (
	maxSpareBytes   = 4 << 20 // of all buffers
	maxSpareNotes   = 32 << 10
	maxSpareBuffer  = 256 << 10 // larger buffers are left to the collector
	maxSpareEntries = 4096
	firstBuffer     = 512
)

// buffer returns an empty buffer.
func (s *Shared) buffer() []byte {
	if n := len(s.buffers); n > 0 {
		b := s.buffers[n-1]
		s.buffers[n-1] = nil
		s.buffers = s.buffers[:n-1]
		s.kept -= cap(b)
		s.keptLow = min(s.keptLow, s.kept)
		return b
	}
	return make([]byte, 0, firstBuffer)
}

// free takes back a buffer.
func (s *Shared) free(b []byte) {
	if cap(b) == 0 || cap(b) > maxSpareBuffer || s.kept+cap(b) > maxSpareBytes {
		return
	}
	s.kept += cap(b)
	s.buffers = append(s.buffers, b[:0])
}

// Recycle takes back a buffer that ReplaceWriteBuffer returned, once its bytes are
// written. Any of the connections may get it.
func (s *Shared) Recycle(buf []byte) { s.free(buf) }

// message returns an empty entry.
func (s *Shared) message() *message {
	m := s.messages
	if m == nil {
		return new(message)
	}
	s.messages, m.next = m.next, nil
	s.spare--
	return m
}

// freeMessage takes back an entry that is in no list.
func (s *Shared) freeMessage(m *message) {
	m.kept.Release()
	if s.spare >= maxSpareEntries {
		return
	}
	*m = message{next: s.messages}
	s.messages = m
	s.spare++
}

func (s *Shared) receipt() *receipt {
	r := s.receipts
	if r == nil {
		return new(receipt)
	}
	s.receipts, r.next = r.next, nil
	s.unused--
	return r
}

func (s *Shared) freeReceipt(r *receipt) {
	if s.unused >= maxSpareEntries {
		return
	}
	*r = receipt{next: s.receipts}
	s.receipts = r
	s.unused++
}

// noteList returns an empty list of pending events.
func (s *Shared) noteList() []note {
	if n := len(s.notes); n > 0 {
		l := s.notes[n-1]
		s.notes = s.notes[:n-1]
		s.noteSpace -= cap(l)
		return l
	}
	return make([]note, 0, 8)
}

func (s *Shared) freeNotes(l []note) {
	if s.noteSpace+cap(l) <= maxSpareNotes {
		s.noteSpace += cap(l)
		s.notes = append(s.notes, l[:0])
	}
}

// cutList returns an empty list of the payloads in an output.
func (s *Shared) cutList() []cut {
	if n := len(s.cuts); n > 0 {
		l := s.cuts[n-1]
		s.cuts = s.cuts[:n-1]
		return l
	}
	return make([]cut, 0, 2)
}

func (s *Shared) freeCuts(l []cut) {
	if cap(l) <= 64 && len(s.cuts) < maxSpareEntries {
		if len(l) == 1 {
			l[0] = cut{}
		} else {
			clear(l)
		}
		s.cuts = append(s.cuts, l[:0])
	}
}

// spareRounds is the number of Reclaims after which half of what was not needed
// since is left to the collector.
const spareRounds = 1024

// shrink leaves spare memory to the collector.
func (s *Shared) shrink() {
	for gone := 0; gone < (s.keptLow+1)/2 && len(s.buffers) > 0; {
		gone += cap(s.buffer())
	}
	s.keptLow = s.kept
	s.encoded.forget()
	s.keeper.shrink()
}

// settings returns settings that are equal to cfg, the same for several
// connections in a row that have no Observe.
func (s *Shared) settings(cfg settings) *settings {
	s.wanted = cfg
	if s.last == nil || cfg.Observe != nil || !reflect.DeepEqual(s.last, &s.wanted) {
		s.last = new(settings)
		*s.last = cfg
	}
	s.wanted = settings{}
	return s.last
}
