package broker_test

import (
	"fmt"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// slow is a CONNECT of a client that takes one message at a time.
func slow() *codec.Connect {
	p := lasting("slow", codec.V5)
	p.Properties.ReceiveMaximum = codec.Some[uint16](1)
	return p
}

// takes acknowledges what comes, one after the other, and compares it.
func (c *client) takes(want ...string) {
	c.w.t.Helper()
	var got []string
	for more := true; more; {
		more = false
		for _, p := range c.packets() {
			got = append(got, short(p))
			if p, ok := p.(*codec.Publish); ok && p.QoS > 0 {
				more = true
				c.send(&codec.Puback{PacketID: p.PacketID})
			}
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		c.w.t.Errorf("got\n\t%q\nwant\n\t%q", got, want)
	}
}

// waiting returns a client that has not acknowledged the first one of three retained
// messages that it gets for r/#, and a publisher.
func waiting(t *testing.T) (w *world, c, pub *client) {
	w = durable(t, broker.Config{})
	pub = w.connect(codec.V5, clean("pub"))
	pub.send(retained("first", "old", 1), retained("r/a", "old", 1), retained("r/b", "old", 1), retained("r/c", "old", 1))
	c = w.connect(codec.V5, slow())
	c.send(subscribe(filter("first", 1), filter("r/#", 1)))
	return w, c, pub
}

// What is stored after SUBACK, while retained messages are due, comes once, also
// where the broker is started again. [MQTT-3.3.1-9] v5
func TestReplayLeavesOutNews(t *testing.T) {
	for _, restart := range []bool{false, true} {
		w, c, pub := waiting(t)
		c.expect("SUBACK 01 01", "first=old q1 retain")
		pub.send(retained("r/d", "new", 1), retained("r/b", "new", 1))
		if restart {
			w.restart()
			c = w.present(codec.V5, slow(), true)
			c.takes("first=old q1 retain dup", "r/a=old q1 retain", "r/d=new q1", "r/b=new q1", "r/c=old q1 retain")
			continue
		}
		c.send(&codec.Puback{PacketID: 1})
		c.takes("r/a=old q1 retain", "r/d=new q1", "r/b=new q1", "r/c=old q1 retain")
	}
}

// The retained message of a topic comes before what is published to it later, at
// once or while the client is away.
func TestReplayBeforeNews(t *testing.T) {
	for _, away := range []bool{false, true} {
		w, c, pub := waiting(t)
		c.expect("SUBACK 01 01", "first=old q1 retain")
		if away {
			c.drop()
		}
		pub.send(publish("r/c", "new", 1), publish("r/c", "newer", 1), publish("r/x", "new", 1))
		want := []string{"r/a=old q1 retain", "r/c=old q1 retain", "r/c=new q1", "r/c=newer q1", "r/x=new q1", "r/b=old q1 retain"}
		if away {
			w.present(codec.V5, slow(), true).takes(append([]string{"first=old q1 retain dup"}, want...)...)
			continue
		}
		c.send(&codec.Puback{PacketID: 1})
		c.takes(want...)
	}
}

// Whoever subscribes again gets retained messages again, also those that went ahead.
func TestReplayAgain(t *testing.T) {
	_, c, pub := waiting(t)
	c.expect("SUBACK 01 01", "first=old q1 retain")
	pub.send(publish("r/c", "new", 1))
	c.send(subscribe(filter("r/#", 1)))
	c.expect("SUBACK 01")
	pub.send(publish("r/c", "newer", 1))
	c.send(&codec.Puback{PacketID: 1})
	c.takes("r/a=old q1 retain", "r/c=old q1 retain", "r/c=new q1", "r/c=old q1 retain", "r/c=newer q1", "r/a=old q1 retain", "r/b=old q1 retain")
}

// A client for which retained messages are due and that subscribes and unsubscribes
// for ever takes no memory by that.
func TestReplayOfMany(t *testing.T) {
	w, c, pub := waiting(t)
	c.expect("SUBACK 01 01", "first=old q1 retain")
	for i := range 1000 {
		f := fmt.Sprint("r/", i)
		c.send(subscribe(filter(f, 1), filter(f+"/x", 1)))
		c.send(&codec.Unsubscribe{PacketID: 7, Filters: []codec.Bytes{codec.Bytes(f)}})
		if i > 0 {
			c.send(&codec.Unsubscribe{PacketID: 7, Filters: []codec.Bytes{codec.Bytes(fmt.Sprint("r/", i-1, "/x"))}})
		}
	}
	if n := w.b.Turns("slow"); n > 50 {
		t.Errorf("%d turns are kept", n)
	}
	c.packets()
	pub.send(publish("r/c", "new", 1), retained("r/999/x", "new", 1))
	c.send(&codec.Puback{PacketID: 1})
	c.takes("r/a=old q1 retain", "r/c=old q1 retain", "r/c=new q1", "r/999/x=new q1", "r/b=old q1 retain")
}

// What went ahead is known by its turn, also after turns that were over are gone.
func TestReplayOfManyAhead(t *testing.T) {
	_, c, pub := waiting(t)
	c.expect("SUBACK 01 01", "first=old q1 retain")
	pub.send(publish("r/c", "new", 1)) // which was due in the second of two turns
	for range 16 {
		c.send(subscribe(filter("x", 1)))
		c.send(&codec.Unsubscribe{PacketID: 7, Filters: []codec.Bytes{codec.Bytes("x")}})
	}
	c.send(subscribe(filter("r/c", 1))) // which has the second turn now
	c.packets()
	c.send(&codec.Puback{PacketID: 1})
	c.takes("r/a=old q1 retain", "r/c=old q1 retain", "r/c=new q1", "r/b=old q1 retain", "r/c=old q1 retain")
}

// Once nothing is due any more, a match reads a sole subscription where it finds it.
func TestReplayEnds(t *testing.T) {
	w, c, _ := waiting(t)
	if w.b.Sole("r/#") {
		t.Error("it counts as sole while something is due")
	}
	c.expect("SUBACK 01 01", "first=old q1 retain")
	c.send(&codec.Puback{PacketID: 1})
	c.takes("r/a=old q1 retain", "r/b=old q1 retain", "r/c=old q1 retain")
	if !w.b.Sole("r/#") {
		t.Error("it does not count as sole")
	}
}
