package broker_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a broker with clients that consist of packets alone.
type world struct {
	t       testing.TB
	b       *broker.Broker
	now     time.Time
	timer   time.Time
	clients map[broker.Handle]*client
	order   []*client
	stopped bool
	hidden  string // a topic that the Policy of a script hides
	cfg     broker.Config
	at      *broker.Endpoint // by which clients come
	disk    disk             // what was stored, nil for nothing
	unit    unit             // what is to be stored
	cut     int              // above 0: the number of events until the broker dies
	dead    bool
	answer  func(*broker.Event) broker.Answer // answers questions at once, if not nil

	question func(broker.Question) // sees the questions
}

// client is the far end of a connection.
type client struct {
	w      *world
	h      broker.Handle
	v      codec.Version
	in     []byte // what the broker wrote and nobody looked at
	closed bool
	reason codec.ReasonCode
	err    error
}

func newWorld(t testing.TB, cfg broker.Config) *world {
	b := broker.New(cfg)
	b.Scrub()
	return &world{t: t, b: b, now: start, clients: make(map[broker.Handle]*client)}
}

// drain serves the events that are due.
func (w *world) drain() {
	w.t.Helper()
	for ev := range w.b.Events() {
		if w.cut > 0 {
			w.cut--
			w.dead = w.cut == 0
		}
		if w.dead {
			return
		}
		c := w.clients[ev.Conn]
		if ev.Question != 0 && w.question != nil {
			w.question(ev.Question)
		}
		if ev.Question != 0 && w.answer != nil {
			w.b.Answer(w.now, ev.Question, w.answer(&ev))
		}
		switch ev.Kind {
		case events.Write:
			w.unit.commit(w.disk)
			for _, b := range ev.Data {
				c.in = append(c.in, b...)
			}
		case events.Store, events.Discard:
			w.unit.add(ev)
		case events.Timer:
			w.timer = ev.Deadline
		case events.Close:
			if c.closed {
				w.t.Fatalf("second Close of %v", ev.Client.ID)
			}
			c.closed, c.reason, c.err = true, ev.Reason, ev.Err
		}
	}
	w.unit.commit(w.disk)
	if d := w.b.Deadline(); !d.IsZero() && d.Before(w.now) {
		w.t.Fatalf("deadline %v is in the past", d)
	}
	if d := w.b.Deadline(); !d.IsZero() && d.Before(w.timer) && w.timer.After(w.now) {
		w.t.Fatalf("deadline %v was not told", d)
	}
}

// pass lets time go by, with a Tick at every deadline.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	for n := 0; ; n++ {
		if n > 10000 {
			w.t.Fatalf("Tick does not end: deadline %v at %v", w.b.Deadline(), w.now)
		}
		at := w.b.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		w.now = w.now.Add(at.Sub(w.now))
		w.b.Tick(w.now)
		w.drain()
	}
	w.now = end
}

// open returns a client that has said nothing yet.
func (w *world) open(v codec.Version) *client {
	c := &client{w: w, v: v, h: w.b.Open(w.now, w.at)}
	w.clients[c.h] = c
	w.order = append(w.order, c)
	w.drain()
	return c
}

// connect returns a client that was accepted. Its CONNACK was taken.
func (w *world) connect(v codec.Version, p *codec.Connect) *client {
	w.t.Helper()
	c := w.open(v)
	c.send(p)
	got := c.packets()
	if len(got) == 0 || got[0].Type() != codec.TypeConnack || got[0].(*codec.Connack).ReasonCode != 0 {
		w.t.Fatalf("%s was not accepted: %v", p.ClientID, got)
	}
	c.in = nil
	for _, p := range got[1:] {
		c.in, _ = p.AppendTo(c.in, v)
	}
	return c
}

// clean is a CONNECT for a new session that ends with the connection.
func clean(id string) *codec.Connect {
	return &codec.Connect{ClientID: codec.Bytes(id), CleanStart: true}
}

// lasting is a CONNECT for a session that goes on and outlives the connection.
func lasting(id string, v codec.Version) *codec.Connect {
	p := &codec.Connect{ClientID: codec.Bytes(id)}
	if v.IsV5() {
		p.Properties.SessionExpiryInterval = codec.Some(uint32(3600))
	}
	return p
}

// send hands packets to the broker in one piece.
func (c *client) send(packets ...codec.Packet) {
	c.w.t.Helper()
	var b []byte
	for _, p := range packets {
		var err error
		if b, err = p.AppendTo(b, c.v.FromClient()); err != nil {
			c.w.t.Fatal(err)
		}
	}
	c.raw(b)
}

