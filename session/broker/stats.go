package broker

// Stats counts what a broker has and what it did.
type Stats struct {
	// Connections are open, Sessions exist, with a connection or without.
	Connections, Sessions int
	// Subscriptions are those of all sessions; Retained messages are stored.
	Subscriptions, Retained int

	// Opened connections, Received messages and copies of them that were
	// Delivered to sessions.
	Opened, Received, Delivered uint64
	// Dropped are copies that did not reach a session: its queue was full, it
	// ended, or the message was too large for it or expired.
	Dropped uint64
}

// Stats returns the counters.
func (b *Broker) Stats() Stats {
	s := b.stats
	s.Connections, s.Sessions = b.conns.n, len(b.sessions)
	s.Subscriptions, s.Retained = b.subs.n, b.retained.n
	return s
}
