package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// capability is something that can be limited or turned off: in one of the ways
// that are not nil.
type capability struct {
	name      string
	config    func(*broker.Config)
	endpoint  func(*broker.Endpoint)
	admission func(*broker.Limits)
	announced func(codec.ConnackProperties) any // what v5.0 clients are told
	told      any
}

func atMost(q codec.QoS) capability {
	limit := codec.Some(q)
	return capability{
		fmt.Sprintf("QoS %d", q),
		func(c *broker.Config) { c.MaximumQoS = limit },
		func(e *broker.Endpoint) { e.MaximumQoS = limit },
		func(l *broker.Limits) { l.MaximumQoS = limit },
		func(p codec.ConnackProperties) any { return p.MaximumQoS },
		codec.Some(uint8(q)),
	}
}

func turnedOff(name string, config func(*broker.Config), announced func(codec.ConnackProperties) any) capability {
	return capability{name, config, nil, nil, announced, codec.Some(uint8(0))}
}

var (
	noRetain = turnedOff("retain", func(c *broker.Config) { c.NoRetain = true },
		func(p codec.ConnackProperties) any { return p.RetainAvailable })
	noWildcards = turnedOff("wildcards", func(c *broker.Config) { c.NoWildcards = true },
		func(p codec.ConnackProperties) any { return p.WildcardSubscriptionAvailable })
	noShared = turnedOff("shared subscriptions", func(c *broker.Config) { c.NoShared = true },
		func(p codec.ConnackProperties) any { return p.SharedSubscriptionAvailable })
	noIdentifiers = turnedOff("subscription identifiers", func(c *broker.Config) { c.NoSubscriptionIdentifiers = true },
		func(p codec.ConnackProperties) any { return p.SubscriptionIdentifierAvailable })
	smallPackets = capability{
		"Maximum Packet Size", func(c *broker.Config) { c.Server.MaximumPacketSize = 50 }, nil, nil,
		func(p codec.ConnackProperties) any { return p.MaximumPacketSize }, codec.Some(uint32(50)),
	}
	twoOpen = capability{
		"Receive Maximum", func(c *broker.Config) { c.ReceiveMaximum = 2 }, nil, nil,
		func(p codec.ConnackProperties) any { return p.ReceiveMaximum }, codec.Some(uint16(2)),
	}
	threeAliases = capability{
		"Topic Alias Maximum", func(c *broker.Config) { c.TopicAliasMaximum = 3 },
		func(e *broker.Endpoint) { e.TopicAliasMaximum = codec.Some(uint16(3)) }, nil,
		func(p codec.ConnackProperties) any { return p.TopicAliasMaximum }, codec.Some(uint16(3)),
	}
	shortKeepAlive = capability{
		"Server Keep Alive", func(c *broker.Config) { c.MaximumKeepAlive = 10 },
		func(e *broker.Endpoint) { e.MaximumKeepAlive = 10 }, nil,
		func(p codec.ConnackProperties) any { return p.ServerKeepAlive }, codec.Some(uint16(10)),
	}
	shortSessions = capability{
		"Session Expiry", func(c *broker.Config) { c.MaximumSessionExpiry = 60 }, nil, nil,
		func(p codec.ConnackProperties) any { return p.SessionExpiryInterval }, codec.Some(uint32(60)),
	}
	shortSessionsOfServer = capability{
		"Session Expiry of sessions", func(c *broker.Config) { c.Server = session.ServerConfig{MaximumSessionExpiry: 60} }, nil, nil,
		func(p codec.ConnackProperties) any { return p.SessionExpiryInterval }, codec.Some(uint32(60)),
	}
)

// limited is a broker that has a limit in one of the ways.
type limited struct {
	*world
	limits *broker.Limits // for Admission, if not nil
}

