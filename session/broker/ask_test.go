package broker_test

import (
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// asking is a world that keeps the questions of its broker.
func asking(t *testing.T, ask broker.Ask) (*world, *[]broker.Question) {
	w := newWorld(t, broker.Config{Ask: ask})
	list := new([]broker.Question)
	w.question = func(q broker.Question) { *list = append(*list, q) }
	return w, list
}

func (w *world) reply(q broker.Question, a broker.Answer) {
	w.t.Helper()
	w.b.Answer(w.now, q, a)
	w.drain()
}

// Answers may come late and in any order; what they are about keeps its order.
func TestLateAnswers(t *testing.T) {
	w, asked := asking(t, broker.AskPublish)
	sub := w.connect(codec.V5, clean("sub")).subscribed(filter("t", 2), filter("other", 2))
	pub := w.connect(codec.V5, clean("pub"))
	for i, qos := range []codec.QoS{1, 0, 2, 1} {
		p := publish("t", string(rune('a'+i)), qos)
		if qos > 0 {
			p.PacketID = uint32(i + 1)
		}
		pub.send(p)
	}
	q := *asked
	if len(q) != 4 {
		t.Fatalf("%d questions", len(q))
	}
	w.reply(q[3], broker.Answer{Publish: publish("other", "changed", 1)})
	w.reply(q[1], broker.Answer{})
	sub.expect()
	pub.expect()
	pub.send(&codec.Pingreq{}, &codec.Unsubscribe{PacketID: 9, Filters: []codec.Bytes{codec.Bytes("x")}})
	pub.expect("PINGRESP") // nothing else waits, but what would get out of order
	w.reply(q[0], broker.Answer{})
	sub.expect("t=a q1", "t=b q0")
	pub.expect("PUBACK 1 00")
	w.reply(q[2], broker.Answer{Reason: codec.ReasonNotAuthorized})
	sub.expect("other=changed q1")
	pub.expect("PUBREC 3 87", "PUBACK 4 00", "UNSUBACK 11")
	w.reply(q[2], broker.Answer{}) // answered already
	sub.expect()
}

// A message of QoS 2 is answered after its client came back.
func TestAnswerAfterReconnect(t *testing.T) {
	for _, early := range []bool{true, false} {
		w, asked := asking(t, broker.AskPublish)
		sub := w.connect(codec.V5, clean("sub")).subscribed(filter("t", 2))
		c := w.connect(codec.V5, lasting("c", codec.V5))
		p := publish("t", "x", 2)
		c.send(p)
		c.drop()
		if early {
			w.reply((*asked)[0], broker.Answer{})
		}
		c = w.present(codec.V5, lasting("c", codec.V5), true)
		p.Dup = true
		c.send(p)
		if !early {
			c.expect()
			w.reply((*asked)[0], broker.Answer{})
		}
		c.expect("PUBREC 100 00")
		c.send(&codec.Pubrel{PacketID: 100})
		c.expect("PUBCOMP 100 00")
		sub.expect("t=x q2")
		if len(*asked) != 1 {
			t.Errorf("%d questions", len(*asked))
		}
	}
}

// SUBSCRIBE is granted filter by filter.
func TestSubscribeAsked(t *testing.T) {
	w, asked := asking(t, broker.AskSubscribe)
	c := w.connect(codec.V5, clean("c"))
	c.send(subscribe(filter("a", 2), filter("b", 2), filter("c", 1)))
	c.expect()
	w.reply((*asked)[0], broker.Answer{Granted: []codec.ReasonCode{codec.ReasonNotAuthorized, 0, 2}})
	c.expect("SUBACK 87 00 01")
	c.send(subscribe(filter("a", 2), filter("b", 2)))
	w.reply((*asked)[1], broker.Answer{Reason: codec.ReasonNotAuthorized})
	c.expect("SUBACK 87 87")
	c.send(subscribe(filter("a", 2)))
	c.drop()
	w.reply((*asked)[2], broker.Answer{})
	if n := w.b.Stats().Subscriptions; n != 0 {
		t.Errorf("%d subscriptions", n)
	}
}

// A Will is asked about when it is due.
func TestWillAsked(t *testing.T) {
	w, asked := asking(t, broker.AskWill)
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 1))
	for i, want := range []string{"will=gone q1", ""} {
		w.connect(codec.V5, withWill(clean("c"), "will", 0)).drop()
		watch.expect()
		a := broker.Answer{}
		if want == "" {
			a.Reason = codec.ReasonNotAuthorized
		}
		w.reply((*asked)[i], a)
		if want != "" {
			watch.expect(want)
		}
	}
	watch.expect()
}

// Wills about which nobody answers take no more than a bounded number of
// questions.
func TestWillsUnanswered(t *testing.T) {
	w := newWorld(t, broker.Config{Ask: broker.AskWill})
	for range 1<<16 + 10 {
		w.connect(codec.V5, withWill(clean("c"), "will", 0)).drop()
		clear(w.clients)
		w.order = nil
	}
	if s := w.b.Stats(); s.Questions != 1<<16 || s.Dropped != 10 {
		t.Errorf("%d questions, %d dropped", s.Questions, s.Dropped)
	}
	c := w.connect(codec.V5, clean("c")).subscribed(filter("t", 0))
	c.send(publish("t", "x", 0))
	c.expect("t=x q0")
}

