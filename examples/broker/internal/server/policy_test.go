package server

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Topics that begin with $ are for clients, but for $SYS, unless they are refused.
func TestDollarTopics(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		r := start(t, nil, func(c *config.Config) { c.RefuseDollarTopics = refuse })
		c := r.enter("c")
		c.subscribe("$app/#")
		c.send(message("$app/a", codec.QoS1, 1))
		want := codec.ReasonNotAuthorized
		if !refuse {
			want = codec.ReasonSuccess
			c.expect(codec.TypePublish)
		}
		if got := c.expect(codec.TypePuback).(*codec.Puback); got.ReasonCode != want {
			t.Errorf("refused %v: %v", refuse, got)
		}
		c.send(message("$SYS/broker/version", codec.QoS1, 2))
		if got := c.expect(codec.TypePuback).(*codec.Puback); got.ReasonCode != codec.ReasonNotAuthorized {
			t.Errorf("$SYS: %v", got)
		}
	}
}

// The log tells of a client who it is and how it connected, but no password.
func TestConnectedLine(t *testing.T) {
	r, _, _ := guarded(t, nil, "topic #\n", nil)
	p := r.dial()
	p.send(&codec.Connect{ClientID: codec.Bytes("c"), KeepAlive: 77, Username: codec.Some(codec.Bytes("ann")), Password: codec.Some(codec.Bytes("ann's"))})
	p.expect(codec.TypeConnack)
	r.log.await(t, "msg=connected client=c user=ann address="+p.LocalAddr().String()+" version=v5.0 keep_alive=77 session_present=false\n")
	if strings.Contains(r.log.String(), "ann's") {
		t.Errorf("the log has a password:\n%s", r.log)
	}
}

// guarded starts a server with two users and rules.
func guarded(t *testing.T, st Store, rules string, change func(*config.Config)) (r *rig, acl, passwords string) {
	t.Helper()
	acl, passwords = filepath.Join(t.TempDir(), "acl"), filepath.Join(t.TempDir(), "passwords")
	write(t, acl, rules)
	for _, user := range []string{"ann", "bob"} {
		if err := access.SetPassword(passwords, user, user+"'s", 10); err != nil {
			t.Fatal(err)
		}
	}
	r = start(t, st, func(c *config.Config) {
		a := c.Listeners[0].Access
		a.AllowAnonymous, a.ACLFile, a.PasswordFile = false, acl, passwords
		if change != nil {
			change(c)
		}
	})
	return r, acl, passwords
}

// login sends CONNECT of a user and returns the code of CONNACK.
func (r *rig) login(user, password string) (*peer, codec.ReasonCode) {
	r.t.Helper()
	p := r.dial()
	c := &codec.Connect{ClientID: codec.Bytes("client of " + user)}
	c.Properties.SessionExpiryInterval = codec.Some(uint32(3600))
	if user != "" {
		c.Username = codec.Some(codec.Bytes(user))
	}
	if password != "" {
		c.Password = codec.Some(codec.Bytes(password))
	}
	p.send(c)
	return p, p.expect(codec.TypeConnack).(*codec.Connack).ReasonCode
}

func (r *rig) mustLogin(user string) *peer {
	r.t.Helper()
	p, code := r.login(user, user+"'s")
	if code != codec.ReasonSuccess {
		r.t.Fatal(code)
	}
	return p
}

// publish publishes at QoS 1 and returns the code of PUBACK.
func (p *peer) publish(topic string, retain bool) codec.ReasonCode {
	p.t.Helper()
	m := message(topic, codec.QoS1, 9)
	m.Retain = retain
	p.send(m)
	return p.expect(codec.TypePuback).(*codec.Puback).ReasonCode
}

