package session_test

import (
	"bytes"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

func TestStreamOut(t *testing.T) {
	// Pieces as the output has room for them; what else is due waits for the end.
	// [MQTT-4.3.2-1] v5 [MQTT-4.3.3-3] v5
	scenario(t, `
	client v5 {"HighWater":20}
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 40 {"Topic":"a","QoS":2,"Properties":{"ContentType":"t"}}
	| token 1
	| Wanted token=1 id=1 offset=0 size=8
	| Write 34 32 00 01 61 00 01 04 03 00 01 74
	publish {"Topic":"b","QoS":1}
	| token 2
	recv PUBLISH {"Topic":"x","QoS":1,"PacketID":9}
	| Message id=9 publish=PUBLISH QoS=1 Topic=x PacketID=9 Payload="0 bytes" ""
	subscribe {"Filters":[{"Filter":"a"}]}
	data 1 9 1
	| error mqtt: PublishData: not possible in this state: a piece of 9 bytes where 1 to 8 were asked for
	data 2 1 2
	| error mqtt: PublishData: unknown token: no payload of it is on its way
	data 1 8 2
	| Wanted token=1 id=1 offset=8 size=12
	| Write 32 32 32 32 32 32 32 32
	data 1 0 2
	| error mqtt: PublishData: not possible in this state: a piece of 0 bytes where 1 to 12 were asked for
	data 1 20 3
	| error mqtt: PublishData: not possible in this state: a piece of 20 bytes where 1 to 12 were asked for
	data 1 12 4
	| Wanted token=1 id=1 offset=20 size=8
	| Write 34 34 34 34 34 34 34 34 34 34 34 34
	data 1 8 5
	| Wanted token=1 id=1 offset=28 size=12
	| Write 35 35 35 35 35 35 35 35
	data 1 12 6
	| Write 36 36 36 36 36 36 36 36 36 36 36 36 40 02 00 09 82 07 00 02 00 00 01 61 00
	| Write PUBLISH QoS=1 Topic=b PacketID=3 Payload="0 bytes"
	recv PUBREC {"PacketID":1}
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1}
	| Published token=1 id=1 packet=PUBCOMP PacketID=1
	`)
	// [MQTT-4.3.1-1] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	stream 3 {"Topic":"a"}
	| token 1
	| Wanted token=1 offset=0 size=3
	| Write 30 06 00 01 61
	publish {"Topic":"b"}
	| token 2
	recv PINGREQ
	data 1 2 1
	| Wanted token=1 offset=2 size=1
	| Write 31 31
	data 1 1 2
	| Write 32 D0 00 30 03 00 01 62
	data 1 1 2
	| error mqtt: PublishData: unknown token: no payload of it is on its way
	stream 0 {"Topic":"empty"}
	| token 3
	| Write PUBLISH Topic=empty Payload="0 bytes"
	`)
}

// TestStreamOutPreparedBytes: the packet is that of Publish, for every size of
// the Remaining Length.
func TestStreamOutPreparedBytes(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5, codec.V5Wide} {
		for _, size := range []int{1, 119, 120, 121, 127, 128, 16374, 16375, 16384, 70_000} {
			payload := bytes.Repeat([]byte{7}, size)
			p := &codec.Publish{Topic: codec.Bytes("a/b"), QoS: codec.QoS1}
			if v.IsV5() {
				p.Properties.ResponseTopic = codec.Text("r")
			}
			c := up(t, session.ClientConfig{Version: v, Config: session.Config{HighWater: 1000}}, codec.ConnackProperties{})
			if _, err := c.PublishStream(start, p, size); err != nil {
				t.Fatal(err)
			}
			var got []byte
			for ev, ok := c.Next(); ok; ev, ok = c.Next() {
				switch ev.Kind {
				case events.Wanted:
					piece := payload[ev.Offset:][:ev.Size]
					if err := c.PublishData(start, ev.Token, piece); err != nil {
						t.Fatal(err)
					}
				case events.Write:
					if ev.Size > 1100 {
						t.Errorf("a Write of %d bytes", ev.Size)
					}
					got = append(got, bytes.Join(ev.Data, nil)...)
				}
			}
			p.Payload, p.PacketID = payload, 1
			if want := encode(t, p, v); !bytes.Equal(got, want) {
				t.Errorf("%v, payload of %d bytes: packet differs: % X..., want % X...", v, size, got[:20], want[:20])
			}
		}
	}
}

func TestStreamOutLimits(t *testing.T) {
	// [MQTT-3.2.2-15] v5 [MQTT-3.2.2-11] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	stream 30 {"Topic":"later","QoS":1}
	| token 1
	recv CONNACK {"Properties":{"MaximumPacketSize":20,"MaximumQoS":1}}
	| Connected session=false packet=CONNACK MaximumQoS=1 MaximumPacketSize=20
	| Dropped token=1 publish=PUBLISH QoS=1 Topic=later Payload="0 bytes" error=mqtt: PublishStream: over a limit of the peer: packet of 42 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	stream 15 {"Topic":"a"}
	| error mqtt: PublishStream: over a limit of the peer: packet of 21 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	stream 15 {"Topic":"a","QoS":2}
	| error mqtt: Publish: over a limit of the peer: QoS is above Maximum QoS rule MQTT-3.2.2-11
	stream -1 {"Topic":"a"}
	| error mqtt: PublishStream: too large: no packet can have such a payload
	stream 268435456 {"Topic":"a"}
	| error mqtt: PublishStream: too large: no packet can have such a payload
	stream 268435455 {"Topic":"a"}
	| error mqtt: PublishStream: over a limit of the peer: packet of 268435461 bytes is above the Maximum Packet Size of 20 rule MQTT-3.2.2-15
	stream 5 {"Topic":"a","Payload":"1"}
	| error mqtt: PublishStream: not possible in this state: the payload is given to PublishData
	stream 5 {"Topic":"#"}
	| error mqtt: Publish: PUBLISH: protocol error: Topic: the name holds a wildcard rule MQTT-3.3.2-2
	stream 14 {"Topic":"a"}
	| token 2
	| Wanted token=2 offset=0 size=14
	| Write 30 12 00 01 61 00
	data 6 14 x
	| error mqtt: PublishData: unknown token: no payload of it is on its way
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	// Waiting messages expire; one that is being sent does not.
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	stream 3 {"Topic":"a","Properties":{"MessageExpiryInterval":10}}
	| token 1
	stream 3 {"Topic":"b","QoS":1,"Properties":{"MessageExpiryInterval":20}}
	| token 2
	pass 15s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 publish=PUBLISH Topic=a MessageExpiryInterval=10 Payload="0 bytes" error=message expired
	| Wanted token=2 id=1 offset=0 size=3
	| Write 32 0E 00 01 62 00 01 05 02 00 00 00 05
	pass 15s
	data 2 3 x
	| Write 78 78 78
	`)
	// The quota of the peer. [MQTT-4.9.0-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"ReceiveMaximum":1,"TopicAliasMaximum":2}}
	| Connected session=false packet=CONNACK ReceiveMaximum=1 TopicAliasMaximum=2
	stream 1 {"Topic":"a","QoS":1}
	| token 1
	| Wanted token=1 id=1 offset=0 size=1
	| Write 32 07 00 01 61 00 01 00
	stream 1 {"Topic":"b","QoS":1}
	| token 2
	data 1 1 x
	| Write 78
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	| Wanted token=2 id=2 offset=0 size=1
	| Write 32 07 00 01 62 00 02 00
	data 2 1 y
	| Write 79
	`)
}

func TestStreamOutGivenUp(t *testing.T) {
	// Erase before and after, Abort within.
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 5 {"Topic":"a","QoS":1}
	| token 1
	| Wanted token=1 id=1 offset=0 size=5
	| Write 32 0B 00 01 61 00 01 00
	stream 5 {"Topic":"b","QoS":1}
	| token 2
	erase 2
	| Dropped token=2 publish=PUBLISH QoS=1 Topic=b Payload="0 bytes" error=message was erased
	erase 1
	| error mqtt: Erase: not possible in this state: its payload is being sent; see Abort
	abort 2
	| error mqtt: Abort: unknown token: no payload of it is on its way
	data 1 2 x
	| Wanted token=1 id=1 offset=2 size=3
	| Write 78 78
	abort 1
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=message was erased
	| Close reason=0x80 error=mqtt: Abort: payload was given up
	data 1 1 x
	| error mqtt: PublishData: not possible in this state: the connection is closed
	status
	| closed vacancy=0 inflight=1 queued=0
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c","CleanStart":true}
	| Connect packet=CONNECT CleanStart=true ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	stream 5 {"Topic":"a"}
	| token 1
	| Wanted token=1 offset=0 size=5
	| Write 30 08 00 01 61
	abort 1
	| Dropped token=1 publish=PUBLISH Topic=a Payload="0 bytes" error=message was erased
	| Close reason=0x80 error=mqtt: Abort: payload was given up
	`)
	// Within a packet there is no place for DISCONNECT, nor for the one that tells
	// the peer what it did wrong.
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 5 {"Topic":"a","QoS":1}
	| token 1
	| Wanted token=1 id=1 offset=0 size=5
	| Write 32 0B 00 01 61 00 01 00
	disconnect
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close
	`)
	scenario(t, `
	client v5
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 5 {"Topic":"a","QoS":1}
	| token 1
	| Wanted token=1 id=1 offset=0 size=5
	| Write 32 0B 00 01 61 00 01 00
	recv CONNACK
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Close reason=0x82 error=CONNACK: protocol error: second CONNACK rule MQTT-3.2.0-2
	`)
}

// TestStreamOutEarlyAnswer: a message cannot be acknowledged before its end, but
// it can be refused. Then nobody wants the rest, which is filled.
func TestStreamOutEarlyAnswer(t *testing.T) {
	scenario(t, `
	client v5 {"HighWater":12}
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 20 {"Topic":"a","QoS":2}
	| token 1
	| Wanted token=1 id=1 offset=0 size=4
	| Write 34 1A 00 01 61 00 01 00
	publish {"Topic":"b"}
	| token 2
	recv PUBREC {"PacketID":1,"ReasonCode":135}
	| Published token=1 id=1 reason=0x87 packet=PUBREC PacketID=1 ReasonCode="0x87 Not authorized"
	| Write 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00
	| Write PUBLISH Topic=b Payload="0 bytes"
	data 1 1 x
	| error mqtt: PublishData: unknown token: no payload of it is on its way
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
	for _, v := range []string{"v311", "v5"} {
		for _, ack := range []string{`QoS":1} PUBACK`, `QoS":2} PUBREC`} {
			qos, name := ack[:len(ack)-7], ack[len(ack)-6:]
			told := silently
			trace := run(t, `client `+v, `connect {"ClientID":"c"}`, `recv CONNACK`, `stream 5 {"Topic":"a","`+qos, `recv `+name+` {"PacketID":1}`)
			expectClose(t, v+" "+name, trace, told)
		}
	}
}

