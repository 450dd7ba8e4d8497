package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// acl is a file of rules as mosquitto has them.
const acl = `# clients without a user name
topic read public/#
topic write inbox/anonymous

user alice
topic readwrite home/#
topic deny home/secret/#
topic read news
topic write orders/+
topic $SYS/#

user bob
topic read home/+/temperature
topic write home/kitchen/temperature
topic readwrite a topic with spaces

user client
topic readwrite only/with a certificate

user a+b
topic read fence

user admin
topic #
topic read $SYS/#

pattern readwrite users/%u/#
pattern write clients/%c/status
pattern read fence
`

// topics and filters are what every client tries.
var (
	aclTopics = []string{
		"public/news", "inbox/anonymous", "home/kitchen/temperature", "home/kitchen", "home/secret/key", "home", "news", "orders/1", "orders/1/2",
		"a topic with spaces", "only/with a certificate", "users/alice/x", "users/bob", "users/alice", "clients/me/status", "clients/you/status", "elsewhere",
	}
	aclFilters = []string{
		"#", "+/+", "home/#", "home/+/temperature", "home/secret/#", "home/secret/key", "news", "public/#", "users/+/#", "users/alice/#",
		"elsewhere", "$SYS/#", "$share/g/home/#", "$share/g/elsewhere",
	}
)

// who are those who try to connect.
var who = []struct {
	name string
	o    options
}{
	{"anonymous", options{}},
	{"alice", options{User: "alice", Password: "wonder land"}},
	{"alice with another password", options{User: "alice", Password: "wonderland"}},
	{"alice without password", options{User: "alice"}},
	{"bob", options{User: "bob", Password: "ümlaut:colon"}},
	{"nobody known", options{User: "mallory", Password: "x"}},
	{"one of the pattern", options{User: "a+b", Password: "plus"}},
	{"with a certificate", options{Transport: "certificate"}},
	{"with a certificate and another name", options{Transport: "certificate", User: "alice", Password: "wonder land"}},
}

