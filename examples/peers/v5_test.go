package peers

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// all are the properties of a message that go through a broker unchanged.
var all = props{
	"PayloadFormatIndicator": 1,
	"ContentType":            "text/plain",
	"ResponseTopic":          "answers/ü",
	"CorrelationData":        "\x01binary\x02",
	"UserProperty":           [][]string{{"z", "1"}, {"z", "2"}, {"z", "1"}, {"a", ""}, {"", "ü"}},
}

func properties(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	sub.subscribe(filter{Filter: "p", QoS: 2})
	for q := range 3 {
		m := message{Topic: "p", QoS: q, Retain: true, Payload: []byte("x"), Properties: all}
		pub.publish(m)
		m.Retain = false
		sub.wants(m.String())
		late := s.fresh("late")
		late.subscribe(filter{Filter: "p", QoS: 2})
		m.Retain = true
		late.wants(m.String())
	}
}

// What waits longer than it may is dropped, the rest tells how long it may still
// wait.
func messageExpiry(s *scene) {
	c := s.connect("c", s.keeping())
	c.subscribe(filter{Filter: "e", QoS: 1})
	c.disconnect(0, nil)
	pub := s.fresh("pub")
	begin := time.Now()
	for _, seconds := range []int{1, 1000} {
		p := props{"MessageExpiryInterval": seconds}
		pub.publish(message{Topic: "e", QoS: 1, Payload: text("%d", seconds), Properties: p})
		pub.publish(message{Topic: "r/" + fmt.Sprint(seconds), QoS: 1, Retain: true, Payload: text("%d", seconds), Properties: p})
	}
	time.Sleep(2100 * time.Millisecond) // some brokers count in whole seconds
	c = s.connect("c", s.keeping())
	c.subscribe(filter{Filter: "r/#"})
	for range 2 {
		m := c.next()
		left, _ := m.Properties["MessageExpiryInterval"].(float64)
		if least := 999 - time.Since(begin).Seconds(); left < least || left > 998 || string(m.Payload) != "1000" {
			failf("got %v", m)
		}
	}
}

func noLocal(s *scene) {
	c, other := s.fresh("c"), s.fresh("other")
	c.subscribe(filter{Filter: "n", QoS: 1, NoLocal: true})
	c.say("n", 1, "own")
	other.say("n", 1, "other's")
	c.wants("n other's q1")
}

func subscriptionIdentifiers(s *scene) {
	c := s.fresh("c")
	c.subscribeWith(props{"SubscriptionIdentifier": 7}, filter{Filter: "a"})
	c.subscribeWith(props{"SubscriptionIdentifier": 268435455}, filter{Filter: "b"})
	c.subscribe(filter{Filter: "c"})
	for _, topic := range []string{"a", "b", "c"} {
		c.say(topic, 0, "x")
	}
	c.wants(`a x q0 {"SubscriptionIdentifier":[7]}`, `b x q0 {"SubscriptionIdentifier":[268435455]}`, "c x q0")
	c.subscribeWith(props{"SubscriptionIdentifier": 8}, filter{Filter: "a"}) // in place of the other
	c.say("a", 0, "y")
	c.wants(`a y q0 {"SubscriptionIdentifier":[8]}`)
}

// Overlapping subscriptions: one message with all identifiers.
func overlapping(s *scene) {
	c := s.fresh("c")
	c.subscribeWith(props{"SubscriptionIdentifier": 1}, filter{Filter: "a/+", QoS: 2})
	c.subscribeWith(props{"SubscriptionIdentifier": 2}, filter{Filter: "a/#", QoS: 1})
	c.subscribe(filter{Filter: "a/b"}, filter{Filter: "end", QoS: 2})
	c.say("a/b", 2, "x")
	c.say("end", 2, "")
	m := c.next()
	ids, _ := m.Properties["SubscriptionIdentifier"].([]any)
	slices.SortFunc(ids, func(a, b any) int { return int(a.(float64) - b.(float64)) })
	equal(m.String(), `a/b x q2 {"SubscriptionIdentifier":[1,2]}`)
	c.wants("end  q2")
}

func request(s *scene) {
	asks, answers := s.fresh("asks"), s.fresh("answers")
	answers.subscribe(filter{Filter: "question/#", QoS: 1})
	asks.subscribe(filter{Filter: "answer/asks", QoS: 1})
	for i := range 3 {
		asks.publish(message{Topic: "question/x", QoS: 1, Payload: text("%d?", i),
			Properties: props{"ResponseTopic": s.topic("answer/asks"), "CorrelationData": fmt.Sprint("no. ", i)}})
		q := answers.next()
		answers.publish(message{Topic: strings.TrimPrefix(q.Properties["ResponseTopic"].(string), s.prefix+"/"), QoS: 1,
			Payload: append(q.Payload, '!'), Properties: props{"CorrelationData": q.Properties["CorrelationData"]}})
		asks.wants(fmt.Sprintf(`answer/asks %d?! q1 {"CorrelationData":"no. %d"}`, i, i))
	}
}

