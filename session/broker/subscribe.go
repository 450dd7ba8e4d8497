package broker

import (
	"github.com/mqttcore/mqttcore/codec"
)

// subscribe answers SUBSCRIBE. Each filter is served for itself, in order.
// Retained messages follow SUBACK. [MQTT-3.8.4-5]
//
// granted holds what the driver answered for each filter, nil for anything.
func (b *Broker) subscribe(c *conn, p *codec.Subscribe, granted []codec.ReasonCode) {
	codes := b.scratch.codes[:0]
	id := p.Properties.SubscriptionIdentifier.Or(0)
	for i := range p.Filters {
		f := &p.Filters[i]
		code := b.subscribable(c, f, id)
		if code == codec.ReasonSuccess && i < len(granted) {
			if code = granted[i]; !code.IsError() {
				f.QoS = min(f.QoS, codec.QoS(code))
				code = codec.ReasonSuccess
			}
		}
		if code == codec.ReasonSuccess {
			code = b.maySubscribe(c.client, f)
		}
		if code == codec.ReasonSuccess {
			f.QoS = min(f.QoS, c.maximumQoS())
			sub, existed := b.enter(c.sess, f, id)
			if wantsRetained(f, sub, existed) {
				b.startReplay(turn{sub: sub, seq: b.retained.seq})
			}
			b.storeSubscription(sub)
			code = codec.ReasonCode(sub.qos) // [MQTT-3.8.4-7]
		}
		if code.IsError() && !code.AllowedIn(codec.TypeSuback, codec.V5) {
			code = codec.ReasonUnspecifiedError
		}
		codes = append(codes, code)
	}
	b.scratch.codes = codes
	if err := c.srv.Suback(b.now, &codec.Suback{PacketID: p.PacketID, ReasonCodes: codes}); err != nil {
		c.srv.Closed(b.now, err)
	}
	b.feed(c)
}

// subscribable returns the reason code with which a filter is refused, or
// Success.
func (b *Broker) subscribable(c *conn, f *codec.Subscription, id uint32) codec.ReasonCode {
	_, rest, shared := codec.ParseShared(f.Filter)
	switch s, most := c.sess, c.limits.MaximumSubscriptions; {
	case shared && b.cfg.NoShared:
		return codec.ReasonSharedSubscriptionsNotSupported
	case b.cfg.NoWildcards && codec.HasWildcards(rest):
		return codec.ReasonWildcardSubscriptionsNotSupported
	case b.cfg.NoSubscriptionIdentifiers && id != 0:
		return codec.ReasonSubscriptionIdentifiersNotSupported
	case b.tooLong(f.Filter):
		return codec.ReasonTopicFilterInvalid
	case most > 0 && int(s.filters) >= most && b.subs.find(s, f.Filter) == nil:
		return codec.ReasonQuotaExceeded
	}
	return codec.ReasonSuccess
}

// enter adds a subscription, or replaces the options of the one with the same
// filter. [MQTT-3.8.4-3]
func (b *Broker) enter(s *sess, f *codec.Subscription, id uint32) (sub *subscription, existed bool) {
	if sub = b.subs.find(s, f.Filter); sub != nil {
		existed = true
	} else {
		sub = b.subs.add(s, f.Filter)
		if g := sub.group; g != nil && s.durable && g.durable == 1 {
			b.storeAllLent(g)
		}
	}
	sub.qos = f.QoS
	sub.noLocal, sub.retainAsPublished = f.NoLocal, f.RetainAsPublished
	sub.identify(id)
	b.subs.update(sub)
	return sub, existed
}

// identify sets the Subscription Identifier. Messages that wait keep those they
// were given.
func (s *subscriber) identify(id uint32) {
	if id == s.id() {
		return
	}
	s.ids = nil
	if id != 0 {
		s.ids = new(codec.SubscriptionIdentifiers)
		s.ids.Add(id)
	}
}

// wantsRetained reports whether retained messages are to be sent for a
// subscription. Shared ones never get any. [MQTT-3.3.1-9] [MQTT-3.3.1-10]
// [MQTT-3.3.1-11]
func wantsRetained(f *codec.Subscription, sub *subscription, existed bool) bool {
	switch {
	case sub.group != nil, f.RetainHandling == codec.RetainDoNotSend:
		return false
	case f.RetainHandling == codec.RetainSendIfNew:
		return !existed
	}
	return true
}

// leave ends a subscription.
func (b *Broker) leave(sub *subscription) {
	b.discardSubscription(sub)
	b.subs.remove(sub)
}

// unsubscribe answers UNSUBSCRIBE. [MQTT-3.10.4-4] [MQTT-3.10.4-6]
func (b *Broker) unsubscribe(c *conn, p *codec.Unsubscribe) {
	codes := b.scratch.codes[:0]
	for _, filter := range p.Filters {
		code := codec.ReasonNoSubscriptionExisted
		if sub := b.subs.find(c.sess, filter); sub != nil {
			b.leave(sub)
			code = codec.ReasonSuccess
		}
		codes = append(codes, code)
	}
	b.scratch.codes = codes
	if err := c.srv.Unsuback(b.now, &codec.Unsuback{PacketID: p.PacketID, ReasonCodes: codes}); err != nil {
		c.srv.Closed(b.now, err)
	}
}
