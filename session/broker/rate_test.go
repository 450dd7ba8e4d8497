package broker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// A client that sends too much is read from more slowly; everything it sends is
// routed, in order, and nobody else is held up.
func TestMessageRate(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{Limits: broker.Limits{MessagesPerSecond: 10}})
		watch := w.connect(v, clean("watch")).subscribed(filter("t", 0))
		p := clean("c")
		p.KeepAlive = 1
		c := w.connect(v, p)
		var list []codec.Packet
		for i := range 100 {
			list = append(list, publish("t", string(rune('0'+i)), 0))
		}
		c.send(list...)
		if n := len(watch.packets()); n != 11 || !w.b.InputPaused(c.h) {
			t.Errorf("%d messages at once, paused %v", n, w.b.InputPaused(c.h))
		}
		watch.send(publish("t", "other", 0))
		watch.expect("t=other q0")
		w.pass(time.Second)
		if n := len(watch.packets()); n != 10 {
			t.Errorf("%d messages in a second", n)
		}
		w.pass(7800 * time.Millisecond)
		if got := watch.packets(); len(got) != 78 {
			t.Errorf("%d messages", len(got))
		}
		w.pass(200 * time.Millisecond)
		watch.expect("t=" + string(rune('0'+99)) + " q0")
		if c.closed || w.b.InputPaused(c.h) {
			t.Errorf("closed %v: %v", c.closed, c.err)
		}
		w.pass(1500 * time.Millisecond)
		if !c.closed {
			t.Error("the Keep Alive is not watched any more")
		}
	}
}

// Bytes count whatever they are of.
func TestByteRate(t *testing.T) {
	w := newWorld(t, broker.Config{Ask: broker.AskConnect})
	c := w.open(codec.V5)
	c.send(clean("c"))
	w.b.Accept(w.now, c.h, broker.Admission{Limits: &broker.Limits{BytesPerSecond: 1000}})
	w.drain()
	c.expect("CONNACK 00 present=false")
	c.send(publish("t", strings.Repeat("x", 5000), 0))
	if !w.b.InputPaused(c.h) || w.b.Deadline().Sub(w.now).Round(time.Second) != 4*time.Second {
		t.Errorf("paused %v until %v", w.b.InputPaused(c.h), w.b.Deadline().Sub(w.now))
	}
	c.send(&codec.Pingreq{}) // was under way
	c.expect()
	w.pass(5 * time.Second)
	c.expect("PINGRESP")
	if w.b.InputPaused(c.h) {
		t.Error("still paused")
	}
}

// What a client sent before its connection broke is routed, though it was too
// much.
func TestRateAtTheEnd(t *testing.T) {
	w := newWorld(t, broker.Config{Limits: broker.Limits{MessagesPerSecond: 1}})
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("t", 0))
	c := w.connect(codec.V5, clean("c"))
	c.send(publish("t", "1", 0), publish("t", "2", 0), publish("t", "3", 0), publish("t", "4", 0))
	watch.expect("t=1 q0", "t=2 q0")
	c.drop()
	watch.expect("t=3 q0", "t=4 q0")
	if w.pass(time.Minute); !w.b.Deadline().IsZero() {
		t.Error("a timer is left")
	}
}

// A client that the driver does not listen to is not silent, and what it had sent
// is handled afterwards. That its rate holds it too makes no difference.
func TestHoldInput(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{Limits: broker.Limits{MessagesPerSecond: 1}})
		watch := w.connect(v, clean("watch")).subscribed(filter("t", 0))
		p := clean("c")
		p.KeepAlive = 10
		c := w.connect(v, p)
		late := w.open(v)
		hold := func(held bool) {
			for _, h := range []broker.Handle{c.h, late.h} {
				w.b.HoldInput(w.now, h, held)
			}
			w.drain()
		}
		c.send(publish("t", "1", 0), publish("t", "2", 0))
		hold(true)
		c.send(publish("t", "3", 0))
		late.send(clean("late"))
		watch.expect("t=1 q0", "t=2 q0")
		if w.pass(time.Minute); c.closed || late.closed || !w.b.InputPaused(c.h) {
			t.Fatalf("closed %v, %v: %v, %v", c.closed, late.closed, c.err, late.err)
		}
		watch.expect()
		hold(false)
		watch.expect("t=3 q0")
		if got := late.packets(); len(got) != 1 || got[0].Type() != codec.TypeConnack {
			t.Errorf("got %v", got)
		}
		c.send(publish("t", "4", 0), publish("t", "5", 0))
		watch.expect("t=4 q0")
		hold(true)
		hold(false)
		watch.expect() // its rate still holds it
		w.pass(time.Second)
		watch.expect("t=5 q0")
		if w.pass(20 * time.Second); !c.closed {
			t.Error("the Keep Alive is not watched any more")
		}
	}
}

// One that has said nothing has the whole time for CONNECT again.
func TestHoldConnect(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.open(codec.V5)
	w.pass(9 * time.Second)
	w.b.HoldInput(w.now, c.h, true)
	w.drain()
	w.pass(time.Minute)
	w.b.HoldInput(w.now, c.h, false)
	w.drain()
	if w.pass(9 * time.Second); c.closed {
		t.Fatal(c.err)
	}
	if w.pass(time.Second); !c.closed {
		t.Error("not closed")
	}
}
