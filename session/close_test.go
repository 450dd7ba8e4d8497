package session_test

import "testing"

// TestDisconnect ends connections in order.
func TestDisconnect(t *testing.T) {
	// [MQTT-3.14.4-1] v5 [MQTT-3.14.4-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a"}
	| token 1
	| Write PUBLISH Topic=a Payload="0 bytes"
	disconnect
	| Write DISCONNECT
	| Close
	publish {"Topic":"a"}
	| token 2
	recv PINGRESP
	ping
	| error mqtt: Ping: not possible in this state: the connection is closed
	after 100s
	`)
	// [MQTT-3.14.4-1] v311 [MQTT-3.14.4-2] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	disconnect
	| Write DISCONNECT
	| Close
	subscribe {"Filters":[{"Filter":"a"}]}
	| error mqtt: Subscribe: not possible in this state: the connection is closed
	`)
	// [U5-3.14.4-a] v5 [MQTT-4.13.2-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv DISCONNECT {"ReasonCode":139}
	| Disconnected reason=0x8B packet=DISCONNECT ReasonCode="0x8B Server shutting down"
	| Close reason=0x8B error=mqtt: Receive: disconnected by the peer: Server shutting down
	`)
	// [U311-3.14.4-a] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv DISCONNECT
	| Disconnected packet=DISCONNECT
	| Close
	`)
	// A server of v3.1.1 has no DISCONNECT. [U311-3.1.2.10-b] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	disconnect {"ReasonCode":142}
	| Close reason=0x8E
	`)
	// What was acknowledged before goes out.
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 32 06 00 01 61 00 05 00 E0 00
	| Message id=5 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes" ""
	| Disconnected packet=DISCONNECT
	| Write PUBACK PacketID=5
	| Close
	`)
	// What came before the transport was closed still counts.
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	publish {"Topic":"a"}
	| token 1
	closed reset by peer
	| Close reason=0x80 error=reset by peer
	closed again
	`)
}

// TestBlockedTransport: no bytes are asked for, everything else goes on.
func TestBlockedTransport(t *testing.T) {
	scenario(t, `
	client v5 {"HighWater":10}
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":100}
	| Write CONNECT CleanStart=true KeepAlive=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	publish {"Topic":"a","QoS":1}
	| token 1
	publish {"Topic":"a","QoS":1,"Payload":"second"}
	| token 2
	status
	| connected vacancy=65533 inflight=1 queued=1
	unblock
	| Write PUBACK PacketID=1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="6 bytes"
	block
	disconnect
	| Timer +5s
	after 4s
	| Timer +5s
	after 1s
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| Dropped token=2 id=2 publish=PUBLISH QoS=1 Topic=a Payload="6 bytes" error=session state was lost
	| SessionLost lost=2 queued=0
	| Close
	`)
	// A dead transport is found out by PINGRESP.
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":100}
	| Write CONNECT CleanStart=true KeepAlive=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	block
	publish {"Topic":"a"}
	| token 1
	after 100s
	| Timer +1m50s
	after 10s
	| Timer +1m55s
	after 5s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: PINGRESP did not come
	`)
}
