package peers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// settings are lines of a configuration, after those of the listener, and the
// versions with which they are compared. mosquitto 2.0 lets clients of v3.1.1
// with any keep alive in, though its manual says otherwise, and closes those
// without Client Identifier without CONNACK.
var settings = []struct {
	lines    string
	versions []int
}{
	{"", both},
	{"max_keepalive 30", v5},
	{"max_qos 1", both},
	{"max_qos 0", both},
	{"retain_available false", both},
	{"max_packet_size 2000", both},
	{"allow_zero_length_clientid false", v5},
	{"auto_id_prefix dev-", both},
	{"upgrade_outgoing_qos true", both},
	{"max_inflight_messages 5", both},
	{"max_inflight_messages 1\nmax_queued_messages 2", both},
}

// TestSettings demands that a configuration means the same for mosquitto and for
// our broker.
func TestSettings(t *testing.T) {
	needed(t)
	for i, l := range libraries {
		v := both[i%2]
		t.Run(fmt.Sprintf("%s v%d", l.name, v), func(t *testing.T) {
			t.Parallel()
			p := l.start(t)
			for _, set := range settings {
				if !slices.Contains(set.versions, v) {
					continue
				}
				t.Run(set.lines, func(t *testing.T) {
					lines := "persistence false\nset_tcp_nodelay true\nLISTENERS\nallow_anonymous true\n" + set.lines + "\n"
					compare(t, func(b *target) []string {
						return (&scene{peer: p, broker: b, transport: "tcp", version: v, prefix: "x"}).looks()
					}, start(t, "mosquitto", lines, "tcp"), start(t, "ours", lines, "tcp"))
				})
			}
		})
	}
}

// looks tells what a client sees of a broker's settings.
func (s *scene) looks() (seen []string) {
	tell := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	c := s.fresh("c")
	for _, name := range []string{"ServerKeepAlive", "MaximumQoS", "RetainAvailable", "MaximumPacketSize"} {
		tell("CONNACK: %s %v", name, c.answer.Properties[name])
	}
	nameless := s.try("", options{Clean: true})
	id, _ := nameless.answer.Properties["AssignedClientIdentifier"].(string)
	tell("without Client Identifier: 0x%02x %.4s", *nameless.answer.Reason, id)

	granted := c.subscribe(filter{Filter: "two", QoS: 2}, filter{Filter: "end", QoS: 2})
	tell("SUBSCRIBE at QoS 2: %v", granted)
	most := granted[0]
	for q := range most + 1 {
		for _, size := range []int{10, 1000} {
			c.say("two", q, strings.Repeat("x", size))
			c.say("end", 0, "")
			got := "nothing"
			for m := c.next(); m.Topic != "end"; m = c.next() {
				got = fmt.Sprintf("%d bytes at QoS %d", len(m.Payload), m.QoS)
			}
			tell("%d bytes at QoS %d: %s", size, q, got)
		}
	}
	return append(seen, s.waits(most)...)
}

// waits tells which messages wait for a client.
func (s *scene) waits(most int) (seen []string) {
	if most == 0 {
		return nil
	}
	o := s.keeping()
	o.Will = &message{Topic: "gone", Payload: []byte("away")}
	away, pub := s.connect("away", o), s.fresh("pub")
	away.subscribe(filter{Filter: "a", QoS: 1})
	pub.subscribe(filter{Filter: "gone"})
	away.kill()
	pub.wants("gone away q0") // or it might be sent one more
	pub.say("a", 1, "1", "2", "3", "4", "5", "6")
	away = s.connect("away", s.keeping())
	away.subscribe(filter{Filter: "b"})
	pub.say("b", 0, "")
	for m := away.next(); m.Topic != "b"; m = away.next() {
		seen = append(seen, "waited: "+string(m.Payload))
	}
	return append(seen, "that was all")
}
