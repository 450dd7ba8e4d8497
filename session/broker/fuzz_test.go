package broker_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// script is a source of decisions: the bytes of a fuzz input, then zeros.
type script struct{ b []byte }

func (s *script) next(n int) int {
	if len(s.b) == 0 {
		return 0
	}
	x := int(s.b[0])
	s.b = s.b[1:]
	return x % n
}

var (
	fuzzTopics  = []string{"a", "a/b", "a/b/c", "$x/a", "b", "/", "$SYS/x"}
	fuzzFilters = []string{"a", "+", "#", "a/#", "+/b", "a/+/c", "$x/#", "$share/g/a", "$share/g/#", "$share/h/a/+"}
	// Some have a mount point, some refuse what is common.
	fuzzEndpoints = []*broker.Endpoint{
		nil, {Name: "a", MountPoint: "a/"},
		{Name: "b", MaximumQoS: codec.Some(codec.QoS1), MaximumKeepAlive: 20, RefuseEmptyClientID: true},
	}
	fuzzIDs = []string{"", "c1", "c2", "c3"}
)

// packet returns a packet that a client may send, most of the time.
func (s *script) packet(v codec.Version) codec.Packet {
	id := uint32(1 + s.next(4))
	switch s.next(10) {
	case 0:
		return subscribe(codec.Subscription{
			Filter: codec.Bytes(fuzzFilters[s.next(len(fuzzFilters))]), QoS: codec.QoS(s.next(3)),
			RetainHandling: codec.RetainHandling(s.next(3) * v5(v)), RetainAsPublished: s.next(2)*v5(v) == 1,
		})
	case 1:
		return &codec.Unsubscribe{PacketID: id, Filters: []codec.Bytes{codec.Bytes(fuzzFilters[s.next(len(fuzzFilters))])}}
	case 2:
		return &codec.Puback{PacketID: id}
	case 3:
		return &codec.Pubrec{PacketID: id}
	case 4:
		return &codec.Pubrel{PacketID: id}
	case 5:
		return &codec.Pubcomp{PacketID: id}
	case 6:
		return &codec.Pingreq{}
	case 7:
		return &codec.Disconnect{}
	}
	p := publish(fuzzTopics[s.next(len(fuzzTopics))], "xyz"[:s.next(4)], codec.QoS(s.next(3)))
	p.Retain = s.next(3) == 0
	if p.QoS > 0 {
		p.PacketID = id
	}
	if expiry := s.next(20); v.IsV5() && expiry > 10 {
		p.Properties.MessageExpiryInterval = codec.Some(uint32(expiry))
	}
	return p
}

func v5(v codec.Version) int {
	if v.IsV5() {
		return 1
	}
	return 0
}

// connectPacket returns a CONNECT.
func (s *script) connectPacket(v codec.Version) *codec.Connect {
	p := &codec.Connect{ClientID: codec.Bytes(fuzzIDs[s.next(len(fuzzIDs))]), CleanStart: s.next(2) == 0, KeepAlive: uint16(s.next(30))}
	if len(p.ClientID) == 0 {
		p.CleanStart = true
	}
	if s.next(2) == 0 {
		delay := uint32(0)
		if v.IsV5() {
			delay = uint32(s.next(20))
		}
		withWill(p, fuzzTopics[s.next(len(fuzzTopics))], delay)
	}
	if v.IsV5() {
		if e := s.next(30); e > 0 {
			p.Properties.SessionExpiryInterval = codec.Some(uint32(e))
		}
		if r := s.next(4); r > 0 {
			p.Properties.ReceiveMaximum = codec.Some(uint16(r))
		}
	}
	return p
}

