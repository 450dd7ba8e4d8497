package client_test

import "testing"

// TestHandlers finds handlers by Subscription Identifier.
func TestHandlers(t *testing.T) {
	// [MQTT-4.5.0-2] v5
	scenario(t, `
	client {"ClientID":"c"}
	subscribe a a/#:1 b
	subscribe b a/+:1
	subscribe - a/b/c:1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a/# Filters[0].QoS=1 Filters[1].Filter=b
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=a/+ Filters[0].QoS=1
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=3 Filters[0].Filter=a/b/c Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1, 0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x01 Granted QoS 1"
	| < SUBACK PacketID=3 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a/# reason=0x01
	| Subscribed filter=b reason=0x00
	| Subscribed filter=a/+ reason=0x01
	| Subscribed filter=a/b/c reason=0x01
	# One copy for both, and one for each.
	send 1,2 a/b:1:both
	| < PUBLISH QoS=1 Topic=a/b PacketID=1 SubscriptionIdentifiers=1 SubscriptionIdentifiers=2 Payload="4 bytes" "both" id=1 id=2
	| handler a: a/b "both"
	| handler b: a/b "both"
	| > PUBACK PacketID=1
	send 2 a/b:1:second
	| < PUBLISH QoS=1 Topic=a/b PacketID=2 SubscriptionIdentifiers=2 Payload="6 bytes" "second" id=2
	| handler b: a/b "second"
	| > PUBACK PacketID=2
	send 1 a/b:1:first
	| < PUBLISH QoS=1 Topic=a/b PacketID=3 SubscriptionIdentifiers=1 Payload="5 bytes" "first" id=1
	| handler a: a/b "first"
	| > PUBACK PacketID=3
	send 1,1 a/b:1:same twice
	| < PUBLISH QoS=1 Topic=a/b PacketID=4 SubscriptionIdentifiers=1 SubscriptionIdentifiers=1 Payload="10 bytes" "same twice" id=1 id=1
	| handler a: a/b "same twice"
	| > PUBACK PacketID=4
	# The last filter has no handler.
	send 1,3 a/b/c:2:one handled
	| < PUBLISH QoS=2 Topic=a/b/c PacketID=5 SubscriptionIdentifiers=1 SubscriptionIdentifiers=3 Payload="11 bytes" "one handled" id=1 id=3
	| handler a: a/b/c "one handled"
	| Message id=5 publish=PUBLISH QoS=2 Topic=a/b/c PacketID=5 SubscriptionIdentifiers=1 SubscriptionIdentifiers=3 Payload="11 bytes" "one handled"
	| > PUBREC PacketID=5
	| < PUBREL PacketID=5
	| > PUBCOMP PacketID=5
	send 3 a/b/c:0:none handled
	| < PUBLISH Topic=a/b/c SubscriptionIdentifiers=3 Payload="12 bytes" "none handled" id=3
	| Message publish=PUBLISH Topic=a/b/c SubscriptionIdentifiers=3 Payload="12 bytes" "none handled"
	# Identifiers of an earlier process, or of filters that have changed hands.
	send 9 b:0:unknown
	| < PUBLISH Topic=b SubscriptionIdentifiers=9 Payload="7 bytes" "unknown" id=9
	| handler a: b "unknown"
	send 2 b:0:wrong
	| < PUBLISH Topic=b SubscriptionIdentifiers=2 Payload="5 bytes" "wrong" id=2
	| handler a: b "wrong"
	# No identifier: the topic decides.
	send {"Topic":"a/b","Payload":"topic"}
	| < PUBLISH Topic=a/b Payload="5 bytes" "topic"
	| handler a: a/b "topic"
	| handler b: a/b "topic"
	send {"Topic":"nobody"}
	| < PUBLISH Topic=nobody Payload="0 bytes" ""
	| Message publish=PUBLISH Topic=nobody Payload="0 bytes" ""
	send {"Topic":"a"}
	| < PUBLISH Topic=a Payload="0 bytes" ""
	| handler a: a ""
	unsubscribe a/#
	| > UNSUBSCRIBE PacketID=4 Filters=a/#
	| < UNSUBACK PacketID=4 ReasonCodes="0x00 Success"
	| Unsubscribed filter=a/# reason=0x00
	send 1,2 a/b:1:left
	| < PUBLISH QoS=1 Topic=a/b PacketID=6 SubscriptionIdentifiers=1 SubscriptionIdentifiers=2 Payload="4 bytes" "left" id=1 id=2
	| handler b: a/b "left"
	| > PUBACK PacketID=6
	stats
	| {Attempts:1 Connections:1 Handled:10 Unhandled:3 Orphaned:0 Responses:0 Failed:0 Late:0 Stray:0}
	`)
}

