package session_test

import (
	"runtime"
	"strconv"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// up returns a client that is connected, by way of a CONNACK with the given
// properties.
func up(t testing.TB, cfg session.ClientConfig, p codec.ConnackProperties) *session.Client {
	t.Helper()
	c := session.NewClient(cfg)
	connect := &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true, KeepAlive: 60}
	if cfg.Version.IsV5() {
		connect.Properties.TopicAliasMaximum = codec.Some(uint16(10))
	}
	if err := c.Connect(start, connect); err != nil {
		t.Fatal(err)
	}
	drain(c)
	c.Receive(start, encode(t, &codec.Connack{Properties: p}, cfg.Version))
	drain(c)
	if c.Status() != session.StatusConnected {
		t.Fatal("not connected")
	}
	return c
}

func encode(t testing.TB, p codec.Packet, v codec.Version) []byte {
	t.Helper()
	b, err := p.AppendTo(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// drain pulls all events and returns the number of bytes to write.
func drain(c conn) (written int64) {
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		if ev.Kind == events.Write {
			written += ev.Size
		}
	}
	return written
}

// steady is what a connection does again and again.
type steady struct {
	name string
	run  func(testing.TB) func()
}

func steadyStates() []steady {
	message := func(qos codec.QoS, properties bool, id uint32) *codec.Publish {
		p := &codec.Publish{Topic: codec.Bytes("a/topic/of/24/characters"), QoS: qos, PacketID: id, Payload: make(codec.Bytes, 64)}
		if properties {
			p.Properties.ContentType = codec.Text("text/plain")
			p.Properties.ResponseTopic = codec.Text("reply/to")
			p.Properties.CorrelationData = codec.Text("1234")
			p.Properties.UserProperties.Add("name", "value")
		}
		return p
	}
	receive := func(v codec.Version, qos codec.QoS, properties bool) func(testing.TB) func() {
		return func(t testing.TB) func() {
			c := up(t, session.ClientConfig{Version: v}, codec.ConnackProperties{})
			var in []byte
			for id := range uint32(16) {
				var pid uint32
				if qos > 0 {
					pid = id + 1
				}
				in = append(in, encode(t, message(qos, properties, pid), v)...)
			}
			if qos == codec.QoS2 {
				for id := range uint32(16) {
					in = append(in, encode(t, &codec.Pubrel{PacketID: id + 1}, v)...)
				}
			}
			return func() {
				c.Receive(start, in)
				if n := drain(c); (n > 0) != (qos > 0) {
					t.Fatal(n, "bytes written")
				}
			}
		}
	}
	send := func(v codec.Version, qos codec.QoS, properties, alias bool) func(testing.TB) func() {
		return func(t testing.TB) func() {
			cfg := session.ClientConfig{Version: v}
			var props codec.ConnackProperties
			if alias {
				cfg.TopicAliases = session.AliasAuto
				props.TopicAliasMaximum = codec.Some(uint16(10))
			}
			c := up(t, cfg, props)
			m := message(qos, properties, 0)
			var puback codec.Puback
			var pubrec codec.Pubrec
			var pubcomp codec.Pubcomp
			var next uint32
			in := make([]byte, 0, 1024)
			return func() {
				for range 16 {
					if _, err := c.PublishShared(start, m, session.Delivery{QoS: qos}); err != nil {
						t.Fatal(err)
					}
				}
				if drain(c) == 0 {
					t.Fatal("nothing written")
				}
				in = in[:0]
				for range 16 {
					next = next%65535 + 1
					puback.PacketID, pubrec.PacketID, pubcomp.PacketID = next, next, next
					switch qos {
					case codec.QoS1:
						in, _ = puback.AppendTo(in, v)
					case codec.QoS2:
						in, _ = pubrec.AppendTo(in, v)
						in, _ = pubcomp.AppendTo(in, v)
					}
				}
				c.Receive(start, in)
				drain(c)
				if c.Inflight() != 0 || c.Status() != session.StatusConnected {
					t.Fatal("messages left", c.Inflight(), c.Status())
				}
			}
		}
	}
	return []steady{
		{"receive v3.1.1 QoS 0", receive(codec.V311, 0, false)},
		{"receive v3.1.1 QoS 1", receive(codec.V311, 1, false)},
		{"receive v3.1.1 QoS 2", receive(codec.V311, 2, false)},
		{"receive v5.0 QoS 0", receive(codec.V5, 0, true)},
		{"receive v5.0 QoS 1", receive(codec.V5, 1, true)},
		{"receive v5.0 QoS 2", receive(codec.V5, 2, true)},
		{"send v3.1.1 QoS 0", send(codec.V311, 0, false, false)},
		{"send v3.1.1 QoS 1", send(codec.V311, 1, false, false)},
		{"send v3.1.1 QoS 2", send(codec.V311, 2, false, false)},
		{"send v5.0 QoS 0", send(codec.V5, 0, true, false)},
		{"send v5.0 QoS 1", send(codec.V5, 1, true, true)},
		{"send v5.0 QoS 2", send(codec.V5, 2, true, true)},
	}
}

// TestSteadyStateAllocatesNothing sends and receives 16 messages at a time.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	for _, s := range steadyStates() {
		f := s.run(t)
		for range 100 {
			f()
		}
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", s.name, n)
		}
	}
}

