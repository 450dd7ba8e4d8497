package session_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestStreamOutResume: the payload is asked for again, from the beginning, with
// DUP and the old identifier; before what came after it.
func TestStreamOutResume(t *testing.T) {
	// [MQTT-4.4.0-1] v5 [MQTT-3.3.1-1] v5 [MQTT-4.6.0-1] v5
	scenario(t, `
	client v5 {"Persist":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Store record=session size=100
	stream 5 {"Topic":"a","QoS":1}
	| token 1
	| Store record=message token=1 id=1 streamed=true size=5 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	| Wanted token=1 id=1 offset=0 size=5
	| Write 32 0B 00 01 61 00 01 00
	publish {"Topic":"b","QoS":1}
	| token 2
	| Store record=message token=2 publish=PUBLISH QoS=1 Topic=b Payload="0 bytes"
	data 1 3 1
	| Wanted token=1 id=1 offset=3 size=2
	| Write 31 31 31
	closed
	| Store record=session id=2 size=100
	| Close reason=0x80 error=transport closed
	status
	| closed vacancy=0 inflight=1 queued=1
	publish {"Topic":"c","QoS":1}
	| token 3
	| Store record=message token=3 publish=PUBLISH QoS=1 Topic=c Payload="0 bytes"
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true,"Properties":{"ReceiveMaximum":1}}
	| Connected session=true packet=CONNACK SessionPresent=true ReceiveMaximum=1
	| Store record=session id=2 size=100
	| Wanted token=1 id=1 offset=0 size=5
	| Write 3A 0B 00 01 61 00 01 00
	data 1 5 2
	| Write 32 32 32 32 32
	closed
	| Store record=session id=2 size=100
	| Close reason=0x80 error=transport closed
	reload
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Wanted token=1 id=1 offset=0 size=5
	| Write 3A 0B 00 01 61 00 01 00
	data 1 5 3
	| Write 33 33 33 33 33 32 06 00 01 62 00 02 00 32 06 00 01 63 00 03 00
	recv PUBACK {"PacketID":1}
	| Published token=1 id=1 packet=PUBACK PacketID=1
	`)
	// The session is lost.
	scenario(t, `
	client v311
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 5 {"Topic":"a","QoS":2}
	| token 1
	| Wanted token=1 id=1 offset=0 size=5
	| Write 34 0A 00 01 61 00 01
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	| Dropped token=1 id=1 publish=PUBLISH QoS=2 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	`)
	// QoS 0 is not repeated.
	scenario(t, `
	client v311
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 5 {"Topic":"a"}
	| token 1
	| Wanted token=1 offset=0 size=5
	| Write 30 08 00 01 61
	data 1 4 1
	| Wanted token=1 offset=4 size=1
	| Write 31 31 31 31
	closed
	| Dropped token=1 publish=PUBLISH Topic=a Payload="0 bytes" error=connection ended within the payload
	| Close reason=0x80 error=transport closed
	`)
	// After PUBREC the payload is not needed any more.
	scenario(t, `
	client v311
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	stream 1 {"Topic":"a","QoS":2}
	| token 1
	| Wanted token=1 id=1 offset=0 size=1
	| Write 34 06 00 01 61 00 01
	data 1 1 1
	| Write 31
	recv PUBREC {"PacketID":1}
	| Write PUBREL PacketID=1
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"c"}
	| Write CONNECT ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBREL PacketID=1
	`)
}

// TestStreamState: a stored message without its payload is a complete record.
func TestStreamState(t *testing.T) {
	c := session.NewClient(session.ClientConfig{Config: session.Config{Persist: true}})
	p := &codec.Publish{Topic: codec.Bytes("a"), QoS: codec.QoS2}
	if _, err := c.PublishStream(start, p, 1<<20); err != nil {
		t.Fatal(err)
	}
	ev, ok := c.Next()
	if !ok || ev.Kind != events.Store || ev.Flags != events.Streamed || ev.Size != 1<<20 || len(ev.Publish.Payload) != 0 {
		t.Fatalf("got %v", ev)
	}
	st := new(session.State)
	record := session.AppendRecord(nil, ev)
	if err := st.RestoreRecord(record); err != nil || st.Queued() != 1 {
		t.Fatal(err, st.Queued())
	}
	a, err := st.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	again := new(session.State)
	if err := again.UnmarshalBinary(a); err != nil {
		t.Fatal(err)
	}
	if b, _ := again.AppendBinary(nil); !bytes.Equal(a, b) {
		t.Errorf("% X, again % X", a, b)
	}
	for n := range record {
		if err := new(session.State).RestoreRecord(record[:n]); !errors.Is(err, session.ErrCorrupt) {
			t.Errorf("the first %d bytes of a record: %v", n, err)
		}
	}
}
