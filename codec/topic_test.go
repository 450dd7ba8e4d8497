package codec

import (
	"errors"
	"math/rand"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
)

// naiveMatch matches a filter and a topic level by level, as the standards
// describe it. It is written apart from Match. (v3.1.1 4.7, v5.0 4.7)
func naiveMatch(filter, topic []string) bool {
	if len(filter) == 0 {
		return len(topic) == 0
	}
	switch {
	case filter[0] == "#":
		return true
	case len(topic) == 0:
		return false
	case filter[0] == "+" || filter[0] == topic[0]:
		if len(topic) == 1 && len(filter) == 2 && filter[1] == "#" {
			return true // the parent level
		}
		return naiveMatch(filter[1:], topic[1:])
	}
	return false
}

func naive(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && (strings.HasPrefix(filter, "+") || strings.HasPrefix(filter, "#")) {
		return false
	}
	return naiveMatch(strings.Split(filter, "/"), strings.Split(topic, "/"))
}

// naiveFilter reports whether a filter is legal, level by level.
func naiveFilter(filter string, v Version) bool {
	if rest, shared := strings.CutPrefix(filter, "$share/"); shared && v.IsV5() {
		name, topic, ok := strings.Cut(rest, "/")
		return ok && name != "" && topic != "" && !strings.ContainsAny(name, "+#") && naiveFilter(topic, V311)
	}
	if filter == "" {
		return false
	}
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		switch {
		case level == "+", level == "#" && i == len(levels)-1:
		case strings.ContainsAny(level, "+#"):
			return false
		}
	}
	return true
}

// topicOf makes a topic or filter of a few levels out of a small alphabet, so
// that random pairs match often.
type topicOf string

func (topicOf) Generate(r *rand.Rand, size int) reflect.Value {
	levels := []string{"a", "b", "", "ab", "$x", "+", "#", "long-level-name", "+a", "$share", "ä"}
	parts := make([]string, 1+r.Intn(6))
	for i := range parts {
		parts[i] = levels[r.Intn(len(levels))]
	}
	return reflect.ValueOf(topicOf(strings.Join(parts, "/")))
}

func quickly(t *testing.T, f any) {
	t.Helper()
	if err := quick.Check(f, &quick.Config{MaxCount: 200_000, Rand: rand.New(rand.NewSource(1))}); err != nil {
		t.Error(err)
	}
}

func TestMatchAgainstNaive(t *testing.T) {
	matched, tried := 0, 0
	quickly(t, func(filter, topic topicOf) bool {
		f, n := string(filter), strings.NewReplacer("+", "a", "#", "b").Replace(string(topic))
		if !naiveFilter(f, V311) || n == "" {
			return true
		}
		tried++
		want := naive(f, n)
		if want {
			matched++
		}
		return Match(f, n) == want && Match([]byte(f), Bytes(n)) == want
	})
	if tried < 10_000 || matched < tried/40 {
		t.Errorf("%d pairs tried, %d matched", tried, matched)
	}
}

// A topic without wildcards is a filter that matches itself, and its own
// beginning followed by #.
func TestMatchItself(t *testing.T) {
	quickly(t, func(topic topicOf) bool {
		n := strings.NewReplacer("+", "a", "#", "b").Replace(string(topic))
		if n == "" {
			return true
		}
		ok := Match(n, n) && Match(n+"/#", n) && Match(n+"/+", n+"/") && !Match(n, n+"/") && !Match(n+"/", n)
		return ok && Match("#", n) == (n[0] != '$')
	})
}

// What is empty is no name and no filter, and nothing matches it.
func TestMatchEmpty(t *testing.T) {
	for _, x := range [][2]string{{"", ""}, {"", "a"}, {"#", ""}, {"+", ""}, {"a", ""}} {
		if Match(x[0], x[1]) {
			t.Errorf("Match(%q, %q)", x[0], x[1])
		}
	}
}

// Filters from an alphabet of four: every one of a length up to six, and many longer ones, against the naive check.
func TestFiltersAgainstNaive(t *testing.T) {
	check := func(filter string) bool {
		for _, v := range []Version{V311, V5} {
			want := naiveFilter(filter, v)
			err := ValidTopicFilter(filter, v)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrProtocol) {
				t.Errorf("%v: %q: %v, want %v", v, filter, err, want)
				return false
			}
			// The decoder sees it the same way.
			body := append([]byte{0, 1}, make([]byte, int(v.Level()-4))...)
			body = append(append(body, 0, byte(len(filter))), filter...)
			if _, err := decodeWhole(frameOf(0xA2, body), v); (err == nil) != want {
				t.Errorf("%v: UNSUBSCRIBE %q: %v, want %v", v, filter, err, want)
				return false
			}
		}
		return true
	}
	const letters = "a/+#"
	var all func(filter string)
	all = func(filter string) {
		if !check(filter) || len(filter) == 6 {
			return
		}
		for _, c := range letters {
			all(filter + string(c))
		}
	}
	all("")
	quickly(t, func(filter topicOf) bool { return check(string(filter)) })
	quickly(t, func(filter topicOf) bool { return check("$share/" + string(filter)) })
	// A wildcard at every place of filters of every length up to 40, which
	// covers all ways in which they are read several bytes at once.
	for n := 1; n <= 40; n++ {
		for at := range n {
			for _, wildcard := range letters[2:] {
				b := []byte(strings.Repeat("a", n))
				b[at] = byte(wildcard)
				check(string(b))
				if at > 0 {
					b[at-1] = '/'
					check(string(b))
				}
				if at < n-1 {
					b[at+1] = '/'
					check(string(b))
				}
			}
		}
	}
}

