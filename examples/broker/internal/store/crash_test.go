package store

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// script is a fixed sequence of batches. Its values are large enough that the
// engine writes tables and new logs on the way.
type script struct {
	batches []func(*Batch)
	states  []map[string]string // after so many batches
}

func newScript(n, size int) *script {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	s := &script{states: []map[string]string{{}}}
	for i := range n {
		state := maps.Clone(s.states[i])
		var steps []func(*Batch)
		for range 1 + r.IntN(8) {
			key := fmt.Sprintf("%c%d", 'a'+rune(r.IntN(3)), r.IntN(30))
			switch r.IntN(10) {
			case 0:
				prefix := key[:1]
				maps.DeleteFunc(state, func(k, _ string) bool { return strings.HasPrefix(k, prefix) })
				steps = append(steps, func(b *Batch) { b.DeletePrefix([]byte(prefix)) })
			case 1, 2, 3:
				delete(state, key)
				steps = append(steps, func(b *Batch) { b.Delete([]byte(key)) })
			default:
				value := make([]byte, r.IntN(size))
				for j := range value {
					value[j] = byte(r.Uint32())
				}
				state[key] = string(value)
				steps = append(steps, func(b *Batch) { b.Set([]byte(key), value) })
			}
		}
		s.batches = append(s.batches, func(b *Batch) {
			for _, step := range steps {
				step(b)
			}
		})
		s.states = append(s.states, state)
	}
	return s
}

// check opens what a crash left, and finds the state after at least committed
// and at most begun batches.
func (s *script) check(t *testing.T, fs vfs.FS, committed, begun int) {
	t.Helper()
	st, err := open(fs, "store", quiet, small)
	if err != nil {
		t.Fatalf("after %d batches: %v", committed, err)
	}
	defer mustClose(t, st)
	got := contents(t, st)
	for _, want := range s.states[committed : begun+1] {
		if maps.Equal(got, want) {
			return
		}
	}
	t.Fatalf("%d pairs, not the state after %d to %d batches", len(got), committed, begun)
}

// The machine dies before each of the changes of the disk, and of what was not
// synced a random part is lost.
func TestCrashAtEveryWrite(t *testing.T) {
	s := newScript(60, 4<<10)
	for lost, percent := range []int{0, 100, 50, 50, 50, 50, 50, 50} {
		t.Run(fmt.Sprint(percent, "% of what was not synced, ", lost), func(t *testing.T) {
			type crash struct {
				fs               vfs.FS
				committed, begun int
			}
			var mu sync.Mutex // the engine writes from several goroutines
			writes := 0
			var crashes []crash
			var committed, begun atomic.Int32
			r := rand.New(rand.NewPCG(2, uint64(lost)))
			disk := vfs.NewCrashableMem()
			before := errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose {
					return nil
				}
				mu.Lock()
				defer mu.Unlock()
				if writes++; writes%stride > 0 {
					return nil
				}
				c := crash{committed: int(committed.Load())}
				c.fs = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: r})
				c.begun = int(begun.Load())
				crashes = append(crashes, c)
				return nil
			})
			st := simulated(t, errorfs.Wrap(renaming{disk}, before))
			for _, fill := range s.batches {
				begun.Add(1)
				commit(t, st, fill)
				committed.Add(1)
			}
			mustClose(t, st)
			if len(crashes) < 150/stride {
				t.Errorf("only %d crashes", len(crashes))
			}
			for _, c := range crashes {
				s.check(t, c.fs, c.committed, c.begun)
			}
			t.Logf("%d crashes", len(crashes))
		})
	}
}

// renaming is a disk in memory on which files can be used again while it is
// being cloned: its own ReuseForWrite takes a lock twice.
type renaming struct{ *vfs.MemFS }

func (r renaming) ReuseForWrite(from, to string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := r.Rename(from, to); err != nil {
		return nil, err
	}
	return r.OpenReadWrite(to, category)
}
