package main

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/gobwas/ws"
)

// carrier is one direction of a connection as its bytes come: packets as they
// are, or a WebSocket that has them in its frames. (v3.1.1 and v5.0 6)
type carrier struct {
	c     *connection
	from  side
	mqtt  stream // what is carried
	phase phase
	held  []byte // what is not enough yet, of the first bytes or of a head of HTTP
	framing

	looked, looksCompressed int // pieces that were searched
}

// phase is what the next bytes of a carrier are.
type phase int

const (
	begins   phase = iota // the first bytes of the connection
	plain                 // packets
	greeting              // a head of HTTP
	framed                // frames of a WebSocket
	searched              // any of these, beginning anywhere
)

// kind is what both carriers of a connection carry packets in.
type kind int

const (
	unsure kind = iota
	bare
	webSocket
)

// maxGreeting bounds a head of HTTP.
const maxGreeting = 16 << 10

// feed takes the next bytes; at tells when each of them came.
func (w *carrier) feed(b []byte, at func(int) time.Time) {
	for done := 0; done < len(b) && !w.c.foreign; {
		done += w.next(b[done:], func(n int) time.Time { return at(done + n) })
	}
}

// next takes some of b, and returns how many bytes that is. It may be none where
// the phase is another one afterwards.
func (w *carrier) next(b []byte, at func(int) time.Time) int {
	switch w.phase {
	case begins:
		return w.begin(b, at)
	case greeting:
		return w.greet(b, at)
	case framed:
		return w.frame(b, at)
	case searched:
		return w.search(b, at)
	}
	w.mqtt.feed(b, at)
	return len(b)
}

// begin finds out whether HTTP begins. Its first letters are no packet.
func (w *carrier) begin(b []byte, at func(int) time.Time) int {
	held := len(w.held)
	all := append(w.held, b...)
	w.held = nil
	w.phase = plain
	for s, word := range []string{client: "GET ", server: "HTTP/"} {
		switch {
		case w.from == side(s).other():
		case bytes.HasPrefix(all, []byte(word)):
			w.phase = greeting
		case strings.HasPrefix(word, string(all)):
			w.phase, w.held = begins, all
			return len(b)
		}
	}
	switch {
	case w.phase == plain && w.c.kind == webSocket:
		w.c.turnAway(at(0), fmt.Sprintf("a WebSocket that the %v does not answer", w.from))
	case w.phase == plain:
		w.c.kind = bare
	}
	w.feed(all, func(n int) time.Time { return at(max(n-held, 0)) })
	return len(b)
}

// search looks for frames or packets where b begins, which is where a segment
// does.
func (w *carrier) search(b []byte, at func(int) time.Time) int {
	payload, compressed, isWebSocket := w.unframed(b)
	switch {
	case w.c.kind != webSocket && plausible(b, w.from):
		w.c.kind, w.phase = bare, plain
		return 0
	case w.c.kind != bare && isWebSocket && plausible(payload, w.from):
		if w.c.kind != webSocket {
			w.c.say(w.c, at(0), "MQTT over WebSocket, joined after its beginning")
		}
		w.c.kind, w.phase = webSocket, framed
		w.mqtt.found(at(0))
		return 0
	}
	w.looked++
	if isWebSocket && compressed {
		w.looksCompressed++
	}
	w.mqtt.passed += len(b)
	return len(b)
}

// join tells that bytes before the next one were not seen.
func (w *carrier) join() {
	w.phase, w.held, w.framing = searched, nil, framing{blind: true}
	w.mqtt.lost = true
}

// gap tells that bytes are missing; n is 0 where it is not known how many.
func (w *carrier) gap(n int, at time.Time) {
	switch {
	case w.phase == plain:
	case w.phase == framed && w.bridge(n, at):
	default:
		w.join()
	}
	w.mqtt.gap(n, at)
}

// end tells that nothing more comes. What is left of a packet is a fault if it
// should be whole.
func (w *carrier) end(at time.Time, whole bool) {
	switch {
	case w.c.foreign:
	case w.phase == begins && len(w.held) > 0:
		w.mqtt.feed(w.held, func(int) time.Time { return at })
	case w.phase == greeting:
		w.c.turnAway(at, "the beginning of HTTP")
	case w.phase == framed && (len(w.head) > 0 || w.within || w.open):
		w.c.say(w.c, at, fmt.Sprintf("the %v ends within a message of the WebSocket", w.from))
	case w.phase == searched && w.looked > 0 && w.looked == w.looksCompressed:
		w.c.say(w.c, at, fmt.Sprintf("a compressed WebSocket by its looks, joined after its beginning: %s of the %v cannot be read", count(w.mqtt.passed), w.from))
		w.mqtt.passed = 0
	}
	w.held, w.framing = nil, framing{}
	w.mqtt.end(at, whole)
}

// refuse ends the reading of a side, as the other side has to end it too.
func (w *carrier) refuse(at time.Time, what, rule, detail string) {
	w.c.breaks(at, w.from, what, rule, detail)
	w.phase, w.framing = plain, framing{}
	w.mqtt.giveUp()
}

// unframed returns what those frames carry that b consists of, of which the last
// one may be cut, and whether the first of them is compressed. It is not ok if b
// is not what this side sends in a WebSocket.
func (w *carrier) unframed(b []byte) (payload []byte, compressed, ok bool) {
	for rest := b; len(rest) > 0; {
		r := bytes.NewReader(rest)
		h, err := ws.ReadHeader(r)
		if err != nil {
			return payload, compressed, ok && isShort(err)
		}
		compressed = compressed || !ok && h.Rsv == rsvCompressed
		if h.OpCode.IsReserved() || h.Rsv&^rsvCompressed != 0 || !ok && h.OpCode != ws.OpBinary || h.Masked != (w.from == client) {
			return nil, false, false
		}
		ok = true
		rest = rest[len(rest)-r.Len():]
		part := rest[:min(h.Length, int64(len(rest)))]
		rest = rest[len(part):]
		if h.Rsv == 0 && !h.OpCode.IsControl() {
			payload = append(payload, part...)
			ws.Cipher(payload[len(payload)-len(part):], h.Mask, 0)
		}
	}
	return payload, compressed, ok
}