// TestHandlersByTopic finds handlers by topic where there are no identifiers.
func TestHandlersByTopic(t *testing.T) {
	// [MQTT-4.5.0-2] v311
	scenario(t, `
	v311
	client {"ClientID":"c"}
	subscribe all #
	subscribe plus +/b a/+/c
	subscribe sys $SYS/#
	subscribe shared $share/g/s/#
	subscribe end /
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=# Filters[1].Filter=+/b Filters[2].Filter=a/+/c Filters[3].Filter=$SYS/# Filters[4].Filter=$share/g/s/# Filters[5].Filter=/
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=# reason=0x00
	| Subscribed filter=+/b reason=0x00
	| Subscribed filter=a/+/c reason=0x00
	| Subscribed filter=$SYS/# reason=0x00
	| Subscribed filter=$share/g/s/# reason=0x00
	| Subscribed filter=/ reason=0x00
	send a/b:1:x
	| < PUBLISH QoS=1 Topic=a/b PacketID=1 Payload="1 bytes" "x"
	| handler all: a/b "x"
	| handler plus: a/b "x"
	| > PUBACK PacketID=1
	send a/b/c:2:x
	| < PUBLISH QoS=2 Topic=a/b/c PacketID=2 Payload="1 bytes" "x"
	| handler all: a/b/c "x"
	| handler plus: a/b/c "x"
	| > PUBREC PacketID=2
	| < PUBREL PacketID=2
	| > PUBCOMP PacketID=2
	send $SYS/x:0:x
	| < PUBLISH Topic=$SYS/x Payload="1 bytes" "x"
	| handler sys: $SYS/x "x"
	send $SYS:0:x
	| < PUBLISH Topic=$SYS Payload="1 bytes" "x"
	| handler sys: $SYS "x"
	send s:0:x
	| < PUBLISH Topic=s Payload="1 bytes" "x"
	| handler all: s "x"
	| handler shared: s "x"
	send /:0:x
	| < PUBLISH Topic=/ Payload="1 bytes" "x"
	| handler all: / "x"
	| handler end: / "x"
	send //:0:x
	| < PUBLISH Topic=// Payload="1 bytes" "x"
	| handler all: // "x"
	unsubscribe # +/b
	| > UNSUBSCRIBE PacketID=2 Filters=# Filters=+/b
	| < UNSUBACK PacketID=2
	| Unsubscribed filter=# reason=0x00
	| Unsubscribed filter=+/b reason=0x00
	send a/b:1:x
	| < PUBLISH QoS=1 Topic=a/b PacketID=3 Payload="1 bytes" "x"
	| Message id=3 publish=PUBLISH QoS=1 Topic=a/b PacketID=3 Payload="1 bytes" "x"
	| > PUBACK PacketID=3
	send a/b/c:2:x
	| < PUBLISH QoS=2 Topic=a/b/c PacketID=4 Payload="1 bytes" "x"
	| handler plus: a/b/c "x"
	| > PUBREC PacketID=4
	| < PUBREL PacketID=4
	| > PUBCOMP PacketID=4
	send a//c:2:x
	| < PUBLISH QoS=2 Topic=a//c PacketID=5 Payload="1 bytes" "x"
	| handler plus: a//c "x"
	| > PUBREC PacketID=5
	| < PUBREL PacketID=5
	| > PUBCOMP PacketID=5
	`)
	scenario(t, `
	config {"NoIdentifiers":true}
	client {"ClientID":"c"}
	subscribe many 1 2 3 4 5 6 7 8 9 x/+
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=1 Filters[1].Filter=2 Filters[2].Filter=3 Filters[3].Filter=4 Filters[4].Filter=5 Filters[5].Filter=6 Filters[6].Filter=7 Filters[7].Filter=8
	| > SUBSCRIBE PacketID=2 Filters[0].Filter=9 Filters[1].Filter=x/+
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=1 reason=0x00
	| Subscribed filter=2 reason=0x00
	| Subscribed filter=3 reason=0x00
	| Subscribed filter=4 reason=0x00
	| Subscribed filter=5 reason=0x00
	| Subscribed filter=6 reason=0x00
	| Subscribed filter=7 reason=0x00
	| Subscribed filter=8 reason=0x00
	| Subscribed filter=9 reason=0x00
	| Subscribed filter=x/+ reason=0x00
	send x/y:0:x
	| < PUBLISH Topic=x/y Payload="1 bytes" "x"
	| handler many: x/y "x"
	`)
}

