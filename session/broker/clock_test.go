package broker_test

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
	"github.com/mqttcore/mqttcore/session/internal/wallclock"
)

const year = 365 * 24 * time.Hour

var steps = []time.Duration{0, time.Second, -time.Second, 2 * time.Hour, -2 * time.Hour, 50 * year, -50 * year}

// realTime returns a world whose times have monotonic readings.
func realTime(t testing.TB) *world {
	w := durable(t, broker.Config{})
	w.now = wallclock.From(start)
	return w
}

// set moves the wall clock, and lets the broker see it.
func (w *world) set(step time.Duration) {
	w.t.Helper()
	w.now = wallclock.Set(w.now, step)
	w.b.Tick(w.now)
	w.drain()
}

// lifetime is something that ends after some time. prepare returns how it begins
// and whether it still lasts.
type lifetime struct {
	name    string
	life    time.Duration
	stored  bool
	prepare func(*world) (begin func(), lasts func() bool)
}

var lifetimes = []lifetime{
	{"Session Expiry Interval", time.Hour, true, func(w *world) (func(), func() bool) {
		c := w.connect(codec.V5, lasting("c", codec.V5))
		return c.drop, func() bool { return w.b.Stats().Sessions == 1 }
	}},
	{"Message Expiry Interval", 100 * time.Second, true, func(w *world) (func(), func() bool) {
		c := w.connect(codec.V311, lasting("c", codec.V311)).subscribed(filter("t", 1))
		begin := func() {
			c.drop()
			w.connect(codec.V5, clean("pub")).send(expires(publish("t", "x", 1), 100))
		}
		return begin, func() bool { return len(w.connect(codec.V311, lasting("c", codec.V311)).packets()) == 1 }
	}},
	{"Message Expiry Interval of a retained message", 100 * time.Second, true, func(w *world) (func(), func() bool) {
		c := w.connect(codec.V5, clean("pub"))
		begin := func() { c.send(expires(retained("t", "x", 1), 100)) }
		return begin, func() bool { return w.b.Stats().Retained == 1 }
	}},
	{"Will Delay Interval", 100 * time.Second, true, func(w *world) (func(), func() bool) {
		c := w.connect(codec.V5, withWill(lasting("c", codec.V5), "will", 100))
		return c.drop, func() bool { return w.b.Stats().Wills == 1 }
	}},
	{"Keep Alive", 90 * time.Second, false, func(w *world) (func(), func() bool) {
		p := clean("c")
		p.KeepAlive = 60
		c := w.connect(codec.V311, p)
		return func() { c.send(&codec.Pingreq{}) }, func() bool { return !c.closed }
	}},
	{"time for CONNECT", 10 * time.Second, false, func(w *world) (func(), func() bool) {
		var c *client
		return func() { c = w.open(codec.V5) }, func() bool { return !c.closed }
	}},
}

func expires(p *codec.Publish, seconds uint32) *codec.Publish {
	p.Properties.MessageExpiryInterval = codec.Some(seconds)
	return p
}

// Everything lasts as long as it should, whenever the wall clock is set while a
// broker runs, and the broker may be another one afterwards.
func TestClockIsSet(t *testing.T) {
	for _, when := range []struct {
		name  string
		alive bool // what is not stored begins before it too
		run   func(w *world, step time.Duration, prepare func() (begin func()))
	}{
		{"before it begins", true, func(w *world, step time.Duration, prepare func() func()) {
			begin := prepare()
			w.set(step)
			begin()
		}},
		{"while it lasts", true, func(w *world, step time.Duration, prepare func() func()) {
			prepare()()
			w.set(step)
		}},
		{"before it begins, after a restart", true, func(w *world, step time.Duration, prepare func() func()) {
			w.restart()
			begin := prepare()
			w.set(step)
			begin()
		}},
		{"while it lasts, after a restart", true, func(w *world, step time.Duration, prepare func() func()) {
			w.restart()
			prepare()()
			w.set(step)
		}},
		{"before it begins and before a restart", false, func(w *world, step time.Duration, prepare func() func()) {
			begin := prepare()
			w.set(step)
			begin()
			w.restart()
		}},
		{"before a restart", false, func(w *world, step time.Duration, prepare func() func()) {
			prepare()()
			w.set(step)
			w.restart()
		}},
		{"after a restart", false, func(w *world, step time.Duration, prepare func() func()) {
			prepare()()
			w.restart()
			w.set(step)
		}},
		{"before and after a restart", false, func(w *world, step time.Duration, prepare func() func()) {
			prepare()()
			w.set(step)
			w.restart()
			w.set(-step)
			w.restart()
		}},
	} {
		for _, x := range lifetimes {
			if !x.stored && !when.alive {
				continue
			}
			for _, step := range steps {
				for _, passed := range []time.Duration{x.life - 2*time.Second, x.life + 2*time.Second} {
					t.Run(fmt.Sprintf("%s/%s/%v/%v", x.name, when.name, step, passed), func(t *testing.T) {
						w := realTime(t)
						// Something that expires is stored and due first.
						first := w.connect(codec.V5, clean("first"))
						first.send(expires(retained("first", "x", 1), 1))
						first.drop()
						w.pass(time.Second)
						var lasts func() bool
						when.run(w, step, func() (begin func()) {
							begin, lasts = x.prepare(w)
							return begin
						})
						w.pass(passed)
						if got, want := lasts(), passed < x.life; got != want {
							t.Errorf("it lasts: %v, want %v", got, want)
						}
					})
				}
			}
		}
	}
}

