package peers

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(enabled) != "1" {
		os.Exit(m.Run()) // every test says that it is skipped
	}
	os.Exit(programtest.Main(m))
}

// scenario is something that clients do with a broker. A scene is one run of it.
type scenario struct {
	name     string
	versions []int
	run      func(*scene)
}

var (
	both = []int{4, 5}
	v5   = []int{5}
)

type scene struct {
	peer      *peer
	broker    *target
	transport string
	version   int
	prefix    string // of all its topics and client identifiers
}

// topic puts the prefix of the scene before a topic or a filter, so that scenes
// stay apart. An empty one, for a topic alias, stays empty.
func (s *scene) topic(t string) string {
	switch {
	case t == "" || s.prefix == "" || strings.HasPrefix(t, "$SYS"):
		return t
	case strings.HasPrefix(t, "$share/"):
		parts := strings.SplitN(t, "/", 3)
		return parts[0] + "/" + parts[1] + "/" + s.prefix + "/" + parts[2]
	}
	return s.prefix + "/" + t
}

func (s *scene) filters(list []filter) []filter {
	list = slices.Clone(list)
	for i := range list {
		list[i].Filter = s.topic(list[i].Filter)
	}
	return list
}

var objects atomic.Int64

// try connects; the answer tells the reason code.
func (s *scene) try(id string, o options) *client {
	c := &client{scene: s, name: fmt.Sprint(objects.Add(1)), events: make(chan line, 1<<14)}
	s.peer.mu.Lock()
	s.peer.events[c.name] = c.events
	s.peer.mu.Unlock()
	if o.Transport == "" {
		o.Transport = s.transport
	}
	s.broker.address(&o)
	if o.Version = s.version; id != "" && s.prefix != "" {
		id = strings.ReplaceAll(s.prefix, "/", "-") + "-" + id
	}
	o.ClientID = id
	if o.Will != nil {
		will := *o.Will
		will.Topic = s.topic(will.Topic)
		o.Will = &will
	}
	c.answer = c.do("connect", o)
	return c
}

// connect connects and demands success.
func (s *scene) connect(id string, o options) *client {
	c := s.try(id, o)
	if *c.answer.Reason != 0 {
		failf("%s was refused with 0x%02x", id, *c.answer.Reason)
	}
	return c
}

// fresh connects without a session.
func (s *scene) fresh(id string) *client { return s.connect(id, options{Clean: true}) }

// keeping are the options of a client whose session stays.
func (s *scene) keeping() options {
	if s.version == 5 {
		return options{Properties: props{"SessionExpiryInterval": 100}}
	}
	return options{}
}

// String has what matters of a message.
func (m message) String() string {
	text := fmt.Sprintf("%s %s q%d", m.Topic, m.Payload, m.QoS)
	if len(m.Payload) > 200 {
		text = fmt.Sprintf("%s %d bytes, %.4x q%d", m.Topic, len(m.Payload), sha256.Sum256(m.Payload), m.QoS)
	}
	if m.Retain {
		text += " retained"
	}
	if len(m.Properties) > 0 {
		p, _ := json.Marshal(m.Properties)
		text += " " + string(p)
	}
	return text
}

// wants demands the messages as they are told by String, in order.
func (c *client) wants(messages ...string) {
	var got []string
	for range messages {
		got = append(got, c.next().String())
	}
	equal(got, messages)
}

// wantsAll is wants in any order.
func (c *client) wantsAll(messages ...string) {
	var got []string
	for range messages {
		got = append(got, c.next().String())
	}
	slices.Sort(got)
	equal(got, slices.Sorted(slices.Values(messages)))
}

func equal[T any](got, want T) {
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		failf("got  %.2000s\nwant %.2000s", g, w)
	}
}

// patiently calls f with 1, 2, 4 and 8 seconds until it goes well: a program on a
// machine that is busy may be late, but what is wrong is so with any time.
func (s *scene) patiently(f func(seconds int)) {
	well := func(seconds int) (well bool) {
		defer func() {
			switch m := recover().(type) {
			case nil:
			case mismatch:
				if seconds == 8 {
					panic(m)
				}
			default:
				panic(m)
			}
		}()
		f(seconds)
		return true
	}
	for seconds := 1; !well(seconds); seconds *= 2 {
	}
}

// TestScenarios runs every scenario with every library and version.
func TestScenarios(t *testing.T) {
	needed(t)
	b := start(t, *brokerName, ordinary, "tcp")
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := l.start(t)
			for _, sc := range scenarios {
				sc.perform(t, p, b, "tcp")
			}
		})
	}
}

// TestTransports runs some of them over every transport.
func TestTransports(t *testing.T) {
	needed(t)
	transports := []string{"tls", "certificate", "ws", "wss"}
	if *brokerName == "mosquitto" {
		transports = transports[:2] // Debian's has no WebSocket
	}
	b := start(t, *brokerName, ordinary, transports...)
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := l.start(t)
			for _, transport := range transports {
				for _, sc := range scenarios {
					if slices.Contains([]string{"every QoS", "order", "1 MiB", "will", "resume", "sender cut off"}, sc.name) {
						sc.perform(t, p, b, transport)
					}
				}
			}
		})
	}
}

// perform plays the scenario with each of its versions.
func (sc scenario) perform(t *testing.T, p *peer, b *target, transport string) {
	for _, v := range sc.versions {
		name := fmt.Sprintf("%s/v%d over %s", sc.name, v, transport)
		s := &scene{peer: p, broker: b, transport: transport, version: v, prefix: p.name + "/" + strings.ReplaceAll(name, " ", "_")}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.play(t, sc)
		})
	}
}

// play runs the scenario. Where the broker under test is known to do otherwise,
// it has to.
func (s *scene) play(t *testing.T, sc scenario) {
	t.Helper()
	why := s.broker.differs(s.peer.name, sc.name, s.version)
	defer func() {
		t.Helper()
		switch m := recover().(type) {
		case nil:
			if why != "" {
				t.Errorf("no longer so: %s", why)
			}
		case mismatch:
			if why == "" {
				t.Error(string(m))
			} else {
				t.Logf("known: %s\n%s", why, m)
			}
		default:
			panic(m)
		}
	}()
	sc.run(s)
}