func TestPasswords(t *testing.T) {
	r, _, passwords := guarded(t, nil, "topic readwrite #\n", nil)
	for _, tt := range []struct {
		user, password string
		want           codec.ReasonCode
	}{
		{"ann", "ann's", codec.ReasonSuccess},
		{"ann", "bob's", codec.ReasonBadUserNameOrPassword},
		{"ann", "", codec.ReasonBadUserNameOrPassword},
		{"eve", "ann's", codec.ReasonBadUserNameOrPassword},
		{"", "", codec.ReasonNotAuthorized},
	} {
		if _, code := r.login(tt.user, tt.password); code != tt.want {
			t.Errorf("%q %q: %v, want %v", tt.user, tt.password, code, tt.want)
		}
	}
	if st, err := r.server.Stats(t.Context()); err != nil || st.Refused[codec.ReasonBadUserNameOrPassword.String()] != 3 {
		t.Errorf("%+v %v", st, err)
	}
	// Passwords are read again.
	if err := access.SetPassword(passwords, "eve", "eve's", 10); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	r.mustLogin("eve")
	// A file that cannot be read changes nothing.
	write(t, passwords, "nonsense\n")
	if err := r.server.Reload(); err == nil {
		t.Error("no error of a broken file")
	}
	r.mustLogin("eve")
}

// Whose password is changed or taken out is put out, and nobody else.
func TestExpelled(t *testing.T) {
	r, _, passwords := guarded(t, nil, "pattern readwrite #\n", nil)
	if err := access.SetPassword(passwords, "eve", "eve's", 10); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	ann, bob, eve := r.mustLogin("ann"), r.mustLogin("bob"), r.mustLogin("eve")
	if err := errors.Join(access.SetPassword(passwords, "ann", "another", 10), access.DeleteUser(passwords, "bob"), r.server.Reload()); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*peer{ann, bob} {
		if reason := p.expect(codec.TypeDisconnect).(*codec.Disconnect).ReasonCode; reason != codec.ReasonNotAuthorized {
			t.Error(reason)
		}
	}
	if code := eve.publish("x", false); code.IsError() {
		t.Error(code)
	}
}

// While passwords are tried, so many that no processor is left for them, those
// come in who were in before, until their password is another one.
func TestPasswordFlood(t *testing.T) {
	r, _, passwords := guarded(t, nil, "topic readwrite #\n", nil)
	r.mustLogin("ann")
	free := r.occupy()
	r.mustLogin("ann")
	r.does(free)
	if err := access.SetPassword(passwords, "ann", "another", 10); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, code := r.login("ann", "ann's"); code != codec.ReasonBadUserNameOrPassword {
		t.Errorf("the password of before: %v", code)
	}
}

// Nothing of a client is handled before its password was checked, whatever it
// sends behind CONNECT.
func TestNothingBeforeThePassword(t *testing.T) {
	r, _, _ := guarded(t, nil, "user bob\ntopic readwrite #\nuser ann\ntopic readwrite #\n", nil)
	sub := r.mustLogin("bob")
	sub.subscribe("#")
	p := r.dial()
	p.send(&codec.Connect{ClientID: codec.Bytes("x"), Username: codec.Some(codec.Bytes("ann")), Password: codec.Some(codec.Bytes("wrong"))},
		message("a", codec.QoS1, 1))
	if got := p.expect(codec.TypeConnack).(*codec.Connack); got.ReasonCode != codec.ReasonBadUserNameOrPassword {
		t.Errorf("got %v", got)
	}
	sub.silent()
}

