package codec

import (
	"testing"
)

// checkAllocs fails if one of the hot calls allocates for the packet in data.
func checkAllocs(t *testing.T, name string, data []byte, v Version) {
	t.Helper()
	h, n, err := Frame(data, 0)
	if err != nil || n != len(data) {
		t.Fatalf("%s: Frame = %d, %v", name, n, err)
	}
	body := data[h.Len:]
	p := NewPacket(h.Type)
	if err := p.Decode(h, body, v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	own := Clone(p)
	var d Decoder
	buf := make([]byte, 0, 2*len(data))
	for what, do := range map[string]func(){
		"Frame":               func() { _, _, _ = Frame(data, 0) },
		"Decode":              func() { _ = p.Decode(h, body, v) },
		"DecodeLoose":         func() { _ = p.DecodeLoose(h, body, v) },
		"Decoder.Decode":      func() { _, _ = d.Decode(h, body, v) },
		"Decoder.DecodeLoose": func() { _, _ = d.DecodeLoose(h, body, v) },
		"Validate":            func() { _ = own.Validate(v) },
		"Size":                func() { _ = own.Size(v) },
		"AppendTo":            func() { _, _ = own.AppendTo(buf, v) },
		"AppendTo, borrowed":  func() { _, _ = p.AppendTo(buf, v) },
		"Reset":               func() { own.Reset() },
	} {
		if what == "Reset" {
			continue // it empties the packet that the others need
		}
		if allocs := testing.AllocsPerRun(20, do); allocs != 0 {
			t.Errorf("%s: %s takes %v allocations", name, what, allocs)
		}
	}
	if allocs := testing.AllocsPerRun(20, func() { own.Reset() }); allocs != 0 {
		t.Errorf("%s: Reset takes %v allocations", name, allocs)
	}
}

func TestAllocsGolden(t *testing.T) {
	for i, g := range golden {
		checkAllocs(t, g.name, goldenBytes(t, i), g.version)
	}
}

// All fifteen types, with everything set that they can carry.
func TestAllocsFull(t *testing.T) {
	fullPackets(t, func(t *testing.T, v Version, make func() Packet) {
		checkAllocs(t, t.Name(), mustEncode(t, make(), v), v)
	})
}

// Directions and leniency cost nothing, nor do texts that are not ASCII.
func TestAllocsVariants(t *testing.T) {
	p := fullPacket(TypeConnect).(*Connect)
	p.ClientID, p.Will.Value.Topic = Bytes("Größe"), Bytes("温度/室内")
	p.Properties.UserProperties.Add("名前", "値")
	data := mustEncode(t, p, V5)
	for _, v := range []Version{V5, V5.FromClient(), V5.AllowControlCharacters()} {
		checkAllocs(t, "CONNECT", data, v)
	}
	// User Properties with other properties between them.
	checkAllocs(t, "PUBLISH", unhex(t, "30 1c 0001 74 18 26 0001 61 0001 62 0b01 0101 26 0001 63 0001 64 0bc801 030000"), V5)
}

func TestAllocsTopics(t *testing.T) {
	filter, topic := []byte("a/+/c/#"), []byte("a/b/c/d/e")
	for what, do := range map[string]func(){
		"Match":            func() { _ = Match(filter, topic) },
		"ValidTopicName":   func() { _ = ValidTopicName(topic, V5) },
		"ValidTopicFilter": func() { _ = ValidTopicFilter(filter, V5) },
		"ParseShared":      func() { _, _, _ = ParseShared("$share/group/a/+") },
	} {
		if allocs := testing.AllocsPerRun(20, do); allocs != 0 {
			t.Errorf("%s takes %v allocations", what, allocs)
		}
	}
}
