package server

import "net"

// buffers keeps buffers for Writes that are not out before the next round.
type buffers struct{ free [][]byte }

const (
	mostBuffers   = 256
	largestBuffer = 128 << 10
)

func (b *buffers) get() []byte {
	n := len(b.free)
	if n == 0 {
		return nil
	}
	buf := b.free[n-1]
	b.free[n-1] = nil
	b.free = b.free[:n-1]
	return buf
}

func (b *buffers) put(buf []byte) {
	if cap(buf) > 0 && cap(buf) <= largestBuffer && len(b.free) < mostBuffers {
		b.free = append(b.free, buf[:0])
	}
}

// outgoing is a Write that is not out yet. Its bytes are ours.
type outgoing struct {
	data net.Buffers
	buf  []byte // is used again once they are out
}

// keep takes over the bytes of the Write that was just pulled.
func (s *Server) keep(c *conn, data [][]byte) outgoing {
	return outgoing{data, s.broker.ReplaceWriteBuffer(c.handle, s.buffers.get())}
}
