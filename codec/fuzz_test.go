package codec

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"
)

// linkOf makes a link of any kind out of one byte: version, width, direction
// and leniency.
func linkOf(b byte) Version {
	v := []Version{V311, V5, V311Wide, V5Wide}[b&3]
	v = side(v, []string{"", "client", "server", ""}[b>>2&3])
	if b&0x10 != 0 {
		v = v.AllowControlCharacters()
	}
	return v
}

// linkByte is the byte for which linkOf gives v.
func linkByte(v Version) byte {
	for b := range byte(0x20) {
		if linkOf(b) == v {
			return b
		}
	}
	panic("no such link")
}

// seedPackets calls add with all golden packets and all vectors.
func seedPackets(t testing.TB, add func(link byte, data []byte)) {
	for i, g := range golden {
		add(linkByte(g.version), goldenBytes(t, i))
	}
	all := readVectors(t)
	for _, x := range append(all.Valid, all.Invalid...) {
		add(linkByte(x.link()), unhex(t, x.Hex))
	}
}

// FuzzDecode decodes bytes of any origin, on a link of any kind. It holds that
//
//   - nothing panics, and every error is an *Error with an offset inside the
//     packet;
//   - bytes behind the packet change nothing: decoding never reads past it;
//   - what the strict decoder accepts the encoder reproduces byte for byte, but
//     for properties in another order, or in a shorter form that the standard
//     has, and decoding that and encoding it once more is a fixed point;
//   - DecodeLoose accepts all that Decode accepts, as the same packet, and what
//     it accepts beyond that is refused by the encoder or leaves it legal;
//   - a decoded packet, its clone and its JSON are the same packet.
func FuzzDecode(f *testing.F) {
	seedPackets(f, func(link byte, data []byte) { f.Add(link, data) })
	f.Fuzz(func(t *testing.T, link byte, data []byte) {
		v := linkOf(link)
		h, n, err := Frame(data, 0)
		if err != nil {
			typed(t, err)
			return
		}
		if n == 0 {
			if p, n, err := Decode(data, v); p != nil || n != 0 || err != nil {
				t.Fatalf("an unfinished packet: %v, %d, %v", p, n, err)
			}
			return
		}
		whole := bytes.Clone(data[:n])
		accepted := judge(t, "fuzz", whole, v)
		// The same packet before other bytes.
		p, m, err := Decode(append(bytes.Clone(whole), bytes.Repeat([]byte{0x26}, 32)...), v)
		if (err == nil) != accepted || err == nil && m != n {
			t.Fatalf("%x before other bytes: %v, %d, %v", whole, p, m, err)
		}
		if loose, err := decodeLoosely(whole, v); err == nil {
			looseInvariants(t, whole, loose, v)
		}
		if !accepted {
			return
		}
		text := jsonOf(t, p)
		q, err := ParseJSON([]byte(text))
		if err != nil || jsonOf(t, q) != text || jsonOf(t, Clone(p)) != text {
			t.Fatalf("%x: %s comes back as %v, %v", whole, text, q, err)
		}
		if a, b := mustEncode(t, p, v), mustEncode(t, q, v); !bytes.Equal(a, b) {
			t.Fatalf("%x is encoded as %x, and as %x by way of JSON", whole, a, b)
		}
		if h.Type != p.Type() {
			t.Fatalf("%x is a %v", whole, p.Type())
		}
	})
}

// looseInvariants tests what holds for packets that DecodeLoose accepts.
func looseInvariants(t *testing.T, data []byte, p Packet, v Version) {
	t.Helper()
	for _, r := range p.String() {
		if r != ' ' && !unicode.IsPrint(r) {
			t.Fatalf("%x: %q in %q", data, r, p.String())
		}
	}
	own := Clone(p)
	if a, b := jsonOf(t, p), jsonOf(t, own); a != b {
		t.Fatalf("%x: the clone of %s is %s", data, a, b)
	}
	out, err := p.AppendTo(nil, v)
	ownOut, ownErr := own.AppendTo(nil, v)
	if !bytes.Equal(out, ownOut) || (err == nil) != (ownErr == nil) {
		t.Fatalf("%x: AppendTo = %x, %v; of the clone %x, %v", data, out, err, ownOut, ownErr)
	}
	if err != nil {
		typed(t, err)
		return
	}
	if _, err := decodeWhole(out, v); err != nil {
		t.Fatalf("%x is encoded as %x, which is illegal: %v", data, out, err)
	}
}

// chunks reads data in pieces whose sizes are the bytes of cuts, over and over.
type chunks struct {
	data, cuts []byte
	i          int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := 1
	if len(c.cuts) > 0 {
		n = 1 + int(c.cuts[c.i%len(c.cuts)])
		c.i++
	}
	n = copy(p, c.data[:min(n, len(c.data))])
	c.data = c.data[n:]
	return n, nil
}

