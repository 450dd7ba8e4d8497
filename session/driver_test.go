package session_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestLargePayloadByReference: a shared payload is not copied into the output.
func TestLargePayloadByReference(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V5}, codec.ConnackProperties{})
	large := &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 10_000)}
	small := &codec.Publish{Topic: codec.Bytes("b"), Payload: codec.Bytes("small")}
	for _, p := range []*codec.Publish{small, large, small, large, large} {
		if _, err := c.PublishShared(start, p, session.Delivery{QoS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	ev, ok := c.Next()
	if !ok || ev.Kind != events.Write || len(ev.Data) != 6 {
		t.Fatalf("%v with %d segments, want a Write with 6", ev, len(ev.Data))
	}
	for _, i := range []int{1, 3, 5} {
		if &ev.Data[i][0] != &large.Payload[0] {
			t.Errorf("segment %d is a copy", i)
		}
	}
	all := bytes.Join(ev.Data, nil)
	for n := range 5 {
		p, size, err := codec.Decode(all, codec.V5)
		if err != nil || size == 0 {
			t.Fatalf("packet %d: %v", n, err)
		}
		all = all[size:]
		if m := p.(*codec.Publish); m.PacketID != uint32(n+1) {
			t.Errorf("packet %d has the identifier %d", n, m.PacketID)
		}
	}
	// Publish copies: the caller may write to the payload at once.
	own := bytes.Repeat([]byte{1}, 10_000)
	for _, qos := range []codec.QoS{0, 1} {
		if _, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: qos, Payload: own}); err != nil {
			t.Fatal(err)
		}
		clear(own)
		ev, _ = c.Next()
		if all := bytes.Join(ev.Data, nil); !bytes.HasSuffix(all, bytes.Repeat([]byte{1}, 10_000)) {
			t.Errorf("QoS %d: the payload changed with the caller's buffer", qos)
		}
		own = bytes.Repeat([]byte{1}, 10_000)
	}
}

// TestReplaceWriteBuffer lets an asynchronous driver keep the bytes of a Write.
func TestReplaceWriteBuffer(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V311}, codec.ConnackProperties{})
	var kept [][]byte
	for i := range 3 {
		if _, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes{byte('0' + i)}}); err != nil {
			t.Fatal(err)
		}
		ev, ok := c.Next()
		if !ok || ev.Kind != events.Write {
			t.Fatal(ev)
		}
		kept = append(kept, ev.Data...)
		c.ReplaceWriteBuffer(make([]byte, 0, 100))
	}
	for i, b := range kept {
		if want := []byte{0x30, 4, 0, 1, 'a', byte('0' + i)}; !bytes.Equal(b, want) {
			t.Errorf("write %d is % X, want % X", i, b, want)
		}
	}
}

// TestHighWater: the queue is encoded only as far as the transport takes it.
func TestHighWater(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V311, Config: session.Config{HighWater: 1000}}, codec.ConnackProperties{})
	p := &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 300)}
	c.SetWriteBlocked(start, true)
	for range 100 {
		if _, err := c.PublishShared(start, p, session.Delivery{}); err != nil {
			t.Fatal(err)
		}
	}
	drain(c)
	if c.Queued() != 96 {
		t.Errorf("%d messages wait, want 96 of 100", c.Queued())
	}
	if !c.InputPaused() {
		t.Error("input is not paused while nothing can be written")
	}
	// What comes nevertheless is kept, and handled later.
	c.Receive(start, encode(t, &codec.Publish{Topic: codec.Bytes("x"), QoS: 1, PacketID: 1}, codec.V311))
	if _, ok := c.Next(); ok {
		t.Error("an event while input is paused")
	}
	c.SetWriteBlocked(start, false)
	messages := 0
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		switch ev.Kind {
		case events.Message:
			messages++
		case events.Write:
			if ev.Size > 1400 {
				t.Errorf("a Write of %d bytes", ev.Size)
			}
		}
	}
	if c.Queued() != 0 || messages != 1 {
		t.Errorf("%d messages wait, %d came", c.Queued(), messages)
	}
}

