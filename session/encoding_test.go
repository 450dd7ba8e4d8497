package session_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// receiver is a server that takes part in a fan-out twice: once beside others
// that share its memory, and once alone, where nothing is shared.
type receiver struct {
	shared, alone *session.Server
	kept          [][]byte // Data of shared, never copied
	want          []byte   // what alone wrote
	told          [2]string
}

// connectWith returns a server after CONNECT with the given properties.
func connectWith(t testing.TB, v codec.Version, cfg session.ServerConfig, p codec.ConnectProperties) *session.Server {
	t.Helper()
	s := session.NewServer(cfg)
	s.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true, Properties: p}, v))
	drain(s)
	if err := s.Accept(start, nil, nil); err != nil {
		t.Fatal(err)
	}
	drain(s)
	return s
}

// newReceivers returns receivers with all kinds of needs.
func newReceivers(t testing.TB, shared *session.Shared) (all []*receiver) {
	add := func(v codec.Version, cfg session.ServerConfig, p codec.ConnectProperties) {
		r := new(receiver)
		r.alone = connectWith(t, v, cfg, p)
		cfg.Shared = shared
		r.shared = connectWith(t, v, cfg, p)
		all = append(all, r)
	}
	small := codec.ConnectProperties{MaximumPacketSize: codec.Some[uint32](1200), ReceiveMaximum: codec.Some[uint16](20)}
	aliases := codec.ConnectProperties{TopicAliasMaximum: codec.Some[uint16](2)}
	many := codec.ConnectProperties{TopicAliasMaximum: codec.Some[uint16](65535)}
	for range 2 {
		for _, v := range []codec.Version{codec.V311, codec.V5} {
			for range 3 {
				add(v, session.ServerConfig{}, codec.ConnectProperties{})
			}
			add(v, session.ServerConfig{Config: session.Config{ReferenceSize: 50}}, codec.ConnectProperties{})
			add(v, session.ServerConfig{Config: session.Config{HighWater: 3000}}, codec.ConnectProperties{})
			add(v, session.ServerConfig{Config: session.Config{AllowControlCharacters: true}}, codec.ConnectProperties{})
			add(v, session.ServerConfig{Config: session.Config{Observe: func(session.Observation) {}}}, codec.ConnectProperties{})
			add(v, session.ServerConfig{Config: session.Config{MaximumInflight: 3}}, codec.ConnectProperties{})
		}
		add(codec.V311Wide, session.ServerConfig{Wide: true}, codec.ConnectProperties{})
		add(codec.V5Wide, session.ServerConfig{Wide: true}, codec.ConnectProperties{})
		add(codec.V5, session.ServerConfig{}, small)
		for _, policy := range []session.AliasPolicy{session.AliasAuto, session.AliasAuto, session.AliasExisting} {
			add(codec.V5, session.ServerConfig{Config: session.Config{TopicAliases: policy}}, aliases)
		}
		add(codec.V5, session.ServerConfig{Config: session.Config{TopicAliases: session.AliasAuto, HighWater: 3000, MaximumInflight: 3}}, many)
		many.MaximumPacketSize = codec.Some[uint32](1200)
		add(codec.V5, session.ServerConfig{Config: session.Config{TopicAliases: session.AliasAuto}}, many)
	}
	return all
}

// pull serves the events of both twins. Data of the one is kept as it is, that
// of the other is copied at once.
func (r *receiver) pull() {
	for ev, ok := r.shared.Next(); ok; ev, ok = r.shared.Next() {
		if ev.Kind == events.Write {
			r.kept = append(r.kept, ev.Data...)
			r.shared.ReplaceWriteBuffer(nil)
			continue
		}
		r.told[0] += ev.String() + "\n"
	}
	for ev, ok := r.alone.Next(); ok; ev, ok = r.alone.Next() {
		if ev.Kind == events.Write {
			r.want = append(r.want, bytes.Join(ev.Data, nil)...)
			continue
		}
		r.told[1] += ev.String() + "\n"
	}
}

func fanOutMessages(rng *rand.Rand) (all []*codec.Publish) {
	for _, size := range []int{0, 1, 60, 900, 1100, 3000, 5000, 20_000} {
		for _, topic := range []string{"a", "a/topic/of/24/characters"} {
			p := &codec.Publish{Topic: codec.Bytes(topic), Payload: make(codec.Bytes, size)}
			for i := range p.Payload {
				p.Payload[i] = byte(rng.Uint32())
			}
			if rng.IntN(2) == 0 {
				p.Properties.ContentType = codec.Text("text/plain")
				p.Properties.UserProperties.Add("name", "value")
				p.Properties.MessageExpiryInterval = codec.Some(rng.Uint32N(5) + 1)
			}
			all = append(all, p)
		}
	}
	long := &codec.Publish{Topic: bytes.Repeat(codec.Bytes("long/"), 1500), Payload: codec.Bytes("x")}
	control := &codec.Publish{Topic: codec.Bytes("control\x01"), Payload: codec.Bytes("x")}
	return append(all, long, control)
}

