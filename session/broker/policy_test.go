package broker_test

import (
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// A message may be let through, changed, dropped or refused, that of a Will too.
func TestPolicyPublish(t *testing.T) {
	cfg := broker.Config{}
	cfg.Policy.Publish = func(c *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
		switch string(p.Topic) {
		case "change":
			return publish("changed", string(p.Payload)+" by "+c.ID, p.QoS), 0
		case "drop":
			return nil, 0
		case "refuse":
			return p, codec.ReasonNotAuthorized
		}
		return p, 0
	}
	for _, v := range bothVersions {
		w := newWorld(t, cfg)
		watch := w.connect(codec.V5, clean("watch")).subscribed(filter("#", 1))
		c := w.connect(v, clean("c"))
		c.send(publish("let", "1", 1), publish("change", "2", 1), publish("drop", "3", 1), publish("refuse", "4", 1), publish("change", "5", 0))
		refused := map[bool]string{true: "PUBACK 100 87", false: "PUBACK 100 00"}[v.IsV5()]
		c.expect("PUBACK 100 00", "PUBACK 100 00", "PUBACK 100 00", refused)
		watch.expect("let=1 q1", "changed=2 by c q1", "changed=5 by c q0")
		for _, topic := range []string{"change", "drop"} {
			w.connect(v, withWill(clean("w"), topic, 0)).drop()
		}
		watch.expect("changed=gone by w q1")
		thief := w.open(v)
		thief.send(withWill(clean("c"), "refuse", 0))
		thief.expect("CONNACK 87 present=false")
		if c.closed {
			t.Error("a client that was refused took the session over")
		}
	}
}

// A Will is asked about again when it is published.
func TestPolicyWill(t *testing.T) {
	allowed := true
	cfg := broker.Config{}
	cfg.Policy.Publish = func(_ *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
		if allowed {
			return p, 0
		}
		return p, codec.ReasonNotAuthorized
	}
	w := newWorld(t, cfg)
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 0))
	c := w.connect(codec.V5, withWill(clean("c"), "will", 0))
	allowed = false
	c.drop()
	watch.expect()
}

// Filters may be refused, and their QoS lowered but not raised.
func TestPolicySubscribe(t *testing.T) {
	cfg := broker.Config{}
	cfg.Policy.Subscribe = func(_ *broker.Client, s *codec.Subscription) codec.ReasonCode {
		switch string(s.Filter) {
		case "low":
			s.QoS = 0
		case "high":
			s.QoS = 2
		case "no":
			return codec.ReasonNotAuthorized
		}
		return 0
	}
	w := newWorld(t, cfg)
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("low", 2), filter("high", 1), filter("no", 1), filter("yes", 2)))
	c.expect("SUBACK 00 01 87 02")
	old := w.connect(codec.V311, clean("old"))
	old.send(subscribe(filter("low", 2), filter("no", 1)))
	old.expect("SUBACK 00 80")
}

// secretive denies what it is told to deny, by client and topic.
type secretive struct {
	cfg    broker.Config
	denied map[string]bool
}

func newSecretive() *secretive {
	s := &secretive{denied: make(map[string]bool)}
	s.cfg.Policy.Deliver = func(c *broker.Client, p *codec.Publish, _ *broker.Client) bool {
		return !s.denied[c.ID+" "+string(p.Topic)]
	}
	s.cfg.Policy.Subscribe = func(c *broker.Client, f *codec.Subscription) codec.ReasonCode {
		if s.denied[c.ID+" "+string(f.Filter)] {
			return codec.ReasonNotAuthorized
		}
		return 0
	}
	return s
}

// When a session goes on, what waits for it and what is in flight is asked about
// again, under its full topic, also after a restart. The identifier of what was sent
// in QoS 2 is released.
func TestPolicyOnResume(t *testing.T) {
	for _, v := range bothVersions {
		for _, restart := range []bool{false, true} {
			s := newSecretive()
			w := durable(t, s.cfg)
			w.at = &broker.Endpoint{Name: "m", MountPoint: "m/"}
			c := w.connect(v, lasting("c", v)).subscribed(filter("#", 2))
			pub := w.connect(v, clean("pub"))
			pub.send(publish("open", "1", 1), publish("secret", "2", 1), publish("secret", "3", 2))
			c.packets()
			c.drop()
			pub.send(&codec.Pubrel{PacketID: 100}, publish("secret", "4", 1), publish("open", "5", 1))
			s.denied["c m/secret"] = true
			if restart {
				w.restart()
			}
			c = w.present(v, lasting("c", v), true)
			c.expect("open=1 q1 dup", "PUBREL", "open=5 q1")
			c.send(&codec.Pubcomp{PacketID: 3})
			if st := w.b.Stats(); st.Waiting != 2 {
				t.Errorf("%d wait", st.Waiting)
			}
			for key := range w.disk {
				if strings.Contains(w.disk[key], "secret") {
					t.Errorf("%q is still stored", w.disk[key])
				}
			}
		}
	}
}

