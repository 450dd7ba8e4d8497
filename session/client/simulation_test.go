package client_test

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
	"github.com/mqttcore/mqttcore/session/internal/wallclock"
)

var (
	seeds = flag.Int("seeds", 1500, "number of seeds of the simulation")
	seed  = flag.Uint64("seed", 0, "run the simulation with this seed only, and print its trace")
)

// TestSimulation lets a client and a server do random things over a bad
// network: connections that cannot be opened, are refused, hang or are cut at
// any byte, and servers that lose sessions. Replay a seed with
// go test ./session/client -run TestSimulation -seed N -v
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		w := simulate(*seed)
		t.Log(w.out.String())
		for _, f := range w.faults {
			t.Error(f)
		}
		return
	}
	n := uint64(*seeds)
	if testing.Short() {
		n /= 10
	}
	total := map[string]int{}
	for s := uint64(1); s <= n; s++ {
		w := simulate(s)
		for what, n := range w.counts {
			total[what] += n
		}
		if len(w.faults) > 0 {
			t.Fatalf("seed %d: %v\n%s", s, w.faults, w.out.String())
		}
		if s%50 == 0 && hash(simulate(s)) != hash(w) {
			t.Fatalf("seed %d: two runs differ", s)
		}
	}
	t.Log(total)
	for _, what := range simulated {
		if total[what] == 0 {
			t.Errorf("never happened: %s", what)
		}
	}
}

// simulated is what a simulation has to have seen to mean anything.
var simulated = []string{
	"cut", "refused", "openfail", "hang", "session lost", "session went on", "orphaned", "kicked", "stopped",
	"dropped: queue is full", "dropped: session state was lost", "dropped: transport closed", "dropped: message expired",
	"response", "no response in time", "late", "subscription refused", "subscription restored", "unsubscribed",
	"message to handler", "message to nobody", "inside",
}

func hash(w *world) uint64 {
	h := fnv.New64()
	h.Write([]byte(w.out.String()))
	return h.Sum64()
}

// sent is a message that the client published.
type sent struct {
	number   int
	qos      codec.QoS
	outcomes int
	ok       bool
	orphaned bool
	arrived  int
}

// world is a simulation.
type world struct {
	*rig
	rng      *rand.Rand
	counts   map[string]int
	faults   []string
	calm     bool // nothing goes wrong any more
	number   int
	sent     map[uint64]*sent
	byName   map[string]*sent
	last     int // number of the message that arrived last for the first time
	asked    map[uint64]int
	filters  map[string]remote    // at the server
	downward map[string]*delivery // of the server
	tokens   map[uint64]*delivery
	wire     []byte // to the client
	late     []*codec.Publish
	up       bool
	orphans  client.OrphanPolicy
}

// remote is a subscription at the server.
type remote struct {
	qos codec.QoS
	id  uint32
}

// delivery is a message that the server sent.
type delivery struct {
	qos     codec.QoS
	arrived int
	done    bool
	inside  bool
}

func (w *world) fault(format string, args ...any) {
	w.faults = append(w.faults, fmt.Sprintf(format, args...))
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

func simulate(seed uint64) *world {
	w := &world{
		rig: newRig(nil), rng: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{},
		sent: map[uint64]*sent{}, byName: map[string]*sent{}, asked: map[uint64]int{},
		filters: map[string]remote{}, downward: map[string]*delivery{}, tokens: map[uint64]*delivery{},
	}
	clock := rand.New(rand.NewPCG(seed, 2)) // of the wall clock, if times have monotonic readings
	real := seed%3 == 0
	if real {
		w.now = wallclock.From(w.now)
	}
	w.configure()
	w.check(w.c.Start(w.now))
	for range 60 + w.rng.IntN(100) {
		w.act()
		w.serve()
		if real && clock.IntN(20) == 0 {
			w.now = wallclock.Set(w.now, time.Duration(clock.IntN(2000)-1000)*time.Hour) // which nobody minds
		}
	}
	w.settle()
	w.verify()
	return w
}

func (w *world) check(err error) {
	if err != nil {
		w.fault("%v", err)
	}
}

func (w *world) configure() {
	var cfg client.Config
	if w.chance(30) {
		w.version = codec.V311
	}
	cfg.Session.Version = w.version
	cfg.Session.Queue = session.QueueLimits{Messages: -1}
	if w.chance(30) {
		cfg.Session.Queue = session.QueueLimits{Messages: 1 + w.rng.IntN(10), Policy: session.QueuePolicy(w.rng.IntN(3))}
	}
	cfg.Session.Persist = w.chance(30)
	cfg.Session.MaximumInflight = uint16(w.rng.IntN(4))
	cfg.Session.HighWater = 1 + w.rng.IntN(1000)
	cfg.Backoff = client.Backoff{Minimum: time.Second, Maximum: 10 * time.Second, Jitter: 0.3, Random: w.rng.Float64, Stable: 20 * time.Second}
	cfg.FiltersPerPacket = w.rng.IntN(4)
	cfg.NoIdentifiers = w.chance(30)
	w.orphans = client.OrphanPolicy(w.rng.IntN(3))
	cfg.Orphans = w.orphans
	cfg.Requests = client.Requests{ResponseTopic: "r/c", Maximum: 5, Timeout: 5 * time.Second}
	connect := &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: w.chance(30), KeepAlive: uint16(w.rng.IntN(30))}
	if w.version.IsV5() && w.chance(70) {
		connect.Properties.SessionExpiryInterval = codec.Some(uint32(1000))
	}
	cfg.Connect = connect
	w.c = client.New(cfg)
}

