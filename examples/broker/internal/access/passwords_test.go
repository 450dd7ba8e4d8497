package access

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Lines that mosquitto_passwd 2.0.11 wrote: bob has the password secret, amy
// geheim.
const (
	bobLine = "bob:$7$101$x5HSy9Wg4UKl9L7t$EPVrqbo4ZkeSAgSkSDsQwWkaiRn1wHQVW1FezVhHxcR4WjdNV+MF4NB3OUdb3iN2an9Hcl4YSlBmwWo0jlcguw=="
	// joe's, password, is one of the test vectors of argon2.
	joeLine = "joe:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	amyLine = "amy:$6$u+SaPSWDxgC7rCdU$LDzxm1MvFX7vo1G+me/CKVnPnDsxFm6IRNRY2CBbyYgobyQbTprth0ljosBBH4sZr/yx6YzF8bY98HTmrKIpow=="
)

func TestPasswords(t *testing.T) {
	for _, end := range []string{"\n", "\r\n"} {
		file := store(t, strings.Join([]string{"# people", bobLine, "", "  " + amyLine + " ", joeLine, ""}, end))
		a, err := Load(&config.Access{PasswordFile: file})
		if err != nil {
			t.Fatal(err)
		}
		if a.AllowAnonymous() || !a.HasPasswords() {
			t.Errorf("%+v", a)
		}
		for _, c := range []struct {
			user, password string
			has, want      bool
		}{
			{"bob", "secret", true, true}, {"amy", "geheim", true, true}, {"joe", "password", true, true}, {"joe", "passwort", true, false},
			{"bob", "geheim", true, false}, {"bob", "", true, false}, {"bob", "secret", false, false}, {"bob", "secrets", true, false},
			{"Bob", "secret", true, false}, {"", "", true, false}, {"", "", false, false}, {"eve", "secret", true, false},
		} {
			if got := a.Check(c.user, []byte(c.password), c.has); got != c.want {
				t.Errorf("%+v: %v", c, got)
			}
		}
	}
}

// Whether a user exists is not to be seen from the time: the hash of an unknown
// one is the costliest of the file.
func TestUnknownUserCosts(t *testing.T) {
	p, err := parsePasswords(config.Lines("f", bobLine+"\n"+amyLine))
	if err != nil || p.unknown.cost.iterations != 101 || len(p.unknown.salt) != saltSize {
		t.Errorf("%+v %v", p.unknown, err)
	}
	other, _ := parsePasswords(config.Lines("f", bobLine))
	if bytes.Equal(other.unknown.hash, p.unknown.hash) {
		t.Error("the hash that nothing matches can be foretold")
	}
	p, err = parsePasswords(config.Lines("f", bobLine+"\n"+joeLine))
	if err != nil || p.unknown.cost != p.users["joe"].cost {
		t.Errorf("%+v %v", p.unknown, err)
	}
}

// What was right is remembered, nothing else is.
func TestRemembers(t *testing.T) {
	a, err := Load(&config.Access{PasswordFile: store(t, bobLine+"\n"+amyLine)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ user, password string }{{"bob", "secret"}, {"bob", "geheim"}, {"amy", "geheim"}, {"eve", "secret"}, {"", ""}} {
		if a.Remembers(c.user, []byte(c.password)) {
			t.Errorf("%+v: remembered before", c)
		}
		good := a.Check(c.user, []byte(c.password), true)
		if got := a.Remembers(c.user, []byte(c.password)); got != good {
			t.Errorf("%+v: good %v, remembered %v", c, good, got)
		}
	}
	if !a.Remembers("bob", []byte("secret")) || a.Remembers("amy", []byte("secret")) || a.Remembers("bob", nil) {
		t.Error("passwords are mixed up")
	}
	none, err := Load(&config.Access{})
	if err != nil || none.Remembers("bob", []byte("secret")) {
		t.Errorf("remembered without a file, or %v", err)
	}
}

func BenchmarkLogin(b *testing.B) {
	ann := newSecret("secret", Iterations)
	a := &Access{}
	var err error
	if a.passwords, err = parsePasswords(config.Lines("f", "ann:"+ann.String())); err != nil {
		b.Fatal(err)
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if !a.Check("ann", []byte("secret"), true) {
				b.Fatal("refused")
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			if !a.Remembers("ann", []byte("secret")) {
				b.Fatal("forgotten")
			}
		}
	})
}