func (c *client) raw(b []byte) {
	c.w.t.Helper()
	c.w.b.Receive(c.w.now, c.h, b)
	c.w.drain()
	clear(b) // it was only lent
}

// drop breaks the connection without DISCONNECT.
func (c *client) drop() {
	c.w.t.Helper()
	c.w.b.Closed(c.w.now, c.h, nil)
	c.w.drain()
	if !c.closed {
		c.w.t.Fatal("no Close after Closed")
	}
}

// packets takes what the broker wrote.
func (c *client) packets() (list []codec.Packet) {
	c.w.t.Helper()
	for len(c.in) > 0 {
		p, n, err := codec.Decode(c.in, c.v.FromServer())
		if err != nil || n == 0 {
			c.w.t.Fatalf("the broker wrote % x: %v", c.in, err)
		}
		list = append(list, p)
		c.in = c.in[n:]
	}
	return list
}

// expect compares what the broker wrote with short forms of packets.
func (c *client) expect(want ...string) {
	c.w.t.Helper()
	var got []string
	for _, p := range c.packets() {
		got = append(got, short(p))
	}
	if !slices.Equal(got, want) {
		c.w.t.Fatalf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// short returns a packet as tests write it.
func short(p codec.Packet) string {
	switch p := p.(type) {
	case *codec.Publish:
		s := fmt.Sprintf("%s=%s q%d", p.Topic, p.Payload, p.QoS)
		if p.Retain {
			s += " retain"
		}
		if p.Dup {
			s += " dup"
		}
		for id := range p.Properties.SubscriptionIdentifiers.All() {
			s += fmt.Sprintf(" sub%d", id)
		}
		if e, ok := p.Properties.MessageExpiryInterval.Get(); ok {
			s += fmt.Sprintf(" expires%d", e)
		}
		return s
	case *codec.Connack:
		return fmt.Sprintf("CONNACK %02X present=%v", byte(p.ReasonCode), p.SessionPresent)
	case *codec.Suback:
		return fmt.Sprintf("SUBACK % X", codes(p.ReasonCodes))
	case *codec.Unsuback:
		return strings.TrimSpace(fmt.Sprintf("UNSUBACK % X", codes(p.ReasonCodes)))
	case *codec.Puback:
		return fmt.Sprintf("PUBACK %d %02X", p.PacketID, byte(p.ReasonCode))
	case *codec.Pubrec:
		return fmt.Sprintf("PUBREC %d %02X", p.PacketID, byte(p.ReasonCode))
	case *codec.Pubcomp:
		return fmt.Sprintf("PUBCOMP %d %02X", p.PacketID, byte(p.ReasonCode))
	case *codec.Disconnect:
		return fmt.Sprintf("DISCONNECT %02X", byte(p.ReasonCode))
	}
	return p.Type().String()
}

func codes(list []codec.ReasonCode) (b []byte) {
	for _, c := range list {
		b = append(b, byte(c))
	}
	return b
}

func publish(topic, payload string, qos codec.QoS) *codec.Publish {
	p := &codec.Publish{Topic: codec.Bytes(topic), Payload: codec.Bytes(payload), QoS: qos}
	if qos > 0 {
		p.PacketID = 100
	}
	return p
}

func retained(topic, payload string, qos codec.QoS) *codec.Publish {
	p := publish(topic, payload, qos)
	p.Retain = true
	return p
}

func subscribe(filters ...codec.Subscription) *codec.Subscribe {
	return &codec.Subscribe{PacketID: 7, Filters: filters}
}

func filter(f string, qos codec.QoS) codec.Subscription {
	return codec.Subscription{Filter: codec.Bytes(f), QoS: qos}
}

// subscribed subscribes and takes the SUBACK.
func (c *client) subscribed(filters ...codec.Subscription) *client {
	c.w.t.Helper()
	c.send(subscribe(filters...))
	got := c.packets()
	if len(got) != 1 || got[0].Type() != codec.TypeSuback {
		c.w.t.Fatalf("got %v instead of SUBACK alone", got)
	}
	return c
}

// Every combination of version and QoS between publisher and subscriber.
// [MQTT-4.5.0-1] v5 [MQTT-3.8.4-6] v311
func TestDelivery(t *testing.T) {
	for _, from := range []codec.Version{codec.V311, codec.V5} {
		for _, to := range []codec.Version{codec.V311, codec.V5} {
			for sent := codec.QoS0; sent <= codec.QoS2; sent++ {
				for granted := codec.QoS0; granted <= codec.QoS2; granted++ {
					t.Run(fmt.Sprintf("%v to %v QoS %d at %d", from, to, sent, granted), func(t *testing.T) {
						w := newWorld(t, broker.Config{})
						sub := w.connect(to, clean("sub")).subscribed(filter("a/+", granted))
						pub := w.connect(from, clean("pub"))
						pub.send(publish("a/b", "hi", sent))
						sub.expect(fmt.Sprintf("a/b=hi q%d", min(sent, granted)))
						switch sent {
						case codec.QoS1:
							pub.expect("PUBACK 100 00")
						case codec.QoS2:
							pub.expect("PUBREC 100 00")
							pub.send(&codec.Pubrel{PacketID: 100})
							pub.expect("PUBCOMP 100 00")
							sub.expect()
						default:
							pub.expect()
						}
					})
				}
			}
		}
	}
}

// What only v5.0 has reaches v5.0 clients alone. [MQTT-3.3.2-17] v5
func TestProperties(t *testing.T) {
	w := newWorld(t, broker.Config{TopicAliasMaximum: 5})
	old := w.connect(codec.V311, clean("old")).subscribed(filter("#", 0))
	sub := w.connect(codec.V5, clean("sub")).subscribed(filter("#", 0))
	pub := w.connect(codec.V5, clean("pub"))
	p := publish("t", "x", 0)
	p.Properties.TopicAlias = codec.Some(uint16(3))
	p.Properties.ContentType = codec.Text("text/plain")
	p.Properties.ResponseTopic = codec.Text("answer")
	p.Properties.CorrelationData = codec.Some(codec.Bytes{0, 1})
	p.Properties.PayloadFormatIndicator = codec.Some(uint8(1))
	p.Properties.UserProperties.Add("k", "1")
	p.Properties.UserProperties.Add("k", "2")
	pub.send(p)
	old.expect("t=x q0")
	got := sub.packets()[0].(*codec.Publish)
	p.Properties.TopicAlias = codec.Opt[uint16]{}
	want, _ := p.AppendTo(nil, codec.V5)
	if b, _ := got.AppendTo(nil, codec.V5); string(b) != string(want) {
		t.Errorf("got %v, want %v", got, p)
	}
}

// [MQTT-3.1.3-6] v5 [MQTT-3.2.2-16] v5
func TestAssignedClientID(t *testing.T) {
	w := newWorld(t, broker.Config{ClientIDPrefix: "x-"})
	w.connect(codec.V5, clean("x-1"))
	c := w.open(codec.V5)
	c.send(clean(""))
	if id := c.packets()[0].(*codec.Connack).Properties.AssignedClientIdentifier; string(id.Value) != "x-2" {
		t.Errorf("assigned %q", id.Value)
	}
	w.connect(codec.V311, clean(""))
	if n := w.b.Stats().Sessions; n != 3 {
		t.Errorf("%d sessions", n)
	}
}

// Garbage ends the connection that sent it and no other.
func TestGarbage(t *testing.T) {
	for _, garbage := range [][]byte{
		[]byte("GET / HTTP/1.1\r\nHost: broker.example.com:1883\r\nUser-Agent: someone who is lost\r\n\r\n"),
		{0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF},
		{0x30, 0x00},
		{0x10, 0x0C, 0, 4, 'M', 'Q', 'T', 'T', 9, 2, 0, 60, 0, 0},
	} {
		w := newWorld(t, broker.Config{})
		other := w.connect(codec.V5, clean("other")).subscribed(filter("a", 0))
		bad := w.open(codec.V5)
		bad.raw(slices.Clone(garbage))
		if !bad.closed || bad.err == nil || !bad.reason.IsError() {
			t.Errorf("% x: closed %v, reason %v, error %v", garbage, bad.closed, bad.reason, bad.err)
		}
		other.send(publish("a", "x", 0))
		other.expect("a=x q0")
	}
	w := newWorld(t, broker.Config{})
	c := w.connect(codec.V5, clean("c"))
	c.raw([]byte{0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, 0x61})
	c.expect("DISCONNECT 81")
	if !c.closed {
		t.Error("not closed")
	}
}

// A transport that brings no CONNECT, and one that brings nothing more.
func TestTimeLimits(t *testing.T) {
	w := newWorld(t, broker.Config{Server: session.ServerConfig{ConnectTimeout: 5 * time.Second}})
	silent := w.open(codec.V5)
	p := clean("idle")
	p.KeepAlive = 10
	idle := w.connect(codec.V5, p)
	w.pass(4 * time.Second)
	if silent.closed {
		t.Error("closed too early")
	}
	w.pass(time.Second)
	if !silent.closed {
		t.Error("not closed after the time for CONNECT")
	}
	w.pass(10*time.Second - time.Millisecond)
	if idle.closed {
		t.Error("closed before 1.5 times the Keep Alive")
	}
	w.pass(time.Millisecond)
	idle.expect("DISCONNECT 8D")
	if s := w.b.Stats(); s.Connections != 0 || s.Sessions != 0 {
		t.Errorf("left over: %+v", s)
	}
}

// [MQTT-4.13.1-1] v5
func TestShutdown(t *testing.T) {
	w := newWorld(t, broker.Config{})
	five := w.connect(codec.V5, withWill(clean("five"), "will", 0))
	four := w.connect(codec.V311, clean("four")).subscribed(filter("will", 0))
	mute := w.open(codec.V5)
	w.b.Shutdown(w.now)
	w.drain()
	five.expect("DISCONNECT 8B")
	four.expect("will=gone q0")
	for _, c := range []*client{five, four, mute} {
		if !c.closed {
			t.Error("a connection is left")
		}
	}
	if mute.reason != codec.ReasonServerShuttingDown || !errors.Is(mute.err, session.ErrRefused) {
		t.Errorf("who did not say CONNECT: %v, %v", mute.reason, mute.err)
	}
	late := w.open(codec.V5)
	late.send(clean("late"))
	late.expect("CONNACK 88 present=false")
}

// Handles of connections that are over name nothing, also when their place in
// the table was given away.
func TestStaleHandles(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, clean("a"))
	a.drop()
	b := w.connect(codec.V5, clean("b"))
	if a.h == b.h {
		t.Fatal("handle was given out twice")
	}
	w.b.Closed(w.now, a.h, nil)
	w.b.Receive(w.now, a.h, []byte{0})
	w.b.SetWriteBlocked(w.now, a.h, true)
	w.b.Disconnect(w.now, 0, 0x98)
	w.drain()
	if b.closed {
		t.Error("b was hit")
	}
}

// A slow reader gets one Write at a time, is not read from when it goes too far
// and loses messages of QoS 0 once its queue is full; others are served.
func TestSlowReader(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.HighWater = 100
	cfg.Server.Queue = session.QueueLimits{Messages: 5, Policy: session.QueueDropQoS0}
	w := newWorld(t, cfg)
	slow := w.connect(codec.V5, clean("slow")).subscribed(filter("a", 1))
	fast := w.connect(codec.V5, clean("fast")).subscribed(filter("a", 0))
	w.b.SetWriteBlocked(w.now, slow.h, true)
	payload := strings.Repeat("x", 60)
	for range 10 {
		fast.send(publish("a", payload, 0))
	}
	if len(slow.in) != 0 || len(fast.packets()) != 10 {
		t.Errorf("%d bytes for the blocked one", len(slow.in))
	}
	if s := w.b.Stats(); s.Dropped != 3 || s.DroppedQoS0 != 3 {
		t.Errorf("%d messages dropped, want 3: 2 fit the output and 5 the queue", s.Dropped)
	}
	fast.send(publish("a", payload, 1)) // takes the place of one of QoS 0
	fast.packets()
	if s := w.b.Stats(); s.Dropped != 4 || s.DroppedQoS0 != 4 {
		t.Errorf("%+v", s)
	}
	if !w.b.InputPaused(slow.h) || w.b.InputPaused(fast.h) {
		t.Error("InputPaused")
	}
	w.b.SetWriteBlocked(w.now, slow.h, false)
	w.drain()
	if n := len(slow.packets()); n != 7 {
		t.Errorf("%d messages after the jam", n)
	}
}

// The same bytes in any pieces have the same effect.
func TestPieces(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.open(codec.V5)
	var b []byte
	for _, p := range []codec.Packet{clean("c"), subscribe(filter("a", 2)), publish("a", "x", 1), &codec.Pingreq{}} {
		b, _ = p.AppendTo(b, codec.V5)
	}
	for i := range b {
		c.raw(slices.Clone(b[i : i+1]))
	}
	c.expect("CONNACK 00 present=false", "SUBACK 02", "a=x q1", "PUBACK 100 00", "PINGRESP")
}
