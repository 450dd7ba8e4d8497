package server

import (
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
)

// socket is a connection over TCP or a Unix socket that the owner itself reads
// and writes, without waiting for it. While it is idle it has no goroutine and no
// buffer.
type socket struct {
	conn
	at    listen.Place
	stall *stall // nil while it takes what is written
	fd    int32  // negative when closed
	end   bool   // the client has closed, or the socket failed: read until that is seen
	eof   bool   // and there is no more to read
	gone  bool   // it cannot be written to any more
}

// stall is a Write to a socket that takes no more bytes at present.
type stall struct {
	outgoing
	took    int // bytes since the timer was set
	timer   *time.Timer
	retried bool // at the end of the round
	late    bool // the socket took nothing for too long
}

// adopt takes the descriptor of a connection over. It returns nil for one that
// is no plain socket, and if there is no descriptor left.
func (k *sockets) adopt(s *Server, in *listen.Conn) *conn {
	sc, ok := in.Conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	k.adopting.Lock()
	defer k.adopting.Unlock()
	fd := -1
	if e := raw.Control(func(old uintptr) { fd, err = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); e != nil || err != nil {
		return nil
	}
	_ = in.Conn.Close() // closes the other descriptor only
	c := &socket{fd: int32(fd), at: in.Place}
	c.link, c.door = c, s.doors[in.Listener]
	return &c.conn
}

// resume reads at the next opportunity.
func (c *socket) resume() {
	k := &c.server.sockets
	k.reads = append(k.reads, reading{sock: c})
}

// send writes at the end of the round.
func (c *socket) send(w outgoing) {
	k := &c.server.sockets
	k.due = append(k.due, due{sock: c, outgoing: w})
}

// finish reads what the client sends until it has closed too, but not for long:
// closing with unread bytes would reset the connection, and the client might
// never see why.
func (c *socket) finish() {
	_ = unix.Shutdown(int(c.fd), unix.SHUT_WR) // it may be gone already
	if c.eof {
		c.close()
		return
	}
	time.AfterFunc(lingering, func() { c.server.ask(c.close) })
}

func (c *socket) close() {
	if c.fd < 0 {
		return
	}
	if c.stall != nil {
		c.stall.timer.Stop()
	}
	_ = unix.Close(int(c.fd)) // there is nobody to tell
	c.fd = -1
	c.at.Release()
	if c.handle != 0 { // else it came too late, and is in no hands but ours
		delete(c.server.conns, c.handle)
	}
}

func (c *socket) place() *listen.Place { return &c.at }

func (c *socket) identity() (user string, ok bool) { return "", false }

func (c *socket) revoked() error { return nil }

func (c *socket) lost() bool { return c.gone }

// read reads what is there, into the memory of a hand.
func (r *reading) read(h *hand) {
	room := h.room()
	if room == nil {
		r.err = errNoRoom
		return
	}
	n, err := unix.Read(int(r.sock.fd), room)
	for err == syscall.EINTR {
		n, err = unix.Read(int(r.sock.fd), room)
	}
	switch {
	case err != nil:
		r.err = err
	case n == 0:
		r.err = io.EOF
	default:
		r.data, r.more = h.keep(n), n == len(room)
	}
}

// writeNow writes what the socket takes, and returns the rest and how many bytes
// it took.
func (c *socket) writeNow(data [][]byte) (rest [][]byte, took int, err error) {
	for len(data) > 0 {
		var n int
		if len(data) == 1 {
			n, err = unix.Write(int(c.fd), data[0])
		} else {
			const most = 1024 // IOV_MAX
			n, err = unix.Writev(int(c.fd), data[:min(len(data), most)])
		}
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return data, took, nil
		case err != nil:
			return nil, took, err
		default:
			data = cutOff(data, n)
			took += n
		}
	}
	return nil, took, nil
}

// cutOff takes the first n bytes off. It may change the list.
func cutOff(data [][]byte, n int) [][]byte {
	for len(data) > 0 && n >= len(data[0]) {
		n -= len(data[0])
		data = data[1:]
	}
	if n > 0 {
		data[0] = data[0][n:]
	}
	return data
}

// piece is how many bytes a socket has to take within the time for writing, so
// that a large message over a slow line is not taken for a client that reads no
// more.
const piece = 64 << 10

// await goes on with a Write when the socket takes bytes again. took is how
// many it took now.
func (c *socket) await(w outgoing, took int) {
	timeout := c.server.options.Limits.WriteTimeout
	if c.stall == nil {
		st := new(stall)
		st.timer = time.AfterFunc(timeout, func() { c.server.ask(func() { c.tooLate(st) }) })
		c.stall = st
		c.watchWriting(true)
	} else if c.stall.took += took; c.stall.took >= piece {
		c.stall.took = 0
		c.stall.timer.Reset(timeout)
	}
	c.stall.outgoing, c.stall.retried = w, false
}

// retry writes again at the end of the round.
func (c *socket) retry() {
	if c.stall != nil && !c.stall.retried {
		c.stall.retried = true
		c.send(c.stall.outgoing)
	}
}

// tooLate is called after the time for writing. Writing has its last chance.
func (c *socket) tooLate(st *stall) {
	if c.stall == st {
		st.late = true
		c.retry()
	}
}

// flow ends a stall.
func (c *socket) flow() {
	if c.stall != nil {
		c.stall.timer.Stop()
		c.stall = nil
		c.watchWriting(false)
	}
}

func (c *socket) watchWriting(on bool) {
	_ = c.server.sockets.watch(unix.EPOLL_CTL_MOD, int(c.fd), c.handle, on) // cannot fail for what was added
}

// attempted goes on after a Write was written, as far as possible.
func (c *socket) attempted(d *due) {
	if d.err == nil && len(d.rest) > 0 {
		if c.stall == nil || !c.stall.late {
			d.data = d.rest
			c.await(d.outgoing, d.took)
			return
		}
		d.err = os.ErrDeadlineExceeded
	}
	c.flow()
	c.sent(d.outgoing, d.err)
}
