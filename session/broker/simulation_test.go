package broker_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
	"github.com/mqttcore/mqttcore/session/internal/wallclock"
)

var (
	seeds = flag.Uint64("seeds", 2000, "number of simulations")
	seed  = flag.Uint64("seed", 0, "the only simulation to run")
)

// simulation is a broker with many clients, whose connections are cut and which
// dies itself, all by the numbers of one seed.
type simulation struct {
	r       *rand.Rand
	now     time.Time
	cfg     broker.Config
	b       *broker.Broker
	disk    disk
	unit    unit
	m       *model
	peers   []*peer
	byConn  map[broker.Handle]*peer
	bug     func(*broker.Event) bool // drops an event of the broker: a planted fault
	restart int                      // how often the broker died
	rules   bool                     // there is a Policy
	bounded bool                     // queues are short
	dropped int                      // by brokers that died
	passed  int                      // from one member of a shared subscription to another, as far
	clock   *rand.Rand               // of the wall clock, if it is set; times have monotonic readings then
	ahead   time.Duration            // how far it was set ahead
}

func newSimulation(seed uint64) *simulation {
	s := &simulation{r: rand.New(rand.NewPCG(seed, 7)), now: start, disk: disk{}, m: newModel(), byConn: make(map[broker.Handle]*peer)}
	s.cfg.Server.Persist = true
	s.cfg.Server.Queue.Messages = -1
	if s.bounded = s.r.IntN(6) == 0; s.bounded {
		s.cfg.Server.Queue = session.QueueLimits{Messages: 1 + s.r.IntN(6), Policy: session.QueueDropOldest}
	}
	s.cfg.Server.HighWater = 1 << (6 + s.r.IntN(11))
	s.cfg.Server.ReferenceSize = 1 + s.r.IntN(64)
	if s.r.IntN(2) == 0 {
		s.cfg.Server.TopicAliases = session.AliasAuto
	}
	if s.rules = s.r.IntN(2) == 0; s.rules {
		s.cfg.Policy = s.policy()
	}
	if s.r.IntN(4) == 0 {
		s.cfg.MessagesPerSecond = 2
	}
	if s.r.IntN(4) == 0 {
		s.cfg.Sys.Interval = 5 * time.Second
	}
	if seed%2 == 0 {
		s.clock, s.now = rand.New(rand.NewPCG(seed, 8)), wallclock.From(s.now)
	}
	s.b = broker.New(s.cfg)
	s.b.Scrub()
	room := &broker.Endpoint{Name: "room", MountPoint: "room/"}
	for i := range 2 + s.r.IntN(12) + s.r.IntN(2)*s.r.IntN(36) {
		p := &peer{s: s, id: fmt.Sprint("c", i), v: bothVersions[s.r.IntN(2)]}
		if i%4 == 3 {
			p.id = fmt.Sprint("w", i) // of shared subscriptions alone
		}
		if i%5 == 2 {
			p.at = room
		}
		p.reset()
		s.peers = append(s.peers, p)
	}
	return s
}

// serve handles the events of the broker, up to the given number. It reports
// false if there were more.
func (s *simulation) serve(most int) bool {
	for ev := range s.b.Events() {
		if most--; most == 0 {
			return false
		}
		if s.bug != nil && s.bug(&ev) {
			continue
		}
		p := s.byConn[ev.Conn]
		switch ev.Kind {
		case events.Store, events.Discard:
			s.unit.add(ev)
		case events.Write:
			s.unit.commit(s.disk)
			if p.h == ev.Conn && p.up {
				for _, b := range ev.Data {
					p.in = append(p.in, b...)
				}
			}
		case events.Connected:
			p.accepted = ev.Conn
			s.m.connected(s.now, p.id, p.clean, p.expiry, ev.SessionPresent(), p.will, p.delay)
		case events.Disconnected:
			p.withdrawn = ev.Reason == 0
		case events.Close:
			if ms := s.m.sessions[p.id]; ms != nil && ms.connected && p.accepted == ev.Conn {
				s.m.closed(s.now, ms, p.withdrawn)
				p.withdrawn = false
			}
			delete(s.byConn, ev.Conn)
			if p.h == ev.Conn {
				p.lose()
			}
		}
	}
	s.unit.commit(s.disk)
	return true
}

