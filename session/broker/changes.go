package broker

import (
	"encoding/binary"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// What is to survive is told as a set of values under keys. A key begins with
// what it is about:
//
//	s number i          a session: its client
//	s number m key      a record of its session.State, behind the number of its payload
//	s number f filter   a subscription: flags, Subscription Identifier, and with
//	                    flagReplay from which retained message on to which one, by
//	                    their order
//	s number l token    a message of a shared subscription: flags, filter, expiry,
//	                    publisher, the number of its payload, flags, PUBLISH
//	s number w          a Will: delay, deadline, flags, PUBLISH
//	p number            a payload that several of these records have in common
//	r topic             a retained message: expiry, order, publisher, flags, PUBLISH
//	q number            a Will about which the driver was asked: publisher, flags, PUBLISH
//	c                   the clock: how far ahead the wall clock is, a signed varint, and a time
//
// Where PUBLISH has no room for the payload, flags say so, and it follows.
//
// A client is its identifier, its user, and the name and mount point of its
// endpoint, each behind its length. number has eight bytes and is never used again while records of it exist;
// other numbers in values are unsigned varints, times Unix times in ms on the
// timeline of the broker, which a wall clock that was set is ahead of.
const (
	keySession  = 's'
	keyBody     = 'p'
	keyRetained = 'r'
	keyAsked    = 'q'
	keyClock    = 'c'

	keyInfo         = 'i'
	keyRecord       = 'm'
	keySubscription = 'f'
	keyLent         = 'l'
	keyWill         = 'w'
)

// storedVersion can hold what either version can.
const storedVersion = codec.V5

// changes collects what is told at the end of a batch. Whatever takes something
// away or ends an exchange has to come after what takes its place: the record of
// a QoS 2 identifier, for one, after the message in the queues of all receivers.
type changes struct {
	late []Event
	mem  []byte // keys and values of this batch
}

// settle hands what was collected to the outbox.
func (l *changes) settle(o *outbox) bool {
	if len(l.late) == 0 {
		return false
	}
	o.list = append(o.list, l.late...)
	clear(l.late)
	if l.late = l.late[:0]; cap(l.late) > mostEvents {
		l.late = nil
	}
	return true
}

// room returns what a key or value is appended to. formed takes it over, and
// returns it: where there was too little room it has memory of its own, and those
// that follow get more.
func (l *changes) room() []byte { return l.mem[len(l.mem):] }

func (l *changes) formed(b []byte) []byte {
	if room := cap(l.mem) - len(l.mem); cap(b) == room {
		l.mem = l.mem[:len(l.mem)+len(b)]
	} else {
		l.mem = make([]byte, 0, min(2*max(cap(l.mem), len(b), firstChanges), mostChanges))
	}
	return b[:len(b):len(b)]
}

// reclaim makes the memory of keys and values ready for the next batch, once all
// events were pulled.
func (l *changes) reclaim(scrub bool) {
	if scrub {
		for i := range l.mem {
			l.mem[i] = 0xFF
		}
	}
	l.mem = l.mem[:0]
}

const (
	// mostEvents is the number of events up to which a list of them is used again,
	// mostChanges the bytes of keys and values, which begin with firstChanges.
	mostEvents   = 8 << 10
	mostChanges  = 1 << 20
	firstChanges = 1 << 10
)

// outbox holds events of the broker itself.
type outbox struct {
	list []Event
	next int
}

func (o *outbox) pull(ev *Event) bool {
	if o.next == len(o.list) {
		return false
	}
	*ev = o.list[o.next]
	o.list[o.next] = Event{}
	o.next++
	if o.next == len(o.list) {
		if o.list, o.next = o.list[:0], 0; cap(o.list) > mostEvents {
			o.list = nil
		}
	}
	return true
}

func store(key, value []byte) Event {
	return Event{Event: events.Event{Kind: events.Store}, Key: key, Value: value}
}

func discard(key []byte) Event { return Event{Event: events.Event{Kind: events.Discard}, Key: key} }

func (b *Broker) tell(ev Event)      { b.outbox.list = append(b.outbox.list, ev) }
func (b *Broker) tellLater(ev Event) { b.changes.late = append(b.changes.late, ev) }

// appendKey appends the key of something of a session.
func (s *sess) appendKey(dst []byte, kind byte) []byte {
	return append(binary.BigEndian.AppendUint64(append(dst, keySession), s.number), kind)
}

// key returns the key of something of a session.
func (s *sess) key(kind byte) []byte { return s.appendKey(nil, kind) }

// change passes on a change that a session tells of itself.
func (b *Broker) change(c *conn, ev *Event) {
	s := c.sess
	if s == nil || !s.durable {
		return
	}
	switch {
	case ev.Kind == events.Discard:
		b.discardRecord(s, ev.Event.Key())
	case ev.Record == events.RecordMessage && ev.QoS == codec.QoS0:
	case ev.Record == events.RecordReceived:
		b.tellLater(store(b.recordKey(s, ev.Event.Key()), b.record(s, ev.Event)))
	default:
		value := b.record(s, ev.Event)
		b.tell(store(b.recordKey(s, ev.Event.Key()), value))
	}
}

// recordKey returns the key of a record of the state of a session.
func (b *Broker) recordKey(s *sess, record uint64) []byte {
	l := &b.changes
	return l.formed(binary.BigEndian.AppendUint64(s.appendKey(l.room(), keyRecord), record))
}

// discardRecord tells that a record of the state of a session is gone.
func (b *Broker) discardRecord(s *sess, record uint64) {
	if s.durable {
		b.tellLater(discard(b.recordKey(s, record)))
		b.release(s, record)
	}
}

// storeQueued tells of a message for a client that is away.
func (b *Broker) storeQueued(s *sess, token uint64, p *codec.Publish, d *session.Delivery) {
	if !s.durable {
		return
	}
	q := *p
	q.QoS, q.Retain = d.QoS, d.Retain
	q.Properties.SubscriptionIdentifiers = codec.SubscriptionIdentifiers{}
	if d.SubscriptionIdentifiers != nil {
		q.Properties.SubscriptionIdentifiers = *d.SubscriptionIdentifiers
	}
	ev := events.Event{Kind: events.Store, Record: events.RecordMessage, Token: token, QoS: d.QoS, Publish: &q, Deadline: d.Expires}
	value := b.record(s, ev)
	b.tell(store(b.recordKey(s, ev.Key()), value))
}

// storeInfo tells of a new session.
func (b *Broker) storeInfo(s *sess) {
	if s.durable || b.cfg.Server.Persist && s.will != nil {
		b.tell(store(s.key(keyInfo), appendClient(nil, s.client)))
	}
}

// discardSession tells that a session has ended.
func (b *Broker) discardSession(s *sess) {
	if b.cfg.Server.Persist {
		key := s.key(0)
		ev := discard(key[:len(key)-1])
		ev.Prefix = true
		b.tellLater(ev)
		b.releaseAll(s)
	}
}

// Flags of stored subscriptions and messages.
const (
	flagQoS               = 0x03
	flagRetain            = 0x04
	flagNoLocal           = 0x04
	flagRetainAsPublished = 0x08
	flagReplay            = 0x10 // retained messages are still due
	flagBehind            = 0x08 // of a message: the payload is behind PUBLISH
	flagBegun             = 0x04 // of a lent message
)

// storeSubscription tells of a subscription.
func (b *Broker) storeSubscription(sub *subscription) {
	if !sub.sess.durable {
		return
	}
	flags := byte(sub.qos)
	add := func(flag byte, set bool) {
		if set {
			flags |= flag
		}
	}
	add(flagNoLocal, sub.noLocal)
	add(flagRetainAsPublished, sub.retainAsPublished)
	add(flagReplay, sub.due != 0)
	v := binary.AppendUvarint([]byte{flags}, uint64(sub.id()))
	if sub.due != 0 {
		t := sub.sess.replay.turns[sub.due-1]
		v = binary.AppendUvarint(binary.AppendUvarint(v, t.seq), t.from)
	}
	b.tell(store(b.subscriptionKey(sub), v))
}

func (b *Broker) discardSubscription(sub *subscription) {
	if sub.sess.durable {
		b.tell(discard(b.subscriptionKey(sub)))
	}
}

func (b *Broker) subscriptionKey(sub *subscription) []byte {
	return append(sub.sess.key(keySubscription), b.subs.name(sub)...)
}

// storeWill tells of the Will of a session, when its client may be told that the
// session exists, and when its delay begins.
func (b *Broker) storeWill(s *sess) {
	if s == nil || s.will == nil || !b.cfg.Server.Persist {
		return
	}
	v := binary.AppendUvarint(nil, uint64(s.will.delay))
	v = binary.AppendUvarint(v, millis(s.will.due))
	b.tellLater(store(s.key(keyWill), appendMessage(v, s.will.message)))
}

func (b *Broker) discardWill(s *sess) {
	if b.cfg.Server.Persist {
		b.tellLater(discard(s.key(keyWill)))
	}
}

// storeAsked tells of a Will about which the driver is asked.
func (b *Broker) storeAsked(q *question) {
	if b.cfg.Server.Persist {
		b.tellLater(store(askedKey(q), appendMessage(appendClient(nil, q.from), q.publish)))
	}
}

func (b *Broker) discardAsked(q *question) {
	if b.cfg.Server.Persist {
		b.tellLater(discard(askedKey(q)))
	}
}

func askedKey(q *question) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyAsked}, uint64(q.id))
}

