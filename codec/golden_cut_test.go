package codec

import (
	"fmt"
	"testing"
)

// shortForm reports whether body, which begins a longer one, is a packet of
// its own: the forms of v5.0 that end early, and those whose last part is a
// list or a payload.
func shortForm(data, body []byte, v Version) bool {
	id := packetIDSize(v)
	switch t := PacketType(data[0] >> 4); t {
	case TypePublish: // the payload may have any length
		return true
	case TypePuback, TypePubrec, TypePubrel, TypePubcomp:
		return v.IsV5() && (len(body) == id || len(body) == id+1)
	case TypeDisconnect:
		return v.IsV5() && len(body) <= 1
	case TypeSubscribe, TypeSuback, TypeUnsubscribe, TypeUnsuback:
		return true // as long as one element is left
	}
	return false
}

// Every proper prefix of every golden packet: a stream waits for more, and a
// packet whose Remaining Length says that this is all is refused, or is one of
// the shorter packets that the standards have.
func TestGoldenPrefixes(t *testing.T) {
	refused, accepted := 0, map[PacketType]int{}
	for i, g := range golden {
		data := goldenBytes(t, i)
		h, n, err := Frame(data, 0)
		if err != nil || n != len(data) {
			t.Fatalf("%s: Frame = %d, %v", g.name, n, err)
		}
		for k := range len(data) {
			prefix := data[:k:k]
			got, n, err := Frame(prefix, 0)
			if n != 0 || err != nil || k >= h.Len && got != h || k < h.Len && got.Len != 0 {
				t.Errorf("%s: Frame of %d bytes = %+v, %d, %v", g.name, k, got, n, err)
			}
			if p, n, err := Decode(prefix, g.version); p != nil || n != 0 || err != nil {
				t.Errorf("%s: Decode of %d bytes = %v, %d, %v", g.name, k, p, n, err)
			}
		}
		for k := h.Len; k < len(data); k++ {
			cut := frameOf(data[0], data[h.Len:k:k])
			p, err := decodeWhole(cut, g.version)
			_, looseErr := decodeLoosely(cut, g.version)
			if err == nil {
				if !shortForm(data, data[h.Len:k], g.version) || looseErr != nil {
					t.Errorf("%s cut to %x was accepted: %v, %v", g.name, cut, p, looseErr)
				}
				checkAccepted(t, cut, g.version, p)
				accepted[g.packet]++
				continue
			}
			if e := typed(t, err); e.Offset < 0 || e.Offset > len(cut) || e.Packet != g.packet || e.Detail == "" {
				t.Errorf("%s cut to %x: %v", g.name, cut, err)
			}
			refused++
		}
	}
	if refused < 500 || accepted[TypePublish] == 0 || accepted[TypePuback] == 0 || accepted[TypeDisconnect] == 0 || accepted[TypeConnect] != 0 {
		t.Errorf("%d prefixes refused, %v accepted", refused, accepted)
	}
}

// inner is a length inside a packet, found by walk.
type inner struct {
	at, width int // position and bytes of the length
	n         int // its value
	property  bool
}

// walk finds the lengths inside a legal packet. It is written apart from the
// decoder, from the layouts in the standards.
type walk struct {
	b  []byte
	i  int
	v5 bool
	id int
	in []inner
}

func lengthsOf(data []byte, v Version) []inner {
	h, _, _ := Frame(data, 0)
	w := &walk{b: data, i: h.Len, v5: v.IsV5(), id: packetIDSize(v)}
	switch h.Type {
	case TypeConnect:
		w.text()
		flags := data[w.i+1]
		w.i += 4
		w.properties()
		w.text()
		if flags&0x04 != 0 {
			w.properties()
			w.text()
			w.text()
		}
		if flags&0x80 != 0 {
			w.text()
		}
		if flags&0x40 != 0 {
			w.text()
		}
	case TypeConnack:
		w.i += 2
		w.properties()
	case TypePublish:
		w.text()
		if h.Flags&0x06 != 0 {
			w.i += w.id
		}
		w.properties()
	case TypePuback, TypePubrec, TypePubrel, TypePubcomp:
		w.i += w.id + 1
		if w.i < len(data) {
			w.properties()
		}
	case TypeDisconnect, TypeAuth:
		w.i++
		if w.i < len(data) {
			w.properties()
		}
	case TypeSubscribe, TypeSuback, TypeUnsubscribe, TypeUnsuback:
		w.i += w.id
		w.properties()
		for w.i < len(data) && (h.Type == TypeSubscribe || h.Type == TypeUnsubscribe) {
			w.text()
			if h.Type == TypeSubscribe {
				w.i++
			}
		}
	}
	return w.in
}

