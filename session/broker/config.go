package broker

import (
	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Config configures a Broker. Its zero value is ready: everything that MQTT
// offers, without limits but those of the format.
type Config struct {
	// Server applies to every connection: sizes, time limits and the queue of
	// messages that wait for one client. Of that, QueueRefuse stands for
	// QueueDropQoS0 here. Its Persist turns Store and Discard events on, see
	// Broker.Restore. Shared and the Manual fields are the broker's own.
	Server session.ServerConfig

	// Policy says what clients may do, at once; Ask about what the broker asks
	// the driver, which answers when it can.
	Policy Policy
	Ask    Ask

	// Limits are those of each client, unless Admission has others for it.
	Limits
	// MaximumSessions bounds the sessions, with a connection or without; 0 for
	// no bound. A client for which there is no room is refused, with 0x97 or, in
	// v3.1.1, 0x03.
	MaximumSessions int

	// ReceiveMaximum bounds the QoS 1 and 2 messages that a v5.0 client may
	// have open; 0 for 65,535. (v5.0 3.2.2.3.3)
	ReceiveMaximum uint16
	// TopicAliasMaximum is the number of topic aliases that a v5.0 client may
	// use; 0 for none. (v5.0 3.2.2.3.8)
	TopicAliasMaximum uint16
	// MaximumKeepAlive bounds the Keep Alive of v5.0 clients, in seconds; 0 for no
	// bound. One that wants more is told. There is no way to tell one of v3.1.1.
	// (v5.0 3.2.2.3.14)
	MaximumKeepAlive uint16
	// MaximumSessionExpiry bounds the Session Expiry Interval, in seconds; 0 for
	// no bound. It is how long the session of a v3.1.1 client without Clean
	// Session is kept. (v5.0 3.2.2.3.2)
	MaximumSessionExpiry uint32
	// NoRetain, NoWildcards, NoShared and NoSubscriptionIdentifiers turn a
	// capability off. v5.0 clients are told. One of v3.1.1 is disconnected when it
	// sends RETAIN, and gets 0x80 for the filters. Without retained messages there
	// are none of the application and of $SYS either, and those that Restore finds
	// are kept and not sent. (v5.0 3.2.2.3.5, 3.2.2.3.11 to 3.2.2.3.13)
	NoRetain, NoWildcards, NoShared, NoSubscriptionIdentifiers bool

	// DollarTopics lets clients publish to topics that begin with $, except
	// $SYS, which is the broker's, and $share. (v3.1.1 and v5.0 4.7.2)
	DollarTopics bool

	// MaximumLevels bounds the levels of topics and filters. 0 stands for 200.
	MaximumLevels int
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

	// UpgradeOutgoingQoS is a leniency: messages are delivered at the QoS of the
	// subscription, also those that were published with a lower one.
	// (v3.1.1 and v5.0 3.8.4)
	UpgradeOutgoingQoS bool
	// Sys publishes figures of the broker under $SYS.
	Sys Sys
}

const (
	defaultLevels        = 200
	longestTopic         = 65535 // (v3.1.1 and v5.0 1.5.3, 1.5.4)
	defaultHighWater     = 64 << 10
	defaultReferenceSize = 4 << 10
)

// normalize replaces zero values by what they stand for, and takes over what is
// not the caller's to set.
func (c *Config) normalize(shared *session.Shared) {
	if c.MaximumLevels <= 0 {
		c.MaximumLevels = defaultLevels
	}
	if c.MaximumTopicLength <= 0 || c.MaximumTopicLength > longestTopic {
		c.MaximumTopicLength = longestTopic
	}
	if c.ClientIDPrefix == "" {
		c.ClientIDPrefix = "auto-"
	}
	s := &c.Server
	s.Shared = shared
	if s.MaximumSessionExpiry == 0 {
		s.MaximumSessionExpiry = c.MaximumSessionExpiry
	}
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

// announce puts what the broker does not offer a client into CONNACK. What its
// messages may not have holds in v3.1.1 too, which has an answer to the rest.
func (c *Config) announce(p *codec.ConnackProperties, to *conn) {
	if q := to.maximumQoS(); q < codec.QoS2 {
		p.MaximumQoS = codec.Some(uint8(q))
	}
	off := func(o *codec.Opt[uint8], missing bool) {
		if missing {
			*o = codec.Some(uint8(0))
		}
	}
	off(&p.RetainAvailable, c.NoRetain)
	if !to.srv.Version().IsV5() {
		return
	}
	off(&p.WildcardSubscriptionAvailable, c.NoWildcards)
	off(&p.SharedSubscriptionAvailable, c.NoShared)
	off(&p.SubscriptionIdentifierAvailable, c.NoSubscriptionIdentifiers)
	if c.ReceiveMaximum != 0 {
		p.ReceiveMaximum = codec.Some(c.ReceiveMaximum)
	}
	if most := to.at.TopicAliasMaximum; most.Value != 0 {
		p.TopicAliasMaximum = most
	}
}
