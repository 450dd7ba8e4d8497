package session_test

import "testing"

// TestReceiveQoS receives messages of each QoS: delivered, then acknowledged.
func TestReceiveQoS(t *testing.T) {
	// [MQTT-3.3.4-1] v5 [MQTT-4.3.2-4] v5 [MQTT-4.3.2-5] v5 [MQTT-4.3.3-8] v5 [MQTT-4.3.3-10] v5
	// [MQTT-4.3.3-11] v5 [MQTT-4.3.3-12] v5 [MQTT-4.5.0-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","Payload":"0"}
	| Message publish=PUBLISH Topic=a Payload="1 bytes" "0"
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","Payload":"1 again","QoS":1,"PacketID":1,"Dup":true}
	| Message id=1 publish=PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="7 bytes" "1 again"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "2"
	| Write PUBREC PacketID=2
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Write PUBREC PacketID=2
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2 ReasonCode="0x92 Packet Identifier not found"
	recv PUBLISH {"Topic":"a","Payload":"new","QoS":2,"PacketID":2,"Dup":true}
	| Message id=2 publish=PUBLISH Dup=true QoS=2 Topic=a PacketID=2 Payload="3 bytes" "new"
	| Write PUBREC PacketID=2
	`)
	// [MQTT-3.3.4-1] v311 [MQTT-4.3.2-2] v311 [MQTT-4.3.3-2] v311 [MQTT-4.5.0-2] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","Payload":"0"}
	| Message publish=PUBLISH Topic=a Payload="1 bytes" "0"
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","Payload":"1 again","QoS":1,"PacketID":1,"Dup":true}
	| Message id=1 publish=PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="7 bytes" "1 again"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "2"
	| Write PUBREC PacketID=2
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2,"Dup":true}
	| Write PUBREC PacketID=2
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	recv PUBLISH {"Topic":"a","Payload":"new","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="3 bytes" "new"
	| Write PUBREC PacketID=2
	`)
	// Several packets at once: each is delivered before it is acknowledged.
	// [MQTT-4.6.0-2] v5 [MQTT-4.6.0-3] v5 [MQTT-4.6.0-4] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"a","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	recv hex 32 06 00 01 61 00 05 00 32 06 00 01 61 00 04 00 34 06 00 01 61 00 09 00 34 06 00 01 61 00 08 00 50 02 00 02 50 02 00 01
	| Message id=5 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes" ""
	| Message id=4 publish=PUBLISH QoS=1 Topic=a PacketID=4 Payload="0 bytes" ""
	| Message id=9 publish=PUBLISH QoS=2 Topic=a PacketID=9 Payload="0 bytes" ""
	| Message id=8 publish=PUBLISH QoS=2 Topic=a PacketID=8 Payload="0 bytes" ""
	| Write PUBACK PacketID=5
	| Write PUBACK PacketID=4
	| Write PUBREC PacketID=9
	| Write PUBREC PacketID=8
	| Write PUBREL PacketID=2
	| Write PUBREL PacketID=1
	`)
	// [MQTT-4.6.0-2] v311 [MQTT-4.6.0-3] v311 [MQTT-4.6.0-4] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"a","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	recv hex 32 05 00 01 61 00 05 32 05 00 01 61 00 04 34 05 00 01 61 00 09 34 05 00 01 61 00 08 50 02 00 02 50 02 00 01
	| Message id=5 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes" ""
	| Message id=4 publish=PUBLISH QoS=1 Topic=a PacketID=4 Payload="0 bytes" ""
	| Message id=9 publish=PUBLISH QoS=2 Topic=a PacketID=9 Payload="0 bytes" ""
	| Message id=8 publish=PUBLISH QoS=2 Topic=a PacketID=8 Payload="0 bytes" ""
	| Write PUBACK PacketID=5
	| Write PUBACK PacketID=4
	| Write PUBREC PacketID=9
	| Write PUBREC PacketID=8
	| Write PUBREL PacketID=2
	| Write PUBREL PacketID=1
	`)
}

