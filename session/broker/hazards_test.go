package broker_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// Faults that were found in other brokers, each as a test.

// A subscriber with a Receive Maximum of one gets everything, in order.
func TestHazardReceiveMaximumOne(t *testing.T) {
	w := newWorld(t, broker.Config{})
	p := clean("c")
	p.Properties.ReceiveMaximum = codec.Some(uint16(1))
	c := w.connect(codec.V5, p).subscribed(filter("t", 1))
	pub := w.connect(codec.V5, clean("pub"))
	for _, payload := range []string{"A", "B", "C", "D", "E"} {
		pub.send(publish("t", payload, 1))
	}
	for i, payload := range []string{"A", "B", "C", "D", "E"} {
		c.expect("t=" + payload + " q1")
		c.send(&codec.Puback{PacketID: uint32(i + 1)})
	}
	c.expect()
}

// The identifiers of the two directions have nothing to do with each other.
func TestHazardIdentifierSpaces(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		c := w.connect(v, lasting("c", v)).subscribed(filter("t", 1))
		w.connect(v, clean("pub")).send(publish("t", "x", 1))
		c.expect("t=x q1")
		own := publish("other", "", 1)
		own.PacketID = 1
		c.send(own)
		c.packets()
		c.drop()
		w.present(v, lasting("c", v), true).expect("t=x q1 dup")
	}
}

// What waits for a client that is away keeps its order, also within a second.
func TestHazardOfflineOrder(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		w.connect(v, lasting("c", v)).subscribed(filter("t", 1)).drop()
		pub := w.connect(v, clean("pub"))
		var want []string
		for r := 'a'; r <= 't'; r++ {
			pub.send(publish("t", string(r), 1))
			want = append(want, fmt.Sprintf("t=%c q1", r))
		}
		w.present(v, lasting("c", v), true).expect(want...)
	}
}

// A repeated message has its topic, not an alias of the connection before.
func TestHazardAliasOnResume(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.TopicAliases = session.AliasAuto
	w := newWorld(t, cfg)
	p := lasting("c", codec.V5)
	p.Properties.TopicAliasMaximum = codec.Some(uint16(10))
	c := w.connect(codec.V5, p).subscribed(filter("a/long/topic", 1))
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(publish("a/long/topic", "1", 1))
	pub.send(publish("a/long/topic", "2", 1))
	got := c.packets()
	if second := got[1].(*codec.Publish); len(second.Topic) != 0 || !second.Properties.TopicAlias.Set {
		t.Fatalf("no alias in use: %v", second)
	}
	c.send(&codec.Puback{PacketID: 1})
	c.drop()
	c = w.present(codec.V5, p, true)
	again := c.packets()[0].(*codec.Publish)
	if short(again) != "a/long/topic=2 q1 dup" || again.Properties.TopicAlias.Set {
		t.Errorf("got %v", again)
	}
}

// Large Keep Alives do not wrap around.
func TestHazardKeepAliveWrap(t *testing.T) {
	for keepAlive, limit := range map[uint16]time.Duration{
		43691: 65536500 * time.Millisecond, 43692: 65538 * time.Second, 65535: 98302500 * time.Millisecond,
	} {
		w := newWorld(t, broker.Config{})
		p := clean("c")
		p.KeepAlive = keepAlive
		c := w.connect(codec.V5, p)
		w.pass(limit - time.Millisecond)
		if c.closed {
			t.Errorf("%d: closed early", keepAlive)
		}
		w.pass(time.Millisecond)
		if !c.closed {
			t.Errorf("%d: not closed", keepAlive)
		}
	}
}

