package store

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// load is what a broker does to its store: records of sessions, by their number
// and that of the message.
type load struct {
	r     *rand.Rand
	value []byte
	sent  [1000]uint64 // by session
}

func newLoad(size int) *load {
	return &load{r: rand.New(rand.NewPCG(1, 1)), value: make([]byte, size)}
}

func session(number uint64) []byte { return binary.BigEndian.AppendUint64([]byte{'s'}, number) }

// key returns that of the next message of any session.
func (l *load) key() []byte {
	s := l.r.Uint64N(uint64(len(l.sent)))
	l.sent[s]++
	return binary.BigEndian.AppendUint64(append(session(s), 'm'), l.sent[s])
}

func (l *load) set(b *Batch, key []byte) {
	for i := 0; i+8 <= len(l.value); i += 8 {
		binary.LittleEndian.PutUint64(l.value[i:], l.r.Uint64())
	}
	b.Set(key, l.value)
}

// write sets so many records in batches of a thousand.
func (l *load) write(t testing.TB, s *Store, n int) {
	b := s.NewBatch()
	for n > 0 {
		for range min(n, 1000) {
			l.set(b, l.key())
			n--
		}
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		b.Reset()
	}
}

// shrinks waits until a store has at most so many bytes.
func shrinks(t testing.TB, s *Store, most uint64) {
	t.Helper()
	for end := time.Now().Add(programtest.Limit); s.Stats().Bytes > most; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d bytes", s.Stats().Bytes)
		}
	}
}

// The store takes room for what is in it, not for what once was: after the end
// of all sessions, and while messages come and go.
func TestRoom(t *testing.T) {
	const (
		most    = 24 << 20 // logs and tables that the engine has in hand
		records = 200_000 / stride
	)
	s := mustOpen(t, t.TempDir())
	defer mustClose(t, s)
	l := newLoad(200)
	l.write(t, s, records)
	if n := s.Stats().Bytes; n < records*200 {
		t.Errorf("%d bytes", n)
	}
	commit(t, s, func(b *Batch) {
		for n := range uint64(len(l.sent)) {
			b.DeletePrefix(session(n))
		}
	})
	shrinks(t, s, most)
	expect(t, s, nil)
	var before [][]byte
	b := s.NewBatch()
	for range 200 / stride {
		var keys [][]byte
		for range 1000 {
			key := l.key()
			l.set(b, key)
			keys = append(keys, key)
		}
		for _, key := range before {
			b.Delete(key)
		}
		if err := s.Commit(b); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		before = keys
	}
	shrinks(t, s, most)
	if n := len(contents(t, s)); n != len(before) {
		t.Errorf("%d records, want %d", n, len(before))
	}
}
