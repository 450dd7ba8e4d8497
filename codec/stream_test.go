package codec

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"
)

// goldenStream returns all golden packets of a version in one piece, and what
// each of them is.
func goldenStream(t testing.TB, v Version) (stream []byte, packets []string) {
	for i, g := range golden {
		if g.version == v {
			data := goldenBytes(t, i)
			stream = append(stream, data...)
			packets = append(packets, jsonOf(t, mustDecode(t, data, v)))
		}
	}
	return stream, packets
}

// readAll reads packets until the first error, which it returns.
func readAll(t testing.TB, r *Reader) (packets []string, err error) {
	for {
		p, err := r.ReadPacket()
		if err != nil {
			return packets, err
		}
		packets = append(packets, jsonOf(t, p))
	}
}

// However the bytes are cut into pieces, the packets are the same.
func TestReaderChunks(t *testing.T) {
	for _, v := range []Version{V311, V5, V5Wide} {
		stream, want := goldenStream(t, v)
		for name, r := range map[string]io.Reader{
			"all at once":   bytes.NewReader(stream),
			"one byte":      iotest.OneByteReader(bytes.NewReader(stream)),
			"halves":        iotest.HalfReader(bytes.NewReader(stream)),
			"end with data": iotest.DataErrReader(bytes.NewReader(stream)),
		} {
			got, err := readAll(t, NewReader(r, v, 0))
			if err != io.EOF || strings.Join(got, "\n") != strings.Join(want, "\n") {
				t.Errorf("%v, %s: %d of %d packets, %v", v, name, len(got), len(want), err)
			}
		}
	}
}

// The end of the stream is io.EOF between packets and io.ErrUnexpectedEOF
// inside one; an error of the reader comes after the packets before it.
func TestReaderEnds(t *testing.T) {
	stream, want := goldenStream(t, V5)
	whole := map[int]bool{0: true}
	for at := 0; at < len(stream); {
		_, n, err := Frame(stream[at:], 0)
		if n == 0 || err != nil {
			t.Fatalf("Frame = %d, %v", n, err)
		}
		at += n
		whole[at] = true
	}
	for k := 0; k < len(stream); k += 1 + k/64 {
		_, err := readAll(t, NewReader(bytes.NewReader(stream[:k]), V5, 0))
		if whole[k] && err != io.EOF || !whole[k] && err != io.ErrUnexpectedEOF {
			t.Errorf("%d bytes: %v", k, err)
		}
	}
	broken := errors.New("broken pipe")
	r := io.MultiReader(bytes.NewReader(stream), iotest.ErrReader(broken))
	if got, err := readAll(t, NewReader(r, V5, 0)); err != broken || len(got) != len(want) {
		t.Errorf("%d of %d packets, %v", len(got), len(want), err)
	}
	// A reader that gives nothing and no error must not hang us.
	if _, err := NewReader(iotest.ErrReader(nil), V5, 0).ReadPacket(); err != io.ErrNoProgress {
		t.Errorf("a reader without progress: %v, want %v", err, io.ErrNoProgress)
	}
}

// An illegal packet ends the stream with its error.
func TestReaderErrors(t *testing.T) {
	for s, class := range map[string]error{
		"c000 30030005 74":    ErrMalformed, // the topic runs past the packet
		"c000 8203000a00":     ErrProtocol,  // no filter
		"c000 00":             ErrMalformed, // no such type
		"c000 c0ffffffffff":   ErrMalformed, // five bytes of Remaining Length
		"c000 30 0f":          ErrTooLarge,  // larger than the limit
		"c000 30 ffffff7f 00": ErrTooLarge,
	} {
		got, err := readAll(t, NewReader(bytes.NewReader(unhex(t, s)), V5, 16))
		if len(got) != 1 || !errors.Is(err, class) {
			t.Errorf("%s: %d packets, %v, want %v", s, len(got), err, class)
		}
	}
	r := NewReader(strings.NewReader("\xC0\x00"), V5, 2)
	if p, err := r.ReadPacket(); err != nil || p.Type() != TypePingreq {
		t.Errorf("a packet as large as the limit: %v, %v", p, err)
	}
}

// The limit is enforced when the fixed header is there, for every size of it.
func TestFrameLimit(t *testing.T) {
	for _, x := range []struct {
		hex  string
		size int
	}{{"c000", 2}, {"307f", 129}, {"308001", 131}, {"30ffff7f", 4 + 2_097_151}, {"30ffffff7f", MaxPacketSize}} {
		header := unhex(t, x.hex)
		for limit, want := range map[int]error{0: nil, x.size: nil, x.size + 1: nil, x.size - 1: ErrTooLarge, 1: ErrTooLarge} {
			h, n, err := Frame(header, limit)
			if !errors.Is(err, want) || n != 0 && x.size != 2 {
				t.Errorf("%s with limit %d: %d, %v, want %v", x.hex, limit, n, err, want)
			}
			if want == nil {
				if h.Size() != x.size || h.Len != len(header) {
					t.Errorf("%s: %+v, want a size of %d", x.hex, h, x.size)
				}
				continue
			}
			if e := typed(t, err); e.Packet != h.Type && e.Packet != PacketType(header[0]>>4) || e.Reason() != ReasonPacketTooLarge {
				t.Errorf("%s with limit %d: %v", x.hex, limit, err)
			}
		}
		if _, n, err := Frame(header[:len(header)-1], 1); n != 0 || err != nil {
			t.Errorf("%s cut: %d, %v", x.hex, n, err)
		}
	}
}

