package broker_test

import (
	"fmt"
	"testing"

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
	full.drop()
	free.drop()
	pub.send(publish("t", "kept", 1), publish("t", "lost", 0))
	away := w.open(codec.V5)
	away.send(lasting("away", codec.V5))
	away.expect("CONNACK 00 present=true", "t=kept q1")
}
