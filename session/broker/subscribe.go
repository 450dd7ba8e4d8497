package broker

import (
	"github.com/mqttcore/mqttcore/codec"
)

// subscribe answers SUBSCRIBE. Each filter is served for itself, in order.
// Retained messages follow SUBACK. [MQTT-3.8.4-5]
//
// granted holds what the driver answered for each filter, nil for anything.
func (b *Broker) subscribe(c *conn, p *codec.Subscribe, granted []codec.ReasonCode) {
	codes, replays := b.scratch.codes[:0], b.scratch.replays[:0]
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
			replay := wantsRetained(f, sub, existed)
			if replay {
				replays = append(replays, sub)
			}
			b.storeSubscription(sub, replay)
			code = codec.ReasonCode(sub.qos) // [MQTT-3.8.4-7]
		}
		codes = append(codes, code)
	}
	b.scratch.codes, b.scratch.replays = codes, replays
	if err := c.srv.Suback(b.now, &codec.Suback{PacketID: p.PacketID, ReasonCodes: codes}); err != nil {
		c.srv.Closed(b.now, err)
	}
	for _, sub := range replays {
		b.startReplay(sub)
	}
	clear(replays)
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
	case most > 0 && len(s.subs) >= most && s.subs[string(f.Filter)] == nil:
		return codec.ReasonQuotaExceeded
	}
	return codec.ReasonSuccess
}

// enter adds a subscription, or replaces the options of the one with the same
// filter. [MQTT-3.8.4-3]
func (b *Broker) enter(s *sess, f *codec.Subscription, id uint32) (sub *subscription, existed bool) {
	sub, existed = s.subs[string(f.Filter)]
	if !existed {
		sub = &subscription{sess: s, filter: string(f.Filter)}
		s.subs[sub.filter] = sub
		b.subs.add(sub)
	}
	sub.qos = f.QoS
	sub.noLocal, sub.retainAsPublished = f.NoLocal, f.RetainAsPublished
	if id != sub.id {
		sub.identify(id)
	}
	return sub, existed
}

// identify sets the Subscription Identifier. Messages that wait keep those they
// were given.
func (s *subscription) identify(id uint32) {
	s.id, s.ids = id, nil
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
	delete(sub.sess.subs, sub.filter)
	sub.sess.replay.drop(sub)
	b.subs.remove(sub)
	b.discardSubscription(sub)
}

// unsubscribe answers UNSUBSCRIBE. [MQTT-3.10.4-4] [MQTT-3.10.4-6]
func (b *Broker) unsubscribe(c *conn, p *codec.Unsubscribe) {
	codes := b.scratch.codes[:0]
	for _, filter := range p.Filters {
		code := codec.ReasonNoSubscriptionExisted
		if sub := c.sess.subs[string(filter)]; sub != nil {
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
