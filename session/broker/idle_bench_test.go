package broker

import (
	"fmt"
	"runtime"
	"testing"
	"time"
	"unsafe"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestIdle bounds what a client takes that connects, subscribes once and does
// nothing then: what is held for it, and all that is allocated meanwhile. The
// latter decides how far the heap is ahead of what it holds when many clients
// come at once. Sizes are those of 64 bits.
func TestIdle(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("sizes of 64 bits")
	}
	const mostHeld, mostAllocated = 990, 1600
	held, allocated := idle(10000)
	t.Logf("%d bytes held for each client, %d allocated", held, allocated)
	if held > mostHeld || allocated > mostAllocated {
		t.Errorf("%d bytes held for each client, %d allocated, at most %d and %d are wanted", held, allocated, mostHeld, mostAllocated)
	}
}

// BenchmarkIdle reports this, and how much of it is not the session's.
func BenchmarkIdle(bench *testing.B) {
	for range bench.N {
		held, allocated := idle(20000)
		bench.ReportMetric(float64(held), "B/client")
		bench.ReportMetric(float64(allocated), "allocated-B/client")
		// A Server and a State are what a session takes, whoever has it.
		bench.ReportMetric(float64(held-int(unsafe.Sizeof(session.Server{})+unsafe.Sizeof(session.State{}))), "B/client-less-session")
	}
}

// idle returns the bytes that are held for each of n clients, and all that were
// allocated.
func idle(n int) (held, allocated int) {
	var before, after runtime.MemStats
	b, now := New(Config{Ask: AskConnect}), time.Unix(1, 0)
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
			switch ev.Kind {
			case events.Connect:
				b.Accept(now, ev.Conn, Admission{})
			case events.Write:
				b.RecycleWriteBuffer(b.ReplaceWriteBuffer(ev.Conn, nil)) // as drivers do
			}
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(b)
	return int(after.HeapAlloc-before.HeapAlloc) / n, int(after.TotalAlloc-before.TotalAlloc) / n
}
