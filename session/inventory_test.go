package session_test

import "testing"

// The tests of this file are named after the rows of a list of faults that
// were found in another MQTT library.

func TestW01TopicAliasMaximumZero(t *testing.T) {
	scenario(t, `
	server v5 {"TopicAliases":2}
	| Timer +10s
	recv hex 10 11 00 04 4D 51 54 54 05 02 00 00 03 22 00 00 00 01 63
	| Connect packet=CONNECT CleanStart=true TopicAliasMaximum=0 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"long enough"}
	| token 1
	| Write PUBLISH Topic="long enough" Payload="0 bytes"
	`)
}

func TestW02PacketIdentifierZero(t *testing.T) {
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 32 07 00 01 61 00 00 00 78
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: PacketID at byte 5: the Packet Identifier is 0 rule MQTT-2.2.1-3
	`)
	scenario(t, `
	client v311
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 32 06 00 01 61 00 00 78
	| Close reason=0x82 error=PUBLISH: protocol error: PacketID at byte 5: the Packet Identifier is 0 rule MQTT-2.3.1-1
	`)
}

func TestW03StalePartialPacket(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 30 0A 00 01
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv hex 20 03 00 00 00
	| Connected session=false packet=CONNACK
	`)
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 11 00 04
	closed
	| Close reason=0x80 error=transport closed
	open
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	`)
}

func TestW05PubrecNoMatchingSubscribers(t *testing.T) {
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
	recv hex 50 03 00 01 10
	| Write PUBREL PacketID=1
	`)
}

// run executes commands and returns what the last of them printed.
func run(t *testing.T, commands ...string) (trace string) {
	t.Helper()
	r := newRig()
	for _, c := range commands {
		var err error
		if trace, err = r.run(c); err != nil {
			t.Fatal(err)
		}
	}
	return trace
}

func TestW10PasswordWithoutUserName(t *testing.T) {
	scenario(t, `
	server v5
	| Timer +10s
	recv hex 10 11 00 04 4D 51 54 54 05 42 00 00 00 00 01 63 00 01 70
	| Connect packet=CONNECT CleanStart=true ClientID=c Password=REDACTED
	accept
	| Connected session=false
	| Write CONNACK
	`)
}

func TestW11AliasOfUnsentPacket(t *testing.T) {
	scenario(t, `
	client v5 {"TopicAliases":2}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":1,"TopicAliasMaximum":5,"MaximumPacketSize":30}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1 MaximumPacketSize=30 TopicAliasMaximum=5
	publish {"Topic":"aaaaaa","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=aaaaaa PacketID=1 TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"bbbbbb","QoS":1,"Payload":"too large for the server"}
	| token 2
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=bbbbbb Payload="24 bytes" error=mqtt: Publish: over a limit of the peer: packet of 37 bytes is above the Maximum Packet Size of 30 rule MQTT-3.2.2-15
	publish {"Topic":"bbbbbb","QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic=bbbbbb PacketID=2 TopicAlias=2 Payload="0 bytes"
	`)
}

