package store

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// read returns what is in a file.
func read(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// with returns a copy of a disk in which one file has other contents.
func with(t testing.TB, fs *vfs.MemFS, name string, contents []byte) vfs.FS {
	t.Helper()
	clone := fs.CrashClone(vfs.CrashCloneCfg{})
	f, err := clone.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(bytes.Clone(contents)) // the engine spoils what it wrote, under the race detector
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return clone
}

// files returns the paths of the files of the store.
func files(t testing.TB, fs vfs.FS) (paths []string) {
	t.Helper()
	names, err := fs.List("store")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		paths = append(paths, fs.PathJoin("store", n))
	}
	return paths
}

// newestLog returns the path of the log that was written last.
func newestLog(t testing.TB, fs vfs.FS) (newest string) {
	t.Helper()
	for _, path := range files(t, fs) {
		if strings.HasSuffix(path, ".log") && path > newest {
			newest = path
		}
	}
	return newest
}

// written runs a script on a disk and leaves it as at the death of the process,
// or of the machine, at which what was not synced is lost. The length of the
// newest log without the last batch comes with it.
func (s *script) written(t *testing.T, machine bool) (disk *vfs.MemFS, log string, before int) {
	t.Helper()
	disk = vfs.NewCrashableMem()
	st := simulated(t, disk)
	for i, fill := range s.batches {
		if i == len(s.batches)-1 {
			log = newestLog(t, disk)
			before = len(read(t, disk, log))
		}
		commit(t, st, fill)
	}
	if machine && newestLog(t, disk) != log {
		t.Fatal("the last batch began a log: choose another length")
	}
	settled(t, st)
	var cfg vfs.CrashCloneCfg
	if !machine {
		cfg = vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(3, 3))}
	}
	left := disk.CrashClone(cfg)
	mustClose(t, st)
	return left, log, before
}

// settled waits until the engine has moved everything from older logs into
// tables. Until then it takes an older log that has become empty for one that never
// had anything: damage that no crash does, and that goes unnoticed.
func settled(t testing.TB, st *Store) {
	t.Helper()
	live := func() int64 { return st.db.Metrics().WAL.Files }
	for end := time.Now().Add(programtest.Limit); live() > 1; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("there are still %d logs", live())
		}
	}
}

// The last batch reached the disk in part, up to each of its bytes.
func TestTornTail(t *testing.T) {
	s := newScript(20, 600)
	disk, log, before := s.written(t, true)
	whole := read(t, disk, log)
	n := len(s.batches)
	for size := before; size <= len(whole); size += stride {
		least := n - 1
		if size == len(whole) {
			least = n
		}
		s.check(t, with(t, disk, log, whole[:size]), least, least)
	}
	// The system may have made the file longer without its contents.
	for size := before; size < len(whole); size += stride {
		zeros := append(append([]byte(nil), whole[:size]...), make([]byte, len(whole)-size)...)
		s.check(t, with(t, disk, log, zeros), n-1, n)
	}
	t.Logf("%d bytes", len(whole)-before)
}

// A byte is flipped anywhere. Either the store is refused, or nothing is wrong
// or missing.
func TestFlippedBytes(t *testing.T) {
	s := newScript(60, 4<<10)
	disk, _, _ := s.written(t, false)
	for _, path := range files(t, disk) {
		whole := read(t, disk, path)
		refused, intact := 0, 0
		step := max(1, stride*len(whole)/25)
		for at := 0; at < len(whole); at += step {
			damaged := append([]byte(nil), whole...)
			damaged[at] ^= 0x10
			if s.refusedOrIntact(t, with(t, disk, path, damaged)) {
				refused++
			} else {
				intact++
			}
		}
		t.Logf("%s: %d times refused, %d times without harm", path, refused, intact)
	}
}

// A file is gone, or empty.
func TestMissingFiles(t *testing.T) {
	s := newScript(60, 4<<10)
	disk, _, _ := s.written(t, false)
	for _, path := range files(t, disk) {
		gone := disk.CrashClone(vfs.CrashCloneCfg{})
		if err := gone.Remove(path); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: refused when gone %v, when empty %v", path, s.refusedOrIntact(t, gone), s.refusedOrIntact(t, with(t, disk, path, nil)))
	}
}

// Of several logs one is gone.
func TestMissingLogs(t *testing.T) {
	s := newScript(60, 4<<10)
	several := 0
	for round := uint64(0); round < 50 && several < 5; round++ {
		disk := vfs.NewCrashableMem()
		st := simulated(t, disk)
		for _, fill := range s.batches {
			commit(t, st, fill)
		}
		left := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(3, round))})
		mustClose(t, st)
		logs := slices.DeleteFunc(files(t, left), func(path string) bool { return !strings.HasSuffix(path, ".log") })
		if len(logs) < 2 {
			continue
		}
		several++
		for _, path := range logs {
			gone := left.CrashClone(vfs.CrashCloneCfg{})
			if err := gone.Remove(path); err != nil {
				t.Fatal(err)
			}
			s.refusedOrIntact(t, gone)
		}
	}
	if several == 0 {
		t.Error("there was never more than one log")
	}
}

// The witness of an earlier release says nothing of logs, but of batches.
func TestWitnessOfBefore(t *testing.T) {
	s := newScript(60, 4<<10)
	disk, log, _ := s.written(t, false)
	path := disk.PathJoin("store", witnessName)
	for _, size := range []int{28, witnessSize - 1} {
		if s.refusedOrIntact(t, with(t, disk, path, read(t, disk, path)[:size])) {
			t.Errorf("refused with a witness of %d bytes", size)
		}
		gone := with(t, disk, path, read(t, disk, path)[:size])
		if err := gone.Remove(log); err != nil {
			t.Fatal(err)
		}
		if !s.refusedOrIntact(t, gone) {
			t.Errorf("without %s: not refused with a witness of %d bytes", log, size)
		}
	}
}

// refusedOrIntact reports whether a damaged store is refused. Otherwise all of
// the script has to be there.
func (s *script) refusedOrIntact(t *testing.T, fs vfs.FS) (refused bool) {
	t.Helper()
	st, err := open(fs, "store", quiet, small)
	got := make(map[string]string)
	if err == nil {
		err = st.Load(func(k, v []byte) error { got[string(k)] = string(v); return nil })
		_ = st.Close() // may tell of the damage again
	}
	if err != nil {
		explains(t, err, ErrDamaged, "put back a copy")
	} else if !maps.Equal(got, s.states[len(s.batches)]) {
		t.Fatalf("%d pairs, not the %d that were committed", len(got), len(s.states[len(s.batches)]))
	}
	return err != nil
}

// Before a log goes, the witness on the disk does not know it any more.
func TestWitnessOfGoneLog(t *testing.T) {
	disk := vfs.NewCrashableMem()
	st := simulated(t, disk)
	defer mustClose(t, st)
	for _, fill := range newScript(3, 600).batches {
		commit(t, st, fill)
	}
	log := newestLog(t, disk)
	st.disk.witness.goes(log)
	d := newDisk(disk.CrashClone(vfs.CrashCloneCfg{}), "store", quiet)
	if said, err := d.witness.read(); err != nil || said.number == 0 || len(said.logs) > 0 {
		t.Errorf("without %s: %+v, %v", log, said, err)
	}
}
