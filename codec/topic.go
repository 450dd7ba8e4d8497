package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// checkName returns what is wrong with s as a Topic Name; it may be empty.
// (v3.1.1 4.7, v5.0 4.7)
func checkName(s []byte, v Version) fault {
	if len(s) > maxText {
		return faultTopicTooLong
	}
	if why := checkText(s, v); why != 0 {
		return why
	}
	if bytes.IndexByte(s, '+') >= 0 || bytes.IndexByte(s, '#') >= 0 {
		return faultWildcard
	}
	return 0
}

// checkFilter returns what is wrong with s as a Topic Filter. A filter that
// begins with $share/ is shared in v5.0 only. (v3.1.1 4.7, v5.0 4.7, 4.8.2)
func checkFilter(s []byte, v Version) fault {
	if len(s) > maxText {
		return faultTopicTooLong
	}
	if !isPlain(s) {
		if why := checkText(s, v); why != 0 {
			return why
		}
	}
	if len(s) == 0 {
		return faultEmpty
	}
	if s[0] == '$' && v.IsV5() {
		if share, rest, shared := cutShare(s); shared {
			return checkShare(share, rest)
		}
	}
	return checkLevels(s)
}

// isPlainFilter reports whether s is a legal filter of printable ASCII that
// does not begin with $, which checkFilter need not look at.
func isPlainFilter(s []byte) bool {
	if len(s) < 8 {
		w := gather(s)
		return len(s) > 0 && s[0] != '$' && unusual(w) == 0 && (wild(w) == 0 || checkLevels(s) == 0)
	}
	if s[0] == '$' {
		return false
	}
	var bad uint64
	for i := 0; ; i += 8 {
		if i > len(s)-8 {
			i = len(s) - 8 // the last eight, some for the second time
		}
		w := binary.LittleEndian.Uint64(s[i:])
		bad |= unusual(w)
		if found := wild(w); found != 0 && !wildcardsFill(s, i, found) {
			return false
		}
		if i == len(s)-8 {
			return bad == 0 && len(s) <= maxText
		}
	}
}

// wildcardsFill reports whether each wildcard among the eight bytes at i fills
// a level, # the last one. found has the high bit of each byte that may be one.
func wildcardsFill(s []byte, i int, found uint64) bool {
	for ; found != 0; found &= found - 1 {
		k := i + bits.TrailingZeros64(found)>>3
		if c := s[k]; c != '+' && c != '#' {
			continue
		}
		if k > 0 && s[k-1] != '/' || k+1 < len(s) && (s[k+1] != '/' || s[k] == '#') {
			return false
		}
	}
	return true
}

// checkLevels looks at the wildcards of a filter, each of which has to fill a
// level, # the last one.
func checkLevels(s []byte) fault {
	for i, c := range s {
		if c != '+' && c != '#' {
			continue
		}
		alone := i == 0 || s[i-1] == '/'
		switch last := i == len(s)-1; {
		case c == '#' && !(alone && last):
			return faultHash
		case c == '+' && !(alone && (last || s[i+1] == '/')):
			return faultPlus
		}
	}
	return 0
}

// checkShare looks at the two parts of a shared subscription filter.
// (v5.0 4.8.2)
func checkShare(share, rest []byte) fault {
	switch {
	case len(share) == 0:
		return faultShareName
	case HasWildcards(share), len(rest) == 0:
		return faultShareFilter
	case isPlainFilter(rest):
		return 0
	}
	return checkLevels(rest)
}

const sharePrefix = "$share/"

// cutShare splits a filter that begins with $share/ into its ShareName and the
// filter that follows it.
func cutShare(s []byte) (share, rest []byte, shared bool) {
	if len(s) < len(sharePrefix) || string(s[:len(sharePrefix)]) != sharePrefix {
		return nil, s, false
	}
	s = s[len(sharePrefix):]
	if i := bytes.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, nil, true
}

