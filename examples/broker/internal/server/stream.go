package server

import (
	"io"
	"sync"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// stream is a connection with a goroutine that reads, and one more for each
// Write: TLS and WebSocket, and what else cannot be served as a socket.
type stream struct {
	conn
	in   *listen.Conn
	goOn chan struct{} // lets the reader go on
	over chan struct{} // closed when nothing more will be written
}

func newStream(s *Server, in *listen.Conn) *stream {
	c := &stream{in: in, goOn: make(chan struct{}, 1), over: make(chan struct{})}
	c.link, c.door = c, s.doors[in.Listener]
	return c
}

// Buffers for reading. A stream that waits for bytes has a small one; a record of
// TLS has no more than the large one.
const (
	smallRead  = 512
	streamRead = 16 << 10
)

var streamReads = sync.Pool{New: func() any { return new([streamRead]byte) }}

// read hands over what the stream brings, one buffer at a time, until it ends.
func (c *stream) read() {
	own := make([]byte, smallRead)
	full := false
	for {
		buf := own
		var lent *[streamRead]byte
		if full {
			lent = streamReads.Get().(*[streamRead]byte)
			buf = lent[:]
		}
		n, err := c.in.Read(buf)
		full = n == len(buf)
		if !c.handOver(buf[:n], err) {
			return // the owner may still look at the buffer
		}
		if lent != nil {
			streamReads.Put(lent)
		}
	}
}

// handOver tells the owner what was read, and waits until it is done with it.
// It reports false at the end.
func (c *stream) handOver(data []byte, err error) bool {
	c.server.inbox.put(happening{what: wasRead, conn: &c.conn, data: data, err: err})
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

// release waits until everything was written, and closes the stream. Unread
// bytes are read first: closing with them would reset the connection, and the
// client might never see why.
func (c *stream) release() {
	select {
	case <-c.over:
		_, _ = io.Copy(io.Discard, c.in) // until the deadline, or the client closes
	case <-c.server.done:
	}
	c.close()
	c.server.inbox.put(happening{what: wasReleased, conn: &c.conn})
}

func (c *stream) resume() {
	c.eager = false
	c.goOn <- struct{}{} // has room for the one that can be due
}

func (c *stream) send(w outgoing) {
	go func() {
		err := netio.WriteBuffers(c.in, w.data, c.server.options.Limits.WriteTimeout)
		c.server.inbox.put(happening{what: wasWritten, conn: &c.conn, wrote: w, err: err})
	}()
}

func (c *stream) finish() {
	netio.CloseWrite(c.in)
	_ = c.in.SetReadDeadline(time.Now().Add(lingering)) // it may be gone already
	close(c.over)
}

func (c *stream) close() { _ = c.in.Close() } // there is nobody to tell

func (c *stream) place() *listen.Place { return &c.in.Place }

func (c *stream) identity() (user string, ok bool) { return c.in.User, c.in.HasUser }

func (c *stream) revoked() error { return c.in.Revoked() }

// lost is not known while nobody reads.
func (c *stream) lost() bool { return false }
