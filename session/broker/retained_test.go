package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// [MQTT-3.3.1-5] v5 [MQTT-3.3.1-6] v5 [MQTT-3.3.1-8] v5 [MQTT-3.3.1-8] v311
func TestRetained(t *testing.T) {
	w := newWorld(t, broker.Config{DollarTopics: true})
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

// A message beyond the limit of bytes is delivered but not retained, and takes
// the one before it along.
func TestRetainedBytes(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumRetainedBytes: 10})
	c := w.connect(codec.V5, clean("c")).subscribed(filter("a", 0))
	c.send(retained("a", "1234", 0), retained("b", "1234", 0), retained("a", "123456", 0))
	c.expect("a=1234 q0", "a=123456 q0")
	if s := w.b.Stats(); s.Retained != 1 || s.RetainedBytes != 5 || s.NotRetained != 1 {
		t.Errorf("%+v", s)
	}
	c.send(retained("b", "", 0), retained("a", "123456789", 0))
	if s := w.b.Stats(); s.Retained != 1 || s.RetainedBytes != 10 {
		t.Errorf("%+v", s)
	}
}

// However many retained messages match, they come as the client takes them, all
// of them, in order, and the queue has room for others.
func TestRetainedPastTheQueue(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.Queue.Messages = 2
	cfg.Server.HighWater = 64
	w := newWorld(t, cfg)
	pub := w.connect(codec.V5, clean("pub"))
	var want []string
	for i := range 200 {
		topic := fmt.Sprintf("a/%d", i)
		pub.send(retained(topic, "x", codec.QoS(i%2)))
		want = append(want, fmt.Sprintf("%s=x q%d retain", topic, i%2))
	}
	p := lasting("c", codec.V5)
	p.Properties.ReceiveMaximum = codec.Some(uint16(2))
	c := w.connect(codec.V5, p)
	w.b.SetWriteBlocked(w.now, c.h, true)
	c.send(subscribe(filter("a/#", 1)))
	pub.send(publish("a/x", "live", 0))
	w.b.SetWriteBlocked(w.now, c.h, false)
	w.drain()
	var got []string
	for id, rounds := uint32(1), 0; rounds < 300; rounds++ {
		for _, p := range c.packets() {
			if p, ok := p.(*codec.Publish); ok && p.Retain {
				got = append(got, short(p))
			}
		}
		if rounds == 50 { // it goes on over another connection
			c.drop()
			c = w.connect(codec.V5, p)
			got = slices.DeleteFunc(got, func(s string) bool { return strings.HasSuffix(s, "dup") })
			c.packets()
			c.send(&codec.Puback{PacketID: id}, &codec.Puback{PacketID: id + 1})
			id += 2
			continue
		}
		c.send(&codec.Puback{PacketID: id})
		id++
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %d messages: %q", len(got), got)
	}
	if s := w.b.Stats(); s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

// Retained messages that are due are not sent once they are replaced, removed
// or no longer subscribed to.
func TestRetainedChangesWhileDue(t *testing.T) {
	w := newWorld(t, broker.Config{})
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(retained("a", "1", 1), retained("b", "1", 1), retained("c", "1", 1), retained("d", "1", 1))
	p := clean("c")
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	c := w.connect(codec.V5, p)
	c.send(subscribe(filter("+", 1)))
	c.expect("SUBACK 01", "a=1 q1 retain") // b waits, the others are due
	pub.send(retained("c", "2", 1), retained("d", "", 1))
	for id := range uint32(3) {
		c.send(&codec.Puback{PacketID: id + 1})
	}
	c.expect("b=1 q1 retain", "c=2 q1", "d= q1")
	c.send(&codec.Puback{PacketID: 4})
	c.expect()
	c.send(subscribe(filter("+", 1)))
	c.expect("SUBACK 01", "a=1 q1 retain")
	c.send(&codec.Unsubscribe{PacketID: 9, Filters: []codec.Bytes{codec.Bytes("+")}})
	c.expect("UNSUBACK 00")
	for id := range uint32(3) {
		c.send(&codec.Puback{PacketID: id + 5})
	}
	c.expect("b=1 q1 retain") // it waited already
}
