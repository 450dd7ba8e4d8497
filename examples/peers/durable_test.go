package peers

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// TestBrokerKilled kills the broker and starts it again: what it has
// acknowledged is still there.
func TestBrokerKilled(t *testing.T) {
	needed(t)
	if *brokerName != "ours" {
		t.Skip("mosquitto writes its state at times only")
	}
	b := start(t, "ours", fmt.Sprintf("allow_anonymous true\npersistence true\npersistence_location %s/\n", t.TempDir()), "tcp")
	whole := t // the broker lives longer than one part of the test
	for _, l := range libraries {
		t.Run(l.name, func(t *testing.T) {
			p := l.start(t)
			for _, v := range both {
				s := &scene{peer: p, broker: b, transport: "tcp", version: v, prefix: fmt.Sprintf("killed/%s/v%d", l.name, v)}
				t.Run(fmt.Sprint("v", v), func(t *testing.T) {
					s.play(t, scenario{name: "broker killed", run: func(s *scene) {
						brokerKilled(s, func() {
							b.process.Signal(syscall.SIGKILL)
							b.process.Wait(programtest.Limit)
							if !b.run(whole) {
								failf("the broker does not start again")
							}
						})
					}})
				})
			}
		})
	}
}

func brokerKilled(s *scene, restart func()) {
	sub := s.connect("sub", s.keeping())
	sub.subscribe(filter{Filter: "one", QoS: 1}, filter{Filter: "two", QoS: 2})
	sub.disconnect(0, nil)
	pub := s.connect("pub", s.keeping())
	pub.say("one", 1, "1", "2", "3")
	pub.say("two", 2, "1", "2", "3")
	pub.publish(message{Topic: "kept", QoS: 1, Retain: true, Payload: []byte("still here")})
	restart()
	pub.closed()
	pub.reconnect()
	if !pub.answer.Present {
		failf("the session of the publisher is lost")
	}
	pub.say("two", 2, "4")
	sub = s.connect("sub", s.keeping())
	if !sub.answer.Present {
		failf("the session of the subscriber is lost")
	}
	sub.wantsAll("one 1 q1", "one 2 q1", "one 3 q1", "two 1 q2", "two 2 q2", "two 3 q2", "two 4 q2")
	sub.subscribe(filter{Filter: "kept"})
	sub.wants("kept still here q0 retained")
}
