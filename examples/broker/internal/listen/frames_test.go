package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/gobwas/ws"
)

// scripted is a connection that reads from r and remembers what was written.
type scripted struct {
	net.Conn
	r   io.Reader
	out bytes.Buffer
}

func (s *scripted) Read(p []byte) (int, error)       { return s.r.Read(p) }
func (s *scripted) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

// frames returns what was written.
func (s *scripted) frames(t testing.TB) (all []ws.Frame) {
	t.Helper()
	for r := bytes.NewReader(s.out.Bytes()); r.Len() > 0; {
		h, err := ws.ReadHeader(r)
		if err != nil {
			t.Fatal(err)
		}
		f := ws.Frame{Header: h, Payload: make([]byte, h.Length)}
		if _, err := io.ReadFull(r, f.Payload); err != nil || h.Masked {
			t.Fatal(h, err)
		}
		all = append(all, f)
	}
	return all
}

// frame returns a frame of a client.
func frame(op ws.OpCode, fin bool, payload string) []byte {
	return ws.MustCompileFrame(ws.MaskFrameWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{1, 2, 3, 4}))
}

// head returns the head of a frame whose payload does not come.
func head(h ws.Header) []byte {
	var b bytes.Buffer
	_ = ws.WriteHeader(&b, h) // has no error
	return b.Bytes()
}

// limitedReader returns at most size bytes at once.
type limitedReader struct {
	r    io.Reader
	size int
}

func (l *limitedReader) Read(p []byte) (int, error) { return l.r.Read(p[:min(len(p), l.size)]) }

// readAll reads to the end with a buffer of some size.
func readAll(r io.Reader, size int) (got []byte, err error) {
	for buf := make([]byte, size); err == nil; {
		var n int
		n, err = r.Read(buf)
		got = append(got, buf[:n]...)
	}
	return got, err
}

// [MQTT-6.0.0-2] v5. Bytes get through whatever the frames are, with control
// frames between them, however they come and are read.
func TestFragments(t *testing.T) {
	want := bytes.Repeat([]byte("MQTT packets across frames. "), 20)
	for _, size := range []int{1, 2, 3, 5, 125, 126, 127, len(want) - 1, len(want)} {
		var in []byte
		var pings int
		for part := range slices.Chunk(want, size) {
			in = append(in, frame(ws.OpBinary, false, string(part[:len(part)/2]))...)
			in = append(in, frame(ws.OpPing, true, "ping")...)
			in = append(in, frame(ws.OpContinuation, false, "")...)
			in = append(in, frame(ws.OpPong, true, "unasked")...)
			in = append(in, frame(ws.OpContinuation, true, string(part[len(part)/2:]))...)
			pings++
		}
		in = append(in, frame(ws.OpClose, true, "\x03\xe8bye")...)
		for _, come := range []int{1, 2, 7, 1 << 20} {
			for _, read := range []int{1, 3, 64, 1 << 20} {
				c := &scripted{r: &limitedReader{bytes.NewReader(in), come}}
				got, err := readAll(&webSocket{Conn: c}, read)
				if err != io.EOF || !bytes.Equal(got, want) {
					t.Fatalf("frames of %d, %d at once, read by %d: error %v, got %q", size, come, read, err, got)
				}
				answers := c.frames(t)
				last := answers[len(answers)-1]
				if last.Header.OpCode != ws.OpClose || string(last.Payload) != "\x03\xe8" {
					t.Fatalf("the answer to the closing is %+v", last)
				}
				// Of pings that come at once only the last one needs an answer.
				if answers = answers[:len(answers)-1]; len(answers) > pings || come == 1 && len(answers) != pings {
					t.Fatalf("%d pongs for %d pings", len(answers), pings)
				}
				for _, a := range answers {
					if a.Header.OpCode != ws.OpPong || string(a.Payload) != "ping" {
						t.Fatalf("the answer to a ping is %+v", a)
					}
				}
			}
		}
	}
}

// Control frames may be empty, and are answered at once.
func TestEmptyControl(t *testing.T) {
	in := slices.Concat(frame(ws.OpBinary, true, "x"), frame(ws.OpPing, true, ""))
	c := &scripted{r: bytes.NewReader(in)}
	w := &webSocket{Conn: c}
	if n, err := w.Read(make([]byte, 100)); n != 1 || err != nil {
		t.Errorf("%d bytes, error %v", n, err)
	}
	if a := c.frames(t); len(a) != 1 || a[0].Header.OpCode != ws.OpPong || len(a[0].Payload) != 0 {
		t.Errorf("answers %+v", a)
	}
	c.r = bytes.NewReader(frame(ws.OpClose, true, ""))
	if n, err := w.Read(make([]byte, 100)); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, error %v", n, err)
	}
	if a := c.frames(t); len(a) != 2 || a[1].Header.OpCode != ws.OpClose || len(a[1].Payload) != 0 {
		t.Errorf("answers %+v", a)
	}
}

// What came with the handshake comes first.
func TestEarly(t *testing.T) {
	in := frame(ws.OpBinary, true, "early and late")
	for i := range in {
		w := &webSocket{Conn: &scripted{r: bytes.NewReader(in[i:])}, early: in[:i]}
		if got, err := readAll(w, 5); string(got) != "early and late" || err != io.EOF || len(w.early) > 0 {
			t.Errorf("cut at %d: %q, error %v", i, got, err)
		}
	}
}

