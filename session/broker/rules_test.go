package broker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// present connects and compares CONNACK.
func (w *world) present(v codec.Version, p *codec.Connect, want bool) *client {
	w.t.Helper()
	c := w.open(v)
	c.send(p)
	got := c.packets()
	if len(got) == 0 || short(got[0]) != fmt.Sprintf("CONNACK 00 present=%v", want) {
		w.t.Fatalf("%v: got %v, want Session Present %v", v, got, want)
	}
	for _, p := range got[1:] {
		c.in, _ = p.AppendTo(c.in, v)
	}
	return c
}

// Session Present follows from what is stored, after the clean start was
// carried out. [MQTT-3.2.2-2] v311 [MQTT-3.2.2-3] v311 [MQTT-3.1.4-3] v311
// [MQTT-3.1.4-4] v5 [MQTT-3.1.2-6] v5
func TestSessionPresent(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		w.present(v, lasting("c", v), false).drop()
		w.present(v, lasting("c", v), true).drop()
		fresh := lasting("c", v)
		fresh.CleanStart = true
		w.present(v, fresh, false).drop()
		w.present(v, lasting("c", v), v.IsV5()).drop() // in v3.1.1 it ended with its connection
		w.present(v, lasting("other", v), false)
	}
}

// Messages of QoS 1 and 2 are stored for a client that is away.
// [MQTT-3.1.2-5] v311 [MQTT-4.5.0-1] v311
func TestStoredWhileAway(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		w.connect(v, lasting("c", v)).subscribed(filter("t", 2)).drop()
		here := w.connect(v, clean("here")).subscribed(filter("t", 2))
		pub := w.connect(codec.V5, clean("pub"))
		pub.send(publish("t", "1", 1), publish("t", "2", 2))
		here.expect("t=1 q1", "t=2 q2")
		w.present(v, lasting("c", v), true).expect("t=1 q1", "t=2 q2")
	}
}

// Retained messages are not part of a session. [MQTT-3.1.2-7] v311
// [U311-4.1-a] v311 [MQTT-3.3.1-6] v311
func TestRetainedOutlivesSession(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		pub := w.connect(v, clean("pub"))
		pub.send(retained("t", "old", 1), retained("t", "new", 1))
		pub.drop()
		w.connect(v, clean("pub")).drop()
		w.pass(1000 * time.Hour)
		c := w.connect(v, clean("c"))
		c.send(subscribe(filter("t", 1)))
		c.expect("SUBACK 01", "t=new q1 retain")
	}
}

// A Will is stored from CONNACK on, and is gone once it was published or
// withdrawn; without the Will Flag there is none. [MQTT-3.1.2-7] v5
// [MQTT-3.1.2-10] v5 [MQTT-3.1.2-10] v311 [MQTT-3.1.2-12] v311
func TestWillStoredAndRemoved(t *testing.T) {
	for _, v := range bothVersions {
		for _, tt := range []struct {
			will, withdrawn bool
		}{{true, false}, {true, true}, {false, false}} {
			w := newWorld(t, broker.Config{})
			watch := w.connect(v, clean("watch")).subscribed(filter("will", 0))
			p := lasting("c", v)
			if tt.will {
				withWill(p, "will", 0)
			}
			c := w.connect(v, p)
			if tt.withdrawn {
				c.send(&codec.Disconnect{})
			} else {
				c.drop()
			}
			if tt.will && !tt.withdrawn {
				watch.expect("will=gone q0")
			}
			w.connect(v, lasting("c", v)).drop() // has none
			w.pass(2 * time.Hour)
			watch.expect()
		}
	}
}

// [MQTT-3.1.2-14] v5 [MQTT-3.1.2-16] v311
func TestWillNotRetained(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		watch := w.connect(codec.V5, clean("watch")).
			subscribed(codec.Subscription{Filter: codec.Bytes("will"), RetainAsPublished: true})
		w.connect(v, withWill(clean("c"), "will", 0)).drop()
		watch.expect("will=gone q0")
		if n := w.b.Stats().Retained; n != 0 {
			t.Errorf("%v: %d retained", v, n)
		}
	}
}

