package server

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

// keep takes over the bytes of the Write that was just pulled.
func (s *Server) keep(c *conn, data [][]byte) [][]byte {
	s.broker.ReplaceWriteBuffer(c.handle, s.buffers.get())
	return data
}
