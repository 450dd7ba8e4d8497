package main

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gobwas/ws"
)

// framing reads the frames of one direction of a WebSocket. (RFC 6455 5)
type framing struct {
	head    []byte    // of a frame whose head is not whole
	current ws.Header // the frame that is being read
	done    int64     // bytes of its payload that have come
	within  bool      // of a frame: its head has come and not all of its payload
	control []byte    // payload of a control frame

	open       bool      // the last frame of a message has not come
	op         ws.OpCode // of the message
	compressed bool      // the message is
	packed     []byte    // what has come of a compressed message
	torn       bool      // some of the message is missing
	window     []byte    // what compressed messages refer to
	blind      bool      // some of the window is missing
	told       bool      // that compressed messages cannot be read
}

const (
	// rsvCompressed is the bit of a frame that begins a compressed message. (RFC 7692 6)
	rsvCompressed = 4
	// maxPacked is how many bytes of a compressed message are kept, which is read when
	// it is whole.
	maxPacked = 4 << 20
	// maxUnpacked is how many bytes may become of it.
	maxUnpacked = 64 << 20
	// windowSize is how far back compressed bytes can refer.
	windowSize = 32 << 10
)

// frame takes what b begins with: a head or its rest, or some payload.
func (w *carrier) frame(b []byte, at func(int) time.Time) int {
	if !w.within {
		return w.readHead(b, at)
	}
	n := int(min(int64(len(b)), w.current.Length-w.done))
	part := w.c.unmask(b[:n], w.current.Mask, w.done)
	w.done += int64(n)
	switch {
	case w.current.OpCode.IsControl():
		w.control = append(w.control, part...)
	case w.compressed && len(w.packed)+n <= maxPacked:
		w.packed = append(w.packed, part...)
	case w.compressed:
		w.packed, w.torn, w.blind = nil, true, true
	case w.op == ws.OpBinary:
		w.mqtt.feed(part, at)
	}
	w.endFrame(at(n - 1))
	return n
}

// unmask returns bytes without their mask, until the next call. They themselves
// stay as they are, as others may need them.
func (i *inspector) unmask(b []byte, mask [4]byte, done int64) []byte {
	i.clear = append(i.clear[:0], b...)
	ws.Cipher(i.clear, mask, int(done%4))
	return i.clear
}

// readHead takes from b what belongs to the head of a frame.
func (w *carrier) readHead(b []byte, at func(int) time.Time) int {
	had := len(w.head)
	w.head = append(w.head, b[:min(len(b), ws.MaxHeaderSize-had)]...)
	r := bytes.NewReader(w.head)
	h, err := ws.ReadHeader(r)
	if isShort(err) {
		return len(b)
	}
	n := len(w.head) - r.Len() - had
	w.head = w.head[:0]
	w.current, w.done, w.within, w.control = h, 0, true, nil
	if err == nil {
		err = w.legal(h)
	}
	switch {
	case err != nil:
		w.refuse(at(n-1), "frame", "", "WebSocket: "+err.Error())
		return n
	case h.OpCode == ws.OpText || isOtherData(h.OpCode):
		w.c.breaks(at(n-1), w.from, otherFrame(h), "MQTT-6.0.0-1", "MQTT travels in binary frames; this one is left out")
		w.c.tracker.forget()
	}
	if !h.OpCode.IsControl() {
		if !w.open {
			w.op, w.compressed, w.torn, w.packed = h.OpCode, h.Rsv != 0, false, nil
		}
		w.open = !h.Fin
	}
	w.endFrame(at(n - 1)) // a frame may be empty
	return n
}

