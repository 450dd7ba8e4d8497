package crashtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }

// kills is how often the broker is killed.
const kills = 50

// host runs the broker in a folder, again and again.
type host struct {
	t      *testing.T
	folder string
	at     address
	port   string
	broker *programtest.Process
}

func (h *host) args() []string {
	return []string{"--folder", h.folder, "--max-queued-messages", "1000000"}
}

func (h *host) start() {
	h.t.Helper()
	h.broker, h.port = programtest.Broker(h.t, h.args()...)
	address := "127.0.0.1:" + h.port
	h.at.Store(&address)
}

func (h *host) kill() {
	h.broker.Signal(syscall.SIGKILL)
	h.broker.Wait(limit)
	h.at.Store(nil)
}

// killEarly kills the broker while it starts.
func (h *host) killEarly() {
	p := programtest.Start(h.t, nil, "broker", append(h.args(), "-p", "0")...)
	<-time.After(time.Duration(rand.IntN(60)) * time.Millisecond)
	p.Signal(syscall.SIGKILL)
	p.Wait(limit)
}

// The broker is killed at random moments while clients of both versions publish,
// subscribe and leave Wills. Nothing that it acknowledged is missing afterwards,
// and nothing of QoS 2 came twice.
func TestKill(t *testing.T) {
	h := &host{t: t, folder: t.TempDir()}
	h.start()
	s := newScene(t, &h.at)
	for round := range kills {
		if round > 0 {
			h.start()
		}
		s.begin(round, h.port)
		<-time.After(time.Duration(rand.IntN(150)) * time.Millisecond)
		h.kill()
		s.killed(round)
		if round%5 == 0 {
			h.killEarly()
		}
	}
	h.start()
	s.check(h.port)
	h.broker.Signal(syscall.SIGTERM)
	if code := h.broker.Wait(limit); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// scene is all clients of the test.
type scene struct {
	t          *testing.T
	at         *address
	publishers []*publisher
	retained   *publisher
	here       []*receiver // as long as the test lasts
	away       []*receiver // at its begin and at its end
	wills      *receiver
	changing   *receiver // whose subscriptions change
	shared     *shared
	wanted     map[string]bool
	left       map[string]will
	pending    []*actor
	mosquitto  *mosquitto
}

// will is one that has to come.
type will struct {
	killed time.Time
	delay  time.Duration
}

func newScene(t *testing.T, at *address) *scene {
	s := &scene{t: t, at: at, left: make(map[string]will), wanted: make(map[string]bool)}
	for i, v := range []codec.Version{codec.V5, codec.V311} {
		s.here = append(s.here, newReceiver(t, at, v, fmt.Sprint("here", i), codec.QoS2, "q1/#", "q2/#", "m/#"))
		away := newReceiver(t, at, v, fmt.Sprint("away", i), codec.QoS2, "q1/#", "q2/#")
		away.stop()
		s.away = append(s.away, away)
	}
	s.wills = newReceiver(t, at, codec.V5, "wills", codec.QoS2, "will/#")
	s.changing = newReceiver(t, at, codec.V5, "changing", codec.QoS1)
	s.shared = newShared(t, at)
	for i, v := range []codec.Version{codec.V5, codec.V311} {
		s.publishers = append(s.publishers,
			newPublisher(t, at, v, fmt.Sprint("q1/", i), codec.QoS1, 50, 0),
			newPublisher(t, at, v, fmt.Sprint("q2/", i), codec.QoS2, 50, 0))
	}
	s.retained = newPublisher(t, at, codec.V5, "retained", codec.QoS1, 2, 16)
	s.mosquitto = newMosquitto(t)
	return s
}

// begin lets things happen that the end of the round interrupts.
func (s *scene) begin(round int, port string) {
	s.mosquitto.begin(port)
	s.shared.begin(round)
	version, delay := codec.V311, time.Duration(0)
	if round%2 == 0 {
		version, delay = codec.V5, time.Duration(round%3)*time.Second
	}
	name := fmt.Sprint("will/", round)
	a := &actor{t: s.t, name: name}
	a.start(s.at, version, func(c *codec.Connect) {
		w := codec.Will{QoS: codec.QoS2, Topic: codec.Bytes(name), Payload: codec.Bytes(name)}
		if version == codec.V5 {
			w.Properties.WillDelayInterval = codec.Some(uint32(delay / time.Second))
		}
		c.Will = codec.Some(w)
	})
	s.pending = append(s.pending, a)
	a.await("connected", func() bool { return a.connected })
	s.left[name] = will{delay: delay}
	s.changing.call(func() {
		filter, old := fmt.Sprint("s/", round), fmt.Sprint("s/", round-5)
		s.changing.subscribe(codec.QoS1, filter)
		s.wanted[filter] = true
		if round%2 == 0 && s.wanted[old] {
			delete(s.wanted, old)
			if err := s.changing.client.Unsubscribe(time.Now(), old); err != nil {
				s.t.Error(err)
			}
		}
	})
}

// killed takes away the clients that must not come back.
func (s *scene) killed(round int) {
	for name, w := range s.left {
		if w.killed.IsZero() {
			w.killed = time.Now()
			s.left[name] = w
		}
	}
	for _, a := range s.pending {
		a.stop()
	}
	s.pending = nil
	s.shared.end()
	s.mosquitto.end()
}

func (s *scene) check(port string) {
	total := 0
	for _, p := range append(s.publishers, s.retained) {
		p.drain()
		total += p.acked
	}
	for _, r := range s.away {
		r.restart(s.at)
	}
	for _, r := range append(s.here, s.away...) {
		for _, p := range s.publishers {
			s.complete(r, p)
		}
	}
	s.shared.check(s.publishers)
	s.checkWills()
	s.checkRetained()
	s.checkSubscriptions()
	s.mosquitto.check(s.here, port)
	s.t.Logf("%d messages acknowledged, %d Wills, %d by mosquitto_pub", total, len(s.left), len(s.mosquitto.acked))
	for _, r := range append(append(s.here, s.away...), s.wills, s.changing) {
		r.stop()
	}
	for _, p := range append(s.publishers, s.retained) {
		p.stop()
	}
}

// complete checks that a receiver has what a publisher sent, in order, and once
// if both have QoS 2.
func (s *scene) complete(r *receiver, p *publisher) {
	s.t.Helper()
	prefix := p.topic + " "
	r.await("everything of "+p.topic+" there", func() bool {
		n := 0
		for payload := range r.seen {
			if strings.HasPrefix(payload, prefix) {
				n++
			}
		}
		return n >= p.acked
	})
	r.call(func() {
		next := 0
		for _, payload := range r.order {
			if !strings.HasPrefix(payload, prefix) {
				continue
			}
			if want := fmt.Sprintf("%s%d ", prefix, next); !strings.HasPrefix(payload, want) {
				s.t.Errorf("%s: got %.40q, want %q", r.name, payload, want)
				return
			}
			if p.qos == codec.QoS2 && r.seen[payload] != 1 {
				s.t.Errorf("%s: %q came %d times", r.name, payload, r.seen[payload])
			}
			next++
		}
		if next != p.sent {
			s.t.Errorf("%s: %d messages of %s, want %d", r.name, next, p.topic, p.sent)
		}
	})
}

func (s *scene) checkWills() {
	s.wills.await(fmt.Sprint("all Wills of ", len(s.left), " there"), func() bool { return len(s.wills.seen) >= len(s.left) })
	s.wills.call(func() {
		for name, w := range s.left {
			if n := s.wills.seen[name]; n != 1 {
				s.t.Errorf("%s came %d times", name, n)
			}
			if early := w.killed.Add(w.delay).Sub(s.wills.when[name]); w.delay > 0 && early > 20*time.Millisecond {
				s.t.Errorf("%s with a delay of %v came %v early", name, w.delay, early)
			}
		}
	})
}

func (s *scene) checkRetained() {
	r := newReceiver(s.t, s.at, codec.V311, "new", codec.QoS1, "retained/#")
	want := make(map[string]bool)
	s.retained.call(func() {
		for _, n := range s.retained.last {
			want[fmt.Sprintf("%s %d ", s.retained.topic, n)] = true
		}
	})
	r.await("all retained messages there", func() bool { return len(r.seen) >= len(want) })
	r.call(func() {
		for payload := range want {
			if r.seen[payload] != 1 {
				s.t.Errorf("the retained message %q came %d times, of %q", payload, r.seen[payload], r.order)
			}
		}
	})
	r.stop()
}

// checkSubscriptions publishes to all topics of subscriptions that changed.
func (s *scene) checkSubscriptions() {
	c := s.changing
	c.await("all changes of subscriptions acknowledged", func() bool { return maps.Equal(c.granted, s.wanted) })
	p := &actor{t: s.t, name: "last"}
	tokens := make(map[uint64]bool)
	p.on = func(ev client.Event) {
		if ev.Kind == client.Published {
			delete(tokens, ev.Token)
		}
	}
	p.start(s.at, codec.V5, nil)
	p.call(func() {
		for round := range kills {
			tokens[p.publish(fmt.Sprint("s/", round), fmt.Sprint("s/", round), codec.QoS1, false)] = true
		}
	})
	p.await("all published", func() bool { return len(tokens) == 0 })
	p.stop()
	c.await("all there", func() bool { return len(c.seen) >= len(c.granted) })
	c.call(func() {
		for payload := range c.seen {
			if !c.granted[payload] {
				s.t.Errorf("%s came, which was unsubscribed", payload)
			}
		}
		for filter := range c.granted {
			if c.seen[filter] == 0 {
				s.t.Errorf("nothing came for %s", filter)
			}
		}
	})
}
