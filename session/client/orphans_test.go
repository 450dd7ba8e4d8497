package client_test

import "testing"

// TestOrphansFail drops what was under way.
func TestOrphansFail(t *testing.T) {
	// [MQTT-3.2.2-5] v5
	scenario(t, `
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	subscribe h s:1
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=s reason=0x01
	mute
	publish a:1:one
	| token 2
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="3 bytes" "one"
	publish a:2:two
	| token 3
	| > PUBLISH QoS=2 Topic=a PacketID=3 Payload="3 bytes" "two"
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	publish a:1:three
	| token 4
	forget
	mute off
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=2 id=2 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes" error=session state was lost
	| Dropped token=3 id=3 publish=PUBLISH QoS=2 Topic=a Payload="3 bytes" error=session state was lost
	| SessionLost lost=2 queued=1
	| > SUBSCRIBE PacketID=4 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| > PUBLISH QoS=1 Topic=a PacketID=5 Payload="5 bytes" "three"
	| < SUBACK PacketID=4 ReasonCodes="0x01 Granted QoS 1"
	| < PUBACK PacketID=5
	| Subscribed filter=s restored=true reason=0x01
	| Published token=4 id=5 packet=PUBACK PacketID=5
	`)
}

// TestOrphansRepublish publishes what was under way again, in its old place.
func TestOrphansRepublish(t *testing.T) {
	scenario(t, `
	config {"Orphans":1,"Session":{"Persist":true}}
	connack {"Properties":{"ReceiveMaximum":3}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	subscribe h s:1
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=3
	| Connected session=false packet=CONNACK ReceiveMaximum=3
	| Store record=session size=100
	| > SUBSCRIBE PacketID=1 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| < SUBACK PacketID=1 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=s reason=0x01
	publish a:2:zero
	| token 2
	| Store record=message token=2 id=2 publish=PUBLISH QoS=2 Topic=a PacketID=2 Payload="4 bytes"
	| > PUBLISH QoS=2 Topic=a PacketID=2 Payload="4 bytes" "zero"
	| < PUBREC PacketID=2
	| Store record=release token=2 id=2
	| > PUBREL PacketID=2
	| < PUBCOMP PacketID=2
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	| Discard record=message token=2 id=2
	mute
	publish a:1:one
	| token 4
	| Store record=message token=4 id=3 publish=PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes"
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes" "one"
	publish {"Topic":"a","Payload":"two","QoS":2,"Retain":true,"Properties":{"MessageExpiryInterval":60}}
	| token 5
	| Store record=message token=5 id=4 deadline=2030-01-02 03:05:05 +0000 UTC publish=PUBLISH QoS=2 Retain=true Topic=a PacketID=4 MessageExpiryInterval=60 Payload="3 bytes"
	| > PUBLISH QoS=2 Retain=true Topic=a PacketID=4 MessageExpiryInterval=60 Payload="3 bytes" "two"
	publish {"Topic":"a","Payload":"short","QoS":1,"Properties":{"MessageExpiryInterval":10}}
	| token 6
	| Store record=message token=6 id=5 deadline=2030-01-02 03:04:15 +0000 UTC publish=PUBLISH QoS=1 Topic=a PacketID=5 MessageExpiryInterval=10 Payload="5 bytes"
	| > PUBLISH QoS=1 Topic=a PacketID=5 MessageExpiryInterval=10 Payload="5 bytes" "short"
	publish a:0:three
	| token 7
	| > PUBLISH Topic=a Payload="5 bytes" "three"
	| Published token=7
	publish a:1:four
	| token 8
	| Store record=message token=8 publish=PUBLISH QoS=1 Topic=a Payload="4 bytes"
	cut
	| Store record=session id=6 size=100 deadline=2030-01-02 03:04:05 +0000 UTC
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	publish a:1:five
	| token 9
	| Store record=message token=9 publish=PUBLISH QoS=1 Topic=a Payload="4 bytes"
	forget
	mute off
	after 20s
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=3
	| Connected session=false packet=CONNACK ReceiveMaximum=3
	| Discard record=session
	| Store record=session id=6 size=100
	| Orphaned token=4 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Orphaned token=5 publish=PUBLISH QoS=2 Retain=true Topic=a MessageExpiryInterval=60 Payload="3 bytes"
	| Orphaned token=6 publish=PUBLISH QoS=1 Topic=a MessageExpiryInterval=10 Payload="5 bytes"
	| Dropped token=6 publish=PUBLISH QoS=1 Topic=a MessageExpiryInterval=10 Payload="5 bytes" error=message expired
	| SessionLost lost=3 queued=1
	| Store record=message token=11 id=7 publish=PUBLISH QoS=1 Topic=a PacketID=7 Payload="3 bytes"
	| Store record=message token=12 id=8 deadline=2030-01-02 03:05:05 +0000 UTC publish=PUBLISH QoS=2 Retain=true Topic=a PacketID=8 MessageExpiryInterval=60 Payload="3 bytes"
	| Store record=message token=13 id=9 publish=PUBLISH QoS=1 Topic=a PacketID=9 Payload="4 bytes"
	| Store record=message token=14 publish=PUBLISH QoS=1 Topic=a Payload="4 bytes"
	| > SUBSCRIBE PacketID=6 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| > PUBLISH QoS=1 Topic=a PacketID=7 Payload="3 bytes" "one"
	| > PUBLISH QoS=2 Retain=true Topic=a PacketID=8 MessageExpiryInterval=40 Payload="3 bytes" "two"
	| > PUBLISH QoS=1 Topic=a PacketID=9 Payload="4 bytes" "four"
	| Discard record=message token=4 id=3
	| Discard record=message token=5 id=4
	| Discard record=message token=6 id=5
	| Discard record=message token=8
	| Discard record=message token=9
	| < SUBACK PacketID=6 ReasonCodes="0x01 Granted QoS 1"
	| < PUBACK PacketID=7
	| < PUBREC PacketID=8
	| < PUBACK PacketID=9
	| Subscribed filter=s restored=true reason=0x01
	| Published token=4 id=7 packet=PUBACK PacketID=7
	| Store record=release token=12 id=8
	| Published token=8 id=9 packet=PUBACK PacketID=9
	| Store record=message token=14 id=10 publish=PUBLISH QoS=1 Topic=a PacketID=10 Payload="4 bytes"
	| > PUBREL PacketID=8
	| > PUBLISH QoS=1 Topic=a PacketID=10 Payload="4 bytes" "five"
	| Discard record=message token=11 id=7
	| Discard record=message token=13 id=9
	| < PUBCOMP PacketID=8
	| < PUBACK PacketID=10
	| Published token=5 id=8 packet=PUBCOMP PacketID=8
	| Published token=9 id=10 packet=PUBACK PacketID=10
	| Discard record=message token=12 id=8
	| Discard record=message token=14 id=10
	# Once more, with new names under the old tokens.
	publish a:1:six
	| token 16
	| Store record=message token=16 id=11 publish=PUBLISH QoS=1 Topic=a PacketID=11 Payload="3 bytes"
	| > PUBLISH QoS=1 Topic=a PacketID=11 Payload="3 bytes" "six"
	| < PUBACK PacketID=11
	| Published token=16 id=11 packet=PUBACK PacketID=11
	| Discard record=message token=16 id=11
	mute
	publish a:1:seven
	| token 17
	| Store record=message token=17 id=12 publish=PUBLISH QoS=1 Topic=a PacketID=12 Payload="5 bytes"
	| > PUBLISH QoS=1 Topic=a PacketID=12 Payload="5 bytes" "seven"
	mute off
	connack {"Properties":{"ReceiveMaximum":1}}
	forget
	mute off
	again
	| Store record=session id=13 size=100 deadline=2030-01-02 03:04:25 +0000 UTC
	| Close reason=0x80 error=transport closed
	| Waiting attempt=3 reason=0x80 error=transport closed wait=2s
	| Open attempt=3 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=1
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	| Discard record=session
	| Orphaned token=17 publish=PUBLISH QoS=1 Topic=a Payload="5 bytes"
	| SessionLost lost=1 queued=0
	| Store record=session id=13 size=100
	| Store record=message token=19 id=14 publish=PUBLISH QoS=1 Topic=a PacketID=14 Payload="5 bytes"
	| > SUBSCRIBE PacketID=13 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| > PUBLISH QoS=1 Topic=a PacketID=14 Payload="5 bytes" "seven"
	| Discard record=message token=17 id=12
	| < SUBACK PacketID=13 ReasonCodes="0x01 Granted QoS 1"
	| < PUBACK PacketID=14
	| Subscribed filter=s restored=true reason=0x01
	| Published token=17 id=14 packet=PUBACK PacketID=14
	| Discard record=message token=19 id=14
	mute
	erase 8
	| error mqtt: Erase: unknown token
	publish a:0:eight
	| token 20
	| > PUBLISH Topic=a Payload="5 bytes" "eight"
	| Published token=20
	mute off
	forget
	again
	| Store record=session id=15 size=100 deadline=2030-01-02 03:04:25 +0000 UTC
	| Close reason=0x80 error=transport closed
	| Waiting attempt=4 reason=0x80 error=transport closed wait=4s
	| Open attempt=4 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=1
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	| Discard record=session
	| SessionLost lost=0 queued=0
	| Store record=session id=15 size=100
	| > SUBSCRIBE PacketID=15 SubscriptionIdentifier=1 Filters[0].Filter=s Filters[0].QoS=1
	| < SUBACK PacketID=15 ReasonCodes="0x01 Granted QoS 1"
	| Subscribed filter=s restored=true reason=0x01
	stats
	| {Attempts:4 Connections:4 Handled:0 Unhandled:0 Orphaned:4 Responses:0 Failed:0 Late:0 Stray:0}
	`)
	scenario(t, `
	config {"Orphans":2}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	mute
	publish a:2:one
	| token 1
	| > PUBLISH QoS=2 Topic=a PacketID=1 Payload="3 bytes" "one"
	publish a:1:two
	| token 2
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="3 bytes" "two"
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	forget
	mute off
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 id=1 publish=PUBLISH QoS=2 Topic=a Payload="3 bytes" error=session state was lost
	| Orphaned token=2 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| SessionLost lost=2 queued=0
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes" "two"
	| < PUBACK PacketID=3
	| Published token=2 id=3 packet=PUBACK PacketID=3
	`)
}

