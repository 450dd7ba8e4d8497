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
	refs    int // records that were told and need it
}

// bodies are the payloads that are stored once, by their first byte in memory,
// which the copies of a message have in common.
type bodies struct {
	known  map[*byte]*body
	number uint64  // of the newest
	fresh  []*byte // of this batch, which may turn out not to be needed
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

// share makes the payload of a message that is kept one that is stored once.
func (b *Broker) share(p *codec.Publish) {
	if first := &p.Payload[0]; b.bodies.known[first] == nil {
		b.bodies.known[first] = &body{payload: p.Payload}
		b.bodies.fresh = append(b.bodies.fresh, first)
	}
}

// settle forgets what nobody stored.
func (l *bodies) settle() {
	for _, first := range l.fresh {
		if x := l.known[first]; x != nil && x.number == 0 {
			delete(l.known, first)
		}
	}
	clear(l.fresh)
	l.fresh = l.fresh[:0]
}

// record returns the value of a Store of a session. A payload that is stored once
// is told before it.
func (b *Broker) record(s *sess, ev events.Event) []byte {
	var x *body
	if ev.Record == events.RecordMessage && len(ev.Publish.Payload) >= minBody {
		x = b.bodies.known[&ev.Publish.Payload[0]]
	}
	if x == nil {
		b.release(s, ev.Key())
		return session.AppendRecord([]byte{0}, ev)
	}
	if x.number == 0 {
		b.bodies.number++
		x.number = b.bodies.number
		b.tell(store(x.key(), x.payload))
	}
	if s.bodies[ev.Key()] != x {
		b.refer(s, ev.Key(), x)
	}
	q := *ev.Publish
	q.Payload, ev.Publish = nil, &q
	return session.AppendRecord(binary.AppendUvarint(nil, x.number), ev)
}

func (x *body) key() []byte { return binary.BigEndian.AppendUint64([]byte{keyBody}, x.number) }

// refer notes that a record needs a body.
func (b *Broker) refer(s *sess, record uint64, x *body) {
	if s.bodies == nil {
		s.bodies = make(map[uint64]*body)
	}
	s.bodies[record] = x
	x.refs++
}

// release notes that a record is gone or needs its body no more.
func (b *Broker) release(s *sess, record uint64) {
	x := s.bodies[record]
	if x == nil {
		return
	}
	if delete(s.bodies, record); len(s.bodies) == 0 {
		s.bodies = nil
	}
	if x.refs--; x.refs == 0 {
		delete(b.bodies.known, &x.payload[0])
		b.tellLater(discard(x.key()))
	}
}

// releaseAll is release for all records of a session.
func (b *Broker) releaseAll(s *sess) {
	for _, record := range slices.Sorted(maps.Keys(s.bodies)) {
		b.release(s, record)
	}
}
