package client_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"
)

func init() {
	// subscribewith takes an identifier, User Properties as k=v,k=v and filters as
	// subscribe does.
	commands["subscribewith"] = func(r *rig, args string) error {
		f := strings.SplitN(args, " ", 3)
		var o client.SubscribeOptions
		fmt.Sscan(f[0], &o.Identifier)
		o.UserProperties = userProperties(f[1])
		h, list := r.filters(f[2])
		o.Handler = h
		return r.c.SubscribeWith(r.now, o, list...)
	}
	commands["unsubscribewith"] = func(r *rig, args string) error {
		f := strings.Fields(args)
		return r.c.UnsubscribeWith(r.now, userProperties(f[0]), f[1:]...)
	}
	// half sends all of a message but its last byte.
	commands["half"] = func(r *rig, args string) error {
		p := r.message(args)
		p.PacketID = 1
		b, err := p.AppendTo(nil, codec.V5)
		if err == nil {
			r.feed(b[:len(b)-1])
			r.missing = b[len(b)-1:]
		}
		return err
	}
	// rest is the byte that half left out.
	commands["rest"] = func(r *rig, _ string) error {
		r.feed(r.missing)
		return nil
	}
	// stream subscribes with a handler for payloads in pieces.
	commands["stream"] = func(r *rig, args string) error {
		h, list := r.filters(args)
		name, _, _ := strings.Cut(args, " ")
		return r.c.SubscribeWith(r.now, client.SubscribeOptions{Handler: h, Stream: r.streamHandler(name)}, list...)
	}
}

func userProperties(s string) (u codec.UserProperties) {
	for pair := range strings.SplitSeq(s, ",") {
		if k, v, ok := strings.Cut(pair, "="); ok {
			u.Add(k, v)
		}
	}
	return u
}

// stream prints what it gets as one line.
type stream struct {
	r    *rig
	name string
	got  []byte
}

func (r *rig) streamHandler(name string) client.StreamHandler {
	return func(_ time.Time, m client.Incoming, size int64) client.Stream {
		r.printf("stream %s: %s of %d bytes, payload %q", name, m.Topic, size, m.Payload)
		if name == "skip" {
			return nil
		}
		return &stream{r: r, name: name}
	}
}

func (s *stream) Piece(_ time.Time, p []byte) {
	s.got = append(s.got, p...)
	if _, ok := s.r.c.Next(); ok {
		s.r.t.Error("an event within a handler")
	}
}

func (s *stream) End(_ time.Time, err error) {
	s.r.printf("stream %s: %q, error %v", s.name, s.got, err)
	if s.r.inside != "" {
		s.r.command(s.r.inside)
	}
}

// TestSubscribeProperties sends User Properties and identifiers of the
// application, each time anew, and only filters with the same ones together.
func TestSubscribeProperties(t *testing.T) {
	scenario(t, `
	config {"NoIdentifiers":true}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	subscribewith 0 a=1,b=2 one a b
	subscribewith 0 a=1,b=2 two c
	subscribewith 9 - three d
	subscribe four e
	subscribe five f
	subscribewith 9 - six g
	| error mqtt: Subscribe: not possible in this state: another subscription has the Subscription Identifier
	subscribewith 268435456 - six g
	| error mqtt: Subscribe: SUBSCRIBE: protocol error: Properties.SubscriptionIdentifier: the value is out of range
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 UserProperties.a=1 UserProperties.b=2 Filters[0].Filter=a Filters[1].Filter=b
	| > SUBSCRIBE PacketID=2 UserProperties.a=1 UserProperties.b=2 Filters[0].Filter=c
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=9 Filters[0].Filter=d
	| > SUBSCRIBE PacketID=4 Filters[0].Filter=e Filters[1].Filter=f
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=4 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=a reason=0x00
	| Subscribed filter=b reason=0x00
	| Subscribed filter=c reason=0x00
	| Subscribed filter=d reason=0x00
	| Subscribed filter=e reason=0x00
	| Subscribed filter=f reason=0x00
	send 9 d:0:x
	| < PUBLISH Topic=d SubscriptionIdentifiers=9 Payload="1 bytes" "x" id=9
	| handler three: d "x"
	unsubscribewith x=y a b
	| > UNSUBSCRIBE PacketID=5 UserProperties.x=y Filters=a Filters=b
	| < UNSUBACK PacketID=5 ReasonCodes="0x00 Success, 0x00 Success"
	| Unsubscribed filter=a reason=0x00
	| Unsubscribed filter=b reason=0x00
	unsubscribe d
	| > UNSUBSCRIBE PacketID=6 Filters=d
	| < UNSUBACK PacketID=6 ReasonCodes="0x00 Success"
	| Unsubscribed filter=d reason=0x00
	subscribewith 9 - six g
	| > SUBSCRIBE PacketID=7 SubscriptionIdentifier=9 Filters[0].Filter=g
	| < SUBACK PacketID=7 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=g reason=0x00
	# The session is lost: the same again.
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| SessionLost lost=0 queued=0
	| > SUBSCRIBE PacketID=8 UserProperties.a=1 UserProperties.b=2 Filters[0].Filter=c
	| > SUBSCRIBE PacketID=9 Filters[0].Filter=e Filters[1].Filter=f
	| > SUBSCRIBE PacketID=10 SubscriptionIdentifier=9 Filters[0].Filter=g
	| < SUBACK PacketID=8 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=9 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=10 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=c restored=true reason=0x00
	| Subscribed filter=e restored=true reason=0x00
	| Subscribed filter=f restored=true reason=0x00
	| Subscribed filter=g restored=true reason=0x00
	`)
	// In v3.1.1 there are no properties.
	scenario(t, `
	v311
	client {"ClientID":"c"}
	subscribewith 0 a=1 one a
	| error mqtt: Subscribe: SUBSCRIBE: not part of this version: Properties.UserProperties: the field does not exist in this version
	unsubscribewith a=1 a
	| error mqtt: Unsubscribe: UNSUBSCRIBE: not part of this version: Properties.UserProperties: the field does not exist in this version
	set
	`)
}

