package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// The index finds what codec.Match finds. [MQTT-4.7.1-2] v5 [MQTT-4.7.2-1] v5
// [MQTT-4.7.2-1] v311 [MQTT-3.3.2-3] v5 [MQTT-3.3.2-3] v311
func TestMatching(t *testing.T) {
	levels := []string{"", "a", "b", "$x", "+", "#"}
	var filters, topics []string
	var build func(prefix []string)
	build = func(prefix []string) {
		if s := strings.Join(prefix, "/"); len(prefix) > 0 && s != "" {
			if codec.ValidTopicFilter(s, codec.V5) == nil {
				filters = append(filters, s)
			}
			if codec.ValidTopicName(s, codec.V5) == nil {
				topics = append(topics, s)
			}
		}
		if len(prefix) < 3 {
			for _, l := range levels {
				build(append(slices.Clone(prefix), l))
			}
		}
	}
	build(nil)
	w := newWorld(t, broker.Config{DollarTopics: true})
	c := w.connect(codec.V5, clean("c"))
	for i, f := range filters {
		p := subscribe(filter(f, 0))
		p.Properties.SubscriptionIdentifier = codec.Some(uint32(i + 1))
		c.send(p)
	}
	c.in = nil
	for _, topic := range topics {
		var want, got []string
		for _, f := range filters {
			if codec.Match(f, topic) {
				want = append(want, f)
			}
		}
		c.send(publish(topic, "", 0))
		for _, p := range c.packets() {
			for id := range p.(*codec.Publish).Properties.SubscriptionIdentifiers.All() {
				got = append(got, filters[id-1])
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", topic, got, want)
		}
	}
	for _, f := range filters {
		c.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes(f)}})
		c.expect("UNSUBACK 00")
	}
	if n := w.b.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions are left", n)
	}
}

// One copy at the highest QoS, with the identifiers of all, so that there are
// no further copies with one each. [MQTT-3.3.4-2] v5 [MQTT-3.3.4-3] v5
// [MQTT-3.3.4-4] v5 [MQTT-3.3.4-5] v5
func TestOverlap(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.connect(codec.V5, clean("c"))
	for i, f := range []string{"a/b", "a/+", "a/#", "#"} {
		p := subscribe(filter(f, codec.QoS(i%3)))
		if i > 0 {
			p.Properties.SubscriptionIdentifier = codec.Some(uint32(i * 10))
		}
		c.send(p)
	}
	c.in = nil
	other := w.connect(codec.V5, clean("other"))
	other.send(subscribe(filter("a/b", 1)))
	other.in = nil
	for range 2 {
		other.send(publish("a/b", "x", 2), &codec.Pubrel{PacketID: 100})
		copies := c.packets()
		got := short(copies[0])
		if len(copies) != 1 {
			t.Errorf("%d copies", len(copies))
		}
		for _, id := range []string{" sub10", " sub20", " sub30", "q2"} {
			if strings.Count(got, id) != 1 {
				t.Errorf("got %s", got)
			}
		}
		other.expect("a/b=x q1", "PUBREC 100 00", "PUBCOMP 100 00")
	}
	// Replaced by a SUBSCRIBE without an identifier. [MQTT-3.8.4-3] v5
	c.send(subscribe(filter("a/+", 0), filter("a/#", 0), filter("#", 1)))
	c.expect("SUBACK 00 00 01")
	other.send(publish("a/b", "y", 2))
	c.expect("a/b=y q1")
}

// [MQTT-3.8.3-3] v5
func TestNoLocal(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a := w.connect(codec.V5, clean("a")).subscribed(codec.Subscription{Filter: codec.Bytes("t"), NoLocal: true})
	b := w.connect(codec.V5, clean("b")).subscribed(filter("t", 0))
	a.send(publish("t", "a", 1))
	b.send(publish("t", "b", 1))
	a.expect("PUBACK 100 00", "t=b q0")
	b.expect("t=a q0", "t=b q0", "PUBACK 100 00")
}

