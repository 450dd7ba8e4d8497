package broker

import (
	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Config configures a Broker. Its zero value is ready: everything that MQTT
// offers, without limits but those of the format.
type Config struct {
	// Server applies to every connection. Its Persist turns Store and Discard
	// events on, see Broker.Restore; QueueDropOldest leaves the records of
	// messages that it drops for a client that is away until the end of the
	// session.
	//
	// It holds sizes, time limits and the queue
	// of messages that wait for one client. Of that, QueueRefuse stands for
	// QueueDropQoS0 here. Shared and the Manual fields are the broker's own.
	Server session.ServerConfig

	// Ask says about what the broker asks the driver.
	Ask Ask
	// MayDeliver, if not nil, is asked before a session gets a message, also a
	// retained one or the Will of another client. It must answer at once and
	// not call the broker; where the answer takes time, see AskSubscribe and
	// Revoke. What waits for a client already is not asked about again.
	MayDeliver func(clientID string, p *codec.Publish) bool

	// ReceiveMaximum bounds the QoS 1 and 2 messages that a v5.0 client may
	// have open; 0 for 65,535. (v5.0 3.2.2.3.3)
	ReceiveMaximum uint16
	// TopicAliasMaximum is the number of topic aliases that a v5.0 client may
	// use; 0 for none. (v5.0 3.2.2.3.8)
	TopicAliasMaximum uint16
	// MaximumKeepAlive bounds the Keep Alive of v5.0 clients, in seconds; 0 for
	// no bound. (v5.0 3.2.2.3.14)
	MaximumKeepAlive uint16
	// MaximumSessionExpiry bounds the Session Expiry Interval of v5.0 clients,
	// in seconds; 0 for no bound. (v5.0 3.2.2.3.2)
	MaximumSessionExpiry uint32
	// MaximumQoS, if set, is the highest QoS on offer. (v5.0 3.2.2.3.4)
	MaximumQoS codec.Opt[codec.QoS]
	// NoRetain, NoWildcards, NoShared and NoSubscriptionIdentifiers turn a
	// capability off. v5.0 clients are told. (v5.0 3.2.2.3.5, 3.2.2.3.11 to
	// 3.2.2.3.13)
	NoRetain, NoWildcards, NoShared, NoSubscriptionIdentifiers bool

	// DollarTopics lets clients publish to topics that begin with $, except
	// $SYS, which is the broker's, and $share. (v3.1.1 and v5.0 4.7.2)
	DollarTopics bool

	// MaximumLevels bounds the levels of topics and filters. 0 stands for 200.
	MaximumLevels int
	// MaximumSubscriptions bounds the subscriptions of one session; 0 for no
	// bound.
	MaximumSubscriptions int
	// MaximumTopicLength bounds the bytes of topics and filters; 0 for no
	// bound but the format's, 65,535.
	MaximumTopicLength int
	// MaximumRetained bounds the retained messages, MaximumRetainedBytes the sum
	// of their topics and payloads; 0 for no bound. A message beyond them is
	// delivered and not retained; the one before it is gone.
	MaximumRetained, MaximumRetainedBytes int

	// ClientIDPrefix begins the Client Identifiers that the broker assigns. A
	// broker that restarts should not use the same one again.
	ClientIDPrefix string
}

const (
	defaultLevels        = 200
	defaultHighWater     = 64 << 10
	defaultReferenceSize = 4 << 10
)

// normalize replaces zero values by what they stand for, and takes over what is
// not the caller's to set.
func (c *Config) normalize(shared *session.Shared) {
	if c.MaximumLevels <= 0 {
		c.MaximumLevels = defaultLevels
	}
	if c.ClientIDPrefix == "" {
		c.ClientIDPrefix = "auto-"
	}
	s := &c.Server
	s.Shared = shared
	if s.HighWater <= 0 {
		s.HighWater = defaultHighWater
	}
	if s.ReferenceSize <= 0 {
		s.ReferenceSize = defaultReferenceSize
	}
	if s.Queue.Policy == session.QueueRefuse {
		s.Queue.Policy = session.QueueDropQoS0
	}
	s.ManualAck, s.ManualRelease, s.ManualComplete, s.ManualPong = c.Ask&AskPublish != 0, false, false, false
	s.StreamAbove = 0
}

// maximumQoS returns the highest QoS on offer.
func (c *Config) maximumQoS() codec.QoS { return min(codec.QoS2, c.MaximumQoS.Or(codec.QoS2)) }

// announce puts what the broker does not offer into CONNACK.
func (c *Config) announce(p *codec.ConnackProperties) {
	if q := c.maximumQoS(); q < codec.QoS2 {
		p.MaximumQoS = codec.Some(uint8(q))
	}
	off := func(o *codec.Opt[uint8], missing bool) {
		if missing {
			*o = codec.Some(uint8(0))
		}
	}
	off(&p.RetainAvailable, c.NoRetain)
	off(&p.WildcardSubscriptionAvailable, c.NoWildcards)
	off(&p.SharedSubscriptionAvailable, c.NoShared)
	off(&p.SubscriptionIdentifierAvailable, c.NoSubscriptionIdentifiers)
	if c.ReceiveMaximum != 0 {
		p.ReceiveMaximum = codec.Some(c.ReceiveMaximum)
	}
	if c.TopicAliasMaximum != 0 {
		p.TopicAliasMaximum = codec.Some(c.TopicAliasMaximum)
	}
}