// [MQTT-3.1.3-10] v5
func TestWillUserProperties(t *testing.T) {
	w := newWorld(t, broker.Config{})
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 0))
	p := withWill(clean("c"), "will", 0)
	for _, pair := range [][2]string{{"b", "1"}, {"a", "2"}, {"b", "0"}} {
		p.Will.Value.Properties.UserProperties.Add(pair[0], pair[1])
	}
	w.connect(codec.V5, p).drop()
	if got := pairs(watch.packets()[0].(*codec.Publish)); !slices.Equal(got, []string{"b=1", "a=2", "b=0"}) {
		t.Errorf("got %q", got)
	}
}

func pairs(p *codec.Publish) (list []string) {
	for k, v := range p.Properties.UserProperties.All() {
		list = append(list, string(k)+"="+string(v))
	}
	return list
}

// A Will whose payload is said to be UTF-8 and is not. [U5-3.1.3.2.3-a] v5
func TestWillPayloadFormat(t *testing.T) {
	for payload, want := range map[string]string{"\xFF": "CONNACK 99 present=false", "é": "CONNACK 00 present=false"} {
		w := newWorld(t, broker.Config{})
		p := withWill(clean("c"), "will", 0)
		p.Will.Value.Payload = codec.Bytes(payload)
		p.Will.Value.Properties.PayloadFormatIndicator = codec.Some(uint8(1))
		c := w.open(codec.V5)
		c.send(p)
		c.expect(want)
	}
}

// [MQTT-3.1.3-5] v5 [MQTT-3.1.3-5] v311
func TestClientIDs(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		for _, id := range []string{"0", "z", "ABCDEFGHIJKLMNOPQRSTUVW", "XYZabcdefghijklmnopqrst", "uvwxyz0123456789", "é/+#", "a long identifier of more than 23 bytes"} {
			w.connect(v, clean(id))
		}
	}
}

// An empty Client Identifier stands for one that the broker chooses, which is
// like any other afterwards. [MQTT-3.1.3-6] v311 [MQTT-3.1.3-7] v5
func TestAssignedClientIDIsUsed(t *testing.T) {
	w := newWorld(t, broker.Config{})
	a, b := w.connect(codec.V311, clean("")), w.connect(codec.V311, clean(""))
	if n := w.b.Stats().Sessions; n != 2 || a.closed || b.closed {
		t.Errorf("%d sessions", n)
	}
	c := w.open(codec.V5)
	c.send(lasting("", codec.V5))
	id := string(c.packets()[0].(*codec.Connack).Properties.AssignedClientIdentifier.Value)
	c.subscribed(filter("t", 1)).drop()
	w.connect(codec.V5, clean("pub")).send(publish("t", "x", 1))
	w.present(codec.V5, lasting(id, codec.V5), true).expect("t=x q1")
}

// [MQTT-3.1.3-9] v311 [MQTT-3.1.3-8] v5
func TestRejectedClientID(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{Ask: broker.AskConnect})
		c := w.open(v)
		c.send(clean("c"))
		w.b.Refuse(w.now, c.h, codec.ReasonClientIdentifierNotValid)
		w.drain()
		c.expect("CONNACK 85 present=false") // 2 on the wire of v3.1.1
		if !c.closed {
			t.Error("not closed")
		}
	}
}

// Clients that may not connect are closed. [MQTT-3.1.4-2] v5 [U311-3.1.4-b] v311
func TestRefused(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{Ask: broker.AskConnect})
		other := w.accept(v, clean("other"))
		c := w.open(v)
		c.send(clean("c"), publish("t", "", 0))
		c.expect() // nothing before the answer
		w.b.Refuse(w.now, c.h, codec.ReasonNotAuthorized)
		w.drain()
		if got := c.packets(); len(got) != 1 || !got[0].(*codec.Connack).ReasonCode.IsError() || !c.closed || other.closed {
			t.Errorf("got %v, closed %v", got, c.closed)
		}
		if s := w.b.Stats(); s.Sessions != 1 || s.Received[0] != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// accept connects a client about which the broker asks.
