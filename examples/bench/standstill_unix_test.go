//go:build unix

package main

import (
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// A broker that stands still for longer than it takes until there is doubt has
// lost nothing, be it on its own account or as a process.
func TestStandstill(t *testing.T) {
	const long = 3 * patience
	check := func(t *testing.T, args string, n int64) {
		if r, err := bench1(t, args); err != nil || r.Received != n || r.Lost != 0 {
			t.Errorf("%+v, error %v", r, err)
		}
	}
	t.Run("broker", func(t *testing.T) {
		t.Parallel()
		fake, port := newFake(t)
		fake.fault = func(n int) (int, bool) {
			if n == 50 {
				time.Sleep(long)
			}
			return 1, false
		}
		check(t, "-n 100 -p "+port, 100)
	})
	t.Run("process", func(t *testing.T) {
		t.Parallel()
		broker, port := programtest.Broker(t)
		defer time.AfterFunc(patience/2, func() { broker.Signal(syscall.SIGSTOP) }).Stop()
		defer time.AfterFunc(patience/2+long, func() { broker.Signal(syscall.SIGCONT) }).Stop()
		check(t, "-n 200 --rate 200 -p "+port, 200)
	})
}
