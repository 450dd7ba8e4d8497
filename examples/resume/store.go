package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// store keeps the session in a file that is only appended to. The file is a row
// of batches: the length of the batch, its CRC-32, its bytes. A batch is what
// has to be true at the same time, so it counts as a whole or not at all: the
// last one of a process that was killed may be cut off. A batch is a row of
// changes: the key of a record, and its new bytes behind their length plus 1, or
// 0 where the record is gone.
type store struct {
	name    string
	file    *os.File
	records map[uint64][]byte // what counts now
	batch   []byte            // the changes that are not in the file yet
	size    int64             // of the file
	live    int64             // of which this much still counts
}

// Keys of our own records, in which the session has none: it counts up from 0.
const (
	keyInput  = 1<<64 - 1 - iota // how many bytes of the input were published
	keyOutput                    // how many bytes of the output count
	keyTotal                     // how many messages were received
)

// compactAt is how large a file has to be before it is written anew.
const compactAt = 1 << 20

const batchHead = 8

// openStore reads the file, as far as it is whole, and writes it anew.
func openStore(name string) (*store, error) {
	s := &store{name: name, records: make(map[uint64][]byte)}
	f, err := os.Open(name)
	if err == nil {
		err = s.replay(bufio.NewReader(f))
		f.Close()
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return s, s.compact()
}

// replay applies all batches up to the first that is cut off or broken.
func (s *store) replay(r io.Reader) error {
	var head [batchHead]byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return ignoreEnd(err)
		}
		batch, err := io.ReadAll(io.LimitReader(r, int64(binary.BigEndian.Uint32(head[:]))))
		if err != nil {
			return err
		}
		if len(batch) < int(binary.BigEndian.Uint32(head[:])) || crc32.ChecksumIEEE(batch) != binary.BigEndian.Uint32(head[4:]) {
			return nil
		}
		if err := s.apply(batch); err != nil {
			return err
		}
	}
}

func ignoreEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

var errFormat = errors.New("it is no session of this program")

// apply makes the changes of a batch count.
func (s *store) apply(batch []byte) error {
	for len(batch) > 0 {
		key, n := binary.Uvarint(batch)
		if n <= 0 {
			return errFormat
		}
		batch = batch[n:]
		size, n := binary.Uvarint(batch)
		if n <= 0 || size > uint64(len(batch)-n)+1 {
			return errFormat
		}
		batch = batch[n:]
		s.live -= int64(len(s.records[key]))
		if size == 0 {
			delete(s.records, key)
			continue
		}
		s.records[key], batch = batch[:size-1:size-1], batch[size-1:]
		s.live += int64(size - 1)
	}
	return nil
}

// state returns the session that the file has.
func (s *store) state() (*session.State, error) {
	st := session.NewState()
	for _, key := range slices.Sorted(maps.Keys(s.records)) {
		if key >= keyTotal {
			continue
		}
		if err := st.RestoreRecord(s.records[key]); err != nil {
			return nil, err
		}
	}
	return st, nil
}

// note takes a Store or Discard event into the batch.
func (s *store) note(ev events.Event) {
	if ev.Kind == events.Store {
		s.put(ev.Key(), session.AppendRecord(nil, ev))
		return
	}
	s.batch = append(binary.AppendUvarint(s.batch, ev.Key()), 0)
}

func (s *store) put(key uint64, record []byte) {
	s.batch = binary.AppendUvarint(s.batch, key)
	s.batch = binary.AppendUvarint(s.batch, uint64(len(record))+1)
	s.batch = append(s.batch, record...)
}

// number returns one of our own records, 0 if there is none.
func (s *store) number(key uint64) int64 {
	n, _ := binary.Uvarint(s.records[key])
	return int64(n)
}

func (s *store) setNumber(key uint64, n int64) {
	s.put(key, binary.AppendUvarint(nil, uint64(n)))
}

// commit makes the batch durable. Nothing that depends on it may leave before.
func (s *store) commit() error {
	if len(s.batch) == 0 {
		return nil
	}
	if err := write(s.file, s.batch); err != nil {
		return err
	}
	if err := s.file.Sync(); err != nil {
		return err
	}
	s.size += int64(len(s.batch)) + batchHead
	batch := s.batch
	s.batch = nil // the records have parts of it
	if err := s.apply(batch); err != nil {
		return err
	}
	if s.size > compactAt && s.size > 4*s.live {
		return s.compact()
	}
	return nil
}

// write appends a batch to a file, in one call.
func write(f *os.File, batch []byte) error {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(batch)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(batch))
	_, err := f.Write(append(b, batch...))
	return err
}

// compact writes what counts into a new file, which then takes the place of the
// old one at once, whatever happens meanwhile.
func (s *store) compact() error {
	temporary := s.name + ".new"
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	s.batch = nil
	for _, key := range slices.Sorted(maps.Keys(s.records)) {
		s.put(key, s.records[key])
	}
	size := len(s.batch) + batchHead
	err = write(f, s.batch)
	s.batch = nil
	for _, step := range []func() error{f.Sync, func() error { return os.Rename(temporary, s.name) }, s.syncFolder} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("writing it anew: %w", err)
	}
	if s.file != nil {
		s.file.Close()
	}
	s.file, s.size = f, int64(size)
	return nil
}

// syncFolder makes the new name durable.
func (s *store) syncFolder() error {
	d, err := os.Open(filepath.Dir(s.name))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
