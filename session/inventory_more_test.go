package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// TestW12WideUnsuback: the Remaining Length counts the wide identifier.
func TestW12WideUnsuback(t *testing.T) {
	r := newRig()
	for _, line := range []string{`server v311wide {"Wide":true}`, `recv CONNECT {"ClientID":"c","CleanStart":true}`, `accept`, `recv UNSUBSCRIBE {"PacketID":16909060,"Filters":["a"]}`} {
		if _, err := r.run(line); err != nil {
			t.Fatal(err)
		}
	}
	r.merge = true
	if trace, err := r.run(`unsuback {"PacketID":16909060}`); err != nil || trace != "Write B0 04 01 02 03 04\n" {
		t.Errorf("%v: %s", err, trace)
	}
}

// TestW13WillTwice: the last Will counts, on the wire and for the server.
func TestW13WillTwice(t *testing.T) {
	// [MQTT-3.1.2-12] v5 [MQTT-3.1.2-14] v311
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		b := codec.NewConnect("c").Will(codec.Will{Topic: codec.Bytes("w"), QoS: codec.QoS1}).Will(codec.Will{Topic: codec.Bytes("w"), QoS: codec.QoS2})
		connect, err := b.Build(v)
		if err != nil {
			t.Fatal(err)
		}
		c := session.NewClient(session.ClientConfig{Version: v})
		for range 2 { // a reconnect with the same CONNECT as well
			if err := c.Connect(start, connect); err != nil {
				t.Fatal(err)
			}
			ev, _ := c.Next()
			if flags := ev.Data[0][9]; flags>>3&3 != 2 {
				t.Errorf("%v: flags %08b", v, flags)
			}
			p, _, err := codec.Decode(ev.Data[0], v)
			if err != nil || p.(*codec.Connect).Will.Value.QoS != codec.QoS2 {
				t.Errorf("%v: %v %v", v, p, err)
			}
			c.Closed(start, nil)
			drain(c)
		}
	}
}

