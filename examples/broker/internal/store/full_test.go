package store

import (
	"errors"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// The disk is full from one of its changes on, each in turn, and has room again
// after a Commit has told of it. Nothing is lost or made twice.
func TestFullDiskAtEveryWrite(t *testing.T) {
	s := newScript(25, 4<<10)
	told := 0
	for at := int32(0); ; at += 3 * stride {
		var n atomic.Int32
		var full atomic.Bool
		disk := vfs.NewCrashableMem()
		injector := errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch op.Kind {
			case errorfs.OpCreate, errorfs.OpFileWrite, errorfs.OpRename, errorfs.OpReuseForWrite, errorfs.OpFileWriteAt:
			default:
				return nil
			}
			if n.Add(1) == at {
				full.Store(true)
			}
			if full.Load() {
				return &os.PathError{Op: "write", Path: op.Path, Err: syscall.ENOSPC}
			}
			return nil
		})
		st, err := open(errorfs.Wrap(renaming{disk}, injector), "store", quiet, small)
		if full.Load() && err != nil {
			explains(t, err, syscall.ENOSPC, "no room for the store")
			full.Store(false)
			st = simulated(t, disk) // nothing is in its way
		} else if err != nil {
			t.Fatal(err)
		}
		for i, fill := range s.batches {
			b := st.NewBatch()
			fill(b)
			for err := st.Commit(b); err != nil; err = st.Commit(b) {
				explains(t, err, syscall.ENOSPC, "no room for the store")
				told++
				s.check(t, disk.CrashClone(vfs.CrashCloneCfg{}), i, i+1)
				full.Store(false)
			}
		}
		full.Store(false)
		expect(t, st, s.states[len(s.batches)])
		if err := st.Close(); err != nil { // the engine puts its files in order
			explains(t, err, syscall.ENOSPC, "no room for the store")
		}
		s.check(t, disk, len(s.batches), len(s.batches))
		if n.Load() < at {
			break
		}
	}
	if told < 10/stride {
		t.Errorf("Commit told of a full disk %d times", told)
	}
}

// failing is a disk on which some operations fail with an error.
func failing(fs vfs.FS, err error, on *atomic.Bool, kinds ...errorfs.OpKind) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if on.Load() && slices.Contains(kinds, op.Kind) {
			return &os.PathError{Op: "op", Path: op.Path, Err: err}
		}
		return nil
	}))
}

func TestErrorsOfOpen(t *testing.T) {
	var on atomic.Bool
	on.Store(true)
	for _, c := range []struct {
		err  error
		kind errorfs.OpKind
		text string
	}{
		{syscall.EACCES, errorfs.OpMkdirAll, "may not be written by this user"},
		{syscall.EACCES, errorfs.OpLock, "may not be written by this user"},
		{syscall.EROFS, errorfs.OpMkdirAll, "is on a read-only file system"},
		{syscall.EROFS, errorfs.OpLock, "is on a read-only file system"},
		{syscall.EROFS, errorfs.OpCreate, "is on a read-only file system"},
		{syscall.ENOSPC, errorfs.OpCreate, "no room for the store"},
		{syscall.EMFILE, errorfs.OpCreate, "too many open files"},
		{syscall.EIO, errorfs.OpFileSync, "does not work (input/output error): look after the disk"},
	} {
		_, err := open(failing(vfs.NewMem(), c.err, &on, c.kind), "store", quiet, small)
		explains(t, err, c.err, c.text)
	}
}

// A sync that fails is the end: what it was about may be gone, and to repeat it
// would not tell.
func TestSyncThatFailsOnce(t *testing.T) {
	for cause, advice := range map[error]string{
		syscall.EIO:    "look after the disk, and start the broker again",
		syscall.ENOSPC: "free some, or raise the limit, and start the broker again",
	} {
		var on atomic.Bool
		disk := vfs.NewCrashableMem()
		st := simulated(t, failing(disk, cause, &on, errorfs.OpFileSyncData, errorfs.OpFileSync))
		commit(t, st, set("a", "1"))
		on.Store(true)
		b := st.NewBatch()
		b.Set([]byte("b"), []byte("2"))
		for range 2 {
			explains(t, st.Commit(b), cause, advice)
			on.Store(false)
		}
		explains(t, st.Close(), cause, advice)
		left := simulated(t, disk.CrashClone(vfs.CrashCloneCfg{}))
		expect(t, left, map[string]string{"a": "1"})
		mustClose(t, left)
	}
}

// Until a batch is committed, no other one is.
func TestOneBatchAfterTheOther(t *testing.T) {
	var on atomic.Bool
	st := simulated(t, failing(vfs.NewMem(), syscall.ENOSPC, &on, errorfs.OpFileWrite))
	defer mustClose(t, st)
	on.Store(true)
	first, second := st.NewBatch(), st.NewBatch()
	first.Set([]byte("a"), []byte("1"))
	second.Set([]byte("a"), []byte("2"))
	explains(t, st.Commit(first), syscall.ENOSPC, "no room")
	if err := st.Commit(second); !errors.Is(err, errPending) {
		t.Errorf("%v", err)
	}
	on.Store(false)
	for _, b := range []*Batch{first, second} {
		if err := st.Commit(b); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, st, map[string]string{"a": "2"})
}
