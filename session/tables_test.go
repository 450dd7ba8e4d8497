package session

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestIdentifiers gives out and frees identifiers at random and compares with a
// set.
func TestIdentifiers(t *testing.T) {
	// [MQTT-2.2.1-3] v5 [MQTT-2.2.1-4] v5 [MQTT-2.3.1-2] v311
	for _, max := range []uint32{7, 100, 65535, 1<<32 - 1} {
		r := rand.New(rand.NewPCG(1, uint64(max)))
		var table idTable
		used := map[uint32]*message{}
		var live []*message
		for step := range 200_000 {
			if len(live) > 0 && r.IntN(100) < 45 {
				i := r.IntN(len(live))
				m := live[i]
				table.remove(m)
				delete(used, m.id)
				live[i] = live[len(live)-1]
				live = live[:len(live)-1]
				if table.get(m.id) != nil {
					t.Fatalf("%d is there after it was freed", m.id)
				}
				continue
			}
			m := new(message)
			if !table.alloc(m, max) {
				if uint64(len(used)) != uint64(max) {
					t.Fatalf("step %d: exhausted with %d of %d in use", step, len(used), max)
				}
				continue
			}
			if m.id == 0 || m.id > max || used[m.id] != nil {
				t.Fatalf("step %d: gave out %d", step, m.id)
			}
			used[m.id] = m
			live = append(live, m)
			if table.get(m.id) != m {
				t.Fatalf("%d is not found", m.id)
			}
		}
		if table.used != len(used) {
			t.Errorf("%d in use, want %d", table.used, len(used))
		}
	}
}

// TestIdentifiersAll uses every identifier there is.
func TestIdentifiersAll(t *testing.T) {
	var table idTable
	var last *message
	for range 65535 {
		last = new(message)
		if !table.alloc(last, 65535) {
			t.Fatal("exhausted early")
		}
	}
	if table.alloc(new(message), 65535) {
		t.Fatal("an identifier beyond the last")
	}
	free := table.get(1234)
	table.remove(free)
	m := new(message)
	if !table.alloc(m, 65535) || m.id != 1234 {
		t.Fatalf("got %d, only 1234 is free", m.id)
	}
}

// TestIdentifierNotReusedAtOnce: one that was freed comes again only after all
// others.
func TestIdentifierNotReusedAtOnce(t *testing.T) {
	var table idTable
	for want := range uint32(3 * 65535) {
		m := new(message)
		if !table.alloc(m, 65535) || m.id != want%65535+1 {
			t.Fatalf("got %d, want %d", m.id, want%65535+1)
		}
		table.remove(m)
	}
	if len(table.slots) > minSlots {
		t.Errorf("table has %d slots for one identifier at a time", len(table.slots))
	}
}

// TestIdentifierTaken asks for identifiers that others have chosen: it gives those
// that are free and lie ahead.
func TestIdentifierTaken(t *testing.T) {
	for _, most := range []uint32{7, 100, 65535, 1<<32 - 1} {
		r := rand.New(rand.NewPCG(3, uint64(most)))
		var table idTable
		used := map[uint32]*message{}
		var live []*message
		taken := 0
		for step := range 100_000 {
			if len(live) > 0 && r.IntN(100) < 48 {
				i := r.IntN(len(live))
				table.remove(live[i])
				delete(used, live[i].id)
				live = slices.Delete(live, i, i+1)
				continue
			}
			m := new(message)
			next, skip := uint64(max(1, table.next)), uint64(r.Uint32N(20))
			if r.IntN(2) == 0 {
				skip = uint64(r.Uint32N(most))
			}
			if len(live) > 0 && r.IntN(10) == 0 {
				skip = uint64(live[r.IntN(len(live))].id) + uint64(most) - next
			}
			skip %= uint64(most)
			id := uint32((next-1+skip)%uint64(most) + 1)
			inUse := used[id] != nil
			good := !inUse && (table.next == 0 || skip <= uint64(most)/2)
			slots := len(table.slots)
			switch ok := table.take(m, id, most); {
			case ok && (m.id != id || !good), !ok && good && uint64(slots) > uint64(most):
				t.Fatalf("step %d of %d: gave %d for %d, which is %d ahead: %v", step, most, m.id, id, skip, ok)
			case !ok && table.alloc(m, most):
			case !ok:
				continue
			case r.IntN(10) == 0:
				if table.undo(m); table.next != id || m.id != 0 || table.get(id) != nil {
					t.Fatalf("step %d: undone, next is %d, want %d", step, table.next, id)
				}
				continue
			default:
				taken++
			}
			used[m.id] = m
			live = append(live, m)
			if table.get(m.id) != m || table.used != len(used) {
				t.Fatalf("step %d: %d is not found, or %d are not in use", step, m.id, len(used))
			}
			if n := len(table.slots); n > slots && n > 8*table.used || inUse && n > max(minSlots, 2*slots) {
				t.Fatalf("step %d: %d slots for %d", step, n, table.used)
			}
		}
		if taken < 1000 {
			t.Errorf("%d of %d taken", taken, most)
		}
	}
}

// TestReceivedTable compares with a map, for identifiers of any kind.
func TestReceivedTable(t *testing.T) {
	for _, spread := range []uint32{1, 256, 4096, 65536, 0x10001} {
		r := rand.New(rand.NewPCG(2, uint64(spread)))
		var table receivedTable
		want := map[uint32]*receipt{}
		for step := range 100_000 {
			id := (r.Uint32N(500) + 1) * spread
			got := table.get(id)
			if got != want[id] {
				t.Fatalf("step %d: %d is %v, want %v", step, id, got, want[id])
			}
			if got != nil {
				table.remove(got)
				delete(want, id)
			} else {
				rc := &receipt{id: id}
				table.add(rc)
				want[id] = rc
			}
		}
		n := 0
		table.each(func(rc *receipt) {
			if want[rc.id] != rc {
				t.Errorf("%d is left over", rc.id)
			}
			n++
		})
		if n != len(want) || table.used != n {
			t.Errorf("%d receipts, %d counted, want %d", n, table.used, len(want))
		}
	}
}