func aliasOut(s *scene) {
	sub, pub := s.fresh("sub"), s.fresh("pub")
	if most, _ := pub.answer.Properties["TopicAliasMaximum"].(float64); most < 2 {
		failf("the broker allows no topic aliases: %v", pub.answer.Properties)
	}
	sub.subscribe(filter{Filter: "long/+", QoS: 2})
	send := func(topic string, alias, qos int) {
		pub.publish(message{Topic: topic, QoS: qos, Payload: []byte("x"), Properties: props{"TopicAlias": alias}})
	}
	send("long/one", 1, 0)
	send("", 1, 1)
	send("long/two", 2, 2)
	send("", 1, 2)
	send("long/two", 1, 1) // the alias gets another topic
	send("", 1, 1)
	sub.wantsAll("long/one x q0", "long/one x q1", "long/two x q2", "long/one x q2", "long/two x q1", "long/two x q1")
}

func aliasIn(s *scene) {
	sub, pub := s.connect("sub", options{Clean: true, Properties: props{"TopicAliasMaximum": 3}}), s.fresh("pub")
	sub.subscribe(filter{Filter: "long/+", QoS: 1})
	var want []string
	for i := range 30 {
		topic := fmt.Sprint("long/", i%5)
		pub.say(topic, 1, "x")
		want = append(want, topic+" x q1")
	}
	sub.wants(want...)
}

// A client that takes one message at a time gets them all.
func receiveMaximum(s *scene) {
	for q := 1; q <= 2; q++ {
		topic := fmt.Sprint("at", q)
		sub := s.connect("sub", options{Clean: true, Properties: props{"ReceiveMaximum": 1}})
		sub.subscribe(filter{Filter: topic, QoS: q})
		pub := s.fresh("pub")
		var want []string
		for i := range 100 {
			pub.start(message{Topic: topic, QoS: q, Payload: text("%d", i)})
			want = append(want, fmt.Sprintf("%s %d q%d", topic, i, q))
		}
		sub.wants(want...)
	}
}

// What is too large for a client is left out.
func maximumPacketSize(s *scene) {
	sub, pub := s.connect("sub", options{Clean: true, Properties: props{"MaximumPacketSize": 200}}), s.fresh("pub")
	sub.subscribe(filter{Filter: "m", QoS: 2})
	for q := range 3 {
		pub.say("m", q, strings.Repeat("x", 300), "small")
		sub.wants(fmt.Sprintf("m small q%d", q))
	}
}

func reasonCodes(s *scene) {
	c := s.fresh("c")
	equal(c.unsubscribe("never"), []int{0x11})
	equal(c.subscribe(filter{Filter: "a", QoS: 2}, filter{Filter: "b"}), []int{2, 0})
	equal(c.unsubscribe("b", "a", "b"), []int{0, 0, 0x11})
	for q := 1; q <= 2; q++ {
		if r := c.publish(message{Topic: "nobody", QoS: q}); r != nil && *r != 0x10 {
			failf("QoS %d: nobody has subscribed, and the reason code is 0x%02x", q, *r)
		}
	}
}

// The life of a session is what the client says last.
func sessionEnds(s *scene) {
	for _, tt := range []struct {
		connect, disconnect props
		present             bool
	}{
		{nil, nil, false},
		{props{"SessionExpiryInterval": 0}, nil, false},
		{props{"SessionExpiryInterval": 100}, nil, true},
		{props{"SessionExpiryInterval": 100}, props{"SessionExpiryInterval": 0}, false},
		{props{"SessionExpiryInterval": 100}, props{"SessionExpiryInterval": 50}, true},
	} {
		c := s.connect("c", options{Clean: true, Properties: tt.connect})
		c.disconnect(0, tt.disconnect)
		c = s.connect("c", options{})
		if c.answer.Present != tt.present {
			failf("%v, then %v: session present is %v", tt.connect, tt.disconnect, c.answer.Present)
		}
		c.disconnect(0, nil)
	}
	c := s.connect("c", options{Clean: true, Properties: props{"SessionExpiryInterval": 1}})
	c.disconnect(0, nil)
	time.Sleep(2100 * time.Millisecond) // some brokers count in whole seconds
	if c = s.connect("c", options{}); c.answer.Present {
		failf("the session outlived its expiry")
	}
}
