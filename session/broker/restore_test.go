package broker_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// disk is what a driver keeps of Store and Discard events.
type disk map[string]string

// unit collects changes until the next Write, which is when a driver commits
// them, all or none.
type unit []broker.Event

// add takes in a Store or Discard. What it points to is borrowed.
func (u *unit) add(ev broker.Event) {
	ev.Key, ev.Value = slices.Clone(ev.Key), slices.Clone(ev.Value)
	*u = append(*u, ev)
}

// commit takes in the changes.
func (u *unit) commit(d disk) {
	for i := range *u {
		d.apply(&(*u)[i])
	}
	*u = (*u)[:0]
}

// apply takes in a change.
func (d disk) apply(ev *broker.Event) {
	switch {
	case ev.Kind == events.Store:
		d[string(ev.Key)] = string(ev.Value)
	case ev.Prefix:
		maps.DeleteFunc(d, func(k, _ string) bool { return strings.HasPrefix(k, string(ev.Key)) })
	default:
		delete(d, string(ev.Key))
	}
}

func (d disk) pairs() iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		for k, v := range d {
			if !yield([]byte(k), []byte(v)) {
				return
			}
		}
	}
}

func persistent() (cfg broker.Config) {
	cfg.Server.Persist = true
	return cfg
}

// durable returns a world that keeps its changes.
func durable(t testing.TB, cfg broker.Config) *world {
	cfg.Server.Persist = true
	w := newWorld(t, cfg)
	w.cfg, w.disk = cfg, disk{}
	return w
}

// restart kills the broker, with all connections, and starts one from what was
// stored.
func (w *world) restart() {
	w.t.Helper()
	for _, c := range w.clients {
		c.closed = true
	}
	w.clients = make(map[broker.Handle]*client)
	w.order = nil
	w.unit = nil
	w.timer = time.Time{}
	w.b = broker.New(w.cfg)
	w.b.Scrub()
	if err := w.b.Restore(w.now, w.disk.pairs()); err != nil {
		w.t.Fatal(err)
	}
	w.drain()
}

// What became due while the broker was away is done at once.
func TestRestoreLate(t *testing.T) {
	w := durable(t, broker.Config{})
	w.connect(codec.V5, lasting("watch", codec.V5)).subscribed(filter("will", 1)).drop()
	w.connect(codec.V5, withWill(lasting("c", codec.V5), "will", 60)).drop()
	p := retained("r", "x", 1)
	p.Properties.MessageExpiryInterval = codec.Some(uint32(60))
	w.connect(codec.V5, clean("pub")).send(p)
	w.now = w.now.Add(10 * time.Minute)
	w.restart()
	if s := w.b.Stats(); s.Retained != 0 || s.Wills != 0 {
		t.Errorf("%+v", s)
	}
	w.present(codec.V5, lasting("watch", codec.V5), true).expect("will=gone q1")
}

// All that has to survive does.
func TestRestore(t *testing.T) {
	w := durable(t, broker.Config{})
	pub := w.connect(codec.V5, clean("pub"))
	expiring := retained("r/2", "y", 1)
	expiring.Properties.MessageExpiryInterval = codec.Some(uint32(100))
	pub.send(retained("r/1", "x", 2), &codec.Pubrel{PacketID: 100}, expiring, retained("r/3", "z", 0), retained("r/3", "", 0))

	a := w.connect(codec.V311, lasting("a", codec.V311)).subscribed(filter("t/#", 2), filter("gone", 0))
	a.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("gone")}})
	in := publish("elsewhere", "", 2)
	in.PacketID = 77
	a.send(in)
	pub.send(publish("t/1", "q1", 1), publish("t/2", "q2", 2), &codec.Pubrel{PacketID: 100}, publish("t/3", "released", 2), &codec.Pubrel{PacketID: 100})
	a.send(&codec.Pubrec{PacketID: 3})

	sub := subscribe(codec.Subscription{Filter: codec.Bytes("t/+"), QoS: 1, RetainAsPublished: true})
	sub.Properties.SubscriptionIdentifier = codec.Some(uint32(9))
	b := w.connect(codec.V5, lasting("b", codec.V5))
	b.send(sub)
	b.drop()
	pub.send(publish("t/4", "offline", 1), publish("t/5", "not kept", 0))
	w.connect(codec.V5, clean("c")).subscribed(filter("never/#", 1)) // ends with the connection

	w.pass(10 * time.Second)
	w.restart()
	if s := w.b.Stats(); s.Sessions != 2 || s.Subscriptions != 2 || s.Retained != 2 {
		t.Errorf("%+v", s)
	}
	a = w.present(codec.V311, lasting("a", codec.V311), true)
	a.expect("t/1=q1 q1 dup", "t/2=q2 q2 dup", "PUBREL", "t/4=offline q1 dup")
	in.Dup = true
	a.send(in) // is known
	a.expect("PUBREC 77 00")
	b = w.present(codec.V5, lasting("b", codec.V5), true)
	b.expect("t/4=offline q1 sub9")
	pub = w.connect(codec.V5, clean("pub"))
	pub.send(retained("t/6", "after", 1))
	a.expect("t/6=after q1")
	b.expect("t/6=after q1 retain sub9")
	pub.send(subscribe(filter("r/#", 2)))
	pub.packets()
	w.pass(20 * time.Second)
	pub.send(subscribe(filter("r/#", 2)))
	pub.expect("SUBACK 02", "r/1=x q2 retain", "r/2=y q1 retain expires70")
	w.pass(80 * time.Second)
	if n := w.b.Stats().Retained; n != 2 {
		t.Errorf("%d retained", n)
	}
}

