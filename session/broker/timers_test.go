package broker_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// A driver whose timer goes off a moment too early is told the deadline again, as
// often as it takes.
func TestEarlyTick(t *testing.T) {
	w := newWorld(t, broker.Config{})
	p := clean("c")
	p.KeepAlive = 10
	c := w.connect(codec.V5, p)
	w.connect(codec.V5, withWill(lasting("will", codec.V5), "t", 5)).drop()
	at := w.timer
	for range 20 {
		w.now = at.Add(-time.Microsecond)
		w.b.Tick(w.now)
		at = time.Time{}
		for ev := range w.b.Events() {
			if ev.Kind == events.Timer {
				at = ev.Deadline
			}
		}
		if at.IsZero() {
			t.Fatal("the deadline was not told again")
		}
		if !at.After(w.now) {
			t.Fatalf("deadline %v at %v", at, w.now)
		}
		w.now = at
		w.b.Tick(at)
		at = time.Time{}
		for ev := range w.b.Events() {
			switch ev.Kind {
			case events.Timer:
				at = ev.Deadline
			case events.Close:
				if ev.Conn != c.h || w.now.Sub(start) != 15*time.Second {
					t.Errorf("Close of %v after %v", ev.Client.ID, w.now.Sub(start))
				}
				return
			}
		}
	}
	t.Error("the Keep Alive is not enforced")
}
