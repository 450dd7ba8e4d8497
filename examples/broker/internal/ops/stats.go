package ops

import "time"

// Stats is how the broker does. Counters are since the start of the program.
type Stats struct {
	// Connections that are open, by listener.
	Connections map[string]int
	// Pending connections are open and not let in yet.
	Pending int
	// Sessions exist, of which Connected have a connection; Subscriptions are
	// theirs.
	Sessions, Connected, Subscriptions int
	// Retained messages, and the bytes of their topics and payloads.
	Retained, RetainedBytes int
	// Queued messages wait for clients or are under way; QueuedBytes are those
	// of topics and payloads that wait.
	Queued, QueuedBytes int

	// In are messages that came, Out those that were delivered.
	In, Out Flow
	// Expired sessions ended because their client did not come back.
	Expired uint64
	// Dropped messages did not reach a client, or were not retained, by cause.
	Dropped map[string]uint64
	// Refused connections and CONNECTs, by reason.
	Refused map[string]uint64

	// Store is nil without one.
	Store *StoreStats
	// Loop is how long the turns of the loop that owns the broker take.
	Loop Histogram
}

// Flow counts what goes one way.
type Flow struct {
	// Messages by their QoS, and the bytes of all their payloads.
	Messages     [3]uint64
	PayloadBytes uint64
	// Packets of all kinds and their bytes.
	Packets, Bytes uint64
}

// StoreStats is what the store did.
type StoreStats struct {
	// Commits that are durable, and the bytes of their keys and values.
	Commits, Bytes uint64
	// Failures to commit.
	Failures uint64
	// Latency is how long the commits took.
	Latency Histogram
}

// bounds are the upper bounds of a Histogram's buckets, from 64 µs by factors
// of four.
var bounds = func() (b [10]time.Duration) {
	for i := range b {
		b[i] = 64 * time.Microsecond << (2 * i)
	}
	return b
}()

// Histogram counts durations. Its zero value is ready. It is not safe for
// concurrent use: whoever owns it observes, and copies it for others.
type Histogram struct {
	count   uint64
	sum     time.Duration
	buckets [len(bounds)]uint64
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	h.count++
	h.sum += d
	for i, b := range bounds {
		if d <= b {
			h.buckets[i]++
			return
		}
	}
}

// cumulative returns the buckets as Prometheus has them: each with those below,
// by its upper bound in seconds.
func (h *Histogram) cumulative() map[float64]uint64 {
	m := make(map[float64]uint64, len(bounds))
	n := uint64(0)
	for i, b := range bounds {
		n += h.buckets[i]
		m[b.Seconds()] = n
	}
	return m
}
