package main

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/mqttcore/mqttcore/codec"
)

// batchSize is about how many bytes a publisher writes at once.
const batchSize = 128 << 10

// publisher sends messages in one goroutine, and reads acknowledgements in
// another.
type publisher struct {
	link
	bench   *bench
	number  int
	streams []*stream
	turn    int   // whose message is next
	most    int64 // copies under way

	sent    atomic.Int64 // messages
	due     atomic.Int64 // copies that have to arrive
	settled atomic.Int64 // copies that came, or are lost
	granted atomic.Int64 // messages that --rate has let go

	waiting atomic.Bool
	wake    chan struct{}

	mu       sync.Mutex
	ids      identifiers
	releases []uint32 // PUBREL to send
	asks     bool     // PINGREQ is to be sent
	before   int64    // copies that were due before the last one
	refused  int64
	acked    atomic.Int64
	latency  *hdrhistogram.Histogram // until the last acknowledgement
	now      int64

	message codec.Publish
	buf     []byte
}

// settle notes that n copies came, or will not come any more.
func (p *publisher) settle(n int) {
	p.settled.Add(int64(n))
	p.nudge()
}

// nudge lets the sending goroutine look again whether it may go on.
func (p *publisher) nudge() {
	if p.waiting.Load() && p.waiting.CompareAndSwap(true, false) {
		p.wake <- struct{}{} // there is room for one, and one is sent for each true
	}
}

// room returns how many messages may be sent now.
func (p *publisher) room() int64 {
	if p.bench.stopped.Load() {
		return 0
	}
	o := p.o
	n := max(1, int64(batchSize/o.size))
	if o.count > 0 {
		n = min(n, int64(o.count)-p.sent.Load())
	}
	if o.rate > 0 {
		n = min(n, p.granted.Load()-p.sent.Load())
	}
	if p.most > 0 {
		perMessage := p.most / int64(o.window)
		n = min(n, (p.most-p.due.Load()+p.settled.Load()+perMessage-1)/perMessage)
	}
	if o.qos > 0 {
		n = min(n, int64(p.ids.vacant.Load()))
	}
	return n
}

// ask lets the sending goroutine send PINGREQ, behind what it has sent.
func (p *publisher) ask() {
	p.mu.Lock()
	p.asks = true
	p.mu.Unlock()
	p.nudge()
}

// silent reports whether a PINGREQ is not sent or not answered yet.
func (p *publisher) silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asks || p.link.silent()
}

// giveUp notes that nothing more will come of what was sent before PINGREQ.
func (p *publisher) giveUp() {
	p.mu.Lock()
	n := p.before - p.settled.Load()
	p.mu.Unlock()
	if n > 0 {
		p.settle(int(n))
	}
}

// owes reports whether there are PUBRELs or a PINGREQ to send.
func (p *publisher) owes() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.releases) > 0 || p.asks
}

// run writes messages and PUBRELs until the end of the run.
func (p *publisher) run() error {
	for {
		if err := p.fillBuffer(); err != nil {
			return err
		}
		if len(p.buf) > 0 {
			if err := p.write(p.buf); err != nil {
				return err
			}
			continue
		}
		p.waiting.Store(true)
		if (p.room() > 0 || p.owes()) && p.waiting.CompareAndSwap(true, false) {
			continue
		}
		select {
		case <-p.wake:
		case <-p.bench.over:
			return nil
		}
	}
}