// everyWay calls f with brokers that have the limit in each of the ways, also such
// as ask about messages.
func everyWay(t *testing.T, limit capability, f func(t *testing.T, w *limited)) {
	for _, asked := range []broker.Ask{0, broker.AskPublish | broker.AskSubscribe | broker.AskWill} {
		run := func(way string, cfg broker.Config, e *broker.Endpoint, l *broker.Limits) {
			t.Run(fmt.Sprintf("%s/%s/%t", limit.name, way, asked != 0), func(t *testing.T) {
				cfg.Ask |= asked
				w := newWorld(t, cfg)
				w.at = e
				w.answer = func(ev *broker.Event) (a broker.Answer) { return a }
				f(t, &limited{w, l})
			})
		}
		var cfg broker.Config
		limit.config(&cfg)
		run("Config", cfg, nil, nil)
		if limit.endpoint != nil {
			e := new(broker.Endpoint)
			limit.endpoint(e)
			run("Endpoint", broker.Config{}, e, nil)
		}
		if limit.admission != nil {
			l := new(broker.Limits)
			limit.admission(l)
			run("Admission", broker.Config{Ask: broker.AskConnect}, nil, l)
		}
	}
}

// come connects a client and says what comes of it.
func (w *limited) come(v codec.Version, p *codec.Connect) (*client, *codec.Connack, string) {
	w.t.Helper()
	c := w.open(v)
	c.send(p)
	if w.limits != nil {
		w.b.Accept(w.now, c.h, broker.Admission{Limits: w.limits})
		w.drain()
	}
	got := c.packets()
	if len(got) == 0 {
		return c, nil, outcome(c, got)
	}
	return c, got[0].(*codec.Connack), outcome(c, got)
}

// outcome is what a client got, and whether its connection was closed.
func outcome(c *client, packets []codec.Packet) string {
	var got []string
	for _, p := range packets {
		got = append(got, short(p))
	}
	if c.closed {
		got = append(got, "closed")
	}
	return strings.Join(got, ", ")
}

const accepted = "CONNACK 00 present=false"

func identified(p *codec.Subscribe) *codec.Subscribe {
	p.Properties.SubscriptionIdentifier = codec.Some(uint32(1))
	return p
}

func aliased(p *codec.Publish, alias uint16) *codec.Publish {
	p.Properties.TopicAlias = codec.Some(alias)
	return p
}

func numbered(p *codec.Publish, id uint32) *codec.Publish {
	p.PacketID = id
	return p
}

