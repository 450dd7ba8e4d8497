package netio

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

func TestSplit(t *testing.T) {
	for _, sizes := range [][]int{{}, {0}, {10}, {piece}, {piece + 1}, {5, piece, 7}, {3*piece + 2, 1}, {piece, piece, 0, 1}} {
		var bufs net.Buffers
		var want []byte
		for _, n := range sizes {
			b := make([]byte, n)
			_, _ = rand.Read(b)
			bufs, want = append(bufs, b), append(want, b...)
		}
		var got []byte
		for rest := bufs; len(rest) > 0; {
			var batch net.Buffers
			batch, rest = split(rest)
			b := bytes.Join(batch, nil)
			if len(b) > piece {
				t.Errorf("%v: a batch of %d bytes", sizes, len(b))
			}
			got = append(got, b...)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%v: got %d bytes, want %d", sizes, len(got), len(want))
		}
	}
}

// A peer that reads nothing ends the write in time.
func TestWriteTimeout(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	if err := WriteBuffers(a, net.Buffers{{1}}, 10*time.Millisecond); err == nil {
		t.Error("no error")
	}
}

func TestWriteBuffers(t *testing.T) {
	a, b := net.Pipe()
	go func() {
		_ = WriteBuffers(a, net.Buffers{{1, 2}, {}, {3}}, time.Minute)
		a.Close()
	}()
	if got, err := io.ReadAll(b); err != nil || !slices.Equal(got, []byte{1, 2, 3}) {
		t.Error(got, err)
	}
}

// calls is a connection that takes one slice at a time, as that of TLS.
type calls struct {
	net.Conn
	got [][]byte
}

func (c *calls) Write(p []byte) (int, error) {
	c.got = append(c.got, slices.Clone(p))
	return len(p), nil
}

// What is small goes together, what is large goes alone, but for the part that
// fills up what came before.
func TestWriteTogether(t *testing.T) {
	const t16 = together
	for _, tt := range []struct{ sizes, calls []int }{
		{[]int{}, nil},
		{[]int{5}, []int{5}},
		{[]int{0, 0}, nil},
		{[]int{1, 2, 3}, []int{6}},
		{[]int{t16 - 1, 1, 1}, []int{t16, 1}},
		{[]int{t16, t16 + 1, 1}, []int{t16, t16 + 1, 1}},
		{[]int{10, t16 - 10, 7}, []int{t16, 7}},
		{[]int{10, 5 * t16}, []int{t16, 4*t16 + 10}},
		{[]int{10, t16, 10, t16}, []int{t16, t16, 20}},
		{[]int{t16 - 1, t16 - 1, t16 - 1}, []int{t16, t16, t16 - 3}},
	} {
		var bufs net.Buffers
		var want []byte
		for _, n := range tt.sizes {
			b := make([]byte, n)
			_, _ = rand.Read(b)
			bufs, want = append(bufs, b), append(want, b...)
		}
		c := new(calls)
		if err := Write(c, bufs); err != nil {
			t.Fatal(err)
		}
		var sizes []int
		for _, b := range c.got {
			sizes = append(sizes, len(b))
		}
		if got := bytes.Join(c.got, nil); !bytes.Equal(got, want) || !slices.Equal(sizes, tt.calls) {
			t.Errorf("%v: calls of %v, want %v; the same bytes: %v", tt.sizes, sizes, tt.calls, bytes.Equal(got, want))
		}
	}
}