// FuzzFrame cuts a stream into packets. It holds that
//
//   - Frame, given more and more of a packet, wants more until the packet is
//     there, or reports one error from some byte on, always the same;
//   - the Reader finds the same packets, whatever pieces the stream comes in,
//     and ends with the same error;
//   - no packet is larger than the limit.
func FuzzFrame(f *testing.F) {
	for _, v := range []Version{V311, V5} {
		stream, _ := goldenStream(f, v)
		f.Add(linkByte(v), uint16(0), stream, []byte{0, 3, 200})
		f.Add(linkByte(v), uint16(40), stream, []byte{0})
	}
	seedPackets(f, func(link byte, data []byte) { f.Add(link, uint16(64), append(data, data...), []byte{1}) })
	f.Fuzz(func(t *testing.T, link byte, limit uint16, stream, cuts []byte) {
		v := linkOf(link)
		var want []string
		var wantErr error
		rest := stream
		for len(rest) > 0 && wantErr == nil {
			h, n, err := Frame(rest, int(limit))
			frameGrows(t, rest, int(limit), h, n, err)
			if wantErr = err; err != nil {
				break
			}
			if n == 0 {
				wantErr = io.ErrUnexpectedEOF
				break
			}
			if limit > 0 && n > int(limit) || n != h.Size() {
				t.Fatalf("a packet of %d bytes, %+v, with a limit of %d", n, h, limit)
			}
			p, err := new(Decoder).Decode(h, rest[h.Len:n], v)
			if wantErr = err; err == nil {
				want = append(want, jsonOf(t, p))
			}
			rest = rest[n:]
		}
		if wantErr == nil {
			wantErr = io.EOF
		}
		got, err := readAll(t, NewReader(&chunks{data: stream, cuts: cuts}, v, int(limit)))
		if strings.Join(got, "\n") != strings.Join(want, "\n") || err.Error() != wantErr.Error() {
			t.Fatalf("the Reader found %d packets and %v, Frame %d and %v", len(got), err, len(want), wantErr)
		}
	})
}

// frameGrows tests Frame on the beginnings of buf, for which it gave h, n, err.
func frameGrows(t *testing.T, buf []byte, limit int, h Header, n int, err error) {
	t.Helper()
	failed := false
	for k := range min(len(buf), max(n, 8)) {
		g, m, e := Frame(buf[:k], limit)
		switch {
		case e != nil:
			failed = true
			if err == nil || e.Error() != err.Error() || !errors.Is(e, errors.Unwrap(err)) {
				t.Fatalf("%d bytes: %v, all of them: %v", k, e, err)
			}
		case failed:
			t.Fatalf("%d bytes: the error is gone", k)
		case m != 0 && (m != n || g != h):
			t.Fatalf("%d bytes: %+v, %d; all of them: %+v, %d", k, g, m, h, n)
		case g.Len != 0 && err == nil && g != h:
			t.Fatalf("%d bytes: %+v, all of them: %+v", k, g, h)
		}
	}
}

// FuzzJSON reads JSON of any origin. It holds that nothing panics; that what is
// accepted is written as JSON that reads as the same packet, and is written the
// same again; and that a packet that is legal comes back from its bytes.
func FuzzJSON(f *testing.F) {
	for i, g := range golden {
		f.Add(jsonOf(f, mustDecode(f, goldenBytes(f, i), g.version)))
	}
	for _, kind := range everyType {
		f.Add(jsonOf(f, fullPacket(kind)))
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParseJSON([]byte(text))
		if err != nil {
			return
		}
		first := jsonOf(t, p)
		q, err := ParseJSON([]byte(first))
		if err != nil {
			t.Fatalf("%s was written as %s: %v", text, first, err)
		}
		if second := jsonOf(t, q); second != first {
			t.Fatalf("%s was written as %s, and that as %s", text, first, second)
		}
		if c := jsonOf(t, Clone(p)); c != first {
			t.Fatalf("%s: the clone is %s", first, c)
		}
		for _, r := range p.String() {
			if r != ' ' && !unicode.IsPrint(r) {
				t.Fatalf("%s: %q in %q", first, r, p.String())
			}
		}
		if p.Validate(V5) != nil {
			return
		}
		data := mustEncode(t, p, V5)
		back := mustDecode(t, data, V5)
		if got := jsonOf(t, back); got != first {
			t.Fatalf("%s was encoded as %x, and that is %s", first, data, got)
		}
	})
}

// FuzzMatch compares names, filters and Match with the naive ones of the tests.
// Nothing panics, also where they are illegal.
func FuzzMatch(f *testing.F) {
	for _, x := range readVectors(f).Match {
		for _, topic := range append(x.Matches, x.Rejects...) {
			f.Add(x.Filter, topic)
		}
	}
	f.Add("$share/g/a/+", "a/b")
	f.Fuzz(func(t *testing.T, filter, topic string) {
		matched := Match(filter, topic)
		if matched != Match([]byte(filter), []byte(topic)) {
			t.Fatalf("%q, %q: strings and bytes differ", filter, topic)
		}
		short := len(filter) <= 65_535 && len(topic) <= 65_535
		legalName := topic != "" && !strings.ContainsAny(topic, "+#") && naiveText(topic, false)
		if err := ValidTopicName(topic, V5); short && (err == nil) != legalName {
			t.Fatalf("ValidTopicName(%q) = %v", topic, err)
		}
		for _, v := range []Version{V311, V5} {
			legal := naiveText(filter, false) && naiveFilter(filter, v)
			if err := ValidTopicFilter(filter, v); short && (err == nil) != legal {
				t.Fatalf("%v: ValidTopicFilter(%q) = %v", v, filter, err)
			}
		}
		share, rest, ok := ParseShared(filter)
		if ok && filter != "$share/"+share+"/"+rest || !ok && rest != filter {
			t.Fatalf("ParseShared(%q) = %q, %q", filter, share, rest)
		}
		if naiveFilter(filter, V311) && legalName && matched != naive(filter, topic) {
			t.Fatalf("Match(%q, %q) = %v", filter, topic, matched)
		}
	})
}