// [MQTT-3.3.1-12] v5 [MQTT-3.3.1-13] v5 [MQTT-3.3.1-9] v311
func TestRetainAsPublished(t *testing.T) {
	w := newWorld(t, broker.Config{})
	keep := w.connect(codec.V5, clean("keep")).subscribed(codec.Subscription{Filter: codec.Bytes("t"), RetainAsPublished: true})
	plain := w.connect(codec.V5, clean("plain")).subscribed(filter("t", 0))
	old := w.connect(codec.V311, clean("old")).subscribed(filter("t", 0))
	pub := w.connect(codec.V311, clean("pub"))
	pub.send(retained("t", "x", 0), publish("t", "y", 0), retained("t", "", 0))
	keep.expect("t=x q0 retain", "t=y q0", "t= q0 retain")
	plain.expect("t=x q0", "t=y q0", "t= q0")
	old.expect("t=x q0", "t=y q0", "t= q0")
}

// [MQTT-3.10.4-1] v5 [MQTT-3.11.3-2] v5
func TestUnsubscribe(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.connect(codec.V5, clean("c")).subscribed(filter("a", 0), filter("b", 0))
	c.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("a"), codec.Bytes("+"), codec.Bytes("a")}})
	c.expect("UNSUBACK 00 11 11")
	c.send(publish("a", "1", 0), publish("b", "2", 1))
	c.expect("b=2 q0", "PUBACK 100 00")
	old := w.connect(codec.V311, clean("old")).subscribed(filter("a", 0))
	old.send(&codec.Unsubscribe{PacketID: 1, Filters: []codec.Bytes{codec.Bytes("a")}})
	old.expect("UNSUBACK")
	c.send(publish("a", "1", 1))
	c.expect("PUBACK 100 10")
	old.expect()
}

// What the broker does not offer is announced and refused.
// [MQTT-3.2.2-9] v5 [MQTT-3.9.3-1] v5
func TestCapabilities(t *testing.T) {
	cfg := broker.Config{
		NoWildcards: true, NoShared: true, NoSubscriptionIdentifiers: true,
		NoRetain: true, ReceiveMaximum: 9, MaximumLevels: 3, Limits: broker.Limits{MaximumSubscriptions: 2, MaximumQoS: codec.Some(codec.QoS1)},
	}
	w := newWorld(t, cfg)
	c := w.open(codec.V5)
	c.send(clean("c"))
	ack := c.packets()[0].(*codec.Connack)
	p := ack.Properties
	if got := fmt.Sprint(p.MaximumQoS, p.WildcardSubscriptionAvailable, p.SharedSubscriptionAvailable,
		p.SubscriptionIdentifierAvailable, p.RetainAvailable, p.ReceiveMaximum); got != "{1 true} {0 true} {0 true} {0 true} {0 true} {9 true}" {
		t.Errorf("announced %s", got)
	}
	c.send(subscribe(filter("a", 2), filter("a/b/c/d", 0), filter("b", 0), filter("c", 0), filter("b", 1)), publish("a/b/c/d", "", 1))
	c.expect("SUBACK 01 8F 00 97 01", "PUBACK 100 90")
	old := w.connect(codec.V311, clean("old"))
	old.send(subscribe(filter("a", 2), filter("+", 0), filter("$share/g/a", 0)))
	old.expect("SUBACK 01 80 80")
	identified := subscribe(filter("b", 0))
	identified.Properties.SubscriptionIdentifier = codec.Some(uint32(1))
	for want, p := range map[string]codec.Packet{
		"DISCONNECT A2": subscribe(filter("+", 0)),
		"DISCONNECT 9E": subscribe(filter("$share/g/a", 0)),
		"DISCONNECT A1": identified,
		"DISCONNECT 9B": publish("a", "", 2),
		"DISCONNECT 9A": retained("a", "", 0),
	} {
		c := w.connect(codec.V5, clean("c"))
		c.send(p)
		c.expect(want)
	}
	will := w.open(codec.V5)
	will.send(withWill(clean("w"), "t", 0))
	will.expect("CONNACK 00 present=false")
	will = w.open(codec.V5)
	connect := withWill(clean("w"), "t", 0)
	connect.Will.Value.Retain = true
	will.send(connect)
	will.expect("CONNACK 9A present=false")
}

