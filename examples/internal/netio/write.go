// Package netio has what every program here does with a TCP connection.
package netio

import (
	"net"
	"time"
)

// piece is how many bytes are written under one deadline, so that a large
// message over a slow line is not taken for a peer that reads no more.
const piece = 1 << 20

// WriteBuffers writes all buffers, in as few system calls as possible. The
// timeout bounds the time without progress.
func WriteBuffers(conn net.Conn, bufs net.Buffers, timeout time.Duration) error {
	for len(bufs) > 0 {
		var batch net.Buffers
		batch, bufs = split(bufs)
		if err := conn.SetWriteDeadline(time.Now().Add(timeout)); err != nil {
			return err
		}
		if _, err := batch.WriteTo(conn); err != nil {
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

// CloseWrite tells the peer that nothing more will come, if the connection can.
func CloseWrite(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite() // it may be gone already
	}
}
