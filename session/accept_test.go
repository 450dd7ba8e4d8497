package session_test

import "testing"

func TestServerAccepts(t *testing.T) {
	// [MQTT-3.1.4-5] v5 [MQTT-3.2.2-22] v5 [MQTT-3.2.2-2] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":60,"Properties":{"SessionExpiryInterval":30,"ReceiveMaximum":5,"MaximumPacketSize":100,"TopicAliasMaximum":4}}
	| Connect packet=CONNECT CleanStart=true KeepAlive=60 SessionExpiryInterval=30 ReceiveMaximum=5 MaximumPacketSize=100 TopicAliasMaximum=4 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	limits
	| {ClientID:c KeepAlive:60 SessionExpiry:30 ReceiveMaximum:5 OwnReceiveMaximum:65535 MaximumPacketSize:100 OwnMaximumPacketSize:0 TopicAliasMaximum:4 OwnTopicAliasMaximum:0 MaximumQoS:2 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	`)
	// [MQTT-3.1.4-4] v311 [MQTT-3.2.2-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	`)
	// The server's properties apply, and what the application need not say is
	// added.
	scenario(t, `
	server v5 {"MaximumPacketSize":2000}
	| Timer +10s
	recv CONNECT {"CleanStart":true,"KeepAlive":60,"Properties":{"SessionExpiryInterval":30}}
	| Connect packet=CONNECT CleanStart=true KeepAlive=60 SessionExpiryInterval=30 ClientID=""
	accept {"Properties":{"ServerKeepAlive":5,"ReceiveMaximum":2}}
	| error mqtt: Accept: not possible in this state: no Assigned Client Identifier rule MQTT-3.1.3-7
	accept {"Properties":{"AssignedClientIdentifier":"new","ServerKeepAlive":5,"ReceiveMaximum":2,"TopicAliasMaximum":9,"MaximumQoS":1,"SessionExpiryInterval":1}}
	| Connected session=false
	| Write CONNACK SessionExpiryInterval=1 ReceiveMaximum=2 MaximumQoS=1 MaximumPacketSize=2000 AssignedClientIdentifier=new TopicAliasMaximum=9 ServerKeepAlive=5
	| Timer +7.5s
	limits
	| {ClientID:new KeepAlive:5 SessionExpiry:1 ReceiveMaximum:65535 OwnReceiveMaximum:2 MaximumPacketSize:0 OwnMaximumPacketSize:2000 TopicAliasMaximum:0 OwnTopicAliasMaximum:9 MaximumQoS:1 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	accept
	| error mqtt: Accept: not possible in this state: the connection is connected
	`)
}

func TestServerSessionPresent(t *testing.T) {
	// Session Present says whether there is state, whatever the caller set.
	// [MQTT-3.2.2-3] v5
	scenario(t, `
	state
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept {"SessionPresent":true}
	| Connected session=false
	| Write CONNACK
	`)
	// Clean Start drops the state. [MQTT-3.1.2-4] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"p"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Connected session=false
	| Write CONNACK
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// [MQTT-3.1.2-6] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"p"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Connected session=false
	| Write CONNACK
	status
	| connected vacancy=65535 inflight=0 queued=0
	disconnect
	| Close
	`)
	// A session that has expired is not there any more.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"p"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v5
	| Timer +10s
	pass 100s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Connected session=false
	| Write CONNACK
	`)
}