// TestRespond gives the automatic acknowledgement a content.
func TestRespond(t *testing.T) {
	// [MQTT-4.3.3-9] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept {"Properties":{"ReceiveMaximum":1}}
	| Connected session=false
	| Write CONNACK ReceiveMaximum=1
	respond {"Code":135,"ReasonString":"no"}
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized" ReasonString=no
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "2"
	| Write PUBREC PacketID=2 ReasonCode="0x87 Not authorized" ReasonString=no
	recv PUBLISH {"Topic":"a","Payload":"another","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="7 bytes" "another"
	| Write PUBREC PacketID=2 ReasonCode="0x87 Not authorized" ReasonString=no
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2 ReasonCode="0x92 Packet Identifier not found"
	respond {"Code":16}
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| Write PUBACK PacketID=1 ReasonCode="0x10 No matching subscribers"
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "2"
	| Write PUBREC PacketID=2 ReasonCode="0x10 No matching subscribers"
	respond {"Code":146}
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| error mqtt: Respond: PUBACK: malformed packet: ReasonCode: the packet has no such reason code rule MQTT-3.4.2-1
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a"}
	| Message publish=PUBLISH Topic=a Payload="0 bytes" ""
	| error mqtt: Respond: not possible in this state: no message waits for its acknowledgement
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	respond {"Code":135,"ReasonString":"no"}
	recv PUBLISH {"Topic":"a","Payload":"1","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","Payload":"2","QoS":2,"PacketID":2}
	| Message id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "2"
	| Write PUBREC PacketID=2
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	`)
}

// TestManual leaves every acknowledgement to the application.
func TestManual(t *testing.T) {
	// PUBACKs and PUBRECs leave in the order of the messages.
	// [MQTT-4.6.0-2] v5 [MQTT-4.6.0-3] v5
	scenario(t, `
	client v5 {"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message token=8589934594 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":3}
	| Message token=12884901891 id=3 publish=PUBLISH QoS=1 Topic=a PacketID=3 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":4}
	| Message token=17179869188 id=4 publish=PUBLISH QoS=2 Topic=a PacketID=4 Payload="0 bytes" ""
	ack 12884901891 {"Code":135}
	ack 17179869188 {"Code":16}
	| error mqtt: Ack: PUBREC: protocol error: ReasonCode: this side may not send the reason code rule MQTT-3.5.2-1
	ack 17179869188
	ack 17179869188 {"Code":151,"UserProperties":[["a","b"]]}
	| error mqtt: Ack: unknown token
	ack 8589934594
	| Write PUBREC PacketID=2
	| Write PUBREC PacketID=4
	ack 4294967297
	| Write PUBACK PacketID=1
	| Write PUBACK PacketID=3 ReasonCode="0x87 Not authorized"
	ack 4294967297
	| error mqtt: Ack: unknown token
	recv PUBREL {"PacketID":4}
	| Write PUBCOMP PacketID=4
	recv PUBREL {"PacketID":2}
	| Write PUBCOMP PacketID=2
	`)
	// A repeated QoS 1 message: an identifier that is in use.
	scenario(t, `
	client v5 {"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Dup":true}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 1 is in use rule MQTT-2.2.1-4
	`)
	scenario(t, `
	client v311 {"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Dup":true}
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message token=8589934594 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2,"Dup":true}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| SessionLost lost=0 queued=0
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 1 is in use rule MQTT-2.3.1-4
	`)
	// PUBREL before PUBREC.
	scenario(t, `
	client v5 {"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBREL {"PacketID":1}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| SessionLost lost=0 queued=0
	| Close reason=0x82 error=PUBREL: protocol error: not the answer that packet identifier 1 waits for rule MQTT-2.2.1-5
	`)
	scenario(t, `
	client v5 {"ManualRelease":true,"ManualComplete":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	recv PUBREC {"PacketID":1}
	| Received token=1 id=1 packet=PUBREC PacketID=1
	recv PUBREC {"PacketID":1}
	recv PUBCOMP {"PacketID":9}
	| Unexpected id=9 packet=PUBCOMP PacketID=9
	release 2
	| error mqtt: Release: unknown token
	release 1 {"ReasonString":"go"}
	| Write PUBREL PacketID=1 ReasonString=go
	release 1
	| error mqtt: Release: unknown token
	recv PUBCOMP {"PacketID":1}
	| Published token=1 id=1 packet=PUBCOMP PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Released token=4294967297 id=1 packet=PUBREL PacketID=1
	recv PUBREL {"PacketID":1}
	complete 4294967297
	| Write PUBCOMP PacketID=1
	complete 4294967297
	| error mqtt: Complete: unknown token
	`)
	// PUBCOMP before PUBREL.
	scenario(t, `
	client v5 {"ManualRelease":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	recv PUBREC {"PacketID":1}
	| Received token=1 id=1 packet=PUBREC PacketID=1
	recv PUBCOMP {"PacketID":1}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Dropped token=1 id=1 error=session state was lost
	| SessionLost lost=1 queued=0
	| Close reason=0x82 error=PUBCOMP: protocol error: not the answer that packet identifier 1 waits for rule MQTT-2.2.1-5
	`)
	// An identifier whose PUBCOMP is still to be sent.
	scenario(t, `
	client v5 {"ManualComplete":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Released token=4294967297 id=1 packet=PUBREL PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| SessionLost lost=0 queued=0
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 1 is in use rule MQTT-2.2.1-4
	`)
}

// TestManualResume acknowledges a QoS 2 message of an earlier connection: it
// keeps its token and is not delivered again.
func TestManualResume(t *testing.T) {
	scenario(t, `
	client v5 {"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Message token=8589934594 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":3}
	| Message token=12884901891 id=3 publish=PUBLISH QoS=1 Topic=a PacketID=3 Payload="0 bytes" ""
	closed
	| Close reason=0x80 error=transport closed
	ack 4294967297
	ack 12884901891
	| error mqtt: Ack: unknown token
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1,"Dup":true}
	| Write PUBREC PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2,"Dup":true}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":3,"Dup":true}
	| Message token=17179869187 id=3 publish=PUBLISH Dup=true QoS=1 Topic=a PacketID=3 Payload="0 bytes" ""
	ack 8589934594
	| Write PUBREC PacketID=2
	`)
}