// Sessions expire by the clock of the wall, and connections that were open end
// with the broker.
func TestRestoreExpiry(t *testing.T) {
	w := durable(t, broker.Config{})
	w.connect(codec.V5, lasting("gone", codec.V5)).drop()
	w.pass(30 * time.Minute)
	w.connect(codec.V5, lasting("here", codec.V5)) // connected at the end
	w.restart()
	w.pass(30*time.Minute - time.Second)
	if n := w.b.Stats().Sessions; n != 2 {
		t.Errorf("%d sessions", n)
	}
	w.restart()
	w.pass(time.Second)
	if n := w.b.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions", n)
	}
	w.now = w.now.Add(time.Hour) // while the broker is down
	w.restart()
	if n := w.b.Stats().Sessions; n != 0 || len(w.disk) != 0 {
		t.Errorf("%d sessions, stored %q", n, w.disk)
	}
}

// Wills survive, with the deadline of their delay; those of clients that were
// connected are due when the broker is back.
func TestRestoreWill(t *testing.T) {
	w := durable(t, broker.Config{})
	watch := w.connect(codec.V5, lasting("watch", codec.V5)).subscribed(filter("w/#", 1))
	delayed := func(id string, delay uint32) *codec.Connect { return withWill(lasting(id, codec.V5), "w/"+id, delay) }
	w.connect(codec.V5, delayed("delayed", 100)).drop()
	w.connect(codec.V5, delayed("cancelled", 100)).drop()
	w.connect(codec.V5, lasting("cancelled", codec.V5))
	w.connect(codec.V5, delayed("withdrawn", 0)).send(&codec.Disconnect{})
	w.connect(codec.V5, delayed("published", 0)).drop()
	watch.expect("w/published=gone q1")
	watch.send(&codec.Puback{PacketID: 1})
	w.connect(codec.V5, withWill(clean("short"), "w/short", 5))
	w.connect(codec.V5, delayed("connected", 50))
	w.pass(40 * time.Second)
	w.b.Shutdown(w.now)
	w.drain()
	w.restart()
	watch = w.present(codec.V5, lasting("watch", codec.V5), true)
	watch.expect("w/short=gone q1")
	w.pass(50 * time.Second)
	watch.expect("w/connected=gone q1")
	w.pass(10 * time.Second)
	watch.expect("w/delayed=gone q1")
	w.pass(10 * time.Minute)
	watch.expect()
	w.restart()
	w.present(codec.V5, lasting("watch", codec.V5), true).
		expect("w/short=gone q1 dup", "w/connected=gone q1 dup", "w/delayed=gone q1 dup")
}

// Retained messages that a subscriber was promised come after a restart.
func TestRestoreReplay(t *testing.T) {
	w := durable(t, broker.Config{})
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(retained("a", "1", 1), retained("b", "2", 1))
	p := lasting("c", codec.V5)
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	c := w.connect(codec.V5, p)
	w.b.SetWriteBlocked(w.now, c.h, true)
	c.send(subscribe(filter("+", 1)))
	w.restart()
	c = w.present(codec.V5, lasting("c", codec.V5), true)
	got := c.packets()
	for _, topic := range []string{"a", "b"} {
		if !slices.ContainsFunc(got, func(p codec.Packet) bool { return string(p.(*codec.Publish).Topic) == topic }) {
			t.Errorf("%s is missing: %v", topic, got)
		}
	}
	w.restart()
	if n := len(w.present(codec.V5, lasting("c", codec.V5), true).packets()); n > len(got) {
		t.Errorf("they come for ever: %d after %d", n, len(got))
	}
}