// TestSubscribePropertiesSize: a packet is not larger than the server takes.
func TestSubscribePropertiesSize(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	connack {"Properties":{"MaximumPacketSize":40}}
	subscribewith 0 name=value h 1234567 2345678 3456789
	subscribewith 0 name=a-value-of-more-than-forty-bytes-altogether h x
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK MaximumPacketSize=40
	| Connected session=false packet=CONNACK MaximumPacketSize=40
	| Subscribed filter=x reason=0x95 error=mqtt: Subscribe: over a limit of the peer: packet is above the Maximum Packet Size of the server rule MQTT-3.2.2-15
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 UserProperties.name=value Filters[0].Filter=1234567
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=1 UserProperties.name=value Filters[0].Filter=2345678
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=1 UserProperties.name=value Filters[0].Filter=3456789
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| Subscribed filter=1234567 reason=0x00
	| Subscribed filter=2345678 reason=0x00
	| Subscribed filter=3456789 reason=0x00
	`)
}

// TestStreams hands payloads in pieces to handlers.
func TestStreams(t *testing.T) {
	scenario(t, `
	config {"Session":{"StreamAbove":10}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	stream one a/#:1
	stream skip a/skip:1
	subscribe whole a/whole:1
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a/# Filters[0].QoS=1
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=a/skip Filters[0].QoS=1
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=3 Filters[0].Filter=a/whole Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| < SUBACK PacketID=2 ReasonCodes="0x01 Granted QoS 1"
	| < SUBACK PacketID=3 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a/# reason=0x01
	| Subscribed filter=a/skip reason=0x01
	| Subscribed filter=a/whole reason=0x01
	send a/b:1:short
	| < PUBLISH QoS=1 Topic=a/b PacketID=1 Payload="5 bytes" "short"
	| handler one: a/b "short"
	| > PUBACK PacketID=1
	send a/b:1:longer-than-ten-bytes
	| < PUBLISH QoS=1 Topic=a/b PacketID=2 Payload="21 bytes" "longer-than-ten-bytes"
	| stream one: a/b of 21 bytes, payload ""
	| stream one: "longer-than-ten-bytes", error <nil>
	| > PUBACK PacketID=2
	send a/b:0:also-longer-than-ten
	| < PUBLISH Topic=a/b Payload="20 bytes" "also-longer-than-ten"
	| stream one: a/b of 20 bytes, payload ""
	| stream one: "also-longer-than-ten", error <nil>
	send a/skip:0:skipped-by-one-of-two
	| < PUBLISH Topic=a/skip Payload="21 bytes" "skipped-by-one-of-two"
	| stream one: a/skip of 21 bytes, payload ""
	| stream skip: a/skip of 21 bytes, payload ""
	| stream one: "skipped-by-one-of-two", error <nil>
	send a/whole:0:the-other-takes-no-pieces
	| < PUBLISH Topic=a/whole Payload="25 bytes" "the-other-takes-no-pieces"
	| stream one: a/whole of 25 bytes, payload ""
	| MessageBegin size=25 publish=PUBLISH Topic=a/whole Payload="0 bytes"
	| stream one: "the-other-takes-no-pieces", error <nil>
	| MessageEnd
	inside publish z:0:from-within
	send a/b:1:longer-than-ten-bytes
	| < PUBLISH QoS=1 Topic=a/b PacketID=3 Payload="21 bytes" "longer-than-ten-bytes"
	| stream one: a/b of 21 bytes, payload ""
	| stream one: "longer-than-ten-bytes", error <nil>
	| token 4
	| > PUBLISH Topic=z Payload="11 bytes" "from-within"
	| > PUBACK PacketID=3
	| Published token=4
	send other:1:nobody-takes-that-one
	| < PUBLISH QoS=1 Topic=other PacketID=4 Payload="21 bytes" "nobody-takes-that-one"
	| MessageBegin id=4 size=21 publish=PUBLISH QoS=1 Topic=other PacketID=4 Payload="0 bytes"
	| MessageEnd id=4
	| > PUBACK PacketID=4
	# The connection ends within a payload.
	half a/b:1:longer-than-ten-bytes
	| stream one: a/b of 21 bytes, payload ""
	inside
	again
	| stream one: "longer-than-ten-byte", error connection ended within the payload
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	send a/b:1:another-of-more-than-ten
	| < PUBLISH QoS=1 Topic=a/b PacketID=5 Payload="24 bytes" "another-of-more-than-ten"
	| stream one: a/b of 24 bytes, payload ""
	| stream one: "another-of-more-than-ten", error <nil>
	| > PUBACK PacketID=5
	stats
	| {Attempts:2 Connections:2 Handled:8 Unhandled:2 Orphaned:0 Responses:0 Failed:0 Late:0 Stray:0}
	`)
}