// bigConnect returns a CONNECT with 64 KiB of properties.
func bigConnect(t testing.TB) []byte {
	b := NewConnect("c").CleanStart(true)
	for range 4096 {
		b.UserProperty("name", "value, 7") // 1+2+4+2+8 bytes
	}
	p, err := b.Build(V5)
	if err != nil {
		t.Fatal(err)
	}
	data := mustEncode(t, p, V5)
	if len(data) < 64<<10 {
		t.Fatalf("only %d bytes", len(data))
	}
	return data
}

// meter counts what a Reader does with bytes that come one at a time.
type meter struct {
	t     *testing.T
	data  []byte
	r     *Reader
	reads int
	moved int // bytes that were moved to another place in memory
	last  *byte
	at    int
}

func (m *meter) Read(p []byte) (int, error) {
	base := unsafe.SliceData(m.r.buf)
	if base != m.last || m.r.at < m.at {
		m.moved += m.r.end - m.r.at
	}
	m.last, m.at = base, m.r.at
	if m.reads == len(m.data) {
		return 0, io.EOF
	}
	p[0] = m.data[m.reads]
	m.reads++
	return 1, nil
}

// A large packet that comes byte by byte costs linear work: the Reader moves
// each byte at most twice, on average, and decodes once.
func TestReaderWorkIsLinear(t *testing.T) {
	big := bigConnect(t)
	small := unhex(t, "c000 3006000174006869")
	data := append(append(bytes.Repeat(small, 2000), big...), bytes.Repeat(small, 2000)...)
	m := &meter{t: t, data: data}
	m.r = NewReader(m, V5, 0)
	packets := 0
	for {
		if _, err := m.r.ReadPacket(); err != nil {
			if err != io.EOF {
				t.Fatal(err)
			}
			break
		}
		packets++
	}
	if packets != 2*2*2000+1 || m.reads != len(data) {
		t.Errorf("%d packets from %d of %d bytes", packets, m.reads, len(data))
	}
	if m.moved > 2*len(data) {
		t.Errorf("%d bytes were moved for %d that came", m.moved, len(data))
	}
	if c := cap(m.r.buf); c > 4*len(big) {
		t.Errorf("the buffer has %d bytes for a packet of %d", c, len(big))
	}
}

// A stream of small packets, which never end where a read ends, needs one small
// buffer.
func TestReaderKeepsItsBuffer(t *testing.T) {
	stream := bytes.Repeat(unhex(t, "3006000174006869 c000 300700017400616263"), 10_000)
	r := NewReader(bytes.NewReader(stream), V5, 0)
	packets := 0
	for {
		if _, err := r.ReadPacket(); err != nil {
			if err != io.EOF || packets != 30_000 {
				t.Errorf("%d packets, %v", packets, err)
			}
			break
		}
		packets++
	}
	if len(r.buf) != readSize {
		t.Errorf("the buffer has %d bytes, want %d", len(r.buf), readSize)
	}
}

// What a peer merely claims costs no memory.
func TestClaimedLengthCostsNothing(t *testing.T) {
	claim := unhex(t, "10 ffffff7f 0004 4d")
	for what, do := range map[string]func(){
		"Frame":  func() { _, _, _ = Frame(claim, 0) },
		"Decode": func() { _, _, _ = Decode(claim, V5) },
		"Reader": func() {
			if _, err := NewReader(bytes.NewReader(claim), V5, 0).ReadPacket(); err != io.ErrUnexpectedEOF {
				t.Errorf("Reader: %v", err)
			}
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s allocates %d bytes for a claim of 256 MiB", what, n)
		}
	}
}

// endless gives a first byte and then one other byte for ever.
type endless struct {
	first, other byte
	n            int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		if p[i] = e.other; e.n == 0 {
			p[i] = e.first
		}
		e.n++
	}
	return len(p), nil
}

// A Remaining Length that never ends is refused after its fourth byte, and a
// stream of zeros at once.
func TestEndlessStream(t *testing.T) {
	for _, x := range []endless{{first: 0x30, other: 0x80}, {first: 0x10, other: 0xFF}, {first: 0xFF, other: 0xFF}, {}} {
		_, err := NewReader(&x, V5, 0).ReadPacket()
		if !errors.Is(err, ErrMalformed) || x.n > readSize {
			t.Errorf("%02x %02x…: %v after %d bytes", x.first, x.other, err, x.n)
		}
	}
}

func TestDetectVersion(t *testing.T) {
	for i, g := range golden {
		data := goldenBytes(t, i)
		if g.packet != TypeConnect {
			continue
		}
		h, _, _ := Frame(data, 0)
		for k := range data[h.Len:] {
			v, err := DetectVersion(data[h.Len : h.Len+k])
			if k < 7 && !errors.Is(err, ErrMalformed) || k >= 7 && (v != g.version || err != nil) {
				t.Errorf("%s: %d bytes: %v, %v", g.name, k, v, err)
			}
		}
	}
	for body, level := range map[string]bool{
		"0004 4d515454 03": true, "0004 4d515454 06": true, "0004 4d515454 00": true, "0004 4d515454 84": true,
		"0006 4d5149736470 03": false, "0004 4d515458 04": false, "0000 04": false,
	} {
		v, err := DetectVersion(unhex(t, body))
		e := typed(t, err)
		if v != 0 || !errors.Is(e, ErrUnsupportedVersion) || e.Reason() != ReasonUnsupportedProtocolVersion || e.Packet != TypeConnect {
			t.Errorf("%s: %v, %v, want %v", body, v, err, ErrUnsupportedVersion)
		}
		if field := map[bool]string{true: "ProtocolLevel", false: "ProtocolName"}[level]; e.Field != field {
			t.Errorf("%s: %v, want %s", body, err, field)
		}
	}
}
