package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Config is what both roles have in common. Its zero value is ready.
type Config struct {
	// MaximumPacketSize is the largest packet in bytes that is accepted, 0
	// for no limit but the format's. In v5.0 it is announced, unless CONNECT
	// or CONNACK already has the property; in v3.1.1 a larger packet closes
	// the connection. (v5.0 3.1.2.11.4, 3.2.2.3.6)
	MaximumPacketSize uint32
	// StreamAbove turns on MessageBegin, MessageData and MessageEnd, in place
	// of Message, for payloads of more than so many bytes, which are never
	// held as a whole then. 0 turns it off.
	StreamAbove int
	// AllowControlCharacters accepts strings with control characters and
	// non-characters. (v3.1.1 1.5.3, v5.0 1.5.4)
	AllowControlCharacters bool

	// ManualAck leaves PUBACK and PUBREC to Ack. Without it a message is
	// acknowledged when the driver asks for the event after it.
	ManualAck bool
	// ManualRelease leaves PUBREL to Release.
	ManualRelease bool
	// ManualComplete leaves PUBCOMP to Complete.
	ManualComplete bool

	// MaximumInflight bounds the messages of QoS 1 and 2 that are under way,
	// also in v3.1.1; the peer's Receive Maximum may be lower. 0 stands for
	// 65,535. (v5.0 4.9)
	MaximumInflight uint16
	// MaximumInflightBytes bounds the payloads of messages of QoS 1 and 2 that
	// are on their way to the peer, which has them once it sent PUBACK or
	// PUBREC. One message may be under way whatever its size. 0 stands for no
	// bound.
	MaximumInflightBytes int
	// Queue bounds the messages that wait to be sent.
	Queue QueueLimits
	// TopicAliases says whether outgoing messages use topic aliases.
	TopicAliases AliasPolicy
	// MaximumAliases bounds the aliases in use, within the Topic Alias
	// Maximum of the peer; 0 for no other bound.
	MaximumAliases uint16

	// Persist turns Store and Discard events on.
	Persist bool
	// HighWater is the number of unsent bytes above which no further message
	// is encoded. One Write may exceed it by one packet and by
	// acknowledgements. 0 stands for 64 KiB.
	HighWater int
	// ReferenceSize is the payload size in bytes from which Write refers to
	// the payload instead of holding a copy. 0 stands for 4 KiB.
	ReferenceSize int
	// CloseTimeout is how long the end of a connection waits for a transport
	// that cannot take bytes. 0 stands for 5 s.
	CloseTimeout time.Duration

	// Shared is memory that several connections of one owner use in turn;
	// with nil the connection has its own.
	Shared *Shared
	// Observe, if not nil, sees every packet. It must not call back.
	Observe func(Observation)
}

// ClientConfig configures a Client.
type ClientConfig struct {
	Config
	// Version is what the connection speaks: V311, V5 or their wide forms.
	// Zero stands for V5.
	Version codec.Version
	// ConnackTimeout bounds the wait for CONNACK, and for each AUTH before
	// it. 0 stands for 10 s, below 0 for no bound. (v3.1.1 and v5.0 3.2)
	ConnackTimeout time.Duration
	// PingInterval is the longest time without a packet sent. It can shorten
	// the Keep Alive in force, not lengthen it; 0 leaves it as it is.
	// (v3.1.1 3.1.2.10, v5.0 3.1.2.10)
	PingInterval time.Duration
	// PingTimeout bounds the wait for PINGRESP, or any other bytes, after
	// PINGREQ. 0 stands for 10 s, below 0 for no bound.
	PingTimeout time.Duration
	// State is the session state to go on with. With nil the client has none,
	// and a v5.0 server that says otherwise is a protocol error. What it has
	// under way on a wide link, see ServerConfig.Wide, may not fit a narrow one.
	// [MQTT-3.2.2-4]
	State *State
}

