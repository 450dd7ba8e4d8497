package session_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// FuzzSession mixes calls in any order with packets in any order and bytes of
// any kind. Whatever comes: no panic; every connection ends in exactly one
// Close, after which only events of later calls come; all that is written are
// legal packets of this side; after Tick the deadline lies ahead.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"\x00\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f",
		"\x01\x80\x40\x41\x42\x43\x90\x91\x92\x44\x45\x93\x94\x46\x47\x81\x82",
		"\x02\x40\x81\x43\x43\x44\x85\x86\x87\x45\x40\x81\x46\x46\x46\x8d\x40",
		"\x03\x80\x40\x43\x44\x45\x83\x83\x84\x84\x47\x47\x48\x49\x4a\x4b\x4c",
		"\x04\x40\x81\x83\x84\x85\x86\x4d\x4e\x4f\x50\x51\x52\x53\x54\x55\x56",
		"\x05\x80\x40\x00\x04\x30\x03\x00\x01a\x00\x02\xc0\x00\x45\x46",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) < 2 {
			return
		}
		newFuzzer(t, script[0]).run(script[1:])
	})
}

type fuzzer struct {
	*rig
	t       *testing.T
	closes  int
	pending []uint64 // tokens of messages that wait for Ack or Complete
	wanted  events.Event
	rest    []byte // of Write, the beginning of a packet
	trace   []string
}

func newFuzzer(t *testing.T, mode byte) *fuzzer {
	r := newRig()
	r.v = [...]codec.Version{codec.V311, codec.V5}[mode&1]
	cfg := session.Config{
		Shared: &r.shared, ManualAck: mode&4 != 0, ManualRelease: mode&8 != 0, ManualComplete: mode&16 != 0,
		MaximumInflight: 3, Queue: session.QueueLimits{Messages: 4, Policy: session.QueuePolicy(mode>>5) % 3},
		TopicAliases: session.AliasPolicy(mode>>3) % 4, Persist: mode&32 != 0, HighWater: 40, ReferenceSize: 16,
		StreamAbove: int(mode>>6&1) * 3,
	}
	if mode&2 == 0 {
		r.c = session.NewClient(session.ClientConfig{Config: cfg, Version: r.v})
		r.conn = r.c
	} else {
		r.s = session.NewServer(session.ServerConfig{Config: cfg})
		r.conn = r.s
	}
	return &fuzzer{rig: r, t: t}
}

// run takes one step for each byte of the script: below 0x40 raw bytes, from
// 0x40 a call, from 0x80 a packet.
func (f *fuzzer) run(script []byte) {
	for len(script) > 0 {
		op := script[0]
		script = script[1:]
		switch {
		case op < 0x40:
			n := min(int(op), len(script))
			f.Receive(f.now, bytes.Clone(script[:n]))
			script = script[n:]
		case op < 0x80:
			f.call(op)
		default:
			f.Receive(f.now, f.incoming(op))
		}
		f.pull(op)
	}
	if f.Status() != session.StatusIdle && f.Status() != session.StatusClosed {
		f.Closed(f.now, nil)
		f.pull(0)
		if f.closes != 1 {
			f.t.Fatalf("no Close after Closed\n%v", f.trace)
		}
	}
}

// call calls a method with arguments that depend on op.
func (f *fuzzer) call(op byte) {
	p := &codec.Publish{Topic: codec.Bytes([]string{"a", "topic/b", "topic/c", ""}[op>>4&3]), QoS: codec.QoS(op % 3), Retain: op&8 != 0, Payload: make(codec.Bytes, int(op&3)*10)}
	if op&7 == 5 && f.v.IsV5() {
		p.Properties.TopicAlias = codec.Some(uint16(op & 3))
		p.Properties.MessageExpiryInterval = codec.Some(uint32(op & 15))
	}
	reply := session.Reply{}
	if op&0x20 != 0 {
		reply.Code = codec.ReasonNotAuthorized
	}
	token := uint64(op & 7)
	if n := len(f.pending); n > 0 {
		token = f.pending[int(op)%n]
	}
	switch op & 15 {
	case 0:
		f.start(op)
	case 1:
		f.Tick(f.now)
		f.now = f.now.Add(time.Duration(op) * time.Second)
		f.Tick(f.now)
	case 2, 3, 4:
		if op&0x40 != 0 && op&0x10 != 0 {
			p.Payload = nil
			_, _ = f.PublishStream(f.now, p, int(op)*2)
			break
		}
		_, _ = f.Publish(f.now, p)
	case 5:
		_, _ = f.PublishShared(f.now, p, session.Delivery{QoS: p.QoS})
	case 6:
		_ = f.Ack(f.now, token, reply)
	case 7:
		_ = f.Release(f.now, uint32(op>>4&3)+1, session.Reply{})
	case 8:
		_ = f.Complete(f.now, token, session.Reply{})
	case 9:
		_ = f.Respond(reply)
	case 10:
		_ = f.Erase(f.now, uint64(op>>4&3)+1)
	case 11:
		f.SetWriteBlocked(f.now, op&0x10 != 0)
	case 12:
		switch op >> 4 & 3 {
		case 0:
			_ = f.Disconnect(f.now, nil)
		case 1:
			_ = f.Abort(f.now, f.wanted.Token)
		default:
			_ = f.PublishData(f.now, f.wanted.Token, make([]byte, f.wanted.Size))
		}
	case 13:
		f.Closed(f.now, nil)
	case 14:
		f.request(op)
	case 15:
		f.answer(op)
	}
}

