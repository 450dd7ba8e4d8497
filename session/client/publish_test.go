package client_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/session/client"
)

// TestOutcomes sees one outcome for each message.
func TestOutcomes(t *testing.T) {
	scenario(t, `
	config {"Session":{"Queue":{"Messages":4,"Policy":1}}}
	client {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	# Offline. The queue takes four.
	publish a:0:1
	| token 1
	publish a:1:2
	| token 2
	publish a:0:3
	| token 3
	publish a:2:4
	| token 4
	publish a:0:5
	| token 5
	| Dropped token=1 publish=PUBLISH Topic=a Payload="1 bytes" error=queue is full
	publish a:0:6
	| token 6
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=queue is full
	publish {"Topic":"a/#"}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the name holds a wildcard rule MQTT-3.3.2-2
	erase 4
	| Dropped token=4 publish=PUBLISH QoS=2 Topic=a Payload="1 bytes" error=message was erased
	erase 99
	| error mqtt: Erase: unknown token
	up
	| Open attempt=1
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > PUBLISH Topic=a Payload="1 bytes" "3"
	| > PUBLISH Topic=a Payload="1 bytes" "5"
	| > PUBLISH Topic=a Payload="1 bytes" "6"
	| Published token=3
	| Published token=5
	| Published token=6
	publish a:0:7
	| token 7
	| > PUBLISH Topic=a Payload="1 bytes" "7"
	| Published token=7
	# Written, or lost before that.
	block
	publish a:0:8
	| token 8
	publish a:1:9
	| token 9
	block off
	| > PUBLISH Topic=a Payload="1 bytes" "8"
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "9"
	| Published token=8
	| < PUBACK PacketID=1
	| Published token=9 id=1 packet=PUBACK PacketID=1
	block
	publish a:0:10
	| token 10
	cut
	| Dropped token=10 error=transport closed
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	stop
	| > DISCONNECT
	| Close
	| Stopped
	publish a:0:11
	| token 11
	start
	| Open attempt=1
	open
	| > CONNECT SessionExpiryInterval=100 ClientID=c
	| < CONNACK SessionPresent=true
	| Connected session=true packet=CONNACK SessionPresent=true
	| > PUBLISH Topic=a Payload="2 bytes" "11"
	| Published token=11
	`)
	scenario(t, `
	v311
	connack
	client {"ClientID":"c","CleanStart":true}
	publish a:0:1
	| token 1
	publish a:1:2
	| token 2
	up
	| Open attempt=1
	| > CONNECT CleanStart=true ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > PUBLISH Topic=a Payload="1 bytes" "1"
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "2"
	| Published token=1
	| < PUBACK PacketID=1
	| Published token=2 id=1 packet=PUBACK PacketID=1
	publish a:2:3
	| token 3
	| > PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "3"
	| < PUBREC PacketID=2
	| > PUBREL PacketID=2
	| < PUBCOMP PacketID=2
	| Published token=3 id=2 packet=PUBCOMP PacketID=2
	`)
}

// TestExpiry drops what waits too long.
func TestExpiry(t *testing.T) {
	// Message Expiry Interval, v5.0 3.3.2.3.3
	scenario(t, `
	client {"ClientID":"c"}
	publish {"Topic":"a","Payload":"1","Properties":{"MessageExpiryInterval":5}}
	| token 1
	publish {"Topic":"a","Payload":"2","QoS":1,"Properties":{"MessageExpiryInterval":10}}
	| token 2
	publish {"Topic":"a","Payload":"3"}
	| token 3
	after 7s
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 publish=PUBLISH Topic=a MessageExpiryInterval=5 Payload="1 bytes" error=message expired
	| > PUBLISH QoS=1 Topic=a PacketID=1 MessageExpiryInterval=3 Payload="1 bytes" "2"
	| > PUBLISH Topic=a Payload="1 bytes" "3"
	| Published token=3
	| < PUBACK PacketID=1
	| Published token=2 id=1 packet=PUBACK PacketID=1
	`)
}

// TestReceiveMaximum waits in the queue for its turn, with an outcome for QoS 0
// messages that were queued behind others.
func TestReceiveMaximum(t *testing.T) {
	// [MQTT-3.3.4-7] v5
	scenario(t, `
	connack {"Properties":{"ReceiveMaximum":1}}
	client {"ClientID":"c"}
	up
	| Open attempt=1
	| > CONNECT ClientID=c
	| < CONNACK ReceiveMaximum=1
	| Connected session=false packet=CONNACK ReceiveMaximum=1
	mute
	publish a:1:1
	| token 1
	| > PUBLISH QoS=1 Topic=a PacketID=1 Payload="1 bytes" "1"
	publish a:1:2
	| token 2
	publish a:0:3
	| token 3
	publish a:0:4
	| token 4
	cut
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="1 bytes" error=session state was lost
	| SessionLost lost=1 queued=3
	| Close reason=0x80 error=transport closed
	| Waiting attempt=2 reason=0x80 error=transport closed wait=1s
	mute off
	retrynow
	| Open attempt=2 reason=0x80 error=transport closed
	connack
	open
	| > CONNECT ClientID=c
	| < CONNACK
	| Connected session=false packet=CONNACK
	| > PUBLISH QoS=1 Topic=a PacketID=2 Payload="1 bytes" "2"
	| > PUBLISH Topic=a Payload="1 bytes" "3"
	| > PUBLISH Topic=a Payload="1 bytes" "4"
	| Published token=3
	| Published token=4
	| < PUBACK PacketID=2
	| Published token=2 id=2 packet=PUBACK PacketID=2
	`)
}

// TestLongQueue sends a queue bit by bit, with an outcome for each message.
func TestLongQueue(t *testing.T) {
	r := newRig(t)
	r.config.Session.Queue.Messages = -1
	r.connack.Properties.ReceiveMaximum.Set, r.connack.Properties.ReceiveMaximum.Value = true, 3
	r.command(`client {"ClientID":"c"}`)
	outcomes := map[uint64]int{}
	r.onClientEvent = func(ev client.Event) {
		if ev.Kind == client.Published {
			outcomes[ev.Token]++
		}
	}
	for range 300 {
		r.command("publish a:0:x")
		r.command("publish a:1:x")
	}
	r.command("up")
	r.drain()
	for token := range uint64(600) {
		if outcomes[token+1] != 1 {
			t.Errorf("message %d has %d outcomes", token+1, outcomes[token+1])
		}
	}
	if n := r.c.Leftovers(); n != 0 {
		t.Errorf("%d things are kept", n)
	}
}