func (w *world) accept(v codec.Version, p *codec.Connect) *client {
	w.t.Helper()
	c := w.open(v)
	c.send(p)
	w.b.Accept(w.now, c.h, broker.Admission{})
	w.drain()
	if got := c.packets(); len(got) != 1 || got[0].(*codec.Connack).ReasonCode != 0 {
		w.t.Fatalf("not accepted: %v", got)
	}
	return c
}

// DUP does not go from one connection to another. [MQTT-3.3.1-3] v5
// [MQTT-3.3.1-3] v311
func TestDupIsNotForwarded(t *testing.T) {
	for _, v := range bothVersions {
		for qos := codec.QoS1; qos <= codec.QoS2; qos++ {
			w := newWorld(t, broker.Config{})
			c := w.connect(v, lasting("c", v)).subscribed(filter("t", 2))
			p := publish("t", "x", qos)
			p.Dup = true
			w.connect(v, clean("pub")).send(p)
			c.expect(fmt.Sprintf("t=x q%d", qos))
			c.drop()
			w.present(v, lasting("c", v), true).expect(fmt.Sprintf("t=x q%d dup", qos))
		}
	}
}

// [MQTT-3.3.1-5] v311 [MQTT-3.3.1-7] v311 [MQTT-3.3.1-10] v311
// [MQTT-3.3.1-11] v311 [MQTT-3.3.1-12] v311 [MQTT-3.3.1-7] v5
func TestRetainStore(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		live := w.connect(v, clean("live")).subscribed(filter("t", 2))
		pub := w.connect(v, clean("pub"))
		stored := func(want ...string) {
			t.Helper()
			c := w.connect(v, clean("c"))
			c.send(subscribe(filter("t", 2)))
			c.expect(append([]string{"SUBACK 02"}, want...)...)
		}
		pub.send(retained("t", "1", 1))
		stored("t=1 q1 retain")
		pub.send(publish("t", "2", 0)) // without RETAIN
		stored("t=1 q1 retain")
		pub.send(publish("t", "", 0))
		stored("t=1 q1 retain")
		pub.send(retained("t", "3", 0)) // QoS 0 takes its place
		stored("t=3 q0 retain")
		live.packets()
		pub.send(retained("t", "", 1))
		live.expect("t= q1") // as any other
		stored()
		if n := w.b.Stats().Retained; n != 0 {
			t.Errorf("%d stored", n)
		}
	}
}

// [MQTT-3.3.5-1] v311
func TestOverlapV311(t *testing.T) {
	w := newWorld(t, broker.Config{})
	c := w.connect(codec.V311, clean("c")).subscribed(filter("a/#", 1), filter("a/+", 2), filter("a/b", 0))
	w.connect(codec.V311, clean("pub")).send(publish("a/b", "x", 2))
	c.expect("a/b=x q2")
}

// [MQTT-3.8.3-2] v311
func TestWildcardsRefused(t *testing.T) {
	w := newWorld(t, broker.Config{NoWildcards: true})
	c := w.connect(codec.V311, clean("c"))
	c.send(subscribe(filter("a/+", 1), filter("#", 1), filter("a", 1)))
	c.expect("SUBACK 80 80 01")
}

// A SUBSCRIBE for a filter that exists replaces it: retained messages come
// again, nothing is lost or doubled. [MQTT-3.8.4-3] v311 [MQTT-3.8.4-4] v5
func TestReplacedSubscription(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		c := w.connect(v, clean("c")).subscribed(filter("t", 0))
		pub := w.connect(v, clean("pub"))
		pub.send(retained("t", "kept", 1), publish("t", "before", 1))
		c.send(subscribe(filter("t", 1)))
		pub.send(publish("t", "after", 1))
		c.expect("t=kept q0", "t=before q0", "SUBACK 01", "t=kept q1 retain", "t=after q1")
		if n := w.b.Stats().Subscriptions; n != 1 {
			t.Errorf("%d subscriptions", n)
		}
	}
}