// TestW15IdentifiersOfRefusedPackets and W-19: a refusal costs nothing.
func TestW15IdentifiersOfRefusedPackets(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"MaximumPacketSize":10,"ReceiveMaximum":1}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1 MaximumPacketSize=10
	publish {"Topic":"a","QoS":1,"Payload":"too large"}
	| error mqtt: Publish: over a limit of the peer: packet of 17 bytes is above the Maximum Packet Size of 10 rule MQTT-3.2.2-15
	publish {"Topic":"a/#","QoS":1}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the name holds a wildcard rule MQTT-3.3.2-2
	subscribe {"Filters":[{"Filter":"too large"}]}
	| error mqtt: Subscribe: over a limit of the peer: packet is above the Maximum Packet Size of the server rule MQTT-3.2.2-15
	status
	| connected vacancy=1 inflight=0 queued=0
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	`)
}

func TestW16LeastRecentlyUsedAlias(t *testing.T) {
	scenario(t, `
	client v5 {"TopicAliases":2}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"TopicAliasMaximum":2}}
	| Connected session=false packet=CONNACK TopicAliasMaximum=2
	publish {"Topic":"aaaa"}
	| token 1
	| Write PUBLISH Topic=aaaa TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"bbbb"}
	| token 2
	| Write PUBLISH Topic=bbbb TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"aaaa"}
	| token 3
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"aaaa"}
	| token 4
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	publish {"Topic":"cccc"}
	| token 5
	| Write PUBLISH Topic=cccc TopicAlias=2 Payload="0 bytes"
	publish {"Topic":"aaaa"}
	| token 6
	| Write PUBLISH Topic="" TopicAlias=1 Payload="0 bytes"
	`)
}

func TestW20KeepAliveOfReusedServer(t *testing.T) {
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Connect packet=CONNECT CleanStart=true KeepAlive=10 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	closed
	| Close reason=0x80 error=transport closed
	open
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	after 1000s
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

func TestW23NoPingBeforeConnack(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true,"KeepAlive":4}
	| Write CONNECT CleanStart=true KeepAlive=4 ClientID=c
	| Timer +10s
	after 5s
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Timer +4s
	after 5s
	| Write PINGREQ
	| Timer +14s
	`)
}

func TestW26TruncatedVariableByteInteger(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 30 06 00 01 61 02 0B FF
	| Write DISCONNECT ReasonCode="0x81 Malformed Packet"
	| Close reason=0x81 error=PUBLISH: malformed packet: Properties.SubscriptionIdentifiers at byte 7: the property runs past its block rule U5-2.2.2.2-a
	`)
}

func TestW27DuplicateAtReceiveMaximum(t *testing.T) {
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
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1,"Dup":true}
	| Write PUBREC PacketID=1
	`)
}

func TestW28PublishAfterClose(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	closed
	| Close reason=0x80 error=transport closed
	publish {"Topic":"a","QoS":1}
	| token 1
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	`)
}

// TestW32TinyMaximumPacketSize: the connection closes even if DISCONNECT does
// not fit.
func TestW32TinyMaximumPacketSize(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"MaximumPacketSize":2}}
	| Connected session=false packet=CONNACK MaximumPacketSize=2
	recv PINGREQ
	| Close reason=0x82 error=PINGREQ: protocol error: only a client sends it rule U5-2.1.2-b
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"MaximumPacketSize":3}}
	| Connected session=false packet=CONNACK MaximumPacketSize=3
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write DISCONNECT ReasonCode="0x95 Packet too large"
	| Close reason=0x95 error=PUBACK: too large: Maximum Packet Size of 3 leaves no room for it rule MQTT-3.1.2-24
	`)
}

func TestW35FramingError(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 30 FF FF FF FF 01
	| Write DISCONNECT ReasonCode="0x81 Malformed Packet"
	| Close reason=0x81 error=malformed packet: Remaining Length at byte 1: the variable byte integer has more than four bytes rule U5-1.5.5-a
	`)
}

func TestW60IdentifierInUse(t *testing.T) {
	scenario(t, `
	server v5 {"ManualAck":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 32 06 00 01 61 00 05 00
	| Message token=4294967301 id=5 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes" ""
	recv hex 32 06 00 01 61 00 05 00
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBLISH: protocol error: packet identifier 5 is in use rule MQTT-2.2.1-3
	`)
}

func TestW64UnknownPubrec(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBREC {"PacketID":9}
	| Unexpected id=9 packet=PUBREC PacketID=9
	| Write PUBREL PacketID=9 ReasonCode="0x92 Packet Identifier not found"
	recv PUBCOMP {"PacketID":9,"ReasonCode":146}
	| Unexpected id=9 packet=PUBCOMP PacketID=9 ReasonCode="0x92 Packet Identifier not found"
	`)
}
