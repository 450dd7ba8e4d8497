package broker_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// What is dropped to make room is not stored any longer, whether its client is
// away or does not acknowledge, and neither is a payload that it alone needed.
// Messages of shared subscriptions are forgotten with it.
func TestDroppedIsNotStored(t *testing.T) {
	const kept = 3
	for _, filterOf := range []string{"t", "$share/g/t"} {
		for _, away := range []bool{true, false} {
			t.Run(fmt.Sprint(filterOf, " away ", away), func(t *testing.T) {
				cfg := broker.Config{}
				cfg.Server.Queue = session.QueueLimits{Messages: kept, Policy: session.QueueDropOldest}
				w := durable(t, cfg)
				want := 2 * kept
				if !away {
					want += 2 // in flight
				}
				for _, id := range []string{"a", "b"} {
					p := lasting(id, codec.V5)
					p.Properties.ReceiveMaximum = codec.Some(uint16(1))
					if c := w.connect(codec.V5, p).subscribed(filter(filterOf, 1)); away {
						c.drop()
					}
				}
				pub := w.connect(codec.V5, clean("pub"))
				var size []int
				for i := range 40 {
					pub.send(publish("t", fmt.Sprintf("%100d", i), 1))
					size = append(size, w.disk.size())
				}
				if size := size[20:]; slices.Max(size) > size[0] {
					t.Errorf("what is stored grows from %d to %d bytes", size[0], slices.Max(size))
				}
				w.restart()
				if n := w.b.Stats().Waiting; n != want {
					t.Errorf("%d messages after Restore, want %d", n, want)
				}
			})
		}
	}
}
