package codec

import (
	"errors"
	"io"
)

// Reader reads packets from a byte stream, for simple tools. It keeps the
// bytes of one packet at a time, in memory that grows with the bytes that
// arrive and never with a length that was merely claimed.
type Reader struct {
	r       io.Reader
	v       Version
	max     int
	buf     []byte // buf[at:end] is not decoded yet
	at, end int
	idle    int // reads in a row that gave nothing
	err     error
	decoder Decoder
}

const (
	readSize = 4096
	maxIdle  = 100 // as in bufio
)

// NewReader returns a Reader of packets of version v from r. max is the
// largest packet in bytes that it accepts, 0 for any.
func NewReader(r io.Reader, v Version, max int) *Reader {
	return &Reader{r: r, v: v, max: max}
}

// ReadPacket returns the next packet. It is valid until the next call; Clone
// keeps it. The error is an *Error for an illegal packet, after which the
// Reader is of no use; io.EOF where the stream ends between two packets;
// io.ErrUnexpectedEOF where it ends inside one; and io.ErrNoProgress where
// many reads in a row give neither bytes nor an error.
func (r *Reader) ReadPacket() (Packet, error) {
	for {
		h, n, err := Frame(r.buf[r.at:r.end], r.max)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			body := r.buf[r.at+h.Len : r.at+n : r.at+n]
			r.at += n
			return r.decoder.Decode(h, body, r.v)
		}
		if r.err != nil {
			if r.at < r.end && errors.Is(r.err, io.EOF) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, r.err
		}
		r.fill()
	}
}

// fill reads some bytes behind those that are there. It moves them to the
// front only when the buffer is full, so each byte is moved a bounded number
// of times.
func (r *Reader) fill() {
	if r.at == r.end {
		r.at, r.end = 0, 0
	}
	if r.end == len(r.buf) {
		held := r.end - r.at
		buf := r.buf
		if held*2 >= len(buf) {
			buf = make([]byte, max(readSize, 2*len(buf)))
		}
		copy(buf, r.buf[r.at:r.end])
		r.buf, r.at, r.end = buf, 0, held
	}
	n, err := r.r.Read(r.buf[r.end:])
	r.end += n
	r.err = err
	if r.idle++; n > 0 {
		r.idle = 0
	}
	if r.idle == maxIdle && err == nil {
		r.err = io.ErrNoProgress
	}
}
