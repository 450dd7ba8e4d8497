package session

import "github.com/mqttcore/mqttcore/codec"

// stage is how far the exchange of a message or a request has come.
type stage uint8

const (
	stageQueued      stage = iota // not sent yet
	stageSent                     // PUBLISH sent; PUBACK or PUBREC is to come
	stageReceived                 // PUBREC came; the application is to send PUBREL
	stageReleased                 // PUBREL sent; PUBCOMP is to come
	stageSubscribe                // SUBSCRIBE sent; SUBACK is to come
	stageUnsubscribe              // UNSUBSCRIBE sent; UNSUBACK is to come
)

// message is an outgoing message from Publish to its end, or a request that
// holds a packet identifier.
type message struct {
	prev, next *message
	pub        *codec.Publish // nil from PUBREC on, and for requests
	kept       *Kept          // what pub is in the memory of; may be nil
	ids        *codec.SubscriptionIdentifiers
	token      uint64
	order      uint64 // of PUBREC, the place among PUBRELs
	expires    int64  // Unix time in ms; 0 for never
	id         uint32
	epoch      uint32 // the connection on which PUBLISH was last sent, and counted
	filters    int    // of a request
	size       uint32 // of the payload of a streamed message
	alias      uint16 // wanted by the application, for the first sending
	stage      stage
	qos        codec.QoS
	retain     bool
	givenUp    bool // it was told as Dropped; pub is nil, the peer may still answer
	short      bool // the application left the topic out in favour of alias
	shared     bool // pub is the caller's: PublishShared
	several    bool // it goes to other peers too
	borrowed   bool // pub may change afterwards: PublishBorrowed
	streamed   bool // the payload is asked of the application: PublishStream
}

// cost is what a message counts against QueueLimits.Bytes.
func (m *message) cost() int { return len(m.pub.Topic) + len(m.pub.Payload) }

// recorded reports whether m has a record. A message of QoS 1 that was given up
// needs none: the identifier of its PUBLISH means nothing to the peer on another
// connection.
func (m *message) recorded() bool { return !m.givenUp || m.qos == codec.QoS2 }

// payload is the length of its payload.
func (m *message) payload() int { return len(m.pub.Payload) + int(m.size) }

// list is a doubly linked list of messages.
type list struct {
	head, tail *message
	n          int
}

func (l *list) push(m *message) {
	m.prev, m.next = l.tail, nil
	if l.tail == nil {
		l.head = m
	} else {
		l.tail.next = m
	}
	l.tail = m
	l.n++
}

func (l *list) remove(m *message) {
	if m.prev == nil {
		l.head = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		l.tail = m.prev
	} else {
		m.next.prev = m.prev
	}
	m.prev, m.next = nil, nil
	l.n--
}
