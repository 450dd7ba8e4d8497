//go:build unix

package store

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
)

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // never fails
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkCommit commits batches of sets, and of deletes of what was set four
// batches before.
func BenchmarkCommit(b *testing.B) {
	for _, c := range []struct{ sets, size int }{{1, 200}, {20, 200}, {200, 200}, {1000, 200}, {20, 16 << 10}, {4, 64 << 10}} {
		b.Run(fmt.Sprintf("%dx%d", c.sets, c.size), func(b *testing.B) {
			s := mustOpen(b, b.TempDir())
			l := newLoad(c.size)
			var before [4][][]byte
			batch := s.NewBatch()
			begin := processorTime()
			n := 0
			for b.Loop() {
				keys := before[n%4][:0]
				for _, key := range before[n%4] {
					batch.Delete(key)
				}
				for range c.sets {
					key := l.key()
					batch.Set(key, l.value)
					keys = append(keys, key)
				}
				before[n%4] = keys
				if err := s.Commit(batch); err != nil {
					b.Fatal(err)
				}
				batch.Reset()
				n++
			}
			records := float64(2 * n * c.sets)
			b.ReportMetric(records/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64((processorTime()-begin).Nanoseconds())/records, "cpu-ns/record")
			b.ReportMetric(float64(s.Stats().Bytes)/1e6, "MB")
			mustClose(b, s)
		})
	}
}

// BenchmarkLoad opens a store with a million records and reads them all.
func BenchmarkLoad(b *testing.B) {
	folder := b.TempDir()
	s := mustOpen(b, folder)
	newLoad(200).write(b, s, 1_000_000)
	mustClose(b, s)
	for b.Loop() {
		s := mustOpen(b, folder)
		n := 0
		if err := s.Load(func(_, _ []byte) error { n++; return nil }); err != nil || n != 1_000_000 {
			b.Fatalf("%d records, %v", n, err)
		}
		b.ReportMetric(float64(s.Stats().Bytes)/1e6, "MB")
		mustClose(b, s)
	}
	runtime.GC()
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		var pages, resident float64
		_, _ = fmt.Sscan(string(statm), &pages, &resident)
		b.ReportMetric(resident*float64(os.Getpagesize())/1e6, "resident-MB")
	}
}