func BenchmarkMessages(b *testing.B) {
	for _, s := range steadyStates() {
		b.Run(s.name, func(b *testing.B) {
			f := s.run(b)
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(16*b.N), "ns/message")
		})
	}
}

// TestIdleSession bounds the memory of connections that do nothing.
func TestIdleSession(t *testing.T) {
	perSession := idleSessions(t, 2000)
	t.Logf("%d bytes for each idle session", perSession)
	if perSession > 400 {
		t.Errorf("an idle session takes %d bytes, at most 400 are wanted", perSession)
	}
}

// Connections with the same settings make nothing but themselves.
func TestNewServerAllocates(t *testing.T) {
	cfg := session.ServerConfig{Config: session.Config{Shared: new(session.Shared), MaximumPacketSize: 1000}}
	open := func() {
		s := session.NewServer(cfg)
		s.Open(start)
		drain(s)
	}
	if n := testing.AllocsPerRun(100, open); n > 1 {
		t.Errorf("%v allocations for a Server", n)
	}
}

// BenchmarkIdleSession reports that memory.
func BenchmarkIdleSession(b *testing.B) {
	n := 0
	for b.Loop() {
		n = idleSessions(b, 10_000)
	}
	b.ReportMetric(float64(n), "bytes/session")
	b.ReportMetric(0, "ns/op")
}

// idleSessions returns the memory of each of n connections that do nothing.
func idleSessions(t testing.TB, n int) int {
	var shared session.Shared
	connect := encode(t, &codec.Connect{ClientID: codec.Bytes("client-12345"), CleanStart: true, KeepAlive: 60}, codec.V5)
	message := encode(t, &codec.Publish{Topic: codec.Bytes("a/b"), QoS: 1, PacketID: 1, Payload: make(codec.Bytes, 100)}, codec.V5)
	var before, after runtime.MemStats
	all := make([]*session.Server, n)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		s := session.NewServer(session.ServerConfig{Config: session.Config{Shared: &shared}})
		s.Open(start)
		s.Receive(start, connect[:10])
		drain(s)
		s.Receive(start, connect[10:])
		drain(s)
		if err := s.Accept(start, nil, nil); err != nil {
			t.Fatal(err)
		}
		drain(s)
		s.Receive(start, message)
		drain(s)
		all[i] = s
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(all)
	return int(after.HeapAlloc-before.HeapAlloc) / n
}

// TestHugeClaim: a claimed length takes no memory.
func TestHugeClaim(t *testing.T) {
	var before, after runtime.MemStats
	all := make([]*session.Server, 100)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range all {
		all[i] = session.NewServer(session.ServerConfig{MaximumConnectSize: 1 << 30})
		all[i].Open(start)
		all[i].Receive(start, []byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F})
		drain(all[i])
		if all[i].Status() != session.StatusOpened {
			t.Fatal(all[i].Status())
		}
	}
	runtime.ReadMemStats(&after)
	if n := (after.TotalAlloc - before.TotalAlloc) / uint64(len(all)); n > 64<<10 {
		t.Errorf("%d bytes allocated for a claim of 256 MiB", n)
	}
	runtime.KeepAlive(all)
}

// BenchmarkInflight acknowledges and sends one message while many are under
// way: the cost does not depend on how many.
func BenchmarkInflight(b *testing.B) {
	for _, n := range []int{1, 100, 10_000, 65_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			c := up(b, session.ClientConfig{Version: codec.V311, Config: session.Config{HighWater: 1 << 30}}, codec.ConnackProperties{})
			m := &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 10)}
			for range n {
				if _, err := c.PublishShared(start, m, session.Delivery{QoS: 1}); err != nil {
					b.Fatal(err)
				}
			}
			drain(c)
			var ack codec.Puback
			var in []byte
			for b.Loop() {
				ack.PacketID = ack.PacketID%65535 + 1
				in, _ = ack.AppendTo(in[:0], codec.V311)
				c.Receive(start, in)
				if _, err := c.PublishShared(start, m, session.Delivery{QoS: 1}); err != nil {
					b.Fatal(err)
				}
				drain(c)
			}
			if c.Inflight() != n {
				b.Fatal(c.Inflight())
			}
		})
	}
}