// TestW19WriteFails: a message whose Write failed does not hold its part of the
// Receive Maximum, and neither does its identifier.
func TestW19WriteFails(t *testing.T) {
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":1}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	status
	| connected vacancy=0 inflight=1 queued=0
	closed write failed
	| Close reason=0x80 error=write failed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"ReceiveMaximum":1}}
	| Connected session=true packet=CONNACK SessionPresent=true ReceiveMaximum=1
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	status
	| connected vacancy=1 inflight=0 queued=0
	publish {"Topic":"b","QoS":1}
	| token 2
	| Write PUBLISH QoS=1 Topic=b PacketID=2 Payload="0 bytes"
	closed write failed
	| Close reason=0x80 error=write failed
	connect {"ClientID":"c","CleanStart":true}
	| Dropped token=2 id=2 publish=PUBLISH QoS=1 Topic=b Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":1}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	status
	| connected vacancy=1 inflight=0 queued=0
	publish {"Topic":"c","QoS":1}
	| token 3
	| Write PUBLISH QoS=1 Topic=c PacketID=3 Payload="0 bytes"
	`)
}

// TestW22ServerNeverPings: there is no call and no setting by which a server
// would send PINGREQ, and no deadline at which it does.
func TestW22ServerNeverPings(t *testing.T) {
	if _, ok := any((*session.Client)(nil)).(interface{ Ping(time.Time) error }); !ok {
		t.Error("a Client has no Ping; the assertion below says nothing")
	}
	if _, ok := any((*session.Server)(nil)).(interface{ Ping(time.Time) error }); ok {
		t.Error("a Server has a Ping")
	}
	trace := run(t, `server v5`, `recv CONNECT {"ClientID":"c","KeepAlive":10}`, `accept`, `after 14s`)
	if strings.Contains(trace, "Write") {
		t.Errorf("within the Keep Alive: %s", trace)
	}
	if trace := run(t, `server v5`, `recv CONNECT {"ClientID":"c"}`, `accept`, `after 24h`); trace != "" {
		t.Errorf("without a Keep Alive: %s", trace)
	}
}

// TestW54Characters: NUL never; control characters and non-characters where the
// configuration allows them.
func TestW54Characters(t *testing.T) {
	// [MQTT-1.5.4-2] v5
	ends(t, serverV5, malformed, `recv hex 30 06 00 03 61 00 62 00`)
	// [MQTT-1.5.3-2] v311
	ends(t, serverV311, silently, `recv hex 30 05 00 03 61 00 62`)
	ends(t, []string{`server v5 {"AllowControlCharacters":true}`, serverV5[1], serverV5[2]}, malformed, `recv hex 30 06 00 03 61 00 62 00`)
	scenario(t, `
	server v5
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 30 06 00 03 61 01 62 00
	| Write DISCONNECT ReasonCode="0x81 Malformed Packet"
	| Close reason=0x81 error=PUBLISH: malformed packet: Topic at byte 2: the string holds a control character or a non-character rule U5-1.5.4-a
	`)
	scenario(t, `
	server v5 {"AllowControlCharacters":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv hex 30 06 00 03 61 01 62 00
	| Message publish=PUBLISH Topic="a\x01b" Payload="0 bytes" ""
	recv hex 30 06 00 03 EF BF BF 00
	| Message publish=PUBLISH Topic="\uffff" Payload="0 bytes" ""
	publish {"Topic":"a\u0001b"}
	| token 1
	| Write PUBLISH Topic="a\x01b" Payload="0 bytes"
	recv hex 30 06 00 03 ED A0 80 00
	| Write DISCONNECT ReasonCode="0x81 Malformed Packet"
	| Close reason=0x81 error=PUBLISH: malformed packet: Topic at byte 2: ill-formed UTF-8 rule MQTT-3.3.2-1
	`)
	scenario(t, `
	client v311
	connect {"ClientID":"c\u0001"}
	| error mqtt: Connect: CONNECT: malformed packet: ClientID: the string holds a control character or a non-character rule U311-1.5.3-a
	connect {"ClientID":"c\u0000"}
	| error mqtt: Connect: CONNECT: malformed packet: ClientID: the string holds U+0000 rule MQTT-1.5.3-2
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a\u0000"}
	| error mqtt: Publish: PUBLISH: malformed packet: Topic: the string holds U+0000 rule MQTT-1.5.3-2
	subscribe {"Filters":[{"Filter":"a\u0000"}]}
	| error mqtt: Subscribe: SUBSCRIBE: malformed packet: Filters[0].Filter: the string holds U+0000 rule MQTT-1.5.3-2
	`)
}

// TestW58Capabilities: what the server does not offer is not sent.
func TestW58Capabilities(t *testing.T) {
	// [MQTT-3.2.2-11] v5 [MQTT-3.2.2-14] v5 [U5-3.2.2.3.11-b] v5 [U5-3.2.2.3.12-b] v5 [U5-3.2.2.3.13-b] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	publish {"Topic":"before","QoS":1}
	| token 1
	recv CONNACK {"Properties":{"MaximumQoS":0,"RetainAvailable":0,"WildcardSubscriptionAvailable":0,"SubscriptionIdentifierAvailable":0,"SharedSubscriptionAvailable":0}}
	| Connected session=false packet=CONNACK MaximumQoS=0 RetainAvailable=0 WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0
	| Dropped token=1 publish=PUBLISH QoS=1 Topic=before Payload="0 bytes" error=mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	publish {"Topic":"a","QoS":1}
	| error mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	publish {"Topic":"a","QoS":2,"Retain":true}
	| error mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	publish {"Topic":"a","Retain":true}
	| error mqtt: Publish: over a limit of the peer: Retain Available is 0 rule MQTT-3.2.2-14
	subscribe {"Filters":[{"Filter":"a"},{"Filter":"a/+"}]}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.11-b
	subscribe {"Filters":[{"Filter":"a"}],"Properties":{"SubscriptionIdentifier":1}}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.12-b
	subscribe {"Filters":[{"Filter":"$share/g/a"}]}
	| error mqtt: Subscribe: over a limit of the peer: the server does not offer it rule U5-3.2.2.3.13-b
	publish {"Topic":"a"}
	| token 2
	| Write PUBLISH Topic=a Payload="0 bytes"
	subscribe {"Filters":[{"Filter":"a","QoS":2}]}
	| Write SUBSCRIBE PacketID=1 Filters[0].Filter=a Filters[0].QoS=2
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestW65SessionExpiry: the interval of DISCONNECT and of the own CONNACK counts.
func TestW65SessionExpiry(t *testing.T) {
	// [MQTT-4.1.0-2] v5
	expires := func(lines ...string) string {
		r := newRig()
		for _, line := range lines {
			if _, err := r.run(line); err != nil {
				t.Fatal(err)
			}
		}
		at, ok := r.State().Expires()
		if !ok {
			return "never"
		}
		return at.Sub(start).String()
	}
	connect := `recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`
	for _, test := range []struct{ got, want string }{
		{expires(`server v5`, connect, `accept`, `recv DISCONNECT`), "1m40s"},
		{expires(`server v5`, connect, `accept`, `recv DISCONNECT {"Properties":{"SessionExpiryInterval":7}}`), "7s"},
		{expires(`server v5`, connect, `accept`, `recv DISCONNECT {"Properties":{"SessionExpiryInterval":0}}`), "0s"},
		{expires(`server v5`, connect, `accept {"Properties":{"SessionExpiryInterval":50}}`, `closed`), "50s"},
		{expires(`server v5`, connect, `accept {"Properties":{"SessionExpiryInterval":50}}`, `recv DISCONNECT {"Properties":{"SessionExpiryInterval":70}}`), "1m10s"},
		{expires(`client v5`, `connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`, `recv CONNACK {"Properties":{"SessionExpiryInterval":30}}`, `closed`), "30s"},
		{expires(`client v5`, `connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`, `recv CONNACK`, `disconnect {"Properties":{"SessionExpiryInterval":60}}`), "1m0s"},
		{expires(`client v5`, `connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`, `recv CONNACK`, `disconnect {"Properties":{"SessionExpiryInterval":4294967295}}`), "never"},
	} {
		if test.got != test.want {
			t.Errorf("session expires after %s, want %s", test.got, test.want)
		}
	}
	// What is gone is gone: the messages under way with it.
	trace := run(t, `client v5`, `connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}`, `recv CONNACK`, `publish {"Topic":"a","QoS":1}`, `disconnect {"Properties":{"SessionExpiryInterval":0}}`)
	if !strings.Contains(trace, "SessionLost lost=1") {
		t.Error(trace)
	}
}
