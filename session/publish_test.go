package session_test

import "testing"

// TestPublishQoS sends messages of each QoS.
func TestPublishQoS(t *testing.T) {
	// [MQTT-4.3.1-1] v5 [MQTT-4.3.2-1] v5 [MQTT-4.3.2-2] v5 [MQTT-4.3.2-3] v5 [MQTT-4.3.3-1] v5
	// [MQTT-4.3.3-2] v5 [MQTT-4.3.3-3] v5 [MQTT-4.3.3-4] v5 [MQTT-4.3.3-5] v5 [MQTT-2.2.1-3] v5 [MQTT-2.2.1-5] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"0"}
	| token 1
	| Write PUBLISH Topic=a Payload="1 bytes"
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 2
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	status
	| connected vacancy=65533 inflight=2 queued=0
	recv PUBACK {"PacketID":1}
	| Published token=2 id=1 packet=PUBACK PacketID=1
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	status
	| connected vacancy=65534 inflight=1 queued=0
	recv PUBCOMP {"PacketID":2}
	| Published token=3 id=2 packet=PUBCOMP PacketID=2
	status
	| connected vacancy=65535 inflight=0 queued=0
	publish {"Topic":"a","Payload":"3","QoS":1}
	| token 5
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="1 bytes"
	`)
	// [MQTT-4.3.1-1] v311 [MQTT-4.3.2-1] v311 [MQTT-4.3.3-1] v311 [MQTT-2.3.1-2] v311 [MQTT-2.3.1-6] v311
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","Payload":"0"}
	| token 1
	| Write PUBLISH Topic=a Payload="1 bytes"
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 2
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=2 id=1 packet=PUBACK PacketID=1
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBCOMP {"PacketID":2}
	| Published token=3 id=2 packet=PUBCOMP PacketID=2
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// The server's identifiers are its own. [MQTT-2.2.1-4] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","PacketID":1,"QoS":2}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// [MQTT-2.3.1-4] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","PacketID":1,"QoS":2}
	| Message id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBREC PacketID=1
	publish {"Topic":"a","Payload":"1","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes"
	publish {"Topic":"a","Payload":"2","QoS":1}
	| token 2
	| Write PUBLISH QoS=1 Topic=a PacketID=2 Payload="1 bytes"
	`)
}

