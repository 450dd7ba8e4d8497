package session_test

import "testing"

// TestAliasesSent uses topic aliases for outgoing messages.
func TestAliasesSent(t *testing.T) {
	// [MQTT-3.2.2-17] v5 [MQTT-3.3.2-9] v5
	scenario(t, `
	client v5 {"TopicAliases":2}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"TopicAliasMaximum":2,"ReceiveMaximum":1}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1 TopicAliasMaximum=2
	publish {"Topic":"first"}
	| token 1
	| Write PUBLISH Topic=first TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"second"}
	| token 2
	| Write PUBLISH Topic=second TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"first"}
	| token 3
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	# The third takes the place of the one used least recently:
	publish {"Topic":"third"}
	| token 4
	| Write PUBLISH Topic=third TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"first"}
	| token 5
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"second"}
	| token 6
	| Write PUBLISH Topic=second TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"x"}
	| token 7
	| Write PUBLISH Topic=x Payload="0 bytes"
	# An alias is known only once its packet was sent (W-11):
	publish {"Topic":"fourth","QoS":1}
	| token 8
	| Write PUBLISH QoS=1 Topic=fourth PacketID=1 TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"fifth","QoS":1}
	| token 9
	publish {"Topic":"sixth","QoS":1}
	| token 10
	erase 9
	| Dropped token=9 publish=PUBLISH QoS=1 Topic=fifth Payload="0 bytes" error=message was erased
	recv PUBACK {"PacketID":1}
	| Published token=8 id=1 packet=PUBACK PacketID=1
	| Write PUBLISH QoS=1 Topic=sixth PacketID=2 TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"fifth"}
	| token 11
	| Write PUBLISH Topic=fifth TopicAlias=1 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	# Aliases end with the connection. [MQTT-3.3.2-7] v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":9}}
	| Write CONNECT SessionExpiryInterval=9 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"TopicAliasMaximum":2}}
	| Connected session=true packet=CONNACK SessionPresent=true TopicAliasMaximum=2
	| Write PUBLISH Dup=true QoS=1 Topic=sixth PacketID=2 Payload="0 bytes"
	publish {"Topic":"first"}
	| token 12
	| Write PUBLISH Topic=first TopicAlias=1 Payload="0 bytes"
	`)
	// [MQTT-3.2.2-18] v5
	scenario(t, `
	client v5 {"TopicAliases":2}
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"first"}
	| token 1
	| Write PUBLISH Topic=first Payload="0 bytes"
	`)
	// [MQTT-3.1.2-26] v5 [MQTT-3.3.2-11] v5
	scenario(t, `
	server v5 {"TopicAliases":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"TopicAliasMaximum":2}}
	| Connect packet=CONNECT TopicAliasMaximum=2 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"first","Properties":{"TopicAlias":3}}
	| error mqtt: Publish: over a limit of the peer: topic alias is above Topic Alias Maximum rule MQTT-3.1.2-26
	publish {"Topic":"","Properties":{"TopicAlias":2}}
	| error mqtt: Publish: over a limit of the peer: topic alias has no topic rule U5-3.3.4-c
	publish {"Topic":"first","Properties":{"TopicAlias":2}}
	| token 1
	| Write PUBLISH Topic=first TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"","Properties":{"TopicAlias":2},"Payload":"p"}
	| token 2
	| Write PUBLISH Topic="" TopicAlias=2 Payload="1 bytes"
	publish {"Topic":"","Properties":{"TopicAlias":2},"QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic="" PacketID=1 TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"second","Properties":{"TopicAlias":2}}
	| token 4
	| Write PUBLISH Topic=second TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"","Properties":{"TopicAlias":2}}
	| token 5
	| Write PUBLISH Topic="" TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"second"}
	| token 6
	| Write PUBLISH Topic=second Payload="0 bytes"
	`)
	// [MQTT-3.1.2-27] v5
	scenario(t, `
	server v5 {"TopicAliases":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"first","Properties":{"TopicAlias":1}}
	| error mqtt: Publish: over a limit of the peer: topic alias is above Topic Alias Maximum rule MQTT-3.1.2-26
	`)
	scenario(t, `
	client v5 {"TopicAliases":3}
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"TopicAliasMaximum":2}}
	| Connected session=false packet=CONNACK TopicAliasMaximum=2
	publish {"Topic":"first"}
	| token 1
	| Write PUBLISH Topic=first Payload="0 bytes"
	publish {"Topic":"first","Properties":{"TopicAlias":1}}
	| token 2
	| Write PUBLISH Topic=first TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"first"}
	| token 3
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"second"}
	| token 4
	| Write PUBLISH Topic=second Payload="0 bytes"
	`)
	// An alias that would make the packet too large is left out (W-17).
	scenario(t, `
	client v5 {"TopicAliases":2}
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"TopicAliasMaximum":2,"MaximumPacketSize":20}}
	| Connected session=false packet=CONNACK MaximumPacketSize=20 TopicAliasMaximum=2
	publish {"Topic":"123456789012345"}
	| token 1
	| Write PUBLISH Topic=123456789012345 Payload="0 bytes"
	publish {"Topic":"123456789012345"}
	| token 2
	| Write PUBLISH Topic=123456789012345 Payload="0 bytes"
	publish {"Topic":"123456789012"}
	| token 3
	| Write PUBLISH Topic=123456789012 TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"123456789012"}
	| token 4
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	`)
}

