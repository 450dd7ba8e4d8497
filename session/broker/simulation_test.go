package broker_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
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
}

// peer is one client.
type peer struct {
	s          *simulation
	id         string
	v          codec.Version
	c          *session.Client
	h          broker.Handle
	accepted   broker.Handle // by the broker, the last one
	up         bool          // the client has a transport
	out, in    []byte
	clean      bool // of the CONNECT under way
	fresh      bool // nothing is left of a session
	expiry     uint32
	will       int
	delay      uint32
	withdrawn  bool
	serials    map[uint64]int       // of messages by token
	subscribes map[uint64]*modelSub // by token
	leaves     map[uint64]*modelSub
}

func newSimulation(seed uint64) *simulation {
	s := &simulation{r: rand.New(rand.NewPCG(seed, 7)), now: start, disk: disk{}, m: newModel(), byConn: make(map[broker.Handle]*peer)}
	s.cfg.Server.Persist = true
	s.cfg.Server.Queue.Messages = -1
	s.cfg.Server.HighWater = 1 << (6 + s.r.IntN(11))
	s.cfg.Server.ReferenceSize = 1 + s.r.IntN(64)
	if s.r.IntN(2) == 0 {
		s.cfg.Server.TopicAliases = session.AliasAuto
	}
	s.b = broker.New(s.cfg)
	for i := range 2 + s.r.IntN(12) + s.r.IntN(2)*s.r.IntN(36) {
		p := &peer{s: s, id: fmt.Sprint("c", i), v: bothVersions[s.r.IntN(2)]}
		if i%4 == 3 {
			p.id = fmt.Sprint("w", i) // of shared subscriptions alone
		}
		p.reset()
		s.peers = append(s.peers, p)
	}
	return s
}

