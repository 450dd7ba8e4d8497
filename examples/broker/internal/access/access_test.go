package access

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// store writes a file for a test.
func store(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func load(t testing.TB, acl string) *Access {
	t.Helper()
	r, err := parseRules(config.Lines("acl", acl))
	if err != nil {
		t.Fatal(err)
	}
	return &Access{anonymous: true, rules: r}
}

// letters is what a client may do with a topic, as "rw", "r", "w" or "".
func letters(a *Access, user, id, topic string) (s string) {
	if a.MayRead(user, id, []byte(topic)) {
		s = "r"
	}
	if a.MayWrite(user, id, []byte(topic)) {
		s += "w"
	}
	return s
}

// aclExamples are ACL files with what they allow: user, client id, topic and
// letters. mosquitto_test.go asks mosquitto the same.
var aclExamples = []struct {
	acl   string
	cases [][4]string
}{
	{"", [][4]string{{"", "c", "a", ""}, {"ann", "c", "a", ""}}},
	{"topic read a\n# topic b\n\ntopic write c d \r\ntopic e\n", [][4]string{
		{"", "c", "a", "r"}, {"", "c", "b", ""}, {"", "c", "c d", "w"}, {"", "c", "e", "rw"}, {"", "c", "a/", ""}, {"ann", "c", "a", ""}}},
	{"topic read\ntopic readwrite  two  words\n", [][4]string{{"", "c", "read", "rw"}, {"", "c", "two  words", "rw"}, {"", "c", "two words", ""}}},
	{"topic home/#\ntopic +/x\ntopic a/+/c\n", [][4]string{
		{"", "c", "home", "rw"}, {"", "c", "home/", "rw"}, {"", "c", "home/a/b", "rw"}, {"", "c", "homes", ""},
		{"", "c", "/x", "rw"}, {"", "c", "z/x", "rw"}, {"", "c", "z/x/y", ""}, {"", "c", "a/b/c", "rw"}, {"", "c", "a//c", "rw"}, {"", "c", "a/c", ""}}},
	// Deny goes before all else of the same section, wherever it stands.
	{"user ann\ntopic a/#\ntopic deny a/secret/#\ntopic read a/secret/x\n", [][4]string{
		{"ann", "c", "a/b", "rw"}, {"ann", "c", "a/secret", ""}, {"ann", "c", "a/secret/x", ""}, {"", "c", "a/b", ""}}},
	// What a user is given in person, no pattern takes away; the other way round it does.
	{"user ann\ntopic a/b\ntopic deny a/c\npattern deny a/#\npattern readwrite a/c\npattern read d\n", [][4]string{
		{"ann", "c", "a/b", "rw"}, {"ann", "c", "a/c", ""}, {"ann", "c", "d", "r"}, {"bob", "c", "a/b", ""}, {"bob", "c", "a/c", ""}, {"", "c", "d", "r"}}},
	// A rule that matches, but allows something else, ends nothing.
	{"user ann\ntopic read a\npattern write a\n", [][4]string{{"ann", "c", "a", "rw"}, {"bob", "c", "a", "w"}}},
	// A section may come back.
	{"user ann\ntopic a\nuser bob\ntopic b\nuser ann\ntopic c\nuser two words\ntopic d\n", [][4]string{
		{"ann", "c", "a", "rw"}, {"ann", "c", "b", ""}, {"ann", "c", "c", "rw"}, {"bob", "c", "b", "rw"}, {"two words", "c", "d", "rw"}}},
	{"pattern read u/%u/#\npattern write c/%c\npattern both/%c/%u\npattern in-%c-%u.x\npattern %c/first\n", [][4]string{
		{"ann", "dev1", "u/ann", "r"}, {"ann", "dev1", "u/ann/x", "r"}, {"ann", "dev1", "u/bob/x", ""}, {"ann", "dev1", "c/dev1", "w"},
		{"ann", "dev1", "both/dev1/ann", "rw"}, {"ann", "dev1", "both/ann/dev1", ""}, {"ann", "dev1", "in-dev1-ann.x", "rw"},
		{"ann", "dev1", "in-dev1-ann.xx", ""}, {"ann", "dev1", "dev1/first", "rw"},
		{"", "dev1", "u/ann", ""}, {"", "dev1", "u/", ""}, {"", "dev1", "u/%u", ""}, {"", "dev1", "c/dev1", "w"}, {"", "dev1", "in-dev1-.x", ""}}},
	// Patterns do not trust names that would change them, but the user's own rules count.
	{"user a+b\ntopic own\nuser #\ntopic own\npattern all/#\npattern of/%u/%c\n", [][4]string{
		{"a+b", "c", "own", "rw"}, {"a+b", "c", "all/x", ""}, {"#", "c", "own", "rw"}, {"#", "c", "of/x/c", ""},
		{"ann", "+", "all/x", ""}, {"ann", "#", "of/ann/x", ""}, {"ann", "+", "of/ann/x", ""}}},
	// Topics of the broker itself need a rule of their own.
	{"topic #\ntopic +/x\ntopic read $x/broker/#\n", [][4]string{
		{"", "c", "a", "rw"}, {"", "c", "$x/broker/load", "r"}, {"", "c", "$x/x", ""}, {"", "c", "$other/x", ""}, {"", "c", "a/$SYS", "rw"}}},
	{"pattern #\npattern read $x/%u\n", [][4]string{{"ann", "c", "$x/ann", "r"}, {"ann", "c", "$x/bob", ""}, {"ann", "c", "x", "rw"}}},
	{"topic deny #\ntopic $x/a\n", [][4]string{{"", "c", "$x/a", "rw"}, {"", "c", "a", ""}}},
}

func TestACL(t *testing.T) {
	for _, e := range aclExamples {
		a := load(t, e.acl)
		for _, c := range e.cases {
			if got := letters(a, c[0], c[1], c[2]); got != c[3] {
				t.Errorf("%q: user %q, client %q, topic %q: %q, want %q", e.acl, c[0], c[1], c[2], got, c[3])
			}
			if !a.MaySubscribe(c[0], c[1], []byte(c[2])) {
				t.Errorf("%q: user %q may not subscribe to %q", e.acl, c[0], c[2])
			}
		}
	}
}

// mosquitto lets these names into patterns.
func TestNamesInPatterns(t *testing.T) {
	a := load(t, "pattern of/%c/#\npattern deny of/x/%c\npattern all\n")
	for id, want := range map[string]string{"x": "rw", "x/y": "", "/": ""} {
		if got := letters(a, "", id, "of/"+id+"/z"); got != want {
			t.Errorf("client %q in a pattern: %q, want %q", id, got, want)
		}
		if got := letters(a, "a/b", id, "all"); got != want {
			t.Errorf("client %q beside a pattern with %%c: %q, want %q", id, got, want)
		}
	}
	a = load(t, "pattern of/%u/#\npattern all\n")
	for _, c := range [][4]string{{"a", "x/y", "of/a/z", "rw"}, {"a/b", "x", "of/a/b/z", ""}, {"a/b", "x", "all", ""}, {"", "x/y", "all", "rw"}} {
		if got := letters(a, c[0], c[1], c[2]); got != c[3] {
			t.Errorf("%q: %q", c, got)
		}
	}
	a = load(t, "pattern %c/#\npattern %u/x\n")
	for _, topic := range []string{"$SYS/broker", "$SYS/x"} {
		if got := letters(a, "$SYS", "$SYS", topic); got != "" {
			t.Errorf("%s for a client of that name: %q", topic, got)
		}
	}
}

// listed is a rule in a list, as mosquitto keeps them.
type listed struct {
	user, filter string
	access       bits
	pattern      bool
}

// byList decides as mosquitto does, rule by rule.
func byList(list []listed, user, id, topic string, want bits) bool {
	for _, pattern := range []bool{false, true} {
		for _, denied := range []bool{true, false} {
			for _, r := range list {
				filter := r.filter
				if r.pattern != pattern || !pattern && r.user != user || (r.access == deny) != denied {
					continue
				}
				if pattern {
					if user == "" && strings.Contains(filter, "%u") {
						continue
					}
					filter = strings.ReplaceAll(strings.ReplaceAll(filter, "%c", id), "%u", user)
				}
				if !codec.Match(filter, topic) {
					continue
				}
				if denied {
					return false
				}
				if r.access&want != 0 {
					return true
				}
			}
		}
	}
	return false
}

// someRules makes up a file and the same as a list.
func someRules(rnd *rand.Rand) (acl string, list []listed) {
	levels := []string{"a", "b", "+", "", "$s", "%c", "%u", "a%c", "#"}
	kinds := map[string]bits{"read ": read, "write ": write, "readwrite ": read | write, "deny ": deny, "": read | write}
	names := []string{"read ", "write ", "readwrite ", "deny ", ""}
	var b strings.Builder
	user := ""
	for range 1 + rnd.IntN(12) {
		if rnd.IntN(3) == 0 {
			user = []string{"ann", "bob"}[rnd.IntN(2)]
			b.WriteString("user " + user + "\n")
		}
		r := listed{user: user, pattern: rnd.IntN(2) == 0}
		for n := rnd.IntN(3); r.filter == "" || n > 0; n-- {
			if level := levels[rnd.IntN(len(levels))]; r.filter == "" {
				r.filter = level
			} else if !strings.HasSuffix(r.filter, "#") {
				r.filter += "/" + level
			}
		}
		kind := names[rnd.IntN(len(names))]
		r.access = kinds[kind]
		b.WriteString(map[bool]string{true: "pattern ", false: "topic "}[r.pattern] + kind + r.filter + "\n")
		list = append(list, r)
	}
	return b.String(), list
}

var (
	someUsers  = []string{"", "ann", "bob"}
	someIDs    = []string{"b", "ab"}
	someTopics = []string{"a", "b", "a/b", "b/a", "ab", "aab/b", "a/", "/a", "/", "a/a/a", "ann", "a/ann/b", "$s", "$s/a", "$s/b/ann", "%u", "a%c"}
)

// The tree says what the list says.
func TestTreeAndList(t *testing.T) {
	allowed := 0
	for seed := range uint64(3000) {
		acl, list := someRules(rand.New(rand.NewPCG(seed, 1)))
		a := load(t, acl)
		for _, user := range someUsers {
			for _, id := range someIDs {
				for _, topic := range someTopics {
					want := ""
					if byList(list, user, id, topic, read) {
						want = "r"
					}
					if byList(list, user, id, topic, write) {
						want += "w"
					}
					if got := letters(a, user, id, topic); got != want {
						t.Fatalf("seed %d\n%suser %q, client %q, topic %q: %q, want %q", seed, acl, user, id, topic, got, want)
					}
					allowed += len(want)
				}
			}
		}
	}
	if allowed < 10000 {
		t.Errorf("only %d questions were answered by yes", allowed)
	}
}

func TestWrongACL(t *testing.T) {
	for text, want := range map[string]string{
		"topic":                 ":1: topic needs a filter",
		"topic read a\r\nuser ": ":2: user needs a name",
		"a b":                   ":1: a line of an ACL file begins with",
		"topic rw a":            ":1: rw is no kind of access; use read, write, readwrite or deny",
		"pattern deny a#":       ":1: a# is no filter",
		"topic a/#/b":           ":1: a/#/b is no filter",
		"bad\n\ntopic +a\n":     ":3: +a is no filter", // beside the one of line 1
	} {
		_, err := Load(&config.Access{ACLFile: store(t, text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	_, err := Load(&config.Access{ACLFile: "/nowhere/acl"})
	if want := "the ACL file /nowhere/acl cannot be read: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// All that is wrong in all files is told, and what is wrong in one file once.
func TestSeveralWrongFiles(t *testing.T) {
	users, acl, other := store(t, "nonsense\n:x\n"), store(t, "a b\n"), store(t, "c d\n")
	one, two := &config.Access{PasswordFile: users, ACLFile: acl}, &config.Access{PasswordFile: users, ACLFile: other}
	_, err := LoadAll([]*config.Access{one, two})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{users + ":1: ", users + ":2: ", acl + ":1: ", other + ":1: "} {
		if n := strings.Count(err.Error(), want); n != 1 {
			t.Errorf("%d of %s in:\n%v", n, want, err)
		}
	}
	if _, err = Load(one); err == nil || !strings.Contains(err.Error(), users+":1: ") || !strings.Contains(err.Error(), acl+":1: ") {
		t.Errorf("error %v", err)
	}
}

func TestWithoutFiles(t *testing.T) {
	a, err := Load(&config.Access{AllowAnonymous: true})
	if err != nil || letters(a, "x", "y", "$SYS/z") != "rw" || !a.AllowAnonymous() || a.HasPasswords() || !a.Check("x", nil, false) {
		t.Errorf("%+v %v", a, err)
	}
	if a, _ = Load(&config.Access{}); a.AllowAnonymous() || a.Check("x", nil, false) {
		t.Error("names are believed though nobody may come without one")
	}
}