// Topics that are the broker's own, and others that begin with $.
// [U5-4.7.2-a] v5 [U311-4.7.2-a] v311
func TestReservedTopics(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		c := w.connect(v, clean("c")).subscribed(filter("$other/#", 0))
		c.send(publish("$other/x", "", 1))
		if v.IsV5() {
			c.expect("PUBACK 100 87")
		} else {
			c.expect("PUBACK 100 00") // there is no way to tell
		}
	}
	w := newWorld(t, broker.Config{DollarTopics: true})
	c := w.connect(codec.V5, clean("c")).subscribed(filter("$SYS/#", 0), filter("$other/#", 0))
	c.send(publish("$SYS/x", "", 1), publish("$share/g/x", "", 2), publish("$SYS", "", 0), publish("$other/x", "", 1))
	c.expect("PUBACK 100 87", "PUBREC 100 90", "$other/x= q0", "PUBACK 100 00")
	if err := w.b.Publish(w.now, publish("$SYS/x", "own", 0)); err != nil {
		t.Error(err)
	}
	w.drain()
	c.expect("$SYS/x=own q0")
	if err := w.b.Publish(w.now, publish("a/+", "", 0)); err == nil {
		t.Error("a wildcard in a topic was accepted")
	}
}

// Matching does not depend on how many subscriptions there are.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{1000, 1000000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			w := newWorld(b, broker.Config{})
			c := w.connect(codec.V5, clean("c"))
			for i := range n / 2 {
				c.send(subscribe(filter(fmt.Sprintf("home/%d/temperature", i), 0), filter(fmt.Sprintf("home/%d/+", i), 0)))
				c.in = c.in[:0]
			}
			p := publish("home/77/temperature", "21.5", 0)
			bytes, _ := p.AppendTo(nil, codec.V5)
			b.ReportAllocs()
			for b.Loop() {
				w.b.Receive(w.now, c.h, bytes)
				for range w.b.Events() {
				}
			}
		})
	}
}

// Topics and filters have limits of depth and length, subscriptions of number.
func TestTopicLimits(t *testing.T) {
	w := newWorld(t, broker.Config{MaximumTopicLength: 8, MaximumLevels: 3, Limits: broker.Limits{MaximumSubscriptions: 2}})
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("12345678", 0), filter("123456789", 0), filter("a/b/c/d", 0), filter("a/b/c", 0), filter("e", 0)))
	c.expect("SUBACK 00 8F 8F 00 97")
	c.send(publish("123456789", "", 1), publish("a/b/c/d", "", 1), publish("12345678", "", 1))
	c.expect("PUBACK 100 90", "PUBACK 100 90", "12345678= q0", "PUBACK 100 00")
}

// Several filters are several requests with one answer, whose codes are in
// order and say what was granted. A limit of QoS does not exclude a filter.
// [MQTT-3.8.4-4] v311 [MQTT-3.8.4-5] v311 [MQTT-3.9.3-1] v311 [MQTT-3.8.4-5] v5
// [MQTT-3.8.4-7] v5 [MQTT-3.2.2-10] v5
func TestSeveralFilters(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{Limits: broker.Limits{MaximumQoS: codec.Some(codec.QoS1)}, MaximumLevels: 2})
		w.connect(v, clean("pub")).send(retained("a", "x", 1))
		c := w.connect(v, clean("c"))
		c.send(subscribe(filter("a", 0), filter("b", 1), filter("c", 2), filter("x/y/z", 0), filter("a", 2)))
		refused := map[bool]string{true: "8F", false: "80"}[v.IsV5()]
		// The last replaces the first.
		c.expect("SUBACK 00 01 01 "+refused+" 01", "a=x q1 retain")
		if n := w.b.Stats().Subscriptions; n != 3 {
			t.Errorf("%d subscriptions", n)
		}
	}
}
