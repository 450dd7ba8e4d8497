package programtest

import (
	"testing"
	"time"
)

// Patiently calls f with a time, and with twice as much as often as f finds
// something wrong, four times in all. What is only late, on a machine that is
// busy, is in time with one of them; what is wrong is so with each.
func Patiently(t testing.TB, d time.Duration, f func(d time.Duration) error) {
	t.Helper()
	const attempts = 4
	for attempt := 1; ; attempt++ {
		err := f(d)
		switch {
		case err == nil:
			return
		case attempt == attempts:
			t.Fatalf("with %v: %v", d, err)
		}
		t.Logf("with %v: %v", d, err)
		d *= 2
	}
}
