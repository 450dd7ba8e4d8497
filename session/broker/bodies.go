package broker

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// body is a payload that is stored once, for the records of several sessions.
type body struct {
	number  uint64
	payload codec.Bytes
	kept    *session.Kept // what keeps the payload; nil for the collector
	refs    int           // records that were told and need it
}

// bodies are the payloads that are stored once, by their first byte in memory,
// which the copies of a message have in common.
type bodies struct {
	known  map[*byte]*body
	number uint64  // of the newest
	fresh  []*byte // of this batch, which may turn out not to be needed
	spare  []*body
	tables []*bodyTable // of sessions, empty
}

// minBody is the size of the smallest payload that is stored once: a smaller one
// costs less in each record than a record of its own.
const minBody = 64

// shares reports whether the payload of a message is to be stored once: several
// sessions are to store it.
func (b *Broker) shares(p *codec.Publish, receivers []*sess) bool {
	if !b.cfg.Server.Persist || len(receivers) < 2 || len(p.Payload) < minBody || p.QoS == codec.QoS0 {
		return false
	}
	n := 0
	for _, s := range receivers {
		if s.durable && b.qos(p, s.hit.qos) > codec.QoS0 {
			n++
		}
	}
	return n > 1
}

// share makes the payload of a message that is owned one that is stored once.
func (b *Broker) share(m *routed) {
	l := &b.bodies
	first := &m.Payload[0]
	if l.known[first] != nil {
		return
	}
	var x *body
	if n := len(l.spare); n > 0 {
		x, l.spare = l.spare[n-1], l.spare[:n-1]
	} else {
		x = new(body)
	}
	*x = body{payload: m.Payload, kept: m.kept.Use()}
	l.known[first] = x
	l.fresh = append(l.fresh, first)
}

// forget ends a body that no record needs.
func (l *bodies) forget(x *body) {
	delete(l.known, &x.payload[0])
	x.kept.Release()
	*x = body{}
	if len(l.spare) < mostSpare {
		l.spare = append(l.spare, x)
	}
}

const (
	// mostSpare is the number of bodies, and of tables, that are kept to be used
	// again, mostRecords that of the records that such a table may have had.
	mostSpare   = 1024
	mostRecords = 64
)

// bodyTable holds what the records of a session need, by the keys of these.
type bodyTable struct {
	of   map[uint64]*body
	most int // records at a time
}

// settle forgets what nobody stored.
func (l *bodies) settle() {
	for _, first := range l.fresh {
		if x := l.known[first]; x != nil && x.number == 0 {
			l.forget(x)
		}
	}
	clear(l.fresh)
	l.fresh = l.fresh[:0]
}

// record returns the value of a Store of a session. A payload that is stored once
// is told before it.
func (b *Broker) record(s *sess, ev events.Event) []byte {
	var payload []byte
	if ev.Record == events.RecordMessage {
		payload = ev.Publish.Payload
	}
	x := b.bodyFor(s, ev.Key(), payload)
	if x == nil {
		value := session.AppendRecord(append(b.changes.room(), 0), ev)
		return b.changes.formed(value)
	}
	q := *ev.Publish
	q.Payload, ev.Publish = nil, &q
	value := session.AppendRecord(binary.AppendUvarint(b.changes.room(), x.number), ev)
	return b.changes.formed(value)
}

// bodyFor returns the body of a payload for a record of a session, which from now
// on needs it; nil for a payload that is to be in the record.
func (b *Broker) bodyFor(s *sess, record uint64, payload []byte) *body {
	var x *body
	if len(payload) >= minBody {
		x = b.bodies.known[&payload[0]]
	}
	// The application may have two messages in one place, of which one is longer.
	if x == nil || len(x.payload) != len(payload) {
		b.release(s, record)
		return nil
	}
	if x.number == 0 {
		b.bodies.number++
		x.number = b.bodies.number
		b.tell(store(b.changes.bodyKey(x), x.payload))
	}
	if s.bodies.find(record) != x {
		b.refer(s, record, x)
	}
	return x
}

func (l *changes) bodyKey(x *body) []byte {
	return l.formed(binary.BigEndian.AppendUint64(append(l.room(), keyBody), x.number))
}

// refer notes that a record needs a body.
func (b *Broker) refer(s *sess, record uint64, x *body) {
	if s.bodies == nil {
		s.bodies = b.bodies.table()
	}
	t := s.bodies
	t.of[record] = x
	t.most = max(t.most, len(t.of))
	x.refs++
}

// release notes that a record is gone or needs its body no more.
func (b *Broker) release(s *sess, record uint64) {
	t := s.bodies
	x := t.find(record)
	if x == nil {
		return
	}
	if delete(t.of, record); len(t.of) == 0 {
		if len(b.bodies.tables) < mostSpare && t.most <= mostRecords {
			b.bodies.tables = append(b.bodies.tables, t)
		}
		s.bodies = nil
	}
	if x.refs--; x.refs == 0 {
		b.tellLater(discard(b.changes.bodyKey(x)))
		b.bodies.forget(x)
	}
}

// table returns an empty table for a session.
func (l *bodies) table() *bodyTable {
	if n := len(l.tables); n > 0 {
		t := l.tables[n-1]
		l.tables = l.tables[:n-1]
		return t
	}
	return &bodyTable{of: make(map[uint64]*body)}
}

// find returns what a record needs, or nil.
func (t *bodyTable) find(record uint64) *body {
	if t == nil {
		return nil
	}
	return t.of[record]
}

// releaseAll is release for all records of a session.
func (b *Broker) releaseAll(s *sess) {
	if s.bodies == nil {
		return
	}
	for _, record := range slices.Sorted(maps.Keys(s.bodies.of)) {
		b.release(s, record)
	}
}
