package peers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
		lines := fmt.Sprintf("persistence false\nallow_anonymous %s\npassword_file %s\nacl_file %s\n", anonymous, passwords, rules)
		brokers := []*target{start(t, "mosquitto", lines, "tcp", "certificate"), start(t, "ours", lines, "tcp", "certificate")}
		for _, l := range libraries {
			t.Run("anonymous "+anonymous+"/"+l.name, func(t *testing.T) {
				p := l.start(t)
				for _, w := range who {
					for _, v := range both {
						t.Run(fmt.Sprintf("%s/v%d", w.name, v), func(t *testing.T) {
							compare(t, func(b *target) []string {
								return (&scene{peer: p, broker: b, transport: "tcp", version: v}).tries(w.o)
							}, brokers...)
						})
					}
				}
			})
		}
	}
}

// compare demands the same observations of both brokers.
func compare(t *testing.T, observe func(*target) []string, brokers ...*target) {
	t.Helper()
	var seen [][]string
	for _, b := range brokers {
		func() {
			defer func() {
				if m, ok := recover().(mismatch); ok {
					seen = append(seen, []string{string(m)})
				}
			}()
			seen = append(seen, observe(b))
		}()
	}
	for i := range max(len(seen[0]), len(seen[1])) {
		at := func(list []string) string {
			if i < len(list) {
				return list[i]
			}
			return "nothing"
		}
		if theirs, ours := at(seen[0]), at(seen[1]); theirs != ours {
			t.Errorf("%s: %s\n%s: %s", brokers[0].name, theirs, brokers[1].name, ours)
		}
	}
}

// tries connects and tries everything, and tells what happened.
func (s *scene) tries(o options) (seen []string) {
	tell := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	o.Clean = true
	c := s.try("me", o)
	tell("CONNECT: 0x%02x", *c.answer.Reason)
	if *c.answer.Reason != 0 {
		return seen
	}
	admin := s.connect("admin", options{Clean: true, User: "admin", Password: "admin"})
	admin.subscribe(filter{Filter: "#", QoS: 1})

	for _, topic := range aclTopics {
		reason := c.publish(message{Topic: topic, QoS: 1, Payload: []byte("by me")})
		admin.say("fence", 1, "")
		arrived := slices.Contains(admin.until("fence"), topic)
		tell("PUBLISH %s: arrives %v, reason code %v", topic, arrived, known(reason))
	}
	for _, topic := range aclTopics {
		admin.publish(message{Topic: topic, QoS: 1, Retain: true, Payload: []byte("kept")})
	}
	admin.say("fence", 1, "")
	admin.until("fence")
	for _, f := range aclFilters {
		tell("SUBSCRIBE %s: %v", f, c.subscribe(filter{Filter: f, QoS: 1}, filter{Filter: "fence", QoS: 1}))
		admin.say("fence", 1, "")
		kept := c.until("fence")
		slices.Sort(kept)
		tell("retained, by %s: %s", f, strings.Join(kept, ", "))
		for _, topic := range aclTopics {
			admin.say(topic, 1, "for you")
		}
		admin.say("fence", 1, "")
		tell("arrives by %s: %s", f, strings.Join(c.until("fence"), ", "))
		c.unsubscribe(f)
		admin.until("fence")
		admin.until("fence")
	}
	c.disconnect(0, nil)
	for _, topic := range aclTopics {
		admin.publish(message{Topic: topic, QoS: 1, Retain: true})
	}

	for _, topic := range []string{"orders/1", "elsewhere"} { // a Will
		o.Will = &message{Topic: topic, QoS: 1, Payload: []byte("gone")}
		c := s.try("me", o)
		tell("CONNECT with Will at %s: 0x%02x", topic, *c.answer.Reason)
		if *c.answer.Reason == 0 {
			c.kill()
			s.try("me", options{Clean: true, User: o.User, Password: o.Password, Transport: o.Transport}) // the broker has seen its end then
		}
		admin.say("fence", 1, "")
		tell("the Will at %s arrives: %v", topic, slices.Contains(admin.until("fence"), topic))
	}
	admin.disconnect(0, nil)
	return seen
}

func known(reason *int) string {
	if reason == nil {
		return "not told"
	}
	return fmt.Sprintf("0x%02x", *reason)
}

// until returns the topics that come before one of the given topic, but those of
// $SYS, which come when they like.
func (c *client) until(end string) (topics []string) {
	for m := c.next(); m.Topic != end; m = c.next() {
		if !strings.HasPrefix(m.Topic, "$SYS") {
			topics = append(topics, m.Topic)
		}
	}
	return topics
}