// An authentication of several steps, before CONNACK and again later.
func TestEnhancedAuthentication(t *testing.T) {
	w := newWorld(t, broker.Config{Ask: broker.AskConnect})
	c := w.open(codec.V5)
	p := clean("c")
	p.Properties.AuthenticationMethod = codec.Text("X")
	p.Properties.RequestResponseInformation = codec.Some(uint8(1))
	c.send(p)
	step := &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}
	if err := w.b.Authenticate(w.now, c.h, step); err != nil {
		t.Fatal(err)
	}
	w.drain()
	c.expect("AUTH")
	step.Properties.AuthenticationMethod = codec.Text("X")
	c.send(step)
	w.b.Accept(w.now, c.h, broker.Admission{AuthenticationData: codec.Bytes("done"), ResponseInformation: "answers/c"})
	w.drain()
	ack := c.packets()[0].(*codec.Connack)
	if string(ack.Properties.AuthenticationData.Value) != "done" || string(ack.Properties.ResponseInformation.Value) != "answers/c" {
		t.Errorf("got %v", ack)
	}
	again := &codec.Auth{ReasonCode: codec.ReasonReAuthenticate}
	again.Properties.AuthenticationMethod = codec.Text("X")
	c.send(again)
	if err := w.b.Authenticate(w.now, c.h, &codec.Auth{}); err != nil {
		t.Fatal(err)
	}
	w.drain()
	c.expect("AUTH")
	if c.closed {
		t.Error("closed")
	}
}

// A CONNECT that waits holds up nobody, and may be gone before the answer.
func TestConnectAsked(t *testing.T) {
	w := newWorld(t, broker.Config{Ask: broker.AskConnect})
	a, b := w.open(codec.V5), w.open(codec.V5)
	a.send(withWill(clean("c"), "will", 0))
	b.send(clean("c"))
	w.b.Closed(w.now, a.h, nil)
	w.drain()
	w.b.Accept(w.now, a.h, broker.Admission{})
	w.b.Accept(w.now, b.h, broker.Admission{})
	w.b.Accept(w.now, b.h, broker.Admission{})
	w.drain()
	b.expect("CONNACK 00 present=false")
	if s := w.b.Stats(); s.Connections != 1 || s.Sessions != 1 {
		t.Errorf("%+v", s)
	}
}

// A client about which much is asked is not read from.
func TestManyQuestions(t *testing.T) {
	w, asked := asking(t, broker.AskPublish)
	c := w.connect(codec.V5, clean("c"))
	for range 64 {
		c.send(publish("t", "", 0))
	}
	if !w.b.InputPaused(c.h) {
		t.Error("not paused")
	}
	for _, q := range *asked {
		w.reply(q, broker.Answer{})
	}
	if w.b.InputPaused(c.h) {
		t.Error("paused")
	}
}

// Routing to clients that can take it allocates nothing at QoS 0, and one copy
// of the message above, however many receive it.
func TestRoutingAllocations(t *testing.T) {
	for qos, most := range []float64{0, 2, 3} {
		w := newWorld(t, broker.Config{})
		var subs []broker.Handle
		for i := range 20 {
			c := w.connect(bothVersions[i%2], clean(string(rune('a'+i)))).subscribed(filter("t/+", 0), filter("#", 0))
			subs = append(subs, c.h)
		}
		pub := w.connect(codec.V5, clean("pub"))
		p, _ := publish("t/x", "payload", codec.QoS(qos)).AppendTo(nil, codec.V5)
		if qos == 2 {
			p, _ = (&codec.Pubrel{PacketID: 100}).AppendTo(p, codec.V5)
		}
		n := testing.AllocsPerRun(200, func() {
			w.b.Receive(w.now, pub.h, p)
			for ev := range w.b.Events() {
				if ev.Kind == events.Close {
					t.Fatal(ev.Err)
				}
			}
		})
		if n > most {
			t.Errorf("QoS %d: %v allocations for %d receivers", qos, n, len(subs))
		}
	}
}

// A large message of QoS 0 allocates nothing for a sole receiver, and a copy for
// several, as each of these refers to it.
func TestLargeRoutingAllocations(t *testing.T) {
	for receivers := 1; receivers <= 2; receivers++ {
		w := newWorld(t, broker.Config{})
		for i := range receivers {
			w.connect(bothVersions[i%2], clean(string(rune('a'+i)))).subscribed(filter("t/x", 0))
		}
		pub := w.connect(codec.V5, clean("pub"))
		p, _ := publish("t/x", strings.Repeat("x", 16<<10), codec.QoS0).AppendTo(nil, codec.V5)
		n := testing.AllocsPerRun(100, func() {
			w.b.Receive(w.now, pub.h, p)
			for range w.b.Events() {
			}
		})
		if (n == 0) != (receivers == 1) {
			t.Errorf("%v allocations for %d receivers", n, receivers)
		}
	}
}