// A message of a shared subscription that its member may not have any more goes
// to another one, unless it is of QoS 2 and was sent.
func TestPolicyOnResumeShared(t *testing.T) {
	s := newSecretive()
	w := newWorld(t, s.cfg)
	a := w.connect(codec.V5, lasting("a", codec.V5)).subscribed(filter("$share/g/t", 2))
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("t", "1", 1), publish("t", "2", 2))
	a.expect("t=1 q1", "t=2 q2")
	a.drop()
	pub.send(&codec.Pubrel{PacketID: 100}, publish("t", "3", 1))
	b := w.connect(codec.V5, clean("b")).subscribed(filter("$share/g/t", 2))
	s.denied["a t"] = true
	w.present(codec.V5, lasting("a", codec.V5), true).expect("PUBREL")
	b.expect("t=1 q1", "t=3 q1")
}

// Who published a message is known at its delivery, also that of a retained one
// and after a restart.
func TestPolicyOrigin(t *testing.T) {
	var from *broker.Client
	cfg := broker.Config{Ask: broker.AskConnect}
	cfg.Policy.Deliver = func(_ *broker.Client, _ *codec.Publish, f *broker.Client) bool {
		from = f
		return f == nil || f.User != "eve"
	}
	w := durable(t, cfg)
	come := func(id, user string) *client {
		c := w.open(codec.V5)
		c.send(clean(id))
		w.b.Accept(w.now, c.h, broker.Admission{User: user})
		w.drain()
		c.expect("CONNACK 00 present=false")
		return c
	}
	w.at = &broker.Endpoint{Name: "front"}
	come("x", "bob").send(retained("by/bob", "1", 0))
	come("y", "eve").send(retained("by/eve", "2", 0))
	for range 2 {
		w.restart()
		c := come("c", "")
		c.send(subscribe(filter("by/bob", 0)))
		c.expect("SUBACK 00", "by/bob=1 q0 retain")
		if from == nil || from.ID != "x" || from.User != "bob" || from.Endpoint.Name != "front" {
			t.Errorf("from %+v", from)
		}
		c.send(subscribe(filter("by/eve", 0)))
		c.expect("SUBACK 00")
		if from == nil || from.User != "eve" {
			t.Errorf("from %+v", from)
		}
		if err := w.b.Publish(w.now, publish("by/bob", "", 0)); err != nil || from != nil {
			t.Errorf("%v, from %+v", err, from)
		}
	}
}

// Recheck ends and lowers subscriptions and withholds what waits, of clients that
// are there and of those that are away.
func TestRecheck(t *testing.T) {
	s := newSecretive()
	w := durable(t, s.cfg)
	c := w.connect(codec.V5, receiveMaximum(lasting("c", codec.V5), 1)).subscribed(filter("a", 1), filter("b", 1), filter("$share/g/d", 1))
	w.connect(codec.V5, lasting("away", codec.V5)).subscribed(filter("a", 1), filter("b", 1)).drop()
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("b", "1", 1), publish("a", "2", 1), publish("b", "3", 1))
	c.expect("b=1 q1")
	s.denied["c a"], s.denied["away b"], s.denied["c $share/g/d"] = true, true, true
	w.b.Recheck(w.now)
	w.drain()
	pub.send(publish("a", "4", 1), publish("b", "5", 1), publish("d", "6", 1))
	for i := range 3 {
		c.send(&codec.Puback{PacketID: uint32(i + 1)})
	}
	c.expect("b=3 q1", "b=5 q1")
	w.restart()
	if n := w.b.Stats().Subscriptions; n != 2 {
		t.Errorf("%d subscriptions", n)
	}
	w.present(codec.V5, lasting("away", codec.V5), true).expect("a=2 q1", "a=4 q1")
}

func receiveMaximum(p *codec.Connect, n uint16) *codec.Connect {
	p.Properties.ReceiveMaximum = codec.Some(n)
	return p
}

// A subscription whose QoS Recheck lowers stays lowered.
func TestRecheckLowers(t *testing.T) {
	highest := codec.QoS2
	cfg := broker.Config{}
	cfg.Policy.Subscribe = func(_ *broker.Client, s *codec.Subscription) codec.ReasonCode {
		s.QoS = min(s.QoS, highest)
		return 0
	}
	w := durable(t, cfg)
	w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("t", 2))
	highest = 0
	w.b.Recheck(w.now)
	w.drain()
	w.restart()
	c := w.present(codec.V5, lasting("c", codec.V5), true)
	w.connect(codec.V5, clean("pub")).send(publish("t", "x", 1))
	c.expect("t=x q0")
}

// A Will that is refused after the driver has let the client in ends its
// connection at once.
func TestWillRefusedAfterAccept(t *testing.T) {
	cfg := broker.Config{Ask: broker.AskConnect}
	cfg.Policy.Publish = func(*broker.Client, *codec.Publish) (*codec.Publish, codec.ReasonCode) {
		return nil, codec.ReasonNotAuthorized
	}
	w := newWorld(t, cfg)
	c := w.open(codec.V5)
	p := clean("c")
	p.Will = codec.Some(codec.Will{Topic: codec.Bytes("t")})
	c.send(p)
	w.b.Accept(w.now, c.h, broker.Admission{})
	w.drain()
	c.expect("CONNACK 87 present=false")
	if !c.closed {
		t.Error("still open")
	}
}
