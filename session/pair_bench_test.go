package session_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkPair sends 16 messages from a client to a server and back the
// acknowledgements, and beside it what encoding and decoding the same packets
// costs alone.
func BenchmarkPair(b *testing.B) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for qos := range codec.QoS(3) {
			name := v.String() + " QoS " + string(rune('0'+qos))
			b.Run(name+"/session", func(b *testing.B) { benchmarkPair(b, v, qos) })
			b.Run(name+"/codec", func(b *testing.B) { benchmarkCodec(b, v, qos) })
		}
	}
}

func benchMessage(v codec.Version, qos codec.QoS) *codec.Publish {
	p := &codec.Publish{Topic: codec.Bytes("a/topic/of/24/characters"), QoS: qos, Payload: make(codec.Bytes, 64)}
	if v.IsV5() {
		p.Properties.ContentType = codec.Text("text/plain")
		p.Properties.UserProperties.Add("name", "value")
	}
	return p
}

func benchmarkPair(b *testing.B, v codec.Version, qos codec.QoS) {
	c := session.NewClient(session.ClientConfig{Version: v})
	s := session.NewServer(session.ServerConfig{})
	s.Open(start)
	if err := c.Connect(start, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true}); err != nil {
		b.Fatal(err)
	}
	exchange := func() (messages int) {
		for busy := true; busy; {
			busy = false
			for { // in this form no event is copied once more
				ev, ok := c.Next()
				if ev.Kind == events.Write {
					s.Receive(start, ev.Data[0])
					busy = true
				}
				if !ok || ev.Kind == events.Write {
					break
				}
			}
			for {
				ev, ok := s.Next()
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
				if !ok || ev.Kind == events.Write {
					break
				}
			}
		}
		return messages
	}
	exchange()
	p := benchMessage(v, qos)
	b.ReportAllocs()
	for b.Loop() {
		for range 16 {
			if _, err := c.PublishShared(start, p, session.Delivery{QoS: qos}); err != nil {
				b.Fatal(err)
			}
		}
		if n := exchange(); n != 16 || c.Inflight() != 0 {
			b.Fatal(n, c.Inflight())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(16*b.N), "ns/message")
}

func benchmarkCodec(b *testing.B, v codec.Version, qos codec.QoS) {
	p := benchMessage(v, qos)
	packets := []codec.Packet{p}
	switch qos {
	case codec.QoS1:
		p.PacketID = 1
		packets = append(packets, &codec.Puback{PacketID: 1})
	case codec.QoS2:
		p.PacketID = 1
		packets = append(packets, &codec.Pubrec{PacketID: 1}, &codec.Pubrel{PacketID: 1}, &codec.Pubcomp{PacketID: 1})
	}
	var decoder codec.Decoder
	var buf []byte
	for b.Loop() {
		for range 16 {
			for _, p := range packets {
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
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(16*b.N), "ns/message")
}
