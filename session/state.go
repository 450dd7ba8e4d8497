package session

import (
	"iter"
	"math"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// State is the session state of one side: what outlives a connection. It holds
// the messages that wait or are under way, in order, the identifiers of QoS 2
// messages that were received and not released, and the lifetime. A broker
// keeps the subscriptions itself. (v3.1.1 and v5.0 4.1, v3.1.1 3.1.2.4, v5.0
// 3.1.2.11.2)
//
// A State belongs to one Client or Server at a time and is not safe for
// concurrent use.
type State struct {
	*exchanges        // nil while nothing is under way, see wake
	clientID   string // of the last connection
	tokens     uint64
	closed     int64 // Unix time in ms of the end of the last connection
	expiry     uint32
	next       uint32 // Packet Identifier, while there are no exchanges
	seq        uint32
	epoch      uint32
	exists     bool // a connection accepted the session, or it was restored
	tried      bool // a CONNECT was sent that may have made the peer accept it
	open       bool // a connection has it now
	recorded   bool // the record of the session itself was restored
	parts      bool // records of what was under way were restored
}

// NeverExpires is the Session Expiry Interval of a session without an end.
// (v5.0 3.1.2.11.2)
const NeverExpires = math.MaxUint32

// NewState returns the state of a session in which nothing happened yet. A
// Client that is given one counts as having a session, see ClientConfig.
func NewState() *State { return &State{exists: true, expiry: NeverExpires} }

// ClientID returns the Client Identifier of the session, empty before the first
// connection. [MQTT-3.1.3-2]
func (s *State) ClientID() string { return s.clientID }

// Queued returns the number of messages that wait and were never sent.
func (s *State) Queued() int {
	if s.exchanges == nil {
		return 0
	}
	s.arrange()
	return s.queue.n
}

// QueuedBytes returns the topics and payloads of the messages that wait.
func (s *State) QueuedBytes() int {
	if s.exchanges == nil {
		return 0
	}
	s.arrange()
	return s.bytes
}

// Inflight returns the number of messages that were sent and are not fully
// acknowledged.
func (s *State) Inflight() int {
	if s.exchanges == nil {
		return 0
	}
	s.arrange()
	return s.sent.n + s.released.n
}

// Undelivered returns the messages that the peer may not have, by their tokens:
// those that wait, and those that were sent and have no PUBACK or PUBREC.
func (s *State) Undelivered() iter.Seq2[uint64, codec.QoS] {
	return func(yield func(token uint64, qos codec.QoS) bool) {
		if s.exchanges == nil {
			return
		}
		s.arrange()
		for _, m := range [...]*message{s.sent.head, s.queue.head} {
			for ; m != nil; m = m.next {
				if !m.givenUp && !yield(m.token, m.qos) {
					return
				}
			}
		}
	}
}

// Received returns the number of incoming QoS 2 messages whose exchange is
// under way.
func (s *State) Received() int {
	if s.exchanges == nil {
		return 0
	}
	return s.received.used
}

// torn reports whether a crash came while the session was being lost: its own
// record was removed, which is done first, and some of what was under way is
// still there. That belongs to no session any more.
func (s *State) torn() bool { return s.parts && !s.recorded }

// Expires returns the time at which the session ends. It reports false while a
// connection has the session, and for sessions without an end.
func (s *State) Expires() (at time.Time, ok bool) {
	if s.open || s.closed == 0 || s.expiry == NeverExpires {
		return time.Time{}, false
	}
	return s.timeOf(s.closed + int64(s.expiry)*1000), true
}

// Expired reports whether the session has ended at the given time. The state
// of an expired session is not to be used again. [MQTT-4.1.0-2]
func (s *State) Expired(now time.Time) bool {
	if s.open || s.closed == 0 || s.expiry == NeverExpires {
		return false
	}
	return s.expiry == 0 || s.at(now).UnixMilli() >= s.closed+int64(s.expiry)*1000
}

// SetExpiry sets the Session Expiry Interval, in seconds, of a session that no
// connection has.
func (s *State) SetExpiry(seconds uint32) { s.expiry = seconds }

// Delivery says how PublishShared and Enqueue send a message, in place of what
// the message itself says.
type Delivery struct {
	// QoS and Retain are those of the message as it is sent.
	QoS    codec.QoS
	Retain bool
	// SubscriptionIdentifiers are those of the subscriptions that match, nil
	// for none. They are kept by reference. (v5.0 3.3.2.3.8)
	SubscriptionIdentifiers *codec.SubscriptionIdentifiers
	// Expires is the time at which the message expires. The zero time stands
	// for the message's own interval, counted from now. (v5.0 3.3.2.3.3)
	Expires time.Time
	// Several says that other sessions get the message as well, right after this
	// one, so that an encoding for all of them pays. Above QoS 0 they send it under
	// the same Packet Identifier, so some may be skipped.
	Several bool
	// Kept is what keeps the message, of which the session becomes a user; nil for
	// a message that the collector may free.
	Kept *Kept
}

// Enqueue adds a message to the queue of a session that no connection has. It
// keeps p, which must not change any more. dropped is called with a Dropped event
// for each message that the policy drops to make room, whose record, under Key of
// the event, is to be removed. Errors are ErrQueueFull, codec.ErrTooLarge for
// properties that leave no room in a record for what it adds to them, and ErrState
// while a connection has the session.
func (s *State) Enqueue(now time.Time, p *codec.Publish, d Delivery, limits QueueLimits, dropped func(events.Event)) (token uint64, err error) {
	if s.open {
		return 0, misuse("Enqueue", "a connection has the session")
	}
	s.arrange()
	m := new(message)
	m.set(p, &d)
	if end := expires(now, p, &d); !end.IsZero() {
		m.expires = s.until(now, end)
	}
	m.shared = true
	err = s.enqueue(m, limits, func(old *message) {
		n := old.droppedNote(ErrQueueFull)
		ev := events.Event{}
		n.event(&ev, nil)
		ev.Record = events.RecordMessage
		dropped(ev)
		old.kept.Release()
	})
	if err != nil {
		m.kept.Release()
		return 0, err
	}
	return m.token, nil
}

// set fills in what the message says about itself, or d in its place.
func (m *message) set(p *codec.Publish, d *Delivery) {
	m.pub, m.kept, m.qos, m.retain, m.ids = p, d.Kept.Use(), d.QoS, d.Retain, d.SubscriptionIdentifiers
	m.several = d.Several
}

// expires returns when a message expires, as it says itself or d in its place; the
// zero time for never.
func expires(now time.Time, p *codec.Publish, d *Delivery) time.Time {
	if interval, ok := p.Properties.MessageExpiryInterval.Get(); ok && d.Expires.IsZero() {
		return now.Add(time.Duration(interval) * time.Second)
	}
	return d.Expires
}

// token gives out the next token.
func (s *State) token() uint64 {
	s.tokens++
	return s.tokens
}

// enqueue adds m to the queue and calls dropped for what had to make room.
func (s *State) enqueue(m *message, limits QueueLimits, dropped func(*message)) error {
	if err := m.storable(); err != nil {
		return err
	}
	if limits.Bytes > 0 && m.cost() > limits.Bytes {
		return queueFull()
	}
	for !s.fits(m, limits) {
		victim := s.victim(m, limits.Policy)
		if victim == nil {
			return queueFull()
		}
		s.dequeue(victim)
		dropped(victim)
	}
	if m.token == 0 {
		m.token = s.token()
	}
	m.stage = stageQueued
	s.push(m)
	return nil
}

func queueFull() error {
	return &Error{Op: "Publish", Err: ErrQueueFull, Code: codec.ReasonQuotaExceeded}
}

// push puts m at the end of the queue.
func (s *State) push(m *message) {
	s.queue.push(m)
	s.bytes += m.cost()
	if m.qos == codec.QoS0 {
		if s.qos0 == 0 {
			s.qos0From = m
		}
		s.qos0++
	}
}

// fits reports whether the queue has room for m.
func (s *State) fits(m *message, limits QueueLimits) bool {
	messages := limits.Messages
	if messages == 0 {
		messages = defaultQueueMessages
	}
	return (messages < 0 || s.queue.n < messages) && (limits.Bytes <= 0 || s.bytes+m.cost() <= limits.Bytes)
}

// victim returns the message that the policy drops in favour of m, or nil.
func (s *State) victim(m *message, policy QueuePolicy) *message {
	switch policy {
	case QueueDropOldest:
		return s.queue.head
	case QueueDropQoS0:
		if s.qos0 == 0 || m.qos == codec.QoS0 {
			return nil
		}
		// All messages before qos0From are above QoS 0, so this search never
		// goes over a message twice.
		for s.qos0From.qos != codec.QoS0 {
			s.qos0From = s.qos0From.next
		}
		return s.qos0From
	}
	return nil
}

// dequeue takes m out of the queue.
func (s *State) dequeue(m *message) {
	if s.qos0From == m {
		s.qos0From = m.next
	}
	if m.qos == codec.QoS0 {
		s.qos0--
	}
	s.queue.remove(m)
	s.bytes -= m.cost()
}

// first returns which of the two is repeated first on a
// new connection. Both groups keep their order, and between them the
// order of the first sending decides. [MQTT-4.6.0-1] [MQTT-4.6.0-4]
func first(sent, released *message) *message {
	if sent == nil || released != nil && released.token < sent.token {
		return released
	}
	return sent
}