// die kills the broker while it served a peer, and starts it from what is
// stored. Of that peer nobody knows what the broker had done already.
func (s *simulation) die(cause *peer) {
	s.restart++
	for _, p := range s.m.messages[1:] {
		if p.from == cause.id {
			p.forbidden = p.dropped // that its Will was cancelled may not be stored
		}
	}
	if ms := s.m.sessions[cause.id]; ms != nil {
		ms.unsure = true
	} else {
		s.m.sessions[cause.id] = &modelSession{id: cause.id, unsure: true, subs: map[string]*modelSub{}, ever: map[string]int{}, got: map[int]int{}, last: map[string]int{}}
	}
	for _, p := range s.peers {
		p.lose()
		p.withdrawn = false
	}
	clear(s.byConn)
	s.unit = nil
	s.dropped += int(s.b.Stats().Dropped)
	s.passed += int(s.b.Stats().Redelivered)
	s.b = broker.New(s.cfg)
	s.b.Scrub()
	if err := s.b.Restore(s.now, s.disk.pairs()); err != nil {
		s.m.problem("Restore: %v", err)
	}
	for _, ms := range s.m.sessions {
		if ms.connected {
			s.m.closed(s.now, ms, false)
		}
	}
	s.serve(-1)
}

// pass lets time go by.
func (s *simulation) pass(d time.Duration) {
	end := s.now.Add(d)
	for at := s.b.Deadline(); !at.IsZero() && !at.After(end); at = s.b.Deadline() {
		s.now = s.now.Add(max(0, at.Sub(s.now)))
		s.m.tick(s.now)
		s.b.Tick(s.now)
		s.serve(-1)
	}
	s.now = end
	s.m.tick(end)
}

// set sets the wall clock, which nobody minds.
func (s *simulation) set() {
	ahead := steps[s.clock.IntN(len(steps))]
	s.now = wallclock.Set(s.now, ahead-s.ahead)
	s.ahead = ahead
	s.b.Tick(s.now)
	s.serve(-1)
}

// policy drops some messages and hides topics, see deny.
func (s *simulation) policy() broker.Policy {
	return broker.Policy{
		Publish: func(_ *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
			if serial, _ := strconv.Atoi(strings.Fields(string(p.Payload))[0]); isDropped(serial) {
				return nil, 0
			}
			return p, 0
		},
		Deliver: func(c *broker.Client, p *codec.Publish, _ *broker.Client) bool {
			return s.m.denied[denial{c.ID, string(p.Topic)}] == 0
		},
	}
}

// deny hides a topic from a client from now on.
func (s *simulation) deny() {
	if p := s.peers[s.r.IntN(len(s.peers))]; !p.worker() {
		s.m.deny(p.id, p.full(simTopics[s.r.IntN(len(simTopics))]))
		s.b.Recheck(s.now)
		s.serve(-1)
	}
}

func (s *simulation) step() {
	if s.rules && s.r.IntN(30) == 0 {
		s.deny()
	}
	if s.clock != nil && s.clock.IntN(20) == 0 {
		s.set()
	}
	p := s.peers[s.r.IntN(len(s.peers))]
	switch op := s.r.IntN(100); {
	case !p.up && op < 50:
		p.connect()
	case op < 25:
		p.publish()
	case op < 33:
		p.subscribe()
	case op < 36:
		p.unsubscribe()
	case op < 39 && p.up: // both sides notice
		s.b.Closed(s.now, p.h, nil)
		s.serve(-1)
	case op < 41 && p.up: // the broker does not
		p.lose()
	case op < 43 && p.up && p.c.Status() == session.StatusConnected:
		p.leave()
	case op < 44:
		s.pass(time.Duration(s.r.IntN(20000)) * time.Millisecond)
	case op < 46 && p.up:
		s.b.SetWriteBlocked(s.now, p.h, s.r.IntN(2) == 0)
		s.serve(-1)
	default:
		p.move(false, op == 99)
	}
}

