package broker

import (
	"github.com/mqttcore/mqttcore/codec"
)

// Policy decides what clients may do. Each hook answers at once and does not call
// the broker; one that is nil allows everything. Answers that take time, such as
// those of a database, are for Ask, which comes first where both are in use.
//
// Topics and filters are full ones, with the mount point. What hooks are given is
// borrowed for the call.
type Policy struct {
	// Publish is asked about each PUBLISH of a client, and about its Will: at
	// CONNECT, where an error refuses the client and nothing else counts, and
	// when it is published. It returns the message to be routed: p itself,
	// another one, which must not change any more, or nil to drop it as if all
	// was well. A code of 0x80 or above refuses it, as 0x83 does one that is illegal;
	// v3.1.1 has no way to tell.
	Publish func(c *Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode)
	// Subscribe is asked about each filter of a SUBSCRIBE, and by Recheck. It
	// may lower the QoS of s, and nothing else. A code of 0x80 or above refuses
	// the filter, Success grants it.
	Subscribe func(c *Client, s *codec.Subscription) codec.ReasonCode
	// Deliver is asked before a client gets a message, also a retained one or a
	// Will: when it is routed, and again when a session goes on, about what
	// waited and what is sent once more. from is who published it; nil for the
	// broker itself, and where that is not known any more, which is so when a
	// session goes on and by Recheck.
	Deliver func(c *Client, p *codec.Publish, from *Client) bool
}

// mayPublish asks whether a client may publish a message, and how.
func (b *Broker) mayPublish(c *Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
	if b.cfg.Policy.Publish == nil {
		return p, codec.ReasonSuccess
	}
	return b.cfg.Policy.Publish(c, p)
}

// maySubscribe asks whether a client may have a subscription. The QoS of f may
// be lowered.
func (b *Broker) maySubscribe(c *Client, f *codec.Subscription) codec.ReasonCode {
	if b.cfg.Policy.Subscribe == nil {
		return codec.ReasonSuccess
	}
	wanted := f.QoS
	code := b.cfg.Policy.Subscribe(c, f)
	f.QoS = min(f.QoS, wanted)
	if !code.IsError() {
		return codec.ReasonSuccess
	}
	return code
}

// mayDeliver asks whether a session may get a message.
func (b *Broker) mayDeliver(s *sess, p *codec.Publish, from *Client) bool {
	return b.cfg.Policy.Deliver == nil || b.cfg.Policy.Deliver(s.client, p, from)
}

// withhold asks again about what waits for a connected client and what is sent
// to it once more.
func (b *Broker) withhold(s *sess) {
	if b.cfg.Policy.Deliver == nil {
		return
	}
	s.conn.srv.Withhold(b.now, func(p *codec.Publish) bool {
		return !b.fullTopic(s.client, p, func(p *codec.Publish) bool { return b.mayDeliver(s, p, nil) })
	})
	b.busy.push(s.conn)
}
