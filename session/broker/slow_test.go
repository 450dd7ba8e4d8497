package broker_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// A thousand readers that do not read: each message is held once, and for each
// reader no more than its output, up to HighWater and one packet, and entries of
// its queue. What does not fit is dropped, QoS 0 first, and counted; somebody who
// reads gets everything.
func TestFanOutToBlockedReaders(t *testing.T) {
	const (
		readers   = 1000
		highWater = 2 << 10
		queue     = 20
		payload   = 1 << 10
		messages  = 200
		entry     = 64 // of a queue, at most
	)
	cfg := broker.Config{}
	cfg.Server.HighWater = highWater
	cfg.Server.Queue = session.QueueLimits{Messages: queue}
	for _, qos := range []codec.QoS{codec.QoS0, codec.QoS1} {
		w := newWorld(t, cfg)
		var slow []*client
		for i := range readers {
			c := w.connect(bothVersions[i%2], clean(fmt.Sprint(i))).subscribed(filter("t", qos))
			w.b.SetWriteBlocked(w.now, c.h, true)
			slow = append(slow, c)
		}
		fast := w.connect(codec.V5, clean("fast")).subscribed(filter("t", 0))
		pub := w.connect(codec.V5, clean("pub"))
		p := publish("t", strings.Repeat("x", payload), qos)
		before := heap()
		got := 0
		for range messages {
			pub.send(p)
			got += len(fast.packets())
			pub.in = pub.in[:0]
		}
		held := heap() - before
		bound := messages*(payload+512) + readers*(highWater+payload+queue*entry)
		t.Logf("QoS %d: %d bytes held of at most %d", qos, held, bound)
		if held > bound {
			t.Errorf("QoS %d: %d bytes are held, at most %d were to be", qos, held, bound)
		}
		if got != messages {
			t.Errorf("QoS %d: the one who reads got %d messages", qos, got)
		}
		for _, c := range slow {
			w.b.SetWriteBlocked(w.now, c.h, false)
		}
		w.drain()
		left := 0
		for _, c := range slow {
			n := len(c.packets())
			if n < queue || n > queue+highWater/payload+1 {
				t.Fatalf("QoS %d: a reader got %d messages after the jam", qos, n)
			}
			left += n
		}
		s := w.b.Stats()
		if want := uint64(readers*messages - left); s.Dropped != want || qos == 0 && s.DroppedQoS0 != want {
			t.Errorf("QoS %d: %d dropped, %d of QoS 0, want %d", qos, s.Dropped, s.DroppedQoS0, want)
		}
	}
}

// heap returns the bytes that are in use.
func heap() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// What waits of QoS 0 goes before anything of QoS 1 does.
func TestQoS0GoesFirst(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.HighWater = 1
	cfg.Server.Queue = session.QueueLimits{Messages: 4}
	w := newWorld(t, cfg)
	c := w.connect(codec.V5, clean("c")).subscribed(filter("t", 1))
	w.b.SetWriteBlocked(w.now, c.h, true)
	pub := w.connect(codec.V5, clean("pub"))
	for i, qos := range []codec.QoS{1, 0, 0, 1, 0, 1, 1, 1, 0} {
		pub.send(publish("t", fmt.Sprint(i), qos))
	}
	w.b.SetWriteBlocked(w.now, c.h, false)
	w.drain()
	c.expect("t=0 q1", "t=3 q1", "t=5 q1", "t=6 q1", "t=7 q1")
	if s := w.b.Stats(); s.Dropped != 4 || s.DroppedQoS0 != 4 {
		t.Errorf("%+v", s)
	}
}

// A client that reads slowly is not silent as long as the broker says that it is not to
// be read from; one that reads what is written to it is, however much that is.
func TestSlowReaderKeepAlive(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		p := clean("c")
		p.KeepAlive = 10
		c := w.connect(v, p).subscribed(filter("t", 0))
		pub := w.connect(v, clean("pub"))
		flood := func() { pub.send(publish("t", strings.Repeat("x", 100_000), 0)) }
		w.pass(4 * time.Second)
		w.b.SetWriteBlocked(w.now, c.h, true)
		flood()
		if !w.b.InputPaused(c.h) {
			t.Fatal("not paused")
		}
		if w.pass(time.Hour); c.closed {
			t.Fatal(c.err)
		}
		w.b.SetWriteBlocked(w.now, c.h, false)
		w.drain()
		for range 10 {
			if w.pass(time.Second); c.closed {
				t.Fatal(c.err)
			}
			flood()
		}
		if w.pass(time.Second); !c.closed {
			t.Error("the Keep Alive is not watched any more")
		}
	}
}

// What is published together with the Tick that is the end of a silent client does not
// put that off.
func TestFloodBeforeTick(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		p := clean("c")
		p.KeepAlive = 10
		c := w.connect(v, p).subscribed(filter("t", 0))
		w.now = w.now.Add(15 * time.Second)
		if err := w.b.Publish(w.now, publish("t", strings.Repeat("x", 100_000), 0)); err != nil {
			t.Fatal(err)
		}
		w.b.Tick(w.now)
		if w.drain(); !c.closed {
			t.Error("not closed")
		}
	}
}
