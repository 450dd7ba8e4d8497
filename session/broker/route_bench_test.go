package broker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// BenchmarkRoute carries messages, 16 in one read, from one client to others that
// acknowledge them. It is the cost of one delivery without any I/O.
func BenchmarkRoute(bench *testing.B) {
	for _, receivers := range []int{1, 2, 10, 100} {
		for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
			for _, size := range []int{64, 16 << 10} {
				bench.Run(fmt.Sprintf("QoS%d/%dB/1to%d", qos, size, receivers), func(bench *testing.B) {
					r := newRoute(bench, broker.Config{}, codec.V311, qos, size, receivers)
					bench.ReportAllocs()
					bench.SetBytes(int64(size))
					for n := 0; n < bench.N; n += routed * receivers {
						r.round()
					}
				})
			}
		}
	}
}

const routed = 16

// route is a publisher and receivers that answer at once.
type route struct {
	w       *world
	pub     broker.Handle
	in      []byte // of the publisher
	release []byte
	answers map[broker.Handle][]byte
	ev      broker.Event
}

func newRoute(t testing.TB, cfg broker.Config, v codec.Version, qos codec.QoS, size, receivers int) *route {
	w := newWorld(t, cfg)
	w.cfg, w.disk = cfg, disk{}
	w.b = broker.New(cfg) // one that does not scrub
	r := &route{w: w, answers: make(map[broker.Handle][]byte)}
	for i := range receivers {
		c := w.connect(v, lasting(fmt.Sprint(i), v)).subscribed(filter("bench/topic", qos))
		r.answers[c.h] = nil
	}
	r.pub = w.connect(v, clean("pub")).h
	for id := range routed {
		p := publish("bench/topic", string(make([]byte, size)), qos)
		if qos > 0 {
			p.PacketID = uint32(id + 1)
		}
		r.in, _ = p.AppendTo(r.in, v)
		if qos == codec.QoS2 {
			r.release, _ = (&codec.Pubrel{PacketID: uint32(id + 1)}).AppendTo(r.release, v)
		}
	}
	return r
}

// round sends what the publisher has, and answers until all is quiet.
func (r *route) round() {
	r.w.b.Receive(r.w.now, r.pub, r.in)
	r.serve()
	if len(r.release) > 0 {
		r.w.b.Receive(r.w.now, r.pub, r.release)
	}
	for more := true; more; {
		more = false
		for h, b := range r.answers {
			if len(b) > 0 {
				r.w.b.Receive(r.w.now, h, b)
				more = true
			}
		}
		r.serve()
	}
}

func (r *route) serve() {
	for h, b := range r.answers {
		if len(b) > 0 {
			r.answers[h] = b[:0]
		}
	}
	for ev := &r.ev; r.w.b.NextInto(ev); {
		if ev.Kind == events.Close {
			r.w.t.Fatal(ev.Err)
		}
		if b, ok := r.answers[ev.Conn]; ok && ev.Kind == events.Write {
			r.answers[ev.Conn] = answer(b, ev.Data)
		}
	}
}

// answer appends the acknowledgements of what was written.
func answer(b []byte, data [][]byte) []byte {
	skip := 0
	for _, seg := range data {
		for {
			if skip >= len(seg) {
				skip -= len(seg)
				break
			}
			h, n, err := codec.Frame(seg[skip:], 0)
			if err != nil {
				panic(err)
			}
			if n == 0 {
				n = h.Size()
			}
			p := seg[skip:]
			switch {
			case h.Type == codec.TypePublish && p[0]&0x06 != 0:
				at := h.Len + 2 + (int(p[h.Len])<<8 | int(p[h.Len+1]))
				kind := byte(codec.TypePuback)
				if p[0]&0x04 != 0 {
					kind = byte(codec.TypePubrec)
				}
				b = append(b, kind<<4, 2, p[at], p[at+1])
			case h.Type == codec.TypePubrel:
				b = append(b, byte(codec.TypePubcomp)<<4, 2, p[h.Len], p[h.Len+1])
			}
			skip += n
		}
	}
	return b
}

// BenchmarkRouteAmong is the cost of one message, from read to write, among few
// and among many subscriptions, each to another topic, all of which get messages
// at random.
func BenchmarkRouteAmong(bench *testing.B) {
	for _, n := range []int{1000, 1_000_000} {
		r := newRoute(bench, broker.Config{}, codec.V311, codec.QoS0, 64, 1)
		c := r.w.connect(codec.V311, clean("among"))
		r.answers[c.h] = nil
		for i := 0; i < n; i += 1000 {
			var filters []codec.Subscription
			for j := i; j < i+1000; j++ {
				filters = append(filters, filter(fmt.Sprintf("site/%d/device/%d/temperature", j%1000, j/1000), 0))
			}
			c.send(subscribe(filters...))
			c.in = c.in[:0]
		}
		reads := make([][]byte, 1<<12)
		order := rand.New(rand.NewPCG(1, 2))
		for i := range reads {
			for range routed {
				j := order.IntN(n)
				p := publish(fmt.Sprintf("site/%d/device/%d/temperature", j%1000, j/1000), string(make([]byte, 64)), 0)
				reads[i], _ = p.AppendTo(reads[i], codec.V311)
			}
		}
		bench.Run(fmt.Sprint(n), func(bench *testing.B) {
			for i := 0; i < bench.N; i += routed {
				r.in = reads[i/routed%len(reads)]
				r.round()
			}
		})
	}
}