func fanOutIdentifiers(n uint32) *codec.SubscriptionIdentifiers {
	ids := new(codec.SubscriptionIdentifiers)
	for id := range n {
		ids.Add(id + 1)
	}
	return ids
}

// TestSharedEncodingIsExact: what is encoded for many peers at once has the
// bytes that each of them would get alone, whatever their needs, and the bytes
// of a Write stay what they are.
func TestSharedEncodingIsExact(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var shared session.Shared
		all, messages := newReceivers(t, &shared), fanOutMessages(rng)
		now := start
		for range 60 {
			p := messages[rng.IntN(len(messages))]
			d := session.Delivery{QoS: codec.QoS(rng.IntN(3)), Retain: rng.IntN(4) == 0}
			if rng.IntN(3) == 0 {
				d.Expires = now.Add(time.Duration(rng.IntN(4000)-1000) * time.Millisecond)
			}
			blocked := rng.IntN(3) == 0
			for _, r := range all {
				switch rng.IntN(8) {
				case 0:
					continue
				case 1:
					d.QoS = codec.QoS(rng.IntN(3))
				case 2:
					d.SubscriptionIdentifiers = fanOutIdentifiers(rng.Uint32N(3) + 1)
				case 3:
					d.SubscriptionIdentifiers = nil
				case 4:
					d.Expires = now.Add(-time.Duration(rng.IntN(2)) * time.Second)
				case 5:
					d.Expires = time.Time{}
				}
				clone := p.Clone()
				ping := rng.IntN(8) == 0
				for i, s := range []*session.Server{r.shared, r.alone} {
					s.SetWriteBlocked(now, blocked)
					token, err := s.PublishShared(now, []*codec.Publish{p, clone}[i], d)
					r.told[i] += fmt.Sprintln(token, err)
					if ping { // PINGRESP comes between
						s.Receive(now, []byte{0xC0, 0})
						for _, ok := s.Next(); ok && blocked; _, ok = s.Next() {
						}
					}
				}
				if rng.IntN(3) == 0 {
					r.pull()
				}
			}
			now = now.Add(time.Duration(rng.IntN(400)) * time.Millisecond)
		}
		for i, r := range all {
			r.shared.SetWriteBlocked(now, false)
			r.alone.SetWriteBlocked(now, false)
			r.pull()
			if got := bytes.Join(r.kept, nil); !bytes.Equal(got, r.want) {
				t.Fatalf("seed %d, receiver %d: %d bytes differ from the %d of a connection of its own", seed, i, len(got), len(r.want))
			}
			if r.told[0] != r.told[1] {
				t.Fatalf("seed %d, receiver %d:\n%s\nalone:\n%s", seed, i, r.told[0], r.told[1])
			}
			if r.shared.Stats() != r.alone.Stats() {
				t.Fatalf("seed %d, receiver %d: %+v, alone %+v", seed, i, r.shared.Stats(), r.alone.Stats())
			}
		}
	}
}