// A claim of 256 MiB costs nothing before the bytes are there, and is refused
// where only CONNECT may come.
func TestHazardClaimedLength(t *testing.T) {
	w := newWorld(t, broker.Config{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		w.open(codec.V5).raw([]byte{0x10, 0xFF, 0xFF, 0xFF, 0x7F})
		c := w.connect(codec.V5, clean("c"))
		c.raw([]byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0, 1, 'a'})
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	for h, c := range w.clients {
		if c.h == h && !c.closed && w.b.InputPaused(h) {
			t.Error("paused")
		}
	}
}

// A transport over which nothing comes is closed.
func TestHazardSilentConnection(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.open(codec.V5)
	w.pass(20 * time.Second)
	if !c.closed {
		t.Error("still open")
	}
}

// SUBSCRIBE without the byte of options ends its connection alone.
func TestHazardSubscribeWithoutOptions(t *testing.T) {
	w := newWorld(t, broker.Config{})
	other := w.connect(codec.V5, clean("other"))
	c := w.connect(codec.V5, clean("c"))
	c.raw([]byte{0x82, 0x06, 0x00, 0x01, 0x00, 0x00, 0x01, 0x61})
	c.expect("DISCONNECT 81")
	if !c.closed || other.closed {
		t.Errorf("closed: %v %v", c.closed, other.closed)
	}
}

// Empty payloads of Wills and empty passwords are legal.
func TestHazardEmptyWillAndPassword(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		watch := w.connect(v, clean("watch")).subscribed(filter("will", 0))
		p := clean("c")
		p.Username, p.Password = codec.Text("u"), codec.Some(codec.Bytes{})
		p.Will = codec.Some(codec.Will{Topic: codec.Bytes("will")})
		w.connect(v, p).drop()
		watch.expect("will= q0")
	}
}

// One QoS 2 identifier again and again costs one entry and one delivery.
func TestHazardRepeatedQoS2(t *testing.T) {
	w := newWorld(t, broker.Config{})
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("t", 0))
	c := w.connect(codec.V5, clean("c"))
	p := publish("t", "x", 2)
	for range 1000 {
		c.send(p)
		p.Dup = true
	}
	if got := c.packets(); len(got) != 1000 {
		t.Errorf("%d answers", len(got))
	}
	watch.expect("t=x q0")
}

// Shared and plain subscriptions to the same filter, ended in any order.
func TestHazardMixedSharedAndPlain(t *testing.T) {
	filters := []string{"a/b", "$share/g/a/b", "$share/h/a/b", "a/+", "$share/g/a/+"}
	for first := range filters {
		for second := range filters {
			w := newWorld(t, broker.Config{})
			c := w.connect(codec.V5, clean("c"))
			d := w.connect(codec.V5, clean("d"))
			for _, f := range filters {
				c.subscribed(filter(f, 0))
				d.subscribed(filter(f, 0))
			}
			for _, i := range []int{first, second, first} {
				c.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes(filters[i])}})
			}
			d.drop()
			c.packets()
			c.send(publish("a/b", "", 0))
			// One copy for all plain ones together, one for each shared one.
			want, plain := 0, false
			for i, f := range filters {
				if i == first || i == second {
					continue
				}
				if strings.HasPrefix(f, "$") {
					want++
				} else {
					plain = true
				}
			}
			if plain {
				want++
			}
			if got := len(c.packets()); got != want {
				t.Errorf("without %s and %s: %d copies, want %d", filters[first], filters[second], got, want)
			}
			c.drop()
			if s := w.b.Stats(); s.Subscriptions != 0 {
				t.Errorf("left over: %+v", s)
			}
		}
	}
}

// Two clients that take the session from each other all the time.
func TestHazardTakeOverLoop(t *testing.T) {
	w := newWorld(t, broker.Config{})
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 0))
	var last *client
	for i := range 100 {
		c := w.connect(bothVersions[i%2], withWill(clean("c"), "will", 0))
		if last != nil {
			if !last.closed {
				t.Fatal("the old connection is open")
			}
			watch.expect("will=gone q0") // though its session has no expiry
		}
		last = c
	}
	if n := w.b.Stats().Connections; n != 2 {
		t.Errorf("%d connections", n)
	}
}

