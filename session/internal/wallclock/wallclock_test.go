package wallclock

import (
	"testing"
	"time"
)

// Times are compared by their monotonic readings, and say what the wall clock does.
func TestSet(t *testing.T) {
	start := From(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	for _, step := range []time.Duration{0, time.Nanosecond, -time.Second, 2 * time.Hour, -50 * 365 * 24 * time.Hour} {
		now := Set(start, step).Add(time.Minute)
		if d := now.Sub(start); d != time.Minute {
			t.Errorf("step %v: %v later", step, d)
		}
		if d := now.Round(0).Sub(start.Round(0)); d != step+time.Minute {
			t.Errorf("step %v: the wall clock went on by %v", step, d)
		}
	}
}
