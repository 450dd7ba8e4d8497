package broker

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// indexSizes are the numbers of subscriptions between which the cost of matching
// is compared.
var indexSizes = []int{1000, 1_000_000}

// indexed fills an index with n subscriptions, each of a filter of its own, with a
// few wildcards at every level among them. Each topicOf up to n has one match or
// two.
func indexed(b *Broker, n int) {
	s := newSess(1)
	s.client = &Client{ID: "c", Endpoint: new(Endpoint)}
	for i := range n {
		f := string(topicOf(nil, i))
		if i%100 == 0 {
			f = fmt.Sprintf("site/%d/+/%d/temperature", i%1000, i/1000)
		}
		b.enter(s, &codec.Subscription{Filter: codec.Bytes(f)}, 0)
	}
	b.enter(s, &codec.Subscription{Filter: codec.Bytes("site/1/#")}, 0)
	b.enter(s, &codec.Subscription{Filter: codec.Bytes("+/2/#")}, 0)
}

// topicOf appends a topic. In life it comes out of a read and is in the cache.
func topicOf(dst []byte, i int) []byte {
	dst = strconv.AppendInt(append(dst, "site/"...), int64(i%1000), 10)
	dst = strconv.AppendInt(append(dst, "/device/"...), int64(i/1000), 10)
	return append(dst, "/temperature"...)
}

// BenchmarkIndex compares few subscriptions with many, for the same thousand topics.
// The last case is of a million topics, whose filters are in no cache: each waits for
// one read of memory and more; read tells what one costs that the next one depends
// on. The names have the number of topics, and that of subscriptions.
func BenchmarkIndex(bench *testing.B) {
	bench.Run("read", benchmarkRead)
	for _, n := range indexSizes {
		b := New(Config{})
		indexed(b, n)
		runtime.GC() // now, not while it is measured
		for _, topics := range indexSizes[:1+n/1_000_000] {
			bench.Run(fmt.Sprintf("%d/%d", topics, n), func(bench *testing.B) {
				bench.ReportAllocs()
				order := make([]uint32, 1<<16)
				r := rand.New(rand.NewPCG(1, 2))
				for i := range order {
					order[i] = uint32(r.IntN(topics))
				}
				m, topic := &b.match, make([]byte, 0, 64)
				for i := range bench.N {
					topic = topicOf(topic[:0], int(order[i&0xFFFF]))
					m.start(nil)
					b.subs.match(topic, m)
				}
			})
		}
	}
}

// benchmarkRead reads 64 MiB, a line of the cache at a time, in random order.
func benchmarkRead(bench *testing.B) {
	const line = 8
	memory := make([]uint64, 64<<20/8)
	order := rand.New(rand.NewPCG(1, 2)).Perm(len(memory) / line)
	for i, o := range order {
		memory[o*line] = uint64(order[(i+1)%len(order)] * line)
	}
	at := uint64(0)
	bench.ResetTimer()
	for range bench.N {
		at = memory[at]
	}
	if at == 1 {
		bench.Fatal("no line begins there")
	}
}

// BenchmarkSubscription reports the memory of one subscription among many.
func BenchmarkSubscription(bench *testing.B) {
	const n = 1_000_000
	for range bench.N {
		var before, after runtime.MemStats
		b := New(Config{})
		runtime.GC()
		runtime.ReadMemStats(&before)
		indexed(b, n)
		runtime.GC()
		runtime.ReadMemStats(&after)
		bench.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/subscription")
		runtime.KeepAlive(b)
	}
}