// start opens a connection, or answers CONNECT.
func (f *fuzzer) start(op byte) {
	if f.c != nil {
		p := &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: op&0x10 != 0, KeepAlive: uint16(op >> 4)}
		if f.v.IsV5() {
			p.Properties.SessionExpiryInterval = codec.Some(uint32(op))
			p.Properties.ReceiveMaximum = codec.Some(uint16(2))
			p.Properties.TopicAliasMaximum = codec.Some(uint16(2))
			p.Properties.MaximumPacketSize = codec.Some(uint32(100))
		}
		if f.c.Connect(f.now, p) == nil {
			f.closes, f.pending, f.rest = 0, nil, nil
		}
		return
	}
	if f.s.Status() == session.StatusClosed {
		f.closes, f.state, f.rest = 0, f.State(), nil
		f.s.Open(f.now)
	}
	ack := &codec.Connack{}
	if f.Version().IsV5() {
		ack.Properties.ReceiveMaximum = codec.Some(uint16(2))
		ack.Properties.TopicAliasMaximum = codec.Some(uint16(2))
	}
	if f.s.Accept(f.now, ack, f.state) == nil {
		f.state, f.pending = nil, nil
	}
}

func (f *fuzzer) request(op byte) {
	if f.s != nil {
		_ = f.s.Refuse(f.now, &codec.Connack{ReasonCode: codec.ReasonServerBusy})
		return
	}
	_, _ = f.c.Subscribe(f.now, &codec.Subscribe{Filters: []codec.Subscription{{Filter: codec.Bytes("a/#")}}})
	_, _ = f.c.Unsubscribe(f.now, &codec.Unsubscribe{Filters: []codec.Bytes{codec.Bytes("a")}})
	_ = f.c.Auth(f.now, &codec.Auth{ReasonCode: codec.ReasonReAuthenticate})
	_ = f.c.Ping(f.now)
}

func (f *fuzzer) answer(op byte) {
	if f.s == nil {
		return
	}
	for id := range uint32(4) {
		_ = f.s.Suback(f.now, &codec.Suback{PacketID: id, ReasonCodes: []codec.ReasonCode{0}})
		_ = f.s.Unsuback(f.now, &codec.Unsuback{PacketID: id, ReasonCodes: []codec.ReasonCode{0}})
	}
	_ = f.s.Auth(f.now, &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication})
	_ = f.s.Pong(f.now)
}

