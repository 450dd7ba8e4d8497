package driver

import (
	"net"
	"sync"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// conn is one transport. A goroutine reads, and another one writes while there
// is something to write; the owner never waits for either.
type conn struct {
	net.Conn
	driver   *Driver
	more     chan struct{} // lets the reader go on
	over     chan struct{} // closed when the owner has done with it
	readAll  chan struct{} // closed when the reader has ended
	finished chan struct{} // closed when the transport is closed
	reading  bool          // the owner's: the reader waits for it

	mu      sync.Mutex // nothing is called while it is held
	queue   net.Buffers
	backlog int // bytes that are not written yet
	writing bool
	ending  bool
}

func newConn(d *Driver, nc net.Conn) *conn {
	c := &conn{
		Conn: nc, driver: d,
		more:     make(chan struct{}, 1),
		over:     make(chan struct{}),
		readAll:  make(chan struct{}),
		finished: make(chan struct{}),
	}
	go c.read()
	return c
}

// tell hands a happening to the owner, unless it is not interested any more.
func (c *conn) tell(h Happening) bool {
	h.conn = c
	select {
	case c.driver.happened <- h:
		return true
	case <-c.over:
		return false
	}
}

// read runs in the reader's goroutine. It hands over one buffer at a time.
func (c *conn) read() {
	defer close(c.readAll)
	buf := make([]byte, readSize)
	for {
		n, err := c.Read(buf)
		told := c.tell(Happening{what: wasRead, data: buf[:n], err: err})
		if err != nil {
			return
		}
		if told {
			select {
			case <-c.more:
				continue
			case <-c.over:
			}
		}
		// Closing with unread bytes would reset the connection, and what was
		// written last could be lost. So it reads on to the end.
		for err == nil {
			_, err = c.Read(buf)
		}
		return
	}
}

// next lets the reader go on if it waits.
func (c *conn) next() {
	if c.reading {
		c.reading = false
		c.more <- struct{}{} // has room for the one that can be due
	}
}

// push gives bytes to the writer.
func (c *conn) push(data [][]byte, size int) {
	c.mu.Lock()
	c.queue = append(c.queue, data...)
	c.backlog += size
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start {
		go c.write()
	}
}

// unwritten returns the number of bytes that are not written yet.
func (c *conn) unwritten() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backlog
}

// take returns what is to be written next. With nothing the writer rests, and
// last tells that it will never get up again.
func (c *conn) take() (bufs net.Buffers, size int, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bufs, size, c.queue = c.queue, c.backlog, nil
	c.writing = len(bufs) > 0
	return bufs, size, c.ending
}

// write runs in the writer's goroutine, of which there is at most one.
func (c *conn) write() {
	for {
		bufs, size, last := c.take()
		if len(bufs) == 0 {
			if last {
				c.finish(true)
			}
			return
		}
		err := netio.WriteBuffers(c.Conn, bufs, c.driver.writeTimeout)
		c.mu.Lock()
		c.backlog -= size
		c.mu.Unlock()
		if err != nil {
			// The owner answers with end; the rest is lost.
			c.tell(Happening{what: wasWritten, err: err})
			<-c.over
			c.finish(false)
			return
		}
		c.tell(Happening{what: wasWritten})
	}
}

// end closes the transport once everything is written. It does not wait.
func (c *conn) end() {
	close(c.over)
	c.mu.Lock()
	c.ending = true
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start {
		go c.write()
	}
}

// finish closes the transport, well if it can: the peer is told, and has a
// moment to close too.
func (c *conn) finish(well bool) {
	defer close(c.finished)
	if well {
		netio.CloseWrite(c.Conn)
		linger := time.NewTimer(lingerTimeout)
		defer linger.Stop()
		select {
		case <-c.readAll:
		case <-linger.C:
		}
	}
	c.Conn.Close()
	<-c.readAll
}