// isShort tells that there is too little for a head.
func isShort(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// isOtherData reports whether frames of a kind would be data, if there were such.
func isOtherData(op ws.OpCode) bool { return op > ws.OpBinary && !op.IsControl() }

func otherFrame(h ws.Header) string {
	name := "text frame"
	if h.OpCode != ws.OpText {
		name = fmt.Sprintf("frame of type %d", h.OpCode)
	}
	return name + " of " + count(int(h.Length))
}

// legal returns what is wrong with the head of a frame.
func (w *carrier) legal(h ws.Header) error {
	state := [...]ws.State{client: ws.StateServerSide, server: ws.StateClientSide, nobody: 0}[w.from] // that of the receiver
	if w.open {
		state = state.Set(ws.StateFragmented)
	}
	begins := h.OpCode != ws.OpContinuation && !h.OpCode.IsControl()
	if h.Rsv == rsvCompressed && begins && (w.c.deflate || !w.c.answered) {
		h.Rsv = 0
	}
	if isOtherData(h.OpCode) {
		h.OpCode = ws.OpText // is judged as such
	}
	return ws.CheckHeader(h, state)
}

// endFrame does what is due after the last byte of a frame.
func (w *carrier) endFrame(at time.Time) {
	if w.done < w.current.Length || w.c.foreign {
		return
	}
	w.within = false
	switch {
	case w.current.OpCode == ws.OpClose:
		w.closed(at)
	case w.current.OpCode.IsControl() || w.open || !w.compressed:
	case w.torn || w.blind && !w.c.fresh[w.from]:
		w.unreadable(at)
	default:
		if err := w.inflate(at); err != nil {
			w.refuse(at, "compressed message", "", "WebSocket: what was compressed cannot be read: "+err.Error())
		}
	}
}

// closed takes a closing frame.
func (w *carrier) closed(at time.Time) {
	text := fmt.Sprintf("the %v closes the WebSocket", w.from)
	if code, reason := ws.ParseCloseFrameData(w.control); code != 0 {
		text += fmt.Sprintf(": %d %q", code, reason)
	}
	if !w.c.onlyFault {
		w.c.say(w.c, at, text)
	}
	w.mqtt.end(at, false)
	w.mqtt.giveUp() // nothing may follow
	w.phase, w.framing = plain, framing{}
}

// bridge goes on within a frame from which n bytes are missing, if it is known
// that they were of its payload.
func (w *carrier) bridge(n int, at time.Time) bool {
	if !w.within || n <= 0 || int64(n) > w.current.Length-w.done || w.current.OpCode.IsControl() {
		return false
	}
	w.done += int64(n)
	if w.compressed {
		w.packed, w.torn, w.blind = nil, true, true
	}
	w.endFrame(at)
	return true
}

// unreadable passes a compressed message over that is not whole, or refers to what
// was not seen.
func (w *carrier) unreadable(at time.Time) {
	if !w.told {
		w.told = true
		w.c.say(w.c, at, fmt.Sprintf("messages of the %v are compressed; what is above 4 MiB, or 64 MiB when unpacked, cannot be read, nor what refers to bytes that were not read", w.from))
	}
	w.mqtt.gap(0, at)
	w.mqtt.passed += len(w.packed)
	w.packed = nil
}

// inflate reads a compressed message. (RFC 7692 7.2.2)
func (w *carrier) inflate(at time.Time) error {
	if len(w.packed) == 0 {
		return nil
	}
	// The sender has left the end of the last block out. Behind it one that is empty
	// and the last of all.
	in := bytes.NewReader(append(w.packed, "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...))
	w.packed = nil
	r, out := w.c.inflater.over(in)
	for total := 0; in.Len() > 0; { // more than once if the sender ends with a last block too
		if err := r.(flate.Resetter).Reset(in, w.window); err != nil {
			return err
		}
		for {
			n, err := r.Read(out)
			if total += n; total > maxUnpacked {
				w.blind = true
				w.unreadable(at)
				return nil
			}
			w.window = append(w.window, out[:n]...)
			w.window = w.window[max(len(w.window)-windowSize, 0):]
			if w.op == ws.OpBinary {
				w.mqtt.feed(out[:n], func(int) time.Time { return at })
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// inflater is what all connections share for compressed messages.
type inflater struct {
	r   io.ReadCloser
	out []byte
}

// over returns a reader that is to be reset to in, and a buffer to read into.
func (i *inflater) over(in io.Reader) (io.ReadCloser, []byte) {
	if i.r == nil {
		i.r, i.out = flate.NewReader(in), make([]byte, windowSize)
	}
	return i.r, i.out
}