// TestObserve sees every packet once, in both directions.
func TestObserve(t *testing.T) {
	var seen []string
	cfg := session.ClientConfig{Version: codec.V5}
	cfg.ReferenceSize = 10
	cfg.Observe = func(o session.Observation) {
		direction := "out"
		if o.In {
			direction = "in"
		}
		_, n, err := codec.Decode(append(bytes.Clone(o.Bytes), o.Payload...), codec.V5)
		if err != nil || n != len(o.Bytes)+len(o.Payload) {
			t.Errorf("%v: %d of %d bytes, %v", o.Packet, n, len(o.Bytes)+len(o.Payload), err)
		}
		seen = append(seen, direction+" "+o.Packet.Type().String())
	}
	c := up(t, cfg, codec.ConnackProperties{})
	if _, err := c.PublishShared(start, &codec.Publish{Topic: codec.Bytes("a"), Payload: make(codec.Bytes, 100)}, session.Delivery{}); err != nil {
		t.Fatal(err)
	}
	c.Receive(start, encode(t, &codec.Publish{Topic: codec.Bytes("x"), QoS: 1, PacketID: 1}, codec.V5))
	drain(c)
	c.Tick(start.Add(time.Minute))
	if err := c.Disconnect(start, nil); err != nil {
		t.Fatal(err)
	}
	drain(c)
	want := []string{"out CONNECT", "in CONNACK", "out PUBLISH", "in PUBLISH", "out PUBACK", "out PINGREQ", "out DISCONNECT"}
	if len(seen) != len(want) {
		t.Fatalf("saw %v, want %v", seen, want)
	}
	for i := range want {
		if seen[i] != want[i] {
			t.Errorf("saw %v, want %v", seen, want)
		}
	}
	if s := c.Stats(); s.PacketsIn != 2 || s.PacketsOut != 5 || s.MessagesIn != 1 || s.MessagesOut != 1 {
		t.Errorf("counted %+v", s)
	}
}

// TestSharedPublishDoesNotChange: a message goes to many, and stays as it is.
func TestSharedPublishDoesNotChange(t *testing.T) {
	p := &codec.Publish{Topic: codec.Bytes("a/b"), QoS: 2, Retain: true, Payload: codec.Bytes("payload")}
	p.Properties.MessageExpiryInterval = codec.Some(uint32(60))
	p.Properties.TopicAlias = codec.Some(uint16(5))
	before := p.String()
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		c := up(t, session.ClientConfig{Version: v}, codec.ConnackProperties{})
		for qos := range codec.QoS(3) {
			if _, err := c.PublishShared(start, p, session.Delivery{QoS: qos}); err != nil {
				t.Fatal(err)
			}
		}
		drain(c)
		c.Closed(start, nil)
		drain(c)
	}
	if p.String() != before {
		t.Errorf("the message changed from %s to %s", before, p.String())
	}
}

// TestMessageIsBorrowed: Clone keeps what the next call takes back.
func TestMessageIsBorrowed(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V311}, codec.ConnackProperties{})
	var kept []*codec.Publish
	in := encode(t, &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("first")}, codec.V311)
	in = append(in, encode(t, &codec.Publish{Topic: codec.Bytes("b"), Payload: codec.Bytes("other")}, codec.V311)...)
	for _, b := range in {
		one := []byte{b}
		c.Receive(start, one)
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			if ev.Kind == events.Message {
				kept = append(kept, ev.Publish.Clone())
			}
		}
		one[0] = 0xFF // the caller has it back
	}
	if len(kept) != 2 || string(kept[0].Payload) != "first" || string(kept[1].Payload) != "other" {
		t.Errorf("got %v", kept)
	}
}

// TestByteByByte: a packet in many pieces costs work in proportion to its size.
func TestByteByByte(t *testing.T) {
	p := &codec.Connect{ClientID: codec.Bytes("c")}
	for range 2000 {
		p.Properties.UserProperties.Add("a name of some length", "and a value")
	}
	in := encode(t, p, codec.V5)
	s := session.NewServer(session.ServerConfig{})
	n := testing.AllocsPerRun(1, func() {
		s = session.NewServer(session.ServerConfig{})
		for i := range in {
			s.Receive(start, in[i:i+1])
			drain(s)
		}
	})
	if s.Status() != session.StatusConnecting {
		t.Fatal(s.Status())
	}
	if n > 100 {
		t.Errorf("%v allocations for a packet of %d bytes", n, len(in))
	}
}

// TestReplaceWriteBufferReturns the buffer that the driver has got, so that it
// can be used again.
func TestReplaceWriteBufferReturns(t *testing.T) {
	c := up(t, session.ClientConfig{Version: codec.V311}, codec.ConnackProperties{})
	spare := make([]byte, 0, 100)
	for i := range 3 {
		if _, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes{byte('0' + i)}}); err != nil {
			t.Fatal(err)
		}
		ev, _ := c.Next()
		written := c.ReplaceWriteBuffer(spare)
		if cap(written) == 0 || &written[0] != &ev.Data[0][0] {
			t.Fatalf("write %d: the buffer returned is not that of the Write", i)
		}
		spare = written[:0]
	}
	if again := c.ReplaceWriteBuffer(spare); cap(again) != cap(spare) {
		t.Error("a buffer that is not taken is not returned")
	}
}