// act does one random thing.
func (w *world) act() {
	switch n := w.rng.IntN(100); {
	case n < 30:
		w.publish()
	case n < 40:
		w.subscribe()
	case n < 45:
		w.printf("unsubscribe")
		w.check(w.c.Unsubscribe(w.now, w.filter()))
	case n < 53:
		w.request()
	case n < 68:
		w.send()
	case n < 74:
		w.cut()
	case n < 76 && w.up:
		w.counts["kicked"]++
		_ = w.s.Disconnect(w.now, &codec.Disconnect{})
	case n < 78:
		w.c.SetWriteBlocked(w.now, true)
	case n < 82:
		w.c.SetWriteBlocked(w.now, false)
	case n < 84:
		w.c.Retry(w.now)
	case n < 85:
		if w.c.Stop(w.now, nil) == nil {
			w.counts["stopped"]++
		}
	case n < 87:
		w.answerLate()
	default:
		w.pass(time.Duration(w.rng.IntN(3000)) * time.Millisecond)
	}
}

// pass lets time go by, with a Tick at every deadline.
func (w *world) pass(d time.Duration) {
	end := w.now.Add(d)
	for {
		at := w.c.Deadline()
		if at.IsZero() || at.After(end) {
			break
		}
		w.now = w.now.Add(at.Sub(w.now))
		w.c.Tick(w.now)
		w.serve()
	}
	w.now = end
	w.c.Tick(end)
	if w.s != nil {
		w.s.Tick(end)
	}
}

func (w *world) topic() string { return fmt.Sprintf("t/%d", w.rng.IntN(4)) }
func (w *world) filter() string {
	return []string{"t/0", "t/1", "t/+", "t/#", "#", "x", "+/3"}[w.rng.IntN(7)]
}

func (w *world) message(topic string) *codec.Publish {
	w.number++
	p := &codec.Publish{Topic: codec.Bytes(topic), QoS: codec.QoS(w.rng.IntN(3)), Payload: codec.Bytes(fmt.Sprintf("c%d", w.number))}
	if w.version.IsV5() && w.chance(10) {
		p.Properties.MessageExpiryInterval = codec.Some(uint32(1 + w.rng.IntN(5)))
	}
	return p
}

func (w *world) publish() {
	p := w.message(w.topic())
	token, err := w.c.Publish(w.now, p)
	w.printf("publish %s QoS %d: %d %v", p.Payload, p.QoS, token, err)
	w.published(token, err, p)
}

func (w *world) published(token uint64, err error, p *codec.Publish) {
	if err != nil {
		if !errors.Is(err, session.ErrQueueFull) && !errors.Is(err, session.ErrLimit) {
			w.fault("publish: %v", err)
		}
		return
	}
	m := &sent{number: w.number, qos: p.QoS}
	if w.sent[token] != nil {
		w.fault("token %d given out twice", token)
	}
	w.sent[token], w.byName[string(p.Payload)] = m, m
}

func (w *world) subscribe() {
	var list []codec.Subscription
	for range 1 + w.rng.IntN(3) {
		list = append(list, codec.Subscription{Filter: codec.Bytes(w.filter()), QoS: codec.QoS(w.rng.IntN(3))})
	}
	w.printf("subscribe %v", list)
	w.check(w.c.Subscribe(w.now, w.handle(list), list...))
}

// handle returns a handler for the filters, which now and then does something.
func (w *world) handle(list []codec.Subscription) client.Handler {
	return func(now time.Time, m client.Incoming) {
		w.printf("handler %s %s", m.Topic, m.Payload)
		w.counts["message to handler"]++
		matches := false
		for _, s := range list {
			matches = matches || codec.Match(s.Filter, m.Topic)
		}
		if !matches {
			w.fault("%s went to the handler of %v", m.Topic, list)
		}
		w.received(m.Publish)
		if !now.Equal(w.now) {
			w.fault("handler at %v, it is %v", now, w.now)
		}
		before := string(m.Payload)
		if w.chance(20) {
			w.counts["inside"]++
			switch w.rng.IntN(4) {
			case 0:
				w.publish()
			case 1:
				w.subscribe()
			case 2:
				w.check(w.c.Unsubscribe(now, w.filter()))
			case 3:
				w.request()
			}
		}
		if _, ok := w.c.Next(); ok || string(m.Payload) != before {
			w.fault("Next within a handler, or the message changed")
		}
	}
}

// received counts a message of the server once for each delivery: its handlers
// are called one after the other, with nothing in between.
func (w *world) received(p *codec.Publish) {
	d := w.downward[string(p.Payload)]
	if d == nil {
		w.fault("unknown message %q", p.Payload)
		return
	}
	if !d.inside {
		d.arrived++
		d.inside = true
	}
}

func (w *world) request() {
	if !w.version.IsV5() {
		return
	}
	p := w.message("q")
	var h client.ResponseHandler
	if w.chance(50) {
		h = func(_ time.Time, token uint64, p *codec.Publish, err error) { w.answered(token, p, err) }
	}
	token, err := w.c.Request(w.now, p, 0, h)
	w.printf("request %s QoS %d: %d %v", p.Payload, p.QoS, token, err)
	w.published(token, err, p)
	if err == nil {
		w.asked[token] = 1
	}
}

// answered is the end of a request.
func (w *world) answered(token uint64, p *codec.Publish, err error) {
	w.printf("answered %d %v", token, err)
	if w.asked[token] != 1 {
		w.fault("request %d ended with state %d", token, w.asked[token])
	}
	w.asked[token]++
	switch {
	case err == nil:
		w.counts["response"]++
		if w.sent[token] != w.byName[string(p.Payload)] {
			w.fault("request %d got the response of %s", token, p.Payload)
		}
	case errors.Is(err, client.ErrNoResponse):
		w.counts["no response in time"]++
	}
}
