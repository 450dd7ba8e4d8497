package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// output collects the bytes of the next Write.
type output struct {
	buf  []byte // all but referenced payloads
	cuts []cut
	size int  // bytes that are due
	lent bool // buf is lent to the driver, and the segs of Shared
	tail tail
}

// cut is a payload that goes out after buf[:at] without being copied into it.
type cut struct {
	at      int
	payload []byte
}

// unsent returns the number of bytes that are due.
func (c *core) unsent() int {
	if c.work == nil {
		return 0
	}
	return c.out.size
}

// recycle takes back what the last Write lent.
func (o *output) recycle(sh *Shared) {
	if !o.lent {
		return
	}
	o.lent = false
	sh.free(o.buf)
	o.buf, o.tail = nil, tail{}
	if o.cuts != nil {
		sh.freeCuts(o.cuts)
		o.cuts = nil
	}
}

// room returns the buffer to append to. Within a payload that goes in pieces it
// is one that waits for the end of it.
func (c *core) room() []byte {
	if c.sending != nil {
		return c.sending.held
	}
	o := &c.out
	if o.lent {
		o.recycle(c.sh)
	}
	if o.buf == nil {
		o.buf = c.sh.buffer()
	}
	return o.buf
}

// wrote takes over what was appended to room, and the payload that follows.
func (c *core) wrote(buf, payload []byte) {
	c.stats.PacketsOut++
	if c.sending != nil {
		c.sending.held = buf
		return
	}
	c.out.size += len(buf) - len(c.out.buf) + len(payload)
	c.out.buf = buf
	if payload != nil {
		if c.out.cuts == nil {
			c.out.cuts = c.sh.cutList()
		}
		c.out.cuts = append(c.out.cuts, cut{at: len(buf), payload: payload})
	}
}

func (c *core) dropOutput() {
	c.out.lent = true
	c.out.recycle(c.sh)
	c.out.size = 0
}

// ReplaceWriteBuffer gives the bytes of the Write event before to the driver
// for good, except those that it shares with other connections, which nobody
// changes. The next Write is formed in buf, which may be nil. It is called right
// after the Write event.
//
// It returns the buffer that the driver has got, nil for none. Once the bytes are
// written, the driver may give it to another ReplaceWriteBuffer.
func (c *core) ReplaceWriteBuffer(buf []byte) (written []byte) {
	if c.work == nil || !c.out.lent {
		return buf
	}
	written, c.out.buf = c.out.buf, nil
	c.out.recycle(c.sh)
	c.sh.segs = nil
	if cap(buf) > 0 {
		c.out.buf = buf[:0]
	}
	c.rest()
	return written
}

// SetWriteBlocked tells whether the transport cannot take bytes at present.
// Until it can there is no Write; all other events go on. A peer that does not read
// for ever is the driver's to give up, by a time that a write may take: while
// InputPaused says not to read from it, it does not count as silent.
func (c *core) SetWriteBlocked(now time.Time, blocked bool) {
	c.setTime(now)
	c.blocked = blocked
	c.listens()
	if !blocked && c.status == StatusClosing {
		c.timers.wait = 0
	}
}

// write yields the bytes that are due.
func (c *core) write(ev *events.Event) bool {
	if c.out.size == 0 || c.blocked || c.lost || c.status == StatusClosed {
		return false
	}
	o := &c.out
	start := 0
	if len(c.sh.segs) > 1 {
		clear(c.sh.segs[1:]) // the first one is replaced now
	}
	segs := c.sh.segs[:0]
	for _, k := range o.cuts {
		if k.at > start {
			segs = append(segs, o.buf[start:k.at:k.at])
		}
		segs = append(segs, k.payload[:len(k.payload):len(k.payload)])
		start = k.at
	}
	if start < len(o.buf) {
		segs = append(segs, o.buf[start:])
	}
	ev.Kind, ev.Data, ev.Size = events.Write, segs, int64(o.size)
	c.stats.BytesOut += uint64(o.size)
	if c.sh.segs = segs; cap(segs) > 64 {
		c.sh.segs = nil
	}
	o.size, o.lent = 0, true
	if c.client != nil {
		c.client.sent = c.now
	}
	return true
}

// encode appends a small packet to the output. It returns the error of the
// packet, after which nothing was appended.
func (c *core) encode(p codec.Packet) error {
	room := c.room()
	buf, err := p.AppendTo(room, c.own)
	if err != nil {
		return err
	}
	if c.cfg.Observe != nil {
		c.observe(false, p, buf[len(room):], nil)
	}
	c.wrote(buf, nil)
	return nil
}
