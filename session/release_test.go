package session_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestReleaseIsRestored: a PUBREL that was left to the application still is
// after the state was stored and restored, and the application is told of it.
func TestReleaseIsRestored(t *testing.T) {
	// [MQTT-4.3.3-4] v5
	scenario(t, `
	client v5 {"ManualRelease":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"b","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=b PacketID=2 Payload="0 bytes"
	publish {"Topic":"c","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=c PacketID=3 Payload="0 bytes"
	recv PUBREC {"PacketID":3}
	| Received token=3 id=3 packet=PUBREC PacketID=3
	recv PUBREC {"PacketID":2}
	| Received token=2 id=2 packet=PUBREC PacketID=2
	recv PUBREC {"PacketID":1}
	| Received token=1 id=1 packet=PUBREC PacketID=1
	release 2
	| Write PUBREL PacketID=2
	reload
	client v5 {"ManualRelease":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Received token=3 id=3
	| Received token=1 id=1
	| Write PUBREL PacketID=2
	release 1
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1}
	| Published token=1 id=1 packet=PUBCOMP PacketID=1
	recv PUBCOMP {"PacketID":2}
	| Published token=2 id=2 packet=PUBCOMP PacketID=2
	reload
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBREL PacketID=3
	recv PUBCOMP {"PacketID":3}
	| Published token=3 id=3 packet=PUBCOMP PacketID=3
	`)
}

// TestReleaseRecords: the records of incremental storage say it too.
func TestReleaseRecords(t *testing.T) {
	c := up(t, session.ClientConfig{Config: session.Config{ManualRelease: true, Persist: true}, Version: codec.V311}, codec.ConnackProperties{})
	if _, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: 2}); err != nil {
		t.Fatal(err)
	}
	drain(c)
	var records [][]byte
	pull := func() {
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			if ev.Kind == events.Store && ev.Record == events.RecordRelease {
				records = append(records, session.AppendRecord(nil, ev))
			}
		}
	}
	c.Receive(start, encode(t, &codec.Pubrec{PacketID: 1}, codec.V311))
	pull()
	if err := c.Release(start, 1, session.Reply{}); err != nil {
		t.Fatal(err)
	}
	pull()
	if len(records) != 2 {
		t.Fatalf("%d records, want one after PUBREC and one after Release", len(records))
	}
	for i, record := range records {
		st := new(session.State)
		if err := st.RestoreRecord(record); err != nil {
			t.Fatal(err)
		}
		c := session.NewClient(session.ClientConfig{Version: codec.V311, State: st})
		err := c.Release(start, 1, session.Reply{})
		if released := err != nil; released != (i == 1) {
			t.Errorf("record %d: Release says %v", i, err)
		}
		if new(session.State).RestoreRecord(append(record, 7)) == nil {
			t.Error("a longer record was taken")
		}
	}
}