// step does one thing to the broker.
func (w *world) step(s *script) {
	var c *client
	if n := len(w.order); n > 0 {
		c = w.order[s.next(n)]
	}
	switch op := s.next(16); {
	case c == nil || op == 0:
		v := bothVersions[s.next(2)]
		w.at = fuzzEndpoints[s.next(len(fuzzEndpoints))]
		w.open(v).send(s.connectPacket(v))
	case op == 1:
		w.b.Closed(w.now, c.h, nil)
	case op == 2:
		w.b.SetWriteBlocked(w.now, c.h, s.next(2) == 0)
	case op == 3:
		w.pass(time.Duration(s.next(200)) * 100 * time.Millisecond)
	case op == 4:
		n := s.next(40)
		n = min(n, len(s.b))
		c.raw(append([]byte(nil), s.b[:n]...))
		s.b = s.b[n:]
	case op == 5:
		w.open(c.v)
	case op == 8 && s.next(10) == 0 && w.cfg.Server.Persist && !w.stopped:
		w.restart()
	case op == 7:
		w.hidden = fuzzTopics[s.next(len(fuzzTopics))]
		w.b.Recheck(w.now)
	case op == 6 && s.next(20) == 0:
		w.b.Shutdown(w.now)
		w.stopped = true
	default:
		c.send(s.packet(c.v))
	}
	w.drain()
}

// finish ends everything, and checks that nothing is left.
func (w *world) finish() {
	w.t.Helper()
	for _, c := range w.order {
		w.b.SetWriteBlocked(w.now, c.h, false)
		w.b.Closed(w.now, c.h, nil)
	}
	w.drain()
	for _, c := range w.order {
		if !c.closed {
			w.t.Error("a connection has no Close")
		}
		c.packets() // the broker writes nothing illegal
	}
	w.pass(time.Minute)
	if w.stopped {
		return // nobody is let in who could end the sessions
	}
	// Sessions of v3.1.1 have no end; a clean start takes their place.
	for _, id := range fuzzIDs[1:] {
		c := w.open(codec.V5)
		c.send(clean(id))
		c.packets()
		c.drop()
	}
	if s := w.b.Stats(); s.Connections != 0 || s.Sessions != 0 || s.Subscriptions != 0 {
		w.t.Errorf("left over: %+v", s)
	}
	for key := range w.disk {
		if key[0] != 'r' {
			w.t.Errorf("%q is stored", key)
		}
	}
}

// fuzzConfig returns one of many configurations.
func fuzzConfig(choice int) broker.Config {
	cfg := broker.Config{MaximumSessionExpiry: 20, MaximumRetained: 4, DollarTopics: true, MaximumSessions: 100}
	cfg.Server.Queue = session.QueueLimits{Messages: 3, Policy: session.QueuePolicy(choice % 3)}
	cfg.Server.HighWater = 64
	cfg.Server.Persist = choice&4 != 0
	cfg.UpgradeOutgoingQoS = choice&8 != 0
	if choice&16 != 0 {
		cfg.Limits = broker.Limits{MessagesPerSecond: 1, BytesPerSecond: 100, MaximumSubscriptions: 3}
	}
	if choice&32 != 0 {
		cfg.Sys.Interval = 5 * time.Second
	}
	return cfg
}

func runScript(t testing.TB, b []byte) {
	s := &script{b}
	cfg := fuzzConfig(s.next(256))
	var w *world
	if s.next(2) == 0 {
		hidden := func(topic codec.Bytes) bool { return string(topic) == w.hidden }
		cfg.Policy = broker.Policy{
			Publish: func(_ *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
				if len(p.Payload) == 1 {
					return nil, 0
				}
				return p, 0
			},
			Subscribe: func(_ *broker.Client, f *codec.Subscription) codec.ReasonCode {
				if hidden(f.Filter) {
					return codec.ReasonNotAuthorized
				}
				return 0
			},
			Deliver: func(_ *broker.Client, p *codec.Publish, _ *broker.Client) bool { return !hidden(p.Topic) },
		}
	}
	w = newWorld(t, cfg)
	w.cfg, w.disk = cfg, disk{}
	for len(s.b) > 0 {
		w.step(s)
	}
	w.finish()
}

// Whatever clients do, each connection has one Close, only legal packets leave,
// the deadline is never in the past, and nothing is left in the end.
func FuzzBroker(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		b := make([]byte, 200)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { runScript(t, b) })
}

func TestRandomScripts(t *testing.T) {
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := make([]byte, 600)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if !t.Run("", func(t *testing.T) { runScript(t, b) }) {
			t.Fatalf("seed %d", seed)
		}
	}
}
