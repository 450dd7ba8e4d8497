package session_test

import (
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

func TestStreamIn(t *testing.T) {
	// Above the size in pieces, up to it as a whole; acknowledged after the end.
	// [MQTT-4.3.2-4] v5 [MQTT-4.3.3-8] v5
	scenario(t, `
	client v5 {"StreamAbove":4}
	connect {"ClientID":"c","CleanStart":true,"Properties":{"TopicAliasMaximum":3}}
	| Write CONNECT CleanStart=true TopicAliasMaximum=3 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Payload":"1234"}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="4 bytes" "1234"
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":2,"Payload":"12345","Properties":{"TopicAlias":2,"ContentType":"text"}}
	| MessageBegin id=2 size=5 publish=PUBLISH QoS=1 Topic=a PacketID=2 ContentType=text Payload="0 bytes"
	| MessageData size=5 "12345"
	| MessageEnd id=2
	| Write PUBACK PacketID=2
	recv PUBLISH {"Topic":"","QoS":2,"PacketID":3,"Payload":"123456","Properties":{"TopicAlias":2}}
	| MessageBegin id=3 resolved=true size=6 publish=PUBLISH QoS=2 Topic=a PacketID=3 Payload="0 bytes"
	| MessageData size=6 "123456"
	| MessageEnd id=3
	| Write PUBREC PacketID=3
	recv PUBLISH {"Topic":"q","Payload":"1234567"}
	| MessageBegin size=7 publish=PUBLISH Topic=q Payload="0 bytes"
	| MessageData size=7 "1234567"
	| MessageEnd
	recv PUBREL {"PacketID":3}
	| Write PUBCOMP PacketID=3
	`)
	// [MQTT-4.3.2-2] v311
	scenario(t, `
	server v311 {"StreamAbove":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Payload":"12"}
	| MessageBegin id=1 size=2 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| MessageData size=2 "12"
	| MessageEnd id=1
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2,"Payload":"123"}
	| MessageBegin id=2 size=3 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	| MessageData size=3 "123"
	| MessageEnd id=2
	| Write PUBREC PacketID=2
	`)
}

// TestStreamInManual: Ack names the message from its beginning on, and the order
// stays that of arrival.
func TestStreamInManual(t *testing.T) {
	// [MQTT-4.6.0-2] v5
	scenario(t, `
	client v5 {"StreamAbove":1,"ManualAck":true}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":7,"Payload":"first"}
	| MessageBegin token=4294967303 id=7 size=5 publish=PUBLISH QoS=1 Topic=a PacketID=7 Payload="0 bytes"
	| MessageData size=5 "first"
	| MessageEnd token=4294967303 id=7
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":8,"Payload":"second"}
	| MessageBegin token=8589934600 id=8 size=6 publish=PUBLISH QoS=1 Topic=a PacketID=8 Payload="0 bytes"
	| MessageData size=6 "second"
	| MessageEnd token=8589934600 id=8
	ack 8589934600
	ack 4294967303
	| Write PUBACK PacketID=7
	| Write PUBACK PacketID=8
	recv hex 34 0F 00 01 61 00 09 00 31 32
	| MessageBegin token=12884901897 id=9 size=9 publish=PUBLISH QoS=2 Topic=a PacketID=9 Payload="0 bytes"
	| MessageData size=2 "12"
	ack 12884901897
	| error mqtt: Ack: not possible in this state: the payload is not complete; only a refusal is possible
	ack 12884901897 {"Code":135}
	ack 12884901897 {"Code":135}
	| error mqtt: Ack: unknown token
	recv hex 33 34 35 36 37 38 39
	| Write PUBREC PacketID=9 ReasonCode="0x87 Not authorized"
	recv PUBREL {"PacketID":9}
	| Write PUBCOMP PacketID=9 ReasonCode="0x92 Packet Identifier not found"
	`)
}

func TestStreamInRefused(t *testing.T) {
	// At the beginning: nothing more is told, the code goes into PUBACK and
	// PUBREC once the packet has come.
	scenario(t, `
	server v5 {"StreamAbove":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	respond {"Code":135,"ReasonString":"not you"}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Payload":"12345678"}
	| MessageBegin id=1 size=8 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| Write PUBACK PacketID=1 ReasonCode="0x87 Not authorized" ReasonString="not you"
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2,"Payload":"12345678"}
	| MessageBegin id=2 size=8 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="0 bytes"
	| Write PUBREC PacketID=2 ReasonCode="0x87 Not authorized" ReasonString="not you"
	recv PUBLISH {"Topic":"a","Payload":"12345678"}
	| MessageBegin size=8 publish=PUBLISH Topic=a Payload="0 bytes"
	recv PINGREQ
	| Write PINGRESP
	`)
	// Within: what comes after it is skipped.
	scenario(t, `
	server v5 {"StreamAbove":1,"ManualAck":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 32 0A 00 01 61 00 05 00 31 32
	| MessageBegin token=4294967301 id=5 size=4 publish=PUBLISH QoS=1 Topic=a PacketID=5 Payload="0 bytes"
	| MessageData size=2 "12"
	ack 4294967301 {"Code":151}
	recv hex 33 34
	| Write PUBACK PacketID=5 ReasonCode="0x97 Quota exceeded"
	`)
	// v3.1.1 has no code for it.
	scenario(t, `
	server v311 {"StreamAbove":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	respond {"Code":135}
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1,"Payload":"12345678"}
	| MessageBegin id=1 size=8 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| Write PUBACK PacketID=1
	`)
}

// TestStreamInRepeated: what was received before is skipped, and answered when
// it is complete.
func TestStreamInRepeated(t *testing.T) {
	// [MQTT-4.3.3-10] v5
	scenario(t, `
	server v5 {"StreamAbove":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1,"Payload":"12345678"}
	| MessageBegin id=1 size=8 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	| MessageData size=8 "12345678"
	| MessageEnd id=1
	| Write PUBREC PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	keep
	open
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	recv hex 3C 0E 00 01 61 00 01 00 31 32 33 34
	recv hex 35 36 37 38
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	`)
}

// TestStreamInCut: a message without its end never happened.
func TestStreamInCut(t *testing.T) {
	// [MQTT-4.4.0-1] v5
	scenario(t, `
	client v5 {"StreamAbove":1,"ManualAck":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 34 0E 00 01 61 00 01 00 31 32 33 34
	| MessageBegin token=4294967297 id=1 size=8 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	| MessageData size=4 "1234"
	closed
	| MessageEnd token=4294967297 id=1 error=connection ended within the payload
	| Close reason=0x80 error=transport closed
	status
	| closed vacancy=0 inflight=0 queued=0
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1,"Dup":true,"Payload":"12345678"}
	| MessageBegin token=8589934593 id=1 size=8 publish=PUBLISH Dup=true QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	| MessageData size=8 "12345678"
	| MessageEnd token=8589934593 id=1
	ack 8589934593
	| Write PUBREC PacketID=1
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	`)
	// DISCONNECT of the own side ends it too.
	scenario(t, `
	client v5 {"StreamAbove":1}
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	recv hex 32 0E 00 01 61 00 01 00 31 32 33 34
	| MessageBegin id=1 size=8 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| MessageData size=4 "1234"
	disconnect
	| Write DISCONNECT
	| MessageEnd id=1 error=connection ended within the payload
	| Close
	`)
}

// TestStreamInRules: what is wrong with a message ends the connection before its
// payload has come.
func TestStreamInRules(t *testing.T) {
	up := func(role, v, connack string) []string {
		if role == "client" {
			return []string{`client ` + v + ` {"StreamAbove":1}`, `connect {"ClientID":"c","CleanStart":true` + connack + `}`, `recv CONNACK`}
		}
		return []string{`server ` + v + ` {"StreamAbove":1}`, `recv CONNECT {"ClientID":"c","CleanStart":true}`, `accept ` + connack}
	}
	told := func(code string) string { return `DISCONNECT ReasonCode="` + code + `"` }
	// [U5-3.3.4-d] v5
	ends(t, append(up("client", "v5", `,"Properties":{"ReceiveMaximum":1}`), `recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}`),
		told("0x93 Receive Maximum exceeded"), `recv hex 34 09 00 01 61 00 02 00 31`)
	// [U5-3.1.2.11.4-b] v5
	ends(t, up("client", "v5", `,"Properties":{"MaximumPacketSize":20}`), told("0x95 Packet too large"), `recv hex 30 13`)
	// [U5-3.3.4-b] v5
	ends(t, up("server", "v5", ``), told("0x94 Topic Alias invalid"), `recv hex 30 30 00 01 61 03 23 00 01 31`)
	// [U5-3.3.4-c] v5
	ends(t, up("client", "v5", `,"Properties":{"TopicAliasMaximum":1}`), protocol, `recv hex 30 30 00 00 03 23 00 01 31`)
	// [U5-3.2.2.3.4-b] v5
	ends(t, up("server", "v5", `{"Properties":{"MaximumQoS":0}}`), told("0x9B QoS not supported"), `recv hex 32 30 00 01 61 00 01 00 31`)
	// [U5-3.2.2.3.5-b] v5
	ends(t, up("server", "v5", `{"Properties":{"RetainAvailable":0}}`), told("0x9A Retain not supported"), `recv hex 31 30 00 01 61 00 31`)
	// [MQTT-3.3.1-4] v5
	ends(t, up("server", "v5", ``), malformed, `recv hex 36 30 00 01 61 00 01 00 31`)
	// [MQTT-3.3.2-2] v311
	ends(t, up("server", "v311", ``), silently, `recv hex 30 30 00 01 23 31`)
	// [MQTT-1.5.4-2] v5
	ends(t, up("server", "v5", ``), malformed, `recv hex 30 30 00 01 00 00 31`)
	// A property length beyond the packet, and one of five bytes.
	ends(t, up("server", "v5", ``), malformed, `recv hex 30 30 00 01 61 7F 31`)
	ends(t, up("server", "v5", ``), malformed, `recv hex 30 30 00 01 61 FF FF FF FF 01`)
	// A topic beyond the packet: known once all of it is there.
	ends(t, up("server", "v5", ``), malformed, `recv hex 30 05 00 09 61 61 61`)
	// A padded Remaining Length.
	ends(t, up("server", "v5", ``), malformed, `recv hex 30 B0 80 00 00 01 61 00 31`)
	if trace := run(t, append(up("server", "v311", ``), `recv hex 30 85 80 00 00 01 61 31 32`)...); !strings.Contains(trace, "MessageBegin") {
		t.Errorf("padded Remaining Length in v3.1.1: %s", trace)
	}
	// The properties have to fit into memory.
	ends(t, up("server", "v5", ``), told("0x97 Quota exceeded"), `recv hex 30 FF FF FF 7F 00 01 61 FF FF FF 0F`)
	// [MQTT-3.1.0-1] v5: before CONNECT nothing is streamed.
	ends(t, []string{`server v5 {"StreamAbove":1}`}, silently, `recv PUBLISH {"Topic":"a","Payload":"123"}`)
}

// TestStreamInKeepAlive: the bytes of a payload are no sign of life if they are few.
// TestLongPacket has more of them.
func TestStreamInKeepAlive(t *testing.T) {
	// [MQTT-3.1.2-22] v5
	scenario(t, `
	server v5 {"StreamAbove":1}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true,"KeepAlive":10}
	| Connect packet=CONNECT CleanStart=true KeepAlive=10 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 30 14 00 01 61 00
	| MessageBegin size=16 publish=PUBLISH Topic=a Payload="0 bytes"
	pass 14s
	recv hex 31
	| MessageData size=1 "1"
	| Timer +15s
	after 1s
	| Write DISCONNECT ReasonCode="0x8D Keep Alive timeout"
	| MessageEnd error=connection ended within the payload
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: nothing came for 1.5 times the Keep Alive
	`)
}

// TestStreamInMisuse: calls that do not fit change nothing.
func TestStreamInMisuse(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V5, Config: session.Config{StreamAbove: 1}}, codec.ConnackProperties{})
	in := encode(t, &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("12")}, codec.V5)
	c.Receive(start, in)
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		if ev.Kind != events.MessageBegin {
			continue
		}
		if c.Respond(session.Reply{}) == nil {
			t.Error("QoS 0 was acknowledged")
		}
		if err := c.Respond(session.Reply{Code: codec.ReasonNotAuthorized}); err != nil {
			t.Error(err)
		}
		if c.Respond(session.Reply{Code: codec.ReasonNotAuthorized}) == nil {
			t.Error("refused twice")
		}
	}
	in = encode(t, &codec.Publish{Topic: codec.Bytes("a"), QoS: 1, PacketID: 1, Payload: codec.Bytes("12")}, codec.V5)
	c.Receive(start, in)
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		if ev.Kind == events.MessageBegin && c.Respond(session.Reply{Code: codec.ReasonNormalDisconnection + 1}) == nil {
			t.Error("a code that PUBACK may not have was taken")
		}
	}
	if c.Respond(session.Reply{}) == nil {
		t.Error("Respond without a message")
	}
}
