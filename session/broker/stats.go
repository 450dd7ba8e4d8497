package broker

import "github.com/mqttcore/mqttcore/codec"

// Stats counts what a broker has and what it did.
type Stats struct {
	// Connections are open, Sessions exist, with a connection or without.
	Connections, Sessions int
	// Subscriptions are those of all sessions; Retained messages are stored.
	Subscriptions, Retained int
	// RetainedBytes are the topics and payloads of the retained messages.
	RetainedBytes int

	// Opened connections, Received messages and copies of them that were
	// Delivered to sessions.
	Opened, Received, Delivered uint64
	// Dropped are copies that did not reach a session: its queue was full, it
	// ended, or the message was too large for it or expired.
	Dropped uint64
	// DroppedQoS0 are those of QoS 0 among them: these are the first to go.
	DroppedQoS0 uint64
	// Redelivered are messages of shared subscriptions that went to another
	// member because the session of the first one ended.
	Redelivered uint64
	// NotRetained are messages for which the retained ones left no room.
	NotRetained uint64
}

// Stats returns the counters.
func (b *Broker) Stats() Stats {
	s := b.stats
	s.Connections, s.Sessions = b.conns.n, len(b.sessions)
	s.Subscriptions, s.Retained, s.RetainedBytes = b.subs.n, b.retained.n, b.retained.bytes
	return s
}

// drop counts a copy that did not reach its session.
func (s *Stats) drop(qos codec.QoS) {
	s.Dropped++
	if qos == codec.QoS0 {
		s.DroppedQoS0++
	}
}
