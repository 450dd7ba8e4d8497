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
