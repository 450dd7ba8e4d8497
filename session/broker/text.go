package broker

import "github.com/mqttcore/mqttcore/codec"

// text is a string that is short most of the time and then lies where it is
// needed, not elsewhere in memory.
type text struct {
	n     uint8 // bytes of short, 0 for a long one
	short [47]byte
	long  string
}

func newText(s []byte) (t text) {
	if len(s) > len(t.short) {
		t.long = string(s)
	} else {
		t.n = uint8(copy(t.short[:], s))
	}
	return t
}

// is reports whether t is s, which is not empty.
func (t *text) is(s []byte) bool {
	if t.n == 0 {
		return t.long == string(s)
	}
	return string(t.short[:t.n]) == string(s)
}

// matches reports whether t, which is a Topic Filter, matches a topic.
func (t *text) matches(topic []byte) bool {
	if t.n == 0 {
		return codec.Match(t.long, topic)
	}
	name := t.short[:t.n]
	return string(name) == string(topic) || codec.Match(name, topic)
}

// bytes returns what t holds. It is not to be changed.
func (t *text) bytes() []byte {
	if t.n == 0 {
		return []byte(t.long)
	}
	return t.short[:t.n]
}

func (t *text) String() string { return string(t.bytes()) }
