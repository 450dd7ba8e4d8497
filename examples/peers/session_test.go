package peers

import (
	"fmt"
	"slices"
	"strconv"
)

// What is published while a client is away waits for it.
func resume(s *scene) {
	pub := s.fresh("pub")
	for q := 1; q <= 2; q++ {
		topic, id := fmt.Sprint("at", q), fmt.Sprint("sub", q)
		sub := s.connect(id, s.keeping())
		sub.subscribe(filter{Filter: topic, QoS: q})
		pub.say(topic, q, "0")
		sub.wants(fmt.Sprintf("%s 0 q%d", topic, q))
		sub.unsubscribe("x") // once that is answered, the message is acknowledged
		if q == 1 {
			sub.disconnect(0, nil)
		} else {
			sub.kill()
		}
		pub.say(topic, q, "1", "2", "3")
		sub = s.connect(id, s.keeping())
		if !sub.answer.Present {
			failf("the session is lost")
		}
		sub.wants(fmt.Sprintf("%s 1 q%d", topic, q), fmt.Sprintf("%s 2 q%d", topic, q), fmt.Sprintf("%s 3 q%d", topic, q))
		pub.say(topic, q, "4") // the subscription is still there
		sub.wants(fmt.Sprintf("%s 4 q%d", topic, q))
		sub.disconnect(0, nil)
	}
	pub.say("at1", 1, "lost")
	sub := s.fresh("sub1")
	if sub.answer.Present {
		failf("a clean start found a session")
	}
	sub.subscribe(filter{Filter: "new"})
	pub.say("at1", 1, "unseen")
	pub.say("new", 0, "seen")
	sub.wants("new seen q0")
}

func takeOver(s *scene) {
	old := s.fresh("c")
	s.fresh("c")
	if reason := old.closed(); s.version == 5 && reason != 0x8E {
		failf("the old connection ended with %d, not 0x8E", reason)
	}
}

func takeOverSession(s *scene) {
	pub := s.fresh("pub")
	old := s.connect("c", s.keeping())
	old.subscribe(filter{Filter: "a", QoS: 2})
	pub.say("a", 2, "1")
	old.wants("a 1 q2")
	c := s.connect("c", s.keeping())
	old.closed()
	if !c.answer.Present {
		failf("the session is lost")
	}
	pub.say("a", 2, "2")
	c.wants("a 2 q2")
}

// A sender that is cut off in the middle goes on where it was: QoS 1 arrives at
// least once, QoS 2 exactly once.
func senderCut(s *scene) {
	const messages = 200
	for q := 1; q <= 2; q++ {
		topic := fmt.Sprint("at", q)
		watch := s.fresh("watch")
		watch.subscribe(filter{Filter: topic, QoS: 2})
		pub := s.connect(fmt.Sprint("pub", q), s.keeping())
		var acks []chan line
		for i := range messages {
			acks = append(acks, pub.start(message{Topic: topic, QoS: q, Payload: text("%d", i)}))
		}
		s.peer.wait(acks[20], "acknowledgement")
		pub.kill()
		pub.reconnect()
		for _, ack := range acks[21:] {
			s.peer.wait(ack, "acknowledgement after the cut").reason()
		}
		pub.say(topic, q, "end")
		watch.tally(q, messages)
		pub.disconnect(0, nil)
	}
}

// tally demands the messages 0 to n-1 until end comes, at QoS 2 each exactly
// once, else at least once.
func (c *client) tally(qos, n int) {
	count := make([]int, n)
	for {
		l := c.scene.peer.wait(c.events, "message")
		if l.Event == "closed" {
			continue // in between
		}
		if string(l.Payload) == "end" {
			break
		}
		i, err := strconv.Atoi(string(l.Payload))
		if err != nil {
			failf("got %v", l.message)
		}
		count[i]++
	}
	if i := slices.Index(count, 0); i >= 0 {
		failf("QoS %d: message %d never came", qos, i)
	}
	if most := slices.Max(count); qos == 2 && most > 1 {
		failf("QoS 2: message %d came %d times", slices.Index(count, most), most)
	}
}

// A receiver that is cut off before its acknowledgement gets the message again
// at QoS 1, and not at QoS 2.
func receiverCut(s *scene) {
	const messages = 100
	for q := 1; q <= 2; q++ {
		topic := fmt.Sprint("at", q)
		o := s.keeping()
		o.DropAfter = 10
		sub := s.connect(fmt.Sprint("sub", q), o)
		sub.subscribe(filter{Filter: topic, QoS: q})
		pub := s.fresh("pub")
		var acks []chan line
		for i := range messages {
			acks = append(acks, pub.start(message{Topic: topic, QoS: q, Payload: text("%d", i)}))
		}
		for _, ack := range acks {
			s.peer.wait(ack, "acknowledgement").reason()
		}
		sub.reconnect()
		if !sub.answer.Present {
			failf("the session is lost")
		}
		pub.say(topic, q, "end")
		sub.tally(q, messages)
		sub.disconnect(0, nil)
	}
}
