// Package store keeps pairs of key and value on disk: what a broker must not
// forget. Changes come in batches, of which all or none is applied; a batch
// that was committed survives the death of the process and of the machine.
//
// The engine is Pebble, a log-structured merge tree; README.md says why.
package store

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// DefaultFile is the name of the store in its folder, unless another is given.
const DefaultFile = "store"

// What is in the store, apart from the pairs: a record of what the pairs mean.
var (
	formatKey = []byte("format")
	format    = []byte("mqttcore broker 1")
)

// pairs is where the keys of the pairs lie, behind one byte.
const pairs = 'p'

// MostFiles is how many files a Store has open at once, at most: tables, and logs,
// lists and folders.
const MostFiles = 40

const (
	// mostTables is more than are merged at once, which are one of each level and
	// of each layer of the first.
	mostTables = 20
	// idleTables is how many stay open that nobody reads.
	idleTables = 4
)

// A Store is a durable set of pairs. Commit is called by one goroutine at a
// time, Stats by any; neither during Close.
type Store struct {
	path    string
	log     *slog.Logger
	disk    *disk
	db      *pebble.DB
	pending *pending // is with the engine since a Commit that failed

	commits, written atomic.Uint64
}

// Stats says how a Store fares.
type Stats struct {
	Bytes   uint64 // on disk
	Commits uint64 // since Open
	Written uint64 // bytes of the batches of these
}

// Open opens the store with the name file, "" for DefaultFile, in a folder. Both
// are made if need be, for the user alone. Errors are of class ErrInUse,
// ErrDamaged, ErrForeign or of what the operating system says, and advise what
// to do.
func Open(folder, file string, log *slog.Logger) (*Store, error) {
	if file == "" {
		file = DefaultFile
	}
	path := filepath.Join(folder, file)
	return open(vfs.Default, path, log, 0)
}

// open opens the store at a path. Tests give the size up to which the engine
// keeps things in memory, 0 for its own choice.
func open(fs vfs.FS, path string, log *slog.Logger, memory uint64) (*Store, error) {
	s := &Store{path: path, log: log, disk: newDisk(fs, path, log)}
	err := s.prepare()
	if err == nil {
		err = s.start(memory)
	}
	if err == nil {
		err = s.disk.witness.open(s.db)
	}
	if err == nil {
		err = s.checkFormat()
	}
	if err == nil {
		return s, nil
	}
	if s.db != nil {
		_ = s.Close() // err is what matters
	}
	s.disk.abandon()
	return nil, explain(path, err)
}

// prepare makes the folder of the store, or looks whether it is one.
func (s *Store) prepare() error {
	if err := s.disk.FS.MkdirAll(s.path, 0o700); err != nil {
		return err
	}
	names, err := s.disk.FS.List(s.path)
	if err != nil {
		return err
	}
	if names = slices.DeleteFunc(names, ofTheSystem); len(names) == 0 {
		return nil
	}
	has := func(what func(string) bool) bool { return slices.ContainsFunc(names, what) }
	switch {
	case !has(ofTheEngine):
		return fmt.Errorf("%w: it holds %s", ErrForeign, names[0])
	case has(func(n string) bool { return strings.HasSuffix(n, ".sst") }) &&
		!has(func(n string) bool { return strings.HasPrefix(n, "marker.manifest.") }):
		return fmt.Errorf("%w: marker.manifest is missing", ErrDamaged)
	}
	return s.disk.witness.checkManifest(names)
}

// ofTheSystem tells files that may lie in any folder.
func ofTheSystem(name string) bool { return name == "lost+found" || strings.HasPrefix(name, ".") }