func TestTopicNames(t *testing.T) {
	for name, class := range map[string]error{
		"a": nil, "/": nil, "a/b": nil, " ": nil, "$SYS/x": nil, "$share/g/a": nil, "ä": nil, strings.Repeat("/", 65_535): nil,
		"": ErrProtocol, "+": ErrProtocol, "a/#": ErrProtocol, "a#": ErrProtocol, "a+b": ErrProtocol,
		"\x00": ErrMalformed, "\xFF": ErrMalformed, "a\x01": ErrMalformed, "aaaaaaaaaaaaaaaaaaaaaaaa\x00": ErrMalformed,
		strings.Repeat("/", 65_536): ErrTooLarge,
	} {
		for _, v := range []Version{V311, V5} {
			for _, err := range []error{ValidTopicName(name, v), ValidTopicName([]byte(name), v)} {
				if class == nil && err != nil || class != nil && !errors.Is(err, class) {
					t.Errorf("%v: %.40q: %v, want %v", v, name, err, class)
				}
				if err != nil && (typed(t, err).Field != "Topic Name" || typed(t, err).Offset != -1) {
					t.Errorf("%v: %.40q: %v", v, name, err)
				}
			}
		}
	}
	// A wildcard at every place, for every length: names too are read several
	// bytes at once.
	for n := 1; n <= 40; n++ {
		for at := range n {
			for c := range 256 {
				b := []byte(strings.Repeat("a", n))
				b[at] = byte(c)
				want := c > 0x1F && c < 0x7F && c != '+' && c != '#'
				if err := ValidTopicName(b, V5); (err == nil) != want {
					t.Errorf("%q: %v", b, err)
				}
				if _, err := decodeWhole(frameOf(0x30, append([]byte{0, byte(n)}, b...)), V311); (err == nil) != want {
					t.Errorf("PUBLISH %q: %v", b, err)
				}
			}
		}
	}
}

func TestParseShared(t *testing.T) {
	for _, x := range []struct {
		filter, share, rest string
		ok                  bool
	}{
		{"$share/g/a", "g", "a", true}, {"$share/g/a/b", "g", "a/b", true}, {"$share/g//a", "g", "/a", true},
		{"$share/group name/#", "group name", "#", true}, {"$share/g/+/b", "g", "+/b", true}, {"$share/$share/a", "$share", "a", true},
		{"$share", "", "", false}, {"$share/", "", "", false}, {"$share/g", "", "", false}, {"$share/g/", "", "", false},
		{"$share//a", "", "", false}, {"$share/+/a", "", "", false}, {"$share/g#/a", "", "", false}, {"$SHARE/g/a", "", "", false},
		{"$shared/g/a", "", "", false}, {"a", "", "", false}, {"", "", "", false}, {"share/g/a", "", "", false},
	} {
		want := x.rest
		if !x.ok {
			want = x.filter
		}
		share, rest, ok := ParseShared(x.filter)
		b, c, okBytes := ParseShared([]byte(x.filter))
		if share != x.share || rest != want || ok != x.ok || string(b) != x.share || string(c) != want || okBytes != x.ok {
			t.Errorf("%q: %q, %q, %v", x.filter, share, rest, ok)
		}
		if ok && ValidTopicFilter(x.filter, V5) != nil {
			t.Errorf("%q is parsed but not legal", x.filter)
		}
	}
	quickly(t, func(filter topicOf) bool {
		f := "$share/" + string(filter)
		share, rest, ok := ParseShared(f)
		if naiveFilter(f, V5) {
			return ok && "$share/"+share+"/"+rest == f
		}
		return !ok || !naiveFilter(rest, V311)
	})
}

func TestHasWildcards(t *testing.T) {
	for filter, want := range map[string]bool{"": false, "a/b": false, "+": true, "a/#": true, "a+b": true, "$x/y": false} {
		if HasWildcards(filter) != want || HasWildcards([]byte(filter)) != want {
			t.Errorf("%q: %v", filter, !want)
		}
	}
}

// As many levels as fit, in a name and in a filter.
func TestMatchManyLevels(t *testing.T) {
	slashes := strings.Repeat("/", 65_535)
	pluses := strings.Repeat("+/", 32_767) + "#"
	if !Match(slashes, slashes) || !Match("#", slashes) || Match(slashes, slashes[1:]) || !Match(pluses, slashes) {
		t.Error("65,535 levels")
	}
	if ValidTopicFilter(slashes, V5) != nil || ValidTopicFilter(pluses, V311) != nil {
		t.Error("filters of 65,535 bytes")
	}
}
