package session_test

import (
	"fmt"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkFanOut sends one message to many servers that share their memory,
// and pulls the Write of each.
func BenchmarkFanOut(b *testing.B) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for qos := range codec.QoS(2) {
			for _, receivers := range []int{100, 1000} {
				for _, size := range []int{64, 1 << 10, 16 << 10} {
					b.Run(fmt.Sprintf("%v QoS %d/1:%d/%d bytes", v, qos, receivers, size), func(b *testing.B) {
						benchmarkFanOut(b, v, qos, receivers, size)
					})
				}
			}
		}
	}
}

func benchmarkFanOut(b *testing.B, v codec.Version, qos codec.QoS, receivers, size int) {
	var shared session.Shared
	servers := make([]*session.Server, receivers)
	for i := range servers {
		servers[i] = connected(b, v, session.Config{Shared: &shared})
	}
	messages := benchMessages(v, qos)
	messages[0].Payload, messages[1].Payload = make(codec.Bytes, size), make(codec.Bytes, size)
	puback := make([]byte, 0, 4)
	var ev events.Event
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		for _, s := range servers {
			if _, err := s.PublishShared(start, messages[n%2], session.Delivery{QoS: qos}); err != nil {
				b.Fatal(err)
			}
		}
		for _, s := range servers {
			for s.NextInto(&ev) {
				if ev.Kind == events.Write && ev.Size < int64(size) {
					b.Fatal(ev)
				}
			}
			if qos == codec.QoS0 {
				continue
			}
			puback = append(puback[:0], 0x40, 2, byte(uint16(n%65535+1)>>8), byte(n%65535+1))
			s.Receive(start, puback)
			for s.NextInto(&ev) {
			}
			if s.Inflight() != 0 {
				b.Fatal("not acknowledged", n)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(receivers*b.N), "ns/delivery")
}

// connected returns a server after CONNECT and CONNACK.
func connected(t testing.TB, v codec.Version, cfg session.Config) *session.Server {
	t.Helper()
	s := session.NewServer(session.ServerConfig{Config: cfg})
	s.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true}, v))
	drain(s)
	if err := s.Accept(start, nil, nil); err != nil {
		t.Fatal(err)
	}
	drain(s)
	return s
}