// The broker can shorten the Keep Alive of clients that want to be silent.
func TestHazardHugeKeepAlive(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumKeepAlive: 60})
	p := clean("c")
	p.KeepAlive = 65535
	c := w.connect(codec.V5, p)
	w.pass(90 * time.Second)
	c.expect("DISCONNECT 8D")
}

// What a client may not have does not reach it by any way: live, retained, as a
// Will, from its queue, or through a subscription made before.
func TestHazardAuthorisationLeftBehind(t *testing.T) {
	denied := false
	cfg := broker.Config{Ask: broker.AskWill | broker.AskPublish}
	cfg.Policy.Deliver = func(c *broker.Client, p *codec.Publish, _ *broker.Client) bool {
		return c.ID != "c" || !denied || string(p.Topic) != "secret"
	}
	w := newWorld(t, cfg)
	w.answer = func(ev *broker.Event) broker.Answer {
		if ev.Client.ID == "thief" {
			return broker.Answer{Reason: codec.ReasonNotAuthorized}
		}
		return broker.Answer{}
	}
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("#", 0))
	c := w.connect(codec.V5, lasting("c", codec.V5)).subscribed(filter("#", 1))
	pub := w.connect(codec.V5, clean("pub"))
	pub.send(retained("secret", "1", 0))
	c.expect("secret=1 q0")
	denied = true
	pub.send(publish("secret", "2", 0), publish("open", "3", 0))
	c.expect("open=3 q0")
	c.send(subscribe(filter("secret", 1)))
	c.expect("SUBACK 01")
	c.drop()
	pub.send(publish("secret", "4", 1))
	c = w.present(codec.V5, lasting("c", codec.V5), true)
	c.expect()
	watch.packets()
	w.connect(codec.V5, withWill(clean("thief"), "open", 0)).drop()
	c.expect()
	watch.expect()
	if !w.b.Revoke(w.now, "c", "#") || w.b.Revoke(w.now, "c", "#") {
		t.Error("Revoke")
	}
	pub.send(publish("open", "5", 0))
	c.expect()
}

// Topics of nothing but slashes, and as deep as the format allows.
func TestHazardDeepTopics(t *testing.T) {
	deep := strings.Repeat("/", 65535)
	for _, levels := range []int{0, 1 << 20} {
		w := newWorld(t, broker.Config{MaximumLevels: levels})
		c := w.connect(codec.V5, clean("c"))
		wide := strings.Repeat("+/", 32767) + "#"
		c.send(subscribe(filter(deep, 0), filter(wide, 0)), retained(deep, "x", 1), subscribe(filter(deep, 0)))
		if got := c.packets(); len(got) < 3 || c.closed {
			t.Errorf("got %d packets", len(got))
		}
		c.drop()
		if s := w.b.Stats(); s.Subscriptions != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// A hundred readers that do not read cost their bounds and nobody else's time.
func TestHazardSlowReaders(t *testing.T) {
	cfg := broker.Config{}
	cfg.Server.Queue = session.QueueLimits{Messages: 10}
	w := newWorld(t, cfg)
	var slow []*client
	for i := range 100 {
		c := w.connect(codec.V5, clean(fmt.Sprint(i))).subscribed(filter("t", 1))
		w.b.SetWriteBlocked(w.now, c.h, true)
		slow = append(slow, c)
	}
	fast := w.connect(codec.V5, clean("fast")).subscribed(filter("t", 0))
	pub := w.connect(codec.V5, clean("pub"))
	payload := strings.Repeat("x", 10000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		pub.send(publish("t", payload, 1))
		fast.in = fast.in[:0]
	}
	runtime.ReadMemStats(&after)
	// 100 messages of 10 kB, once each, and not 100 times.
	if n := after.TotalAlloc - before.TotalAlloc; n > 20<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	if n := len(pub.packets()); n != 100 {
		t.Errorf("%d answers", n)
	}
	if !slices.ContainsFunc(slow, func(c *client) bool { return len(c.in) == 0 }) || w.b.Stats().Dropped == 0 {
		t.Errorf("%+v", w.b.Stats())
	}
}