func TestWrongPasswordFile(t *testing.T) {
	hash := base64.StdEncoding.EncodeToString(make([]byte, 64))
	for text, want := range map[string]string{
		"bob":                                ":1: a line of a password file is NAME:HASH; make it by broker passwd",
		bobLine + "\n\n :x":                  ":3: ",
		":" + strings.Split(bobLine, ":")[1]: ":1: there is no name before the colon",
		bobLine + "\n" + bobLine:             ":2: bob has a password already, in line 1; remove one of them",
		"bob:":                               ":1: the password is not hashed; set it by broker passwd",
		"bob:hunter2":                        ":1: the password is not hashed",
		"bob:$5$AAAA$BBBB":                   ":1: only hashes that begin with $6$, $7$ or",
		"bob:$hunter2":                       ":1: only hashes that begin with $6$, $7$ or",
		"bob:$7$101$AAAA":                    ":1: the hash is cut off",
		"bob:$6$AAAA":                        ":1: the hash is cut off",
		"bob:$6$AAAA$BBBB":                   ":1: the hash is damaged",
		"bob:$6$?$" + hash:                   ":1: the hash is damaged",
		"bob:$6$$" + hash:                    ":1: the hash is damaged",
		"bob:$7$0$AAAA$" + hash:              ":1: the number of iterations is not from 1 to 10000000",
		"bob:$7$99999999$AAAA$" + hash:       ":1: the number of iterations is not from 1 to 10000000",
		"bob:$7$x$AAAA$" + hash:              ":1: the number of iterations is not from 1 to 10000000",
		"bob:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ":                 ":1: the hash is cut off",
		"bob:$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$AAAA":            ":1: the hash is damaged",
		"bob:" + strings.Replace(joeLine[4:], "v=19", "v=16", 1):         ":1: these parameters of argon2id are not supported",
		"bob:" + strings.Replace(joeLine[4:], "m=65536", "m=4194304", 1): ":1: these parameters",
		"bob:" + strings.Replace(joeLine[4:], "t=2", "t=0", 1):           ":1: these parameters",
		"bob:" + strings.Replace(joeLine[4:], "t=2", "t=1000000", 1):     ":1: these parameters",
		"bob:" + strings.Replace(joeLine[4:], "p=1", "p=0", 1):           ":1: these parameters",
		"bob:" + strings.Replace(joeLine[4:], "p=1", "p=x", 1):           ":1: these parameters",
		"a\nb": ":2: a line of a password file", // beside that of line 1
	} {
		_, err := Load(&config.Access{PasswordFile: store(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells a password: %v", err)
		}
	}
	_, err := Load(&config.Access{PasswordFile: "/nowhere/users"})
	if want := "the password file /nowhere/users cannot be read: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestEdit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	if err := SetPassword(file, "ann", "first", 1); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new file: %v %v", info, err)
	}
	data, _ := os.ReadFile(file)
	before := "# ours\n\n" + bobLine + "\n" + string(data) + "ann2:" + strings.Split(amyLine, ":")[1]
	if err := os.WriteFile(file, []byte(before), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	link := file + ".link"
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	if err := SetPassword(link, "ann", "second", 2); err != nil {
		t.Fatal(err)
	}
	a, err := Load(&config.Access{PasswordFile: link})
	if err != nil || a.Check("ann", []byte("first"), true) || !a.Check("ann", []byte("second"), true) ||
		!a.Check("bob", []byte("secret"), true) || !a.Check("ann2", []byte("geheim"), true) {
		t.Errorf("after a change: %v", err)
	}
	if err := DeleteUser(link, "ann"); err != nil {
		t.Fatal(err)
	}
	data, _ = os.ReadFile(file)
	if want := "# ours\n\n" + bobLine + "\nann2:" + strings.Split(amyLine, ":")[1] + "\n"; string(data) != want {
		t.Errorf("left is %q, want %q", data, want)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link: %v %v", info, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("the changed file: %v %v", info, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(file)); len(entries) != 2 {
		t.Errorf("files are left behind: %v", entries)
	}
}

// An empty password lets nobody in, as with mosquitto.
func TestEmptyPassword(t *testing.T) {
	empty := newSecret("", 1)
	p, err := parsePasswords(config.Lines("f", "ann:"+empty.String()))
	if err != nil || p.check("ann", nil, true) || p.check("ann", nil, false) {
		t.Errorf("ann came in, or %v", err)
	}
}

func TestEditErrors(t *testing.T) {
	file := store(t, bobLine)
	for name, err := range map[string]error{
		"there is no user ann":       DeleteUser(file, "ann"),
		"/nowhere cannot be read":    DeleteUser("/nowhere", "ann"),
		"cannot be written":          SetPassword("/nowhere/users", "ann", "x", 1),
		"the user name is empty":     SetPassword(file, "", "x", 1),
		"a colon":                    SetPassword(file, "a:b", "x", 1),
		"# before it":                SetPassword(file, "#a", "x", 1),
		"blanks around":              SetPassword(file, " a", "x", 1),
		"a line break":               SetPassword(file, "a\nb", "x", 1),
		"UTF-8":                      SetPassword(file, "a\xff", "x", 1),
		"iterations has to be":       SetPassword(file, "a", "x", 0),
		"iterations has to be from ": SetPassword(file, "a", "x", maxIterations+1),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want %s", err, name)
		}
	}
	if data, _ := os.ReadFile(file); string(data) != bobLine {
		t.Errorf("an error changed the file to %q", data)
	}
}
