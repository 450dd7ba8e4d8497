package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	iofs "io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The engine takes damage in a log or manifest for its end, if it cannot tell it
// from a write that the death of the machine has cut short, and what lies behind
// would be lost in silence; so would be what is in a log that is missing. So there
// is a witness, a file that says what reached the disk: the number of the last batch
// that was committed, which the batch has too, the length and check sum of the
// manifest, and the logs that there are. It is written after what it says was
// synced, and not synced itself but before a log goes: it may be behind, never
// ahead, and costs next to nothing.
type witness struct {
	disk *disk

	mu       sync.Mutex
	file     vfs.File // nil until the store is locked
	number   uint64
	manifest manifest
	logs     []uint64 // the numbers in their names
	fresh    []uint64 // those that the folder may not have after a crash
}

// manifest is what was synced of the engine's list of tables.
type manifest struct {
	id            uint64 // in its name
	length, check uint32
}

const (
	witnessName = "committed"
	witnessSize = 28 + 8*mostLogs + 4 // the logs, up to a 0, and a check sum are behind the others
	mostLogs    = 16
)

// numberKey has the number of the last batch.
var numberKey = []byte("number")

// next gives a batch its number.
func (w *witness) next(b *pebble.Batch) error {
	return b.Set(numberKey, binary.BigEndian.AppendUint64(nil, w.number+1), nil)
}

// committed says that the batch with the next number was synced.
func (w *witness) committed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.number++
	w.write()
}

// listed says that a manifest was synced.
func (w *witness) listed(m manifest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.manifest = m
	w.write()
}

// write does what it can: a witness may be behind.
func (w *witness) write() {
	if w.file == nil {
		return
	}
	v := binary.BigEndian.AppendUint64(make([]byte, 0, witnessSize), w.number)
	v = binary.BigEndian.AppendUint64(v, w.manifest.id)
	v = binary.BigEndian.AppendUint32(v, w.manifest.length)
	v = binary.BigEndian.AppendUint32(v, w.manifest.check)
	v = binary.BigEndian.AppendUint32(v, crc32.ChecksumIEEE(v))
	for i := range mostLogs {
		var log uint64
		if i < len(w.logs) {
			log = w.logs[i]
		}
		v = binary.BigEndian.AppendUint64(v, log)
	}
	v = binary.BigEndian.AppendUint32(v, crc32.ChecksumIEEE(v))
	_, _ = w.file.WriteAt(v, 0)
}

// began says that there is a file that may be a log.
func (w *witness) began(name string) {
	if log, ok := w.log(name); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fresh = append(w.fresh, log)
	}
}

// listing returns the logs that the folder has for good once it is synced, and
// listsLogs says that it is.
func (w *witness) listing() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.fresh)
}

func (w *witness) listsLogs(logs []uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, log := range logs {
		if i := slices.Index(w.fresh, log); i >= 0 {
			w.fresh = slices.Delete(w.fresh, i, i+1)
			w.logs = append(w.logs, log)
		}
	}
	w.write()
}

// goes says that a file is about to go, which may be a log: nobody may miss it
// then.
func (w *witness) goes(name string) {
	log, ok := w.log(name)
	if !ok {
		return
	}
	is := func(n uint64) bool { return n == log }
	w.mu.Lock()
	w.fresh = slices.DeleteFunc(w.fresh, is)
	told, f := slices.Contains(w.logs, log), w.file
	w.logs = slices.DeleteFunc(w.logs, is)
	w.write()
	w.mu.Unlock()
	if told && f != nil {
		_ = w.disk.sync(f.Sync) // has no error
	}
}

// log returns the number of a log.
func (w *witness) log(name string) (uint64, bool) {
	number, ok := strings.CutSuffix(w.disk.PathBase(name), ".log")
	log, err := strconv.ParseUint(number, 10, 64)
	return log, ok && err == nil
}

// testimony is what a witness says.
type testimony struct {
	number   uint64
	manifest manifest
	logs     []uint64
}

// read returns what the witness of a folder says. It says nothing if it is new,
// or if it was being written when the machine died, and nothing of logs if it is of
// an earlier release.
func (w *witness) read() (t testimony, err error) {
	f, err := w.disk.FS.Open(w.path())
	if errors.Is(err, iofs.ErrNotExist) {
		return t, nil
	}
	if err != nil {
		return t, err
	}
	defer f.Close()
	var v [witnessSize]byte
	sums := func(end int) bool { return crc32.ChecksumIEEE(v[:end]) == binary.BigEndian.Uint32(v[end:]) }
	n, _ := f.ReadAt(v[:], 0)
	if n < 28 || !sums(24) {
		return t, nil
	}
	t.number = binary.BigEndian.Uint64(v[:])
	t.manifest = manifest{binary.BigEndian.Uint64(v[8:]), binary.BigEndian.Uint32(v[16:]), binary.BigEndian.Uint32(v[20:])}
	if n < len(v) || !sums(len(v)-4) {
		return t, nil
	}
	for i := 28; i < len(v)-4; i += 8 {
		if log := binary.BigEndian.Uint64(v[i:]); log != 0 {
			t.logs = append(t.logs, log)
		}
	}
	return t, nil
}

// begin makes sure that all logs are there, before the engine looks at them, and
// begins to write. The store is locked.
func (w *witness) begin() error {
	t, err := w.read()
	if err != nil {
		return err
	}
	names, err := w.disk.FS.List(w.disk.path)
	if err != nil {
		return err
	}
	for _, log := range t.logs {
		if name := fmt.Sprintf("%06d.log", log); !slices.Contains(names, name) {
			return fmt.Errorf("%w: %s is missing; remove the file %s to go on without it", ErrDamaged, name, w.path())
		}
	}
	f, err := w.disk.FS.OpenReadWrite(w.path(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.file, w.number, w.manifest, w.logs = f, t.number, t.manifest, t.logs
	w.mu.Unlock()
	return w.disk.own(w.path())
}

func (w *witness) path() string { return w.disk.PathJoin(w.disk.path, witnessName) }

// checkManifest makes sure, before the engine starts, that the manifest is what
// it was, among the files of the store.
func (w *witness) checkManifest(names []string) error {
	t, err := w.read()
	m := t.manifest
	if err != nil || m.id == 0 {
		return err
	}
	name := fmt.Sprintf("MANIFEST-%06d", m.id)
	if !slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, "marker.") && strings.HasSuffix(n, "."+name) }) {
		return nil // the engine was about to begin another one
	}
	f, err := w.disk.FS.Open(w.disk.PathJoin(w.disk.path, name))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	defer f.Close()
	b := make([]byte, m.length)
	if n, _ := f.ReadAt(b, 0); n < len(b) || crc32.ChecksumIEEE(b) != m.check {
		return fmt.Errorf("%w: %s is not what was written", ErrDamaged, name)
	}
	return nil
}

// open makes sure that all batches are there that were committed.
func (w *witness) open(db *pebble.DB) error {
	var number uint64
	switch v, closer, err := db.Get(numberKey); {
	case err == nil && len(v) == 8:
		number = binary.BigEndian.Uint64(v)
		_ = closer.Close() // never fails
	case err == nil:
		return fmt.Errorf("%w: a number of %d bytes", ErrDamaged, len(v))
	case err != pebble.ErrNotFound:
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if told := w.number; told > number {
		return fmt.Errorf("%w: of %d batches the last %d are missing; remove the file %s to go on without them", ErrDamaged, told, told-number, w.path())
	}
	w.number = number
	w.write()
	return nil
}

func (w *witness) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	return f.Close()
}
