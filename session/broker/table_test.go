package broker

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

// The sizes that the index is made for: a filter is in one line of a processor's
// cache, and segments fit into what
// the runtime hands out.
func TestIndexSizes(t *testing.T) {
	for _, c := range []struct {
		name string
		typ  reflect.Type
		most uintptr
	}{
		{"filter", reflect.TypeFor[slot[filter]](), 64},
		{"plus", reflect.TypeFor[slot[depths]](), 16},
		{"spot", reflect.TypeFor[slot[uint32]](), 16},
		{"subscription", reflect.TypeFor[subscription](), 80},
		{"filters", reflect.TypeFor[segment[filter]](), 64 << 10},
		{"spots", reflect.TypeFor[segment[uint32]](), 16 << 10},
	} {
		if c.typ.Size() > c.most {
			t.Errorf("%s: %d bytes, more than %d", c.name, c.typ.Size(), c.most)
		}
	}
}

// A table holds what a map holds, with keys from all over and with keys whose
// homes are side by side, also at the end of a segment.
func TestTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, key := range map[string]func() uint64{
		"random":    func() uint64 { return r.Uint64() },
		"again":     func() uint64 { return r.Uint64N(3000) * 0x9E3779B97F4A7C15 },
		"one home":  func() uint64 { return r.Uint64N(1<<9)<<40 | 0xFFFF0000 },
		"last home": func() uint64 { return r.Uint64N(1<<12)<<52 | 0xFFFFFFF0 + r.Uint64N(16) },
		"few":       func() uint64 { return r.Uint64N(4) },
	} {
		t.Run(name, func(t *testing.T) {
			var tab table[uint64]
			tab.init()
			want := make(map[uint64]uint32)
			var keys []uint64
			for step := range 200_000 {
				grow := step%50_000 < 30_000
				if k := key(); grow || len(keys) == 0 {
					v := tab.take(k)
					if v.refs == 1 {
						v.value = k + 1
					}
					want[k]++
					keys = append(keys, k)
				} else {
					i := r.IntN(len(keys))
					k := keys[i]
					keys[i] = keys[len(keys)-1]
					keys = keys[:len(keys)-1]
					tab.drop(tab.at(k))
					if want[k]--; want[k] == 0 {
						delete(want, k)
					}
				}
				k := key()
				if v := tab.at(k); (v == nil) != (want[k] == 0) || v != nil && (v.refs != want[k] || v.value != k+1) {
					t.Fatalf("step %d: %v for %#x, want %d", step, v, k, want[k])
				}
			}
			for k, n := range want {
				if v := tab.at(k); v == nil || v.refs != n || v.value != k+1 {
					t.Fatalf("%v for %#x, want %d", v, k, n)
				}
			}
			for _, k := range keys {
				tab.drop(tab.at(k))
			}
			if n := used(&tab); n != 0 {
				t.Errorf("%d slots are used by nothing", n)
			}
			if first := tab.segments[0]; slices.ContainsFunc(tab.segments, func(p part[uint64]) bool { return p != first }) {
				t.Error("an empty table has several segments")
			}
		})
	}
}

// used counts the slots of a table that are not free.
func used[V any](t *table[V]) (n int) {
	seen := make(map[*marks]bool)
	for _, s := range t.segments {
		if seen[s.marks] {
			continue
		}
		seen[s.marks] = true
		count := 0
		for i := range s.slots {
			if s.slots[i].refs != 0 {
				count++
			}
		}
		if count != int(s.used) {
			return -1
		}
		n += count
	}
	return n
}
