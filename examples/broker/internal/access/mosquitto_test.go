package access

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// needMosquitto skips a test unless it was asked for.
func needMosquitto(t *testing.T) {
	t.Helper()
	if os.Getenv("MQTTCORE_INTEROP") != "1" {
		t.Skip("set MQTTCORE_INTEROP=1 to test against mosquitto")
	}
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Fatalf("mosquitto is not installed: %v", err)
	}
}

// mosquitto runs Eclipse Mosquitto with more lines of configuration, and
// returns its address.
func mosquitto(t *testing.T, lines string) string {
	t.Helper()
	for range 5 { // somebody else may take the port first
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		l.Close()
		_, port, _ := net.SplitHostPort(address)
		p := programtest.Start(t, nil, "mosquitto", "-c", store(t, fmt.Sprintf("user root\nlistener %s 127.0.0.1\n%s", port, lines)))
		for limit := time.Now().Add(programtest.Limit); time.Now().Before(limit) && !p.Ended(); time.Sleep(10 * time.Millisecond) {
			if c, err := net.Dial("tcp", address); err == nil {
				c.Close()
				return address
			}
		}
	}
	t.Fatal("mosquitto does not start")
	return ""
}

// peer is a client that says one thing at a time.
type peer struct {
	t    *testing.T
	conn net.Conn
	in   *codec.Reader
	got  map[string]bool // topics of messages that came
}

func (p *peer) send(packet codec.Packet) {
	p.t.Helper()
	buf, err := packet.AppendTo(nil, codec.V5)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.conn.Write(buf); err != nil {
		p.t.Fatal(err)
	}
}

// answer returns the next packet that is no message.
func (p *peer) answer() codec.Packet {
	p.t.Helper()
	for {
		packet, err := p.in.ReadPacket()
		if err != nil {
			p.t.Fatal(err)
		}
		m, ok := packet.(*codec.Publish)
		if !ok {
			return packet
		}
		p.got[string(m.Topic)] = true
	}
}

// enter connects and returns the reason code.
func enter(t *testing.T, address, user, id string, password *string) (*peer, codec.ReasonCode) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(programtest.Limit))
	p := &peer{t, conn, codec.NewReader(conn, codec.V5, 1<<20), make(map[string]bool)}
	c := &codec.Connect{CleanStart: true, ClientID: []byte(id)}
	if user != "" {
		c.Username = codec.Some(codec.Bytes(user))
	}
	if password != nil {
		c.Password = codec.Some(codec.Bytes(*password))
	}
	p.send(c)
	return p, p.answer().(*codec.Connack).ReasonCode
}

// publish returns when the message was dealt with.
func (p *peer) publish(topic string) {
	p.t.Helper()
	p.send(&codec.Publish{Topic: []byte(topic)})
	p.sync()
}

// sync collects what is on the way.
func (p *peer) sync() {
	p.t.Helper()
	p.send(&codec.Pingreq{})
	if _, ok := p.answer().(*codec.Pingresp); !ok {
		p.t.Fatal("no PINGRESP")
	}
}

// sees reports whether a message came since the last call.
func (p *peer) sees(topic string) bool {
	p.t.Helper()
	p.sync()
	defer clear(p.got)
	return p.got[topic]
}

// subscribe asks for all filters at once.
func (p *peer) subscribe(filters ...string) *codec.Suback {
	p.t.Helper()
	s := &codec.Subscribe{PacketID: 1}
	for _, f := range filters {
		s.Filters = append(s.Filters, codec.Subscription{Filter: []byte(f)})
	}
	p.send(s)
	return p.answer().(*codec.Suback).Clone()
}

// compare asks mosquitto and us about every combination.
func compare(t *testing.T, acl string, users, ids, topics []string) (questions int) {
	t.Helper()
	roots := []string{"#", "$s/#", "$x/#", "$other/#"}
	acl += "\nuser the witness\n"
	for _, r := range roots {
		acl += "topic " + r + "\n"
	}
	address := mosquitto(t, "allow_anonymous true\nset_tcp_nodelay true\nsys_interval 0\nacl_file "+store(t, acl)+"\n")
	ours := load(t, acl)
	witness, _ := enter(t, address, "the witness", "w", nil)
	witness.subscribe(roots...)
	for _, user := range users {
		for _, id := range ids {
			p, code := enter(t, address, user, id, nil)
			if code.IsError() {
				t.Fatalf("user %q, client %q: %v", user, id, code)
			}
			filters := append([]string{"denied/to/all", "$denied/#"}, roots...)
			for i, code := range p.subscribe(filters...).ReasonCodes {
				if may := ours.MaySubscribe(user, id, []byte(filters[i])); may == code.IsError() {
					t.Errorf("%s\nuser %q, client %q: mosquitto answers a subscription to %s by %v, we say %v", acl, user, id, filters[i], code, may)
				}
			}
			for _, topic := range topics {
				want := ""
				witness.publish(topic)
				clear(witness.got)
				if p.sees(topic) {
					want = "r"
				}
				if p.publish(topic); witness.sees(topic) {
					want += "w"
				}
				clear(p.got)
				if got := letters(ours, user, id, topic); got != want {
					t.Errorf("%s\nuser %q, client %q, topic %q: mosquitto %q, we %q", acl, user, id, topic, want, got)
				}
				questions++
			}
			p.conn.Close()
		}
	}
	return questions
}

