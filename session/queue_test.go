package session_test

import "testing"

// TestFlowControl holds messages back, in order, whatever their QoS.
func TestFlowControl(t *testing.T) {
	// [MQTT-3.3.4-9] v5 [MQTT-3.3.4-10] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"Properties":{"ReceiveMaximum":2}}
	| Connect packet=CONNECT CleanStart=true ReceiveMaximum=2 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 3
	publish {"Topic":"a","Payload":"4"}
	| token 4
	status
	| connected vacancy=0 inflight=2 queued=2
	recv PINGREQ
	| Write PINGRESP
	recv PUBLISH {"Topic":"b","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=b PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	| Write PUBLISH Topic=a Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	recv PUBACK {"PacketID":3}
	| Published token=3 id=3 packet=PUBACK PacketID=3
	status
	| connected vacancy=2 inflight=0 queued=0
	`)
	// The receiver counts as well. [U5-3.3.4-d] v5
	scenario(t, `
	server v5 {"ManualAck":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"ReceiveMaximum":2}}
	| Connected session=false
	| Write CONNACK ReceiveMaximum=2
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message token=8589934594 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	recv PUBLISH {"Topic":"a"}
	| Message publish=PUBLISH Topic=a Payload="0 bytes" ""
	ack 4294967297
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":3}
	| Message token=12884901891 id=3 publish=PUBLISH QoS=1 Topic=a PacketID=3 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":4}
	| Write DISCONNECT ReasonCode="0x93 Receive Maximum exceeded"
	| SessionLost lost=0 queued=0
	| Close reason=0x93 error=PUBLISH: protocol error: more than 2 messages are not acknowledged rule U5-3.3.4-d
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"Properties":{"ReceiveMaximum":1}}
	| Write CONNECT CleanStart=true ReceiveMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	| Write PUBREC PacketID=2
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":3}
	| Write DISCONNECT ReasonCode="0x93 Receive Maximum exceeded"
	| SessionLost lost=0 queued=0
	| Close reason=0x93 error=PUBLISH: protocol error: more than 1 messages are not acknowledged rule U5-3.3.4-d
	`)
	// A QoS 2 identifier of an earlier connection does not count until its
	// PUBLISH is repeated.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"ReceiveMaximum":1,"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ReceiveMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"ReceiveMaximum":1,"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ReceiveMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	| Write PUBREC PacketID=2
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":3}
	| Message id=3 publish=PUBLISH QoS=2 Topic=a PacketID=3 Payload="0 bytes" ""
	| Write PUBREC PacketID=3
	`)
}

// TestQueue fills the queue of outgoing messages.
func TestQueue(t *testing.T) {
	scenario(t, `
	client v5 {"Queue":{"Messages":2}}
	publish {"Topic":"a","Payload":"1"}
	| token 1
	publish {"Topic":"a","Payload":"2","QoS":1}
	| token 2
	publish {"Topic":"a","Payload":"3","QoS":1}
	| error mqtt: Publish: queue is full
	erase 2
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=message was erased
	publish {"Topic":"a","Payload":"4","QoS":1}
	| token 3
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	publish {"Topic":"a","Payload":"5","QoS":1}
	| error mqtt: Publish: queue is full
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Write PUBLISH Topic=a Payload="1 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	status
	| connected vacancy=65534 inflight=1 queued=0
	`)
	scenario(t, `
	client v5 {"Queue":{"Messages":2,"Policy":1}}
	publish {"Topic":"a","Payload":"1"}
	| token 1
	publish {"Topic":"a","Payload":"2","QoS":1}
	| token 2
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 3
	| Dropped token=1 publish=PUBLISH Topic=a Payload="1 bytes" error=queue is full
	status
	| idle vacancy=0 inflight=0 queued=2
	`)
	scenario(t, `
	client v5 {"Queue":{"Messages":3,"Policy":2}}
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	publish {"Topic":"a","Payload":"2"}
	| token 2
	publish {"Topic":"a","Payload":"3"}
	| token 3
	publish {"Topic":"a","Payload":"4"}
	| error mqtt: Publish: queue is full
	publish {"Topic":"a","Payload":"5","QoS":1}
	| token 4
	| Dropped token=2 publish=PUBLISH Topic=a Payload="1 bytes" error=queue is full
	publish {"Topic":"a","Payload":"6","QoS":1}
	| token 5
	| Dropped token=3 publish=PUBLISH Topic=a Payload="1 bytes" error=queue is full
	publish {"Topic":"a","Payload":"7","QoS":1}
	| error mqtt: Publish: queue is full
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="1 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	`)
	scenario(t, `
	client v5 {"Queue":{"Bytes":10,"Policy":1}}
	publish {"Topic":"a","Payload":"12345"}
	| token 1
	publish {"Topic":"a","Payload":"1234567890"}
	| error mqtt: Publish: queue is full
	publish {"Topic":"a","Payload":"123"}
	| token 2
	publish {"Topic":"a","Payload":"1"}
	| token 3
	| Dropped token=1 publish=PUBLISH Topic=a Payload="5 bytes" error=queue is full
	status
	| idle vacancy=0 inflight=0 queued=2
	`)
	scenario(t, `
	client v5 {"Queue":{"RefuseOffline":true}}
	publish {"Topic":"a","Payload":"1"}
	| error mqtt: Publish: not possible in this state: the connection is idle
	`)
}

// TestExpiry drops messages that wait too long and lowers the interval of
// those that do not.
func TestExpiry(t *testing.T) {
	// Once it was sent, a message is not dropped. [MQTT-4.3.3-7] v5 [MQTT-4.3.3-13] v5
	scenario(t, `
	client v5 {"MaximumInflight":1}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"1","QoS":2,"Properties":{"MessageExpiryInterval":5}}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 MessageExpiryInterval=5 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":1,"Properties":{"MessageExpiryInterval":5}}
	| token 2
	publish {"Topic":"a","Payload":"3","QoS":1,"Properties":{"MessageExpiryInterval":10}}
	| token 3
	publish {"Topic":"a","Payload":"4","QoS":1}
	| token 4
	pass 5500ms
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +15.5s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=a MessageExpiryInterval=5 Payload="1 bytes" error=message expired
	| Write PUBLISH Dup=true QoS=2 Topic=a PacketID=1 MessageExpiryInterval=1 Payload="1 bytes"
	recv PUBREC {"PacketID":1}
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1}
	| Published token=1 id=1 packet=PUBCOMP PacketID=1
	| Write PUBLISH QoS=1 Topic=a PacketID=2 MessageExpiryInterval=5 Payload="1 bytes"
	recv PUBACK {"PacketID":2}
	| Published token=3 id=2 packet=PUBACK PacketID=2
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	`)
}

func TestErase(t *testing.T) {
	scenario(t, `
	client v5 {"MaximumInflight":1}
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
	erase 1
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=message was erased
	recv PUBACK {"PacketID":1}
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	erase 2
	| error mqtt: Erase: unknown token
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	status
	| connected vacancy=1 inflight=0 queued=0
	`)
}
