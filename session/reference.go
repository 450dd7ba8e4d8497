package session

import "encoding/binary"

// What a delivery costs the server, as compared with an encoding of its own in each
// output, to 10 / to 100 peers (v3.1.1, from PublishShared to the last
// acknowledgement; go test ./session -run ^$ -bench Reference). Fifty messages come
// in a row; interleaved with those for others; or for peers that take twenty at a
// time. "socket" includes the system calls.
//
//	payload                       16 B       64 B      256 B      1 KiB      4 KiB
//	QoS 0, in a row          0.63/0.54  0.65/0.54  0.64/0.48  0.73/0.15  0.65/0.07
//	QoS 0, in a row, socket  0.86/0.73  0.86/0.79  0.86/0.90  1.09/0.49  1.04/0.13
//	QoS 1, in a row          0.76/0.80  0.79/0.78  0.77/0.76  0.82/0.33  0.79/0.07
//	QoS 1, in a row, socket  0.86/0.96  0.86/0.84  0.87/0.76  0.78/0.59  0.94/0.14
//	QoS 2, in a row          0.83/0.82  0.84/0.83  0.84/0.80  0.87/0.31  0.74/0.09
//	QoS 1, backlog           0.83/0.82  0.84/0.80  0.90/0.81  0.90/0.73  0.96/0.12
//	QoS 1, backlog, socket   0.91/0.97  0.93/0.89  0.97/0.99  0.99/0.86  0.93/0.32
//	QoS 0, interleaved       1.00/0.90  1.08/0.96  1.08/0.91  1.18/0.76  1.00/0.07
//	  with socket            1.01/0.90  1.18/1.12  1.15/0.85  1.33/1.04  0.96/0.48
//	  copied below 1 KiB     1.07/0.95  0.96/0.96  1.02/1.00  1.36/0.96  0.97/0.52
//	QoS 1, interleaved       1.00/0.95  1.11/1.06  1.13/0.97  1.14/0.75  1.11/0.12
//	  with socket            1.04/0.96  1.13/0.91  1.14/1.04  1.26/1.02  1.03/0.17
//	  copied below 1 KiB     1.01/1.11  1.01/0.84  1.02/1.10  1.31/1.00  0.99/0.57
//	QoS 0, aliases           1.20/1.07  1.62/1.63  1.58/1.45  1.80/0.36  0.87/0.07
//	  with socket            1.09/1.04  1.78/1.81  1.69/1.54  1.58/0.71  0.98/0.30
//	QoS 1, aliases           1.17/1.07  1.49/1.49  1.53/1.34  1.49/0.54  0.93/0.10
//	  with socket            1.07/1.05  1.75/1.60  1.65/1.43  1.37/0.79  0.96/0.35
//
// Messages that come in a row are one piece of memory, so referring costs less
// throughout. Where those of others lie between, it costs up to 1.2 times a copy
// below 1 KiB, and no payload is there once for each peer; the last line of each is
// with minReference = 1 << 10 and the socket. Peers that know the topic under aliases
// of their own (v5.0) have two pieces for each message, of which they share the
// payload. That costs more below 1 KiB; but few are out of step.

const (
	// minReference is the size in bytes from which an output refers to bytes between
	// others rather than to copy them. A reference takes 56.
	minReference = 64
	// maxChunks is the number of chunks after which an output refers to minFurther
	// bytes or more of a further one. So a slow peer keeps few of them alive: as
	// many as its unsent bytes have such pieces.
	maxChunks  = 3
	minFurther = 1 << 10
)

// copy adds an encoding to the output, under the identifier of m. The payload is
// copied too where that costs less.
func (c *core) copy(e *encoding, m *message) {
	bytes, payload := e.bytes, c.payloadOf(e, m)
	if payload != nil {
		bytes = bytes[:e.head]
	}
	room := c.room()
	buf := append(room, bytes...)
	if m.id != 0 {
		putPacketID(buf[len(room)+int(e.at):], m.id, c.own.Wide())
	}
	c.wrote(buf, payload)
}

// payloadOf returns the payload of an encoding for the output to refer to, nil
// where a copy costs less.
func (c *core) payloadOf(e *encoding, m *message) []byte {
	if e.apart {
		m.kept.lend()
		return m.pub.Payload
	}
	c.room() // so that tail is that of what goes out next
	payload := e.bytes[e.head:]
	if !c.out.tail.pays(e.chunk, len(payload)) {
		return nil
	}
	c.out.tail.refers(e.chunk)
	return payload
}

// refer adds an encoding to the output without copying it. Where that costs less it
// is copied, as long as few bytes of the chunk follow one another.
func (c *core) refer(e *encoding) {
	o := &c.out
	if o.lent {
		o.recycle(c.sh)
	}
	n := len(o.cuts)
	cut := n > 0 && o.cuts[n-1].at == len(o.buf)
	if cut && follows(o.cuts[n-1].payload, e.bytes) {
		last := &o.cuts[n-1].payload
		*last = (*last)[:len(*last)+len(e.bytes)]
		o.size += len(e.bytes)
		c.stats.PacketsOut++
		return
	}
	t := &o.tail
	if !cut && t.end == len(o.buf) && follows(t.copied, e.bytes) {
		t.copied = t.copied[:len(t.copied)+len(e.bytes)]
	} else {
		t.copied = e.bytes
	}
	if o.size > 0 && !t.pays(e.chunk, len(t.copied)) {
		c.wrote(append(c.room(), e.bytes...), nil)
		t.end = len(o.buf)
		return
	}
	t.refers(e.chunk)
	before := len(t.copied) - len(e.bytes)
	o.buf = o.buf[:len(o.buf)-before]
	o.size -= before
	c.wrote(o.buf, t.copied)
	t.copied = nil
}

// tail is what was copied from a chunk to the end of an output, up to buf[:end],
// and what the output refers to.
type tail struct {
	copied []byte
	end    int
	chunk  uint32 // the one that was referred to last
	chunks int    // how many were
}

// pays reports whether to refer to n bytes of a chunk between others.
func (t *tail) pays(chunk uint32, n int) bool {
	if t.chunks >= maxChunks && chunk != t.chunk {
		return n >= minFurther
	}
	return n >= minReference
}

// refers notes a reference to a chunk.
func (t *tail) refers(chunk uint32) {
	if chunk != t.chunk {
		t.chunk = chunk
		t.chunks++
	}
}

// follows reports whether b lies right behind a in memory.
func follows(a, b []byte) bool {
	return cap(a)-len(a) >= len(b) && &a[:len(a)+1][len(a)] == &b[0]
}

// putPacketID writes a Packet Identifier over another one.
func putPacketID(b []byte, id uint32, wide bool) {
	if wide {
		binary.BigEndian.PutUint32(b, id)
	} else {
		binary.BigEndian.PutUint16(b, uint16(id))
	}
}
