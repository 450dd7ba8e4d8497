package session_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// listener is a peer of a server that sends much: it answers, some of it late, and
// watches the Packet Identifiers.
type listener struct {
	t       *testing.T
	v       codec.Version
	cfg     session.ServerConfig
	window  uint16 // Receive Maximum
	s       *session.Server
	used    map[uint32]int // by identifier, the number of the message
	open    []answer
	count   int
	last    uint32
	jumps   bool     // identifiers may be skipped, none may come again at once
	written [][]byte // Data of all Writes, never copied
	sent    []byte   // the same, copied at once
	got     []byte   // the same, with the numbers of messages in place of identifiers
}

// answer is due for the message of a number: to PUBLISH or to PUBREL.
type answer struct {
	number int
	kind   codec.PacketType
}

func newListener(t *testing.T, v codec.Version, cfg session.ServerConfig, window uint16, next uint32) *listener {
	l := &listener{t: t, v: v, cfg: cfg, window: window, used: map[uint32]int{}}
	l.cfg.Wide = v.Wide()
	st := new(session.State)
	record := session.AppendRecord(nil, events.Event{Kind: events.Store, Record: events.RecordSession, ClientID: "c", PacketID: next, Size: 1000})
	if err := st.RestoreRecord(record); err != nil {
		t.Fatal(err)
	}
	l.connect(st)
	return l
}

// connect goes on with a session.
func (l *listener) connect(st *session.State) {
	l.t.Helper()
	l.s = session.NewServer(l.cfg)
	p := &codec.Connect{ClientID: codec.Bytes("c")}
	if l.v.IsV5() {
		p.Properties.ReceiveMaximum = codec.Some(l.window)
		p.Properties.SessionExpiryInterval = codec.Some[uint32](1000)
	}
	l.s.Receive(start, encode(l.t, p, l.v))
	drain(l.s)
	l.open = nil
	if err := l.s.Accept(start, nil, st); err != nil {
		l.t.Fatal(err)
	}
	l.pull()
}

// pull serves all events.
func (l *listener) pull() {
	for ev, ok := l.s.Next(); ok; ev, ok = l.s.Next() {
		switch ev.Kind {
		case events.Write:
			l.written = append(l.written, ev.Data...)
			b := bytes.Join(ev.Data, nil)
			l.s.ReplaceWriteBuffer(nil)
			l.sent = append(l.sent, b...)
			for len(b) > 0 {
				b = l.read(b)
			}
		case events.Close:
			if ev.Err != nil {
				l.t.Fatal(ev.Err)
			}
		}
	}
}

// read takes the next packet.
func (l *listener) read(b []byte) (rest []byte) {
	packet, n, err := codec.Decode(b, l.v)
	if err != nil || n == 0 {
		l.t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
	switch p := packet.(type) {
	case *codec.Publish:
		if p.QoS > codec.QoS0 {
			kind := codec.TypePuback
			if p.QoS == codec.QoS2 {
				kind = codec.TypePubrec
			}
			number := l.number(p)
			p.PacketID = uint32(number)%65535 + 1
			l.open = append(l.open, answer{number, kind})
		}
	case *codec.Pubrel:
		number, ok := l.used[p.PacketID]
		if !ok {
			l.t.Fatalf("PUBREL for %d, which is not in use", p.PacketID)
		}
		l.open = append(l.open, answer{number, codec.TypePubcomp})
		p.PacketID = uint32(number)%65535 + 1
	}
	l.got = append(l.got, encode(l.t, packet, l.v)...)
	return b[n:]
}

// number returns which message a PUBLISH is, and judges its identifier.
func (l *listener) number(p *codec.Publish) int {
	id, most := p.PacketID, l.v.MaxPacketID()
	number, used := l.used[id]
	switch {
	case id == 0 || id > most || used != p.Dup:
		l.t.Fatalf("identifier %d, in use: %v, DUP: %v", id, used, p.Dup)
	case used:
		return number
	}
	forward := (uint64(id) + uint64(most) - uint64(l.last)) % uint64(most)
	if l.last != 0 && (forward == 0 || forward > uint64(most)/2 || !l.jumps && forward > 20) {
		l.t.Fatalf("identifier %d after %d of %d", id, l.last, most)
	}
	l.last = id
	l.used[id] = l.count
	l.count++
	return l.count - 1
}

// acknowledge answers what is due at i.
func (l *listener) acknowledge(i int) {
	l.s.Receive(start, l.reply(i))
	l.pull()
}

// settle answers all that is due, until nothing is.
func (l *listener) settle() {
	for l.pull(); len(l.open) > 0; l.pull() {
		var b []byte
		for len(l.open) > 0 {
			b = append(b, l.reply(0)...)
		}
		l.s.Receive(start, b)
	}
}

// reply forms the answer that is due at i.
func (l *listener) reply(i int) []byte {
	a := l.open[i]
	l.open = slices.Delete(l.open, i, i+1)
	id, found := uint32(0), false
	for key, number := range l.used {
		if number == a.number {
			id, found = key, true
			break
		}
	}
	var p codec.Packet
	switch a.kind {
	case codec.TypePuback:
		p = &codec.Puback{PacketID: id}
	case codec.TypePubrec:
		p = &codec.Pubrec{PacketID: id}
	default:
		p = &codec.Pubcomp{PacketID: id}
	}
	if !found {
		return nil // acknowledged before DUP came
	}
	if a.kind != codec.TypePubrec {
		delete(l.used, id)
	}
	return encode(l.t, p, l.v)
}

// reconnect cuts the connection.
func (l *listener) reconnect() {
	l.s.Closed(start, nil)
	for range l.s.Events() {
	}
	l.connect(l.s.State())
}

// pairOf is a listener of a server that has its memory in common with others, and
// one that is alone.
type pairOf struct{ common, alone *listener }

func newPairs(t *testing.T, rng *rand.Rand, shared *session.Shared) (all []pairOf) {
	add := func(v codec.Version, window uint16) {
		cfg := session.ServerConfig{Config: session.Config{MaximumInflight: window, HighWater: 1 << (8 + rng.IntN(9)), ReferenceSize: 1 << (6 + rng.IntN(8))}}
		cfg.Queue.Messages = -1
		first := rng.Uint32N(v.MaxPacketID()) // anywhere, or close to the end
		if rng.IntN(2) == 0 {
			first = v.MaxPacketID() - rng.Uint32N(60)
		}
		alone := newListener(t, v, cfg, window, first)
		cfg.Shared = shared
		all = append(all, pairOf{newListener(t, v, cfg, window, first), alone})
		all[len(all)-1].common.jumps = true
	}
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for _, window := range []uint16{1, 20, 65535, 65535} {
			add(v, window)
		}
	}
	for range 2 {
		add(codec.V311Wide, 20)
		add(codec.V5Wide, 65535)
	}
	return all
}