// ServerConfig configures a Server.
type ServerConfig struct {
	Config
	// Wide gives packet identifiers four bytes, see codec.V5Wide. A session that
	// goes on over a narrow link loses what is under way under higher
	// identifiers: it is Dropped.
	Wide bool
	// RefuseV311 and RefuseV5 refuse clients of that version by CONNACK.
	RefuseV311, RefuseV5 bool
	// MaximumConnectSize is the largest CONNECT in bytes that is accepted. 0
	// stands for 1 MiB; MaximumPacketSize may be lower.
	MaximumConnectSize uint32
	// ConnectTimeout bounds the wait for CONNECT, and for each AUTH before
	// CONNACK. 0 stands for 10 s, below 0 for no bound. (v3.1.1 and v5.0
	// 3.1.4)
	ConnectTimeout time.Duration
	// ManualPong leaves PINGRESP to Pong.
	ManualPong bool
	// MaximumSessionExpiry bounds the Session Expiry Interval of both versions,
	// in seconds, where CONNACK does not set another; 0 for no bound. (v5.0
	// 3.2.2.3.2)
	MaximumSessionExpiry uint32
}

// QueueLimits bounds a queue of outgoing messages.
type QueueLimits struct {
	// Messages is the largest number of waiting messages. 0 stands for 1000,
	// below 0 for no bound.
	Messages int
	// Bytes bounds the sum of topics and payloads. 0 stands for no bound.
	Bytes int
	// Policy says what happens to a message for which there is no room.
	Policy QueuePolicy
	// RefuseOffline makes Publish fail while there is no connection.
	RefuseOffline bool
}

// QueuePolicy says what happens when a queue is full.
type QueuePolicy uint8

const (
	// QueueRefuse refuses the new message with ErrQueueFull.
	QueueRefuse QueuePolicy = iota
	// QueueDropOldest drops messages from the head of the queue.
	QueueDropOldest
	// QueueDropQoS0 drops waiting messages of QoS 0 from the head, and
	// refuses the new message if there are none or it is itself QoS 0.
	QueueDropQoS0
)

// AliasPolicy says how outgoing messages use topic aliases. (v5.0 3.3.2.3.4)
type AliasPolicy uint8

const (
	// AliasOff uses none.
	AliasOff AliasPolicy = iota
	// AliasManual uses those that the application sets in its messages.
	AliasManual
	// AliasAuto gives every topic an alias and takes the one used least
	// recently when there is no other.
	AliasAuto
	// AliasExisting uses the aliases that the application set in earlier
	// messages also for those without one, and makes no others.
	AliasExisting
)

// settings is what a connection is configured with. Connections with the same
// Shared and the same settings hold them once.
type settings struct {
	Config
	serverOnly
}

// serverOnly holds what only a server is configured with.
type serverOnly struct {
	connectTimeout time.Duration
	connectSize    int
	wide           bool
	refuseV311     bool
	refuseV5       bool
	manualPong     bool
	longest        uint32 // Session Expiry Interval, 0 for any
}

// Default values of the configuration.
const (
	defaultTimeout       = 10 * time.Second
	defaultCloseTimeout  = 5 * time.Second
	defaultConnectSize   = 1 << 20
	defaultQueueMessages = 1000
	defaultHighWater     = 64 << 10
	defaultReferenceSize = 4 << 10
)

// normalize replaces zero values by what they stand for.
func (c *Config) normalize() {
	if c.MaximumInflight == 0 {
		c.MaximumInflight = 65535
	}
	if c.HighWater <= 0 {
		c.HighWater = defaultHighWater
	}
	if c.ReferenceSize <= 0 {
		c.ReferenceSize = defaultReferenceSize
	}
	c.CloseTimeout = timeout(c.CloseTimeout, defaultCloseTimeout)
	if c.Shared == nil {
		c.Shared = new(Shared)
	}
}

// timeout returns the duration that a setting stands for, 0 for none.
func timeout(d, fallback time.Duration) time.Duration {
	switch {
	case d == 0:
		return fallback
	case d < 0:
		return 0
	}
	return d
}