// TestOverlapWithin calls a handler once, however many of its filters match.
func TestOverlapWithin(t *testing.T) {
	scenario(t, `
	v311
	client {"ClientID":"c"}
	subscribe a a/+ a/b a/# +/b
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 Filters[0].Filter=a/+ Filters[1].Filter=a/b Filters[2].Filter=a/# Filters[3].Filter=+/b
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=a/+ reason=0x00
	| Subscribed filter=a/b reason=0x00
	| Subscribed filter=a/# reason=0x00
	| Subscribed filter=+/b reason=0x00
	send a/b:0:x
	| < PUBLISH Topic=a/b Payload="1 bytes" "x"
	| handler a: a/b "x"
	`)
}

// TestLargeGroup has more filters with one handler than are looked at one by
// one.
func TestLargeGroup(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	config {"FiltersPerPacket":100}
	client {"ClientID":"c"}
	subscribe few x/y
	subscribe many 1 2 3 4 5 6 7 8 9 x/+
	subscribe more 1/2 2 3/4 4/5 5/6 6/7 7 8/9 9 x/# 10
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=x/y
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=1
	| > SUBSCRIBE PacketID=3 SubscriptionIdentifier=3 Filters[0].Filter=2
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=2 Filters[0].Filter=3 Filters[1].Filter=4 Filters[2].Filter=5 Filters[3].Filter=6
	| > SUBSCRIBE PacketID=5 SubscriptionIdentifier=3 Filters[0].Filter=7
	| > SUBSCRIBE PacketID=6 SubscriptionIdentifier=2 Filters[0].Filter=8
	| > SUBSCRIBE PacketID=7 SubscriptionIdentifier=3 Filters[0].Filter=9
	| > SUBSCRIBE PacketID=8 SubscriptionIdentifier=2 Filters[0].Filter=x/+
	| > SUBSCRIBE PacketID=9 SubscriptionIdentifier=3 Filters[0].Filter=1/2 Filters[1].Filter=3/4 Filters[2].Filter=4/5 Filters[3].Filter=5/6 Filters[4].Filter=6/7 Filters[5].Filter=8/9 Filters[6].Filter=x/# Filters[7].Filter=10
	| < SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=2 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=3 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=4 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| < SUBACK PacketID=5 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=6 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=7 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=8 ReasonCodes="0x00 Granted QoS 0"
	| < SUBACK PacketID=9 ReasonCodes="0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0, 0x00 Granted QoS 0"
	| Subscribed filter=x/y reason=0x00
	| Subscribed filter=1 reason=0x00
	| Subscribed filter=2 reason=0x00
	| Subscribed filter=3 reason=0x00
	| Subscribed filter=4 reason=0x00
	| Subscribed filter=5 reason=0x00
	| Subscribed filter=6 reason=0x00
	| Subscribed filter=7 reason=0x00
	| Subscribed filter=8 reason=0x00
	| Subscribed filter=9 reason=0x00
	| Subscribed filter=x/+ reason=0x00
	| Subscribed filter=1/2 reason=0x00
	| Subscribed filter=3/4 reason=0x00
	| Subscribed filter=4/5 reason=0x00
	| Subscribed filter=5/6 reason=0x00
	| Subscribed filter=6/7 reason=0x00
	| Subscribed filter=8/9 reason=0x00
	| Subscribed filter=x/# reason=0x00
	| Subscribed filter=10 reason=0x00
	send 1,2,3 x/y:0:x
	| < PUBLISH Topic=x/y SubscriptionIdentifiers=1 SubscriptionIdentifiers=2 SubscriptionIdentifiers=3 Payload="1 bytes" "x" id=1 id=2 id=3
	| handler few: x/y "x"
	| handler many: x/y "x"
	| handler more: x/y "x"
	send 2,1,3 1:0:x
	| < PUBLISH Topic=1 SubscriptionIdentifiers=2 SubscriptionIdentifiers=1 SubscriptionIdentifiers=3 Payload="1 bytes" "x" id=2 id=1 id=3
	| handler many: 1 "x"
	send 3,2,1 10:0:x
	| < PUBLISH Topic=10 SubscriptionIdentifiers=3 SubscriptionIdentifiers=2 SubscriptionIdentifiers=1 Payload="1 bytes" "x" id=3 id=2 id=1
	| handler more: 10 "x"
	send 2 y:0:x
	| < PUBLISH Topic=y SubscriptionIdentifiers=2 Payload="1 bytes" "x" id=2
	| Message publish=PUBLISH Topic=y SubscriptionIdentifiers=2 Payload="1 bytes" "x"
	`)
}

// TestInside calls everything from within a handler.
func TestInside(t *testing.T) {
	scenario(t, `
	client {"ClientID":"c"}
	subscribe a a/#:1
	subscribe b a/+:1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a/# Filters[0].QoS=1
	| > SUBSCRIBE PacketID=2 SubscriptionIdentifier=2 Filters[0].Filter=a/+ Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| < SUBACK PacketID=2 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a/# reason=0x01
	| Subscribed filter=a/+ reason=0x01
	inside publish out:1:$topic; subscribe c c:1; unsubscribe a/#; next; status
	send 1,2 a/b:1:x
	| < PUBLISH QoS=1 Topic=a/b PacketID=1 SubscriptionIdentifiers=1 SubscriptionIdentifiers=2 Payload="1 bytes" "x" id=1 id=2
	| handler a: a/b "x"
	| token 3
	| next None false
	| connected inflight=1 queued=0
	| handler b: a/b "x"
	| token 6
	| next None false
	| connected inflight=2 queued=0
	| > PUBLISH QoS=1 Topic=out PacketID=3 Payload="3 bytes" "a/b"
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=3 Filters[0].Filter=c Filters[0].QoS=1
	| > UNSUBSCRIBE PacketID=5 Filters=a/#
	| > PUBLISH QoS=1 Topic=out PacketID=6 Payload="3 bytes" "a/b"
	| > PUBACK PacketID=1
	| < PUBACK PacketID=3
	| < SUBACK PacketID=4 ReasonCodes="0x01 Granted QoS 1"
	| < UNSUBACK PacketID=5 ReasonCodes="0x00 Success"
	| < PUBACK PacketID=6
	| Published token=3 id=3 packet=PUBACK PacketID=3
	| Subscribed filter=c reason=0x01
	| Unsubscribed filter=a/# reason=0x00
	| Published token=6 id=6 packet=PUBACK PacketID=6
	| > SUBSCRIBE PacketID=7 SubscriptionIdentifier=4 Filters[0].Filter=c Filters[0].QoS=1
	| < SUBACK PacketID=7 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=c reason=0x01
	inside publish out:2:$topic; reply 0x83; request 1s - {"Topic":"q","Properties":{"ResponseTopic":"r"}}
	send 2 a/c:1:y
	| < PUBLISH QoS=1 Topic=a/c PacketID=2 SubscriptionIdentifiers=2 Payload="1 bytes" "y" id=2
	| handler b: a/c "y"
	| token 8
	| token 10
	| > PUBLISH QoS=2 Topic=out PacketID=8 Payload="3 bytes" "a/c"
	| > SUBSCRIBE PacketID=9 SubscriptionIdentifier=5 Filters[0].Filter=r Filters[0].QoS=2
	| > PUBLISH Topic=q MessageExpiryInterval=1 ResponseTopic=r CorrelationData="\x1aG@\xd3dq2\x00\x00\x00\x00\x00\x00\x00\x00\x01" Payload="0 bytes" ""
	| > PUBACK PacketID=2 ReasonCode="0x83 Implementation specific error"
	| Published token=10
	| < PUBREC PacketID=8
	| < SUBACK PacketID=9 ReasonCodes="0x02 Granted QoS 2"
	| Subscribed filter=r reason=0x02
	| > PUBREL PacketID=8
	| < PUBCOMP PacketID=8
	| Published token=8 id=8 packet=PUBCOMP PacketID=8
	inside unsubscribe a/+; stop; publish late:1
	send 2 a/d:1:z
	| < PUBLISH QoS=1 Topic=a/d PacketID=3 SubscriptionIdentifiers=2 Payload="1 bytes" "z" id=2
	| handler b: a/d "z"
	| token 13
	| > UNSUBSCRIBE PacketID=10 Filters=a/+
	| > PUBACK PacketID=3
	| > DISCONNECT
	| Close
	| Response token=10 error=client stopped
	| Stopped
	`)
	scenario(t, `
	config {"Session":{"ManualAck":true}}
	client {"ClientID":"c"}
	subscribe a a:1
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=a Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=a reason=0x01
	inside stop
	send 1 a:1:x
	| < PUBLISH QoS=1 Topic=a PacketID=1 SubscriptionIdentifiers=1 Payload="1 bytes" "x" id=1
	| handler a: a "x"
	| > DISCONNECT
	| Close
	| Stopped
	`)
}

// TestReceiveInside must not destroy the message under its handler.
func TestReceiveInside(t *testing.T) {
	r := newRig(t)
	for _, line := range []string{`client {"ClientID":"c"}`, "subscribe a a", "up"} {
		r.command(line)
		r.drain()
	}
	commands["receive"] = func(r *rig, _ string) error { r.c.Receive(r.now, []byte{0xD0, 0}); return nil }
	r.command("inside receive")
	r.command("send a:0:x")
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
		// The client is in order afterwards.
		r.inside = ""
		r.out.Reset()
		r.command("send a:0:y")
		r.drain()
		if got, want := r.out.String(), "< PUBLISH Topic=a Payload=\"1 bytes\" \"y\"\nhandler a: a \"y\"\n"; got != want {
			t.Errorf("got %s", got)
		}
	}()
	r.drain()
}
