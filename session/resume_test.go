package session_test

import "testing"

// TestResume repeats what was under way when a session goes on.
func TestResume(t *testing.T) {
	// PUBLISH with DUP and its old identifier, PUBREL in place of a PUBLISH
	// whose PUBREC came, in the old order, before what is new, within the new
	// Receive Maximum, which holds back no PUBREL.
	// [MQTT-4.4.0-1] v5 [MQTT-3.3.1-1] v5 [MQTT-4.6.0-1] v5 [MQTT-4.3.3-6] v5 [MQTT-4.9.0-1] v5 [MQTT-4.9.0-2] v5
	// [MQTT-4.9.0-3] v5 [U5-4.9-a] v5 [U5-4.9-b] v5 [MQTT-3.3.4-7] v5 [MQTT-3.3.4-8] v5 [MQTT-3.1.2-23] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	publish {"Topic":"a","Payload":"4","QoS":2}
	| token 4
	| Write PUBLISH QoS=2 Topic=a PacketID=4 Payload="1 bytes"
	publish {"Topic":"a","Payload":"5","QoS":2}
	| token 5
	| Write PUBLISH QoS=2 Topic=a PacketID=5 Payload="1 bytes"
	publish {"Topic":"a","Payload":"0"}
	| token 6
	| Write PUBLISH Topic=a Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBREC {"PacketID":5}
	| Write PUBREL PacketID=5
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	publish {"Topic":"a","Payload":"6","QoS":1}
	| token 9
	status
	| closed vacancy=0 inflight=4 queued=1
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"ReceiveMaximum":1}}
	| Connected session=true packet=CONNACK SessionPresent=true ReceiveMaximum=1
	| Write PUBREL PacketID=2
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	| Write PUBREL PacketID=5
	subscribe {"Filters":[{"Filter":"a"}]}
	| Write SUBSCRIBE PacketID=6 Filters[0].Filter=a
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	recv PUBCOMP {"PacketID":5}
	| Published token=5 id=5 packet=PUBCOMP PacketID=5
	status
	| connected vacancy=0 inflight=2 queued=1
	recv PUBACK {"PacketID":3}
	| Published token=3 id=3 packet=PUBACK PacketID=3
	| Write PUBLISH Dup=true QoS=2 Topic=a PacketID=4 Payload="1 bytes"
	recv PUBREC {"PacketID":4}
	| Write PUBREL PacketID=4
	recv PUBCOMP {"PacketID":4}
	| Published token=4 id=4 packet=PUBCOMP PacketID=4
	| Write PUBLISH QoS=1 Topic=a PacketID=7 Payload="1 bytes"
	recv PUBACK {"PacketID":7}
	| Published token=9 id=7 packet=PUBACK PacketID=7
	status
	| connected vacancy=1 inflight=0 queued=0
	`)
	// [MQTT-4.4.0-1] v311 [MQTT-3.3.1-1] v311 [MQTT-4.6.0-1] v311 [MQTT-2.3.1-3] v311 [MQTT-3.1.2-4] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	| Write PUBREL PacketID=2
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	recv PUBACK {"PacketID":3}
	| Published token=3 id=3 packet=PUBACK PacketID=3
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// The server side, from a stored state.
	// [MQTT-4.1.0-1] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBLISH {"Topic":"x","QoS":2,"PacketID":9}
	| Message id=9 publish=PUBLISH QoS=2 Topic=x PacketID=9 Payload="0 bytes" ""
	| Write PUBREC PacketID=9
	closed
	| Close reason=0x80 error=transport closed
	reload
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	| Write PUBREL PacketID=2
	recv PUBLISH {"Topic":"x","QoS":2,"PacketID":9,"Dup":true}
	| Write PUBREC PacketID=9
	recv PUBREL {"PacketID":9}
	| Write PUBCOMP PacketID=9
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// [MQTT-4.1.0-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	reload
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	`)
}

