package broker_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// askingDurable is asking with a disk.
func askingDurable(t *testing.T, ask broker.Ask) (w *world, asked *[]broker.Question) {
	w = durable(t, broker.Config{Ask: ask})
	asked = new([]broker.Question)
	w.question = func(q broker.Question) { *asked = append(*asked, q) }
	return w, asked
}

// A message of QoS 2 that was routed while its publisher was away, or had not
// repeated it yet, is not routed again after a crash. [MQTT-4.3.3-10] v5
func TestAnswerOutlivesBroker(t *testing.T) {
	for _, back := range []bool{false, true} {
		for _, gaveUp := range []bool{false, true} {
			w, asked := askingDurable(t, broker.AskPublish)
			w.connect(codec.V5, lasting("sub", codec.V5)).subscribed(filter("t", 2)).drop()
			c := w.connect(codec.V5, lasting("c", codec.V5))
			p := publish("t", "x", 2)
			c.send(p)
			c.drop()
			if back {
				w.present(codec.V5, lasting("c", codec.V5), true)
			}
			w.reply((*asked)[0], broker.Answer{})
			w.restart()
			c = w.present(codec.V5, lasting("c", codec.V5), true)
			if gaveUp { // the publisher, which uses the identifier for another message
				c.send(&codec.Pubrel{PacketID: p.PacketID})
				c.expect("PUBCOMP 100 00")
				p.Payload = codec.Bytes("y")
				c.send(p)
				w.reply((*asked)[1], broker.Answer{})
			} else {
				p.Dup = true
				c.send(p)
			}
			c.expect("PUBREC 100 00")
			sub := w.present(codec.V5, lasting("sub", codec.V5), true)
			want := []string{"t=x q2"}
			if gaveUp {
				want = append(want, "t=y q2")
			}
			sub.expect(want...)
		}
	}
}

// A refusal is not stored: the message may come again.
func TestRefusalIsForgotten(t *testing.T) {
	w, asked := askingDurable(t, broker.AskPublish)
	c := w.connect(codec.V5, lasting("c", codec.V5))
	p := publish("t", "x", 2)
	c.send(p)
	c.drop()
	w.reply((*asked)[0], broker.Answer{Reason: codec.ReasonNotAuthorized})
	c = w.present(codec.V5, lasting("c", codec.V5), true)
	p.Dup = true
	c.send(p)
	c.expect("PUBREC 100 87")
	w.restart()
	w.present(codec.V5, lasting("c", codec.V5), true).send(p)
	if len(*asked) != 2 {
		t.Errorf("%d questions, want 2", len(*asked))
	}
}

// A Will about which the driver was asked outlives the session and the broker, and
// does not stand in the way of the next one.
func TestAskedWillOutlivesBroker(t *testing.T) {
	for _, connect := range []*codec.Connect{clean("c"), lasting("c", codec.V5)} {
		w, asked := askingDurable(t, broker.AskWill)
		w.connect(codec.V5, lasting("watch", codec.V5)).subscribed(filter("will/#", 1)).drop()
		w.connect(codec.V5, withWill(connect, "will/1", 0)).drop()
		w.restart()
		if len(*asked) != 2 {
			t.Fatalf("clean %v: %d questions, want the same one again", connect.CleanStart, len(*asked))
		}
		w.connect(codec.V5, withWill(lasting("c", codec.V5), "will/2", 0))
		w.reply((*asked)[1], broker.Answer{})
		w.restart() // which ends the connection
		if len(*asked) != 3 {
			t.Fatalf("clean %v: %d questions, want one about the next Will", connect.CleanStart, len(*asked))
		}
		w.reply((*asked)[2], broker.Answer{})
		w.restart()
		w.present(codec.V5, lasting("watch", codec.V5), true).expect("will/1=gone q1", "will/2=gone q1")
		if len(*asked) != 3 || w.disk.count('q') != 0 {
			t.Errorf("clean %v: %d questions, %d stored", connect.CleanStart, len(*asked), w.disk.count('q'))
		}
	}
}

