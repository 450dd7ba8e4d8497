package broker_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

var bothVersions = []codec.Version{codec.V311, codec.V5}

// Messages wait for a client that is away, in order, and its subscriptions
// stay. [MQTT-3.1.2-5] v5 [MQTT-3.1.2-4] v311
func TestOfflineQueue(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		w.connect(v, lasting("c", v)).subscribed(filter("#", 1)).drop()
		pub := w.connect(codec.V5, clean("pub"))
		for _, payload := range []string{"1", "2", "3"} {
			pub.send(publish("t", payload, 1))
		}
		pub.send(publish("t", "lost", 0))
		c := w.open(v)
		c.send(lasting("c", v))
		c.expect("CONNACK 00 present=true", "t=1 q1", "t=2 q1", "t=3 q1")
		c.drop() // without acknowledging
		c = w.open(v)
		c.send(lasting("c", v))
		c.expect("CONNACK 00 present=true", "t=1 q1 dup", "t=2 q1 dup", "t=3 q1 dup")
		c.send(&codec.Puback{PacketID: 1}, &codec.Puback{PacketID: 2}, &codec.Puback{PacketID: 3})
		c.drop()
		c = w.open(v)
		c.send(lasting("c", v))
		c.expect("CONNACK 00 present=true")
	}
}

// [MQTT-3.1.2-4] v5 [MQTT-3.1.2-6] v311
func TestCleanStart(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		w.connect(v, lasting("c", v)).subscribed(filter("t", 1)).drop()
		pub := w.connect(codec.V5, clean("pub"))
		pub.send(publish("t", "x", 1))
		c := w.open(v)
		c.send(clean("c"))
		c.expect("CONNACK 00 present=false")
		pub.send(publish("t", "y", 1))
		c.expect()
		if n := w.b.Stats().Subscriptions; n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	}
}

// [MQTT-4.1.0-2] v5
func TestSessionExpiry(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumSessionExpiry: 100})
	c := w.open(codec.V5)
	c.send(lasting("c", codec.V5))
	ack := c.packets()[0].(*codec.Connack)
	if e := ack.Properties.SessionExpiryInterval; e != codec.Some(uint32(100)) {
		t.Errorf("CONNACK has the Session Expiry Interval %v", e)
	}
	c.drop()
	w.pass(99 * time.Second)
	w.connect(codec.V5, lasting("c", codec.V5)).drop()
	w.pass(99 * time.Second)
	if n := w.b.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions before the end", n)
	}
	w.pass(time.Second)
	if n := w.b.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions after the end", n)
	}
}

// A client can shorten or lengthen the life of its session when it leaves.
func TestDisconnectExpiry(t *testing.T) {
	w := newWorld(t, broker.Config{})
	for expiry, left := range []int{0, 1} {
		d := new(codec.Disconnect)
		d.Properties.SessionExpiryInterval = codec.Some(uint32(expiry))
		w.connect(codec.V5, lasting("c", codec.V5)).send(d)
		if n := w.b.Stats().Sessions; n != left {
			t.Errorf("%d sessions after DISCONNECT with %d", n, expiry)
		}
	}
	w.pass(time.Second)
	if n := w.b.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions a second later", n)
	}
}

// [MQTT-3.1.4-3] v5 [MQTT-3.1.4-2] v311
func TestTakeOver(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t", 2))
	a.send(publish("t", "x", 1))
	a.expect("t=x q1", "PUBACK 100 00")
	b := w.open(codec.V311)
	b.send(lasting("c", codec.V311))
	a.expect("DISCONNECT 8E")
	b.expect("CONNACK 00 present=true", "t=x q1 dup")
	c := w.open(codec.V5)
	c.send(clean("c"))
	b.expect()
	c.expect("CONNACK 00 present=false")
	if !a.closed || !b.closed || c.closed {
		t.Errorf("closed: %v %v %v", a.closed, b.closed, c.closed)
	}
	if a.reason != codec.ReasonSessionTakenOver {
		t.Errorf("reason %v", a.reason)
	}
}

// A session that ended with its connection is not there to take over.
func TestTakeOverOfShortSession(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, clean("c"))
	c := w.open(codec.V5)
	c.send(&codec.Connect{ClientID: codec.Bytes("c")})
	c.expect("CONNACK 00 present=false")
}

// A connection that takes no bytes is taken over all the same.
func TestTakeOverOfBlocked(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, lasting("c", codec.V5))
	w.b.SetWriteBlocked(w.now, a.h, true)
	a.send(&codec.Pingreq{})
	b := w.open(codec.V5)
	b.send(lasting("c", codec.V5))
	a.expect("PINGRESP", "DISCONNECT 8E")
	b.expect("CONNACK 00 present=true")
	if !a.closed {
		t.Error("not closed")
	}
}

// An exchange of QoS 2 goes on over a new connection, in both directions, and
// the two spaces of identifiers are separate. [MQTT-4.3.3-2] v5
func TestQoS2Resumed(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t", 2))
	p := publish("t", "x", 2)
	p.PacketID = 1 // as the broker's own
	c.send(p)
	c.expect("t=x q2", "PUBREC 1 00")
	c.drop()
	c = w.open(codec.V5)
	p.Dup = true
	c.send(lasting("c", codec.V5), p)
	c.expect("CONNACK 00 present=true", "PUBREC 1 00", "t=x q2 dup")
	c.send(&codec.Pubrel{PacketID: 1}, &codec.Pubrec{PacketID: 1})
	c.expect("PUBCOMP 1 00", "PUBREL")
	c.drop()
	c = w.open(codec.V5)
	c.send(lasting("c", codec.V5))
	c.expect("CONNACK 00 present=true", "PUBREL")
	c.send(&codec.Pubcomp{PacketID: 1})
	if d := w.b.Stats(); d.Delivered[2] != 1 {
		t.Errorf("%+v", d)
	}
}