// TestOrphansCleanSession loses the session with every connection.
func TestOrphansCleanSession(t *testing.T) {
	scenario(t, `
	v311
	config {"Orphans":1}
	client {"ClientID":"c","CleanStart":true}
	up
	| Open attempt=1
	| > CONNECT CleanStart=true ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	mute
	publish a:1:one
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	publish a:2:two
	| token 2
	| > PUBLISH QoS=2 Topic=a PacketID=2 Payload="3 bytes" "two"
	mute off
	again
	| Orphaned token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Orphaned token=2 publish=PUBLISH QoS=2 Topic=a Payload="3 bytes"
	| SessionLost lost=2 queued=2
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT CleanStart=true ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes" "one"
	| > PUBLISH QoS=2 Topic=a PacketID=4 Payload="3 bytes" "two"
	| < PUBACK PacketID=3
	| < PUBREC PacketID=4
	| Published token=1 id=3 packet=PUBACK PacketID=3
	| > PUBREL PacketID=4
	| < PUBCOMP PacketID=4
	| Published token=2 id=4 packet=PUBCOMP PacketID=4
	`)
	scenario(t, `
	v311
	config {"Orphans":1,"Session":{"Queue":{"RefuseOffline":true}}}
	client {"ClientID":"c","CleanStart":true}
	up
	| Open attempt=1
	| > CONNECT CleanStart=true ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	mute
	publish a:1:one
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	mute off
	again
	| Orphaned token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Dropped token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT CleanStart=true ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	publish a:1:two
	| token 2
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="3 bytes" "two"
	| < PUBACK PacketID=2
	| Published token=2 id=2 packet=PUBACK PacketID=2
	`)
}

