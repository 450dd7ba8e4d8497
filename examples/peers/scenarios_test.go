package peers

import (
	"bytes"
	"fmt"
	"time"
)

var scenarios = []scenario{
	{"every QoS", both, everyQoS},
	{"order", both, order},
	{"1 MiB", both, mebibyte},
	{"wildcards", both, wildcards},
	{"unsubscribe", both, unsubscribe},
	{"keep alive", both, keepAlive},
	{"no client identifier", both, noIdentifier},
	{"retained", both, retained},
	{"retain handling", v5, retainHandling},
	{"retain as published", v5, retainAsPublished},
	{"will", both, will},
	{"will after disconnect", v5, willAfterDisconnect},
	{"will delay", v5, willDelay},
	{"shared subscription", both, shared},
	{"properties", v5, properties},
	{"message expiry", v5, messageExpiry},
	{"no local", v5, noLocal},
	{"subscription identifiers", v5, subscriptionIdentifiers},
	{"overlapping subscriptions", v5, overlapping},
	{"request and response", v5, request},
	{"topic alias to the broker", v5, aliasOut},
	{"topic alias from the broker", v5, aliasIn},
	{"receive maximum", v5, receiveMaximum},
	{"maximum packet size", v5, maximumPacketSize},
	{"reason codes", v5, reasonCodes},
	{"resume", both, resume},
	{"session ends", v5, sessionEnds},
	{"take-over", both, takeOver},
	{"take-over of a session", both, takeOverSession},
	{"sender cut off", both, senderCut},
	{"receiver cut off", both, receiverCut},
	{"$SYS", both, sys},
}

func text(format string, args ...any) []byte { return fmt.Appendf(nil, format, args...) }

// Each message comes with the lower of its QoS and that of the subscription.
func everyQoS(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	var want []string
	for to := range 3 {
		equal(sub.subscribe(filter{Filter: fmt.Sprint("to", to), QoS: to}), []int{to})
		for from := range 3 {
			want = append(want, fmt.Sprintf("to%d from%d q%d", to, from, min(from, to)))
			pub.publish(message{Topic: fmt.Sprint("to", to), QoS: from, Payload: text("from%d", from)})
		}
	}
	pub.publish(message{Topic: "to2"})
	sub.wantsAll(append(want, "to2  q0")...)
}

func order(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	for q := range 3 {
		topic := fmt.Sprint("at", q)
		sub.subscribe(filter{Filter: topic, QoS: q})
		var want []string
		var acks []chan line
		for i := range 300 {
			acks = append(acks, pub.start(message{Topic: topic, QoS: q, Payload: text("%d", i)}))
			want = append(want, fmt.Sprintf("%s %d q%d", topic, i, q))
		}
		sub.wants(want...)
		for _, ack := range acks {
			s.peer.wait(ack, "acknowledgement").reason()
		}
	}
}

func mebibyte(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	sub.subscribe(filter{Filter: "large", QoS: 2})
	for q := range 3 {
		m := message{Topic: "large", QoS: q, Payload: bytes.Repeat([]byte{byte(q), 1, 2, 0xFF}, 1<<18)}
		pub.publish(m)
		sub.wants(m.String())
	}
}

func wildcards(s *scene) {
	pub := s.fresh("pub")
	for _, tt := range []struct{ filter, topics string }{
		{"a/+", "a/b a/ "}, {"a/#", "a a/b a/b/c a/ "}, {"+/b", "a/b /b "}, {"+/b/#", "a/b a/b/c /b "}, {"/+", "/ /b "},
	} {
		sub := s.fresh("sub " + tt.filter)
		sub.subscribe(filter{Filter: tt.filter}, filter{Filter: "end"})
		for _, topic := range []string{"a", "a/b", "a/b/c", "a/", "/", "/b", "b"} {
			pub.publish(message{Topic: topic})
		}
		pub.publish(message{Topic: "end"})
		got := ""
		for m := sub.next(); m.Topic != "end"; m = sub.next() {
			got += m.Topic + " "
		}
		equal(got, tt.topics)
	}
}