// TestSharedEncodingIsOne: receivers of QoS 0 refer to the same bytes, and
// messages that follow one another are one segment.
func TestSharedEncodingIsOne(t *testing.T) {
	var shared session.Shared
	var all []*session.Server
	for range 4 {
		all = append(all, connected(t, codec.V5, session.Config{Shared: &shared}))
	}
	var want []byte
	for i := range 20 {
		p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: bytes.Repeat(codec.Bytes{byte(i)}, 50+i)}
		want = append(want, encode(t, p, codec.V5)...)
		for _, s := range all {
			if _, err := s.PublishShared(start, p, session.Delivery{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	var first *byte
	for i, s := range all {
		ev, ok := s.Next()
		if !ok || ev.Kind != events.Write || len(ev.Data) != 1 || !bytes.Equal(ev.Data[0], want) {
			t.Fatalf("receiver %d: %v with %d segments", i, ev, len(ev.Data))
		}
		if i > 0 && cap(ev.Data[0]) != len(ev.Data[0]) {
			t.Errorf("receiver %d: what is appended to its segment goes into the memory of others", i)
		}
		switch at := &ev.Data[0][0]; {
		case i == 1:
			first = at
		case i > 1 && at != first:
			t.Errorf("receiver %d has a copy", i)
		}
		if written := s.ReplaceWriteBuffer(nil); i > 0 && written != nil {
			t.Errorf("receiver %d: a buffer of %d bytes is given away", i, cap(written))
		}
	}
}

// TestSharedEncodingIsNotRepeated: what is sent again has DUP, with the
// identifiers of each connection.
func TestSharedEncodingIsNotRepeated(t *testing.T) {
	var shared session.Shared
	cfg := session.ServerConfig{Config: session.Config{Shared: &shared}}
	connect := encode(t, &codec.Connect{ClientID: codec.Bytes("c")}, codec.V311)
	var all []*session.Server
	p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: codec.Bytes("payload")}
	for i := range 3 {
		s := session.NewServer(cfg)
		s.Receive(start, connect)
		drain(s)
		if err := s.Accept(start, nil, nil); err != nil {
			t.Fatal(err)
		}
		for n := range i { // so that their identifiers differ
			if _, err := s.PublishShared(start, &codec.Publish{Topic: codec.Bytes("a")}, session.Delivery{QoS: codec.QoS1}); err != nil {
				t.Fatal(err)
			}
			s.Receive(start, encode(t, &codec.Puback{PacketID: uint32(n + 1)}, codec.V311))
		}
		drain(s)
		all = append(all, s)
	}
	for range 2 {
		for _, s := range all {
			if _, err := s.PublishShared(start, p, session.Delivery{QoS: codec.QoS1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, s := range all {
		drain(s)
		s.Closed(start, nil)
		drain(s)
		again := session.NewServer(cfg)
		again.Receive(start, connect)
		drain(again)
		if err := again.Accept(start, nil, s.State()); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for ev := range again.Events() {
			if ev.Kind == events.Write {
				got = append(got, bytes.Join(ev.Data, nil)...)
			}
		}
		var want []byte
		for n := range 2 {
			want = append(want, encode(t, &codec.Publish{Dup: true, QoS: codec.QoS1, Topic: p.Topic, PacketID: uint32(i + n + 1), Payload: p.Payload}, codec.V311)...)
		}
		if !bytes.HasSuffix(got, want) {
			t.Errorf("receiver %d:\n% X, want at the end\n% X", i, got, want)
		}
	}
}

// A borrowed message reaches all that can take it at once, in one encoding, and is
// not looked at afterwards.
func TestPublishBorrowed(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for _, size := range []int{0, 10, 3000, 5000, 100_000} {
			var sh session.Shared
			servers := make([]*session.Server, 3)
			for i := range servers {
				servers[i] = connected(t, v, session.Config{Shared: &sh, HighWater: 1 << 20})
			}
			p := &codec.Publish{Topic: codec.Bytes("topic"), PacketID: 5, QoS: codec.QoS2, Dup: true, Payload: make(codec.Bytes, size)}
			var want []byte
			for _, letter := range "abc" {
				for i := range p.Payload {
					p.Payload[i] = byte(letter)
				}
				copy(p.Topic, string(letter))
				sh.Forget()
				for i, s := range servers {
					sent, err := s.PublishBorrowed(start, p, session.Delivery{Several: i > 0 || letter != 'b'})
					if !sent || err != nil {
						t.Fatal(sent, err)
					}
				}
				want = append(want, encode(t, &codec.Publish{Topic: slices.Clone(p.Topic), Payload: slices.Clone(p.Payload)}, v)...)
				clear(p.Payload)
				copy(p.Topic, "-")
			}
			var first []byte
			for i, s := range servers {
				for ev, ok := s.Next(); ok; ev, ok = s.Next() {
					if ev.Kind != events.Write {
						continue
					}
					if got := bytes.Join(ev.Data, nil); !bytes.Equal(got, want) {
						t.Errorf("%v, %d bytes: peer %d got %.60q, want %.60q", v, size, i, got, want)
					}
					if size == 10 {
						if i == 2 && &ev.Data[len(ev.Data)-1][0] != &first[0] {
							t.Errorf("%v: the bytes were copied", v)
						}
						first = ev.Data[len(ev.Data)-1]
					}
				}
			}
		}
	}
}

// Where it would have to wait, or is above QoS 0, it is not taken.
func TestPublishBorrowedWaits(t *testing.T) {
	p := &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("x")}
	s := connected(t, codec.V5, session.Config{HighWater: 1})
	if sent, err := s.PublishBorrowed(start, p, session.Delivery{QoS: codec.QoS1}); sent || err != nil {
		t.Error("QoS 1:", sent, err)
	}
	for i := range 2 {
		if sent, err := s.PublishBorrowed(start, p, session.Delivery{}); sent != (i == 0) || err != nil {
			t.Error(i, sent, err)
		}
	}
	if n := s.Queued(); n != 0 {
		t.Errorf("%d are queued", n)
	}
	p.Topic = codec.Bytes("#")
	drain(s)
	if sent, err := s.PublishBorrowed(start, p, session.Delivery{}); !sent || err == nil {
		t.Error("wildcard:", sent, err)
	}
}