// fillBuffer puts into buf what may be sent now.
func (p *publisher) fillBuffer() (err error) {
	p.buf = p.buf[:0]
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.releases {
		p.buf = appendAck(p.buf, codec.TypePubrel, 2, id)
	}
	p.releases = p.releases[:0]
	if p.asks {
		p.asks, p.before = false, p.due.Load()
		p.pings.Add(1)
		p.buf = append(p.buf, pingreq...)
	}
	n := p.room()
	if n <= 0 {
		return nil
	}
	m, v, now, due := &p.message, p.o.Version.Codec().FromClient(), p.bench.clock(), int64(0)
	for range n {
		s := p.streams[p.turn]
		if p.turn++; p.turn == len(p.streams) {
			p.turn = 0
		}
		m.Topic = s.topic
		if p.o.qos > 0 {
			m.PacketID = p.ids.take(now)
		}
		sent := now
		if p.o.rate > 0 {
			sent = p.bench.scheduled(p, p.sent.Load())
		}
		stamp(m.Payload, s.index, s.next, sent)
		s.next++
		due += int64(s.receivers)
		p.sent.Add(1)
		if p.buf, err = m.AppendTo(p.buf, v); err != nil {
			return err
		}
	}
	p.due.Add(due)
	return nil
}

func (p *publisher) begin() {
	p.mu.Lock()
	p.now = p.bench.clock()
}

func (p *publisher) end() error {
	p.mu.Unlock()
	p.nudge()
	return nil
}

// handle handles one packet of the broker.
func (p *publisher) handle(h codec.Header, body []byte) (err error) {
	switch h.Type {
	case codec.TypePuback:
		var a codec.Puback
		if err = a.Decode(h, body, p.v); err == nil {
			err = p.done(a.PacketID, codec.QoS1, a.ReasonCode)
		}
	case codec.TypePubrec:
		var a codec.Pubrec
		if err = a.Decode(h, body, p.v); err != nil {
			return err
		}
		if a.ReasonCode.IsError() {
			return p.done(a.PacketID, codec.QoS2, a.ReasonCode)
		}
		p.releases = append(p.releases, a.PacketID)
	case codec.TypePubcomp:
		var a codec.Pubcomp
		if err = a.Decode(h, body, p.v); err == nil {
			err = p.done(a.PacketID, codec.QoS2, a.ReasonCode)
		}
	default:
		err = fmt.Errorf("the broker sent %v to a publisher", h.Type)
	}
	return err
}

// done notes the last acknowledgement of a message.
func (p *publisher) done(id uint32, q codec.QoS, code codec.ReasonCode) error {
	sent, ok := p.ids.release(id)
	if !ok || q != p.o.qos.Codec() {
		return fmt.Errorf("the broker acknowledged the packet identifier %d, which is not under way", id)
	}
	if code.IsError() {
		p.refused++
		p.settled.Add(p.most / int64(p.o.window))
		return nil
	}
	p.acked.Add(1)
	if sent >= p.bench.since.Load() {
		_ = p.latency.RecordValue(max(1, p.now-sent)) // longer ones are the longest that it knows
	}
	return nil
}

// identifiers are the packet identifiers of messages under way. One that came
// free is used again as late as possible.
type identifiers struct {
	sent   []int64  // by identifier, the time of sending; 0 for a free one
	free   []uint32 // a ring, of which the first vacant ones count
	head   int
	vacant atomic.Int32
}

// open makes the identifiers 1 to n free.
func (x *identifiers) open(n int) {
	x.sent, x.free = make([]int64, n+1), make([]uint32, n)
	for i := range x.free {
		x.free[i] = uint32(i + 1)
	}
	x.vacant.Store(int32(n))
}

// take returns a free identifier. There has to be one.
func (x *identifiers) take(now int64) uint32 {
	id := x.free[x.head]
	if x.head++; x.head == len(x.free) {
		x.head = 0
	}
	x.vacant.Add(-1)
	x.sent[id] = max(1, now)
	return id
}

// release makes an identifier free again. ok is false if it was.
func (x *identifiers) release(id uint32) (sent int64, ok bool) {
	if int(id) >= len(x.sent) || x.sent[id] == 0 {
		return 0, false
	}
	sent, x.sent[id] = x.sent[id], 0
	x.free[(x.head+int(x.vacant.Load()))%len(x.free)] = id
	x.vacant.Add(1)
	return sent, true
}
