package session

import (
	"math"

	"github.com/mqttcore/mqttcore/codec"
)

// limits is what CONNECT and CONNACK set for the connection.
type limits struct {
	clientID       string
	more           *moreLimits // what few connections have
	connectSize    int         // largest CONNECT that a server accepts
	expiry         uint32      // Session Expiry Interval in force
	connectExpiry  uint32      // the one of CONNECT
	packetOut      uint32      // largest packet to the peer, 0 for any
	packetIn       uint32      // largest packet from the peer, 0 for any
	receiveOut     uint16      // Receive Maximum of the peer
	receiveIn      uint16      // own Receive Maximum
	aliasOut       uint16      // Topic Alias Maximum of the peer
	aliasIn        uint16      // own Topic Alias Maximum
	keepAlive      uint16      // in force
	features       features    // what the server does not offer
	will           features    // what the Will of CONNECT needs, as noRetain, maxQoS0, maxQoS1
	cleanStart     bool
	noProblemInfo  bool // Request Problem Information is 0
	responseInfo   bool // Request Response Information is 1
	established    bool // CONNACK with success was exchanged
	sessionPresent bool
}

type moreLimits struct{ responseInformation, serverReference string }

// Limits returns what the two sides agreed on. It allocates nothing.
func (c *core) Limits() Limits {
	l := &c.limits
	out := Limits{
		ClientID:                l.clientID,
		KeepAlive:               l.keepAlive,
		SessionExpiry:           l.expiry,
		ReceiveMaximum:          l.receiveOut,
		OwnReceiveMaximum:       l.receiveIn,
		MaximumPacketSize:       l.packetOut,
		OwnMaximumPacketSize:    l.packetIn,
		TopicAliasMaximum:       l.aliasOut,
		OwnTopicAliasMaximum:    l.aliasIn,
		MaximumQoS:              l.features.maximumQoS(),
		Retain:                  l.features&noRetain == 0,
		WildcardSubscriptions:   l.features&noWildcard == 0,
		SubscriptionIdentifiers: l.features&noSubscriptionID == 0,
		SharedSubscriptions:     l.features&noShared == 0,
	}
	if l.more != nil {
		out.ResponseInformation, out.ServerReference = l.more.responseInformation, l.more.serverReference
	}
	return out
}

// byConnect applies CONNECT: what the client announces for the other
// direction, and what it wishes.
func (c *core) byConnect(p *codec.Connect) {
	l := &c.limits
	l.clientID = string(p.ClientID)
	l.keepAlive = p.KeepAlive
	l.cleanStart = p.CleanStart
	l.receiveIn, l.receiveOut = math.MaxUint16, math.MaxUint16
	if !c.version.IsV5() {
		if !p.CleanStart {
			l.expiry = NeverExpires
		}
		return
	}
	props := &p.Properties
	l.expiry = props.SessionExpiryInterval.Or(0)
	l.connectExpiry = l.expiry
	l.noProblemInfo = props.RequestProblemInformation.Or(1) == 0
	l.responseInfo = props.RequestResponseInformation.Or(0) == 1
	receive, size, aliases := props.ReceiveMaximum.Or(math.MaxUint16), props.MaximumPacketSize.Or(0), props.TopicAliasMaximum.Or(0)
	if c.server {
		l.receiveOut, l.packetOut, l.aliasOut = receive, size, aliases
	} else {
		l.receiveIn, l.packetIn, l.aliasIn = receive, size, aliases
	}
	if method, ok := props.AuthenticationMethod.Get(); ok {
		c.auth = &authState{method: string(method), running: true, turn: c.server}
	}
}

// byConnack applies a successful CONNACK, whose values go before those of
// CONNECT. missing is what the server does not offer, be it in CONNACK or not.
func (c *core) byConnack(p *codec.Connack, missing features) {
	l := &c.limits
	l.established, l.sessionPresent = true, p.SessionPresent
	l.features = missing
	if c.auth.running {
		c.auth.running = false
	}
	if !c.version.IsV5() {
		return
	}
	props := &p.Properties
	// [MQTT-3.1.2-21] [MQTT-3.2.2-21] [MQTT-3.2.2-22]
	l.keepAlive = props.ServerKeepAlive.Or(l.keepAlive)
	l.expiry = props.SessionExpiryInterval.Or(l.expiry)
	if id, ok := props.AssignedClientIdentifier.Get(); ok {
		l.clientID = string(id)
	}
	receive, size, aliases := props.ReceiveMaximum.Or(math.MaxUint16), props.MaximumPacketSize.Or(0), props.TopicAliasMaximum.Or(0)
	if c.server {
		l.receiveIn, l.packetIn, l.aliasIn = receive, size, aliases
	} else {
		l.receiveOut, l.packetOut, l.aliasOut = receive, size, aliases
	}
	if props.ResponseInformation.Set || props.ServerReference.Set {
		l.more = &moreLimits{string(props.ResponseInformation.Value), string(props.ServerReference.Value)}
	}
}
