package sessiontest_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/internal/wallclock"
	"github.com/mqttcore/mqttcore/session/sessiontest"
)

var (
	seeds = flag.Int("seeds", 12000, "number of simulations")
	seed  = flag.Uint64("seed", 0, "the only simulation to run, with its trace")
)

// TestSimulation runs random pairs, each with its own version, limits, cuts,
// crashes, half-open connections and losses of the session, until everything
// that was published has arrived: at QoS 0 at most once, and once where nothing
// happened; at QoS 1 at least once; at QoS 2 exactly once; in order for each
// topic and QoS; no later than its expiry; and with no identifier left in use.
// Some payloads go and come in pieces. Some messages are erased, and may not arrive.
//
// A seed that fails is printed with its trace. This runs it again:
//
//	go test ./session/sessiontest -run 'TestSimulation$' -v -seed N
//
// TestSimulationFindsBugs shows that it finds bugs that were planted.
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		trace, err := simulate(*seed, true)
		t.Logf("%s", strings.Join(trace, "\n"))
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	n := *seeds
	if testing.Short() {
		n = min(n, 1000)
	}
	for seed := uint64(1); seed <= uint64(n); seed++ {
		if _, err := simulate(seed, false); err != nil {
			trace, again := simulate(seed, true)
			if again == nil || again.Error() != err.Error() {
				t.Errorf("seed %d is not deterministic: %v the second time", seed, again)
			}
			t.Fatalf("seed %d: %v\n%s\nreplay: go test ./session/sessiontest -run 'TestSimulation$' -v -seed %d",
				seed, err, strings.Join(trace, "\n"), seed)
		}
	}
}

