package server

import (
	"io"
	"syscall"
)

// socketReader reads from a socket into a buffer that it takes only when there
// is something to read.
type socketReader struct {
	buf *[largeRead]byte
	n   int
	err error
	try func(fd uintptr) bool // read, made once
}

// wait waits for bytes and reads them into buf.
func (r *socketReader) wait(raw syscall.RawConn) (int, error) {
	if r.try == nil {
		r.try = r.read
	}
	r.n, r.err = 0, nil
	if err := raw.Read(r.try); err != nil {
		return 0, err
	}
	return r.n, r.err
}

func (r *socketReader) read(fd uintptr) bool {
	r.buf = reads.Get().(*[largeRead]byte)
	n, err := readSocket(fd, r.buf[:])
	switch {
	case err == syscall.EAGAIN:
		r.free()
		return false
	case err != nil:
		r.err = err
	case n == 0:
		r.err = io.EOF
	default:
		r.n = n
	}
	return true
}

// bytes returns what was read.
func (r *socketReader) bytes() []byte {
	if r.n == 0 {
		return nil
	}
	return r.buf[:r.n]
}

func (r *socketReader) free() {
	if r.buf != nil {
		reads.Put(r.buf)
		r.buf = nil
	}
}

// socketWriter writes to sockets without waiting.
type socketWriter struct {
	data [][]byte
	n    int
	err  error
	try  func(fd uintptr) bool // write, made once
}

// write writes as much as the socket takes at once, and returns the rest.
func (w *socketWriter) write(raw syscall.RawConn, data [][]byte) (rest [][]byte, err error) {
	if w.try == nil {
		w.try = w.writeNow
	}
	w.data = data
	if err := raw.Write(w.try); err != nil {
		return nil, err
	}
	w.data = nil
	if w.err != nil {
		return nil, w.err
	}
	return cutOff(data, w.n), nil
}

func (w *socketWriter) writeNow(fd uintptr) bool {
	w.n, w.err = writeSocket(fd, w.data)
	if w.err == syscall.EAGAIN {
		w.n, w.err = 0, nil
	}
	return true
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
