package broker_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// [MQTT-3.3.1-5] v5 [MQTT-3.3.1-6] v5 [MQTT-3.3.1-8] v5 [MQTT-3.3.1-8] v311
func TestRetained(t *testing.T) {
	w := newWorld(t, broker.Config{})
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(retained("a/b", "1", 1), retained("a", "2", 2), &codec.Pubrel{PacketID: 100}, retained("a/c", "3", 0), retained("$x/a", "4", 0),
		retained("a/b", "5", 1), publish("a/b", "6", 0), retained("a/c", "", 0))
	for _, tt := range []struct {
		filter string
		qos    codec.QoS
		want   []string
	}{
		{"a/b", 2, []string{"a/b=5 q1 retain"}},
		{"a/#", 0, []string{"a=2 q0 retain", "a/b=5 q0 retain"}},
		{"#", 2, []string{"a=2 q2 retain", "a/b=5 q1 retain"}},
		{"+/+", 1, []string{"a/b=5 q1 retain"}},
		{"+", 1, []string{"a=2 q1 retain"}},
		{"$x/#", 1, []string{"$x/a=4 q0 retain"}},
		{"$share/g/#", 1, nil},
		{"a/c", 1, nil},
	} {
		for _, v := range bothVersions {
			c := w.connect(v, clean("c"))
			c.send(subscribe(filter(tt.filter, tt.qos)))
			want := append([]string{"SUBACK 0" + string('0'+byte(tt.qos))}, tt.want...)
			c.expect(want...)
		}
	}
	if n := w.b.Stats().Retained; n != 3 {
		t.Errorf("%d are stored", n)
	}
}

// [MQTT-3.3.1-9] v5 [MQTT-3.3.1-10] v5 [MQTT-3.3.1-11] v5
func TestRetainHandling(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, clean("pub")).send(retained("t", "x", 0))
	for handling, want := range [][2]bool{{true, true}, {true, false}, {false, false}} {
		c := w.connect(codec.V5, clean("c"))
		for _, sent := range want {
			s := subscribe(codec.Subscription{Filter: codec.Bytes("t"), RetainHandling: codec.RetainHandling(handling)})
			s.Properties.SubscriptionIdentifier = codec.Some(uint32(4))
			c.send(s)
			if sent {
				c.expect("SUBACK 00", "t=x q0 retain sub4")
			} else {
				c.expect("SUBACK 00")
			}
		}
	}
}

// Retained messages expire, and the rest of their time is told.
func TestRetainedExpiry(t *testing.T) {
	w := newWorld(t, broker.Config{})
	pub := w.connect(codec.V5, clean("pub"))
	p := retained("t", "x", 0)
	p.Properties.MessageExpiryInterval = codec.Some(uint32(10))
	pub.send(p)
	w.pass(4 * time.Second)
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("t", 0)))
	c.expect("SUBACK 00", "t=x q0 retain expires6")
	w.pass(6 * time.Second)
	c.send(subscribe(filter("t", 0)))
	c.expect("SUBACK 00")
	if n := w.b.Stats().Retained; n != 0 {
		t.Errorf("%d are stored", n)
	}
	pub.send(p, retained("t", "y", 0)) // the second has no end
	w.pass(time.Minute)
	if n := w.b.Stats().Retained; n != 1 {
		t.Errorf("%d are stored", n)
	}
}

func TestRetainedLimit(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumRetained: 1})
	c := w.connect(codec.V5, clean("c"))
	c.send(retained("a", "1", 0), retained("b", "2", 0), retained("a", "3", 0), subscribe(filter("#", 0)))
	c.expect("SUBACK 00", "a=3 q0 retain")
}
