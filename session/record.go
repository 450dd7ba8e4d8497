package session

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// The stored form of a State is "MQS", the number of the form, the session
// record, and one record for each message and identifier, each behind its
// length; then the CRC-32 of all that. Numbers are unsigned varints. A record
// begins with its events.Record:
//
//	session   expiry, closed, last token, next packet identifier, exists, Client Identifier
//	message   token, packet identifier, expires, flags, PUBLISH
//	          with flagStreamed the length of the payload before PUBLISH,
//	          with flagBehind the payload after PUBLISH, which is without it
//	release   token, packet identifier, order, flags (absent for none)
//	          order is 0 with flagGivenUp until PUBREC comes
//	received  packet identifier
//
// PUBLISH is the packet in v5.0 with QoS 0; its QoS is in the flags.
const storedForm = "MQS\x01"

const (
	flagQoS      = 0x03
	flagRetain   = 0x04
	flagStreamed = 0x08
	flagBehind   = 0x10 // PUBLISH has no room for the payload
	flagExists   = 0x01
	flagWaits    = 0x01 // of a release: PUBREL is the application's
	flagGivenUp  = 0x02 // of a release: the message was given up
)

// storedVersion can hold what either version can.
const storedVersion = codec.V5Wide

// maxIdentifier is the size of the largest Subscription Identifier in a packet.
const maxIdentifier = 5

// maxSlots bounds the table of identifiers that a stored state may ask for. At
// most 65,535 messages can be under way, with four slots for each, see take.
const maxSlots = 1 << 18

// AppendRecord appends the durable form of a Store event to dst. It is to be
// kept under ev.Key, in place of an earlier record with the same key, and
// removed on Discard. See State.RestoreRecord. Other events append nothing.
func AppendRecord(dst []byte, ev events.Event) []byte {
	if ev.Kind != events.Store {
		return dst
	}
	dst = append(dst, byte(ev.Record))
	switch ev.Record {
	case events.RecordMessage:
		dst = binary.AppendUvarint(dst, ev.Token)
		dst = binary.AppendUvarint(dst, uint64(ev.PacketID))
		var expires uint64
		if !ev.Deadline.IsZero() {
			expires = uint64(max(0, ev.Deadline.UnixMilli()))
		}
		dst = binary.AppendUvarint(dst, expires)
		size := -1
		if ev.Flags&events.Streamed != 0 {
			size = int(ev.Size)
		}
		dst = appendStored(dst, ev.Publish, ev.QoS, size)
	case events.RecordRelease:
		dst = binary.AppendUvarint(dst, ev.Token)
		dst = binary.AppendUvarint(dst, uint64(ev.PacketID))
		dst = binary.AppendUvarint(dst, uint64(ev.Count))
		switch {
		case ev.Flags&events.Unreleased != 0:
			dst = append(dst, flagWaits)
		case ev.Flags&events.GivenUp != 0:
			dst = append(dst, flagGivenUp)
		}
	case events.RecordReceived:
		dst = binary.AppendUvarint(dst, uint64(ev.PacketID))
	case events.RecordSession:
		dst = appendSession(dst, uint32(ev.Size), ev.Deadline, uint64(ev.Count), ev.PacketID, true, ev.ClientID)
	}
	return dst
}

// appendStored appends flags and PUBLISH. A message that the codec refuses, or
// that has no room, was never taken into a session, so its error cannot happen.
// size is the length of a payload that is not stored, below 0 for none.
func appendStored(dst []byte, p *codec.Publish, qos codec.QoS, size int) []byte {
	flags := byte(qos)
	if p.Retain {
		flags |= flagRetain
	}
	q := *p
	q.QoS, q.Dup, q.PacketID = codec.QoS0, false, 0
	q.Properties.TopicAlias = codec.Opt[uint16]{}
	var behind []byte
	if q.Size(storedVersion) > codec.MaxPacketSize {
		flags |= flagBehind
		behind, q.Payload = q.Payload, nil
	}
	if size >= 0 {
		dst = binary.AppendUvarint(append(dst, flags|flagStreamed), uint64(size))
	} else {
		dst = append(dst, flags)
	}
	dst, _ = q.AppendTo(dst, storedVersion.AllowControlCharacters())
	return append(dst, behind...)
}

// fewPairs is the number of User Properties for which there is room however long they
// are, beside everything else.
const fewPairs = 1000

// storable reports a message for which a record has no room: for its full topic
// and all its properties, also those that it is sent without.
func (m *message) storable() error {
	ids := 0
	if m.ids != nil {
		ids = m.ids.Len()
	}
	if p := &m.pub.Properties; p.UserProperties.Len() <= fewPairs && p.SubscriptionIdentifiers.Len()+ids <= fewPairs {
		return nil
	}
	size := m.pub.Size(storedVersion) - len(m.pub.Payload) + maxIdentifier*ids
	if size > codec.MaxRemaining {
		return &Error{Op: "Publish", Err: codec.ErrTooLarge, Code: codec.ReasonPacketTooLarge, Detail: "no record has room for the properties"}
	}
	return nil
}