// The QoS of a delivery is the lower of the two. [MQTT-3.8.4-8] v5
func TestDowngrade(t *testing.T) {
	for sent := codec.QoS0; sent <= codec.QoS2; sent++ {
		for granted := codec.QoS0; granted <= codec.QoS2; granted++ {
			w := newWorld(t, broker.Config{})
			c := w.connect(codec.V5, clean("c")).subscribed(filter("t", granted))
			w.connect(codec.V5, clean("pub")).send(publish("t", "x", sent))
			c.expect(fmt.Sprintf("t=x q%d", min(sent, granted)))
		}
	}
}

// [MQTT-3.10.4-1] v311 [MQTT-3.10.4-2] v311 [MQTT-3.10.4-3] v311
// [MQTT-3.10.4-6] v311 [MQTT-3.10.4-2] v5 [MQTT-3.10.4-3] v5 [MQTT-3.10.4-6] v5
// [MQTT-3.11.3-1] v5
func TestUnsubscribeWhileUnderWay(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		c := w.connect(v, lasting("c", v)).subscribed(filter("t", 2), filter("u", 1), filter("A", 0))
		pub := w.connect(v, clean("pub"))
		pub.send(publish("t", "1", 1), publish("t", "2", 2), &codec.Pubrel{PacketID: 100})
		c.expect("t=1 q1", "t=2 q2")
		c.send(&codec.Unsubscribe{PacketID: 9, Filters: []codec.Bytes{codec.Bytes("a"), codec.Bytes("t"), codec.Bytes("#"), codec.Bytes("u")}})
		if v.IsV5() {
			c.expect("UNSUBACK 11 00 11 00")
		} else {
			c.expect("UNSUBACK")
		}
		pub.send(publish("t", "3", 1), publish("u", "4", 1), publish("A", "5", 1))
		c.expect("A=5 q0")
		c.drop()
		c = w.present(v, lasting("c", v), true)
		c.expect("t=1 q1 dup", "t=2 q2 dup")
		c.send(&codec.Puback{PacketID: 1}, &codec.Pubrec{PacketID: 2})
		c.expect("PUBREL")
		c.send(&codec.Pubcomp{PacketID: 2})
		c.drop()
		w.present(v, lasting("c", v), true).expect()
	}
}

// Messages of one client with one topic and QoS stay in order, whatever waits.
// [MQTT-4.6.0-5] v5 [MQTT-4.6.0-6] v5 [MQTT-4.6.0-5] v311 [MQTT-4.6.0-6] v311
func TestOrder(t *testing.T) {
	for _, v := range bothVersions {
		for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
			w := newWorld(t, broker.Config{})
			c := w.connect(v, lasting("c", v)).subscribed(filter("t", qos))
			pub := w.connect(v, clean("pub"))
			var want []string
			for i := range 50 {
				p := publish("t", fmt.Sprint(i), qos)
				if qos > 0 {
					p.PacketID = uint32(i + 1)
				}
				want = append(want, short(p))
				w.b.SetWriteBlocked(w.now, c.h, i%7 < 3)
				pub.send(p)
			}
			w.b.SetWriteBlocked(w.now, c.h, false)
			w.drain()
			c.expect(want...)
			if qos == 0 {
				continue
			}
			c.drop()
			for i := range want {
				want[i] += " dup"
			}
			w.present(v, lasting("c", v), true).expect(want...)
		}
	}
}

// Topics are compared as they are. [MQTT-4.7.3-4] v5 [MQTT-4.7.3-4] v311
func TestNoNormalisation(t *testing.T) {
	topics := []string{"é", "e\u0301", "E", "e", "a//b", "a/b", "a/b/", "/a/b", " a", "a", "\uFEFFa", "%61", "ﬁ", "fi"}
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		pub := w.connect(v, clean("pub"))
		for _, f := range topics {
			c := w.connect(v, clean("c")).subscribed(filter(f, 0))
			for _, topic := range topics {
				pub.send(publish(topic, "", 0))
			}
			c.expect(f + "= q0")
			c.drop()
		}
	}
}

