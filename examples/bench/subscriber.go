package main

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/mqttcore/mqttcore/codec"
)

// place is where all messages have to arrive: one subscriber, or those that
// share a subscription.
type place struct {
	mu    sync.Mutex
	order bool       // messages of a stream have to come in order
	seen  []sequence // by stream

	again, disordered, foreign int64
}

// subscriber receives messages and acknowledges them.
type subscriber struct {
	link
	bench *bench
	place *place

	received, bytes atomic.Int64
	latency         *hdrhistogram.Histogram // guarded by place.mu

	publish codec.Publish
	now     int64
	acks    []byte
	held    map[uint32]struct{} // of QoS 2, until PUBREL

	settling *publisher // whose messages came last
	settled  int        // and how many, not told yet
}

func (s *subscriber) begin() {
	s.place.mu.Lock()
	s.now = s.bench.clock()
	s.acks = s.acks[:0]
}

func (s *subscriber) end() error {
	s.settle(nil, 0)
	s.place.mu.Unlock()
	if len(s.acks) == 0 {
		return nil
	}
	return s.write(s.acks)
}

// handle handles one packet of the broker.
func (s *subscriber) handle(h codec.Header, body []byte) (err error) {
	switch h.Type {
	case codec.TypePublish:
		p := &s.publish
		if err := p.Decode(h, body, s.v); err != nil {
			return err
		}
		switch p.QoS {
		case codec.QoS1:
			s.answer(codec.TypePuback, 0, p.PacketID)
		case codec.QoS2:
			s.answer(codec.TypePubrec, 0, p.PacketID)
			if _, ok := s.held[p.PacketID]; ok {
				return nil
			}
			s.held[p.PacketID] = struct{}{}
		}
		s.take(p.Payload)
	case codec.TypePubrel:
		var p codec.Pubrel
		if err := p.Decode(h, body, s.v); err != nil {
			return err
		}
		delete(s.held, p.PacketID)
		s.answer(codec.TypePubcomp, 0, p.PacketID)
	default:
		return fmt.Errorf("the broker sent %v to a subscriber", h.Type)
	}
	return nil
}

// answer adds a packet that consists of a Packet Identifier.
func (s *subscriber) answer(t codec.PacketType, flags byte, id uint32) {
	s.acks = appendAck(s.acks, t, flags, id)
}

// appendAck appends a PUBACK, PUBREC, PUBREL or PUBCOMP of success.
func appendAck(b []byte, t codec.PacketType, flags byte, id uint32) []byte {
	return append(b, byte(t)<<4|flags, 2, byte(id>>8), byte(id))
}

// take notes a message that came.
func (s *subscriber) take(payload []byte) {
	s.received.Add(1)
	s.bytes.Add(int64(len(payload)))
	stream, number, sent, ok := s.bench.read(payload)
	if !ok {
		s.place.foreign++
		return
	}
	if sent >= s.bench.since.Load() {
		_ = s.latency.RecordValue(max(1, s.now-sent)) // longer ones are the longest that it knows
	}
	switch v, skipped := s.place.seen[stream.index].take(number); v {
	case inOrder:
		if !s.place.order {
			skipped = 0 // others may be about to bring them
		}
		s.settle(stream.from, 1+skipped)
	case late:
		if s.place.order {
			s.place.disordered++
		} else {
			s.settle(stream.from, 1)
		}
	case again:
		s.place.again++
	}
}

// settle tells a publisher that messages came, or will not come any more. It
// does so once for a row of messages of the same publisher.
func (s *subscriber) settle(p *publisher, n int) {
	if p != s.settling {
		if s.settling != nil {
			s.settling.settle(s.settled)
		}
		s.settling, s.settled = p, 0
	}
	s.settled += n
}

// stampSize is the size of what each payload begins with: the stream, the
// number in it, and the time of sending in nanoseconds since the start.
const stampSize = 16

func stamp(payload []byte, stream, number uint32, sent int64) {
	binary.BigEndian.PutUint32(payload, stream)
	binary.BigEndian.PutUint32(payload[4:], number)
	binary.BigEndian.PutUint64(payload[8:], uint64(sent))
}

// read reads what stamp wrote. ok is false for a payload that is not of this
// run.
func (b *bench) read(payload []byte) (s *stream, number uint32, sent int64, ok bool) {
	if len(payload) != b.o.size {
		return nil, 0, 0, false
	}
	i := binary.BigEndian.Uint32(payload)
	if int64(i) >= int64(len(b.streams)) {
		return nil, 0, 0, false
	}
	return b.streams[i], binary.BigEndian.Uint32(payload[4:]), int64(binary.BigEndian.Uint64(payload[8:])), true
}
