package server

import (
	"fmt"
	"runtime"
	"time"

	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
)

// commits makes the changes of the broker durable: one batch is being committed
// while another one takes in what the rounds of the owner bring meanwhile. A
// Write that comes after changes leaves when these are durable, so one sync of
// the disk serves all messages that came during the one before.
type commits struct {
	store   Store        // nil: nothing is kept
	open    *store.Batch // takes in changes
	under   *store.Batch // is being committed, or empty
	busy    bool
	failing error // the last attempt; the batch is tried again
	left    error // why the batch under way was not stored at the end

	held      []held // by the batch that is under way
	heldLater []held // by the open one
	work      chan *store.Batch
	ended     chan struct{} // closed at the end of the goroutine that commits
}

// Store keeps changes. See store.Store, which is one.
type Store interface {
	NewBatch() *store.Batch
	// Commit makes a batch durable, all or nothing.
	Commit(*store.Batch) error
	// Load calls f with everything that is stored.
	Load(f func(key, value []byte) error) error
}

// held is a Write that waits until changes are durable.
type held struct {
	conn *conn
	outgoing
}

const (
	// mostOpen is the size of the changes that may wait for the commit before
	// them. Beyond it no client is read from.
	mostOpen = 16 << 20
	// retryAfter is the time between attempts to commit, after one failed.
	retryAfter = time.Second
)

func (k *commits) init(st Store) {
	if k.store = st; st != nil {
		k.open, k.under = st.NewBatch(), st.NewBatch()
		k.work, k.ended = make(chan *store.Batch, 1), make(chan struct{})
	}
}

// pending reports whether changes are not durable yet.
func (k *commits) pending() bool { return k.busy || k.store != nil && k.open.Len() > 0 }

// full reports whether so much waits that clients have to.
func (k *commits) full() bool { return k.store != nil && k.open.Size() >= mostOpen }

// add takes in a Store or Discard.
func (k *commits) add(ev *broker.Event) {
	switch {
	case k.store == nil:
	case ev.Kind == events.Store:
		k.open.Set(ev.Key, ev.Value)
	case ev.Prefix:
		k.open.DeletePrefix(ev.Key)
	default:
		k.open.Delete(ev.Key)
	}
}

// hold keeps a Write back. All changes of a round come before its first Write,
// so if the open batch is empty, the one under way holds all that it depends on.
func (k *commits) hold(c *conn, w outgoing) {
	if k.open.Len() == 0 {
		k.held = append(k.held, held{c, w})
	} else {
		k.heldLater = append(k.heldLater, held{c, w})
	}
}

// begin hands the open batch to the goroutine that commits, if that is free.
func (k *commits) begin() {
	if k.busy || k.store == nil || k.open.Len() == 0 {
		return
	}
	k.open, k.under = k.under, k.open
	k.held, k.heldLater = k.heldLater, k.held[:0]
	k.busy = true
	k.work <- k.under // has room for the only one
	runtime.Gosched() // to there: otherwise it begins when another thread comes to it
}

// commit runs in a goroutine of its own.
func (s *Server) commit() {
	defer close(s.commits.ended)
	for batch := range s.commits.work {
		for {
			start := time.Now()
			err := s.commits.store.Commit(batch)
			took := time.Since(start)
			if err == nil {
				s.ask(func() { s.committed(took) })
				break
			}
			s.ask(func() { s.commitFailed(err) })
			select {
			case <-time.After(retryAfter):
			case <-s.done:
				s.commits.left = err
				return
			}
		}
	}
}

// committed lets go the Writes whose changes are durable.
func (s *Server) committed(took time.Duration) {
	k := &s.commits
	m := &s.measured.store
	m.Commits++
	m.Bytes += uint64(k.under.Size())
	m.Latency.Observe(took)
	k.under.Reset()
	k.busy = false
	if k.failing != nil {
		k.failing = nil
		s.trouble.Store(nil)
		s.log.Info("changes can be stored again")
	}
	for _, h := range k.held {
		h.conn.letGo(h.outgoing)
	}
	clear(k.held)
	k.held = k.held[:0]
}

// commitFailed tells why changes are not durable. Their Writes wait, so nobody
// is promised anything that could be lost.
func (s *Server) commitFailed(err error) {
	s.measured.store.Failures++
	if s.commits.failing == nil {
		s.trouble.Store(&err)
		s.log.Error("changes cannot be stored; nothing is acknowledged until they can", "error", err)
	}
	s.commits.failing = err
}

// end commits what is left, and returns why that is not stored.
func (k *commits) end() error {
	if k.store == nil {
		return nil
	}
	close(k.work)
	<-k.ended
	err := k.left
	if err == nil && k.open.Len() > 0 {
		err = k.store.Commit(k.open)
	}
	if err != nil {
		return fmt.Errorf("the last changes are not stored, and were not acknowledged: %w", err)
	}
	return nil
}