// One connection that breaks the rules is one connection. [U311-4.8-a] v311
func TestOthersGoOn(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		c := w.connect(v, clean("c")).subscribed(filter("t", 1))
		bad := w.connect(v, clean("bad"))
		bad.raw([]byte{0x32, 0x03, 0x00, 0x01, 't'})
		if !bad.closed || c.closed {
			t.Errorf("closed: %v %v", bad.closed, c.closed)
		}
		w.connect(v, clean("pub")).send(publish("t", "x", 1))
		c.expect("t=x q1")
	}
}

// What belongs to a message goes with it as it came. [MQTT-3.3.2-4] v5
// [MQTT-3.3.2-15] v5 [MQTT-3.3.2-16] v5 [MQTT-3.3.2-18] v5 [MQTT-3.3.2-20] v5
func TestForwardedProperties(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		w := newWorld(t, broker.Config{})
		c := w.connect(codec.V5, clean("c")).subscribed(filter("t", 2))
		w.connect(codec.V5, lasting("away", codec.V5)).subscribed(filter("t", 2)).drop()
		p := retained("t", "x", qos)
		props := &p.Properties
		props.PayloadFormatIndicator = codec.Some(uint8(1))
		props.ResponseTopic = codec.Text("answer/é")
		props.CorrelationData = codec.Some(codec.Bytes{0, 0xFF, 1})
		props.ContentType = codec.Text("text/plain")
		for _, pair := range [][2]string{{"z", "1"}, {"a", ""}, {"z", "0"}, {"", "x"}} {
			props.UserProperties.Add(pair[0], pair[1])
		}
		w.connect(codec.V5, clean("pub")).send(p)
		late := w.connect(codec.V5, clean("late"))
		late.send(subscribe(filter("t", 2)))
		got := append(c.packets(), late.packets()[1:]...)
		if qos > 0 {
			got = append(got, w.present(codec.V5, lasting("away", codec.V5), true).packets()...)
		}
		for _, g := range got {
			q := g.(*codec.Publish)
			q.PacketID, q.Retain, p.PacketID, p.Retain = 0, false, 0, false
			if fmt.Sprint(q.Properties) != fmt.Sprint(p.Properties) || !slices.Equal(pairs(q), pairs(p)) {
				t.Errorf("QoS %d: got %v", qos, q)
			}
		}
	}
}

// [U5-3.8.4-a] v5
func TestSharedGetsNoRetained(t *testing.T) {
	w := newWorld(t, broker.Config{})
	w.connect(codec.V5, clean("pub")).send(retained("t", "x", 1))
	for range 2 {
		c := w.connect(codec.V5, clean("c"))
		for range 2 { // new, and existing
			c.send(subscribe(filter("$share/g/t", 1)))
			c.expect("SUBACK 01")
		}
	}
}

// A client whose authentication fails. [MQTT-4.12.0-4] v5
func TestFailedAuthentication(t *testing.T) {
	w := newWorld(t, broker.Config{Ask: broker.AskConnect})
	c := w.open(codec.V5)
	p := clean("c")
	p.Properties.AuthenticationMethod = codec.Text("X")
	c.send(p)
	w.b.Authenticate(w.now, c.h, &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication})
	w.drain()
	c.expect("AUTH")
	a := &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}
	a.Properties.AuthenticationMethod = codec.Text("X")
	c.send(a)
	w.b.Refuse(w.now, c.h, codec.ReasonNotAuthorized)
	w.drain()
	c.expect("CONNACK 87 present=false")
	if !c.closed {
		t.Error("not closed")
	}
}

// A PUBLISH that is not allowed reaches nobody; a v3.1.1 client is told nothing.
// [MQTT-3.3.5-2] v311
func TestUnauthorisedPublish(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		sub := w.connect(v, clean("sub")).subscribed(filter("$SYS/#", 1))
		c := w.connect(v, clean("c"))
		c.send(publish("$SYS/x", "", 1))
		c.expect(map[bool]string{true: "PUBACK 100 87", false: "PUBACK 100 00"}[v.IsV5()])
		sub.expect()
	}
}