// TestOrphansFull has no room in the queue for all of them.
func TestOrphansFull(t *testing.T) {
	scenario(t, `
	config {"Orphans":1,"Session":{"Queue":{"Messages":2}}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	mute
	publish a:1:one
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	publish a:1:two
	| token 2
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="3 bytes" "two"
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	publish a:1:three
	| token 3
	publish a:1:four
	| token 4
	forget
	mute off
	connack {"Properties":{"ReceiveMaximum":1}}
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=1
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	| Orphaned token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Orphaned token=2 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Dropped token=4 publish=PUBLISH QoS=1 Topic=a Payload="4 bytes" error=mqtt: Publish: queue is full
	| SessionLost lost=2 queued=2
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes" "one"
	| < PUBACK PacketID=3
	| Published token=1 id=3 packet=PUBACK PacketID=3
	| > PUBLISH QoS=1 Topic=a PacketID=4 Payload="3 bytes" "two"
	| < PUBACK PacketID=4
	| Published token=2 id=4 packet=PUBACK PacketID=4
	| > PUBLISH QoS=1 Topic=a PacketID=5 Payload="5 bytes" "three"
	| < PUBACK PacketID=5
	| Published token=3 id=5 packet=PUBACK PacketID=5
	`)
}

// TestOrphansErase erases messages that were published again, by the tokens
// that they were first given.
func TestOrphansErase(t *testing.T) {
	scenario(t, `
	config {"Orphans":1}
	server {"ManualAck":true}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	publish a:1:one
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	publish {"Topic":"a","Payload":"two","QoS":1,"Properties":{"MessageExpiryInterval":5}}
	| token 2
	| > PUBLISH QoS=1 Topic=a PacketID=2 MessageExpiryInterval=5 Payload="3 bytes" "two"
	publish a:2:three
	| token 3
	| > PUBLISH QoS=2 Topic=a PacketID=3 Payload="5 bytes" "three"
	connack {"Properties":{"ReceiveMaximum":1}}
	forget
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	| Open attempt=2 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK ReceiveMaximum=1
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	| Orphaned token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| Orphaned token=2 publish=PUBLISH QoS=1 Topic=a MessageExpiryInterval=5 Payload="3 bytes"
	| Orphaned token=3 publish=PUBLISH QoS=2 Topic=a Payload="5 bytes"
	| SessionLost lost=3 queued=2
	| > PUBLISH QoS=1 Topic=a PacketID=4 Payload="3 bytes" "one"
	erase 2
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=a MessageExpiryInterval=5 Payload="3 bytes" error=message was erased
	erase 1
	| Dropped token=1 id=4 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes" error=message was erased
	erase 1
	| error mqtt: Erase: unknown token
	server {"ManualAck":false}
	again
	| Close reason=0x80 error=transport closed
	| Waiting attempt=3 reason=0x80 error=transport closed wait=2s
	| Open attempt=3 reason=0x80 error=transport closed
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true ReceiveMaximum=1
	| Connected session=true packet=CONNACK SessionPresent=true ReceiveMaximum=1
	| > PUBLISH QoS=2 Topic=a PacketID=5 Payload="5 bytes" "three"
	| < PUBREC PacketID=5
	| > PUBREL PacketID=5
	| < PUBCOMP PacketID=5
	| Published token=3 id=5 packet=PUBCOMP PacketID=5
	`)
}
