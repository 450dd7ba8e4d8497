package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// count returns the number of keys of a kind that are stored for sessions, or of
// payloads.
func (d disk) count(kind byte) (n int) {
	for key := range d {
		if key[0] == kind || key[0] == 's' && key[9] == kind {
			n++
		}
	}
	return n
}

// A message that a member of a shared subscription had, and did not acknowledge,
// goes to another member when its session has ended with the broker, or ends after
// it was started again. One of QoS 2 does not, as it was sent.
// [U5-4.8.2-a] v5 [MQTT-4.8.2-5] v5
func TestLentOutlivesBroker(t *testing.T) {
	payload := strings.Repeat("x", 100)
	for _, tt := range []struct {
		name  string
		first *codec.Connect // the member that has the message
		end   func(w *world)
	}{
		{"with the broker", clean("a"), func(*world) {}},
		{"by clean start", lasting("a", codec.V5), func(w *world) { w.connect(codec.V5, clean("a")) }},
		{"by expiry", lasting("a", codec.V5), func(w *world) { w.pass(time.Hour) }},
	} {
		for qos := codec.QoS1; qos <= codec.QoS2; qos++ {
			t.Run(fmt.Sprintf("%s, QoS %d", tt.name, qos), func(t *testing.T) {
				w := durable(t, broker.Config{})
				first := w.connect(codec.V5, tt.first).subscribed(filter("$share/g/t", 2))
				for i := range 3 {
					p := publish("t", fmt.Sprint(i, payload), qos)
					p.Properties.MessageExpiryInterval = codec.Some(uint32(3600 * (3 - i)))
					p.PacketID = uint32(i + 1)
					w.connect(codec.V5, clean("pub")).send(p)
				}
				long := lasting("b", codec.V5)
				long.Properties.SessionExpiryInterval = codec.Some(uint32(1e6))
				w.connect(codec.V5, long).subscribed(filter("$share/g/t", 2))
				first.packets()
				if qos == codec.QoS1 {
					first.send(&codec.Puback{PacketID: 1})
				} else {
					first.send(&codec.Pubrec{PacketID: 1})
				}
				w.restart()
				w.now = w.now.Add(time.Second)
				b := w.present(codec.V5, long, true)
				tt.end(w)
				switch {
				case qos == codec.QoS2:
					b.expect()
				case tt.name == "by expiry": // as one of the messages has
					b.expect("t=1" + payload + " q1 expires3600")
				default:
					b.expect("t=1"+payload+" q1 expires7199", "t=2"+payload+" q1 expires3599")
				}
				for id := range 2 {
					b.send(&codec.Puback{PacketID: uint32(id + 1)})
				}
				if lent, bodies := w.disk.count('l'), w.disk.count('p'); lent+bodies != 0 {
					t.Errorf("%d are stored as lent, with %d payloads", lent, bodies)
				}
			})
		}
	}
}

// A message of QoS 2 that waits for a member goes to another one, unless that
// member came back and may have got it, whenever the broker was started again.
func TestLentIsSent(t *testing.T) {
	for _, back := range []bool{false, true} {
		w := durable(t, broker.Config{})
		long := lasting("b", codec.V5)
		long.Properties.SessionExpiryInterval = codec.Some(uint32(1e6))
		w.connect(codec.V5, lasting("a", codec.V5)).subscribed(filter("$share/g/t", 2)).drop()
		w.connect(codec.V5, clean("pub")).send(publish("t", "x", 2))
		w.connect(codec.V5, long).subscribed(filter("$share/g/t", 2))
		w.restart()
		if back {
			w.present(codec.V5, lasting("a", codec.V5), true)
			w.restart()
		}
		b := w.present(codec.V5, long, true)
		w.pass(time.Hour)
		if back {
			b.expect()
		} else {
			b.expect("t=x q2")
		}
	}
}

// What is lent is stored as long as a member is to survive, also one that joins
// later, and no longer than until it is acknowledged.
func TestLentIsStored(t *testing.T) {
	w := durable(t, broker.Config{})
	a := w.connect(codec.V5, clean("a")).subscribed(filter("$share/g/t", 1))
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("t", "1", 1), publish("t", "2", 1))
	if n := w.disk.count('l'); n != 0 {
		t.Errorf("%d are stored, for nobody", n)
	}
	b := w.connect(codec.V311, lasting("b", codec.V311)).subscribed(filter("$share/g/t", 1))
	if n := w.disk.count('l'); n != 2 {
		t.Errorf("%d are stored, want 2", n)
	}
	a.send(&codec.Puback{PacketID: 1})
	if n := w.disk.count('l'); n != 1 {
		t.Errorf("%d are stored, want 1", n)
	}
	pub.send(publish("t", "3", 1), publish("t", "4", 1))
	b.expect("t=4 q1")
	w.restart()
	b = w.open(codec.V311)
	b.send(lasting("b", codec.V311))
	b.expect("CONNACK 00 present=true", "t=4 q1 dup", "t=2 q1", "t=3 q1")
	b.send(&codec.Puback{PacketID: 1}, &codec.Puback{PacketID: 2}, &codec.Puback{PacketID: 3})
	if lent, records := w.disk.count('l'), w.disk.count('m'); lent != 0 || records != 1 { // that of the session
		t.Errorf("%d are stored as lent, %d records", lent, records)
	}
}

// Where all members have gone, what they were lent has too.
func TestLentToNobody(t *testing.T) {
	w := durable(t, broker.Config{})
	at := &broker.Endpoint{Name: "room", MountPoint: "room/"}
	w.at = at
	a := w.connect(codec.V5, lasting("a", codec.V5)).subscribed(filter("$share/g/t", 1))
	w.connect(codec.V5, clean("pub")).send(publish("t", strings.Repeat("x", 100), 1))
	a.packets()
	a.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("$share/g/t")}})
	if n := w.disk.count('l'); n != 1 {
		t.Fatalf("%d are stored as lent", n)
	}
	w.restart()
	w.at = at
	if n := w.disk.count('l'); n != 0 {
		t.Errorf("%d are stored as lent", n)
	}
	a = w.present(codec.V5, lasting("a", codec.V5), true)
	a.expect("t=" + strings.Repeat("x", 100) + " q1 dup")
	a.send(&codec.Puback{PacketID: 1})
	if n := w.disk.count('p'); n != 0 {
		t.Errorf("%d payloads are stored", n)
	}
}