var (
	topicNameField   = field{name: "Topic Name"}
	topicFilterField = field{name: "Topic Filter"}
)

// ValidTopicName returns nil if name is a Topic Name that a PUBLISH may carry:
// 1 to 65,535 bytes of UTF-8 without wildcards. Otherwise it returns an
// *Error. (v3.1.1 4.7, v5.0 4.7)
func ValidTopicName[S ~string | ~[]byte](name S, v Version) error {
	why := checkName([]byte(name), v)
	if why == 0 && len(name) == 0 {
		why = faultEmpty
	}
	if why != 0 {
		return topicNameField.fault(why, v, -1)
	}
	return nil
}

// ValidTopicFilter returns nil if filter is a Topic Filter that a SUBSCRIBE
// may carry, and an *Error otherwise. In v5.0 a filter that begins with
// $share/ has to be a shared subscription. (v3.1.1 4.7, v5.0 4.7, 4.8.2)
func ValidTopicFilter[S ~string | ~[]byte](filter S, v Version) error {
	if why := checkFilter([]byte(filter), v); why != 0 {
		return topicFilterField.fault(why, v, -1)
	}
	return nil
}

// ParseShared splits the Topic Filter of a shared subscription,
// $share/{ShareName}/{filter}, into its two parts. Both are views into filter.
// ok is false, and rest is filter, for any other filter and where the ShareName
// or the filter after it is missing or the ShareName holds a wildcard. v3.1.1
// has no shared subscriptions. (v5.0 4.8.2)
func ParseShared[S ~string | ~[]byte](filter S) (share, rest S, ok bool) {
	n := len(sharePrefix)
	if len(filter) < n || string(filter[:n]) != sharePrefix {
		return share, filter, false
	}
	for i := n; i < len(filter); i++ {
		switch filter[i] {
		case '/':
			if i == n || i == len(filter)-1 {
				return share, filter, false
			}
			return filter[n:i], filter[i+1:], true
		case '+', '#':
			return share, filter, false
		}
	}
	return share, filter, false
}

// HasWildcards reports whether filter holds + or #.
func HasWildcards[S ~string | ~[]byte](filter S) bool {
	for i := 0; i < len(filter); i++ {
		if filter[i] == '+' || filter[i] == '#' {
			return true
		}
	}
	return false
}

// Match reports whether the Topic Filter matches the Topic Name. Both have to
// be valid, and the filter not a shared one: pass what ParseShared returns.
// Filters that begin with a wildcard do not match topics that begin with $.
// (v3.1.1 4.7, v5.0 4.7)
func Match[F, T ~string | ~[]byte](filter F, topic T) bool {
	if len(filter) == 0 || len(topic) == 0 {
		return false
	}
	if topic[0] == '$' && (filter[0] == '+' || filter[0] == '#') {
		return false
	}
	for f, t := 0, 0; ; f, t = f+1, t+1 {
		if f < len(filter) && filter[f] == '#' {
			return true
		}
		if f, t = matchLevel(filter, topic, f, t); f < 0 {
			return false
		}
		switch {
		case f == len(filter):
			return t == len(topic)
		case t == len(topic):
			// The parent of # matches too: "a/#" matches "a".
			return string(filter[f:]) == "/#"
		}
	}
}

// matchLevel compares the levels that begin at f and t, either of which may be
// empty. It returns where both end, at a separator or at the end of the
// string, or -1 where they differ.
func matchLevel[F, T ~string | ~[]byte](filter F, topic T, f, t int) (int, int) {
	if f < len(filter) && filter[f] == '+' {
		for t < len(topic) && topic[t] != '/' {
			t++
		}
		return f + 1, t
	}
	for f < len(filter) && t < len(topic) && filter[f] == topic[t] && filter[f] != '/' {
		f, t = f+1, t+1
	}
	if f < len(filter) && filter[f] != '/' || t < len(topic) && topic[t] != '/' {
		return -1, -1
	}
	return f, t
}