// What a client sends beyond a limit is refused, in v3.1.1 as well, which is not
// told: nothing is acknowledged that goes nowhere, and nobody gets it.
// [U5-3.2.2.3.4-b] v5 [U5-3.2.2.3.5-b] v5 [U5-3.2.2.3.11-b] v5 [MQTT-3.2.2-9] v5
// [MQTT-3.3.5-2] v311 [MQTT-3.8.3-2] v311
func TestBeyondLimits(t *testing.T) {
	big := strings.Repeat("x", 60)
	for _, tt := range []struct {
		limit    capability
		within   codec.Packet
		answer   string // to what is within it
		beyond   []codec.Packet
		v311, v5 string // the answers to what is beyond it; none if it cannot be sent
	}{
		{atMost(0), publish("t", "", 0), "", []codec.Packet{publish("t", "x", 1)}, "closed", "DISCONNECT 9B, closed"},
		{atMost(0), publish("t", "", 0), "", []codec.Packet{publish("t", "x", 2)}, "closed", "DISCONNECT 9B, closed"},
		{atMost(1), publish("t", "", 1), "PUBACK 100 00", []codec.Packet{publish("t", "x", 2)}, "closed", "DISCONNECT 9B, closed"},
		{atMost(1), subscribe(filter("a", 2)), "SUBACK 01", []codec.Packet{retained("t", "x", 2)}, "closed", "DISCONNECT 9B, closed"},
		{noRetain, publish("t", "", 1), "PUBACK 100 00", []codec.Packet{retained("t", "x", 0)}, "closed", "DISCONNECT 9A, closed"},
		{noRetain, publish("t", "", 0), "", []codec.Packet{retained("t", "x", 1)}, "closed", "DISCONNECT 9A, closed"},
		{noRetain, publish("t", "", 0), "", []codec.Packet{retained("t", "x", 2)}, "closed", "DISCONNECT 9A, closed"},
		{noRetain, publish("t", "", 0), "", []codec.Packet{retained("t", "", 0)}, "closed", "DISCONNECT 9A, closed"},
		{noWildcards, subscribe(filter("$share/g/a", 1)), "SUBACK 01", []codec.Packet{subscribe(filter("a/+", 1))}, "SUBACK 80", "DISCONNECT A2, closed"},
		{noWildcards, subscribe(filter("a", 1)), "SUBACK 01", []codec.Packet{subscribe(filter("$share/g/#", 1))}, "SUBACK 80", "DISCONNECT A2, closed"},
		{noShared, subscribe(filter("a/#", 1)), "SUBACK 01", []codec.Packet{subscribe(filter("$share/g/a", 1))}, "SUBACK 80", "DISCONNECT 9E, closed"},
		{noIdentifiers, subscribe(filter("a", 1)), "SUBACK 01", []codec.Packet{identified(subscribe(filter("a", 1)))}, "", "DISCONNECT A1, closed"},
		{smallPackets, publish("t", "", 1), "PUBACK 100 00", []codec.Packet{publish("t", big, 1)}, "closed", "DISCONNECT 95, closed"},
		{twoOpen, publish("t", "", 1), "PUBACK 100 00",
			[]codec.Packet{publish("a", "", 2), numbered(publish("a", "", 2), 101), numbered(publish("t", "x", 2), 102)},
			"", "PUBREC 100 10, PUBREC 101 10, DISCONNECT 93, closed"},
		{threeAliases, publish("t", "", 1), "PUBACK 100 00", []codec.Packet{aliased(publish("t", "x", 1), 4)}, "", "DISCONNECT 94, closed"},
	} {
		everyWay(t, tt.limit, func(t *testing.T, w *limited) {
			for v, want := range map[codec.Version]string{codec.V311: tt.v311, codec.V5: tt.v5} {
				watch, _, _ := w.come(v, clean("watch"))
				watch.subscribed(filter("t", 0))
				c, ack, got := w.come(v, clean("c"))
				if got != accepted || v.IsV5() && tt.limit.announced(ack.Properties) != tt.limit.told {
					t.Fatalf("%v: %s, announced %v", v, got, ack)
				}
				if want == "" {
					continue
				}
				c.send(tt.within)
				if got := outcome(c, c.packets()); got != tt.answer {
					t.Errorf("%v: within the limit: %q, want %q", v, got, tt.answer)
				}
				watch.packets()
				c.send(tt.beyond...)
				if got := outcome(c, c.packets()); got != want {
					t.Errorf("%v: beyond the limit: %q, want %q", v, got, want)
				}
				watch.expect()
				if n := w.b.Stats().Retained; n != 0 {
					t.Errorf("%v: %d retained", v, n)
				}
			}
		})
	}
}

// v3.1.1 has no Receive Maximum: a client that knows of none may have any number of
// messages under way.
func TestNoReceiveMaximumInV311(t *testing.T) {
	w := newWorld(t, broker.Config{ReceiveMaximum: 2})
	c := w.connect(codec.V311, clean("c"))
	for id := range uint32(5) {
		c.send(numbered(publish("t", "", 2), id+1))
	}
	c.expect("PUBREC 1 00", "PUBREC 2 00", "PUBREC 3 00", "PUBREC 4 00", "PUBREC 5 00")
}

