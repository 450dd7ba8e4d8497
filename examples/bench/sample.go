package main

import "time"

// sample is how far the run is.
type sample struct {
	at              time.Duration
	sent            int64 // messages
	acknowledged    int64
	received, bytes int64 // copies, and their payload
	cpu             time.Duration
	memory          int64
}

func (b *bench) sample() (s sample) {
	s.at = time.Duration(b.clock())
	for _, p := range b.publishers {
		s.sent += p.sent.Load()
		s.acknowledged += p.acked.Load()
	}
	for _, x := range b.subscribers {
		s.received += x.received.Load()
		s.bytes += x.bytes.Load()
	}
	if b.process != nil {
		s.cpu, s.memory, _ = b.process.usage() // 0 for one that has ended
	}
	return s
}

// progress is a number that grows with whatever comes from the broker.
func (s *sample) progress() int64 { return s.acknowledged + s.received }
