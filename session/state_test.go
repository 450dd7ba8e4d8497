package session_test

import (
	"bytes"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestStateOfAnotherClient: the session belongs to its Client Identifier.
func TestStateOfAnotherClient(t *testing.T) {
	// [MQTT-3.1.3-2] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	connect {"ClientID":"other","Properties":{"SessionExpiryInterval":100}}
	| Dropped token=1 id=1 publish=PUBLISH QoS=1 Topic=a Payload="0 bytes" error=session state was lost
	| SessionLost lost=1 queued=0
	| Write CONNECT SessionExpiryInterval=100 ClientID=other
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=CONNACK: protocol error: Session Present, but the client has no session rule MQTT-3.2.2-4
	`)
	// [MQTT-3.1.3-2] v311
	scenario(t, `
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"c"}
	| Connect packet=CONNECT ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	publish {"Topic":"a","QoS":1}
	| token 1
	| Write PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes"
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v311
	| Timer +10s
	recv CONNECT {"ClientID":"other"}
	| Connect packet=CONNECT ClientID=other
	accept
	| error mqtt: Accept: not possible in this state: the session state is that of another Client Identifier rule MQTT-3.1.3-2
	`)
}

func TestSubscriptionIdentifiersOfDelivery(t *testing.T) {
	// [U5-3.3.4-a] v5
	c := session.NewServer(session.ServerConfig{})
	c.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c")}, codec.V5))
	drain(c)
	if err := c.Accept(start, nil, nil); err != nil {
		t.Fatal(err)
	}
	drain(c)
	p := &codec.Publish{Topic: codec.Bytes("a")}
	p.Properties.SubscriptionIdentifiers.Add(99) // those of whoever published it
	var ids codec.SubscriptionIdentifiers
	ids.Add(3)
	ids.Add(7)
	for _, want := range [][]uint32{{3, 7}, nil} {
		d := session.Delivery{SubscriptionIdentifiers: &ids}
		if want == nil {
			d.SubscriptionIdentifiers = nil
		}
		if _, err := c.PublishShared(start, p, d); err != nil {
			t.Fatal(err)
		}
		ev, ok := c.Next()
		if !ok || ev.Kind != events.Write {
			t.Fatal(ev)
		}
		sent, _, err := codec.Decode(bytes.Join(ev.Data, nil), codec.V5)
		if err != nil {
			t.Fatal(err)
		}
		got := slices.Collect(sent.(*codec.Publish).Properties.SubscriptionIdentifiers.All())
		if !slices.Equal(got, want) {
			t.Errorf("sent Subscription Identifiers %v, want %v", got, want)
		}
	}
}

func TestMaximumQoSTowardsClient(t *testing.T) {
	// [U5-3.3.4-e] v5
	scenario(t, `
	client v5
	connect {"ClientID":"c","CleanStart":true}
	| Write CONNECT CleanStart=true ClientID=c
	| Timer +10s
	recv CONNACK {"Properties":{"MaximumQoS":1}}
	| Connected session=false packet=CONNACK MaximumQoS=1
	recv PUBLISH {"Topic":"a","QoS":1,"PacketID":1}
	| Message id=1 publish=PUBLISH QoS=1 Topic=a PacketID=1 Payload="0 bytes" ""
	| Write PUBACK PacketID=1
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":2}
	| Write DISCONNECT ReasonCode="0x9B QoS not supported"
	| Close reason=0x9B error=PUBLISH: protocol error: QoS 2 is above the Maximum QoS of the server rule U5-3.3.4-e
	`)
}

// TestTooMuchBeforeAccept: what cannot be kept ends the connection.
func TestTooMuchBeforeAccept(t *testing.T) {
	// [MQTT-4.8.0-2] v311
	s := session.NewServer(session.ServerConfig{})
	s.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true}, codec.V311))
	drain(s)
	if !s.InputPaused() {
		t.Error("input is not paused while CONNECT waits for its answer")
	}
	for range 100 {
		s.Receive(start, make([]byte, 1000))
		for ev, ok := s.Next(); ok; ev, ok = s.Next() {
			if ev.Kind != events.Close || ev.Reason != codec.ReasonQuotaExceeded {
				t.Errorf("got %v", ev)
			}
		}
	}
	if s.Status() != session.StatusClosed {
		t.Error("100,000 bytes were kept before Accept")
	}
}

// TestSessionLifetime follows the end of a session.
func TestSessionLifetime(t *testing.T) {
	// [MQTT-4.1.0-2] v311 [MQTT-3.1.2-23] v5
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		c := session.NewServer(session.ServerConfig{})
		connect := &codec.Connect{ClientID: codec.Bytes("c")}
		if v.IsV5() {
			connect.Properties.SessionExpiryInterval = codec.Some(uint32(100))
		}
		c.Receive(start, encode(t, connect, v))
		drain(c)
		if err := c.Accept(start, nil, nil); err != nil {
			t.Fatal(err)
		}
		drain(c)
		st := c.State()
		if st.Expired(start.Add(1e6 * time.Second)) {
			t.Error("session expired while its connection is open")
		}
		if _, err := st.Enqueue(start, &codec.Publish{Topic: codec.Bytes("a")}, session.Delivery{}, session.QueueLimits{}, nil); !errors.Is(err, session.ErrState) {
			t.Error("Enqueue while the connection is open:", err)
		}
		c.Closed(start.Add(10*time.Second), nil)
		drain(c)
		at, ok := st.Expires()
		if v.IsV5() && (!ok || !at.Equal(start.Add(110*time.Second)) || st.Expired(at.Add(-time.Second)) || !st.Expired(at)) {
			t.Error(at, ok)
		}
		if !v.IsV5() && (ok || st.Expired(start.Add(1e9*time.Second))) {
			t.Error("v3.1.1 session without Clean Session expires", at)
		}
	}
}

// TestEnqueue queues for a session without a connection.
func TestEnqueue(t *testing.T) {
	st := session.NewState()
	limits := session.QueueLimits{Bytes: 4, Policy: session.QueueDropOldest}
	var dropped []uint64
	drop := func(ev events.Event) {
		if ev.Kind != events.Dropped || ev.QoS != codec.QoS1 || string(ev.Publish.Topic) != "a" || !errors.Is(ev.Err, session.ErrQueueFull) {
			t.Error(ev)
		}
		dropped = append(dropped, ev.Key()>>1)
	}
	for i, payload := range []string{"", "", "", "", "2", "3"} {
		p := &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes(payload)}
		token, err := st.Enqueue(start, p, session.Delivery{QoS: 1}, limits, drop)
		if err != nil || token != uint64(i+1) {
			t.Error(token, err)
		}
	}
	if !slices.Equal(dropped, []uint64{1, 2, 3, 4}) {
		t.Error("dropped:", dropped)
	}
	if _, err := st.Enqueue(start, &codec.Publish{}, session.Delivery{}, session.QueueLimits{Messages: 1}, nil); !errors.Is(err, session.ErrQueueFull) {
		t.Error(err)
	}
	c := session.NewServer(session.ServerConfig{})
	c.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c")}, codec.V311))
	drain(c)
	if err := c.Accept(start, nil, st); err != nil {
		t.Fatal(err)
	}
	var sent []byte
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		sent = append(sent, bytes.Join(ev.Data, nil)...)
	}
	want := "\x20\x02\x01\x00\x32\x06\x00\x01a\x00\x012\x32\x06\x00\x01a\x00\x023"
	if string(sent) != want {
		t.Errorf("sent % X, want % X", sent, want)
	}
}

// busy returns a session with one of everything.
func busy(t testing.TB) *session.Client {
	c := session.NewClient(session.ClientConfig{Config: session.Config{MaximumInflight: 4, Persist: true}})
	connect := &codec.Connect{ClientID: codec.Bytes("me")}
	connect.Properties.SessionExpiryInterval = codec.Some(uint32(1000))
	if err := c.Connect(start, connect); err != nil {
		t.Fatal(err)
	}
	drain(c)
	c.Receive(start, encode(t, &codec.Connack{}, codec.V5))
	for i := range 10 {
		p := &codec.Publish{Topic: codec.Bytes("a/b"), QoS: codec.QoS(i % 3), Retain: i%2 == 0, Payload: codec.Bytes{byte(i)}}
		p.Properties.ContentType = codec.Text("text")
		if i%2 == 0 {
			p.Properties.MessageExpiryInterval = codec.Some(uint32(100))
		}
		p.Properties.UserProperties.Add("name", "value")
		if _, err := c.Publish(start, p); err != nil {
			t.Fatal(err)
		}
	}
	c.Receive(start, encode(t, &codec.Pubrec{PacketID: 2}, codec.V5))
	for id := range uint32(3) {
		c.Receive(start, encode(t, &codec.Publish{Topic: codec.Bytes("x"), QoS: 2, PacketID: 100 - id}, codec.V5))
	}
	return c
}

// giveUp erases one of the messages of busy that were sent with QoS 2.
func giveUp(t testing.TB, c *session.Client) {
	if err := c.Erase(start, 6); err != nil || c.Inflight() != 4 {
		t.Fatal(err, c.Inflight())
	}
}

// TestStoredState restores a state and finds the same.
func TestStoredState(t *testing.T) {
	c := busy(t)
	drain(c)
	giveUp(t, c)
	c.Closed(start, nil)
	drain(c)
	want, err := c.State().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var st session.State
	if err := st.UnmarshalBinary(want); err != nil {
		t.Fatal(err)
	}
	got, err := st.AppendBinary(nil)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("stored again: %v\n% X\n% X", err, got, want)
	}
	if st.Inflight() != 4 || st.Queued() != 3 || st.Received() != 3 || st.ClientID() != "me" {
		t.Error(st.Inflight(), st.Queued(), st.Received(), st.ClientID())
	}
	if at, ok := st.Expires(); !ok || !at.Equal(start.Add(1000*time.Second)) {
		t.Error(at, ok)
	}
	// Damage of any kind is found, and changes nothing.
	for i := range want {
		damaged := bytes.Clone(want)
		damaged[i] ^= 0x10
		if err := st.UnmarshalBinary(damaged); !errors.Is(err, session.ErrCorrupt) {
			t.Fatalf("byte %d damaged: %v", i, err)
		}
		if err := st.UnmarshalBinary(want[:i]); !errors.Is(err, session.ErrCorrupt) {
			t.Fatalf("cut at byte %d: %v", i, err)
		}
	}
	if got, _ = st.AppendBinary(nil); !bytes.Equal(got, want) {
		t.Error("a failed restore changed the state")
	}
}

// TestRecords keeps the records of Store and Discard events and restores the
// same state from them, in any order.
func TestRecords(t *testing.T) {
	c := busy(t)
	records := map[uint64][]byte{}
	keep := func() {
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			switch ev.Kind {
			case events.Store:
				records[ev.Key()] = session.AppendRecord(nil, ev)
			case events.Discard:
				if _, ok := records[ev.Key()]; !ok {
					t.Errorf("%v of what was not stored", ev)
				}
				delete(records, ev.Key())
			}
		}
	}
	// The packets of busy were partly handled without pulling; all of them are
	// handled now.
	keep()
	giveUp(t, c)
	keep()
	c.Closed(start, nil)
	keep()
	want, _ := c.State().AppendBinary(nil)
	keys := make([]uint64, 0, len(records))
	for k := range records {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for range 2 {
		var st session.State
		for _, k := range keys {
			if err := st.RestoreRecord(records[k]); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := st.AppendBinary(nil); !bytes.Equal(got, want) {
			t.Errorf("restored\n% X, want\n% X", got, want)
		}
		slices.Reverse(keys)
	}
}

// FuzzState never panics, and what it accepts is stable.
func FuzzState(f *testing.F) {
	c := busy(f)
	drain(c)
	giveUp(f, c)
	c.Closed(start, nil)
	drain(c)
	seed, _ := c.State().AppendBinary(nil)
	f.Add(seed)
	empty, _ := session.NewState().AppendBinary(nil)
	f.Add(empty)
	f.Fuzz(func(t *testing.T, data []byte) {
		// A right checksum lets the rest be tried.
		if len(data) > 8 {
			body := data[:len(data)-4]
			sum := crc32.ChecksumIEEE(body)
			data = append(bytes.Clone(body), byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum))
		}
		var st session.State
		if st.UnmarshalBinary(data) != nil {
			if st.Queued()+st.Inflight()+st.Received() != 0 {
				t.Fatal("restored half")
			}
			return
		}
		first, err := st.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		var again session.State
		if err := again.UnmarshalBinary(first); err != nil {
			t.Fatal(err)
		}
		second, err := again.AppendBinary(nil)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("not stable: %v\n% X\n% X", err, first, second)
		}
		// It can be used.
		c := session.NewClient(session.ClientConfig{State: &st})
		connect := &codec.Connect{ClientID: codec.Bytes("c")}
		if err := c.Connect(start, connect); err != nil {
			t.Fatal(err)
		}
		drain(c)
		c.Receive(start, []byte{0x20, 3, 1, 0, 0})
		drain(c)
		c.Closed(start, nil)
		drain(c)
	})
}
