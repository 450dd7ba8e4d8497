package server

import (
	"net"

	"github.com/mqttcore/mqttcore/session/broker"

	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
)

// conn is one connection, as the owner of the broker sees it.
type conn struct {
	link link
	*door
	handle broker.Handle

	behind   *outgoing // comes after the Write that is being written; nil for none
	unsent   int32     // Writes that are not out
	unproven int32     // bytes that it brought before it was let in
	login    string    // user whose password let it in

	said    said // at first
	proven  bool // they are not counted any more
	letIn   bool
	eager   bool // it is among those that may bring more, or was let go on to do so
	sending bool // a Write is being written, or is at the end of the round
	broken  bool // writing failed
	ended   bool // Close came
}

// link is what is below a connection: a plain socket or a stream. The owner calls
// its methods, none of which waits.
type link interface {
	// resume lets it bring bytes once, and ends eager.
	resume()
	// send writes, and calls sent later. There is one Write at a time.
	send(outgoing)
	// finish tells the client that nothing more will come, and closes the link
	// some time after that.
	finish()
	// close closes it at once. It may be called more than once.
	close()
	// place is what it has at the Gate.
	place() *listen.Place
	// identity returns the user name that a certificate tells, if one does.
	identity() (user string, ok bool)
	// revoked returns why its certificate lets the client in no more.
	revoked() error
	// lost reports whether it was reset.
	lost() bool
}

// outgoing is a Write that is not out yet. Its bytes are ours.
type outgoing struct {
	data net.Buffers
	buf  []byte // is given back once they are out
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

// letGo sends what nothing holds back any more.
func (c *conn) letGo(w outgoing) {
	switch {
	case c.broken:
		c.written(w, nil)
	case c.sending:
		next := w
		c.behind = &next
	default:
		c.sending = true
		c.link.send(w)
	}
}

// sent goes on after the link wrote a Write, or could not.
func (c *conn) sent(w outgoing, err error) {
	c.sending = false
	c.written(w, err)
}

// written goes on after the bytes of a Write are out, or cannot get out.
func (c *conn) written(w outgoing, err error) {
	s := c.server
	s.broker.RecycleWriteBuffer(w.buf)
	c.unsent--
	if err != nil {
		c.broken = true
		s.broker.Closed(s.now, c.handle, err)
	}
	if next := c.behind; next != nil {
		c.behind = nil
		c.letGo(*next)
		return
	}
	if c.unsent > 0 {
		return
	}
	s.broker.SetWriteBlocked(s.now, c.handle, false)
	if c.ended {
		c.link.finish()
	}
}

// end begins the end of the link, after the last Write.
func (c *conn) end() {
	c.ended = true
	if c.unsent == 0 {
		c.link.finish()
	}
}