func TestServerRefuses(t *testing.T) {
	// Nothing that follows a refused CONNECT is looked at.
	// [MQTT-3.2.2-7] v5 [MQTT-3.1.4-6] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	recv PUBLISH {"Topic":"a"}
	refuse
	| error mqtt: Refuse: not possible in this state: reason code is a success; see Accept
	refuse {"ReasonCode":138,"Properties":{"ReasonString":"no"}}
	| Write CONNACK ReasonCode="0x8A Banned" ReasonString=no
	| Close reason=0x8A error=mqtt: Refuse: connection refused: Banned
	recv PUBLISH {"Topic":"a"}
	`)
	// [MQTT-3.2.2-5] v311 [MQTT-3.1.4-5] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	recv PUBLISH {"Topic":"a"}
	refuse {"ReasonCode":134}
	| Write CONNACK ReasonCode="0x86 Bad User Name or Password"
	| Close reason=0x86 error=mqtt: Refuse: connection refused: Bad User Name or Password
	recv PUBLISH {"Topic":"a"}
	`)
	// No return code fits. [MQTT-3.2.2-6] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	refuse {"ReasonCode":153}
	| Close reason=0x99 error=mqtt: Refuse: connection refused: Payload format invalid
	`)
}

// TestBadConnect covers a CONNECT at fault, for which only a few codes exist.
func TestBadConnect(t *testing.T) {
	// [MQTT-3.1.0-1] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv PUBLISH {"Topic":"a"}
	| Close reason=0x82 error=PUBLISH: protocol error: sent before CONNECT rule MQTT-3.1.0-1
	recv CONNECT {"ClientID":"c"}
	`)
	// [MQTT-3.1.0-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv PINGREQ
	| Close reason=0x82 error=PINGREQ: protocol error: sent before CONNECT rule MQTT-3.1.0-1
	`)
	// The CONNACK is in a form that the client can read.
	// [MQTT-3.1.2-2] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv hex 10 0C 00 04 4D 51 54 54 03 02 00 00 00 00
	| Write CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=CONNECT: unsupported protocol version: ProtocolLevel at byte 6: the protocol level is not the one of the link rule MQTT-3.1.2-2
	`)
	// [MQTT-3.1.2-2] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 0D 00 04 4D 51 54 54 06 02 00 00 00 00 00
	| Write CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=CONNECT: unsupported protocol version: ProtocolLevel at byte 6: the protocol level is not the one of the link rule MQTT-3.1.2-2
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 0E 00 06 4D 51 49 73 64 70 03 02 00 00 00 00
	| Write CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=CONNECT: unsupported protocol version: ProtocolName at byte 0: the Protocol Name is not MQTT rule MQTT-3.1.2-1
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 0C 00 04 48 54 54 50 04 02 00 00 00 00
	| Close reason=0x84 error=CONNECT: unsupported protocol version: ProtocolName at byte 0: the Protocol Name is not MQTT rule MQTT-3.1.2-1
	`)
	scenario(t, `
	server v5 {"RefuseV5":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Write CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=CONNECT: unsupported protocol version: v5.0 is not served here rule MQTT-3.1.2-2
	`)
	scenario(t, `
	server v311 {"RefuseV311":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Write CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=CONNECT: unsupported protocol version: v3.1.1 is not served here rule MQTT-3.1.2-2
	`)
	// [MQTT-3.1.3-8] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv hex 10 0C 00 04 4D 51 54 54 04 00 00 00 00 00
	| Write CONNACK ReasonCode="0x85 Client Identifier not valid"
	| Close reason=0x85 error=CONNECT: protocol error: ClientID at byte 12: the field is empty rule MQTT-3.1.3-7
	`)
	// Will QoS 3: v3.1.1 closes without a word, v5.0 has CONNACK.
	// [MQTT-4.8.0-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv hex 10 13 00 04 4D 51 54 54 04 1E 00 00 00 01 63 00 01 77 00 01 78
	| Close reason=0x81 error=CONNECT: malformed packet: Will.QoS at byte 9: the value is out of range rule MQTT-3.1.2-14
	`)
	// [U5-4.13.1-b] v5 [MQTT-4.13.1-1] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 15 00 04 4D 51 54 54 05 1E 00 00 00 00 01 63 00 00 01 77 00 01 78
	| Write CONNACK ReasonCode="0x81 Malformed Packet"
	| Close reason=0x81 error=CONNECT: malformed packet: Will.QoS at byte 9: the value is out of range rule MQTT-3.1.2-12
	`)
	// A CONNECT above the limit: its header is enough to refuse it.
	scenario(t, `
	server v5 {"MaximumConnectSize":100}
	| Timer +10s
	recv hex 10 64
	| Close reason=0x95 error=CONNECT: too large: Remaining Length at byte 1: the packet is larger than the limit
	`)
}

// TestSecondConnect ends the connection, whenever it comes.
func TestSecondConnect(t *testing.T) {
	// [MQTT-3.1.0-2] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNECT: protocol error: second CONNECT rule MQTT-3.1.0-2
	`)
	// [MQTT-3.1.0-2] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	recv CONNECT {"ClientID":"c","CleanStart":true}
	accept
	| Connected session=false
	| Write CONNACK
	| Close reason=0x82 error=CONNECT: protocol error: second CONNECT rule MQTT-3.1.0-2
	`)
}

