package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// hexBetween are the characters that may stand between digits.
const hexBetween = " \t\r\n:,-xX"

// looksHex reports whether the beginning of a file is hexadecimal digits. Packets
// do not look like that: the lengths in them have bytes below a space.
func looksHex(b []byte) bool {
	digits := 0
	for _, c := range b {
		switch {
		case hexDigit(c) >= 0:
			digits++
		case !strings.ContainsRune(hexBetween, rune(c)):
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
}

func newHexReader(r io.Reader) *hexReader { return &hexReader{in: bufio.NewReader(r)} }

// Read returns what is there, so that digits that come slowly are shown at once.
func (r *hexReader) Read(b []byte) (n int, err error) {
	for n < len(b) && (n == 0 || r.in.Buffered() > 0) {
		var high, low int
		if high, err = r.digit(); err != nil {
			break
		}
		if low, err = r.digit(); err != nil {
			if errors.Is(err, io.EOF) {
				err = fmt.Errorf("the last byte has one digit instead of two")
			}
			break
		}
		b[n] = byte(high<<4 | low)
		n++
	}
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// digit returns the next digit. A 0 before an x is none.
func (r *hexReader) digit() (int, error) {
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return 0, err
		}
		r.offset++
		if c == '0' {
			if next, err := r.in.Peek(1); err == nil && next[0]|0x20 == 'x' {
				continue
			}
		}
		if d := hexDigit(c); d >= 0 {
			return d, nil
		}
		if !strings.ContainsRune(hexBetween, rune(c)) {
			return 0, fmt.Errorf("character %d, %q, is no hexadecimal digit", r.offset, c)
		}
	}
}