// All messages come in order although only one may be open at a time.
func TestReceiveMaximumOfOne(t *testing.T) {
	w := newWorld(t, broker.Config{})
	p := clean("c")
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	c := w.connect(codec.V5, p).subscribed(filter("t", 1))
	pub := w.connect(codec.V5, clean("pub"))
	for _, payload := range []string{"A", "B", "C"} {
		pub.send(publish("t", payload, 1))
	}
	for id, payload := range []string{"A", "B", "C"} {
		c.expect("t=" + payload + " q1")
		c.send(&codec.Puback{PacketID: uint32(id + 1)})
	}
	c.expect()
}

// The queue of a client that is away is bounded.
func TestQueueLimit(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.Queue = session.QueueLimits{Messages: 2}
	w := newWorld(t, cfg)
	w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t", 1)).drop()
	pub := w.connect(codec.V5, clean("pub"))
	for _, payload := range []string{"1", "2", "3"} {
		pub.send(publish("t", payload, 1))
	}
	c := w.open(codec.V5)
	c.send(lasting("c", codec.V5))
	c.expect("CONNACK 00 present=true", "t=1 q1", "t=2 q1")
	if n := w.b.Stats().Dropped; n != 1 {
		t.Errorf("%d dropped", n)
	}
}

// [MQTT-3.3.2-5] v5 [MQTT-3.3.2-6] v5
func TestMessageExpiry(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t", 1)).drop()
	pub := w.connect(codec.V5, clean("pub"))
	for _, seconds := range []uint32{5, 20} {
		p := publish("t", "x", 1)
		p.Properties.MessageExpiryInterval = codec.Some(seconds)
		pub.send(p)
	}
	w.pass(8 * time.Second)
	c := w.open(codec.V5)
	c.send(lasting("c", codec.V5))
	c.expect("CONNACK 00 present=true", "t=x q1 expires12")
}

// [MQTT-4.12.0-1] v5
func TestUnknownAuthenticationMethod(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.open(codec.V5)
	p := clean("c")
	p.Properties.AuthenticationMethod = codec.Text("SCRAM-SHA-1")
	c.send(p)
	c.expect("CONNACK 8C present=false")
}

// A Keep Alive beyond the broker's bound is replaced. A v3.1.1 client cannot be
// told, and keeps its own. [MQTT-3.2.2-21] v5
func TestServerKeepAlive(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumKeepAlive: 30})
	for given, want := range map[uint16]codec.Opt[uint16]{0: codec.Some(uint16(30)), 31: codec.Some(uint16(30)), 30: {}} {
		c := w.open(codec.V5)
		p := clean("c")
		p.KeepAlive = given
		c.send(p)
		if got := c.packets()[0].(*codec.Connack).Properties.ServerKeepAlive; got != want {
			t.Errorf("%d: got %v, want %v", given, got, want)
		}
	}
	c := w.connect(codec.V311, slowPing(clean("old"), 40))
	if v, n := w.b.Version(c.h), w.b.ConnLimits(c.h).KeepAlive; v != codec.V311 || n != 40 {
		t.Errorf("%v, Keep Alive %d", v, n)
	}
	if w.pass(59 * time.Second); c.closed {
		t.Errorf("closed: %v", c.err)
	}
	if w.pass(time.Second); !c.closed {
		t.Error("not closed")
	}
	if v, l := w.b.Version(c.h), w.b.ConnLimits(c.h); v != 0 || l != (session.Limits{}) {
		t.Errorf("after Close: %v, %+v", v, l)
	}
}

// At the end of a session what the client does not have counts as dropped, and
// what it has does not.
func TestDroppedAtTheEnd(t *testing.T) {
	for name, end := range map[string]func(w *world, c *client){
		"connection":  func(_ *world, c *client) { c.send(&codec.Disconnect{Properties: ending}) },
		"expiry":      func(w *world, c *client) { c.drop(); w.pass(time.Hour) },
		"clean start": func(w *world, c *client) { w.connect(codec.V5, clean("c")) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, broker.Config{})
			p := lasting("c", codec.V5)
			p.Properties.ReceiveMaximum = codec.Some(uint16(4))
			c := w.connect(codec.V5, p).subscribed(filter("t", 2))
			pub := w.connect(codec.V5, clean("pub"))
			for i, qos := range []codec.QoS{1, 1, 2, 2, 1, 0} { // the last two wait
				p := publish("t", "x", qos)
				p.PacketID = uint32(i+1) * uint32(min(qos, 1))
				pub.send(p)
			}
			c.packets()
			c.send(&codec.Pubrec{PacketID: 3})
			end(w, c)
			if s := w.b.Stats(); s.Dropped != 5 || s.DroppedQoS0 != 1 {
				t.Errorf("%d dropped, %d of QoS 0", s.Dropped, s.DroppedQoS0)
			}
		})
	}
}

// ending makes a session end with its connection.
var ending = codec.DisconnectProperties{SessionExpiryInterval: codec.Some(uint32(0))}