// TestCommonIdentifiers: whatever else they do, connections that send messages
// under the same identifier send what they would send alone but for the
// identifiers, which are free, go forward and are not used again at once. What a
// Write refers to does not change.
func TestCommonIdentifiers(t *testing.T) {
	// [MQTT-2.2.1-3] v5 [MQTT-2.2.1-4] v5 [MQTT-2.3.1-2] v311 [MQTT-4.4.0-1] v5
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var shared session.Shared
		shared.Scrub()
		all, messages := newPairs(t, rng, &shared), fanOutMessages(rng)
		for range 150 {
			p := messages[rng.IntN(len(messages)-2)]
			fanOut(t, rng, &shared, all, p)
			for _, pair := range all {
				if rng.IntN(3) > 0 {
					pair.common.pull()
					pair.alone.pull()
				}
			}
			for _, pair := range all {
				for range rng.IntN(4) {
					pair.acknowledge(rng)
				}
				if rng.IntN(40) == 0 {
					pair.common.pull()
					pair.alone.pull()
					pair.common.reconnect()
					pair.alone.reconnect()
				}
			}
			if rng.IntN(4) == 0 {
				for _, pair := range all {
					pair.common.pull()
					pair.alone.pull()
				}
				shared.Reclaim()
			}
		}
		for i, pair := range all {
			pair.finish(t, rng, fmt.Sprintf("seed %d, receiver %d", seed, i))
		}
	}
}

// fanOut sends a message to some of the servers.
func fanOut(t *testing.T, rng *rand.Rand, shared *session.Shared, all []pairOf, p *codec.Publish) {
	to := slices.Clone(all)
	rng.Shuffle(len(to), func(i, j int) { to[i], to[j] = to[j], to[i] })
	to = to[:[]int{1, 1 + rng.IntN(len(to)), len(to)}[rng.IntN(3)]]
	kept := shared.Keep(p)
	pub, d := &kept.Publish, session.Delivery{Kept: kept, Several: len(to) > 1}
	if rng.IntN(4) == 0 {
		pub, d.Kept = p.Clone(), nil
	}
	qos := codec.QoS(rng.IntN(3))
	for _, pair := range to {
		d.QoS, d.Retain, d.SubscriptionIdentifiers = qos, rng.IntN(4) == 0, nil
		if rng.IntN(4) == 0 {
			d.QoS = codec.QoS(rng.IntN(3))
		}
		if rng.IntN(3) == 0 {
			d.SubscriptionIdentifiers = fanOutIdentifiers(1 + rng.Uint32N(3))
		}
		_, err := pair.common.s.PublishShared(start, pub, d)
		_, other := pair.alone.s.PublishShared(start, p.Clone(), session.Delivery{QoS: d.QoS, Retain: d.Retain, SubscriptionIdentifiers: d.SubscriptionIdentifiers})
		if fmt.Sprint(err) != fmt.Sprint(other) {
			t.Fatalf("%v, alone %v", err, other)
		}
	}
	kept.Release()
}