// simulate runs one simulation. A trace costs more than the simulation does.
func simulate(seed uint64, traced bool) (trace []string, err error) {
	s := newSimulation(seed)
	s.traced = traced
	defer func() {
		trace = s.trace
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return nil, s.run()
}

// simulation is one run. Both sides publish and receive.
type simulation struct {
	*sessiontest.Pair
	rand    *rand.Rand
	version codec.Version
	connect *codec.Connect
	latency time.Duration
	sides   [2]*party
	traced  bool
	trace   []string
	faults  int           // cuts, crashes and the like that are still to come
	calm    bool          // there are none
	losses  int           // of the session that are still to come
	losing  bool          // a session is being lost
	known   bool          // both sides know it, as soon as the client has made a record of it
	lost    bool          // so it has: this is over with the connection
	torn    bool          // but one crashed, and will find out again
	expiry  bool          // some messages expire
	erases  bool          // some messages are erased
	clock   *rand.Rand    // of the wall clock, if it is set; times have monotonic readings then
	ahead   time.Duration // how far it was set ahead
}

func newSimulation(seed uint64) *simulation {
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(n ...int) int { return n[r.IntN(len(n))] }
	v := []codec.Version{codec.V311, codec.V5, codec.V5, codec.V311Wide, codec.V5Wide}[r.IntN(5)]
	s := &simulation{rand: r, version: v, faults: r.IntN(8), connect: &codec.Connect{ClientID: codec.Bytes("c"), KeepAlive: uint16(pick(0, 5))}}
	s.calm = s.faults == 0
	small := v.IsV5() && r.IntN(3) == 0 // packets
	if !s.calm {
		s.losses = pick(0, 0, 1, 2)
	}
	s.expiry = v.IsV5() && !small && r.IntN(3) == 0
	common := func() session.Config {
		return session.Config{
			Persist:         true,
			ManualAck:       pick(0, 0, 1) == 1,
			MaximumInflight: uint16(pick(1, 2, 3, 100)),
			Queue:           session.QueueLimits{Messages: pick(1, 5, 100)},
			TopicAliases:    session.AliasPolicy(pick(0, 2)),
			HighWater:       pick(1, 50, 1000),
			ReferenceSize:   pick(1, 10, 100),
			StreamAbove:     pick(0, 1, 100),
		}
	}
	cfg := sessiontest.Config{
		Client:       session.ClientConfig{Config: common(), Version: v},
		Server:       session.ServerConfig{Config: common(), Wide: v.Wide()},
		Latency:      time.Duration(r.IntN(100)) * time.Millisecond,
		MaximumChunk: pick(0, 1, 3, 20),
		MaximumPiece: pick(0, 1, 30),
		Window:       pick(0, 0, 100),
		Seed:         seed,
		Payload:      s.payload,
	}
	if s.latency = cfg.Latency; s.expiry {
		cfg.Window = 0 // so that a message arrives within the latency
	}
	if v.IsV5() {
		s.properties(&cfg, small, pick)
	}
	if seed%3 == 0 {
		s.clock = rand.New(rand.NewPCG(seed, 2))
		cfg.Start = wallclock.From(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	}
	s.Pair = sessiontest.New(cfg)
	for i, manual := range []bool{cfg.Client.ManualAck, cfg.Server.ManualAck} {
		s.sides[i] = newParty(r.IntN(20), manual, !small && r.IntN(2) == 0)
	}
	s.erases = !s.calm && r.IntN(3) == 0
	return s
}

// properties sets what v5.0 connections announce.
func (s *simulation) properties(cfg *sessiontest.Config, small bool, pick func(...int) int) {
	mine, theirs := &s.connect.Properties, &cfg.Connack.Properties
	mine.SessionExpiryInterval = codec.Some(uint32(1 << 30))
	mine.ReceiveMaximum = codec.Some(uint16(pick(1, 2, 3, 65535)))
	theirs.ReceiveMaximum = codec.Some(uint16(pick(1, 2, 3, 65535)))
	mine.TopicAliasMaximum = codec.Some(uint16(pick(0, 1, 2, 10)))
	theirs.TopicAliasMaximum = codec.Some(uint16(pick(0, 1, 2, 10)))
	if small {
		// Room for every message, but not with an alias beside its topic.
		size := codec.Some(uint32(18))
		if s.version.Wide() {
			size.Value = 20
		}
		mine.MaximumPacketSize, theirs.MaximumPacketSize = size, size
	}
}

// run makes connection after connection until everything is through.
func (s *simulation) run() error {
	limit := s.Now().Add(time.Hour)
	for round := 0; ; round++ {
		if round > 300 {
			return fmt.Errorf("no end")
		}
		if s.expiry {
			s.Advance(time.Duration(s.rand.IntN(1500)) * time.Millisecond)
		}
		s.lose()
		if err := s.Connect(s.connect); err != nil {
			return err
		}
		if s.faults > 0 && !s.forgot() {
			s.faults--
			s.CutAfter(s.rand.IntN(500))
		}
		done, err := s.connection(limit)
		if done || err != nil {
			return err
		}
		if st := s.Client.Status(); st != session.StatusClosed && st != session.StatusIdle {
			return fmt.Errorf("stuck: client %v, in flight %d and %d", st, s.Client.Inflight(), s.Server.Inflight())
		}
	}
}

// lose makes one side lose the session before the next connection, now and then.
func (s *simulation) lose() {
	if s.lost && !s.torn {
		s.losing, s.lost = false, false
	}
	s.torn = false
	if s.losing || s.losses == 0 || s.rand.IntN(3) > 0 {
		return
	}
	s.losses--
	s.losing = true
	if s.rand.IntN(2) == 0 {
		// Until the server has confirmed it: it may not have got CONNECT.
		s.connect.CleanStart = true
		s.log("clean start from now on")
		return
	}
	s.log("the server forgets the session")
	s.Forget()
	s.sides[sessiontest.Server].forget()
}

// forgot reports whether the server has no session where the client may have
// one. If its next CONNACK were lost the client could not know.
func (s *simulation) forgot() bool { return s.losing && !s.lost && !s.connect.CleanStart }

// connection runs one connection to its end, or until all is done.
func (s *simulation) connection(limit time.Time) (done bool, err error) {
	fault, kind, side := s.rand.IntN(200), s.rand.IntN(3), sessiontest.Side(s.rand.IntN(2))
	s.log("connect, fault %d of %v after %d events", kind, side, fault)
	for n := 0; ; n++ {
		until := limit
		if s.done() {
			until = s.Now() // there may be events left, of a lost session say
		}
		from, ev, ok := s.Next(until)
		if !ok && s.done() { // again, as what was given up ends without an event
			return true, s.check()
		}
		if !ok && s.publish(true) {
			continue
		}
		if !ok {
			return false, nil
		}
		if n > 100_000 {
			return false, fmt.Errorf("no progress")
		}
		s.log("%v %v", from, ev)
		if err := s.handle(from, ev); err != nil {
			return false, err
		}
		if s.faults > 0 && n == fault && !s.forgot() {
			s.fault(kind, side)
		}
		s.publish(false)
		if s.clock != nil && s.clock.IntN(20) == 0 {
			s.set()
		}
	}
}

// set sets the wall clock, which nobody minds.
func (s *simulation) set() {
	const most = 10 * 365 * 24 * time.Hour // less than sessions live, of which records are not corrected
	ahead := time.Duration(s.clock.Int64N(2*int64(most))) - most
	s.SetNow(wallclock.Set(s.Now(), ahead-s.ahead))
	s.ahead = ahead
	s.log("it is %v", s.Now().Round(0))
}

// fault breaks something: the connection for one side, or a side.
func (s *simulation) fault(kind int, side sessiontest.Side) {
	// What is stored goes by the wall clock as it was.
	if kind == 0 || s.clock != nil && s.expiry {
		s.log("half open")
		s.HalfOpen()
		return
	}
	s.log("crash of %v", side)
	s.torn = s.losing
	s.sides[side].crash()
	s.Crash(side)
}

// done reports whether everything was published and acknowledged, and the client
// is connected.
func (s *simulation) done() bool {
	if s.Client.Status() != session.StatusConnected {
		return false
	}
	for i, p := range s.sides {
		st := s.State(sessiontest.Side(i))
		if p.published < p.total || st == nil || st.Inflight()+st.Queued()+st.Received() > 0 {
			return false
		}
	}
	// Messages of QoS 0 may still be under way.
	return !s.calm || s.sides[0].sent0 == s.sides[1].got0 && s.sides[1].sent0 == s.sides[0].got0 || s.expiry
}

// check finds what was lost.
func (s *simulation) check() error {
	for i, p := range s.sides {
		other := s.sides[1-i]
		for m := range p.total {
			switch {
			case other.got[m] > 0 || p.excused[m]:
			case qos(m) > codec.QoS0:
				return fmt.Errorf("message %d of the %v was lost", m, sessiontest.Side(i))
			case s.calm && !s.expiry:
				return fmt.Errorf("message %d of the %v was lost, though nothing happened", m, sessiontest.Side(i))
			}
		}
	}
	return nil
}

func (s *simulation) log(format string, args ...any) {
	if !s.traced {
		return
	}
	s.trace = append(s.trace, s.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}