// TestPublishRefused ends exchanges by codes of 0x80 and above, which concern
// one message each.
func TestPublishRefused(t *testing.T) {
	// [MQTT-4.4.0-2] v5 [U5-4.13.2-a] v5 [U5-2.2.1-a] v5
	scenario(t, `
	client v5 {"MaximumInflight":2}
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"a","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	recv PUBACK {"PacketID":1,"ReasonCode":135}
	| Published token=1 id=1 reason=0x87 packet=PUBACK PacketID=1 ReasonCode="0x87 Not authorized"
	recv PUBREC {"PacketID":2,"ReasonCode":151}
	| Published token=2 id=2 reason=0x97 packet=PUBREC PacketID=2 ReasonCode="0x97 Quota exceeded"
	status
	| connected vacancy=2 inflight=0 queued=0
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	`)
	// A refusal in PUBCOMP ends the exchange as well.
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
	recv PUBREC {"PacketID":1,"ReasonCode":16}
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1,"ReasonCode":146}
	| Published token=1 id=1 reason=0x92 packet=PUBCOMP PacketID=1 ReasonCode="0x92 Packet Identifier not found"
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestUnknownIdentifiers receives acknowledgements of nothing.
func TestUnknownIdentifiers(t *testing.T) {
	// [MQTT-2.2.1-5] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBACK {"PacketID":7}
	| Unexpected id=7 packet=PUBACK PacketID=7
	recv PUBREC {"PacketID":7}
	| Unexpected id=7 packet=PUBREC PacketID=7
	| Write PUBREL PacketID=7 ReasonCode="0x92 Packet Identifier not found"
	recv PUBCOMP {"PacketID":7}
	| Unexpected id=7 packet=PUBCOMP PacketID=7
	recv PUBREL {"PacketID":7}
	| Write PUBCOMP PacketID=7 ReasonCode="0x92 Packet Identifier not found"
	recv SUBACK {"PacketID":7,"ReasonCodes":[0]}
	| Unexpected id=7 packet=SUBACK PacketID=7 ReasonCodes="0x00 Granted QoS 0"
	recv UNSUBACK {"PacketID":7,"ReasonCodes":[0]}
	| Unexpected id=7 packet=UNSUBACK PacketID=7 ReasonCodes="0x00 Success"
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBACK {"PacketID":7}
	| Unexpected id=7 packet=PUBACK PacketID=7
	recv PUBREC {"PacketID":7}
	| Unexpected id=7 packet=PUBREC PacketID=7
	| Write PUBREL PacketID=7
	recv PUBCOMP {"PacketID":7}
	| Unexpected id=7 packet=PUBCOMP PacketID=7
	recv PUBREL {"PacketID":7}
	| Write PUBCOMP PacketID=7
	recv SUBACK {"PacketID":7,"ReasonCodes":[0]}
	| Unexpected id=7 packet=SUBACK PacketID=7 ReasonCodes="0x00 Granted QoS 0"
	recv UNSUBACK {"PacketID":7}
	| Unexpected id=7 packet=UNSUBACK PacketID=7
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestWrongAcknowledgement receives the wrong answer to what is under way.
func TestWrongAcknowledgement(t *testing.T) {
	for _, packet := range []string{
		`PUBREC {"PacketID":1}`, `PUBCOMP {"PacketID":1}`, `SUBACK {"PacketID":1,"ReasonCodes":[0]}`, `UNSUBACK {"PacketID":1,"ReasonCodes":[0]}`,
		`PUBACK {"PacketID":2}`, `PUBCOMP {"PacketID":2}`, `SUBACK {"PacketID":2,"ReasonCodes":[0]}`,
		`PUBACK {"PacketID":3}`, `PUBACK {"PacketID":4}`, `PUBREC {"PacketID":4}`, `PUBCOMP {"PacketID":4}`, `UNSUBACK {"PacketID":4,"ReasonCodes":[0]}`,
		`SUBACK {"PacketID":5,"ReasonCodes":[0]}`, `PUBACK {"PacketID":5}`,
	} {
		r := newRig()
		for _, line := range []string{
			`client v5`, `connect {"ClientID":"c","CleanStart":true}`, `recv CONNACK`,
			`publish {"Topic":"a","QoS":1}`, `publish {"Topic":"a","QoS":2}`, `publish {"Topic":"a","QoS":2}`,
			`subscribe {"Filters":[{"Filter":"a"}]}`, `unsubscribe {"Filters":["a"]}`, `recv PUBREC {"PacketID":3}`,
		} {
			if _, err := r.run(line); err != nil {
				t.Fatal(err)
			}
		}
		got, err := r.run("recv " + packet)
		if err != nil {
			t.Fatal(err)
		}
		expectClose(t, packet, got, `DISCONNECT ReasonCode="0x82 Protocol Error"`)
	}
}

// TestNoResending: on a live connection nothing is repeated, however long the
// answer takes.
func TestNoResending(t *testing.T) {
	// [MQTT-4.4.0-1] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":100}
	| Write CONNECT CleanStart=true KeepAlive=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	after 99s
	| Timer +1m40s
	after 1s
	| Write PINGREQ
	| Timer +1m50s
	recv PINGRESP
	`)
}

func TestMisuse(t *testing.T) {
	scenario(t, `
	client v5
	publish {"Topic":"a","QoS":1,"PacketID":3}
	| error mqtt: Publish: not possible in this state: the session chooses the Packet Identifier
	publish {"Topic":"a","QoS":1,"Dup":true}
	| error mqtt: Publish: not possible in this state: the session sets DUP
	publish {"Topic":"a/#"}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the name holds a wildcard rule MQTT-3.3.2-2
	publish {"Topic":""}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the field is empty rule U5-3.3.2.1-a
	publish {"Topic":"a","Properties":{"TopicAlias":1}}
	| error mqtt: Publish: not possible in this state: TopicAliases does not leave topic aliases to the application
	disconnect
	| error mqtt: Disconnect: not possible in this state: the connection is idle
	subscribe {"Filters":[{"Filter":"a"}]}
	| error mqtt: Subscribe: not possible in this state: the connection is idle
	ping
	| error mqtt: Ping: not possible in this state: the connection is idle
	auth {"ReasonCode":25}
	| error mqtt: Auth: not possible in this state: CONNECT had no Authentication Method rule MQTT-4.12.0-7
	connect {"ClientID":"c","Will":{"Topic":"#"}}
	| error mqtt: Connect: CONNECT: protocol error: Will.Topic: the name holds a wildcard rule MQTT-4.7.0-1
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	connect {"ClientID":"c","CleanStart":true}
	| error mqtt: Connect: not possible in this state: the connection is connecting
	subscribe {"Filters":[{"Filter":"a"}]}
	| error mqtt: Subscribe: not possible in this state: the connection is connecting
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"PacketID":5,"Filters":[{"Filter":"a"}]}
	| error mqtt: Subscribe: not possible in this state: the session chooses the Packet Identifier
	subscribe {"Filters":[]}
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Filters: the packet has no element of the list rule MQTT-3.8.3-2
	subscribe {"Filters":[{"Filter":"a#"}]}
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Filters[0].Filter: # is not the whole last level of the filter rule MQTT-4.7.1-1
	unsubscribe {"Filters":[""]}
	| error mqtt: Unsubscribe: UNSUBSCRIBE: protocol error: Filters[0]: the field is empty rule MQTT-4.7.3-1
	disconnect {"ReasonCode":142}
	| error mqtt: Disconnect: DISCONNECT: protocol error: ReasonCode: this side may not send the reason code rule MQTT-3.14.2-1
	disconnect {"Properties":{"SessionExpiryInterval":3}}
	| error mqtt: Disconnect: not possible in this state: Session Expiry Interval was 0 in CONNECT rule U5-3.14.2.2.2-a
	ack 5
	| error mqtt: Ack: unknown token
	release 5
	| error mqtt: Release: unknown token
	complete 5
	| error mqtt: Complete: unknown token
	erase 5
	| error mqtt: Erase: unknown token
	status
	| connected vacancy=65535 inflight=0 queued=0
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	subscribe {"Filters":[{"Filter":"a"}]}
	| Write SUBSCRIBE PacketID=2 Filters[0].Filter=a
	`)
	scenario(t, `
	server v5
	| Timer +10s
	publish {"Topic":"a"}
	| error mqtt: Publish: not possible in this state: the connection is opened
	disconnect
	| error mqtt: Disconnect: not possible in this state: the connection is opened
	accept
	| error mqtt: Accept: not possible in this state: the connection is opened
	refuse {"ReasonCode":128}
	| error mqtt: Refuse: not possible in this state: the connection is opened
	suback {"PacketID":1,"ReasonCodes":[0]}
	| error mqtt: Suback: not possible in this state: the connection is opened
	pong
	| error mqtt: Pong: not possible in this state: the connection is opened
	auth {"ReasonCode":24}
	| error mqtt: Auth: not possible in this state: the connection is opened
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	publish {"Topic":"a"}
	| error mqtt: Publish: not possible in this state: the connection is connecting
	disconnect
	| error mqtt: Disconnect: not possible in this state: the connection is connecting
	refuse {"ReasonCode":0}
	| error mqtt: Refuse: not possible in this state: reason code is a success; see Accept
	refuse {"ReasonCode":16}
	| error mqtt: Refuse: not possible in this state: reason code is a success; see Accept
	accept {"ReasonCode":128}
	| error mqtt: Accept: not possible in this state: reason code is not Success; see Refuse
	accept {"Properties":{"ReceiveMaximum":0}}
	| error mqtt: Accept: CONNACK: protocol error: Properties.ReceiveMaximum: the value is 0 rule U5-3.1.2.11.3-a
	accept
	| Connected session=false
	| Write CONNACK
	suback {"PacketID":1,"ReasonCodes":[0]}
	| error mqtt: Suback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	unsuback {"PacketID":1,"ReasonCodes":[0]}
	| error mqtt: Unsuback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	disconnect {"ReasonCode":4}
	| error mqtt: Disconnect: DISCONNECT: protocol error: ReasonCode: this side may not send the reason code rule MQTT-3.14.2-1
	disconnect {"ReasonCode":142}
	| Write DISCONNECT ReasonCode="0x8E Session taken over"
	| Close reason=0x8E
	disconnect
	| error mqtt: Disconnect: not possible in this state: the connection is closed
	`)
}
