package server

import "sync"

// happening is what the goroutines around the owner of the broker tell it.
type happening struct {
	what  occasion
	conn  *conn    // of what happened on a connection
	data  []byte   // of wasRead, borrowed until the stream may resume
	wrote outgoing // of wasWritten
	err   error
	call  func() // of wasAsked, runs in the owner's goroutine
}

type occasion uint8

const (
	wasOpened occasion = iota
	wasRead
	wasWritten
	wasReleased // the stream is closed
	wasDue      // the deadline of the broker has come
	wasAsked
)

// inbox takes happenings from many goroutines. The owner takes all that there
// are at once, so that one round of the broker serves whatever has come
// meanwhile. Nobody waits to put something in: a connection has no more than a
// few under way.
type inbox struct {
	mu     sync.Mutex
	list   []happening
	closed bool
	nudge  func() // wakes the owner
}

// put reports false if the owner takes nothing any more.
func (b *inbox) put(h happening) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	if b.list = append(b.list, h); len(b.list) == 1 {
		b.nudge() // under the lock, so not after close
	}
	return true
}

// take returns all that there is. The list of the last call is given back to be
// filled again.
func (b *inbox) take(last []happening) []happening {
	clear(last)
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = last[:0]
	return list
}

// close ends the inbox, and returns what is left.
func (b *inbox) close() []happening {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return b.list
}
