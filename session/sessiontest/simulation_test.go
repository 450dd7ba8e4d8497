package sessiontest_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/sessiontest"
)

var (
	seeds = flag.Int("seeds", 10000, "number of simulations")
	seed  = flag.Uint64("seed", 0, "the only simulation to run, with its trace")
)

// TestSimulation runs random pairs, each with its own version, limits, cuts and
// crashes, until everything that was published has arrived: at QoS 1 at least
// once, at QoS 2 exactly once, in order for each topic and QoS, and with no
// identifier left in use.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		s := newSimulation(*seed)
		err := s.run()
		t.Logf("%s", strings.Join(s.trace, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	for n := uint64(1); n <= uint64(*seeds); n++ {
		s := newSimulation(n)
		defer func() {
			if r := recover(); r != nil {
				t.Fatalf("seed %d: %v\n%s", n, r, strings.Join(s.trace, "\n"))
			}
		}()
		if err := s.run(); err != nil {
			t.Fatalf("seed %d: %v\nreplay: go test ./session/sessiontest -run TestSimulation -seed %d -v\n%s",
				n, err, n, strings.Join(s.trace, "\n"))
		}
	}
}

// simulation is one run. Both sides publish and receive.
type simulation struct {
	*sessiontest.Pair
	rand    *rand.Rand
	connect *codec.Connect
	sides   [2]party
	trace   []string
	faults  int // cuts and crashes that are still to come
}

// party is the application on one side.
type party struct {
	total     int
	published int            // of its own messages: Publish took them
	durable   int            // of these, told by Store
	tokens    map[uint64]int // message by token
	got       map[int]int    // deliveries of the other side's messages
	latest    map[string]int // the last new message of each topic and QoS
	held      []held         // delivered, not acknowledged or not stored yet
	pending   []uint64       // tokens that wait for Ack
}

// held is a message whose delivery takes effect together with a Store event.
type held struct{ id, message int }

func newSimulation(seed uint64) *simulation {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	v := []codec.Version{codec.V311, codec.V5, codec.V5, codec.V311Wide, codec.V5Wide}[r.IntN(5)]
	common := func() session.Config {
		return session.Config{
			Persist:         true,
			ManualAck:       pick(0, 0, 1) == 1,
			MaximumInflight: uint16(pick(1, 2, 3, 100)),
			Queue:           session.QueueLimits{Messages: pick(1, 5, 100)},
			TopicAliases:    session.AliasPolicy(pick(0, 2)),
			HighWater:       pick(1, 50, 1000),
			ReferenceSize:   pick(1, 10, 100),
		}
	}
	cfg := sessiontest.Config{
		Client:       session.ClientConfig{Config: common(), Version: v},
		Server:       session.ServerConfig{Config: common(), Wide: v.Wide()},
		Latency:      time.Duration(r.IntN(100)) * time.Millisecond,
		MaximumChunk: pick(0, 1, 3, 20),
		Seed:         seed,
	}
	s := &simulation{rand: r, faults: r.IntN(8), connect: &codec.Connect{ClientID: codec.Bytes("c"), KeepAlive: uint16(pick(0, 5))}}
	if v.IsV5() {
		s.connect.Properties.SessionExpiryInterval = codec.Some(uint32(1 << 30))
		s.connect.Properties.ReceiveMaximum = codec.Some(uint16(pick(1, 2, 3, 65535)))
		if r.IntN(3) == 0 {
			// Room for every message, but not with an alias beside its topic.
			size := codec.Some(uint32(18))
			if v.Wide() {
				size.Value = 20
			}
			s.connect.Properties.MaximumPacketSize, cfg.Connack.Properties.MaximumPacketSize = size, size
		}
		s.connect.Properties.TopicAliasMaximum = codec.Some(uint16(pick(0, 1, 2, 10)))
		cfg.Connack.Properties.ReceiveMaximum = codec.Some(uint16(pick(1, 2, 3, 65535)))
		cfg.Connack.Properties.TopicAliasMaximum = codec.Some(uint16(pick(0, 1, 2, 10)))
	}
	s.Pair = sessiontest.New(cfg)
	for i := range s.sides {
		s.sides[i] = party{total: r.IntN(20), tokens: map[uint64]int{}, got: map[int]int{}, latest: map[string]int{}}
	}
	return s
}

// qos returns the QoS of a message, topic its topic.
func qos(message int) codec.QoS { return codec.QoS(message*7/3) % 3 }

func topic(message int) string { return []string{"topic/one", "topic/two"}[message%2] }

func (s *simulation) run() error {
	limit := s.Now().Add(time.Hour)
	for round := 0; ; round++ {
		if round > 200 {
			return fmt.Errorf("no end")
		}
		if err := s.Connect(s.connect); err != nil {
			return err
		}
		if s.faults > 0 {
			s.faults--
			s.CutAfter(s.rand.IntN(300))
		}
		crash, side := s.rand.IntN(200), sessiontest.Side(s.rand.IntN(2))
		s.log("connect, crash of %v after %d events", side, crash)
		for n := 0; ; n++ {
			if s.done() && s.Client.Status() == session.StatusConnected {
				return s.check()
			}
			from, ev, ok := s.Next(limit)
			if !ok && s.publish(true) {
				continue
			}
			if !ok {
				break
			}
			if n > 20_000 {
				return fmt.Errorf("no progress")
			}
			s.log("%v %v", from, ev)
			if err := s.handle(from, ev); err != nil {
				return err
			}
			if s.faults > 0 && n == crash {
				s.log("crash of %v", side)
				s.sides[side].crash()
				s.Crash(side)
			}
			s.publish(false)
		}
		if s.Client.Status() != session.StatusClosed && s.Client.Status() != session.StatusIdle {
			return fmt.Errorf("stuck: client %v, in flight %d and %d", s.Client.Status(), s.Client.Inflight(), s.Server.Inflight())
		}
	}
}

// crash forgets what was not durable: messages that no Store told are published
// again, deliveries that no Store told never happened.
func (p *party) crash() {
	p.published = p.durable
	p.held, p.pending = nil, nil
}

// publish lets both sides publish what the queue takes, now or perhaps. It
// reports whether they did.
func (s *simulation) publish(now bool) (did bool) {
	for i := range s.sides {
		p := &s.sides[i]
		for len(p.pending) > 0 && (now || s.rand.IntN(3) == 0) {
			if !s.ack(sessiontest.Side(i)) {
				break
			}
			did = true
		}
		if p.published == p.total || !now && s.rand.IntN(3) > 0 {
			continue
		}
		m := &codec.Publish{Topic: codec.Bytes(topic(p.published)), QoS: qos(p.published), Payload: codec.Bytes{byte(p.published)}}
		var token uint64
		var err error
		if i == int(sessiontest.Client) {
			token, err = s.Client.Publish(s.Now(), m)
		} else if s.Server.Status() == session.StatusConnected {
			token, err = s.Server.Publish(s.Now(), m)
		} else {
			continue
		}
		if err == nil {
			s.log("%v publishes %d as %d", sessiontest.Side(i), p.published, token)
			p.tokens[token] = p.published
			p.published++
			did = true
		}
	}
	return did
}

// ack acknowledges one of the messages that wait for it, in any order. A QoS 1
// message of an earlier connection is unknown by now. Between two connections a
// server cannot take it; the message stays to be acknowledged on the next.
func (s *simulation) ack(side sessiontest.Side) bool {
	p := &s.sides[side]
	i := s.rand.IntN(len(p.pending))
	token := p.pending[i]
	p.pending = append(p.pending[:i], p.pending[i+1:]...)
	var err error
	if side == sessiontest.Client {
		err = s.Client.Ack(s.Now(), token, session.Reply{})
	} else {
		err = s.Server.Ack(s.Now(), token, session.Reply{})
	}
	s.log("%v acknowledges %d: %v", side, token, err)
	if errors.Is(err, session.ErrState) {
		p.pending = append(p.pending, token)
		return false
	}
	return true
}

// handle is the application of a side.
func (s *simulation) handle(side sessiontest.Side, ev events.Event) error {
	p := &s.sides[side]
	switch ev.Kind {
	case events.Message:
		m := int(ev.Publish.Payload[0])
		if ev.Token != 0 {
			p.pending = append(p.pending, ev.Token)
		}
		if string(ev.Publish.Topic) != topic(m) || ev.Publish.QoS != qos(m) {
			return fmt.Errorf("message %d came as %v", m, ev.Publish)
		}
		if ev.Publish.QoS == codec.QoS2 {
			p.held = append(p.held, held{int(ev.PacketID), m})
			return nil
		}
		return p.deliver(m)
	case events.Store:
		switch ev.Record {
		case events.RecordReceived:
			for i, h := range p.held {
				if h.id == int(ev.PacketID) {
					p.held = append(p.held[:i], p.held[i+1:]...)
					return p.deliver(h.message)
				}
			}
			return fmt.Errorf("%v of a message that was not delivered", ev)
		case events.RecordMessage:
			if m, ok := p.tokens[ev.Token]; ok {
				p.durable = max(p.durable, m+1)
			}
		}
	case events.Published:
		if ev.Reason.IsError() && ev.Reason != codec.ReasonPacketIdentifierNotFound {
			return fmt.Errorf("%v", ev)
		}
	case events.SessionLost:
		if ev.Count > 0 {
			return fmt.Errorf("%v %v", side, ev)
		}
	case events.Unexpected:
		// An acknowledgement of what a crash forgot.
	case events.Dropped, events.Refused:
		return fmt.Errorf("%v %v", side, ev)
	case events.Close:
		if ev.Err != nil && ev.Err != sessiontest.ErrCut && ev.Err != session.ErrTransport {
			return fmt.Errorf("%v %v", side, ev)
		}
	}
	return nil
}

// deliver counts a delivery of the other side's message.
func (p *party) deliver(m int) error {
	p.got[m]++
	if qos(m) == codec.QoS2 && p.got[m] > 1 {
		return fmt.Errorf("QoS 2 message %d was delivered %d times", m, p.got[m])
	}
	if p.got[m] > 1 {
		return nil
	}
	key := topic(m) + string(rune('0'+qos(m)))
	if last, ok := p.latest[key]; ok && m < last {
		return fmt.Errorf("message %d came after %d", m, last)
	}
	p.latest[key] = m
	return nil
}

// done reports whether everything was published and acknowledged.
func (s *simulation) done() bool {
	for i := range s.sides {
		st := s.State(sessiontest.Side(i))
		if s.sides[i].published < s.sides[i].total || st == nil || st.Inflight()+st.Queued()+st.Received() > 0 {
			return false
		}
	}
	return true
}

// check finds what was lost.
func (s *simulation) check() error {
	for i := range s.sides {
		other := &s.sides[1-i]
		for m := range s.sides[i].total {
			if qos(m) > codec.QoS0 && other.got[m] == 0 {
				return fmt.Errorf("message %d of the %v was lost", m, sessiontest.Side(i))
			}
		}
	}
	return nil
}

func (s *simulation) log(format string, args ...any) {
	s.trace = append(s.trace, s.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}
