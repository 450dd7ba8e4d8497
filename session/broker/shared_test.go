package broker_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// Each message goes to one member in turn; other ShareNames and plain
// subscriptions get copies of their own. [MQTT-4.8.2-3] v5
func TestShared(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, clean("a")).subscribed(filter("$share/g/t/#", 1))
	b := w.connect(codec.V5, clean("b")).subscribed(filter("$share/g/t/#", 0), filter("t/+", 0))
	c := w.connect(codec.V311, clean("c")).subscribed(filter("$share/h/t/#", 2))
	pub := w.connect(codec.V5, clean("pub"))
	for i := range 4 {
		pub.send(publish("t/x", fmt.Sprint(i), 1))
	}
	a.expect("t/x=0 q1", "t/x=2 q1")
	b.expect("t/x=0 q0", "t/x=1 q0", "t/x=1 q0", "t/x=2 q0", "t/x=3 q0", "t/x=3 q0")
	c.expect("t/x=0 q1", "t/x=1 q1", "t/x=2 q1", "t/x=3 q1")

	a.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("$share/g/t/#")}})
	a.expect("UNSUBACK 00")
	pub.send(publish("t", "x", 0), publish("t", "y", 0))
	a.expect()
	b.expect("t=x q0", "t=y q0")
	b.drop()
	c.drop()
	if n := w.b.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// Members that are away or that cannot take more get nothing while others can.
func TestSharedChoosesWhoCan(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, lasting("away", codec.V5)).subscribed(filter("$share/g/t", 1)).drop()
	p := clean("full")
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	full := w.connect(codec.V5, p).subscribed(filter("$share/g/t", 1))
	free := w.connect(codec.V5, clean("free")).subscribed(filter("$share/g/t", 1))
	pub := w.connect(codec.V5, clean("pub"))
	for i := range 4 {
		pub.send(publish("t", fmt.Sprint(i), 1))
	}
	full.expect("t=0 q1")
	free.expect("t=1 q1", "t=2 q1", "t=3 q1")
	full.send(&codec.Puback{PacketID: 1})
	free.send(&codec.Puback{PacketID: 1}, &codec.Puback{PacketID: 2}, &codec.Puback{PacketID: 3})
	full.drop()
	free.drop()
	pub.send(publish("t", "kept", 1), publish("t", "lost", 0))
	away := w.open(codec.V5)
	away.send(lasting("away", codec.V5))
	away.expect("CONNACK 00 present=true", "t=kept q1")
}

// A message of QoS 1 that a member did not acknowledge goes to another one when
// its session ends: with the connection, by expiry, or by a clean start. One of
// QoS 2 does so only if it was never sent.
// [U5-4.8.2-a] v5 [MQTT-4.8.2-5] v5
func TestSharedRedelivery(t *testing.T) {
	for _, tt := range []struct {
		name    string
		connect *codec.Connect
		end     func(w *world, c *client)
	}{
		{"connection", clean("a"), func(_ *world, c *client) { c.drop() }},
		{"expiry", lasting("a", codec.V5), func(w *world, c *client) { c.drop(); w.pass(time.Hour) }},
		{"clean start", lasting("a", codec.V5), func(w *world, c *client) { w.connect(codec.V5, clean("a")) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, broker.Config{})
			a := w.connect(codec.V5, tt.connect).subscribed(filter("$share/g/t", 2))
			pub := w.connect(codec.V5, clean("pub"))
			for i, qos := range []codec.QoS{1, 2, 1, 0} {
				p := publish("t", fmt.Sprint(i), qos)
				if qos > 0 {
					p.PacketID = uint32(i + 1)
				}
				pub.send(p)
			}
			a.expect("t=0 q1", "t=1 q2", "t=2 q1", "t=3 q0")
			a.send(&codec.Puback{PacketID: 1})
			b := w.connect(codec.V5, clean("b")).subscribed(filter("$share/g/t", 1))
			tt.end(w, a)
			b.expect("t=2 q1")
			if s := w.b.Stats(); s.Redelivered != 1 || s.Dropped != 1 {
				t.Errorf("%d redelivered, %d dropped", s.Redelivered, s.Dropped)
			}
		})
	}
}

// What waited for a member that was away was never sent, so that it may go to
// another one at QoS 2 too.
func TestSharedRedeliveryOfUnsent(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, lasting("a", codec.V5)).subscribed(filter("$share/g/t", 2)).drop()
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("t", "x", 2))
	b := w.connect(codec.V5, clean("b")).subscribed(filter("$share/g/t", 2))
	b.expect()
	w.pass(time.Hour)
	b.expect("t=x q2")
}

// [MQTT-4.8.2-4] v5 [MQTT-4.8.2-6] v5
func TestSharedStays(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, lasting("a", codec.V5)).subscribed(filter("$share/g/t", 2))
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("t", "x", 2))
	a.expect("t=x q2")
	b := w.connect(codec.V5, clean("b")).subscribed(filter("$share/g/t", 2))
	a.drop()
	a = w.open(codec.V5)
	a.send(lasting("a", codec.V5))
	a.expect("CONNACK 00 present=true", "t=x q2 dup")
	a.send(&codec.Pubrec{PacketID: 1, ReasonCode: codec.ReasonQuotaExceeded})
	a.drop()
	w.pass(time.Hour)
	b.expect()
	if n := w.b.Stats().Redelivered; n != 0 {
		t.Errorf("%d redelivered", n)
	}
}

// A member whose queue is full is passed over.
func TestSharedFullMember(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.Queue.Messages = 1
	w := newWorld(t, cfg)
	p := clean("a")
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	a := w.connect(codec.V5, p).subscribed(filter("$share/g/t", 1))
	w.connect(codec.V5, lasting("b", codec.V5)).subscribed(filter("$share/g/t", 1)).drop()
	pub := w.connect(codec.V5, clean("pub"))
	for _, payload := range []string{"1", "2", "3", "4"} {
		pub.send(publish("t", payload, 1))
	}
	a.expect("t=1 q1")
	a.send(&codec.Puback{PacketID: 1})
	a.expect("t=2 q1")
	b := w.open(codec.V5)
	b.send(lasting("b", codec.V5))
	b.expect("CONNACK 00 present=true", "t=3 q1")
	if n := w.b.Stats().Dropped; n != 1 {
		t.Errorf("%d dropped", n)
	}
}