func TestServerWill(t *testing.T) {
	// [MQTT-3.2.2-12] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Will":{"QoS":2,"Topic":"w"}}
	| Connect packet=CONNECT ClientID=c Will.QoS=2 Will.Topic=w Will.Payload="0 bytes"
	accept {"Properties":{"MaximumQoS":1}}
	| error mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule MQTT-3.2.2-12
	| Write CONNACK ReasonCode="0x9B QoS not supported"
	| Close reason=0x9B error=mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule MQTT-3.2.2-12
	`)
	// [MQTT-3.2.2-13] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Will":{"Retain":true,"Topic":"w"}}
	| Connect packet=CONNECT ClientID=c Will.Retain=true Will.Topic=w Will.Payload="0 bytes"
	accept {"Properties":{"RetainAvailable":0}}
	| error mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule MQTT-3.2.2-13
	| Write CONNACK ReasonCode="0x9A Retain not supported"
	| Close reason=0x9A error=mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule MQTT-3.2.2-13
	`)
	// [MQTT-3.2.2-9] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Will":{"QoS":1,"Topic":"w"}}
	| Connect packet=CONNECT ClientID=c Will.QoS=1 Will.Topic=w Will.Payload="0 bytes"
	accept {"Properties":{"MaximumQoS":1}}
	| Connected session=false
	| Write CONNACK MaximumQoS=1
	`)
	// v3.1.1 has no return code for it. [U311-3.1.4-b] v311 [MQTT-3.2.2-6] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","Will":{"QoS":1,"Topic":"w"}}
	| Connect packet=CONNECT ClientID=c Will.QoS=1 Will.Topic=w Will.Payload="0 bytes"
	accept {"Properties":{"MaximumQoS":0}}
	| error mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule U311-3.1.4-b
	| Close reason=0x9B error=mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule U311-3.1.4-b
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","Will":{"Retain":true,"Topic":"w"}}
	| Connect packet=CONNECT ClientID=c Will.Retain=true Will.Topic=w Will.Payload="0 bytes"
	accept {"Properties":{"RetainAvailable":0}}
	| error mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule U311-3.1.4-b
	| Close reason=0x9A error=mqtt: Accept: over a limit of the peer: Will of CONNECT is not served; the client was refused rule U311-3.1.4-b
	`)
}

// TestConnackOfV311 has only what holds without being sent.
func TestConnackOfV311(t *testing.T) {
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"MaximumQoS":2}}
	| error mqtt: Accept: CONNACK: protocol error: Properties.MaximumQoS: the value is out of range rule U5-3.2.2.3.4-a
	accept {"Properties":{"MaximumQoS":1,"WildcardSubscriptionAvailable":0}}
	| error mqtt: Accept: CONNACK: not part of this version: Properties.WildcardSubscriptionAvailable: the field does not exist in this version
	limits
	| {ClientID:c KeepAlive:0 SessionExpiry:0 ReceiveMaximum:65535 OwnReceiveMaximum:65535 MaximumPacketSize:0 OwnMaximumPacketSize:0 TopicAliasMaximum:0 OwnTopicAliasMaximum:0 MaximumQoS:2 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	accept {"Properties":{"MaximumQoS":1,"RetainAvailable":0}}
	| Connected session=false
	| Write CONNACK
	limits
	| {ClientID:c KeepAlive:0 SessionExpiry:0 ReceiveMaximum:65535 OwnReceiveMaximum:65535 MaximumPacketSize:0 OwnMaximumPacketSize:0 TopicAliasMaximum:0 OwnTopicAliasMaximum:0 MaximumQoS:1 Retain:false WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	`)
}

// TestConnackTrimmed leaves out what would make CONNACK too large.
func TestConnackTrimmed(t *testing.T) {
	// [MQTT-3.2.2-20] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"MaximumPacketSize":12}}
	| Connect packet=CONNECT MaximumPacketSize=12 ClientID=c
	accept {"Properties":{"ReasonString":"1234","UserProperties":[["name","v"]]}}
	| Connected session=false
	| Write CONNACK ReasonString=1234
	`)
	// [MQTT-3.2.2-19] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"MaximumPacketSize":12}}
	| Connect packet=CONNECT MaximumPacketSize=12 ClientID=c
	accept {"Properties":{"ReasonString":"12345","UserProperties":[["n","v"]]}}
	| Connected session=false
	| Write CONNACK UserProperties.n=v
	`)
	// What has to be said does not fit. [MQTT-3.1.2-24] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"Properties":{"MaximumPacketSize":12}}
	| Connect packet=CONNECT MaximumPacketSize=12 ClientID=""
	accept {"Properties":{"AssignedClientIdentifier":"1234567890"}}
	| error mqtt: Accept: over a limit of the peer: CONNACK is too large for the client rule MQTT-3.1.2-24
	| Close reason=0x95 error=mqtt: Accept: over a limit of the peer: CONNACK is too large for the client rule MQTT-3.1.2-24
	`)
}
