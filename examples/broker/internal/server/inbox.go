package server

import "sync"

// happening is what the goroutines around the owner of the broker tell it.
type happening struct {
	what  occasion
	conn  *conn    // of what happened on a connection
	data  []byte   // of wasRead, borrowed until the reader is let go on
	wrote outgoing // of wasWritten
	err   error
	call  func() // of wasAsked, runs in the owner's goroutine
}

type occasion uint8

const (
	wasOpened occasion = iota
	wasRead
	wasWritten
	wasReleased // the socket is closed
	wasDue      // the deadline of the broker has come
	wasAsked
)

// inbox takes happenings from many goroutines. The owner takes all that there
// are at once, so that one round of the broker serves whatever has come
// meanwhile. Nobody waits to put something in: a connection has no more than a
// few under way.
type inbox struct {
	mu   sync.Mutex
	list []happening
	wake chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) put(h happening) {
	b.mu.Lock()
	b.list = append(b.list, h)
	first := len(b.list) == 1
	b.mu.Unlock()
	if first {
		select {
		case b.wake <- struct{}{}:
		default:
		}
	}
}

// take waits for something and returns all of it. The list of the last call is
// given back to be filled again.
func (b *inbox) take(last []happening) []happening {
	clear(last)
	for {
		b.mu.Lock()
		list := b.list
		if len(list) > 0 {
			b.list = last[:0]
			b.mu.Unlock()
			return list
		}
		b.mu.Unlock()
		<-b.wake
	}
}