// finish lets everybody come back and everything arrive.
func (s *simulation) finish() {
	for round := range 400 {
		s.pass(200 * time.Millisecond)
		for _, p := range s.peers {
			if p.up {
				s.b.SetWriteBlocked(s.now, p.h, false)
			} else if round < 300 {
				p.comeBack()
			}
			s.serve(-1)
			p.move(true, false)
		}
	}
	s.passed += int(s.b.Stats().Redelivered)
	missing := s.m.settle()
	if dropped := s.dropped + int(s.b.Stats().Dropped); len(missing) > 0 && (!s.bounded || len(missing) > dropped) {
		s.m.problem("%s; %d missing, %d dropped", missing[0], len(missing), dropped)
	}
	s.checkRecords()
	s.checkRetained()
}

// checkRetained compares what is stored with what the model knows.
func (s *simulation) checkRetained() {
	p := &peer{s: s, id: "last", v: codec.V5}
	p.reset()
	s.peers = append(s.peers, p)
	stored := make(map[string]bool)
	for key := range s.disk {
		if key[0] == 'r' {
			stored[key[1:]] = true
			if key[1] == '$' {
				s.m.problem("%s is stored", key)
			}
		}
	}
	s.checkBodies()
	for topic, serial := range s.m.retained {
		if serial > 0 && !stored[topic] {
			s.m.problem("the retained message %d of %s is not stored", serial, topic)
		}
	}
	if n := s.b.Stats().Retained; s.cfg.Sys.Interval == 0 && n != len(stored) {
		s.m.problem("%d retained messages, %d stored", n, len(stored))
	}
}

func simulate(seed uint64, bug func(*broker.Event) bool) (s *simulation) {
	s = newSimulation(seed)
	s.bug = bug
	defer func() {
		if r := recover(); r != nil {
			s.m.problem("panic: %v", r)
		}
	}()
	for range 100 + 40*len(s.peers) {
		s.step()
		if s.r.IntN(20) == 0 {
			s.checkRecords()
		}
		if len(s.m.problems) > 0 {
			return s
		}
	}
	s.finish()
	return s
}

func TestSimulation(t *testing.T) {
	first, end := uint64(0), *seeds
	switch {
	case *seed != 0:
		first, end = *seed, *seed+1
	case testing.Short():
		end = 50
	}
	var messages, wants, passed, restarts int
	for n := first; n < end; n++ {
		s := simulate(n, nil)
		if len(s.m.problems) > 0 {
			t.Fatalf("seed %d: %s\nreplay: go test ./session/broker -run 'TestSimulation$' -v -seed %d",
				n, strings.Join(s.m.problems[:min(5, len(s.m.problems))], "\n"), n)
		}
		messages, wants, passed, restarts = messages+len(s.m.messages), wants+len(s.m.wants), passed+s.passed, restarts+s.restart
	}
	t.Logf("%d messages, %d deliveries that had to happen, %d to another member of a shared subscription, %d deaths of the broker", messages, wants, passed, restarts)
}

// The simulation finds what it is meant to find: each fault shows within a few
// seeds.
func TestSimulationFindsFaults(t *testing.T) {
	about := func(kind events.Kind, first byte, second byte) func(*broker.Event) bool {
		return func(ev *broker.Event) bool {
			return ev.Kind == kind && len(ev.Key) > 0 && ev.Key[0] == first && (first == 'r' || len(ev.Key) > 9 && ev.Key[9] == second)
		}
	}
	for name, bug := range map[string]func(*broker.Event) bool{
		"messages are not stored":          about(events.Store, 's', 'm'),
		"messages are not removed":         about(events.Discard, 's', 'm'),
		"subscriptions are not stored":     about(events.Store, 's', 'f'),
		"what was lent is not stored":      about(events.Store, 's', 'l'),
		"what was lent is not removed":     about(events.Discard, 's', 'l'),
		"Wills are not stored":             about(events.Store, 's', 'w'),
		"Wills are not removed":            about(events.Discard, 's', 'w'),
		"retained messages are not stored": about(events.Store, 'r', 0),
		"ended sessions stay":              func(ev *broker.Event) bool { return ev.Prefix },
	} {
		found := false
		for seed := uint64(0); seed < 1000 && !found; seed++ {
			s := simulate(seed, bug)
			if found = len(s.m.problems) > 0; found {
				t.Logf("%s: seed %d: %s", name, seed, s.m.problems[0])
			}
		}
		if !found {
			t.Errorf("%s: not found", name)
		}
	}
}
