package session_test

import "testing"

func TestClientConnects(t *testing.T) {
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Write CONNECT CleanStart=true KeepAlive=10 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	limits
	| {ClientID:c KeepAlive:10 SessionExpiry:0 ReceiveMaximum:65535 OwnReceiveMaximum:65535 MaximumPacketSize:0 OwnMaximumPacketSize:0 TopicAliasMaximum:0 OwnTopicAliasMaximum:0 MaximumQoS:2 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:}
	disconnect
	| Write DISCONNECT
	| Close
	`)
	// Every property of CONNACK takes effect.
	// [MQTT-3.1.2-21] v5 [MQTT-3.2.2-21] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"ReceiveMaximum":7,"TopicAliasMaximum":3,"MaximumPacketSize":500,"RequestResponseInformation":1}}
	| Write CONNECT CleanStart=true ReceiveMaximum=7 MaximumPacketSize=500 TopicAliasMaximum=3 RequestResponseInformation=1 ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":5,"MaximumQoS":1,"RetainAvailable":0,"MaximumPacketSize":1000,"AssignedClientIdentifier":"x","TopicAliasMaximum":2,"WildcardSubscriptionAvailable":0,"SubscriptionIdentifierAvailable":0,"SharedSubscriptionAvailable":0,"ServerKeepAlive":20,"ResponseInformation":"r","ServerReference":"s","SessionExpiryInterval":9}}
	| Connected session=false packet=CONNACK SessionExpiryInterval=9 ReceiveMaximum=5 MaximumQoS=1 RetainAvailable=0 MaximumPacketSize=1000 AssignedClientIdentifier=x TopicAliasMaximum=2 WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0 ServerKeepAlive=20 ResponseInformation=r ServerReference=s
	limits
	| {ClientID:x KeepAlive:20 SessionExpiry:9 ReceiveMaximum:5 OwnReceiveMaximum:7 MaximumPacketSize:1000 OwnMaximumPacketSize:500 TopicAliasMaximum:2 OwnTopicAliasMaximum:3 MaximumQoS:1 Retain:false WildcardSubscriptions:false SubscriptionIdentifiers:false SharedSubscriptions:false ResponseInformation:r ServerReference:s}
	after 20s
	| Write PINGREQ
	| Timer +30s
	disconnect {"ReasonCode":4}
	| Write DISCONNECT ReasonCode="0x04 Disconnect with Will Message"
	| Close reason=0x04
	`)
}

func TestClientRefused(t *testing.T) {
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"ReasonCode":135}
	| Refused reason=0x87 packet=CONNACK ReasonCode="0x87 Not authorized"
	| Close reason=0x87 error=mqtt: Connect: connection refused: Not authorized
	# A new connection of the same client:
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv hex 20 02 00 00
	| Connected session=false packet=CONNACK
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"ReasonCode":156,"Properties":{"ServerReference":"other:1883"}}
	| Refused reason=0x9C packet=CONNACK ReasonCode="0x9C Use another server" ServerReference=other:1883
	| Close reason=0x9C error=mqtt: Connect: connection refused: Use another server
	limits
	| {ClientID:c KeepAlive:0 SessionExpiry:0 ReceiveMaximum:65535 OwnReceiveMaximum:65535 MaximumPacketSize:0 OwnMaximumPacketSize:0 TopicAliasMaximum:0 OwnTopicAliasMaximum:0 MaximumQoS:2 Retain:true WildcardSubscriptions:true SubscriptionIdentifiers:true SharedSubscriptions:true ResponseInformation: ServerReference:other:1883}
	`)
}

// TestRefusedByOlderServer: a server of v3.1.1 answers in its own form.
func TestRefusedByOlderServer(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv hex 20 02 00 01
	| Refused reason=0x84 packet=CONNACK ReasonCode="0x84 Unsupported Protocol Version"
	| Close reason=0x84 error=mqtt: Connect: connection refused: Unsupported Protocol Version
	`)
}

// TestClosedServer leaves its session state to the next connection.
func TestClosedServer(t *testing.T) {
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	closed
	| Close reason=0x80 error=transport closed
	publish {"Topic":"a","QoS":1}
	| error mqtt: Publish: not possible in this state: the connection is closed
	ack 1
	| error mqtt: Ack: not possible in this state: the connection is closed
	erase 1
	| error mqtt: Erase: not possible in this state: the connection is closed
	`)
}

// TestClientBeforeConnack sends a client what may not come yet.
func TestClientBeforeConnack(t *testing.T) {
	// [MQTT-3.2.0-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv PUBLISH {"Topic":"a"}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: sent before CONNACK rule MQTT-3.2.0-1
	`)
	// [MQTT-3.2.0-1] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv PUBLISH {"Topic":"a"}
	| Close reason=0x82 error=PUBLISH: protocol error: sent before CONNACK rule MQTT-3.2.0-1
	`)
	// [MQTT-3.14.0-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv DISCONNECT {"ReasonCode":137}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=DISCONNECT: protocol error: sent before CONNACK rule MQTT-3.14.0-1
	`)
	// [MQTT-3.2.0-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv CONNACK
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: second CONNACK rule MQTT-3.2.0-2
	recv PUBLISH {"Topic":"a"}
	`)
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv CONNACK
	| Close reason=0x82 error=CONNACK: protocol error: second CONNACK rule MQTT-4.8.0-1
	`)
}

// TestConnackMustFitConnect covers successes that the client did not ask for.
func TestConnackMustFitConnect(t *testing.T) {
	// A client without session state closes on Session Present.
	// [MQTT-3.2.2-4] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: Session Present, but the client has no session rule MQTT-3.2.2-4
	`)
	// With Clean Start it has just dropped its state.
	// [MQTT-3.2.2-2] v5
	scenario(t, `
	state
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: Session Present, but the client has no session rule MQTT-3.2.2-4
	`)
	// In v3.1.1 the client may go on.
	scenario(t, `
	client v311
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	`)
	// [MQTT-3.1.2-28] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ResponseInformation":"r"}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: Response Information was not asked for rule MQTT-3.1.2-28
	`)
	scenario(t, `
	client v5
	connect {"CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=""
	| Timer +10s
	recv CONNACK
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: no Assigned Client Identifier rule MQTT-3.1.3-7
	`)
	scenario(t, `
	client v5
	connect {"CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=""
	| Timer +10s
	recv CONNACK {"Properties":{"AssignedClientIdentifier":"mine"}}
	| Connected session=false packet=CONNACK AssignedClientIdentifier=mine
	`)
}

func TestConnectTimeouts(t *testing.T) {
	// [U5-3.1.4-a] v5 [U311-3.1.4-a] v311
	scenario(t, `
	server v5
	| Timer +10s
	after 9s
	| Timer +10s
	recv hex 10
	after 1s
	| Close reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNECT did not come
	`)
	// [U5-3.2-a] v5
	scenario(t, `
	client v5 {"ConnackTimeout":3000000000}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +3s
	after 3s
	| Close reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNACK did not come
	`)
	// [U311-3.2-a] v311
	scenario(t, `
	client v311 {"ConnackTimeout":3000000000}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +3s
	after 3s
	| Close reason=0x80 error=mqtt: Tick: peer did not answer in time: CONNACK did not come
	`)
	scenario(t, `
	client v5 {"ConnackTimeout":-1}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	after 100h
	status
	| connecting vacancy=0 inflight=0 queued=0
	`)
	// The application's time to answer is not the client's.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	after 100s
	accept
	| Connected session=false
	| Write CONNACK
	`)
}
