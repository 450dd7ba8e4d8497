package broker

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// BenchmarkIdle reports what the broker holds for a client that is connected, has
// one subscription and does nothing, apart from its session.Server.
func BenchmarkIdle(bench *testing.B) {
	const n = 20000
	for range bench.N {
		var before, after runtime.MemStats
		b, now := New(Config{}), time.Unix(1, 0)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range n {
			h := b.Open(now, nil)
			p := &codec.Connect{CleanStart: true, KeepAlive: 60, ClientID: codec.Bytes(fmt.Sprintf("client-%08d", i))}
			in, _ := p.AppendTo(nil, codec.V5)
			sub := &codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes(fmt.Sprintf("idle/%d", i))}}}
			in, _ = sub.AppendTo(in, codec.V5)
			b.Receive(now, h, in)
			for ev := range b.Events() {
				b.ReplaceWriteBuffer(ev.Conn, nil) // as drivers do
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		// A Server and a State are what a session takes, whoever has it.
		each := float64(after.HeapAlloc-before.HeapAlloc) / n
		bench.ReportMetric(each, "B/client")
		bench.ReportMetric(each-float64(unsafe.Sizeof(session.Server{})+unsafe.Sizeof(session.State{})), "B/client-less-session")
		runtime.KeepAlive(b)
	}
}
