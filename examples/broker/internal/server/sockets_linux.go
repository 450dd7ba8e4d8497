package server

import (
	"errors"
	"fmt"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// sockets are the connections that the owner reads and writes itself: all that
// it has to do for them in a round, which it shares with a crew.
type sockets struct {
	server *Server
	*poller
	crew
	reads   []reading
	due     []due
	writing []due // while the others are collected

	adopting sync.Mutex // while a connection has two descriptors

	found func(readiness) // the methods that are called for each, made once
	get   func(h *hand, i int)
	put   func(h *hand, i int)
}

// reading is a socket that may be read from, and what came of it.
type reading struct {
	sock *socket
	data []byte
	more bool // there may be more
	err  error
}

// due is a Write that may leave now, and what came of it.
type due struct {
	sock *socket
	outgoing
	rest [][]byte
	took int
	err  error
}

// errNoRoom says that so much was read in this round that a socket has to wait
// for the next one.
var errNoRoom = errors.New("no room")

func (k *sockets) open(s *Server) (err error) {
	k.server = s
	if k.poller, err = openPoller(); err != nil {
		return fmt.Errorf("sockets cannot be waited for: %w; allow more open files (ulimit -n)", err)
	}
	k.found, k.get, k.put = k.ready, k.readOne, k.writeOne
	k.crew.start()
	return nil
}

func (k *sockets) close() {
	k.crew.stop()
	k.poller.close()
}

// add begins to look after a connection that adopt returned.
func (k *sockets) add(c *conn) error {
	if sock, ok := c.link.(*socket); ok {
		return k.watch(unix.EPOLL_CTL_ADD, int(sock.fd), c.handle, false)
	}
	return nil
}

// look finds out which sockets have become ready.
func (k *sockets) look() (more bool) { return k.poller.look(k.found) }

func (k *sockets) ready(r readiness) {
	c := k.server.conns[r.handle]
	if c == nil {
		return // it was closed meanwhile
	}
	sock := c.link.(*socket)
	sock.end = sock.end || r.end
	if r.reading {
		k.server.await(c)
	}
	if r.writing {
		sock.retry()
	}
	if sock.gone = sock.gone || r.lost; sock.gone && k.server.isChecking(c) {
		k.server.giveUp(c)
	}
}

// unread reports whether sockets may be read from.
func (k *sockets) unread() bool { return len(k.reads) > 0 }

// read reads from all sockets that may go on, and tells the broker.
func (k *sockets) read() {
	for i := range k.hands {
		k.hands[i].used = 0
	}
	k.crew.work(len(k.reads), k.get)
	for i := range k.reads {
		k.reads[i].sock.eager = false
		if k.reads[i].err == errNoRoom {
			k.server.await(&k.reads[i].sock.conn) // before those that had their turn
		}
	}
	for i := range k.reads {
		k.took(&k.reads[i])
	}
	clear(k.reads)
	k.reads = k.reads[:0]
}

func (k *sockets) readOne(h *hand, i int) { k.reads[i].read(h) }

// took passes on what was read.
func (k *sockets) took(r *reading) {
	s, sock := k.server, r.sock
	switch r.err {
	case nil:
		s.receive(&sock.conn, r.data, nil)
		if r.more || sock.end {
			s.await(&sock.conn)
		}
	case errNoRoom:
	case syscall.EAGAIN:
		sock.end = false
	default:
		sock.eof = true
		if sock.ended && sock.unsent == 0 {
			sock.close()
			return
		}
		s.receive(&sock.conn, nil, r.err)
	}
}

// flush sends what is due. It reports whether there was anything, so that the
// broker may go on.
func (k *sockets) flush() bool {
	if len(k.due) == 0 {
		return false
	}
	k.writing, k.due = k.due, k.writing[:0]
	k.crew.work(len(k.writing), k.put)
	for i := range k.writing {
		d := &k.writing[i]
		d.sock.attempted(d)
	}
	clear(k.writing)
	return true
}

func (k *sockets) writeOne(_ *hand, i int) {
	d := &k.writing[i]
	d.rest, d.took, d.err = d.sock.writeNow(d.data)
}