// Rules hold for PUBLISH, for Wills, at delivery and for retained messages, and
// new ones for what is there already.
func TestRules(t *testing.T) {
	r, acl, _ := guarded(t, nil, "user ann\ntopic write #\nuser bob\ntopic read open/#\n", nil)
	ann, bob := r.mustLogin("ann"), r.mustLogin("bob")
	if code := ann.publish("secret/r", true); code != codec.ReasonNoMatchingSubscribers {
		t.Error(code)
	}
	bob.subscribe("#")
	if code := bob.publish("open/1", false); code != codec.ReasonNotAuthorized {
		t.Error(code)
	}
	ann.publish("secret/1", false)
	ann.publish("open/1", false)
	if got := bob.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "open/1" {
		t.Errorf("got %v", got)
	}
	// A Will that may not be published is refused at CONNECT.
	p := r.dial()
	c := &codec.Connect{ClientID: codec.Bytes("w"), Username: codec.Some(codec.Bytes("bob")), Password: codec.Some(codec.Bytes("bob's"))}
	c.Will = codec.Some(codec.Will{Topic: codec.Bytes("open/will")})
	p.send(c)
	if got := p.expect(codec.TypeConnack).(*codec.Connack); got.ReasonCode != codec.ReasonNotAuthorized {
		t.Errorf("got %v", got)
	}
	// New rules reach the subscription that is there.
	write(t, acl, "user ann\ntopic write #\nuser bob\ntopic read secret/#\n")
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	ann.publish("open/2", false)
	ann.publish("secret/2", false)
	if got := bob.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "secret/2" {
		t.Errorf("got %v", got)
	}
}

// What waits for a client that is away is asked about again when it comes back,
// also after a restart.
func TestRulesOnResume(t *testing.T) {
	folder := t.TempDir()
	st := openStore(t, folder)
	r, acl, passwords := guarded(t, st, "user ann\ntopic write #\nuser bob\ntopic read #\n", nil)
	bob := r.mustLogin("bob")
	bob.subscribe("#")
	bob.send(&codec.Disconnect{})
	ann := r.mustLogin("ann")
	ann.publish("secret/1", false)
	ann.publish("open/1", false)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, acl, "user ann\ntopic write #\nuser bob\ntopic read open/#\n")
	st = openStore(t, folder)
	defer st.Close()
	r = start(t, st, func(c *config.Config) {
		a := c.Listeners[0].Access
		a.AllowAnonymous, a.ACLFile, a.PasswordFile = false, acl, passwords
	})
	defer r.stop()
	bob = r.mustLogin("bob")
	if got := bob.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "open/1" {
		t.Errorf("got %v", got)
	}
}

// check_retain_source: a retained message goes no further when its publisher
// may not write to the topic any more.
func TestCheckRetainSource(t *testing.T) {
	for _, check := range []bool{false, true} {
		r, acl, _ := guarded(t, nil, "user ann\ntopic write #\nuser bob\ntopic read #\n", func(c *config.Config) { c.CheckRetainSource = check })
		r.mustLogin("ann").publish("a", true)
		write(t, acl, "user ann\ntopic write b\nuser bob\ntopic read #\n")
		if err := r.server.Reload(); err != nil {
			t.Fatal(err)
		}
		bob := r.mustLogin("bob")
		bob.subscribe("a")
		if check {
			bob.silent()
		} else {
			bob.expect(codec.TypePublish)
		}
	}
}

func TestMessageSize(t *testing.T) {
	r := start(t, nil, func(c *config.Config) { c.Limits.MessageSize = 7 })
	p, _ := r.connect("p")
	m := message("a", codec.QoS1, 1)
	m.Payload = append(m.Payload, '!')
	p.send(m)
	if got := p.expect(codec.TypePuback).(*codec.Puback); got.ReasonCode != codec.ReasonQuotaExceeded {
		t.Errorf("got %v", got)
	}
	if code := p.publish("a", false); code.IsError() {
		t.Error(code)
	}
}

// Enhanced authentication is not on offer. (v5.0 4.12)
func TestAuthenticationMethod(t *testing.T) {
	r := start(t, nil, nil)
	p := r.dial()
	c := &codec.Connect{ClientID: codec.Bytes("x")}
	c.Properties.AuthenticationMethod = codec.Text("SCRAM-SHA-256")
	p.send(c)
	if got := p.expect(codec.TypeConnack).(*codec.Connack); got.ReasonCode != codec.ReasonBadAuthenticationMethod {
		t.Errorf("got %v", got)
	}
}