// incoming returns a packet of the peer that depends on op.
func (f *fuzzer) incoming(op byte) []byte {
	id := uint32(op>>4&3) + 1
	var p codec.Packet
	switch codec.PacketType(op&15 + 1) {
	case codec.TypeConnect:
		c := &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: op&0x10 != 0, KeepAlive: uint16(op & 0x20)}
		if f.v.IsV5() {
			c.Properties.SessionExpiryInterval = codec.Some(uint32(op & 0x40))
			c.Properties.ReceiveMaximum = codec.Some(uint16(2))
			c.Properties.TopicAliasMaximum = codec.Some(uint16(2))
			c.Properties.MaximumPacketSize = codec.Some(uint32(op))
		}
		p = c
	case codec.TypeConnack:
		p = &codec.Connack{SessionPresent: op&0x10 != 0}
		if op&0x20 != 0 && f.v.IsV5() {
			p.(*codec.Connack).Properties.ReceiveMaximum = codec.Some(uint16(1))
			p.(*codec.Connack).Properties.TopicAliasMaximum = codec.Some(uint16(2))
			p.(*codec.Connack).Properties.MaximumPacketSize = codec.Some(uint32(25))
		}
	case codec.TypePublish:
		m := &codec.Publish{Topic: codec.Bytes("x/y"), QoS: codec.QoS(op >> 4 & 3 % 3), PacketID: id, Dup: op&0x40 != 0, Payload: make(codec.Bytes, op>>5)}
		if m.QoS == 0 || m.QoS > 2 {
			m.QoS, m.PacketID, m.Dup = 0, 0, false
		}
		p = m
	case codec.TypePuback:
		p = &codec.Puback{PacketID: id}
	case codec.TypePubrec:
		p = &codec.Pubrec{PacketID: id}
	case codec.TypePubrel:
		p = &codec.Pubrel{PacketID: id}
	case codec.TypePubcomp:
		p = &codec.Pubcomp{PacketID: id}
	case codec.TypeSubscribe:
		p = &codec.Subscribe{PacketID: id, Filters: []codec.Subscription{{Filter: codec.Bytes("a")}}}
	case codec.TypeSuback:
		p = &codec.Suback{PacketID: id, ReasonCodes: []codec.ReasonCode{0}}
	case codec.TypeUnsubscribe:
		p = &codec.Unsubscribe{PacketID: id, Filters: []codec.Bytes{codec.Bytes("a")}}
	case codec.TypeUnsuback:
		u := &codec.Unsuback{PacketID: id}
		if f.v.IsV5() {
			u.ReasonCodes = []codec.ReasonCode{0}
		}
		p = u
	case codec.TypePingreq:
		p = &codec.Pingreq{}
	case codec.TypePingresp:
		p = &codec.Pingresp{}
	case codec.TypeDisconnect:
		p = &codec.Disconnect{}
	default:
		return []byte{0xF0, 0}
	}
	b, err := p.AppendTo(nil, f.v)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// pull checks every event that is due.
func (f *fuzzer) pull(op byte) {
	for n := 0; ; n++ {
		ev, ok := f.Next()
		if !ok {
			break
		}
		f.trace = append(f.trace, fmt.Sprintf("%02X %v", op, ev))
		if n > 10_000 {
			f.t.Fatalf("endless events: %v", ev)
		}
		switch ev.Kind {
		case events.Close:
			f.closes++
		case events.Write:
			f.written(bytes.Join(ev.Data, nil))
		case events.Wanted:
			if f.wanted = ev; op&1 != 0 && f.PublishData(f.now, ev.Token, make([]byte, ev.Size)) != nil {
				f.t.Fatalf("PublishData failed\n%v", f.trace)
			}
		case events.Message, events.Released, events.MessageBegin:
			if ev.Token != 0 {
				f.pending = append(f.pending, ev.Token)
			}
		case events.Store:
			session.AppendRecord(nil, ev)
		}
		after := f.closes > 0 && ev.Kind != events.Close
		if f.closes > 1 || after && ev.Kind != events.Dropped && ev.Kind != events.Store && ev.Kind != events.Discard {
			f.t.Fatalf("%v after Close\n%v", ev, f.trace)
		}
	}
	f.Tick(f.now)
	for ev, ok := f.Next(); ok; ev, ok = f.Next() {
		if ev.Kind == events.Close {
			f.closes++
		}
	}
	if at := f.Deadline(); !at.IsZero() && !at.After(f.now) {
		f.t.Fatalf("deadline %v is not after %v\n%v", at, f.now, f.trace)
	}
	if st := f.State(); st != nil {
		if _, err := st.AppendBinary(nil); err != nil {
			f.t.Fatal(err)
		}
	}
}

// written checks that only legal packets are written.
func (f *fuzzer) written(data []byte) {
	v := f.Version()
	if v == 0 {
		return // the refusal of an unknown version
	}
	if f.s != nil {
		v = v.FromServer()
	} else {
		v = v.FromClient()
	}
	data = append(f.rest, data...)
	f.rest = nil
	for len(data) > 0 {
		_, n, err := codec.Decode(data, v)
		if err == nil && n == 0 && data[0]>>4 == byte(codec.TypePublish) {
			f.rest = data // its payload goes in pieces
			return
		}
		if err != nil || n == 0 {
			f.t.Fatalf("written: %v: % X\n%v", err, data, f.trace)
		}
		data = data[n:]
	}
}