// TestMigration lets the same clients do the same with mosquitto and with our
// broker, which have the same configuration, passwords and ACL.
func TestMigration(t *testing.T) {
	needed(t)
	folder := t.TempDir()
	passwords := filepath.Join(folder, "passwords")
	create := []string{"-c"}
	for user, password := range map[string]string{"alice": "wonder land", "bob": "ümlaut:colon", "a+b": "plus", "admin": "admin"} {
		programtest.Run(t, nil, "mosquitto_passwd", append(create, "-b", passwords, user, password)...)
		create = nil
	}
	rules := filepath.Join(folder, "acl")
	if err := os.WriteFile(rules, []byte(acl), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, anonymous := range []string{"true", "false"} {
		lines := fmt.Sprintf("persistence false\nset_tcp_nodelay true\nallow_anonymous %s\npassword_file %s\nacl_file %s\n", anonymous, passwords, rules)
		for i, l := range libraries {
			v := both[i%2]
			t.Run(fmt.Sprintf("anonymous %s/%s v%d", anonymous, l.name, v), func(t *testing.T) {
				t.Parallel()
				mosquitto, ours := start(t, "mosquitto", lines, "tcp", "certificate"), start(t, "ours", lines, "tcp", "certificate")
				p := l.start(t)
				for _, w := range who {
					t.Run(w.name, func(t *testing.T) {
						compare(t, func(b *target) []string {
							s := &scene{peer: p, broker: b, transport: "tcp", version: v}
							seen := s.enters(w.o)
							if anonymous == "true" && seen[0] == "CONNECT: 0x00" {
								seen = append(seen, s.tries(w.o)...)
							}
							return seen
						}, mosquitto, ours)
					})
				}
			})
		}
	}
}

// compare demands the same observations of both brokers.
func compare(t *testing.T, observe func(*target) []string, mosquitto, ours *target) {
	t.Helper()
	want, got := observed(t, observe, mosquitto), observed(t, observe, ours)
	if len(got) != len(want) {
		t.Fatalf("mosquitto: %q\nours: %q", want, got)
	}
	for i := range want {
		if got[i] != want[i] && !better(want[i], got[i]) {
			t.Errorf("mosquitto: %s\nours: %s", want[i], got[i])
		}
	}
}

func observed(t *testing.T, observe func(*target) []string, b *target) []string {
	t.Helper()
	defer func() {
		t.Helper()
		if m, ok := recover().(mismatch); ok {
			t.Fatalf("%s: %s", b.name, m)
		}
	}()
	return observe(b)
}

// onPurpose is what mosquitto 2.0 says, and what we say instead: the reason codes
// of the standards for a wrong password and for a Client Identifier that is
// missing.
var onPurpose = map[string]string{
	"CONNECT: 0x87":                    "CONNECT: 0x86",
	"CONNECT: 0x05":                    "CONNECT: 0x04",
	"without Client Identifier: 0x80 ": "without Client Identifier: 0x85 ",
}

// better are differences that are ours on purpose. mosquitto 2.0 also sends
// retained messages to shared subscriptions.
func better(theirs, ours string) bool {
	if want, ok := onPurpose[theirs]; ok && ours == want {
		return true
	}
	shared, _, _ := strings.Cut(theirs, ": ")
	return strings.HasPrefix(shared, "retained, by $share/") && ours == shared+": "
}

// enters tells whether a client may connect.
func (s *scene) enters(o options) []string {
	o.Clean = true
	c := s.try("me", o)
	if *c.answer.Reason == 0 {
		c.disconnect(0, nil)
	}
	return []string{fmt.Sprintf("CONNECT: 0x%02x", *c.answer.Reason)}
}

// tries publishes, subscribes and leaves a Will, and tells what happened.
func (s *scene) tries(o options) (seen []string) {
	tell := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	o.Clean = true
	c, admin := s.connect("me", o), s.connect("admin", options{Clean: true, User: "admin", Password: "admin"})
	admin.subscribe(filter{Filter: "#", QoS: 1})
	reasons := c.all(message{QoS: 1, Payload: []byte("by me")}, aclTopics)
	arrived := admin.arrived(admin)
	for i, topic := range aclTopics {
		tell("PUBLISH %s: arrives %v, reason code %v", topic, slices.Contains(arrived, topic), known(reasons[i]))
	}
	admin.all(message{QoS: 1, Retain: true, Payload: []byte("kept")}, aclTopics)
	c.subscribe(filter{Filter: "fence", QoS: 1})
	for _, f := range aclFilters {
		tell("SUBSCRIBE %s: %v", f, c.subscribe(filter{Filter: f, QoS: 1}))
		kept := c.arrived(admin)
		slices.Sort(kept)
		tell("retained, by %s: %s", f, strings.Join(kept, ", "))
		admin.all(message{QoS: 1, Payload: []byte("for you")}, aclTopics)
		tell("arrives by %s: %s", f, strings.Join(c.arrived(admin), ", "))
		c.unsubscribe(f)
	}
	c.disconnect(0, nil)
	admin.all(message{QoS: 1, Retain: true}, aclTopics)
	admin.arrived(admin)
	for _, topic := range []string{"orders/1", "elsewhere"} {
		tell("the Will at %s arrives: %v", topic, s.leavesWill(o, topic, admin))
	}
	admin.disconnect(0, nil)
	return seen
}

// leavesWill reports whether the Will of a client arrives. mosquitto 2.0 lets a
// client in whose Will it is not going to publish; we refuse it, which is not
// compared.
func (s *scene) leavesWill(o options, topic string, admin *client) bool {
	o.Will = &message{Topic: topic, QoS: 1, Payload: []byte("gone")}
	if c := s.try("me", o); *c.answer.Reason == 0 {
		c.kill()
		o.Will = nil
		s.connect("me", o).disconnect(0, nil) // the broker has seen the end of the other then
	}
	return slices.Contains(admin.arrived(admin), topic)
}

// all publishes a message to each of the topics and returns the reason codes.
func (c *client) all(m message, topics []string) (reasons []*int) {
	var acks []chan line
	for _, m.Topic = range topics {
		acks = append(acks, c.start(m))
	}
	for _, ack := range acks {
		reasons = append(reasons, c.scene.peer.wait(ack, "acknowledgement").reason())
	}
	return reasons
}

func known(reason *int) string {
	if reason == nil {
		return "not told"
	}
	return fmt.Sprintf("0x%02x", *reason)
}

var fences atomic.Int64

// arrived returns the topics of what has come, but those of $SYS, which come
// when they like. All that by has published before is among them.
func (c *client) arrived(by *client) (topics []string) {
	end := fmt.Sprint(fences.Add(1))
	for by.say("fence", 1, end); ; {
		switch m := c.next(); {
		case string(m.Payload) == end:
			return topics
		case m.Topic != "fence" && !strings.HasPrefix(m.Topic, "$SYS"):
			topics = append(topics, m.Topic)
		}
	}
}
