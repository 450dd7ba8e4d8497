package session_test

import "testing"

// TestSubscribe covers SUBSCRIBE, UNSUBSCRIBE and their answers.
func TestSubscribe(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"Filters":[{"Filter":"a","QoS":1},{"Filter":"b"}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b
	unsubscribe {"Filters":["a"]}
	| Write UNSUBSCRIBE PacketID=2 Filters=a
	recv SUBACK {"PacketID":1,"ReasonCodes":[1,143]}
	| Subscribed token=1 id=1 packet=SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x8F Topic Filter invalid"
	recv UNSUBACK {"PacketID":2,"ReasonCodes":[17]}
	| Unsubscribed token=2 id=2 packet=UNSUBACK PacketID=2 ReasonCodes="0x11 No subscription existed"
	subscribe {"Filters":[{"Filter":"a","QoS":1}]}
	| Write SUBSCRIBE PacketID=3 Filters[0].Filter=a Filters[0].QoS=1
	`)
	// [MQTT-2.2.1-6] v5 [MQTT-3.8.4-1] v5 [MQTT-3.8.4-2] v5 [MQTT-3.10.4-4] v5 [MQTT-3.10.4-5] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1
	recv UNSUBSCRIBE {"PacketID":11,"Filters":["a","b"]}
	| Unsubscribe id=11 packet=UNSUBSCRIBE PacketID=11 Filters=a Filters=b
	unsuback {"PacketID":10,"ReasonCodes":[0]}
	| error mqtt: Unsuback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	suback {"PacketID":10,"ReasonCodes":[0,0]}
	| error mqtt: Suback: not possible in this state: the number of reason codes is not the number of filters rule MQTT-3.8.4-6
	suback {"PacketID":12,"ReasonCodes":[0]}
	| error mqtt: Suback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	suback {"PacketID":10,"ReasonCodes":[1]}
	| Write SUBACK PacketID=10 ReasonCodes="0x01 Granted QoS 1"
	suback {"PacketID":10,"ReasonCodes":[1]}
	| error mqtt: Suback: not possible in this state: no request with this Packet Identifier waits for an answer rule MQTT-2.2.1-6
	unsuback {"PacketID":11,"ReasonCodes":[17,17]}
	| Write UNSUBACK PacketID=11 ReasonCodes="0x11 No subscription existed, 0x11 No subscription existed"
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1
	`)
	// [MQTT-2.3.1-7] v311 [MQTT-3.8.4-1] v311 [MQTT-3.8.4-2] v311 [MQTT-3.10.4-4] v311 [MQTT-3.10.4-5] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a","QoS":1},{"Filter":"b"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a Filters[0].QoS=1 Filters[1].Filter=b
	recv UNSUBSCRIBE {"PacketID":11,"Filters":["a"]}
	| Unsubscribe id=11 packet=UNSUBSCRIBE PacketID=11 Filters=a
	suback {"PacketID":10,"ReasonCodes":[1,143]}
	| Write SUBACK PacketID=10 ReasonCodes="0x01 Granted QoS 1, 0x80 Unspecified error"
	unsuback {"PacketID":11,"ReasonCodes":[17]}
	| Write UNSUBACK PacketID=11
	`)
	// [MQTT-3.8.4-6] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	subscribe {"Filters":[{"Filter":"a"},{"Filter":"b"}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[1].Filter=b
	recv SUBACK {"PacketID":1,"ReasonCodes":[1]}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Dropped token=1 id=1 error=connection ended before the answer
	| Close reason=0x82 error=SUBACK: protocol error: 1 reason codes for 2 filters rule MQTT-3.8.4-6
	`)
	// Identifiers of requests and messages are of one space.
	// [MQTT-2.2.1-3] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":10}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 10 is in use rule MQTT-2.2.1-3
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":10}
	| Message id=10 publish=PUBLISH QoS=2 Topic=a PacketID=10 Payload="0 bytes" ""
	| Write PUBREC PacketID=10
	recv UNSUBSCRIBE {"PacketID":10,"Filters":["a"]}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| SessionLost lost=0 queued=0
	| Close reason=0x82 error=UNSUBSCRIBE: protocol error: packet identifier 10 is in use rule MQTT-2.2.1-3
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv SUBSCRIBE {"PacketID":10,"Filters":[{"Filter":"a"}]}
	| Subscribe id=10 packet=SUBSCRIBE PacketID=10 Filters[0].Filter=a
	recv PUBREL {"PacketID":10}
	| Close reason=0x82 error=PUBREL: protocol error: not the answer that packet identifier 10 waits for rule MQTT-2.3.1-6
	`)
}
