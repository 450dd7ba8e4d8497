package session_test

import (
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkPair sends 16 messages from a client to a server and back the
// acknowledgements, and beside it what encoding and decoding the same packets
// costs alone. The ratio of the two is measured in turns, so that a busy
// machine does not change it.
func BenchmarkPair(b *testing.B) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for qos := range codec.QoS(3) {
			name := v.String() + " QoS " + string(rune('0'+qos))
			b.Run(name+"/session", func(b *testing.B) { benchmarkBatch(b, pairBatch(b, v, qos)) })
			b.Run(name+"/codec", func(b *testing.B) { benchmarkBatch(b, codecBatch(b, v, qos)) })
			b.Run(name+"/ratio", func(b *testing.B) { benchmarkRatio(b, pairBatch(b, v, qos), codecBatch(b, v, qos)) })
		}
	}
}

const batchSize = 16

// benchmarkBatch measures a function that handles batchSize messages.
func benchmarkBatch(b *testing.B, batch func()) {
	b.ReportAllocs()
	for b.Loop() {
		batch()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(batchSize*b.N), "ns/message")
}

// benchmarkRatio reports how much longer one function takes than the other: the
// median of many short turns.
func benchmarkRatio(b *testing.B, one, other func()) {
	turn := func(f func()) time.Duration {
		began := time.Now()
		for range 16 {
			f()
		}
		return time.Since(began)
	}
	var ratios []float64
	for b.Loop() {
		ratios = append(ratios, float64(turn(one))/float64(turn(other)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "times")
	b.ReportMetric(0, "ns/op")
}

// benchMessages returns two messages, so that no two in a row are the same one.
func benchMessages(v codec.Version, qos codec.QoS) (both [2]*codec.Publish) {
	for i := range both {
		p := &codec.Publish{Topic: codec.Bytes("a/topic/of/24/characters"), QoS: qos, Payload: make(codec.Bytes, 64)}
		if v.IsV5() {
			p.Properties.ContentType = codec.Text("text/plain")
			p.Properties.UserProperties.Add("name", "value")
		}
		both[i] = p
	}
	return both
}

// pairBatch returns a function that sends messages through a pair of sessions.
func pairBatch(b *testing.B, v codec.Version, qos codec.QoS) func() {
	c := session.NewClient(session.ClientConfig{Version: v})
	s := session.NewServer(session.ServerConfig{})
	s.Open(start)
	if err := c.Connect(start, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true}); err != nil {
		b.Fatal(err)
	}
	var ev events.Event
	exchange := func() (messages int) {
		for busy := true; busy; {
			busy = false
			for c.NextInto(&ev) {
				if ev.Kind == events.Write {
					s.Receive(start, ev.Data[0])
					busy = true
					break
				}
			}
			for s.NextInto(&ev) {
				switch ev.Kind {
				case events.Connect:
					if err := s.Accept(start, nil, nil); err != nil {
						b.Fatal(err)
					}
				case events.Message:
					messages++
				case events.Write:
					c.Receive(start, ev.Data[0])
					busy = true
				}
				if ev.Kind == events.Write {
					break
				}
			}
		}
		return messages
	}
	exchange()
	p := benchMessages(v, qos)
	return func() {
		for i := range batchSize {
			if _, err := c.PublishShared(start, p[i%2], session.Delivery{QoS: qos}); err != nil {
				b.Fatal(err)
			}
		}
		if n := exchange(); n != batchSize || c.Inflight() != 0 {
			b.Fatal(n, c.Inflight())
		}
	}
}

// codecBatch returns a function that encodes and decodes the same packets.
func codecBatch(b *testing.B, v codec.Version, qos codec.QoS) func() {
	messages := benchMessages(v, qos)
	var acks []codec.Packet
	switch qos {
	case codec.QoS1:
		acks = []codec.Packet{&codec.Puback{PacketID: 1}}
	case codec.QoS2:
		acks = []codec.Packet{&codec.Pubrec{PacketID: 1}, &codec.Pubrel{PacketID: 1}, &codec.Pubcomp{PacketID: 1}}
	}
	if qos > 0 {
		messages[0].PacketID, messages[1].PacketID = 1, 1
	}
	var decoder codec.Decoder
	var buf []byte
	both := func(p codec.Packet) {
		var err error
		if buf, err = p.AppendTo(buf[:0], v); err != nil {
			b.Fatal(err)
		}
		h, n, err := codec.Frame(buf, 0)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := decoder.Decode(h, buf[h.Len:n], v); err != nil {
			b.Fatal(err)
		}
	}
	return func() {
		for i := range batchSize {
			both(messages[i%2])
			for _, p := range acks {
				both(p)
			}
		}
	}
}