func unsubscribe(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	sub.subscribe(filter{Filter: "a"}, filter{Filter: "b"})
	reasons := sub.unsubscribe("a", "never")
	pub.say("a", 0, "no")
	pub.say("b", 0, "yes")
	sub.wants("b yes q0")
	if s.version == 5 {
		equal(reasons, []int{0, 0x11})
	}
}

// The library's pings keep a quiet connection open.
func keepAlive(s *scene) {
	pub := s.fresh("pub")
	s.patiently(func(seconds int) {
		sub := s.connect("sub", options{Clean: true, KeepAlive: seconds})
		sub.subscribe(filter{Filter: "late"})
		time.Sleep(time.Duration(seconds) * 2500 * time.Millisecond)
		pub.say("late", 0, "here")
		sub.wants("late here q0")
	})
}

func noIdentifier(s *scene) {
	c := s.connect("", options{Clean: true})
	if id, _ := c.answer.Properties["AssignedClientIdentifier"].(string); s.version == 5 && id == "" {
		failf("no identifier was assigned: %v", c.answer.Properties)
	}
	c.subscribe(filter{Filter: "a"})
	c.say("a", 0, "myself")
	c.wants("a myself q0")
}

func retained(s *scene) {
	pub := s.fresh("pub")
	watch := s.fresh("watch")
	watch.subscribe(filter{Filter: "r/#", QoS: 2})
	for q := range 3 {
		pub.publish(message{Topic: fmt.Sprint("r/", q), QoS: q, Retain: true, Payload: []byte("old")})
		pub.publish(message{Topic: fmt.Sprint("r/", q), QoS: q, Retain: true, Payload: []byte("new")})
		watch.wants(fmt.Sprintf("r/%d old q%d", q, q), fmt.Sprintf("r/%d new q%d", q, q))
	}
	pub.publish(message{Topic: "r/1", QoS: 1, Retain: true})
	watch.wants("r/1  q1")
	sub := s.fresh("sub")
	sub.subscribe(filter{Filter: "r/+", QoS: 2})
	sub.wantsAll("r/0 new q0 retained", "r/2 new q2 retained")
	lower := s.fresh("lower")
	lower.subscribe(filter{Filter: "r/2", QoS: 1})
	lower.wants("r/2 new q1 retained")
}

func retainHandling(s *scene) {
	pub, sub := s.fresh("pub"), s.fresh("sub")
	pub.publish(message{Topic: "r/a", QoS: 1, Retain: true, Payload: []byte("kept")})
	sub.subscribe(filter{Filter: "end"})
	for i, tt := range []struct {
		filter   string
		handling int
		comes    bool
	}{{"r/a", 0, true}, {"r/a", 0, true}, {"r/a", 1, false}, {"r/a", 2, false}, {"r/+", 2, false}, {"r/+", 1, false}, {"r/#", 1, true}} {
		sub.subscribe(filter{Filter: tt.filter, RetainHandling: tt.handling})
		pub.say("end", 0, "")
		m := sub.next()
		if m.Retain != tt.comes {
			failf("subscription %d, %s with Retain Handling %d: got %v", i, tt.filter, tt.handling, m)
		}
		if m.Retain {
			equal(m.Topic, "r/a")
			sub.wants("end  q0")
		}
	}
}

func retainAsPublished(s *scene) {
	pub, as, not := s.fresh("pub"), s.fresh("as"), s.fresh("not")
	as.subscribe(filter{Filter: "r", RetainAsPublished: true})
	not.subscribe(filter{Filter: "r"})
	for _, retain := range []bool{true, false} {
		pub.publish(message{Topic: "r", Retain: retain, Payload: text("%v", retain)})
	}
	as.wants("r true q0 retained", "r false q0")
	not.wants("r true q0", "r false q0")
}