// storeRetained tells of a retained message.
func (b *Broker) storeRetained(n *retainedNode) {
	if !b.cfg.Server.Persist || isSys(n.message.Topic) {
		return
	}
	v := binary.AppendUvarint(nil, millis(n.expires))
	v = binary.AppendUvarint(v, n.seq)
	v = appendClient(v, n.from)
	b.tell(store(retainedKey(n.message.Topic), appendMessage(v, n.message)))
}

func (b *Broker) discardRetained(topic []byte) {
	if b.cfg.Server.Persist && !isSys(topic) {
		b.tell(discard(retainedKey(topic)))
	}
}

func retainedKey(topic []byte) []byte { return append([]byte{keyRetained}, topic...) }

// appendClient appends a client, nil as one without an identifier.
func appendClient(dst []byte, c *Client) []byte {
	if c == nil {
		c = &Client{Endpoint: new(Endpoint)}
	}
	for _, s := range []string{c.ID, c.User, c.Endpoint.Name, c.Endpoint.MountPoint} {
		dst = append(binary.AppendUvarint(dst, uint64(len(s))), s...)
	}
	return dst
}

// millis returns a time as it is stored, 0 for none.
func millis(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(max(0, t.UnixMilli()))
}

// appendMessage appends flags and PUBLISH and, with flagBehind, the payload for
// which PUBLISH has no room. What came in is legal and storable, so there is no
// error.
func appendMessage(dst []byte, p *codec.Publish) []byte {
	flags := byte(p.QoS)
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
	dst, _ = q.AppendTo(append(dst, flags), storedVersion.AllowControlCharacters())
	return append(dst, behind...)
}

// storable reports whether PUBLISH has room for a message without its payload, as
// the topics and aliases of one that came may be longer here.
func storable(p *codec.Publish) bool {
	const few = 1000 // pairs for which there is room however long they are
	return p.Properties.UserProperties.Len() <= few || p.Size(storedVersion)-len(p.Payload) <= codec.MaxRemaining
}
