package store

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// quiet is for tests in which trouble is part of the plan.
var quiet = slog.New(slog.DiscardHandler)

// mustOpen opens the store of a folder until the end of the test.
func mustOpen(t testing.TB, folder string) *Store {
	t.Helper()
	s, err := Open(folder, "", quiet)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// commit commits what fill puts into a batch.
func commit(t testing.TB, s *Store, fill func(b *Batch)) {
	t.Helper()
	b := s.NewBatch()
	fill(b)
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
}

func set(key, value string) func(*Batch) {
	return func(b *Batch) { b.Set([]byte(key), []byte(value)) }
}

// contents returns all pairs.
func contents(t testing.TB, s *Store) map[string]string {
	t.Helper()
	m := make(map[string]string)
	if err := s.Load(func(k, v []byte) error { m[string(k)] = string(v); return nil }); err != nil {
		t.Fatal(err)
	}
	return m
}

func expect(t testing.TB, s *Store, want map[string]string) {
	t.Helper()
	if got := contents(t, s); !maps.Equal(got, want) {
		t.Fatalf("%d pairs, want %d\n got %.300q\nwant %.300q", len(got), len(want), fmt.Sprint(got), fmt.Sprint(want))
	}
}

func TestPairsSurvive(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "folder")
	s := mustOpen(t, folder)
	expect(t, s, nil)
	large := strings.Repeat("x", 3<<20) // larger than what the engine keeps in memory
	b := s.NewBatch()
	for _, k := range []string{"", "a", "a\x00", "ab", "b", "\xff", "\xff\xff", "\xff\xffx"} {
		b.Set([]byte(k), []byte("value of "+k))
	}
	b.Set([]byte("large"), []byte(large))
	if b.Len() != 9 || b.Size() < len(large) {
		t.Errorf("a batch of %d changes and %d bytes", b.Len(), b.Size())
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	if b.Len() != 0 {
		t.Errorf("%d changes after Reset", b.Len())
	}
	b.Set([]byte("b"), nil)
	b.DeletePrefix([]byte("\xff\xff"))
	b.DeletePrefix([]byte("a"))
	b.Set([]byte("ac"), []byte("later"))
	b.Delete([]byte("not there"))
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"": "value of ", "ac": "later", "b": "", "\xff": "value of \xff", "large": large}
	expect(t, s, want)
	if st := s.Stats(); st.Commits != 3 || st.Written < uint64(len(large)) || st.Bytes < uint64(len(large)) {
		t.Errorf("%+v", st)
	}
	mustClose(t, s)

	s = mustOpen(t, folder)
	expect(t, s, want)
	commit(t, s, func(b *Batch) { b.DeletePrefix(nil) })
	expect(t, s, nil)
	mustClose(t, s)
	s = mustOpen(t, folder) // it is a store also without pairs
	expect(t, s, nil)
	mustClose(t, s)
}

func TestLoadStopsAtError(t *testing.T) {
	s := mustOpen(t, t.TempDir())
	defer mustClose(t, s)
	commit(t, s, func(b *Batch) { set("a", "1")(b); set("b", "2")(b) })
	stop, n := errors.New("stop"), 0
	if err := s.Load(func(k, v []byte) error { n++; return stop }); err != stop || n != 1 {
		t.Errorf("%v after %d pairs", err, n)
	}
}

// Everything is for the user alone, whatever the umask.
func TestRights(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "state")
	s := mustOpen(t, folder)
	for i := range 40 { // until there are files of all kinds
		commit(t, s, set(fmt.Sprint(i), strings.Repeat("x", 100<<10)))
	}
	mustClose(t, s)
	kinds := make(map[string]bool)
	err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		want := os.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if err == nil && info.Mode().Perm() != want {
			t.Errorf("%s: %v", path, info.Mode())
		}
		kinds[filepath.Ext(path)] = true
		return err
	})
	if err != nil || !kinds[".sst"] || !kinds[".log"] {
		t.Errorf("%v, files %v", err, slices.Collect(maps.Keys(kinds)))
	}
}

func TestSecondStoreIsRefused(t *testing.T) {
	folder := t.TempDir()
	s := mustOpen(t, folder)
	_, err := Open(folder, "", quiet)
	explains(t, err, ErrInUse, "in use by another process")
	other, err := Open(folder, "other", quiet)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, other)
	mustClose(t, s)
	mustClose(t, mustOpen(t, folder))
}

// explains checks the class of an error, and that it is one line with some text.
func explains(t testing.TB, err, class error, text string) {
	t.Helper()
	if !errors.Is(err, class) || !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 500 {
		t.Fatalf("got %v\nwant one line of class %v with %q", err, class, text)
	}
}

func TestForeign(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, DefaultFile), []byte("mosquitto"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(folder, "", quiet)
		if err == nil || !strings.Contains(err.Error(), "is a file and no folder") {
			t.Errorf("%v", err)
		}
	})
	t.Run("folder", func(t *testing.T) {
		folder := t.TempDir()
		path := filepath.Join(folder, DefaultFile, "letter.txt")
		if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(folder, "", quiet)
		explains(t, err, ErrForeign, "letter.txt")
	})
	t.Run("version", func(t *testing.T) {
		folder := t.TempDir()
		s := mustOpen(t, folder)
		b := s.NewBatch()
		if err := errors.Join(b.b.Set(formatKey, []byte("mqttcore broker 2"), nil), s.Commit(b), s.Close()); err != nil {
			t.Fatal(err)
		}
		_, err := Open(folder, "", quiet)
		explains(t, err, ErrForeign, `"mqttcore broker 2"`)
	})
	t.Run("database of others", func(t *testing.T) {
		folder := t.TempDir()
		s := mustOpen(t, folder)
		b := s.NewBatch()
		if err := errors.Join(b.b.Set([]byte("x"), nil, nil), b.b.Delete(formatKey, nil), s.Commit(b), s.Close()); err != nil {
			t.Fatal(err)
		}
		_, err := Open(folder, "", quiet)
		explains(t, err, ErrForeign, "no format")
	})
}

// small makes the engine write tables soon.
const small = 64 << 10

// simulated opens a store on a simulated disk.
func simulated(t testing.TB, fs vfs.FS) *Store {
	t.Helper()
	s, err := open(fs, "store", quiet, small)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
