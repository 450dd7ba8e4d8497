package server

import (
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
)

// occupy takes the processors away that look at passwords, until the owner calls
// free.
func (r *rig) occupy() (free func()) {
	r.t.Helper()
	k := &r.server.checks
	r.does(func() { k.running += mostChecks })
	return func() {
		k.running -= mostChecks
		r.server.goOnChecking()
	}
}

// does calls a function in the goroutine of the owner.
func (r *rig) does(f func()) { r.await(func() bool { f(); return true }) }

// begin sends CONNECT and returns once the server has begun to look at it.
func (r *rig) begin(id, user, password string) *peer {
	r.t.Helper()
	p, before := r.dial(), r.entering()
	p.send(connect(id, user, password))
	for end := time.Now().Add(limit); r.entering() == before; {
		if time.Now().After(end) {
			r.t.Fatal("CONNECT did not come")
		}
	}
	return p
}

func connect(id, user, password string) *codec.Connect {
	return &codec.Connect{ClientID: codec.Bytes(id), Username: codec.Some(codec.Bytes(user)), Password: codec.Some(codec.Bytes(password))}
}

// entering returns how many clients have sent something and are not let in yet.
// When it returns, these are served before anything that comes now.
func (r *rig) entering() int {
	r.t.Helper()
	n, err := asked(r.t.Context(), r.server, func() (n int) {
		for _, c := range r.server.conns {
			if c.unproven > 0 {
				n++
			}
		}
		return n
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (p *peer) code() codec.ReasonCode {
	p.t.Helper()
	return p.expect(codec.TypeConnack).(*codec.Connack).ReasonCode
}

// A password that is looked at while the file is read again counts by what the
// file says then.
func TestReloadWithinLogin(t *testing.T) {
	r, _, passwords := guarded(t, nil, "", nil)
	if err := access.SetPassword(passwords, "eve", "eve's", 10); err != nil {
		t.Fatal(err)
	}
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	free := r.occupy()
	logins := []struct {
		user, password string
		want           codec.ReasonCode
		peer           *peer
	}{
		{user: "ann", password: "ann's", want: codec.ReasonBadUserNameOrPassword},
		{user: "ann", password: "another"},
		{user: "bob", password: "bob's", want: codec.ReasonBadUserNameOrPassword},
		{user: "eve", password: "eve's"},
		{user: "new", password: "new's"},
	}
	for i := range logins {
		l := &logins[i]
		l.peer = r.begin(l.user+l.password, l.user, l.password)
	}
	err := errors.Join(access.SetPassword(passwords, "ann", "another", 10), access.DeleteUser(passwords, "bob"),
		access.SetPassword(passwords, "new", "new's", 10), r.server.Reload())
	if err != nil {
		t.Fatal(err)
	}
	if n := r.entering(); n != len(logins) {
		t.Fatalf("%d of %d logins are under way", n, len(logins))
	}
	r.does(free)
	for _, l := range logins {
		if code := l.peer.code(); code != l.want {
			t.Errorf("%s by %s: %v, want %v", l.user, l.password, code, l.want)
		}
	}
}

// A password that was right by the file of before is looked at once more.
func TestReloadWithinCheck(t *testing.T) {
	r, _, passwords := guarded(t, nil, "", nil)
	free := r.occupy()
	p := r.begin("ann", "ann", "ann's")
	if err := access.SetPassword(passwords, "ann", "another", 10); err != nil {
		t.Fatal(err)
	}
	var c *conn
	var rules *access.Access
	r.does(func() { c = r.conn(p); rules = c.door.access })
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	r.does(func() {
		l := r.server.checks.waiting[0]
		r.server.stopChecking(c)
		r.server.checked(l, rules, true)
		free()
	})
	if code := p.code(); code != codec.ReasonBadUserNameOrPassword {
		t.Error(code)
	}
}

// Who goes before the password is looked at leaves nothing to be done, also if the
// files were read again within that.
func TestLeftWithinLogin(t *testing.T) {
	r, _, _ := guarded(t, nil, "", nil)
	free := r.occupy()
	var gone []*conn
	leave := func(p *peer) {
		_ = p.Conn.(*net.TCPConn).SetLinger(0)
		_ = p.Close()
	}
	for _, id := range []string{"1", "2", "3"} {
		p := r.begin(id, "ann", "wrong")
		r.does(func() { gone = append(gone, r.conn(p)) })
		leave(p)
	}
	p := r.dial()
	r.await(func() bool { return r.conn(p).link != nil })
	r.does(func() { // which sees all of it at once
		gone = append(gone, r.conn(p))
		p.send(connect("4", "ann", "wrong"))
		leave(p)
	})
	last := r.begin("last", "ann", "ann's")
	r.await(func() bool { return !slices.ContainsFunc(gone, func(c *conn) bool { return !c.ended }) })
	r.does(func() {
		r.server.checked(login{conn: &conn{door: gone[0].door, ended: true}}, nil, false)
		if w := r.server.checks.waiting; len(w) != 1 || w[0].conn != r.conn(last) {
			t.Errorf("%d passwords wait", len(w))
		}
		free()
	})
	if code := last.code(); code != codec.ReasonSuccess {
		t.Error(code)
	}
}

// Whom the old file has just let in does not stay, even if the server takes note
// of both at once.
func TestReloadRightAfterLogin(t *testing.T) {
	r, _, passwords := guarded(t, nil, "", nil)
	free := r.occupy()
	p := r.begin("ann", "ann", "ann's")
	if err := access.SetPassword(passwords, "ann", "another", 10); err != nil {
		t.Fatal(err)
	}
	err, stopped := asked(t.Context(), r.server, func() error {
		free()
		in := &r.server.inbox
		for come := false; !come; { // what the old file says, while the server is busy here
			in.mu.Lock()
			come = slices.ContainsFunc(in.list, func(h happening) bool { return h.what == wasAsked })
			in.mu.Unlock()
		}
		return r.server.Reload()
	})
	if err := errors.Join(err, stopped); err != nil {
		t.Fatal(err)
	}
	if code := p.code(); code != codec.ReasonSuccess {
		t.Fatal(code)
	}
	if reason := p.expect(codec.TypeDisconnect).(*codec.Disconnect).ReasonCode; reason != codec.ReasonNotAuthorized {
		t.Error(reason)
	}
}
