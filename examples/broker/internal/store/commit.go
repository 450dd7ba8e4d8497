package store

import (
	"errors"

	"github.com/cockroachdb/pebble/v2"
)

// pending is a batch that the engine has.
type pending struct {
	batch *pebble.Batch
	done  <-chan struct{}
	err   error
}

// errPending is a mistake of the caller.
var errPending = errors.New("another batch has not been committed yet")

// Commit makes the changes of a batch, all or none. They are durable when it
// returns nil.
//
// After an error the outcome is open: the batch stays with the Store, which goes
// on trying, and no other one is taken. The caller calls Commit with the same
// batch, unchanged, until it returns nil. Commit waits a little before it
// returns an error, so that no further delay is needed. Nothing that was
// committed before is in danger.
func (s *Store) Commit(b *Batch) error {
	p := s.pending
	switch {
	case p == nil:
		if err := s.disk.witness.next(b.b); err != nil {
			return explain(s.path, err)
		}
		p = &pending{batch: b.b}
		p.done = s.disk.begin(func() { p.err = p.batch.Commit(pebble.Sync) })
	case p.batch != b.b:
		return errPending
	}
	s.pending = p
	if trouble := s.disk.await(p.done); trouble != nil {
		return explain(s.path, trouble)
	}
	s.pending = nil
	if p.err == nil {
		s.disk.witness.committed()
		s.commits.Add(1)
		s.written.Add(uint64(b.size))
	}
	return explain(s.path, p.err)
}