func will(s *scene) {
	watch := s.fresh("watch")
	watch.subscribe(filter{Filter: "will/#", QoS: 2})
	for q := range 3 {
		m := &message{Topic: fmt.Sprint("will/", q), QoS: q, Payload: []byte("gone")}
		want := m.String()
		if s.version == 5 {
			m.Properties = props{"ContentType": "text", "CorrelationData": "c", "MessageExpiryInterval": 100, "PayloadFormatIndicator": 1,
				"ResponseTopic": "r", "UserProperty": [][]string{{"a", "1"}, {"a", "2"}, {"b", "3"}}}
			want = (message{Topic: m.Topic, QoS: q, Payload: m.Payload, Properties: m.Properties}).String()
		}
		s.connect("polite", options{Clean: true, Will: m}).disconnect(0, nil)
		s.connect("rude", options{Clean: true, Will: m}).kill()
		watch.wants(want)
	}
	keep := s.connect("keep", options{Clean: true, Will: &message{Topic: "will/kept", QoS: 1, Retain: true, Payload: []byte("gone")}})
	keep.kill()
	watch.wants("will/kept gone q1")
	late := s.fresh("late")
	late.subscribe(filter{Filter: "will/kept"})
	late.wants("will/kept gone q0 retained")
}

func willAfterDisconnect(s *scene) {
	watch := s.fresh("watch")
	watch.subscribe(filter{Filter: "will"})
	s.connect("c", options{Clean: true, Will: &message{Topic: "will", Payload: []byte("wanted")}}).disconnect(4, nil)
	watch.wants("will wanted q0")
}

// A client that is back before the delay is over has no Will; one that stays
// away has, after the delay.
func willDelay(s *scene) {
	s.patiently(func(seconds int) {
		watch, topic := s.fresh("watch"), fmt.Sprint("will/", seconds, "/")
		watch.subscribe(filter{Filter: topic + "#"})
		with := func(id string) options {
			o := s.keeping()
			o.Will = &message{Topic: topic + id, Payload: []byte("gone"), Properties: props{"WillDelayInterval": seconds}}
			return o
		}
		s.connect("back", with("back")).kill()
		s.connect("back", s.keeping())
		away := s.connect("away", with("away"))
		begin := time.Now()
		away.kill()
		watch.wants(topic + "away gone q0")
		if waited := time.Since(begin); waited < 700*time.Millisecond { // some brokers look once a second
			failf("the Will came after %v", waited)
		}
		s.connect("ends", options{Will: with("ends").Will}).kill() // the session ends at once, and the Will with it
		watch.wants(topic + "ends gone q0")
	})
}

func shared(s *scene) {
	one, two, all, pub := s.fresh("one"), s.fresh("two"), s.fresh("all"), s.fresh("pub")
	one.subscribe(filter{Filter: "$share/g/s/#", QoS: 1}, filter{Filter: "end"})
	two.subscribe(filter{Filter: "$share/g/s/#", QoS: 1}, filter{Filter: "end"})
	all.subscribe(filter{Filter: "s/+", QoS: 1})
	var want []string
	for i := range 20 {
		pub.say("s/x", 1, fmt.Sprint(i))
		want = append(want, fmt.Sprintf("s/x %d q1", i))
	}
	pub.say("end", 0, "")
	all.wants(want...)
	got := map[string]int{}
	for _, c := range []*client{one, two} {
		n := 0
		for m := c.next(); m.Topic != "end"; m = c.next() {
			got[m.String()]++
			n++
		}
		if n == 0 {
			failf("a member got nothing")
		}
	}
	for _, m := range want {
		if got[m] != 1 {
			failf("%s came %d times", m, got[m])
		}
	}
}

func sys(s *scene) {
	c := s.fresh("c")
	c.subscribe(filter{Filter: "$SYS/broker/version"})
	if m := c.next(); m.Topic != "$SYS/broker/version" || !m.Retain || len(m.Payload) == 0 {
		failf("got %v", m)
	}
}
