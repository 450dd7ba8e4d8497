package broker

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// ErrCorrupt is the error of Restore for a value that no Store event had.
var ErrCorrupt = errors.New("broker: corrupt record")

// Restore rebuilds what Store and Discard events told, from all keys and values
// that are stored, in any order. It is called once, before the first Open.
// Clients that were connected count as having lost their connection now. The
// pairs are not kept. Changes of its own, such as sessions that expired in the
// meantime, follow as events. With an error, of class ErrCorrupt, the broker is
// not to be used.
func (b *Broker) Restore(now time.Time, pairs iter.Seq2[[]byte, []byte]) error {
	b.set(now)
	b.away = make(map[Endpoint]*Endpoint)
	found := make(map[uint64]*restored)
	loose := new(loose)
	for key, value := range pairs {
		if len(key) == 0 {
			return ErrCorrupt
		}
		var err error
		switch key[0] {
		case keyRetained:
			err = b.restoreRetained(key[1:], value)
		case keySession:
			err = b.restoreSession(found, loose, key[1:], value)
		case keyBody:
			err = b.restoreBody(loose, key[1:], value)
		case keyAsked:
			err = b.restoreAsked(loose, key[1:], value)
		case keyClock:
			err = loose.clock.restore(value)
		default:
			err = ErrCorrupt
		}
		if err != nil {
			return fmt.Errorf("%w, under %.100q", err, key)
		}
	}
	b.goOn(loose.clock)
	if err := loose.close(b.now); err != nil {
		return err
	}
	list := make([]*restored, 0, len(found))
	for _, r := range found {
		list = append(list, r)
	}
	slices.SortFunc(list, func(x, y *restored) int { return cmp.Compare(x.sess.number, y.sess.number) })
	if err := b.join(loose, list); err != nil {
		return err
	}
	b.resume(list)
	b.askAgain(loose)
	b.startSys()
	b.Tick(now) // what became due in the meantime
	return nil
}

// resume goes on with sessions that were rebuilt, in the order in which they began.
func (b *Broker) resume(list []*restored) {
	for _, r := range list {
		b.sessionNumber = max(b.sessionNumber, r.sess.number)
		b.enroll(r)
	}
	for _, r := range list {
		b.relend(r)
	}
	// A later session takes the place of one with the same identifier.
	for _, r := range list {
		if !r.known {
			continue
		}
		old := b.sessions[r.sess.client.ID]
		b.sessions[r.sess.client.ID] = r.sess
		if old != nil {
			b.endSession(old)
		}
	}
	for _, r := range list {
		b.wake(r)
	}
}

// restored is a session while it is being rebuilt.
type restored struct {
	sess  *sess
	known bool // its Client Identifier was found
	state bool // its session record was found
	// closed is that record if it has to be stored again.
	closed []byte
	subs   []storedSubscription
	lent   []storedLent
}

type storedSubscription struct {
	filter []byte
	flags  byte
	id     uint32
	turn   turn // with flagReplay
}

// restoreSession takes in what belongs to a session.
func (b *Broker) restoreSession(found map[uint64]*restored, loose *loose, key, value []byte) error {
	if len(key) < 9 {
		return ErrCorrupt
	}
	number, kind, rest := binary.BigEndian.Uint64(key), key[8], key[9:]
	r := found[number]
	if r == nil {
		r = &restored{sess: newSess(number)}
		r.sess.client = new(Client)
		r.sess.state = new(session.State)
		found[number] = r
	}
	s := r.sess
	switch kind {
	case keyInfo:
		var rest []byte
		if s.client, rest = b.clientOf(value); rest == nil || len(rest) > 0 {
			return ErrCorrupt
		}
		r.known = true
	case keyRecord:
		return r.restoreRecord(loose, rest, value)
	case keySubscription:
		return r.restoreSubscription(rest, value)
	case keyLent:
		return b.restoreLent(r, rest, value)
	case keyWill:
		return s.restoreWill(value)
	default:
		return ErrCorrupt
	}
	return nil
}

// restoreRecord takes in a record of the state of a session. One whose payload
// is stored apart has to wait for that.
func (r *restored) restoreRecord(loose *loose, key, value []byte) error {
	number, record := number(value)
	if len(record) == 0 || len(key) != 8 {
		return ErrCorrupt
	}
	if number != 0 {
		loose.records = append(loose.records, looseRecord{r.sess, binary.BigEndian.Uint64(key), number, slices.Clone(record)})
		return nil
	}
	if events.Record(record[0]) == events.RecordSession {
		r.state = true
		_, closed, _, ok := cutRecord(record)
		if ok && closed == 0 {
			loose.open = append(loose.open, openSession{r, slices.Clone(record)})
			return nil
		}
		loose.clock.reached(closed)
	}
	return r.sess.state.RestoreRecord(record)
}

