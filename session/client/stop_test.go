package client_test

import "testing"

// TestStop stops in every state.
func TestStop(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	stop
	| error mqtt: Stop: not possible in this state: the client is idle
	open
	| error mqtt: Opened: not possible in this state: the client is idle
	start
	| Open attempt=1
	start
	| error mqtt: Start: not possible in this state: the client is opening
	stop
	| Stopped
	open
	| error mqtt: Opened: not possible in this state: the client is stopped
	start
	| Open attempt=1
	openfail x
	| Waiting attempt=2 error=x wait=1s
	stop
	| Stopped
	stop
	| error mqtt: Stop: not possible in this state: the client is stopped
	start
	| Open attempt=1
	silent
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	stop
	| > DISCONNECT
	| Close
	| Stopped
	start
	| Open attempt=1
	silent off
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	stop {"ReasonCode":1}
	| error mqtt: Stop: DISCONNECT: malformed packet: ReasonCode: the packet has no such reason code rule MQTT-3.14.2-1
	stop {"ReasonCode":130,"Properties":{"ReasonString":"done"}}
	| > DISCONNECT ReasonCode="0x82 Protocol Error" ReasonString=done
	| Close reason=0x82
	| Stopped
	stop {"ReasonCode":4,"Properties":{"SessionExpiryInterval":7}}
	| error mqtt: Stop: not possible in this state: the client is stopped
	retrynow
	openfail x
	cut
	stats
	| {Attempts:4 Connections:1 Handled:0 Unhandled:0 Orphaned:0 Responses:0 Failed:0 Late:0 Stray:0}
	`)
	scenario(t, `
	client {"ClientID":"c","KeepAlive":1,"Will":{"QoS":3}}
	start
	| error mqtt: Start: CONNECT: malformed packet: Will.QoS: the value is out of range rule MQTT-3.1.2-12
	setconnect {"ClientID":"c","Properties":{"ReceiveMaximum":0}}
	| error mqtt: SetConnect: CONNECT: protocol error: Properties.ReceiveMaximum: the value is 0 rule U5-3.1.2.11.3-a
	setconnect {"ClientID":"c","KeepAlive":1}
	start
	| Open attempt=1
	open
	| > CONNECT KeepAlive=1 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	stop
	| > DISCONNECT
	| Close
	| Stopped
	`)
}

// TestClientID goes on with the identifier that the server chose, and lets it
// choose another one when that is not wanted any more.
func TestClientID(t *testing.T) {
	scenario(t, `
	client {"CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	connack {"Properties":{"AssignedClientIdentifier":"x1"}}
	up
	| Open attempt=1
	| > CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=""
	| < CONNACK AssignedClientIdentifier=x1
	| Connected session=false packet=CONNACK AssignedClientIdentifier=x1
	publish a:1:one
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	| < PUBACK PacketID=1
	| Published token=1 id=1 packet=PUBACK PacketID=1
	connack
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	after 1s
	| Open attempt=2 reason=0x80 error=transport closed
	connack {"ReasonCode":133}
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=x1
	| < CONNACK ReasonCode="0x85 Client Identifier not valid"
	| server: Close reason=0x85 error=mqtt: Refuse: connection refused: Client Identifier not valid
	| Refused reason=0x85 packet=CONNACK ReasonCode="0x85 Client Identifier not valid"
	| Close reason=0x85 error=mqtt: Connect: connection refused: Client Identifier not valid
	| Waiting attempt=3 reason=0x85 error=mqtt: Connect: connection refused: Client Identifier not valid wait=2s
	after 2s
	| Open attempt=3 reason=0x85 error=mqtt: Connect: connection refused: Client Identifier not valid
	connack {"Properties":{"AssignedClientIdentifier":"x2"}}
	forget
	open
	| > CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=""
	| < CONNACK AssignedClientIdentifier=x2
	| Connected session=false packet=CONNACK AssignedClientIdentifier=x2
	`)
}

// TestOtherClientID goes on under another name, with none of the old session.
func TestOtherClientID(t *testing.T) {
	// [MQTT-3.1.3-2] v311
	scenario(t, `
	v311
	config {"Orphans":1}
	client {"ClientID":"c"}
	subscribe a a:1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	mute
	publish x:1:one
	| token 2
	| > PUBLISH QoS=1 Topic=x PacketID=2 Payload="3 bytes" "one"
	mute off
	setconnect {"ClientID":"d"}
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	forget
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| Orphaned token=2 publish=PUBLISH QoS=1 Topic=x Payload="3 bytes"
	| SessionLost lost=1 queued=1
	| > CONNECT ClientID=d
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=3 Filters[0].Filter=a Filters[0].QoS=1
	| > PUBLISH QoS=1 Topic=x PacketID=4 Payload="3 bytes" "one"
	| < SUBACK PacketID=3 ReasonCodes="0x01 Granted QoS 1"
	| < PUBACK PacketID=4
	| Subscribed filter=a restored=true reason=0x01
	| Published token=2 id=4 packet=PUBACK PacketID=4
	`)
	scenario(t, `
	client {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	subscribe a a:1
	up
	| Open attempt=1
	| > CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	setconnect {"ClientID":"d","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	forget
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=d
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=2 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a restored=true reason=0x01
	`)
}

// TestStopIllegal refuses a DISCONNECT that the connection does not allow.
func TestStopIllegal(t *testing.T) {
	// [U5-3.14.2.2.2-a] v5
	scenario(t, `
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	stop {"Properties":{"SessionExpiryInterval":7}}
	| error mqtt: Disconnect: not possible in this state: Session Expiry Interval was 0 in CONNECT rule U5-3.14.2.2.2-a
	status
	| connected inflight=0 queued=0
	stop
	| > DISCONNECT
	| Close
	| Stopped
	`)
}
