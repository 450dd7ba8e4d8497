package broker

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// lent is a message of a shared subscription that one of its members has.
type lent struct {
	routed
	group *group
	qos   codec.QoS
	begun bool // at QoS 2: PUBLISH may have been sent
	told  bool // it is stored, see storeLent
}

// lend notes that the session has a message of a shared subscription.
func (b *Broker) lend(s *sess, token uint64, l *lent) {
	if s.lent == nil {
		s.lent = make(map[uint64]lent)
	}
	l.kept.Use()
	b.storeLent(s, token, l)
	s.lent[token] = *l
}

// lentTokens returns the tokens of lent, in their order.
func (s *sess) lentTokens() []uint64 {
	if len(s.lent) == 0 {
		return nil // as for most
	}
	return slices.Sorted(maps.Keys(s.lent))
}

// back notes that a message is through, if it is one of a shared subscription.
func (b *Broker) back(s *sess, token uint64) {
	if l, ok := s.lent[token]; ok {
		delete(s.lent, token)
		b.discardLent(s, token, &l)
		l.kept.Release()
	}
}

// resumed notes that what waited for a session may be sent from now on.
func (b *Broker) resumed(s *sess) {
	for _, token := range s.lentTokens() {
		l := s.lent[token]
		if l.begun {
			continue
		}
		if l.begun = true; l.qos == codec.QoS2 {
			b.storeLent(s, token, &l)
		}
		s.lent[token] = l
	}
}

// redeliver gives the messages of a session that has ended, and that it got as
// a member of shared subscriptions, to other members, in their order. One of
// QoS 2 stays where it was once it was sent. [U5-4.8.2-a] [MQTT-4.8.2-5]
func (b *Broker) redeliver(s *sess) {
	tokens, list := s.lentTokens(), s.lent
	s.lent = nil
	for _, token := range tokens {
		l := list[token]
		if !l.stays() {
			b.lendAgain(&l)
		}
		b.discardLent(s, token, &l)
		l.kept.Release()
	}
}

// stays reports whether no other member may get the message any more.
func (l *lent) stays() bool { return l.qos == codec.QoS2 && l.begun }

// lendAgain gives a message to another member, or counts that nobody gets it.
func (b *Broker) lendAgain(l *lent) {
	expired := !l.expires.IsZero() && !b.now.Before(l.expires)
	switch {
	case expired || len(l.group.members) == 0:
		b.stats.drop(l.qos)
	case b.deliverShared(l.group, &l.routed):
		b.stats.Redelivered++
	}
}

// storeLent tells of a message that a member of a shared subscription has, so that
// another one gets it also if the session of the first one ends with the broker, or
// after it was started again. Where no member would be left then, nobody needs it.
func (b *Broker) storeLent(s *sess, token uint64, l *lent) {
	if !b.cfg.Server.Persist || l.group.durable == 0 {
		return
	}
	l.told = true
	x := b.bodyFor(s, lentRecord(token), l.Payload)
	flags := byte(l.qos)
	if l.begun {
		flags |= flagBegun
	}
	v := append(b.changes.room(), flags)
	v = append(binary.AppendUvarint(v, uint64(len(l.group.filter))), l.group.filter...)
	v = binary.AppendUvarint(v, millis(l.expires))
	v = appendClient(v, l.from)
	p := *l.Publish
	if x == nil {
		v = append(v, 0)
	} else {
		v = binary.AppendUvarint(v, x.number)
		p.Payload = nil
	}
	value := b.changes.formed(appendMessage(v, &p))
	b.tell(store(b.lentKey(s, token), value))
}

// storeAllLent tells of all that the members of a shared subscription have, as one
// that is to survive has joined them.
func (b *Broker) storeAllLent(g *group) {
	for _, m := range g.members {
		s := m.sess
		for _, token := range s.lentTokens() {
			if l := s.lent[token]; l.group == g && !l.told {
				b.storeLent(s, token, &l)
				s.lent[token] = l
			}
		}
	}
}

func (b *Broker) discardLent(s *sess, token uint64, l *lent) {
	if l.told {
		b.tellLater(discard(b.lentKey(s, token)))
		b.release(s, lentRecord(token))
	}
}

func (b *Broker) lentKey(s *sess, token uint64) []byte {
	l := &b.changes
	return l.formed(binary.BigEndian.AppendUint64(s.appendKey(l.room(), keyLent), token))
}

// lentRecord is the number of the record of a lent message among those of its
// session that need a body. Those of its state are smaller.
func lentRecord(token uint64) uint64 { return 1<<63 | token }

// storedLent is a lent message while the broker is being rebuilt.
type storedLent struct {
	lent
	filter string
	token  uint64
	body   uint64 // where its payload is, 0 for here
}

// restoreLent takes in a message that a session was lent.
func (b *Broker) restoreLent(r *restored, key, value []byte) error {
	if len(key) != 8 || len(value) == 0 || value[0]&^(flagQoS|flagBegun) != 0 {
		return ErrCorrupt
	}
	l := storedLent{token: binary.BigEndian.Uint64(key)}
	l.qos, l.begun, l.told, l.whose = codec.QoS(value[0]&flagQoS), value[0]&flagBegun != 0, true, owned
	n, value := number(value[1:])
	if n > uint64(len(value)) {
		return ErrCorrupt
	}
	l.filter, value = string(value[:n]), value[n:]
	expires, value := number(value)
	if expires != 0 {
		l.expires = time.UnixMilli(int64(expires))
	}
	if l.from, value = b.clientOf(value); l.from.ID == "" {
		l.from = nil
	}
	l.body, value = number(value)
	var err error
	if l.Publish, err = messageOf(value); err != nil {
		return err
	}
	if _, _, shared := codec.ParseShared([]byte(l.filter)); !shared || l.qos == codec.QoS0 || l.qos > codec.QoS2 || l.body != 0 && len(l.Payload) > 0 {
		return ErrCorrupt
	}
	r.lent = append(r.lent, l)
	return nil
}

// joinLent brings what a session was lent and its payload together.
func (b *Broker) joinLent(loose *loose, r *restored) error {
	for i := range r.lent {
		l := &r.lent[i]
		if l.body == 0 {
			continue
		}
		x := loose.bodies[l.body]
		if x == nil {
			return ErrCorrupt
		}
		l.Payload = x.payload
		b.refer(r.sess, lentRecord(l.token), x)
	}
	return nil
}

// relend notes again what a session was lent, once all subscriptions are there.
func (b *Broker) relend(r *restored) {
	s := r.sess
	for i := range r.lent {
		l := &r.lent[i]
		if l.group = b.subs.groups[l.filter]; l.group == nil {
			b.discardLent(s, l.token, &l.lent)
			continue
		}
		if s.lent == nil {
			s.lent = make(map[uint64]lent)
		}
		s.lent[l.token] = l.lent
	}
	r.lent = nil
}
