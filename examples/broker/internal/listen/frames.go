package listen

import (
	"bytes"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// webSocket is the server's end of a WebSocket as a stream of bytes. It has no
// buffers: frames are read into the buffer of Read and taken apart there.
// MQTT packets need not keep to the borders of frames. [MQTT-6.0.0-2]
type webSocket struct {
	net.Conn
	early []byte // came with the handshake

	// The frame that is being read.
	head    [ws.MaxHeaderSize]byte
	headLen int // bytes of head that have come
	frame   ws.Header
	done    int64  // bytes of its payload that have come
	within  bool   // of a frame: its head has come and not all of its payload
	message bool   // of a message: its last frame has not come
	control []byte // payload of a control frame
	pong    []byte // the answer to the last ping, if it is due
	source  bytes.Reader
	scratch [ws.MaxHeaderSize]byte
	err     error // ended the reading

	mu     sync.Mutex // for whole frames
	out    bytes.Buffer
	closed bool // a closing frame was written
}

const (
	// frameLimit is the size of the largest MQTT packet. A frame may hold many,
	// but nobody needs a larger one.
	frameLimit = 1 + 4 + codec.MaxRemaining
	// controlTimeout bounds the writing of an answer to a control frame.
	controlTimeout = 30 * time.Second
)

// Read returns payload of binary frames, as much as has come. Pings and the
// closing of the WebSocket are answered in between.
func (w *webSocket) Read(p []byte) (n int, err error) {
	for n == 0 && len(p) > 0 {
		if w.err != nil {
			return 0, w.err
		}
		var got int
		if len(w.early) > 0 {
			got = copy(p, w.early)
			if w.early = w.early[got:]; len(w.early) == 0 {
				w.early = nil
			}
		} else {
			got, err = w.Conn.Read(p)
		}
		n = w.unframe(p[:got])
		if w.pong != nil && w.err == nil {
			w.err = w.writeControl(ws.OpPong, w.pong)
			w.pong = nil
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// unframe takes apart what was read. The payload of data frames, of which it
// returns the length, is left at the beginning of b.
func (w *webSocket) unframe(b []byte) (n int) {
	for rest := b; len(rest) > 0 && w.err == nil; {
		if !w.within {
			rest = w.readHead(rest)
			continue
		}
		part := rest[:min(int64(len(rest)), w.frame.Length-w.done)]
		rest = rest[len(part):]
		ws.Cipher(part, w.frame.Mask, int(w.done%4))
		w.done += int64(len(part))
		if w.frame.OpCode.IsControl() {
			w.control = append(w.control, part...)
		} else {
			n += copy(b[n:], part)
		}
		w.endFrame()
	}
	return n
}

// readHead takes from b what belongs to the head of a frame.
func (w *webSocket) readHead(b []byte) (rest []byte) {
	size := 2
	if w.headLen >= 2 {
		size = headSize(w.head[1])
	}
	k := copy(w.head[w.headLen:size], b)
	w.headLen += k
	if w.headLen == size && (size > 2 || headSize(w.head[1]) == 2) {
		w.source.Reset(w.head[:size])
		w.frame, w.err = ws.ReadHeaderBuffer(&w.source, w.scratch[:])
		w.headLen, w.done, w.within = 0, 0, true
		if w.err == nil {
			w.err = w.judge()
		} else {
			w.err = w.refuse(ws.StatusProtocolError, w.err.Error())
		}
		w.endFrame() // a frame may be empty
	}
	return b[k:]
}

// headSize returns the length of a head by its second byte.
func headSize(second byte) int {
	size := 2
	switch second & 0x7F {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if second&0x80 != 0 {
		size += 4
	}
	return size
}

// judge refuses frames that may not come.
func (w *webSocket) judge() error {
	state := ws.StateServerSide
	if w.message {
		state = state.Set(ws.StateFragmented)
	}
	if err := ws.CheckHeader(w.frame, state); err != nil {
		return w.refuse(ws.StatusProtocolError, err.Error())
	}
	switch {
	case w.frame.OpCode == ws.OpText: // [MQTT-6.0.0-1]
		return w.refuse(ws.StatusUnsupportedData, "MQTT goes in binary frames")
	case w.frame.Length > frameLimit:
		return w.refuse(ws.StatusMessageTooBig, "the frame is too large")
	}
	return nil
}

// endFrame does what is due after the last byte of a frame.
func (w *webSocket) endFrame() {
	if w.err != nil || w.done < w.frame.Length {
		return
	}
	w.within = false
	switch payload := w.control; w.frame.OpCode {
	case ws.OpPing: // only the last one needs an answer
		w.pong = append([]byte{}, payload...) // not nil
	case ws.OpPong:
	case ws.OpClose:
		w.err = w.answerClose(payload)
	default:
		w.message = !w.frame.Fin
	}
	w.control = nil
}

// answerClose ends the WebSocket as the client wishes.
func (w *webSocket) answerClose(payload []byte) error {
	code, reason := ws.ParseCloseFrameData(payload)
	if len(payload) > 0 {
		if err := ws.CheckCloseFrameData(code, reason); err != nil {
			return w.refuse(ws.StatusProtocolError, err.Error())
		}
		payload = payload[:2]
	}
	_ = w.writeControl(ws.OpClose, payload) // it may be gone already
	return io.EOF
}

// refuse tells the client why the connection ends. It returns the error.
func (w *webSocket) refuse(code ws.StatusCode, text string) error {
	_ = w.writeControl(ws.OpClose, ws.NewCloseFrameBody(code, text)) // it may be gone already
	return refusef("WebSocket: %s", text)
}

// writeControl writes a control frame. It waits for a frame that is under way,
// which has a deadline of its own.
func (w *webSocket) writeControl(op ws.OpCode, payload []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.SetWriteDeadline(time.Now().Add(controlTimeout)); err != nil {
		return err
	}
	return w.write(op, net.Buffers{payload})
}

// Write writes one binary frame.
func (w *webSocket) Write(p []byte) (int, error) {
	if err := w.WriteBuffers(net.Buffers{p}); err != nil {
		return 0, err
	}
	return len(p), nil
}

// WriteBuffers writes all buffers as one binary frame.
func (w *webSocket) WriteBuffers(bufs net.Buffers) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(ws.OpBinary, bufs)
}

// write writes a frame. The caller holds mu.
func (w *webSocket) write(op ws.OpCode, bufs net.Buffers) error {
	size := 0
	for _, b := range bufs {
		size += len(b)
	}
	if w.closed {
		return net.ErrClosed
	}
	w.closed = op == ws.OpClose
	w.out.Reset()
	if err := ws.WriteHeader(&w.out, ws.Header{Fin: true, OpCode: op, Length: int64(size)}); err != nil {
		return err
	}
	return netio.Write(w.Conn, append(net.Buffers{w.out.Bytes()}, bufs...))
}

// CloseWrite writes the closing frame. That of the client ends the reading.
func (w *webSocket) CloseWrite() error {
	return w.writeControl(ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))
}
