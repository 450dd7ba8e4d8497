package broker_test

import (
	"fmt"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// Routing allocates nothing once everything has been there before: neither for
// one receiver nor for many, in any QoS and version, stored or not. The only
// exception are the chunks of 16 KiB that hold what is encoded for several
// receivers: these are not used again, as Writes refer to them.
func TestRouteAllocates(t *testing.T) {
	for _, persist := range []bool{false, true} {
		for _, v := range bothVersions {
			for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
				for _, receivers := range []int{1, 2, 100} {
					for _, size := range []int{20, 1000} {
						t.Run(fmt.Sprintf("persist %v/%v/QoS %d/1:%d/%d bytes", persist, v, qos, receivers, size), func(t *testing.T) {
							if receivers == 100 && (testing.Short() || persist && v.IsV5() != (size == 1000)) {
								t.Skip("takes a second")
							}
							cfg := broker.Config{}
							cfg.Server.Persist = persist
							r := newRoute(t, cfg, v, qos, size, receivers)
							for range 20 + 4*receivers {
								r.round()
							}
							chunks := 0.0
							if receivers > 1 {
								chunks = float64(routed*(size+50)/(16<<10) + 1)
							}
							if n := testing.AllocsPerRun(10, r.round); n > chunks {
								t.Errorf("%v allocations for %d messages", n, routed)
							}
						})
					}
				}
			}
		}
	}
}

// The same goes for shared subscriptions, with what is stored of what is lent.
func TestRouteSharedAllocates(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		for _, size := range []int{20, 500} {
			cfg := broker.Config{}
			cfg.Server.Persist = true
			r := newRoute(t, cfg, codec.V5, qos, size, 0)
			for i := range 3 {
				c := r.w.connect(codec.V5, lasting(fmt.Sprint(i), codec.V5)).subscribed(filter("$share/g/bench/topic", qos))
				r.answers[c.h] = nil
			}
			for range 40 {
				r.round()
			}
			if n := testing.AllocsPerRun(10, r.round); n > 0 {
				t.Errorf("QoS %d, %d bytes: %v allocations for %d messages", qos, size, n, routed)
			}
		}
	}
}
