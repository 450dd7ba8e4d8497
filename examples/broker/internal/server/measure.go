package server

import (
	"context"
	"errors"
	"runtime/metrics"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/ops"
)

// measured is what the owner counts for metrics.
type measured struct {
	loop    ops.Histogram
	store   ops.StoreStats
	refused map[string]uint64 // by cause
}

// refusal returns why the broker did not let a client in, empty where the client
// went away by itself.
func refusal(ev *broker.Event) string {
	var fault interface{ Reason() codec.ReasonCode }
	switch {
	case errors.Is(ev.Err, session.ErrTimeout):
		return "CONNECT did not come in time"
	case errors.Is(ev.Err, errCrowded):
		return errCrowded.Error()
	case errors.As(ev.Err, &fault):
		return ev.Reason.String()
	}
	return ""
}

// round measures how long the owner took for a round.
func (m *measured) round(start time.Time) { m.loop.Observe(time.Since(start)) }

// Stats asks the owner for the figures of the broker.
func (s *Server) Stats(ctx context.Context) (*ops.Stats, error) {
	return asked(ctx, s, s.stats)
}

// Alive returns nil when the owner has answered.
func (s *Server) Alive(ctx context.Context) error {
	_, err := asked(ctx, s, func() struct{} { return struct{}{} })
	return err
}

// asked returns what a function gives in the goroutine of the owner.
func asked[T any](ctx context.Context, s *Server, f func() T) (v T, err error) {
	answer := make(chan T, 1)
	s.ask(func() { answer <- f() })
	select {
	case v = <-answer:
		return v, nil
	case <-ctx.Done():
		return v, ctx.Err()
	case <-s.done:
		return v, errStopped
	}
}

var errStopped = errors.New("the broker has stopped")

func (s *Server) stats() *ops.Stats {
	gate, b := s.gate.Stats(), s.broker.Stats()
	st := &ops.Stats{
		Connections: make(map[string]int),
		Pending:     gate.Pending,
		Sessions:    b.Sessions, Connected: b.Connected, Subscriptions: b.Subscriptions,
		Retained: b.Retained, RetainedBytes: b.RetainedBytes,
		Queued: b.Waiting, QueuedBytes: b.WaitingBytes,
		In:      ops.Flow{Messages: b.Received, PayloadBytes: b.ReceivedBytes, Packets: b.PacketsIn, Bytes: b.BytesIn},
		Out:     ops.Flow{Messages: b.Delivered, PayloadBytes: b.DeliveredBytes, Packets: b.PacketsOut, Bytes: b.BytesOut},
		Expired: b.Expired,
		Dropped: map[string]uint64{"QoS 0": b.DroppedQoS0, "QoS 1 or 2": b.Dropped - b.DroppedQoS0, "not retained": b.NotRetained},
		Refused: make(map[string]uint64),
		Loop:    s.measured.loop,
	}
	for l, n := range gate.Of {
		st.Connections[l.String()] = n
	}
	for cause, n := range gate.Refused {
		st.Refused[cause] = uint64(n)
	}
	for cause, n := range s.measured.refused {
		st.Refused[cause] += n
	}
	if s.options.Store != nil {
		store := s.measured.store
		st.Store = &store
	}
	return st
}

// Ready returns nil while clients are served, or what is in the way.
func (s *Server) Ready() error {
	if err := s.trouble.Load(); err != nil {
		return *err
	}
	return nil
}

// heap returns the bytes of memory that hold something, and those that the
// process has from the system.
func heap() (current, maximum uint64) {
	m := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	metrics.Read(m)
	return m[0].Value.Uint64(), m[1].Value.Uint64()
}
