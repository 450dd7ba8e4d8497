package session_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// TestMaximumInflightBytes bounds the payloads under way. They count until
// PUBACK or PUBREC; QoS 0 does not count.
func TestMaximumInflightBytes(t *testing.T) {
	scenario(t, `
	client v5 {"MaximumInflightBytes":10}
	connect {"ClientID":"c","CleanStart":true,"Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT CleanStart=true SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1,"Payload":"twelve bytes"}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="12 bytes"
	publish {"Topic":"a","Payload":"not counted"}
	| token 2
	| Write PUBLISH Topic=a Payload="11 bytes"
	publish {"Topic":"a","QoS":2,"Payload":"12345"}
	| token 3
	publish {"Topic":"a","QoS":1,"Payload":"67890"}
	| token 4
	publish {"Topic":"a","QoS":1}
	| token 5
	publish {"Topic":"a","QoS":1,"Payload":"1"}
	| token 6
	status
	| connected vacancy=65530 inflight=1 queued=4
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Write PUBLISH QoS=2 Topic=a PacketID=2 Payload="5 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=3 Payload="5 bytes"
	| Write PUBLISH QoS=1 Topic=a PacketID=4 Payload="0 bytes"
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	| Write PUBLISH QoS=1 Topic=a PacketID=5 Payload="1 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"12345"}
	| token 8
	recv PUBCOMP {"PacketID":2}
	| Published token=3 id=2 packet=PUBCOMP PacketID=2
	erase 4
	| Dropped token=4 id=3 publish=PUBLISH QoS=1 Topic=a Payload="5 bytes" error=message was erased
	| Write PUBLISH QoS=1 Topic=a PacketID=6 Payload="5 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=4 Payload="0 bytes"
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=5 Payload="1 bytes"
	| Write PUBLISH Dup=true QoS=1 Topic=a PacketID=6 Payload="5 bytes"
	publish {"Topic":"a","QoS":1,"Payload":"12345"}
	| token 9
	recv PUBACK {"PacketID":5}
	| Published token=6 id=5 packet=PUBACK PacketID=5
	| Write PUBLISH QoS=1 Topic=a PacketID=7 Payload="5 bytes"
	`)
}

// TestMaximumInflightBytesReturns: after any number of messages as much may be
// sent as at first.
func TestMaximumInflightBytesReturns(t *testing.T) {
	for qos := codec.QoS1; qos <= codec.QoS2; qos++ {
		c := up(t, session.ClientConfig{Version: codec.V5, Config: session.Config{MaximumInflightBytes: 300}}, codec.ConnackProperties{})
		p := &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 100)}
		for round := range uint32(10) {
			for range 4 {
				if _, err := c.PublishShared(start, p, session.Delivery{QoS: qos}); err != nil {
					t.Fatal(err)
				}
			}
			drain(c)
			if c.Queued() != 1 {
				t.Fatalf("QoS %d, round %d: %d messages wait, want 1 of 4", qos, round, c.Queued())
			}
			for n := range uint32(4) {
				id := 4*round + n + 1
				if qos == codec.QoS1 {
					c.Receive(start, encode(t, &codec.Puback{PacketID: id}, codec.V5))
				} else if n == 3 { // a refusal ends the exchange
					c.Receive(start, encode(t, &codec.Pubrec{PacketID: id, ReasonCode: codec.ReasonQuotaExceeded}, codec.V5))
				} else {
					c.Receive(start, encode(t, &codec.Pubrec{PacketID: id}, codec.V5))
					c.Receive(start, encode(t, &codec.Pubcomp{PacketID: id}, codec.V5))
				}
				drain(c)
			}
		}
	}
}