func TestACLAgainstMosquitto(t *testing.T) {
	needMosquitto(t)
	questions := 0
	for _, e := range aclExamples {
		var users, ids, topics []string
		for _, c := range e.cases {
			users, ids, topics = append(users, c[0]), append(ids, c[1]), append(topics, c[2])
		}
		questions += compare(t, e.acl, unique(users), unique(ids), unique(topics))
	}
	for seed := range uint64(20) {
		acl, _ := someRules(rand.New(rand.NewPCG(seed, 2)))
		questions += compare(t, acl, someUsers, someIDs, someTopics)
	}
	t.Logf("%d questions", questions)
}

func unique(list []string) (out []string) {
	seen := make(map[string]bool)
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}

// Files of either side let the same clients in.
func TestPasswordsAgainstMosquitto(t *testing.T) {
	needMosquitto(t)
	file := filepath.Join(t.TempDir(), "users")
	for _, args := range [][]string{
		{"-b", "-c", file, "bob", "secret"}, {"-b", file, "empty", ""}, {"-H", "sha512", "-b", file, "amy", "geheim"}, {"-b", file, "gone", "x"},
	} {
		programtest.Run(t, nil, "mosquitto_passwd", args...)
	}
	for user, password := range map[string]string{"ann": "pässword with blanks", "amy2": "x", "bob": "changed"} {
		if err := SetPassword(file, user, password, Iterations); err != nil {
			t.Fatal(err)
		}
	}
	if err := DeleteUser(file, "gone"); err != nil {
		t.Fatal(err)
	}
	programtest.Run(t, nil, "mosquitto_passwd", "-D", file, "amy2") // takes what we wrote
	for _, anonymous := range []bool{false, true} {
		for _, password := range []string{file, ""} {
			cfg := &config.Access{AllowAnonymous: anonymous, PasswordFile: password}
			lines := fmt.Sprintf("allow_anonymous %v\n", anonymous)
			if password != "" {
				lines += "password_file " + password + "\n"
			}
			compareLogins(t, cfg, mosquitto(t, lines))
		}
	}
}

func compareLogins(t *testing.T, cfg *config.Access, address string) {
	t.Helper()
	ours, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	some := func(s string) *string { return &s }
	for _, c := range []struct {
		user     string
		password *string
	}{
		{"", nil}, {"bob", nil}, {"bob", some("secret")}, {"bob", some("changed")}, {"bob", some("")}, {"empty", some("")}, {"empty", nil},
		{"amy", some("geheim")}, {"amy", some("x")}, {"ann", some("pässword with blanks")}, {"amy2", some("x")}, {"gone", some("x")}, {"eve", some("x")},
	} {
		_, code := enter(t, address, c.user, "id", c.password)
		got := ours.AllowAnonymous()
		password := ""
		if c.password != nil {
			password = *c.password
		}
		if c.user != "" {
			got = ours.Check(c.user, []byte(password), c.password != nil)
		}
		if got == code.IsError() {
			t.Errorf("%+v: user %q, password %q: mosquitto answers %v, we say %v", *cfg, c.user, password, code, got)
		}
	}
}

// Files that mosquitto refuses we refuse too.
func TestWrongACLAgainstMosquitto(t *testing.T) {
	needMosquitto(t)
	for _, acl := range []string{
		"topic", "topic a#", "topic rw a", "topic a b c", "user", "user ", "word", "pattern", "pattern %c+", "Topic a", "topic a/#/b", "pattern wrong a",
		"topic read", "topic $share/g/x", "user  ann\ntopic a\n", "pattern deny a\n", "", "# a\n\ntopic read a b\n", "  topic a",
	} {
		_, err := parseRules(config.Lines("acl", acl))
		refused := refusedByMosquitto(t, "acl_file "+store(t, acl)+"\n")
		if refused != (err != nil) {
			t.Errorf("%q: refused by mosquitto: %v; by us: %v", acl, refused, err)
		}
	}
}

// refusedByMosquitto reports whether it ends at once.
func refusedByMosquitto(t *testing.T, lines string) bool {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // so that it always ends, but with another code
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p := programtest.Start(t, nil, "mosquitto", "-c", store(t, fmt.Sprintf("user root\nlistener %s 127.0.0.1\n%s", port, lines)))
	p.Wait(programtest.Limit)
	return !strings.Contains(string(p.Stderr.Bytes()), "Address already in use")
}