// TestSessionLost: the server has no session any more. What was under way is
// told, what was never sent stays queued.
func TestSessionLost(t *testing.T) {
	// [MQTT-3.2.2-5] v5
	scenario(t, `
	client v5 {"MaximumInflight":3}
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","Payload":"3","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=a PacketID=3 Payload="1 bytes"
	publish {"Topic":"a","Payload":"4","QoS":2}
	| token 4
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":7}
	| Message id=7 publish=PUBLISH QoS=2 Topic=a PacketID=7 Payload="0 bytes" ""
	| Write PUBREC PacketID=7
	closed broken pipe
	| Close reason=0x80 error=broken pipe
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| Dropped token=2 id=2 error=session state was lost
	| Dropped token=3 id=3 publish=PUBLISH QoS=2 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=3 queued=1
	| Write PUBLISH QoS=2 Topic=a PacketID=4 Payload="1 bytes"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":7}
	| Message id=7 publish=PUBLISH QoS=2 Topic=a PacketID=7 Payload="0 bytes" ""
	| Write PUBREC PacketID=7
	status
	| connected vacancy=2 inflight=1 queued=0
	`)
	// A v3.1.1 client with Clean Session 1: the session ends with the
	// connection and its identifiers are free.
	// [MQTT-3.1.2-6] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":7}
	| Message id=7 publish=PUBLISH QoS=2 Topic=a PacketID=7 Payload="0 bytes" ""
	| Write PUBREC PacketID=7
	closed
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":7}
	| Message id=7 publish=PUBLISH QoS=2 Topic=a PacketID=7 Payload="0 bytes" ""
	| Write PUBREC PacketID=7
	`)
	// Clean Start drops what was under way on the client too.
	// [MQTT-3.1.2-4] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","CleanStart":true}
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	`)
	// Requests are not session state.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"Filters":[{"Filter":"a"}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a
	unsubscribe {"Filters":["a"]}
	| Write UNSUBSCRIBE PacketID=2 Filters=a
	closed
	| Dropped token=1 id=1 error=connection ended before the answer
	| Dropped token=2 id=2 error=connection ended before the answer
	| Close reason=0x80 error=transport closed
	status
	| closed vacancy=0 inflight=0 queued=0
	`)
}

// TestSessionExpiry lets CONNECT, CONNACK and DISCONNECT set the life of the
// session.
func TestSessionExpiry(t *testing.T) {
	// CONNACK overrides CONNECT.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"SessionExpiryInterval":0}}
	| Connected session=false packet=CONNACK SessionExpiryInterval=0
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	closed
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close reason=0x80 error=transport closed
	`)
	// DISCONNECT overrides both.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	disconnect {"Properties":{"SessionExpiryInterval":0}}
	| Write DISCONNECT SessionExpiryInterval=0
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	recv DISCONNECT {"Properties":{"SessionExpiryInterval":0}}
	| Disconnected packet=DISCONNECT SessionExpiryInterval=0
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close
	`)
	// [U5-3.14.2.2.2-a] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv DISCONNECT {"Properties":{"SessionExpiryInterval":5}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=DISCONNECT: protocol error: Session Expiry Interval was 0 in CONNECT rule U5-3.14.2.2.2-a
	`)
}

// TestPersist tells every change of the state before the write that depends on
// it.
func TestPersist(t *testing.T) {
	scenario(t, `
	client v5 {"Persist":true,"MaximumInflight":2}
	publish {"Topic":"a","Payload":"0"}
	| token 1
	| Store record=message token=1 publish=PUBLISH Topic=a Payload="1 bytes"
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Store record=session size=100
	| Discard record=message token=1
	| Write PUBLISH Topic=a Payload="1 bytes"
	publish {"Topic":"a","Payload":"1","QoS":1,"Properties":{"MessageExpiryInterval":10}}
	| token 2
	| Store record=message token=2 id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 MessageExpiryInterval=10 Payload="1 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=1 MessageExpiryInterval=10 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 3
	| Store record=message token=3 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 4
	| Store record=message token=4 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=2 id=1 packet=PUBACK PacketID=1
	| Discard record=message token=2 id=1
	| Store record=message token=4 id=3 publish=PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Store record=release token=3 id=2
	| Write PUBREL PacketID=2
	recv PUBCOMP {"PacketID":2}
	| Published token=3 id=2 packet=PUBCOMP PacketID=2
	| Discard record=message token=3 id=2
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":5}
	| Message id=5 publish=PUBLISH QoS=2 Topic=a PacketID=5 Payload="0 bytes" ""
	| Store record=received id=5
	| Write PUBREC PacketID=5
	recv PUBREL {"PacketID":5}
	| Discard record=received id=5
	| Write PUBCOMP PacketID=5
	subscribe {"Filters":[{"Filter":"a"}]}
	| Write SUBSCRIBE PacketID=4 Filters[0].Filter=a
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":6}
	| Message id=6 publish=PUBLISH QoS=2 Topic=a PacketID=6 Payload="0 bytes" ""
	| Store record=received id=6
	| Write PUBREC PacketID=6
	closed
	| Dropped token=6 id=4 error=connection ended before the answer
	| Store record=session id=5 size=100
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","CleanStart":true}
	| Discard record=session
	| Dropped token=4 id=3 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| Discard record=message token=4 id=3
	| Discard record=received id=6
	| SessionLost lost=1 queued=0
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	`)
}
