package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	iofs "io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// The engine takes damage in a log or manifest for its end, if it cannot tell it
// from a write that the death of the machine has cut short, and what lies behind
// would be lost in silence. So there is a witness, a file that says what reached
// the disk: the number of the last batch that was committed, which the batch has
// too, and the length and check sum of the manifest. It is written after what it
// says was synced, and not synced itself: it may be behind, never ahead, and
// costs next to nothing.
type witness struct {
	disk *disk

	mu       sync.Mutex
	file     vfs.File // nil until the store is open
	number   uint64
	manifest manifest
}

// manifest is what was synced of the engine's list of tables.
type manifest struct {
	id            uint64 // in its name
	length, check uint32
}

const (
	witnessName = "committed"
	witnessSize = 28
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
	_, _ = w.file.WriteAt(v, 0)
}

// read returns what the witness of a folder says. It says nothing if it is new,
// or if it was being written when the machine died.
func (w *witness) read() (number uint64, m manifest, err error) {
	f, err := w.disk.FS.Open(w.path())
	if errors.Is(err, iofs.ErrNotExist) {
		return 0, manifest{}, nil
	}
	if err != nil {
		return 0, manifest{}, err
	}
	defer f.Close()
	var v [witnessSize]byte
	if n, _ := f.ReadAt(v[:], 0); n < len(v) || crc32.ChecksumIEEE(v[:24]) != binary.BigEndian.Uint32(v[24:]) {
		return 0, manifest{}, nil
	}
	m = manifest{binary.BigEndian.Uint64(v[8:]), binary.BigEndian.Uint32(v[16:]), binary.BigEndian.Uint32(v[20:])}
	return binary.BigEndian.Uint64(v[:]), m, nil
}

func (w *witness) path() string { return w.disk.PathJoin(w.disk.path, witnessName) }

// checkManifest makes sure, before the engine starts, that the manifest is what
// it was, among the files of the store.
func (w *witness) checkManifest(names []string) error {
	_, m, err := w.read()
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

// open makes sure that all batches are there that were committed, and begins to
// write.
func (w *witness) open(db *pebble.DB) error {
	told, _, err := w.read()
	if err != nil {
		return err
	}
	switch v, closer, err := db.Get(numberKey); {
	case err == nil && len(v) == 8:
		w.number = binary.BigEndian.Uint64(v)
		_ = closer.Close() // never fails
	case err == nil:
		return fmt.Errorf("%w: a number of %d bytes", ErrDamaged, len(v))
	case err != pebble.ErrNotFound:
		return err
	}
	if told > w.number {
		return fmt.Errorf("%w: of %d batches the last %d are missing; remove the file %s to go on without them", ErrDamaged, told, told-w.number, w.path())
	}
	f, err := w.disk.FS.OpenReadWrite(w.path(), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.file = f
	w.write()
	w.mu.Unlock()
	return w.disk.own(w.path())
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
