package server

import (
	"net"
	"runtime"
	"sync"
)

// outgoing is a Write that is not out yet. Its bytes are ours.
type outgoing struct {
	data net.Buffers
	buf  []byte // is given back once they are out
}

// due is a Write that may leave now, and what came of it.
type due struct {
	conn *conn
	outgoing
	rest [][]byte
	err  error
}

// flusher writes to sockets, without waiting for any, what is due at the end of
// a round. Where much is due, several processors share it: system calls cost
// more than all the logic of a broker that sends to many.
type flusher struct {
	list  []due
	alone socketWriter
	jobs  chan []due
	wg    sync.WaitGroup
	more  int // workers besides the owner
}

// share is the number of Writes from which on another processor is worth the
// trouble.
const share = 8

func (f *flusher) start() {
	f.more = runtime.GOMAXPROCS(0) - 1
	f.jobs = make(chan []due)
	for range f.more {
		go func() {
			var w socketWriter
			for list := range f.jobs {
				w.writeAll(list)
				f.wg.Done()
			}
		}()
	}
}

func (f *flusher) stop() { close(f.jobs) }

// write writes what is in the list.
func (f *flusher) write() {
	list := f.list
	parts := min(f.more, len(list)/share) + 1
	for i := parts; i > 1; i-- {
		n := len(list) / i
		f.wg.Add(1)
		f.jobs <- list[:n]
		list = list[n:]
	}
	f.alone.writeAll(list)
	f.wg.Wait()
}

func (w *socketWriter) writeAll(list []due) {
	for i := range list {
		d := &list[i]
		d.rest, d.err = w.write(d.conn.raw, d.data)
	}
}

// flush sends what is due. It reports whether there was anything, so that the
// broker may go on.
func (s *Server) flush() bool {
	f := &s.flusher
	if len(f.list) == 0 {
		return false
	}
	f.write()
	for i := range f.list {
		d := &f.list[i]
		d.conn.sending = false
		if d.err == nil && len(d.rest) > 0 {
			d.data = d.rest
			d.conn.send(d.outgoing)
			continue
		}
		d.conn.written(d.outgoing, d.err)
	}
	clear(f.list)
	f.list = f.list[:0]
	return true
}