// acknowledge lets both answer the same, if anything is due.
func (p pairOf) acknowledge(rng *rand.Rand) {
	if n := min(len(p.common.open), len(p.alone.open)); n > 0 {
		i := rng.IntN(n)
		p.common.acknowledge(i)
		p.alone.acknowledge(i)
	}
}

// finish acknowledges all and compares.
func (p pairOf) finish(t *testing.T, rng *rand.Rand, name string) {
	t.Helper()
	for _, l := range []*listener{p.common, p.alone} {
		l.settle()
		if l.s.Inflight() != 0 || l.s.Queued() != 0 || len(l.used) != 0 {
			t.Fatalf("%s: %d under way, %d wait, %d identifiers in use", name, l.s.Inflight(), l.s.Queued(), len(l.used))
		}
		if !bytes.Equal(bytes.Join(l.written, nil), l.sent) {
			t.Fatalf("%s: what was written changed", name)
		}
	}
	if !bytes.Equal(p.common.got, p.alone.got) {
		t.Fatalf("%s: got %d bytes that differ from the %d of a connection alone", name, len(p.common.got), len(p.alone.got))
	}
}

// TestCommonIdentifiersExhausted: a connection that uses all of its identifiers
// sends what goes to several under the one that becomes free.
func TestCommonIdentifiersExhausted(t *testing.T) {
	var shared session.Shared
	cfg := session.ServerConfig{Config: session.Config{Shared: &shared, HighWater: 1 << 30}}
	cfg.Queue.Messages = -1
	full, other := newListener(t, codec.V311, cfg, 0, 30_000), newListener(t, codec.V311, cfg, 0, 1)
	p := &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("x")}
	send := func(l *listener, several bool) {
		if _, err := l.s.PublishShared(start, p, session.Delivery{QoS: codec.QoS1, Several: several}); err != nil {
			t.Fatal(err)
		}
	}
	for range 65535 {
		send(full, false)
	}
	full.jumps, other.jumps = true, true
	full.pull()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		p = p.Clone()
		send(other, true)
		send(full, true)
		other.pull()
		other.acknowledge(0)
		if full.pull(); full.s.Inflight() != 65535 || full.s.Queued() != 1 {
			t.Fatalf("%d under way, %d wait", full.s.Inflight(), full.s.Queued())
		}
		i := rng.IntN(len(full.open))
		full.last = 0 // the only free one need not lie ahead
		if full.acknowledge(i); len(full.used) != 65535 || full.s.Queued() != 0 {
			t.Fatalf("%d in use, %d wait", len(full.used), full.s.Queued())
		}
	}
}

// TestOneEncodingAboveQoS0: receivers that have sent different numbers of other
// messages refer to the same bytes, and messages that follow one another are one
// piece, whether they were sent at once or had to wait.
func TestOneEncodingAboveQoS0(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5, codec.V311Wide, codec.V5Wide} {
		for qos := codec.QoS1; qos <= codec.QoS2; qos++ {
			for _, window := range []uint16{1, 7, 65535} {
				var shared session.Shared
				var all []*listener
				for i := range 4 {
					cfg := session.ServerConfig{Config: session.Config{Shared: &shared, MaximumInflight: window}}
					l := newListener(t, v, cfg, window, uint32(i*10_000))
					l.jumps = true
					all = append(all, l)
				}
				for i, l := range slices.Backward(all) { // first the one that is farthest ahead
					for range i {
						if _, err := l.s.PublishShared(start, &codec.Publish{Topic: codec.Bytes("a")}, session.Delivery{QoS: qos}); err != nil {
							t.Fatal(err)
						}
						l.settle()
					}
					l.written = nil
				}
				for i := range 20 {
					kept := shared.Keep(&codec.Publish{Topic: codec.Bytes("a/b"), Payload: bytes.Repeat(codec.Bytes{byte(i)}, 50+i)})
					for _, l := range all {
						if _, err := l.s.PublishShared(start, &kept.Publish, session.Delivery{QoS: qos, Several: true, Kept: kept}); err != nil {
							t.Fatal(err)
						}
					}
					kept.Release()
				}
				for i, l := range all {
					l.settle()
					pieces := slices.DeleteFunc(l.written, func(b []byte) bool { return b[0]>>4 != byte(codec.TypePublish) })
					if n := (20 + int(window) - 1) / int(window); len(pieces) != n {
						t.Fatalf("%v, QoS %d, window %d: receiver %d has %d pieces, want %d", v, qos, window, i, len(pieces), n)
					}
					for j, b := range pieces {
						if first := all[0].written[j]; &b[0] != &first[0] || len(b) != len(first) {
							t.Errorf("%v, QoS %d, window %d: piece %d of receiver %d is another", v, qos, window, j, i)
						}
					}
					l.written = pieces
				}
			}
		}
	}
}
