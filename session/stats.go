package session

import "github.com/mqttcore/mqttcore/codec"

// Stats counts what went over the current or last connection.
type Stats struct {
	BytesIn, BytesOut       uint64
	PacketsIn, PacketsOut   uint64
	MessagesIn, MessagesOut uint64 // PUBLISH, with repeats
	Dropped                 uint64 // messages told by Dropped
}

// Limits is what the two sides agreed on by CONNECT and CONNACK. Where a
// property was absent it holds what that stands for.
type Limits struct {
	// ClientID is the Client Identifier in force: the one of CONNECT, or the
	// Assigned Client Identifier.
	ClientID string
	// KeepAlive is the Keep Alive in force in seconds, 0 for none.
	KeepAlive uint16
	// SessionExpiry is the Session Expiry Interval in force in seconds. In
	// v3.1.1 it is 0 or NeverExpires.
	SessionExpiry uint32
	// ReceiveMaximum bounds the QoS 1 and 2 messages open towards the peer,
	// OwnReceiveMaximum those of the peer.
	ReceiveMaximum, OwnReceiveMaximum uint16
	// MaximumPacketSize bounds packets to the peer, OwnMaximumPacketSize those
	// of the peer; 0 for no bound but the format's.
	MaximumPacketSize, OwnMaximumPacketSize uint32
	// TopicAliasMaximum bounds aliases to the peer, OwnTopicAliasMaximum those
	// of the peer; 0 for no aliases.
	TopicAliasMaximum, OwnTopicAliasMaximum uint16
	// MaximumQoS to SharedSubscriptions are what the server offers.
	MaximumQoS              codec.QoS
	Retain                  bool
	WildcardSubscriptions   bool
	SubscriptionIdentifiers bool
	SharedSubscriptions     bool
	// ResponseInformation and ServerReference are those of CONNACK.
	ResponseInformation, ServerReference string
}

// features are the capabilities of the server as bits.
type features uint8

const (
	noRetain features = 1 << iota
	noWildcard
	noSubscriptionID
	noShared
	maxQoS0
	maxQoS1
)

func (f features) maximumQoS() codec.QoS {
	switch {
	case f&maxQoS0 != 0:
		return codec.QoS0
	case f&maxQoS1 != 0:
		return codec.QoS1
	}
	return codec.QoS2
}

// featuresOf reads the capabilities out of CONNACK.
func featuresOf(p *codec.ConnackProperties) (f features) {
	off := func(o codec.Opt[uint8], bit features) {
		if o.Set && o.Value == 0 {
			f |= bit
		}
	}
	off(p.RetainAvailable, noRetain)
	off(p.WildcardSubscriptionAvailable, noWildcard)
	off(p.SubscriptionIdentifierAvailable, noSubscriptionID)
	off(p.SharedSubscriptionAvailable, noShared)
	if q, ok := p.MaximumQoS.Get(); ok {
		f |= maxQoS0 << q
	}
	return f
}
