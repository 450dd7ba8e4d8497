package client_test

import (
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// TestNotOffered keeps from the server what it would close the connection for.
func TestNotOffered(t *testing.T) {
	// [U5-3.2.2.3.11-b] v5 [U5-3.2.2.3.12-b] v5 [U5-3.2.2.3.13-b] v5
	scenario(t, `
	connack {"Properties":{"WildcardSubscriptionAvailable":0,"SharedSubscriptionAvailable":0,"SubscriptionIdentifierAvailable":0}}
	client {"ClientID":"c"}
	subscribe a a +/b $share/g/c d
	subscribe b e
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0
	| Connected session=false packet=CONNACK WildcardSubscriptionAvailable=0 SubscriptionIdentifierAvailable=0 SharedSubscriptionAvailable=0
	| Subscribed filter=+/b reason=0xA2 error=mqtt: Subscribe: over a limit of the peer: Wildcard Subscriptions not supported
	| Subscribed filter=$share/g/c reason=0x9E error=mqtt: Subscribe: over a limit of the peer: Shared Subscriptions not supported
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=a
	| > SUBSCRIBE PacketID=2 Filters[0].Filter=d Filters[1].Filter=e
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=a reason=0x00
	| Subscribed filter=d reason=0x00
	| Subscribed filter=e reason=0x00
	set
	| a QoS 0 true
	| d QoS 0 true
	| e QoS 0 true
	send d:0:x
	| < PUBLISH Topic=d Payload="1 bytes" "x"
	| handler a: d "x"
	`)
	// A packet holds no more than the server takes. [MQTT-3.2.2-15] v5
	scenario(t, `
	connack {"Properties":{"MaximumPacketSize":30}}
	client {"ClientID":"c"}
	subscribe a 12345 12346 12347 12345678901234567890 12348
	unsubscribe 123456789012345678901234567890 1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK MaximumPacketSize=30
	| Connected session=false packet=CONNACK MaximumPacketSize=30
	| Unsubscribed filter=123456789012345678901234567890 reason=0x11
	| Unsubscribed filter=1 reason=0x11
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=12345 Filters[1].Filter=12346
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=1 Filters[0].Filter=12347
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=1 Filters[0].Filter=12345678901234567890
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=1 Filters[0].Filter=12348
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=4 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=12345 reason=0x00
	| Subscribed filter=12346 reason=0x00
	| Subscribed filter=12347 reason=0x00
	| Subscribed filter=12345678901234567890 reason=0x00
	| Subscribed filter=12348 reason=0x00
	unsubscribe 12345 12346 12347 12348
	| > UNSUBSCRIBE PacketID=5 Filters=12345 Filters=12346 Filters=12347
	| > UNSUBSCRIBE PacketID=6 Filters=12348
	| < UNSUBACK PacketID=5 ReasonCodes="0x00 Success, 0x00 Success, 0x00 Success"
	| < UNSUBACK PacketID=6 ReasonCodes="0x00 Success"
	| Unsubscribed filter=12345 reason=0x00
	| Unsubscribed filter=12346 reason=0x00
	| Unsubscribed filter=12347 reason=0x00
	| Unsubscribed filter=12348 reason=0x00
	`)
}

// TestExhausted waits with subscriptions until a packet identifier is free.
func TestExhausted(t *testing.T) {
	r := newRig(t)
	r.config.Session.Queue.Messages = -1
	r.command(`client {"ClientID":"c"}`)
	r.command("up")
	r.drain()
	r.s, r.onward = nil, nil // the server answers nothing any more
	r.out.Reset()
	for range 65534 {
		r.command("publish a:1:x")
		r.drain()
	}
	r.command("subscribe a a b c d e f g h")
	r.command("subscribe b i j")
	r.drain()
	r.out.Reset()
	r.c.Receive(r.now, []byte{0x40, 2, 0, 7})
	r.drain()
	want := "Published token=7 id=7 packet=PUBACK PacketID=7\n> SUBSCRIBE PacketID=7 SubscriptionIdentifier=2 Filters[0].Filter=i Filters[1].Filter=j\n"
	if got := r.out.String(); got != want {
		t.Errorf("got %s", got)
	}
}

// TestPacketSizes fills packets to the last byte.
func TestPacketSizes(t *testing.T) {
	// [MQTT-3.2.2-15] v5
	scenario(t, `
	wide
	connack {"Properties":{"MaximumPacketSize":26}}
	config {"Session":{"AllowControlCharacters":true}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	subscribe a 12345 67890 1234567890123 12345678901234 x
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK MaximumPacketSize=26
	| Connected session=false packet=CONNACK MaximumPacketSize=26
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=12345 Filters[1].Filter=67890
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=1 Filters[0].Filter=1234567890123
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=1 Filters[0].Filter=12345678901234
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=1 Filters[0].Filter=x
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=4 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=12345 reason=0x00
	| Subscribed filter=67890 reason=0x00
	| Subscribed filter=1234567890123 reason=0x00
	| Subscribed filter=12345678901234 reason=0x00
	| Subscribed filter=x reason=0x00
	unsubscribe 12345 67890 1234567890123456789 x
	| Unsubscribed filter=1234567890123456789 reason=0x95 error=mqtt: Unsubscribe: over a limit of the peer: packet is above the Maximum Packet Size of the server rule MQTT-3.2.2-15
	| > UNSUBSCRIBE PacketID=5 Filters=12345 Filters=67890
	| > UNSUBSCRIBE PacketID=6 Filters=x
	| < UNSUBACK PacketID=5 ReasonCodes="0x00 Success, 0x00 Success"
	| < UNSUBACK PacketID=6 ReasonCodes="0x00 Success"
	| Unsubscribed filter=12345 reason=0x00
	| Unsubscribed filter=67890 reason=0x00
	| Unsubscribed filter=x reason=0x00
	connack {"Properties":{"MaximumPacketSize":25,"SessionExpiryInterval":100}}
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionExpiryInterval=100 MaximumPacketSize=25
	| Connected session=false packet=CONNACK SessionExpiryInterval=100 MaximumPacketSize=25
	| Subscribed filter=12345678901234 restored=true reason=0x95 error=mqtt: Subscribe: over a limit of the peer: packet is above the Maximum Packet Size of the server rule MQTT-3.2.2-15
	| SessionLost lost=0 queued=0
	| > SUBSCRIBE PacketID=7 SubscriptionIdentifier=1 Filters[0].Filter=1234567890123
	| < SUBACK PacketID=7 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=1234567890123 restored=true reason=0x00
	`)
	for _, length := range []int{100, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130} {
		for limit := 135; limit < 145; limit++ {
			r := newRig(t)
			r.connack.Properties.MaximumPacketSize = codec.Some(uint32(limit))
			r.command(`client {"ClientID":"c"}`)
			first := strings.Repeat("x", length)
			r.command("subscribe a " + first + " y z")
			r.command("up")
			r.out.Reset()
			r.drain()
			p := codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes(first)}, {Filter: codec.Bytes("y")}, {Filter: codec.Bytes("z")}}}
			p.Properties.SubscriptionIdentifier = codec.Some(uint32(1))
			want := 1
			switch size := p.Size(codec.V5); {
			case size-8 > limit:
				want = 0
			case size-4 > limit:
			case size > limit:
				want = 2
			default:
				want = 3
			}
			n := 0
			for line := range strings.Lines(r.out.String()) {
				if strings.HasPrefix(line, "> SUBSCRIBE") && strings.Contains(line, first) {
					n = strings.Count(line, ".Filter=")
				}
			}
			if n != want {
				t.Errorf("first filter of %d bytes, limit %d: %d filters in its packet, want %d\n%s", length, limit, n, want, r.out.String())
			}
		}
	}
}

// TestSubscriptionsBreak leaves the loop over the set.
func TestSubscriptionsBreak(t *testing.T) {
	r := newRig(t)
	r.command(`client {"ClientID":"c"}`)
	r.command("subscribe a a b c")
	n := 0
	for range r.c.Subscriptions() {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Error(n)
	}
}
