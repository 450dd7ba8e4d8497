package client_test

import "testing"

// TestRestart goes on with the state of an earlier process, whose messages have
// their outcomes here.
func TestRestart(t *testing.T) {
	// [MQTT-4.4.0-1] v5
	scenario(t, `
	config {"Orphans":1}
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
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	publish a:0:two
	| token 2
	publish a:1:three
	| token 3
	restart
	publish a:0:four
	| token 4
	publish a:1:five
	| token 5
	mute off
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > PUBLISH Dup=true QoS=1 Topic=a PacketID=1 Payload="3 bytes" "one"
	| > PUBLISH Topic=a Payload="3 bytes" "two"
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="5 bytes" "three"
	| > PUBLISH Topic=a Payload="4 bytes" "four"
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="4 bytes" "five"
	| Published token=4
	| < PUBACK PacketID=1
	| < PUBACK PacketID=2
	| < PUBACK PacketID=3
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Published token=3 id=2 packet=PUBACK PacketID=2
	| Published token=5 id=3 packet=PUBACK PacketID=3
	`)
	scenario(t, `
	config {"Orphans":1}
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
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	publish a:0:two
	| token 2
	publish a:1:three
	| token 3
	restart
	publish a:0:four
	| token 4
	publish a:1:five
	| token 5
	mute off
	forget
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Orphaned token=1 publish=PUBLISH QoS=1 Topic=a Payload="3 bytes"
	| SessionLost lost=1 queued=5
	| > PUBLISH Topic=a Payload="3 bytes" "two"
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="5 bytes" "three"
	| > PUBLISH QoS=1 Topic=a PacketID=3 Payload="3 bytes" "one"
	| > PUBLISH Topic=a Payload="4 bytes" "four"
	| > PUBLISH QoS=1 Topic=a PacketID=4 Payload="4 bytes" "five"
	| Published token=4
	| < PUBACK PacketID=2
	| < PUBACK PacketID=3
	| < PUBACK PacketID=4
	| Published token=3 id=2 packet=PUBACK PacketID=2
	| Published token=1 id=3 packet=PUBACK PacketID=3
	| Published token=5 id=4 packet=PUBACK PacketID=4
	`)
}

// TestRestartGivenUp: what was erased has had its outcome, and is not published
// again, also after a restart. Its identifier is not free until the server has let
// it go, or has lost the session.
func TestRestartGivenUp(t *testing.T) {
	for _, end := range []string{`
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > PUBREL PacketID=1
	| > PUBLISH QoS=2 Topic=a PacketID=2 Payload="3 bytes" "two"
	| < PUBCOMP PacketID=1
	| < PUBREC PacketID=2
	| > PUBREL PacketID=2
	| < PUBCOMP PacketID=2
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	`, `
	forget
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| SessionLost lost=1 queued=1
	| > PUBLISH QoS=2 Topic=a PacketID=2 Payload="3 bytes" "two"
	| < PUBREC PacketID=2
	| > PUBREL PacketID=2
	| < PUBCOMP PacketID=2
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	`} {
		scenario(t, `
	config {"Orphans":1}
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
	erase 1
	| Dropped token=1 id=1 publish=PUBLISH QoS=2 Topic=a Payload="3 bytes" error=message was erased
	cut
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	restart
	mute off
	publish a:2:two
	| token 2
	`+end)
	}
}