// A Will that is beyond a limit, or may not be published where it goes, is refused
// at CONNECT, before the session is taken over; where v3.1.1 has no return code for
// it, without CONNACK. [MQTT-3.2.2-12] v5 [MQTT-3.2.2-13] v5 [MQTT-3.1.4-2] v5
// [U311-3.1.4-b] v311 [MQTT-3.2.2-6] v311 [U5-4.7.2-a] v5 [U311-4.7.2-a] v311
func TestWillBeyondLimits(t *testing.T) {
	will := func(topic string, qos codec.QoS, retain bool) *codec.Connect {
		p := withWill(clean("c"), topic, 0)
		p.Will.Value.QoS, p.Will.Value.Retain = qos, retain
		return p
	}
	none := capability{name: "none", config: func(*broker.Config) {}, endpoint: func(e *broker.Endpoint) { e.MountPoint = "room/" }}
	dollar := capability{name: "$", config: func(c *broker.Config) { c.DollarTopics = true }}
	for _, tt := range []struct {
		limit    capability
		connect  *codec.Connect
		v311, v5 string
	}{
		{atMost(1), will("t", 1, true), accepted, accepted},
		{atMost(1), will("t", 2, false), "closed", "CONNACK 9B present=false, closed"},
		{atMost(0), will("t", 1, false), "closed", "CONNACK 9B present=false, closed"},
		{noRetain, will("t", 2, false), accepted, accepted},
		{noRetain, will("t", 0, true), "closed", "CONNACK 9A present=false, closed"},
		{none, will("t", 2, true), accepted, accepted},
		{none, will("$SYS/broker/uptime", 0, false), "CONNACK 87 present=false, closed", "CONNACK 87 present=false, closed"},
		{none, will("$SYS", 0, true), "CONNACK 87 present=false, closed", "CONNACK 87 present=false, closed"},
		{none, will("$x", 0, false), "CONNACK 87 present=false, closed", "CONNACK 87 present=false, closed"},
		{none, will("$share/g/t", 0, false), "closed", "CONNACK 90 present=false, closed"},
		{dollar, will("$x", 0, false), accepted, accepted},
		{dollar, will("$SYS/x", 0, false), "CONNACK 87 present=false, closed", "CONNACK 87 present=false, closed"},
	} {
		everyWay(t, tt.limit, func(t *testing.T, w *limited) {
			for v, want := range map[codec.Version]string{codec.V311: tt.v311, codec.V5: tt.v5} {
				old, _, _ := w.come(v, clean("c"))
				c, _, got := w.come(v, tt.connect)
				if got != want || old.closed != (want == accepted) {
					t.Errorf("%v %s: %q, want %q; the one before is closed: %v", v, tt.connect.Will.Value.Topic, got, want, old.closed)
				}
				for _, c := range []*client{old, c} {
					if !c.closed {
						c.send(&codec.Disconnect{})
					}
				}
			}
		})
	}
}

// A Will that the driver leaves out has to be within the limits all the same.
// [MQTT-3.2.2-12] v5
func TestWillLeftOutBeyondLimits(t *testing.T) {
	for v, want := range map[codec.Version]string{codec.V311: "closed", codec.V5: "CONNACK 9A present=false, closed"} {
		w := newWorld(t, broker.Config{NoRetain: true, Ask: broker.AskConnect})
		old := w.accept(v, clean("c"))
		c := w.open(v)
		p := withWill(clean("c"), "t", 0)
		p.Will.Value.Retain = true
		c.send(p)
		w.b.Accept(w.now, c.h, broker.Admission{NoWill: true})
		w.drain()
		if got := outcome(c, c.packets()); got != want || old.closed {
			t.Errorf("%v: %q, want %q; the one before is closed: %v", v, got, want, old.closed)
		}
	}
}

