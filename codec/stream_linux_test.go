package codec

import (
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// touched keeps the compiler from leaving out a read.
var touched byte

// guarded returns memory of n bytes behind head, of which only head may be
// touched: reading any other byte is a fault.
func guarded(t *testing.T, head []byte, n int) []byte {
	t.Helper()
	page := os.Getpagesize()
	size := page + (n+page-1)/page*page
	mem, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Skip("no memory map:", err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(mem) })
	copy(mem[page-len(head):], head)
	if err := syscall.Mprotect(mem[page:], syscall.PROT_NONE); err != nil {
		t.Skip("no protection of memory:", err)
	}
	old := debug.SetPanicOnFault(true)
	t.Cleanup(func() { debug.SetPanicOnFault(old) })
	return mem[page-len(head) : page+n]
}

// Frame looks at the fixed header and at nothing else, so that feeding a packet
// byte by byte costs the same for each byte.
func TestFrameReadsTheHeaderAlone(t *testing.T) {
	for _, s := range []string{"1000", "107f", "10ff7f", "10ffff7f", "10ffffff7f", "1080808080"} {
		head := unhex(t, s)
		buf := guarded(t, head, 100_000)
		for k := len(head); k < len(buf); k += 997 {
			if h, _, err := Frame(buf[:k], 0); err == nil && h.Len != len(head) {
				t.Errorf("%s: %+v", s, h)
			}
		}
	}
	// The guard works: a reader of the body faults.
	defer func() {
		if recover() == nil {
			t.Error("the body can be read, so this test proves nothing")
		}
	}()
	buf := guarded(t, []byte{0x10}, 8)
	touched = buf[1] + buf[2]
}

// Decoding a PUBLISH never touches its payload, whatever its size.
func TestDecodeLeavesThePayloadAlone(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		p := &Publish{Topic: Bytes("a/b"), QoS: QoS1, PacketID: 7, Payload: make(Bytes, 1<<20)}
		head, err := p.AppendHeaderTo(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		buf := guarded(t, head, len(p.Payload))
		for _, v := range []Version{v, v.AllowControlCharacters()} {
			q := mustDecode(t, buf, v).(*Publish)
			if len(q.Payload) != len(p.Payload) || string(q.Topic) != "a/b" {
				t.Errorf("%v: %d bytes of payload", v, len(q.Payload))
			}
			if err := q.Validate(v); err != nil || q.Size(v) != len(buf) || q.String() == "" {
				t.Errorf("%v: Validate = %v, Size = %d", v, err, q.Size(v))
			}
		}
	}
}
