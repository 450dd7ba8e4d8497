// Package netio has what every program here does with a connection.
package netio

import (
	"net"
	"sync"
	"time"
)

// piece is how many bytes are written under one deadline, so that a large
// message over a slow line is not taken for a peer that reads no more.
const piece = 64 << 10

// WriteBuffers writes all buffers, in as few system calls as possible. The
// timeout bounds the time without progress.
func WriteBuffers(conn net.Conn, bufs net.Buffers, timeout time.Duration) error {
	for len(bufs) > 0 {
		var batch net.Buffers
		batch, bufs = split(bufs)
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if err := Write(conn, batch); err != nil {
			return err
		}
	}
	return nil
}

// split cuts off what is to be written under one deadline.
func split(bufs net.Buffers) (batch, rest net.Buffers) {
	size := 0
	for i, b := range bufs {
		room := piece - size
		if size += len(b); size <= piece {
			continue
		}
		batch = append(append(batch, bufs[:i]...), b[:room])
		rest = append(append(rest, b[room:]), bufs[i+1:]...)
		return batch, rest
	}
	return bufs, nil
}

// Write writes all buffers under the deadline that is set. Whatever the
// connection is, they become few system calls, records of TLS or frames of a
// WebSocket: a connection with a method WriteBuffers decides itself, and for
// those that take one slice at a time small buffers are put together.
func Write(conn net.Conn, bufs net.Buffers) error {
	switch c := conn.(type) {
	case interface{ WriteBuffers(net.Buffers) error }:
		return c.WriteBuffers(bufs)
	case *net.TCPConn, *net.UnixConn:
		_, err := bufs.WriteTo(c)
		return err
	}
	return writeTogether(conn, bufs)
}

// together is how many bytes are put together: as many as a record of TLS has.
const together = 16 << 10

var joints = sync.Pool{New: func() any { return new([together]byte) }}

// writeTogether writes buffers with few calls of Write. Of a large buffer only
// what shares a call with others is copied.
func writeTogether(conn net.Conn, bufs net.Buffers) error {
	if len(bufs) == 1 {
		_, err := conn.Write(bufs[0])
		return err
	}
	joint := joints.Get().(*[together]byte)
	defer joints.Put(joint)
	n := 0
	for _, b := range bufs {
		if n > 0 {
			k := copy(joint[n:], b)
			n, b = n+k, b[k:]
		}
		if n == together {
			if _, err := conn.Write(joint[:]); err != nil {
				return err
			}
			n = 0
		}
		if len(b) >= together {
			if _, err := conn.Write(b); err != nil {
				return err
			}
		} else if n == 0 {
			n = copy(joint[:], b)
		}
	}
	if n == 0 {
		return nil
	}
	_, err := conn.Write(joint[:n])
	return err
}

// CloseWrite tells the peer that nothing more will come, if the connection can.
func CloseWrite(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // it may be gone already
	}
}