// TestStreamOutKeepAlive: no PINGREQ within a packet, and Keep Alive counts from
// its end.
func TestStreamOutKeepAlive(t *testing.T) {
	// [MQTT-3.1.2-20] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","KeepAlive":10}
	| Write CONNECT KeepAlive=10 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 2 {"Topic":"a"}
	| token 1
	| Wanted token=1 offset=0 size=2
	| Write 30 06 00 01 61 00
	after 30s
	data 1 1 x
	| Wanted token=1 offset=1 size=1
	| Write 78
	ping
	after 30s
	data 1 1 y
	| Write 79 C0 00
	| Timer +1m10s
	after 9s
	| Timer +1m10s
	after 1s
	| Close reason=0x8D error=mqtt: Tick: peer did not answer in time: PINGRESP did not come
	`)
}

// TestStreamOutBlocked: the application is asked as long as there is room, and
// acknowledgements of the peer are handled meanwhile.
func TestStreamOutBlocked(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V5, Config: session.Config{HighWater: 100}}, codec.ConnackProperties{})
	before, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: 1})
	if err != nil {
		t.Fatal(err)
	}
	drain(c)
	c.SetWriteBlocked(start, true)
	if _, err := c.PublishStream(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: 1}, 1000); err != nil {
		t.Fatal(err)
	}
	asked := int64(0)
	pull := func() (published bool) {
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			switch ev.Kind {
			case events.Wanted:
				asked += ev.Size
				if err := c.PublishData(start, ev.Token, make([]byte, ev.Size)); err != nil {
					t.Fatal(err)
				}
			case events.Published:
				published = ev.Token == before
			case events.Write:
				t.Error("Write while blocked")
			}
		}
		return published
	}
	pull()
	if asked > 100 {
		t.Errorf("%d bytes were asked for", asked)
	}
	c.SetWriteBlocked(start, false)
	if ev, _ := c.Next(); ev.Kind != events.Write {
		t.Errorf("%v, want Write", ev)
	}
	c.SetWriteBlocked(start, true)
	c.Receive(start, encode(t, &codec.Puback{PacketID: 1}, codec.V5))
	if !pull() {
		t.Error("an acknowledgement was not handled within a payload")
	}
	if asked <= 100 || asked > 200 {
		t.Errorf("%d bytes were asked for", asked)
	}
	// What has to wait for the end is bounded: then the input pauses.
	for range 100 {
		c.Receive(start, encode(t, &codec.Pubrel{PacketID: 1}, codec.V5))
		pull()
	}
	if !c.InputPaused() {
		t.Error("input goes on without a bound on the answers")
	}
}

// TestStreamOutRefusedWhileBlocked: the rest of a refused payload follows when the
// transport takes bytes again, long after everything else has come to rest.
func TestStreamOutRefusedWhileBlocked(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V5, Config: session.Config{HighWater: 600}}, codec.ConnackProperties{})
	c.SetWriteBlocked(start, true)
	token, err := c.PublishStream(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: codec.QoS1}, 1300)
	if err != nil {
		t.Fatal(err)
	}
	drain(c)
	if err := c.PublishData(start, token, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	drain(c)
	c.Receive(start, encode(t, &codec.Puback{PacketID: 1, ReasonCode: codec.ReasonQuotaExceeded}, codec.V5))
	drain(c)
	c.SetWriteBlocked(start, false)
	if n := drain(c); n < 1300 || n > 1320 {
		t.Fatalf("%d bytes written", n)
	}
	if _, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("b")}); err != nil {
		t.Fatal(err)
	}
	if ev, ok := c.Next(); !ok || ev.Kind != events.Write || c.Inflight() != 0 {
		t.Fatal(ev, c.Inflight())
	}
}