// loose is what belongs together and comes in any order.
type loose struct {
	bodies  map[uint64]*body
	records []looseRecord
	asked   []*question // about Wills
	open    []openSession
	clock   storedClock
}

// openSession is the record of a session whose connection was open. It ends when
// it is known what time it is.
type openSession struct {
	*restored
	record []byte
}

type looseRecord struct {
	sess   *sess
	key    uint64
	body   uint64
	record []byte
}

func (b *Broker) restoreAsked(loose *loose, key, value []byte) (err error) {
	if len(key) != 8 {
		return ErrCorrupt
	}
	q := &question{id: Question(binary.BigEndian.Uint64(key))}
	q.from, value = b.clientOf(value)
	if q.publish, err = messageOf(value); err != nil {
		return err
	}
	b.asked = max(b.asked, q.id)
	loose.asked = append(loose.asked, q)
	return nil
}

// askAgain asks about the Wills about which nobody has answered.
func (b *Broker) askAgain(loose *loose) {
	slices.SortFunc(loose.asked, func(x, y *question) int { return cmp.Compare(x.id, y.id) })
	for _, q := range loose.asked {
		if q.sess = b.sessions[q.from.ID]; q.sess == nil {
			q.sess = newSess(0)
			q.sess.client, q.sess.ended = q.from, true
		}
		if b.cfg.Ask&AskWill == 0 {
			b.settleWill(q)
		} else {
			b.askAboutWill(q)
		}
	}
}

func (b *Broker) restoreBody(loose *loose, key, value []byte) error {
	if len(key) != 8 || len(value) < minBody {
		return ErrCorrupt
	}
	x := &body{number: binary.BigEndian.Uint64(key), payload: slices.Clone(value)}
	if loose.bodies == nil {
		loose.bodies = make(map[uint64]*body)
	}
	loose.bodies[x.number] = x
	b.bodies.number = max(b.bodies.number, x.number)
	return nil
}

// join brings records and their payloads together.
func (b *Broker) join(loose *loose, list []*restored) error {
	for _, r := range loose.records {
		x := loose.bodies[r.body]
		if x == nil {
			return ErrCorrupt
		}
		if err := r.sess.state.RestoreRecordOf(r.record, x.payload); err != nil {
			return err
		}
		b.refer(r.sess, r.key, x)
	}
	for _, r := range list {
		if err := b.joinLent(loose, r); err != nil {
			return err
		}
	}
	for _, number := range slices.Sorted(maps.Keys(loose.bodies)) {
		x := loose.bodies[number]
		if x.refs == 0 {
			b.tellLater(discard(b.changes.bodyKey(x)))
			continue
		}
		b.bodies.known[&x.payload[0]] = x
	}
	return nil
}

// close ends the connections that were open.
func (l *loose) close(now time.Time) error {
	for _, r := range l.open {
		before, _, behind, _ := cutRecord(r.record)
		r.closed = slices.Concat(before, binary.AppendUvarint(nil, millis(now)), behind)
		if err := r.sess.state.RestoreRecord(r.closed); err != nil {
			return err
		}
	}
	return nil
}

// cutRecord takes apart the record of a session at the end of its last connection,
// which is 0 while that is open.
func cutRecord(record []byte) (before []byte, closed uint64, behind []byte, ok bool) {
	_, n := binary.Uvarint(record[1:])
	if n <= 0 {
		return nil, 0, nil, false
	}
	closed, m := binary.Uvarint(record[1+n:])
	if m <= 0 {
		return nil, 0, nil, false
	}
	return record[:1+n], closed, record[1+n+m:], true
}

func (r *restored) restoreSubscription(filter, value []byte) error {
	if len(value) < 2 || codec.ValidTopicFilter(filter, codec.V5) != nil || value[0]&flagQoS > 2 {
		return ErrCorrupt
	}
	id, n := binary.Uvarint(value[1:])
	if n <= 0 || id > codec.MaxRemaining {
		return ErrCorrupt
	}
	sub := storedSubscription{filter: slices.Clone(filter), flags: value[0], id: uint32(id), turn: turn{seq: math.MaxUint64}}
	if value = value[1+n:]; len(value) > 0 && sub.flags&flagReplay != 0 {
		sub.turn.seq, value = number(value)
		sub.turn.from, value = number(value)
	}
	if len(value) > 0 {
		return ErrCorrupt
	}
	r.subs = append(r.subs, sub)
	return nil
}

