package main

import (
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// mostHeld is how many bytes of a packet are kept.
const mostHeld = 1 << 20

// stream is one direction of a connection, cut into packets.
type stream struct {
	c    *connection
	from side

	buf    []byte // begins with a packet
	offset int    // of buf in the stream
	skip   int    // bytes of a large packet that are to come
	begun  bool
	looked bool // what there is was searched for the version
	lost   bool // where packets begin is to be found out
	dead   bool // where packets begin cannot be found out any more
	passed int  // bytes that were not shown, while lost or dead
}

// feed takes the next bytes; at tells when each of them came.
func (s *stream) feed(b []byte, at func(int) time.Time) {
	if s.c.foreign || len(b) == 0 {
		return
	}
	skipped := min(s.skip, len(b))
	s.skip -= skipped
	s.offset += skipped
	before := skipped - len(s.buf) // turns places in buf into those in b
	s.buf = append(s.buf, b[skipped:]...)
	s.looked = false
	done := 0
	for done < len(s.buf) {
		n := s.next(s.buf[done:], func(end int) time.Time { return at(max(before+done+end-1, 0)) })
		if n == 0 {
			break
		}
		done += n
		s.offset += n
	}
	s.buf = s.buf[:copy(s.buf, s.buf[done:])]
}

// next handles what b begins with and returns how many bytes that is, or 0 if
// more are needed. at tells when the last of so many bytes came.
func (s *stream) next(b []byte, at func(int) time.Time) int {
	switch {
	case s.c.foreign:
		return len(b)
	case s.dead, s.lost && !plausible(b, s.from):
		s.passed += len(b)
		return len(b)
	case s.lost:
		s.found(at(1))
	case !s.begun && s.c.isForeign(b, at(1)):
		return len(b)
	}
	h, n, err := codec.Frame(b, 0)
	switch {
	case err != nil:
		n = min(len(b), 5)
		s.packet(b[:n], n, at(n))
		s.dead = true
		return n
	case n > 0:
		if !s.looked {
			s.looked = true
			s.c.guess(b, s.from, at(n))
		}
		s.packet(b[:n], n, at(n))
		return n
	case h.Len > 0 && len(b) >= mostHeld:
		s.packet(b[:mostHeld], h.Size(), at(mostHeld))
		s.skip = h.Size() - len(b)
		return len(b)
	}
	return 0
}

// packet examines a packet, or as much of it as was kept.
func (s *stream) packet(b []byte, size int, at time.Time) {
	s.begun = true
	s.c.examine(&packet{at: at, offset: s.offset, from: s.from, bytes: b, size: size, cut: size > len(b)})
}

// plausible reports whether b begins with packets, as far as one can tell: where
// a segment of TCP begins often a packet does too.
func plausible(b []byte, from side) bool {
	if _, n, _ := codec.Frame(b, 0); n == 0 {
		return false
	}
	return min(faultsIn(b, from.of(codec.V311)), faultsIn(b, from.of(codec.V5))) == 0
}

// found ends the search for the begin of a packet.
func (s *stream) found(at time.Time) {
	if s.passed > 0 {
		s.c.say(s.c, at, fmt.Sprintf("%s of the %v could not be read before this", count(s.passed), s.from))
	}
	s.lost, s.passed = false, 0
}

// gap tells that bytes are missing; n is 0 where it is not known how many.
func (s *stream) gap(n int, at time.Time) {
	if s.dead || s.c.foreign {
		return
	}
	s.passed += len(s.buf) + s.skip
	s.buf, s.lost = s.buf[:0], true
	s.skip = 0
	s.c.tracker.forget()
	if n > 0 {
		s.c.say(s.c, at, fmt.Sprintf("%s of the %v are missing", count(n), s.from))
	}
}

// giveUp tells that what follows cannot be read.
func (s *stream) giveUp() {
	s.passed += len(s.buf) + s.skip
	s.buf, s.skip, s.dead = nil, 0, true
	s.c.tracker.forget()
}

// end tells that nothing more comes. What is left is a fault if the packet should
// be whole.
func (s *stream) end(at time.Time, whole bool) {
	left := len(s.buf)
	switch {
	case s.c.foreign:
	case left > 0 && whole:
		s.packet(s.buf, left, at)
	case left > 0 || s.skip > 0:
		s.c.say(s.c, at, fmt.Sprintf("the %v ends within a packet", s.from))
	case s.lost && s.passed > 0 && !s.begun:
		s.c.say(s.c, at, fmt.Sprintf("not MQTT, or joined within a packet: none can be found in %s of the %v", count(s.passed), s.from))
	case s.passed > 0:
		s.c.say(s.c, at, fmt.Sprintf("%s more of the %v cannot be read", count(s.passed), s.from))
	}
	s.buf, s.skip, s.passed = nil, 0, 0
}

// count returns a number of bytes for people.
func count(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// isForeign says so if the connection begins with another protocol.
func (c *connection) isForeign(b []byte, at time.Time) bool {
	name := otherProtocol(b)
	if name == "" {
		return false
	}
	c.turnAway(at, name)
	return true
}