// A Will that is published at Shutdown, about which nobody answers any more, is asked
// about after the next start.
func TestAskedWillAtShutdown(t *testing.T) {
	w, asked := askingDurable(t, broker.AskWill)
	w.connect(codec.V5, withWill(clean("c"), "will/1", 0))
	w.b.Shutdown(w.now)
	w.drain()
	before := len(*asked)
	w.restart()
	if len(*asked) != before+1 {
		t.Errorf("%d questions before, %d after", before, len(*asked)-before)
	}
}

// Whatever code the driver refuses a filter with, SUBACK has one that it may have.
func TestSubackCode(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		w, asked := asking(t, broker.AskSubscribe)
		c := w.connect(v, clean("c"))
		c.send(subscribe(filter("a", 2), filter("b", 2), filter("c", 2)))
		w.reply((*asked)[0], broker.Answer{Granted: []codec.ReasonCode{codec.ReasonServerBusy, codec.ReasonNotAuthorized, 1}})
		if v.IsV5() {
			c.expect("SUBACK 80 87 01")
		} else {
			c.expect("SUBACK 80 80 01")
		}
	}
}

// While a client has to wait for answers it is not read from, so it does not count as
// silent. (v5.0 3.1.2.10)
func TestKeepAliveWhileAsked(t *testing.T) {
	w, asked := asking(t, broker.AskPublish)
	p := clean("c")
	p.KeepAlive = 10
	c := w.connect(codec.V5, p)
	for range 64 {
		c.send(publish("t", "", 0))
	}
	c.raw([]byte{0xC0, 0}) // comes nevertheless, and waits
	w.pass(time.Minute)
	c.expect()
	if c.closed || !w.b.InputPaused(c.h) {
		t.Fatalf("closed %v: %v", c.closed, c.err)
	}
	w.reply((*asked)[0], broker.Answer{})
	c.expect("PINGRESP")
	if w.b.InputPaused(c.h) {
		t.Error("still paused")
	}
	w.pass(16 * time.Second)
	if !c.closed {
		t.Error("never silent again")
	}
}

// Questions are bounded: those of one read, and those of clients that come and go.
func TestQuestionsAreBounded(t *testing.T) {
	w, asked := asking(t, broker.AskPublish)
	c := w.connect(codec.V5, clean("c"))
	one, _ := publish("t", "", 0).AppendTo(nil, codec.V5)
	c.raw(slices.Repeat(one, 1000))
	if n := w.b.Stats().Questions; n != 64 {
		t.Errorf("one read: %d questions", n)
	}
	for i := 0; i < len(*asked); i++ {
		w.reply((*asked)[i], broker.Answer{})
	}
	if len(*asked) != 1000 {
		t.Errorf("%d questions in the end", len(*asked))
	}

	w, asked = asking(t, broker.AskPublish)
	many := slices.Repeat(one, 64)
	for range 1<<16/64 + 100 {
		c = w.connect(codec.V5, clean("c"))
		c.raw(slices.Clone(many))
		if !c.closed {
			last := c
			defer func() { _ = last }()
		}
		c.drop()
		clear(w.clients)
		w.order = nil
	}
	if n := w.b.Stats().Questions; n != 1<<16 {
		t.Errorf("%d questions", n)
	}
	waits := w.connect(codec.V5, clean("waits"))
	waits.send(publish("t", "", 1))
	if n := len(*asked); n != 1<<16 {
		t.Errorf("%d questions", n)
	}
	w.reply((*asked)[0], broker.Answer{})
	if n := len(*asked); n != 1<<16+1 {
		t.Errorf("%d questions after an answer", n)
	}
	w.reply((*asked)[1<<16], broker.Answer{})
	waits.expect("PUBACK 100 10")
}

