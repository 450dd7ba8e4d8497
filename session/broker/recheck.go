package broker

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Recheck asks the Policy again about every subscription and about what waits
// for clients that are connected, after its rules have changed. Subscriptions
// that are refused end, others may be lowered. What waits for clients that are
// away is asked about when they come back.
func (b *Broker) Recheck(now time.Time) {
	b.set(now)
	for _, id := range slices.Sorted(maps.Keys(b.sessions)) {
		s := b.sessions[id]
		if b.cfg.Policy.Subscribe != nil {
			b.recheckSubscriptions(s)
		}
		if s.conn != nil {
			b.withhold(s)
		}
	}
}

func (b *Broker) recheckSubscriptions(s *sess) {
	for _, sub := range b.subs.of(s) {
		f := codec.Subscription{
			Filter: bytes.Clone(b.subs.name(sub)), QoS: sub.qos,
			NoLocal: sub.noLocal, RetainAsPublished: sub.retainAsPublished,
		}
		switch code := b.maySubscribe(s.client, &f); {
		case code.IsError():
			b.leave(sub)
		case f.QoS != sub.qos:
			sub.qos = f.QoS
			b.subs.update(sub)
			b.storeSubscription(sub)
		}
	}
}