// ofTheEngine tells the files that the engine makes first. After a crash at that
// time any of them may be there alone.
func ofTheEngine(name string) bool {
	for _, begin := range []string{"LOCK", "marker.", "MANIFEST-", "OPTIONS-", "temporary.", witnessName} {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return strings.HasSuffix(name, ".log") && strings.Trim(name[:len(name)-4], "0123456789") == ""
}

// start starts the engine.
func (s *Store) start(memory uint64) error {
	var db *pebble.DB
	var err error
	options := s.options(memory)
	defer options.FileCache.Unref() // the engine has it then
	done := s.disk.begin(func() { db, err = pebble.Open(s.path, options) })
	if trouble := s.disk.await(done); trouble != nil {
		return trouble
	}
	if s.db = db; err != nil && !ofTheMachine(err) && !errors.Is(err, ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

func (s *Store) options(memory uint64) *pebble.Options {
	o := &pebble.Options{
		FS:                 s.disk,
		Logger:             engineLog{s.disk},
		FormatMajorVersion: pebble.FormatNewest,
		MemTableSize:       memory,
		// Room that prefixes took is free only when their deletion is written.
		FlushDelayDeleteRange: 3 * time.Second,
		CacheSize:             1 << 20, // nothing is read but at the start
		FileCache:             pebble.NewFileCache(1, idleTables),
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) { s.log.Warn("the store has trouble", "path", s.path, "error", err) },
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				s.disk.lasts(fmt.Errorf("%w: %s: %w", ErrDamaged, i.Path, i.Details))
			},
		},
	}
	// The other mode opens each table again that is read as a whole.
	o.Local.ReadaheadConfig = objstorageprovider.NewReadaheadConfig()
	o.Local.ReadaheadConfig.Set(objstorageprovider.SysReadahead, objstorageprovider.SysReadahead)
	return o
}

// checkFormat makes sure that the pairs mean what this program takes them for.
func (s *Store) checkFormat() error {
	found, closer, err := s.db.Get(formatKey)
	switch {
	case err == nil:
		defer closer.Close()
		if !bytes.Equal(found, format) {
			return fmt.Errorf("%w: its format is %q, that of this program %q", ErrForeign, found, format)
		}
		return nil
	case err != pebble.ErrNotFound:
		return err
	}
	if empty, err := s.empty(); err != nil || !empty {
		return fmt.Errorf("%w: it has no format", ErrForeign)
	}
	b := s.NewBatch()
	if err := b.b.Set(formatKey, format, nil); err != nil {
		return err
	}
	return s.Commit(b)
}

func (s *Store) empty() (bool, error) {
	it, err := s.db.NewIter(nil)
	if err != nil {
		return false, err
	}
	some := it.First()
	return !some, it.Close()
}

// Load calls f with all pairs, in the order of their keys, until f returns an
// error. Key and value are valid during the call.
func (s *Store) Load(f func(key, value []byte) error) error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{pairs}, UpperBound: []byte{pairs + 1}})
	if err != nil {
		return explain(s.path, err)
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it.Key()[1:], it.Value()); err != nil {
			return err
		}
	}
	return explain(s.path, it.Error())
}

// Stats returns figures.
func (s *Store) Stats() Stats {
	return Stats{Bytes: s.db.Metrics().DiskSpaceUsage(), Commits: s.commits.Load(), Written: s.written.Load()}
}

// Close ends the use of the store. What was committed is safe, also after an
// error.
func (s *Store) Close() error {
	var err error
	done := s.disk.begin(func() {
		if s.pending != nil {
			<-s.pending.done
		}
		err = errors.Join(s.db.Close(), s.disk.witness.close())
	})
	trouble := s.disk.await(done)
	s.disk.abandon()
	if trouble != nil {
		return explain(s.path, trouble)
	}
	return explain(s.path, err)
}

// engineLog takes what the engine logs. It is chatty, and what is fatal to it
// need not be so to the process.
type engineLog struct{ disk *disk }

func (l engineLog) Infof(string, ...any) {}

func (l engineLog) Errorf(format string, args ...any) {
	l.disk.log.Warn("the store reports", "path", l.disk.path, "error", fmt.Sprintf(format, args...))
}

// Fatalf must not return.
func (l engineLog) Fatalf(format string, args ...any) { l.disk.fail(fmt.Errorf(format, args...)) }
