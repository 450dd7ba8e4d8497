package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// hexBetween are the characters that may stand between digits.
const hexBetween = " \t\r\n:,-"

// looksHex reports whether the beginning of a file is hexadecimal digits. Packets
// do not look like that: the lengths in them have bytes below a space.
func looksHex(b []byte) bool {
	digits := 0
	for _, c := range b {
		switch {
		case hexDigit(c) >= 0:
			digits++
		case !strings.ContainsRune(hexBetween+"xX", rune(c)):
			return false
		}
	}
	return digits >= 2
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// hexReader turns digits into bytes.
type hexReader struct {
	in     *bufio.Reader
	offset int // of what is read next, for errors
	half   int // the first digit of a byte, -1 for none
}

func newHexReader(r io.Reader) *hexReader { return &hexReader{in: bufio.NewReader(r), half: -1} }

// Read returns what is there, so that digits that come slowly are shown at once.
func (r *hexReader) Read(b []byte) (n int, err error) {
	for n < len(b) && (n == 0 || r.in.Buffered() > 0) {
		c, err := r.in.ReadByte()
		if err != nil {
			return n, r.end(err)
		}
		r.offset++
		switch d := hexDigit(c); {
		case d >= 0 && r.half >= 0:
			b[n] = byte(r.half<<4 | d)
			r.half = -1
			n++
		case d >= 0:
			r.half = d
		case c|0x20 == 'x' && r.half == 0:
			r.half = -1 // 0x
		case strings.IndexByte(hexBetween, c) < 0:
			return n, fmt.Errorf("character %d, %q, is no hexadecimal digit", r.offset, c)
		}
	}
	return n, nil
}

// end returns what the end of the digits means.
func (r *hexReader) end(err error) error {
	if errors.Is(err, io.EOF) && r.half >= 0 {
		return errors.New("the last byte has one digit instead of two")
	}
	return err
}
