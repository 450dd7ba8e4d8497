package server

import (
	"io"
	"sync"
	"syscall"
	"time"

	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// conn is one connection. Its fields belong to the owner of the broker, but for
// the socket and the channels.
type conn struct {
	*listen.Conn
	server *Server
	door   *door
	raw    syscall.RawConn // of a socket, nil for TLS and WebSocket
	handle broker.Handle

	goOn chan struct{} // lets the reader go on
	over chan struct{} // closed when nothing more will be written

	unsent  int        // Writes that are not out
	sending bool       // one of them is being written, or is at the end of the round
	behind  []outgoing // come after it
	broken  bool       // writing failed
	ended   bool       // Close came

	unproven int  // bytes that it brought before it was let in
	proven   bool // they are not counted any more
	letIn    bool
	login    string // user whose password let it in
}

// Buffers for reading. A connection has one only while it has something to
// read, and one that waits for bytes of TLS or WebSocket has a small one.
const (
	largeRead  = 64 << 10
	smallRead  = 512
	streamRead = 16 << 10 // of TLS and WebSocket; a record of TLS has no more
)

var (
	reads       = sync.Pool{New: func() any { return new([largeRead]byte) }}
	streamReads = sync.Pool{New: func() any { return new([streamRead]byte) }}
)

// read hands over what the connection brings, one buffer at a time, until it
// ends.
func (c *conn) read() {
	if c.raw == nil {
		c.readStream()
		return
	}
	var r socketReader
	for {
		_, err := r.wait(c.raw)
		if !c.handOver(r.bytes(), err) {
			return // the owner may still look at the buffer
		}
		r.free()
	}
}

// readStream reads from a connection that cannot tell whether it has bytes.
func (c *conn) readStream() {
	own := make([]byte, smallRead)
	full := false
	for {
		buf := own
		var lent *[streamRead]byte
		if full {
			lent = streamReads.Get().(*[streamRead]byte)
			buf = lent[:]
		}
		n, err := c.Read(buf)
		full = n == len(buf)
		if !c.handOver(buf[:n], err) {
			return
		}
		if lent != nil {
			streamReads.Put(lent)
		}
	}
}

// handOver tells the owner what was read, and waits until it is done with it.
// It reports false at the end.
func (c *conn) handOver(data []byte, err error) bool {
	c.server.inbox.put(happening{what: wasRead, conn: c, data: data, err: err})
	if err != nil {
		return false
	}
	select {
	case <-c.goOn:
		return true
	case <-c.over:
	case <-c.server.done:
	}
	return false
}

// release waits until everything was written, and closes the socket. Unread
// bytes are read first: closing with them would reset the connection, and the
// client might never see why.
func (c *conn) release() {
	select {
	case <-c.over:
		_, _ = io.Copy(io.Discard, c.Conn) // until the deadline, or the client closes
	case <-c.server.done:
	}
	_ = c.Close() // there is nobody to tell
	c.server.inbox.put(happening{what: wasReleased, conn: c})
}

// write sends the bytes of a Write, once the changes before it are durable. Until
// they are out the broker makes no other Write; only the last one of a connection
// that was taken over may come behind.
func (c *conn) write(data [][]byte) {
	s := c.server
	w := outgoing{data, s.broker.ReplaceWriteBuffer(c.handle, nil)}
	if c.unsent++; c.unsent == 1 {
		s.broker.SetWriteBlocked(s.now, c.handle, true)
	}
	if s.commits.pending() {
		s.commits.hold(c, w)
		return
	}
	c.letGo(w)
}

// letGo sends what nothing holds back any more: at the end of the round, or in
// the background if it is not for a plain socket that is free.
func (c *conn) letGo(w outgoing) {
	if c.raw == nil || c.sending || c.broken {
		c.send(w)
		return
	}
	c.sending = true
	c.server.flusher.list = append(c.server.flusher.list, due{conn: c, outgoing: w})
}

// send writes in the background, after what is being written already.
func (c *conn) send(w outgoing) {
	switch {
	case c.broken:
		c.written(w, nil)
	case c.sending:
		c.behind = append(c.behind, w)
	default:
		c.sending = true
		go func() {
			err := netio.WriteBuffers(c.Conn, w.data, c.server.options.Limits.WriteTimeout)
			c.server.inbox.put(happening{what: wasWritten, conn: c, wrote: w, err: err})
		}()
	}
}

// written goes on after the bytes of a Write are out, or cannot get out.
func (c *conn) written(w outgoing, err error) {
	s := c.server
	s.broker.RecycleWriteBuffer(w.buf)
	c.unsent--
	if err != nil {
		c.broken = true
		c.unsent -= len(c.behind)
		c.behind = nil
		s.broker.Closed(s.now, c.handle, err)
	}
	if len(c.behind) > 0 {
		next := c.behind[0]
		c.behind = c.behind[1:]
		c.send(next)
	}
	if c.unsent > 0 {
		return
	}
	s.broker.SetWriteBlocked(s.now, c.handle, false)
	if c.ended {
		c.finish()
	}
}

// end begins the end of the socket, after the last Write.
func (c *conn) end() {
	c.ended = true
	if c.unsent == 0 {
		c.finish()
	}
}

func (c *conn) finish() {
	netio.CloseWrite(c.Conn)
	_ = c.SetReadDeadline(time.Now().Add(lingering)) // it may be gone already
	close(c.over)
}