func (s *sess) restoreWill(value []byte) error {
	delay, value := number(value)
	due, value := number(value)
	p, err := messageOf(value)
	if err != nil {
		return err
	}
	s.will = &will{message: p, delay: uint32(delay)}
	if due != 0 {
		s.will.due = time.UnixMilli(int64(due))
	}
	return nil
}

// clientOf takes a client off a value; of one that is cut short nothing is left.
func (b *Broker) clientOf(value []byte) (*Client, []byte) {
	var parts [4]string
	for i := range parts {
		n, rest := number(value)
		if n > uint64(len(rest)) {
			return new(Client), nil
		}
		parts[i], value = string(rest[:n]), rest[n:]
	}
	e := Endpoint{Name: parts[2], MountPoint: parts[3]}
	if b.away[e] == nil {
		b.away[e] = &e
		b.subs.mounted = b.subs.mounted || e.MountPoint != ""
	}
	return &Client{ID: parts[0], User: parts[1], Endpoint: b.away[e]}, value
}

// number takes a number off a value; a value that is cut short leaves nothing,
// which is no message then.
func number(value []byte) (uint64, []byte) {
	v, n := binary.Uvarint(value)
	if n <= 0 {
		return 0, nil
	}
	return v, value[n:]
}

// messageOf returns a message that appendMessage stored.
func messageOf(value []byte) (*codec.Publish, error) {
	if len(value) < 2 || value[0]&flagQoS > 2 {
		return nil, ErrCorrupt
	}
	behind := value[0]&flagBehind != 0
	p, n, err := codec.Decode(value[1:], storedVersion.AllowControlCharacters())
	if err != nil || behind != (n < len(value)-1) {
		return nil, ErrCorrupt
	}
	m, ok := p.(*codec.Publish)
	if !ok || len(m.Topic) == 0 || behind && len(m.Payload) > 0 {
		return nil, ErrCorrupt
	}
	if behind {
		m.Payload = value[1+n:]
	}
	m = m.Clone()
	m.QoS, m.Retain = codec.QoS(value[0]&flagQoS), value[0]&flagRetain != 0
	return m, nil
}

func (b *Broker) restoreRetained(topic, value []byte) error {
	expires, value := number(value)
	seq, value := number(value)
	from, value := b.clientOf(value)
	if from.ID == "" {
		from = nil
	}
	p, err := messageOf(value)
	if err != nil || string(p.Topic) != string(topic) {
		return ErrCorrupt
	}
	t := &b.retained
	n := t.make(p.Topic)
	n.message, n.from, n.seq = p, from, seq
	t.n++
	t.bytes += size(p)
	t.seq = max(t.seq, seq)
	if expires != 0 {
		n.expires = time.UnixMilli(int64(expires))
		n.timer.owner = n
		b.timers.set(&n.timer, n.expires)
	}
	return nil
}

// enroll enters a session that was rebuilt.
func (b *Broker) enroll(r *restored) {
	s := r.sess
	s.durable = r.known && r.state
	if !s.durable {
		return
	}
	for _, stored := range r.subs {
		sub := b.subs.add(s, stored.filter)
		sub.qos = codec.QoS(stored.flags & flagQoS)
		sub.noLocal, sub.retainAsPublished = stored.flags&flagNoLocal != 0, stored.flags&flagRetainAsPublished != 0
		sub.identify(stored.id)
		b.subs.update(sub)
		if stored.flags&flagReplay != 0 {
			b.startReplay(turn{sub, min(stored.turn.seq, b.retained.seq), stored.turn.from})
		}
	}
	if s.replay != nil {
		b.mark(s.replay)
	}
}

// wake starts the clocks of a session that was rebuilt, or ends it.
func (b *Broker) wake(r *restored) {
	s := r.sess
	switch {
	case !r.known:
		b.redeliver(s)
		b.discardSession(s)
	case b.sessions[s.client.ID] != s:
	case !r.state || s.state.Expired(b.now):
		b.endSession(s)
	default:
		if r.closed != nil {
			b.tell(store(b.recordKey(s, 0), append([]byte{0}, r.closed...)))
		}
		b.startWill(s)
	}
}