// A message is of the user who published it, whoever has the session when the answer
// comes.
func TestAnswerForUser(t *testing.T) {
	var users []string
	cfg := broker.Config{Ask: broker.AskPublish | broker.AskConnect}
	cfg.Policy.Publish = func(c *broker.Client, p *codec.Publish) (*codec.Publish, codec.ReasonCode) {
		users = append(users, c.User)
		return p, 0
	}
	w := newWorld(t, cfg)
	var asked []broker.Question
	w.question = func(q broker.Question) { asked = append(asked, q) }
	as := func(user string) *client {
		c := w.open(codec.V5)
		c.send(lasting("c", codec.V5))
		w.b.Accept(w.now, c.h, broker.Admission{User: user})
		w.drain()
		return c
	}
	c := as("one")
	c.send(publish("t", "x", 1))
	c.drop()
	as("other")
	w.reply(asked[0], broker.Answer{})
	if !slices.Equal(users, []string{"one"}) {
		t.Errorf("asked about %v", users)
	}
}

// A message of the application that is illegal is not routed, wherever it comes from.
func TestIllegalMessageOfApplication(t *testing.T) {
	for name, damage := range map[string]func(p *codec.Publish){
		"QoS":                      func(p *codec.Publish) { p.QoS = 3 },
		"topic":                    func(p *codec.Publish) { p.Topic = codec.Bytes("a/#") },
		"Response Topic":           func(p *codec.Publish) { p.Properties.ResponseTopic = codec.Text("a/#") },
		"Payload Format Indicator": func(p *codec.Publish) { p.Properties.PayloadFormatIndicator = codec.Some(uint8(7)) },
		"Content Type":             func(p *codec.Publish) { p.Properties.ContentType = codec.Text("\xff\xfe") },
		"Subscription Identifier":  func(p *codec.Publish) { p.Properties.SubscriptionIdentifiers.Add(77) },
	} {
		for _, how := range []string{"Publish", "Answer", "Policy"} {
			bad := retained("t", "bad", 1)
			bad.PacketID = 0
			damage(bad)
			var cfg broker.Config
			switch how {
			case "Answer":
				cfg.Ask = broker.AskPublish
			case "Policy":
				cfg.Policy.Publish = func(*broker.Client, *codec.Publish) (*codec.Publish, codec.ReasonCode) { return bad, 0 }
			}
			w := durable(t, cfg)
			w.answer = func(*broker.Event) broker.Answer { return broker.Answer{Publish: bad} }
			on := w.connect(codec.V5, clean("on")).subscribed(filter("#", 2))
			w.connect(codec.V5, lasting("off", codec.V5)).subscribed(filter("#", 2)).drop()
			if how == "Publish" {
				var illegal *codec.Error
				if err := w.b.Publish(w.now, bad); !errors.As(err, &illegal) {
					t.Errorf("%s: %v", name, err)
				}
				w.drain()
			} else {
				c := w.connect(codec.V5, clean("c"))
				c.send(publish("o", "x", 1))
				c.expect("PUBACK 100 83")
			}
			on.expect()
			w.restart()
			w.present(codec.V5, lasting("off", codec.V5), true).expect()
		}
	}
}

// Two messages of the application that begin at the same place in memory stay two,
// and it may use a message again after the answer.
func TestAnswersInOnePlace(t *testing.T) {
	w, asked := askingDurable(t, broker.AskPublish)
	for _, id := range []string{"a", "b"} {
		w.connect(codec.V5, lasting(id, codec.V5)).subscribed(filter("t", 1)).drop()
	}
	c := w.connect(codec.V5, clean("c"))
	payload := strings.Repeat("x", 300)
	memory := []byte(payload)
	var want []string
	for i, n := range []int{100, 200, 100} {
		p := publish("t", "?", 1)
		p.PacketID = uint32(i + 1)
		c.send(p)
		a := &codec.Publish{Topic: codec.Bytes("t"), QoS: 1, PacketID: 77, Dup: true, Payload: memory[:n]}
		w.reply((*asked)[i], broker.Answer{Publish: a})
		if a.PacketID != 77 || !a.Dup {
			t.Errorf("the message of the application is %v", a)
		}
		want = append(want, "t="+payload[:n]+" q1")
	}
	w.restart()
	for _, id := range []string{"a", "b"} {
		w.present(codec.V5, lasting(id, codec.V5), true).expect(want...)
	}
}
