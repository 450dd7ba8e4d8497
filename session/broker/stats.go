package broker

import (
	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Stats counts what a broker has and what it did. What can be kept up to date
// only at a cost is summed up by Stats itself, which looks at every connection and
// session; a driver calls it now and then.
type Stats struct {
	// Connections are open; Sessions exist, of which Connected have one.
	Connections, Sessions, Connected int
	// Subscriptions are those of all sessions, with those that are Shared;
	// Retained messages are stored.
	Subscriptions, Shared, Retained int
	// RetainedBytes are the topics and payloads of the retained messages.
	RetainedBytes int
	// Waiting copies of messages are in sessions, sent and not acknowledged or
	// not sent yet; WaitingBytes are topics and payloads of the latter.
	Waiting, WaitingBytes int
	// Wills wait for the end of their delay or of their connection. Questions
	// wait for the driver.
	Wills, Questions int

	// Opened connections, and those of them that were Accepted by CONNACK.
	Opened, Accepted uint64
	// Expired sessions ended because their client did not come back.
	Expired uint64
	// Received messages, and copies that were Delivered: they were sent to a
	// client, repeats apart. Each by its QoS.
	Received, Delivered [3]uint64
	// ReceivedBytes and DeliveredBytes are their payloads.
	ReceivedBytes, DeliveredBytes uint64
	// Dropped are copies that a client may not have and will not get: the queue was
	// full, the session ended, or the message was too large for it, expired or
	// withheld. Those that are Redelivered are not among them; some that were sent and
	// not acknowledged are, which count as Delivered too.
	Dropped uint64
	// DroppedQoS0 are those of QoS 0 among them: these are the first to go.
	DroppedQoS0 uint64
	// Redelivered are messages of shared subscriptions that went to another
	// member because the session of the first one ended, or may not have them.
	Redelivered uint64
	// NotRetained are messages for which the retained ones left no room.
	NotRetained uint64

	// These count what went over all connections: bytes, packets, and PUBLISH
	// packets with repeats.
	BytesIn, BytesOut, PacketsIn, PacketsOut, PublishIn, PublishOut uint64
}

// Stats returns the counters.
func (b *Broker) Stats() Stats {
	s := b.stats
	s.Connections, s.Sessions = b.conns.n, len(b.sessions)
	s.Subscriptions, s.Shared = b.subs.n, b.subs.shared
	s.Retained, s.RetainedBytes = b.retained.n, b.retained.bytes
	s.Questions = len(b.questions)
	sent := b.shared.Sent()
	s.Delivered, s.DeliveredBytes = sent.Messages, sent.Bytes
	for _, c := range b.conns.table {
		if c != nil {
			s.addConn(c.srv.Stats())
		}
	}
	for _, x := range b.sessions {
		s.Waiting += x.state.Queued() + x.state.Inflight()
		s.WaitingBytes += x.state.QueuedBytes()
		if x.conn != nil {
			s.Connected++
		}
		if x.will != nil {
			s.Wills++
		}
	}
	return s
}

// addConn adds what a connection counted itself.
func (s *Stats) addConn(c session.Stats) {
	s.BytesIn += c.BytesIn
	s.BytesOut += c.BytesOut
	s.PacketsIn += c.PacketsIn
	s.PacketsOut += c.PacketsOut
	s.PublishIn += c.MessagesIn
	s.PublishOut += c.MessagesOut
}

// received counts a message of a client.
func (s *Stats) received(p *codec.Publish) {
	s.Received[p.QoS]++
	s.ReceivedBytes += uint64(len(p.Payload))
}

// drop counts a copy that its client does not get.
func (s *Stats) drop(qos codec.QoS) {
	s.Dropped++
	if qos == codec.QoS0 {
		s.DroppedQoS0++
	}
}
