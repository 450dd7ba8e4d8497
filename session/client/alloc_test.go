package client_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

// steadyClient returns a client that is connected and has three subscriptions,
// and a server for it.
func steadyClient(t testing.TB, v codec.Version, h client.Handler) (*client.Client, *session.Server) {
	t.Helper()
	r := newRig(t)
	r.version = v
	r.command(`client {"ClientID":"c"}`)
	for _, f := range []string{"other/+/x", "a/#", "b/+"} {
		if err := r.c.Subscribe(start, h, codec.Subscription{Filter: codec.Bytes(f), QoS: codec.QoS2}); err != nil {
			t.Fatal(err)
		}
	}
	r.command("up")
	r.drain()
	return r.c, r.s
}

// pipe moves bytes between the two until there are none left.
func pipe(c *client.Client, s *session.Server) {
	for busy := true; busy; {
		busy = false
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			if ev.Kind == client.Write {
				busy = true
				for _, b := range ev.Data {
					s.Receive(start, b)
					for ev, ok := s.Next(); ok; ev, ok = s.Next() {
						if ev.Kind == events.Write {
							for _, b := range ev.Data {
								c.Receive(start, b)
							}
						}
					}
				}
			}
		}
	}
}

// Nothing is allocated from the bytes of a message to its handler, with
// Subscription Identifiers and without, nor for messages that are published
// from within it.
func TestAllocations(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    codec.Version
		qos  codec.QoS
		ids  []uint32
		want int
	}{
		{"v3.1.1 QoS 0", codec.V311, codec.QoS0, nil, 1},
		{"v3.1.1 QoS 1", codec.V311, codec.QoS1, nil, 1},
		{"v5.0 by topic", codec.V5, codec.QoS1, nil, 1},
		{"v5.0 by identifier", codec.V5, codec.QoS1, []uint32{2}, 1},
		{"v5.0 two identifiers, QoS 2", codec.V5, codec.QoS2, []uint32{2, 3}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			c, _ := steadyClient(t, tt.v, func(time.Time, client.Incoming) { calls++ })
			var in []byte
			for i := range uint32(16) {
				p := &codec.Publish{Topic: codec.Bytes("a/topic/of/24/characters"), QoS: tt.qos, Payload: make(codec.Bytes, 64)}
				if tt.qos > 0 {
					p.PacketID = i + 1
				}
				for _, id := range tt.ids {
					p.Properties.SubscriptionIdentifiers.Add(id)
				}
				in = encode(t, in, p, tt.v)
			}
			if tt.qos == codec.QoS2 {
				for i := range uint32(16) {
					in = encode(t, in, &codec.Pubrel{PacketID: i + 1}, tt.v)
				}
			}
			allocs := testing.AllocsPerRun(100, func() {
				c.Receive(start, in)
				for _, ok := c.Next(); ok; _, ok = c.Next() {
				}
			})
			if allocs != 0 {
				t.Errorf("%v allocations for 16 messages", allocs)
			}
			if calls != 101*16*tt.want {
				t.Errorf("%d calls of the handler", calls)
			}
		})
	}
}

// Messages of QoS 0 that are published have their outcome for nothing, and
// those from within a handler too.
func TestAllocationsPublish(t *testing.T) {
	var c *client.Client
	reply := &codec.Publish{Topic: codec.Bytes("reply"), Payload: make(codec.Bytes, 64)}
	c, s := steadyClient(t, codec.V5, func(now time.Time, m client.Incoming) {
		if _, err := c.Publish(now, reply); err != nil {
			t.Error(err)
		}
	})
	in := encode(t, nil, &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 64)}, codec.V5)
	allocs := testing.AllocsPerRun(100, func() {
		for range 16 {
			c.Receive(start, in)
			pipe(c, s)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func encode(t testing.TB, dst []byte, p codec.Packet, v codec.Version) []byte {
	t.Helper()
	b, err := p.AppendTo(dst, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func BenchmarkHandler(b *testing.B) {
	c, _ := steadyClient(b, codec.V5, func(time.Time, client.Incoming) {})
	var in []byte
	for range 16 {
		p := &codec.Publish{Topic: codec.Bytes("a/topic/of/24/characters"), Payload: make(codec.Bytes, 64)}
		p.Properties.SubscriptionIdentifiers.Add(2)
		in = encode(b, in, p, codec.V5)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Receive(start, in)
		for _, ok := c.Next(); ok; _, ok = c.Next() {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/16, "ns/message")
}