func (w *walk) text() {
	n := int(w.b[w.i])<<8 | int(w.b[w.i+1])
	w.in = append(w.in, inner{at: w.i, width: 2, n: n})
	w.i += 2 + n
}

func (w *walk) varint() (n, width int) {
	for {
		c := w.b[w.i]
		w.i++
		n |= int(c&0x7F) << (7 * width)
		width++
		if c < 0x80 {
			return n, width
		}
	}
}

func (w *walk) properties() {
	if !w.v5 {
		return
	}
	at := w.i
	n, width := w.varint()
	w.in = append(w.in, inner{at: at, width: width, n: n, property: true})
	for end := w.i + n; w.i < end; {
		id := w.b[w.i]
		w.i++
		switch id {
		case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A:
			w.i++
		case 0x13, 0x21, 0x22, 0x23:
			w.i += 2
		case 0x02, 0x11, 0x18, 0x27:
			w.i += 4
		case 0x0B:
			w.varint()
		case 0x26:
			w.text()
			w.text()
		default:
			w.text()
		}
	}
}

// Every length inside every golden packet is set to 0, to one less and one
// more, and to 65,535: the packet is refused, or is another legal one.
func TestGoldenInnerLengths(t *testing.T) {
	tried, refused := 0, 0
	for i, g := range golden {
		data := goldenBytes(t, i)
		h, _, _ := Frame(data, 0)
		for _, in := range lengthsOf(data, g.version) {
			for _, n := range []int{0, in.n - 1, in.n + 1, 65_535} {
				if n < 0 || n == in.n {
					continue
				}
				length := []byte{byte(n >> 8), byte(n)}
				if in.property {
					length = appendVarint(nil, uint32(n))
				}
				body := append([]byte{}, data[h.Len:in.at]...)
				body = append(append(body, length...), data[in.at+in.width:]...)
				changed := frameOf(data[0], body)
				tried++
				if !judge(t, fmt.Sprintf("%s, length at %d set to %d", g.name, in.at, n), changed, g.version) {
					refused++
				} else if n == 65_535 {
					t.Errorf("%s: %x with a length of 65,535 was accepted", g.name, changed)
				}
			}
		}
	}
	if tried < 600 || refused*10 < tried*7 {
		t.Errorf("%d lengths tried, %d refused", tried, refused)
	}
}

// judge decodes bytes of unknown merit in every way there is. It reports
// whether they were accepted, and fails if the ways contradict each other.
func judge(t testing.TB, what string, data []byte, v Version) (accepted bool) {
	t.Helper()
	p, err := decodeWhole(data, v)
	loose, looseErr := decodeLoosely(data, v)
	lenient, lenientErr := decodeWhole(data, v.AllowControlCharacters())
	if err == errUnfinished {
		return false
	}
	if err != nil {
		e := typed(t, err)
		if e.Offset < 0 || e.Offset > len(data) {
			t.Fatalf("%s: %x: %v: the offset lies outside", what, data, err)
		}
		if lenientErr == nil && e.Detail != faults[faultControl].detail {
			t.Fatalf("%s: %x: %v, but accepted with control characters allowed: %v", what, data, err, lenient)
		}
		if looseErr != nil {
			typed(t, looseErr)
		} else {
			_, _ = loose.AppendTo(nil, v)
			_ = loose.String()
		}
		return false
	}
	if looseErr != nil || jsonOf(t, loose) != jsonOf(t, p) {
		t.Fatalf("%s: %x: Decode = %v, DecodeLoose = %v, %v", what, data, p, loose, looseErr)
	}
	if lenientErr != nil || jsonOf(t, lenient) != jsonOf(t, p) {
		t.Fatalf("%s: %x: Decode = %v, with control characters allowed %v, %v", what, data, p, lenient, lenientErr)
	}
	checkAccepted(t, data, v, p)
	// One of the two sides may send it.
	if _, err := decodeWhole(data, v.FromClient()); err != nil {
		if _, err := decodeWhole(data, v.FromServer()); err != nil && !errorsOfBothSides(p) {
			t.Fatalf("%s: %x is legal without a direction, but from neither side: %v", what, data, err)
		}
	}
	return true
}

// errorsOfBothSides reports whether p mixes what only a client and what only a
// server may send.
func errorsOfBothSides(p Packet) bool {
	switch p := p.(type) {
	case *Disconnect:
		return p.Validate(V5.FromClient()) != nil && p.Validate(V5.FromServer()) != nil
	}
	return false
}