// Whatever is stored when the broker dies, between any two events, nothing that
// a client was told is wrong: what was acknowledged is there, and what was
// received at QoS 2 comes once.
func TestRestoreAtEveryCut(t *testing.T) {
	for cut := 0; ; cut++ {
		if !cutAt(t, cut) {
			if cut < 30 {
				t.Errorf("only %d cuts", cut)
			}
			return
		}
	}
}

// cutAt runs a scenario until the given number of events was served, restarts
// the broker and checks. It reports whether the scenario is longer.
func cutAt(t *testing.T, cut int) (more bool) {
	w := durable(t, broker.Config{})
	w.cut = cut + 1
	sub := w.open(codec.V5)
	away := w.open(codec.V5)
	pub := w.open(codec.V5)
	sub.send(lasting("sub", codec.V5), subscribe(filter("t", 2)))
	away.send(lasting("away", codec.V5), subscribe(filter("t", 2)), &codec.Disconnect{})
	message := publish("t", "m", 2)
	pub.send(withWill(lasting("pub", codec.V5), "t", 0), retained("r", "kept", 1))
	pub.send(message)
	sub.send(&codec.Pubrec{PacketID: 1})
	pub.send(&codec.Pubrel{PacketID: 100})
	w.b.Closed(w.now, pub.h, nil)
	w.drain()
	more = w.dead
	w.cut, w.dead = 0, false

	told := func(c *client, want string) bool {
		return slices.ContainsFunc(c.packets(), func(p codec.Packet) bool { return short(p) == want })
	}
	pubGot, subGot := pub.packets(), sub.packets()
	pub.in, sub.in = nil, nil
	said := func(list []codec.Packet, want string) bool {
		return slices.ContainsFunc(list, func(p codec.Packet) bool { return short(p) == want })
	}
	w.restart()
	sub2 := w.open(codec.V5)
	sub2.send(lasting("sub", codec.V5))
	after := sub2.packets()
	name := fmt.Sprintf("cut %d: %v, %v, then %v", cut, pubGot, subGot, after)
	if said(subGot, "SUBACK 02") && !said(after, "CONNACK 00 present=true") {
		t.Errorf("%s: subscription lost", name)
	}
	if said(pubGot, "PUBACK 100 00") || said(pubGot, "PUBACK 100 10") {
		check := w.open(codec.V5)
		check.send(clean("check"), subscribe(filter("r", 0)))
		if !told(check, "r=kept q0 retain") {
			t.Errorf("%s: retained message lost", name)
		}
	}
	// The publisher repeats what was not acknowledged.
	pub2 := w.open(codec.V5)
	pub2.send(lasting("pub", codec.V5))
	pub2.packets()
	acked := said(pubGot, "PUBCOMP 100 00")
	recorded := said(pubGot, "PUBREC 100 00") || said(pubGot, "PUBREC 100 10")
	if !acked && said(subGot, "SUBACK 02") {
		if !recorded {
			message.Dup = true
			pub2.send(message)
		}
		pub2.send(&codec.Pubrel{PacketID: 100})
	}
	after = append(after, sub2.packets()...)
	if !said(subGot, "SUBACK 02") {
		return more
	}
	n := 0
	for _, p := range append(subGot, after...) {
		if s := short(p); s == "t=m q2" {
			n++
		}
	}
	resent := said(after, "t=m q2 dup") || said(after, "PUBREL")
	if n == 0 && !resent || n > 1 {
		t.Errorf("%s: %d deliveries", name, n)
	}
	return more
}

// What is damaged is an error and no panic.
func TestRestoreCorrupt(t *testing.T) {
	w := durable(t, broker.Config{})
	c := w.connect(codec.V5, withWill(lasting("c", codec.V5), "w", 9)).subscribed(filter("t", 2))
	c.send(retained("t", "x", 2), publish("t", "y", 1))
	for key, value := range w.disk {
		for n := range len(value) {
			for _, damaged := range []string{value[:n], value[:n] + string(value[n]^0x5A) + value[n+1:]} {
				d := maps.Clone(w.disk)
				d[key] = damaged
				_ = broker.New(persistent()).Restore(w.now, d.pairs())
			}
		}
		for n := range len(key) {
			if broker.New(persistent()).Restore(w.now, disk{key[:n]: value}.pairs()) == nil && n == 0 {
				t.Errorf("the key %q is accepted", key[:n])
			}
		}
	}
}
