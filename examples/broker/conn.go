package main

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// conn is one connection. Its fields belong to the owner of the broker, but for
// the socket and the channels.
type conn struct {
	net.Conn
	server *server
	handle broker.Handle

	next chan struct{} // lets the reader go on
	over chan struct{} // closed when nothing more will be written
	held bool          // the reader waits

	writing bool
	ended   bool        // Close came
	last    net.Buffers // the Write that came while another one was under way
}

// large lends buffers to connections that bring much at once; the others make
// do with a small one.
var large = sync.Pool{New: func() any { return new([largeRead]byte) }}

// read runs in the reader's goroutine. It hands over one buffer at a time.
func (c *conn) read() {
	defer c.release()
	own := make([]byte, smallRead)
	full := false
	for {
		buf := own
		var lent *[largeRead]byte
		if full {
			lent = large.Get().(*[largeRead]byte)
			buf = lent[:]
		}
		n, err := c.Read(buf)
		full = n >= smallRead
		goOn := c.server.tell(happening{conn: c, what: wasRead, data: buf[:n], err: err}, c.over) && err == nil
		if goOn {
			select {
			case <-c.next:
			case <-c.over:
				goOn = false
			case <-c.server.done:
				return
			}
		}
		if lent != nil && goOn {
			large.Put(lent)
		}
		if !goOn {
			return
		}
	}
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
	c.Close()
	c.server.tell(happening{conn: c, what: wasReleased}, nil)
}

// tell hands a happening to the owner. It reports false if nobody wants to
// know any more.
func (s *server) tell(h happening, over <-chan struct{}) bool {
	select {
	case s.happened <- h:
		return true
	case <-over:
	case <-s.done:
	}
	return false
}

// write starts to write. Until that is done the connection counts as blocked,
// so that there is one Write at a time; only the last one of a connection that
// was taken over may come behind it.
func (c *conn) write(bufs net.Buffers) {
	if c.writing {
		c.last = append(c.last, bufs...)
		return
	}
	c.writing = true
	c.server.broker.SetWriteBlocked(time.Now(), c.handle, true)
	c.start(bufs)
}

func (c *conn) start(bufs net.Buffers) {
	go func() {
		err := netio.WriteBuffers(c.Conn, bufs, c.server.options.writeTimeout)
		c.server.tell(happening{conn: c, what: wasWritten, err: err}, nil)
	}()
}

// written goes on after a write.
func (c *conn) written(now time.Time, err error) {
	if err == nil && c.last != nil {
		bufs := c.last
		c.last = nil
		c.start(bufs)
		return
	}
	c.writing = false
	if err != nil {
		c.server.broker.Closed(now, c.handle, err)
	}
	c.server.broker.SetWriteBlocked(now, c.handle, false)
	if c.ended {
		c.finish()
	}
}

// end begins the end of the socket, after the last Write.
func (c *conn) end() {
	c.ended = true
	if !c.writing {
		c.finish()
	}
}

func (c *conn) finish() {
	netio.CloseWrite(c.Conn)
	_ = c.SetReadDeadline(time.Now().Add(lingering)) // it may be gone already
	close(c.over)
}

// explain says in words what ended a connection.
func explain(err error) string {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, session.ErrTransport):
		return "the client closed the connection without DISCONNECT"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the client reset the connection"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client took no bytes for too long"
	}
	return err.Error()
}