// The life of sessions has a bound in both versions. That of the Keep Alive is for
// v5.0: a client of v3.1.1 cannot be told of another one. [MQTT-3.2.2-21] v5
func TestTimeLimitsOfConnect(t *testing.T) {
	for _, keepAlive := range []uint16{0, 11} {
		everyWay(t, shortKeepAlive, func(t *testing.T, w *limited) {
			old, _, got := w.come(codec.V311, slowPing(clean("c"), keepAlive))
			if got != accepted {
				t.Errorf("v3.1.1: %s", got)
			}
			if w.pass(16 * time.Second); old.closed {
				t.Errorf("v3.1.1: closed: %v", old.err)
			}
			old.drop()
			c, ack, got := w.come(codec.V5, slowPing(clean("c"), keepAlive))
			if got != accepted || ack.Properties.ServerKeepAlive != shortKeepAlive.told {
				t.Errorf("v5.0: %s %v", got, ack)
			}
			w.pass(15*time.Second - time.Millisecond)
			c.expect()
			w.pass(time.Millisecond)
			c.expect("DISCONNECT 8D")
		})
	}
	for _, limit := range []capability{shortSessions, shortSessionsOfServer} {
		everyWay(t, limit, func(t *testing.T, w *limited) {
			for _, v := range bothVersions {
				c, ack, got := w.come(v, lasting("c", v))
				if got != accepted || v.IsV5() && limit.announced(ack.Properties) != limit.told {
					t.Errorf("%v: %s %v", v, got, ack)
				}
				c.drop()
				w.pass(60*time.Second - 1)
				if n := w.b.Stats().Sessions; n != 1 {
					t.Errorf("%v: the session ended too early", v)
				}
				w.pass(1)
				if n := w.b.Stats().Sessions; n != 0 {
					t.Errorf("%v: the session goes on", v)
				}
			}
		})
	}
}

// The highest QoS of an endpoint takes the place of that of the configuration, as
// does that of an admission, which is within that of the endpoint.
func TestWhichMaximumQoS(t *testing.T) {
	set := func(q codec.QoS) codec.Opt[codec.QoS] { return codec.Some(q) }
	var unset codec.Opt[codec.QoS]
	for _, tt := range []struct {
		config, endpoint codec.Opt[codec.QoS]
		admission        *broker.Limits
		want             codec.QoS
	}{
		{unset, unset, nil, 2},
		{set(1), unset, nil, 1},
		{set(1), set(2), nil, 2},
		{set(1), set(0), nil, 0},
		{set(0), unset, new(broker.Limits), 2},
		{set(0), unset, &broker.Limits{MaximumQoS: set(1)}, 1},
		{set(0), set(1), new(broker.Limits), 1},
		{set(2), set(1), &broker.Limits{MaximumQoS: set(2)}, 1},
		{set(2), set(1), &broker.Limits{MaximumQoS: set(0)}, 0},
	} {
		for _, v := range bothVersions {
			cfg := broker.Config{Limits: broker.Limits{MaximumQoS: tt.config}}
			if tt.admission != nil {
				cfg.Ask = broker.AskConnect
			}
			w := &limited{newWorld(t, cfg), tt.admission}
			w.at = &broker.Endpoint{MaximumQoS: tt.endpoint}
			c, _, _ := w.come(v, clean("c"))
			for qos := codec.QoS0; qos <= codec.QoS2 && !c.closed; qos++ {
				c.send(publish("t", "", qos))
				if c.closed != (qos > tt.want) {
					t.Errorf("%v: %+v: QoS %d closed %v", v, tt, qos, c.closed)
				}
			}
		}
	}
}

// Where nothing is retained the application and $SYS retain nothing either, and
// what is stored from before waits until retained messages are on again.
// [U5-3.2.2.3.5-b] v5
func TestRetainOffForAll(t *testing.T) {
	w := durable(t, broker.Config{})
	w.connect(codec.V5, clean("pub")).send(retained("t", "before", 1))
	w.cfg.NoRetain, w.cfg.Sys = true, broker.Sys{Interval: time.Second, Version: "1"}
	w.restart()
	for _, v := range bothVersions {
		watch := w.connect(v, clean("watch"))
		f := filter("t", 1)
		f.RetainAsPublished = v.IsV5()
		watch.send(subscribe(f, filter("$share/g/t", 1), filter("$SYS/broker/version", 0)))
		watch.expect("SUBACK 01 01 00")
		if err := w.b.Publish(w.now, retained("t", "x", 0)); err != nil {
			t.Fatal(err)
		}
		w.drain()
		watch.expect("t=x q0", "t=x q0")
		watch.send(&codec.Disconnect{})
	}
	w.cfg.NoRetain = false
	w.restart()
	late := w.connect(codec.V5, clean("late"))
	late.send(subscribe(filter("t", 1)))
	late.expect("SUBACK 01", "t=before q1 retain")
}
