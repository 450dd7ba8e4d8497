package server

import (
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// connectSize is the largest CONNECT that is accepted, in bytes.
const connectSize = 256 << 10

// topicLength is the largest topic or filter in bytes. With the number of
// subscriptions it bounds what one client can make the broker keep.
const topicLength = 4 << 10

// brokerConfig returns the configuration of the broker.
func (s *Server) brokerConfig() broker.Config {
	l := &s.options.Limits
	cfg := broker.Config{
		Policy:               s.policy(),
		Ask:                  broker.AskConnect,
		MaximumSessions:      l.Clients,
		ReceiveMaximum:       l.InflightMessages,
		MaximumKeepAlive:     l.KeepAlive,
		MaximumSessionExpiry: l.SessionExpiry,
		MaximumTopicLength:   topicLength,
		NoRetain:             l.NoRetain,
		DollarTopics:         !s.options.RefuseDollarTopics,
		MaximumRetained:      l.RetainedMessages,
		MaximumRetainedBytes: l.RetainedBytes,
		UpgradeOutgoingQoS:   s.options.UpgradeOutgoingQoS,
		Sys: broker.Sys{
			Interval: s.options.SysInterval,
			Version:  "mqttcore broker " + cli.Release(),
			Heap:     heap,
		},
	}
	cfg.MaximumSubscriptions = l.SubscriptionsPerClient
	cfg.MessagesPerSecond, cfg.BytesPerSecond = l.MessagesPerSecond, l.BytesPerSecond
	if l.PacketSize <= codec.MaxRemaining { // the format has no larger packets
		cfg.Server.MaximumPacketSize = l.PacketSize
	}
	cfg.Server.Persist = s.options.Store != nil
	cfg.Server.MaximumConnectSize = connectSize
	cfg.Server.MaximumInflight = l.InflightMessages
	cfg.Server.MaximumInflightBytes = l.InflightBytes
	cfg.Server.ConnectTimeout = l.ConnectTimeout
	cfg.Server.Queue = session.QueueLimits{Messages: unlimited(l.QueuedMessages), Bytes: l.QueuedBytes, Policy: session.QueueDropQoS0}
	return cfg
}

// unlimited returns a number of messages as a queue has it.
func unlimited(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

var errEnough = errors.New("enough was read")

// restore goes on with what is stored.
func (s *Server) restore() error {
	var failed error
	records := 0
	var pairs iter.Seq2[[]byte, []byte] = func(yield func(key, value []byte) bool) {
		failed = s.options.Store.Load(func(key, value []byte) error {
			records++
			if !yield(key, value) {
				return errEnough
			}
			return nil
		})
	}
	start := time.Now()
	err := s.broker.Restore(start, pairs)
	switch {
	case err != nil:
		return fmt.Errorf("the store holds something that no broker wrote: %w; move its folder away, or choose another with --folder", err)
	case failed != nil:
		return failed
	}
	if records > 0 {
		st := s.broker.Stats()
		s.log.Info("goes on with what was stored", "sessions", st.Sessions, "subscriptions", st.Subscriptions, "records", records, "took", time.Since(start).Round(time.Millisecond).String())
	}
	return nil
}