func appendSession(dst []byte, expiry uint32, closed time.Time, tokens uint64, next uint32, exists bool, clientID string) []byte {
	dst = binary.AppendUvarint(dst, uint64(expiry))
	var at uint64
	if !closed.IsZero() {
		at = uint64(max(0, closed.UnixMilli()))
	}
	dst = binary.AppendUvarint(dst, at)
	dst = binary.AppendUvarint(dst, tokens)
	dst = binary.AppendUvarint(dst, uint64(next))
	var flags byte
	if exists {
		flags = flagExists
	}
	return append(append(dst, flags), clientID...)
}

// AppendBinary appends the state in its stored form. The form is stable: this
// and later releases read it. It can be called at any time; what it holds then
// is the state after the events that were pulled.
func (s *State) AppendBinary(dst []byte) ([]byte, error) {
	s.arrange()
	start := len(dst)
	dst = append(dst, storedForm...)
	var buf []byte
	add := func(record []byte) {
		dst = binary.AppendUvarint(dst, uint64(len(record)))
		dst = append(dst, record...)
		buf = record[:0]
	}
	var closed time.Time
	if s.closed != 0 {
		closed = time.UnixMilli(s.stored(s.closed))
	}
	add(appendSession(append(buf, byte(events.RecordSession)), s.expiry, closed, s.tokens, s.ids.next, s.exists, s.clientID))
	for _, l := range []*list{&s.sent, &s.released, &s.queue} {
		for m := l.head; m != nil; m = m.next {
			if !m.recorded() {
				continue
			}
			n := s.note(events.Store, m)
			ev := events.Event{}
			n.event(&ev, new(codec.Publish))
			add(AppendRecord(buf, ev))
		}
	}
	var ids []uint32
	s.received.each(func(r *receipt) {
		if r.state == receiptDone || r.state == receiptReleased || r.stored {
			ids = append(ids, r.id)
		}
	})
	slices.Sort(ids)
	for _, id := range ids {
		add(AppendRecord(buf, events.Event{Kind: events.Store, Record: events.RecordReceived, PacketID: id}))
	}
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:])), nil
}

// MarshalBinary returns the state in its stored form, see AppendBinary.
func (s *State) MarshalBinary() ([]byte, error) { return s.AppendBinary(nil) }