// [MQTT-6.0.0-1] v5, and what RFC 6455 forbids: the client is told, what came
// before gets through, and nothing after.
func TestIllegalFrames(t *testing.T) {
	binary := ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true}
	huge, negative, unmasked, rsv, bigPing := binary, binary, binary, binary, binary
	huge.Length = frameLimit + 1
	negative.Length = 1 << 62
	unmasked.Masked = false
	rsv.Rsv = ws.Rsv(true, false, false)
	bigPing.OpCode, bigPing.Length = ws.OpPing, 126
	for name, tt := range map[string]struct {
		in   []byte
		code ws.StatusCode
	}{
		"text":                   {frame(ws.OpText, true, "MQTT"), ws.StatusUnsupportedData},
		"compressed":             {head(rsv), ws.StatusProtocolError},
		"unmasked":               {head(unmasked), ws.StatusProtocolError},
		"too large":              {head(huge), ws.StatusMessageTooBig},
		"64-bit length":          {head(negative), ws.StatusMessageTooBig},
		"negative length":        {[]byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, ws.StatusProtocolError},
		"reserved code":          {frame(0x3, true, ""), ws.StatusProtocolError},
		"long ping":              {head(bigPing), ws.StatusProtocolError},
		"ping in parts":          {frame(ws.OpPing, false, ""), ws.StatusProtocolError},
		"continuation of none":   {frame(ws.OpContinuation, true, "x"), ws.StatusProtocolError},
		"message in a message":   {append(frame(ws.OpBinary, false, ""), frame(ws.OpBinary, true, "x")...), ws.StatusProtocolError},
		"text in a message":      {append(frame(ws.OpBinary, false, ""), frame(ws.OpText, true, "x")...), ws.StatusProtocolError},
		"closing with half code": {frame(ws.OpClose, true, "\x03"), ws.StatusProtocolError},
		"closing with no code":   {frame(ws.OpClose, true, "\x03\xed"), ws.StatusProtocolError},
	} {
		in := slices.Concat(frame(ws.OpBinary, true, "before"), tt.in, frame(ws.OpBinary, true, "after"))
		for _, r := range []io.Reader{bytes.NewReader(in), iotest.OneByteReader(bytes.NewReader(in))} {
			c := &scripted{r: r}
			got, err := readAll(&webSocket{Conn: c}, 1<<10)
			var told *handshakeError
			if string(got) != "before" || !errors.As(err, &told) {
				t.Errorf("%s: got %q, error %v", name, got, err)
			}
			answers := c.frames(t)
			if len(answers) != 1 || answers[0].Header.OpCode != ws.OpClose {
				t.Errorf("%s: answers %+v", name, answers)
			} else if code, text := ws.ParseCloseFrameData(answers[0].Payload); code != tt.code || text == "" {
				t.Errorf("%s: closed with %d %s, want %d", name, code, text, tt.code)
			}
		}
	}
}

// All buffers of a write are one frame, and none is copied.
func TestWriteFrames(t *testing.T) {
	c := new(scripted)
	w := &webSocket{Conn: c}
	for _, sizes := range [][]int{{}, {0}, {100, 25}, {126}, {65535}, {65535, 1}, {70000, 5, 70000}} {
		c.out.Reset()
		var bufs net.Buffers
		for _, n := range sizes {
			bufs = append(bufs, bytes.Repeat([]byte{byte(n)}, n))
		}
		want := bytes.Join(bufs, nil)
		if err := w.WriteBuffers(bufs); err != nil {
			t.Fatal(err)
		}
		if f := c.frames(t); len(f) != 1 || f[0].Header.OpCode != ws.OpBinary || !f[0].Header.Fin || !bytes.Equal(f[0].Payload, want) {
			t.Errorf("%v: %d frames", sizes, len(f))
		}
	}
	c.out.Reset()
	if err := w.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, err := w.Write([]byte{1})
	if f := c.frames(t); len(f) != 1 || f[0].Header.OpCode != ws.OpClose || !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the closing frame: %v, error %v", f, err)
	}
}

// Reading frames allocates nothing.
func TestReadAllocations(t *testing.T) {
	in := bytes.Repeat(frame(ws.OpBinary, true, "a small packet"), 100)
	r := bytes.NewReader(nil)
	w := &webSocket{Conn: &scripted{r: r}}
	buf := make([]byte, 1<<10)
	n := testing.AllocsPerRun(100, func() {
		r.Reset(in)
		for r.Len() > 0 {
			_, _ = w.Read(buf)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzFrames: whatever comes, cut in whatever way, the same payload gets
// through, and no more than came.
func FuzzFrames(f *testing.F) {
	f.Add(slices.Concat(frame(ws.OpBinary, false, "ab"), frame(ws.OpPing, true, ""), frame(ws.OpContinuation, true, "c")), uint8(3), uint8(2))
	f.Add(frame(ws.OpText, true, "text"), uint8(1), uint8(1))
	f.Add([]byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}, uint8(9), uint8(9))
	f.Add(head(ws.Header{Fin: true, OpCode: ws.OpBinary, Masked: true, Length: 1 << 40}), uint8(4), uint8(200))
	f.Fuzz(func(t *testing.T, in []byte, come, read uint8) {
		whole, err := readAll(&webSocket{Conn: &scripted{r: bytes.NewReader(in)}}, 1<<16)
		parts, err2 := readAll(&webSocket{Conn: &scripted{r: &limitedReader{bytes.NewReader(in), int(come) + 1}}}, int(read)+1)
		if len(whole) > len(in) || !bytes.Equal(whole, parts) || err.Error() != err2.Error() {
			t.Errorf("whole: %q %v; in parts: %q %v", whole, err, parts, err2)
		}
	})
}