func (p *peer) reset() {
	cfg := session.ClientConfig{Version: p.v, ConnackTimeout: -1}
	cfg.Queue.Messages = -1
	p.c = session.NewClient(cfg)
	p.serials, p.subscribes, p.leaves = make(map[uint64]int), make(map[uint64]*modelSub), make(map[uint64]*modelSub)
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
			s.unit = append(s.unit, ev)
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

// lose ends the client's side of the transport.
func (p *peer) lose() {
	if p.up {
		p.up, p.out, p.in = false, nil, nil
		p.c.Closed(p.s.now, nil)
		p.pull()
	}
}

// pull handles the events of the client.
func (p *peer) pull() {
	m := p.s.m
	for ev := range p.c.Events() {
		switch ev.Kind {
		case events.Write:
			for _, b := range ev.Data {
				p.out = append(p.out, b...)
			}
		case events.Message:
			fields := strings.Fields(string(ev.Publish.Payload))
			serial, _ := strconv.Atoi(fields[0])
			m.received(p.id, serial, ev.Publish)
		case events.Published:
			if serial := p.serials[ev.Token]; serial > 0 {
				m.acknowledged(serial)
			}
			delete(p.serials, ev.Token)
		case events.Dropped:
			if serial := p.serials[ev.Token]; serial > 0 && m.messages[serial].retain {
				m.retained[m.messages[serial].topic] = -1
			}
			delete(p.serials, ev.Token)
		case events.Unsubscribed:
			if sub := p.leaves[ev.Token]; sub != nil && sub.session.subs[sub.filter] == nil {
				sub.session.ever[sub.filter] = len(m.messages)
			}
		case events.Connected:
			p.fresh = false
		case events.Subscribed:
			if sub := p.subscribes[ev.Token]; sub != nil {
				sub.sure = !sub.session.over && m.sessions[p.id] == sub.session
			}
		case events.Close:
			if p.up {
				p.up, p.in = false, nil
			}
		}
	}
}

// session returns what the model knows of the peer, or nil.
func (p *peer) session() *modelSession {
	if ms := p.s.m.sessions[p.id]; ms != nil && !ms.over && ms.connected && !ms.unsure && p.c.Status() == session.StatusConnected {
		return ms
	}
	return nil
}

func (p *peer) worker() bool { return p.id[0] == 'w' }

// connect opens a transport, perhaps while the broker still holds the last one.
func (p *peer) connect() {
	s := p.s
	q := &codec.Connect{ClientID: codec.Bytes(p.id)}
	// A client that asked for a clean start has nothing to go on with.
	p.clean = p.fresh || s.r.IntN(6) == 0 && !p.worker()
	p.fresh = p.clean
	q.CleanStart = p.clean
	p.expiry, p.will, p.delay = 1<<30, 0, 0
	if p.v.IsV5() {
		if p.expiry = []uint32{1 << 30, 1 << 30, 25, 0}[s.r.IntN(4)]; p.worker() {
			p.expiry = 1 << 30
		}
		if p.expiry > 0 {
			q.Properties.SessionExpiryInterval = codec.Some(p.expiry)
		}
		if s.r.IntN(2) == 0 {
			q.Properties.ReceiveMaximum = codec.Some(uint16(1 + s.r.IntN(5)))
		}
		q.Properties.TopicAliasMaximum = codec.Some(uint16(s.r.IntN(4)))
	} else if p.clean {
		p.expiry = 0
	}
	if s.r.IntN(3) == 0 {
		if p.v.IsV5() {
			p.delay = uint32(s.r.IntN(3) * 15)
		}
		p.will = p.message("will/"+p.id, codec.QoS1, false)
		w := codec.Will{Topic: codec.Bytes("will/" + p.id), Payload: codec.Bytes(fmt.Sprint(p.will)), QoS: codec.QoS1}
		if p.delay > 0 {
			w.Properties.WillDelayInterval = codec.Some(p.delay)
		}
		q.Will = codec.Some(w)
	}
	if p.c.Connect(s.now, q) != nil {
		return
	}
	p.h, p.up, p.out, p.in = s.b.Open(s.now, nil), true, nil, nil
	s.byConn[p.h] = p
	s.serve(-1)
	p.pull()
}

// message returns a new serial number.
func (p *peer) message(topic string, qos codec.QoS, retain bool) int {
	m := p.s.m
	m.messages = append(m.messages, &modelMessage{topic: topic, from: p.id, qos: qos, retain: retain})
	return len(m.messages) - 1
}

var (
	simTopics  = []string{"a", "a/b", "a/b/c", "b", "b/c"}
	simFilters = []string{"a", "a/+", "#", "a/#", "+/b", "will/+", "+", "b/c"}
	simShared  = []string{"$share/g/#", "$share/h/a/#"}
)

func (p *peer) publish() {
	r := p.s.r
	topic, qos, retain := simTopics[r.IntN(len(simTopics))], codec.QoS(r.IntN(3)), r.IntN(5) == 0
	if retain {
		topic, qos = "kept/"+p.id, codec.QoS(1+r.IntN(2)) // by one client alone
	}
	if qos == 0 && !p.up {
		return
	}
	serial := p.message(topic, qos, retain)
	q := &codec.Publish{Topic: codec.Bytes(topic), Payload: codec.Bytes(fmt.Sprint(serial, " ", strings.Repeat("x", r.IntN(50)))), QoS: qos, Retain: retain}
	p.s.m.publish(serial)
	if token, err := p.c.Publish(p.s.now, q); err == nil && qos > 0 {
		p.serials[token] = serial
	}
}

func (p *peer) subscribe() {
	ms := p.session()
	if ms == nil {
		return
	}
	list := simFilters
	if p.worker() {
		list = simShared[len(p.id)-2 : len(p.id)-1] // one of them, or its messages come twice
	}
	f := list[p.s.r.IntN(len(list))]
	if old := ms.subs[f]; old != nil {
		if p.worker() {
			return
		}
		old.gone = true
	}
	sub := &modelSub{session: ms, filter: f, qos: codec.QoS(p.s.r.IntN(3))}
	if p.worker() {
		sub.qos = codec.QoS2
	}
	ms.subs[f], ms.ever[f] = sub, math.MaxInt
	token, err := p.c.Subscribe(p.s.now, &codec.Subscribe{Filters: []codec.Subscription{{Filter: codec.Bytes(f), QoS: sub.qos}}})
	if err == nil {
		p.subscribes[token] = sub
	}
}

func (p *peer) unsubscribe() {
	ms := p.session()
	if ms == nil || p.worker() {
		return
	}
	f := simFilters[p.s.r.IntN(len(simFilters))]
	if sub := ms.subs[f]; sub != nil {
		sub.gone = true
		delete(ms.subs, f)
		if token, err := p.c.Unsubscribe(p.s.now, &codec.Unsubscribe{Filters: []codec.Bytes{codec.Bytes(f)}}); err == nil {
			p.leaves[token] = sub
		}
	}
}

// move carries some of what is under way. The broker may die meanwhile.
func (p *peer) move(all, deadly bool) {
	s := p.s
	p.pull()
	n := len(p.out)
	if !all && n > 0 {
		n = 1 + s.r.IntN(n)
	}
	if n > 0 && p.up {
		piece := slices.Clone(p.out[:n])
		p.out = p.out[n:]
		s.b.Receive(s.now, p.h, piece)
		most := -1
		if deadly {
			most = 1 + s.r.IntN(8)
		}
		if !s.serve(most) {
			s.die(p)
			return
		}
		clear(piece)
	}
	n = len(p.in)
	if !all && n > 0 {
		n = 1 + s.r.IntN(n)
	}
	if n > 0 && p.up {
		p.c.Receive(s.now, p.in[:n])
		p.pull()
		if len(p.in) >= n {
			p.in = p.in[n:]
		}
	}
}

// die kills the broker while it served a peer, and starts it from what is
// stored. Of that peer nobody knows what the broker had done already.
func (s *simulation) die(cause *peer) {
	s.restart++
	for _, p := range s.m.messages[1:] {
		if p.from == cause.id {
			p.forbidden = false // that its Will was cancelled may not be stored
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
	s.b = broker.New(s.cfg)
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
		if at.After(s.now) {
			s.now = at
		}
		s.m.tick(s.now)
		s.b.Tick(s.now)
		s.serve(-1)
	}
	s.now = end
	s.m.tick(end)
}

func (s *simulation) step() {
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
		_ = p.c.Disconnect(s.now, nil)
		p.pull()
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
	for _, p := range s.peers {
		if ms := s.m.sessions[p.id]; !p.up && (ms == nil || !ms.over) {
			p.connect()
			for p.will != 0 {
				p.lose()
				p.connect()
			}
		}
	}
	for range 400 {
		for _, p := range s.peers {
			if p.up {
				s.b.SetWriteBlocked(s.now, p.h, false)
			}
			s.serve(-1)
			p.move(true, false)
		}
	}
	s.m.settle()
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
		}
	}
	for topic, serial := range s.m.retained {
		if serial > 0 && !stored[topic] {
			s.m.problem("the retained message %d of %s is not stored", serial, topic)
		}
	}
	if n := s.b.Stats().Retained; n != len(stored) {
		s.m.problem("%d retained messages, %d stored", n, len(stored))
	}
}

func simulate(seed uint64, bug func(*broker.Event) bool) *simulation {
	s := newSimulation(seed)
	s.bug = bug
	for range 100 + 40*len(s.peers) {
		s.step()
		if len(s.m.problems) > 0 {
			return s
		}
	}
	s.finish()
	return s
}

func TestSimulation(t *testing.T) {
	seeds := uint64(2000)
	if testing.Short() {
		seeds = 50
	}
	var messages, wants, restarts int
	for seed := range seeds {
		s := simulate(seed, nil)
		if len(s.m.problems) > 0 {
			t.Fatalf("seed %d: %s", seed, strings.Join(s.m.problems[:min(5, len(s.m.problems))], "\n"))
		}
		messages, wants, restarts = messages+len(s.m.messages), wants+len(s.m.wants), restarts+s.restart
	}
	t.Logf("%d messages, %d deliveries that had to happen, %d deaths of the broker", messages, wants, restarts)
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