// UnmarshalBinary replaces the state by a stored one. With an error, of class
// ErrCorrupt, it is left as it was. data is not kept.
func (s *State) UnmarshalBinary(data []byte) error {
	if s.open {
		return misuse("UnmarshalBinary", "a connection has the session")
	}
	if len(data) < len(storedForm)+4 || string(data[:len(storedForm)]) != storedForm {
		return corrupt("it does not begin as a stored session state does")
	}
	body, sum := data[:len(data)-4], binary.BigEndian.Uint32(data[len(data)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return corrupt("checksum does not match")
	}
	restored := new(State)
	r := reader{b: body[len(storedForm):]}
	for len(r.b) > 0 {
		record := r.bytes(r.uvarint(uint64(len(r.b))))
		if r.bad {
			return corrupt("a record is cut short")
		}
		if err := restored.RestoreRecord(record); err != nil {
			return err
		}
	}
	restored.arrange()
	*s = *restored
	return nil
}

// RestoreRecord takes a record of AppendRecord back into a state that no
// connection has. Records may come in any order, but all of them have to come
// before the state is used. With an error, of class ErrCorrupt, the state is
// as before. record is not kept.
func (s *State) RestoreRecord(record []byte) error { return s.RestoreRecordOf(record, nil) }

// RestoreRecordOf is RestoreRecord for a record of a message that was stored
// without its payload, which the state keeps and which must not change any more.
func (s *State) RestoreRecordOf(record, payload []byte) error {
	if s.open {
		return misuse("RestoreRecord", "a connection has the session")
	}
	if len(record) == 0 {
		return corrupt("a record is empty")
	}
	s.wake()
	r := reader{b: record[1:]}
	switch events.Record(record[0]) {
	case events.RecordMessage:
		return s.restoreMessage(&r, payload)
	case events.RecordRelease:
		return s.restoreRelease(&r)
	case events.RecordReceived:
		id := uint32(r.uvarint(1<<32 - 1))
		if r.bad || len(r.b) > 0 || id == 0 || s.received.get(id) != nil {
			return corrupt("received packet identifier")
		}
		s.seq++
		s.received.add(&receipt{id: id, qos: codec.QoS2, seq: s.seq, state: receiptDone})
		s.exists, s.parts = true, true
		return nil
	case events.RecordSession:
		return s.restoreSession(&r)
	}
	return corrupt("a record has an unknown type")
}

func (s *State) restoreRelease(r *reader) error {
	m := &message{qos: codec.QoS2, stage: stageReleased, token: r.uvarint(1 << 62), id: uint32(r.uvarint(1<<32 - 1)), order: r.uvarint(1 << 62)}
	if len(r.b) > 0 {
		switch r.byte() {
		case flagWaits:
			m.stage = stageReceived
		case flagGivenUp:
			if m.givenUp = true; m.order == 0 {
				m.stage = stageSent
			}
		default:
			r.bad = true
		}
	}
	if r.bad || len(r.b) > 0 || m.id == 0 || m.token == 0 {
		return corrupt("PUBREL")
	}
	return s.restore(m)
}

func (s *State) restoreMessage(r *reader, payload []byte) error {
	m := &message{token: r.uvarint(1 << 62), id: uint32(r.uvarint(1<<32 - 1)), expires: int64(r.uvarint(1 << 62))}
	flags := r.byte()
	m.qos, m.retain = codec.QoS(flags&flagQoS), flags&flagRetain != 0
	if m.streamed = flags&flagStreamed != 0; m.streamed {
		m.size = uint32(r.uvarint(codec.MaxRemaining))
		r.bad = r.bad || m.size == 0
	}
	if r.bad || m.token == 0 || m.qos > codec.QoS2 || flags&^(flagQoS|flagRetain|flagStreamed|flagBehind) != 0 || m.id != 0 && m.qos == codec.QoS0 {
		return corrupt("message")
	}
	if m.pub = readPublish(slices.Clone(r.b), flags&flagBehind != 0); m.pub == nil || m.pub.Retain != m.retain || m.streamed && len(m.pub.Payload) > 0 {
		return corrupt("PUBLISH")
	}
	if payload != nil {
		if len(m.pub.Payload) > 0 || m.streamed {
			return corrupt("two payloads")
		}
		m.pub.Payload = payload
	}
	if m.id != 0 {
		m.stage = stageSent
	}
	return s.restore(m)
}

// readPublish returns the PUBLISH that a record ends with, nil for another one
// than appendStored has stored. It keeps b.
func readPublish(b []byte, behind bool) *codec.Publish {
	h, n, err := codec.Frame(b, 0)
	if err != nil || n == 0 || h.Type != codec.TypePublish || behind != (n < len(b)) {
		return nil
	}
	p := new(codec.Publish)
	if p.Decode(h, b[h.Len:n], storedVersion.AllowControlCharacters()) != nil ||
		p.QoS != codec.QoS0 || p.Properties.TopicAlias.Set || behind && len(p.Payload) > 0 {
		return nil
	}
	if behind {
		p.Payload = b[n:]
	}
	return p
}

// restore enters a message; arrange puts it into its place.
func (s *State) restore(m *message) error {
	if m.id != 0 && !s.ids.put(m, maxSlots) {
		return corrupt("packet identifiers collide")
	}
	s.restored = append(s.restored, m)
	s.tokens = max(s.tokens, m.token, m.order)
	s.exists = true
	s.parts = s.parts || m.id != 0
	return nil
}

func (s *State) restoreSession(r *reader) error {
	expiry, closed := uint32(r.uvarint(NeverExpires)), r.uvarint(1<<62)
	tokens, next := r.uvarint(1<<62), uint32(r.uvarint(1<<32-1))
	flags := r.byte()
	if r.bad || flags&^flagExists != 0 || !utf8.Valid(r.b) {
		return corrupt("session")
	}
	s.clientID, s.recorded = string(r.b), true
	s.expiry, s.closed, s.exists = expiry, int64(closed), s.exists || flags != 0
	s.tokens = max(s.tokens, tokens)
	s.ids.next = next
	return nil
}

// arrange puts restored messages into their lists, in their order.
func (s *State) arrange() {
	s.wake()
	if s.restored == nil {
		return
	}
	slices.SortStableFunc(s.restored, func(a, b *message) int {
		switch {
		case a.place() < b.place():
			return -1
		case a.place() > b.place():
			return 1
		}
		return 0
	})
	for _, m := range s.restored {
		switch m.stage {
		case stageSent:
			s.sent.push(m)
		case stageReleased, stageReceived:
			s.released.push(m)
		default:
			s.push(m)
		}
	}
	s.restored = nil
}

// place is what a message is ordered by within its list.
func (m *message) place() uint64 {
	if m.stage == stageReleased || m.stage == stageReceived {
		return m.order
	}
	return m.token
}

func corrupt(detail string) error {
	return &Error{Op: "Restore", Err: ErrCorrupt, Code: codec.ReasonUnspecifiedError, Detail: detail}
}

// reader takes numbers off a record. Once it failed it returns zeros.
type reader struct {
	b   []byte
	bad bool
}

// uvarint returns the next number, which may not be above limit.
func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v > limit {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bytes(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}