// TestAliasesReceived resolves topic aliases of incoming messages.
func TestAliasesReceived(t *testing.T) {
	// [MQTT-3.3.2-12] v5
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept {"Properties":{"TopicAliasMaximum":2}}
	| Connected session=false
	| Write CONNACK TopicAliasMaximum=2
	recv PUBLISH {"Topic":"first","Properties":{"TopicAlias":2}}
	| Message publish=PUBLISH Topic=first Payload="0 bytes" ""
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":2}}
	| Message resolved=true publish=PUBLISH Topic=first Payload="0 bytes" ""
	recv PUBLISH {"Topic":"other","Properties":{"TopicAlias":2}}
	| Message publish=PUBLISH Topic=other Payload="0 bytes" ""
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":2}}
	| Message resolved=true publish=PUBLISH Topic=other Payload="0 bytes" ""
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":1}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: Topic Alias 1 has no topic rule U5-3.3.4-c
	`)
	// [MQTT-3.3.2-10] v5 [MQTT-3.3.2-7] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"TopicAliasMaximum":1}}
	| Write CONNECT TopicAliasMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"first","Properties":{"TopicAlias":1}}
	| Message publish=PUBLISH Topic=first Payload="0 bytes" ""
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":1}}
	| Message resolved=true publish=PUBLISH Topic=first Payload="0 bytes" ""
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"TopicAliasMaximum":1}}
	| Write CONNECT TopicAliasMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":1}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: Topic Alias 1 has no topic rule U5-3.3.4-c
	`)
	// [U5-3.3.4-c] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"TopicAliasMaximum":1}}
	| Write CONNECT TopicAliasMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"","Properties":{"TopicAlias":1}}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: Topic Alias 1 has no topic rule U5-3.3.4-c
	`)
	// [U5-3.3.4-b] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"TopicAliasMaximum":1}}
	| Write CONNECT TopicAliasMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","Properties":{"TopicAlias":2}}
	| Write DISCONNECT ReasonCode="0x94 Topic Alias invalid"
	| Close reason=0x94 error=PUBLISH: protocol error: Topic Alias 2, Topic Alias Maximum is 1 rule U5-3.3.4-b
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"TopicAliasMaximum":1}}
	| Write CONNECT TopicAliasMaximum=1 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 30 07 00 01 61 03 23 00 00
	| Write DISCONNECT ReasonCode="0x94 Topic Alias invalid"
	| Close reason=0x94 error=PUBLISH: protocol error: Properties.TopicAlias at byte 7: the value is 0 rule MQTT-3.3.2-8
	`)
}

// TestAliasOfQueued: a message that waits goes to the topic that its alias had when
// it was published, whatever the alias stands for by then. [MQTT-3.3.2-9] v5
func TestAliasOfQueued(t *testing.T) {
	scenario(t, `
	client v5 {"TopicAliases":1}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"TopicAliasMaximum":1,"ReceiveMaximum":1}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1 TopicAliasMaximum=1
	publish {"Topic":"first","QoS":1,"Properties":{"TopicAlias":1}}
	| token 1
	| Write PUBLISH QoS=1 Topic=first PacketID=1 TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"","QoS":1,"Properties":{"TopicAlias":1},"Payload":"first"}
	| token 2
	publish {"Topic":"second","QoS":1,"Properties":{"TopicAlias":1}}
	| token 3
	publish {"Topic":"","QoS":1,"Properties":{"TopicAlias":1},"Payload":"second"}
	| token 4
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Write PUBLISH QoS=1 Topic="" PacketID=2 TopicAlias=1 Payload="5 bytes"
	recv PUBACK {"PacketID":2}
	| Published token=2 id=2 packet=PUBACK PacketID=2
	| Write PUBLISH QoS=1 Topic=second PacketID=3 TopicAlias=1 Payload="0 bytes"
	recv PUBACK {"PacketID":3}
	| Published token=3 id=3 packet=PUBACK PacketID=3
	| Write PUBLISH QoS=1 Topic="" PacketID=4 TopicAlias=1 Payload="6 bytes"
	`)
}