// What the wall clock went on by while there was no broker has passed. It cannot
// have gone back.
func TestClockIsSetMeanwhile(t *testing.T) {
	for _, x := range lifetimes {
		for _, step := range steps {
			left := x.life - max(0, step)
			for _, passed := range []time.Duration{left - 2*time.Second, left + 2*time.Second} {
				if !x.stored || passed < 0 {
					continue
				}
				w := realTime(t)
				w.connect(codec.V5, lasting("first", codec.V5)).drop() // tells the time
				begin, lasts := x.prepare(w)
				w.connect(codec.V5, lasting("first", codec.V5)).send(&codec.Disconnect{Properties: codec.DisconnectProperties{SessionExpiryInterval: codec.Some(uint32(1))}})
				begin()
				w.now = wallclock.Set(w.now, step)
				w.restart()
				w.pass(passed)
				if got, want := lasts(), passed < left; got != want {
					t.Errorf("%s, step %v, %v later: it lasts: %v, want %v", x.name, step, passed, got, want)
				}
			}
		}
	}
}

// A machine without a clock of its own begins each time at the same time, and is
// told later how late it is. A session lives as long as the broker runs, and what
// the wall clock says of the times between.
func TestClockBeginsAnew(t *testing.T) {
	w := realTime(t)
	boot := func() { w.now = wallclock.From(time.Unix(5, 0)) }
	boot()
	w.connect(codec.V5, clean("first"))
	for range 5 {
		w.set(56 * year)
		w.connect(codec.V5, lasting("c", codec.V5)).drop() // 1 h
		w.pass(30 * time.Minute)
		boot()
		w.restart()
		w.pass(29 * time.Minute)
		w.set(56 * year)
		w.present(codec.V5, lasting("c", codec.V5), true).drop()
		w.restart()
		w.pass(50 * time.Minute)
		if w.b.Stats().Sessions != 1 {
			t.Fatal("the session ended early")
		}
		w.now = w.now.Add(11 * time.Minute)
		w.restart()
		if w.b.Stats().Sessions != 0 {
			t.Fatal("the session did not end")
		}
		boot()
		w.restart()
	}
}

// A driver that waits until the time of Timer does not wait longer when the wall
// clock is set.
func TestClockOfTimer(t *testing.T) {
	w := realTime(t)
	w.connect(codec.V5, lasting("c", codec.V5)).drop()
	w.restart()
	for _, at := range []time.Time{w.b.Deadline(), w.timer} {
		for _, step := range steps {
			if d := at.Sub(wallclock.Set(w.now, step)); d != time.Hour {
				t.Errorf("step %v: %v until %v", step, d, at)
			}
		}
	}
}

// Where there are no monotonic readings, as in a simulation, times are as they come.
func TestClockIsVirtual(t *testing.T) {
	w := durable(t, broker.Config{})
	w.connect(codec.V5, lasting("c", codec.V5)).drop()
	if d := w.b.Deadline(); d != start.Add(time.Hour) {
		t.Errorf("deadline %v", d)
	}
	if _, ok := w.disk["c"]; ok {
		t.Error("a step of the clock is stored")
	}
}

// Times that are stored and lie centuries away never come.
func TestClockCenturiesAway(t *testing.T) {
	w := realTime(t)
	w.connect(codec.V5, lasting("c", codec.V5)).drop()
	w.connect(codec.V5, clean("pub")).send(expires(retained("t", "x", 1), 60))
	const far = 1 << 60
	for key, value := range w.disk {
		value := []byte(value)
		switch {
		case key[0] == 'r':
			_, n := binary.Uvarint(value)
			w.disk[key] = string(append(binary.AppendUvarint(nil, far), value[n:]...))
		case key[9] == 'm': // the number of a payload, the kind, the interval, the end
			_, n := binary.Uvarint(value[2:])
			_, m := binary.Uvarint(value[2+n:])
			w.disk[key] = string(append(binary.AppendUvarint(value[:2+n:2+n], far), value[2+n+m:]...))
		}
	}
	w.restart()
	w.pass(2 * time.Hour)
	w.connect(codec.V5, clean("idle")).drop()
	if s := w.b.Stats(); s.Sessions != 1 || s.Retained != 1 || !w.b.Deadline().IsZero() {
		t.Errorf("%+v, deadline %v", s, w.b.Deadline())
	}
}
