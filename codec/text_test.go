package codec

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// naiveText reports whether a string may be sent, character by character.
// (v3.1.1 1.5.3, v5.0 1.5.4)
func naiveText(s string, lenient bool) bool {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return false
	}
	for _, r := range s {
		control := r <= 0x1F || r >= 0x7F && r <= 0x9F
		nonCharacter := r >= 0xFDD0 && r <= 0xFDEF || r&0xFFFF >= 0xFFFE
		if (control || nonCharacter) && !lenient {
			return false
		}
	}
	return true
}

// checkTextBothWays compares the decoder and the encoder with naiveText, for a
// string that is a Client Identifier, and one in a User Property.
func checkTextBothWays(t *testing.T, s string) {
	t.Helper()
	for _, v := range []Version{V5, V5.AllowControlCharacters()} {
		want := naiveText(s, v != V5)
		p := &Connect{CleanStart: true, ClientID: Bytes(s)}
		if err := p.Validate(v); (err == nil) != want {
			t.Errorf("%q: Validate = %v, want %v", s, err, want)
		}
		id := joined(0x10, "\x00\x04MQTT\x05\x02\x00\x00", nil, string([]byte{byte(len(s) >> 8), byte(len(s))})+s)
		if _, err := decodeWhole(id, v); (err == nil) != want {
			t.Errorf("%q: Decode = %v, want %v", s, err, want)
		}
		q := &Puback{PacketID: 1}
		q.Properties.UserProperties.Add(s, "")
		q.Properties.UserProperties.Add("", s)
		if err := q.Validate(v); (err == nil) != want {
			t.Errorf("%q in a User Property: Validate = %v, want %v", s, err, want)
		}
	}
}

// Every byte at every place of strings of every length up to 40: strings are
// read several bytes at once, and no place may be left out.
func TestTextEveryByteEverywhere(t *testing.T) {
	for n := range 41 {
		for at := range n {
			for c := range 256 {
				b := []byte(strings.Repeat("a", n))
				b[at] = byte(c)
				want := c > 0x1F && c < 0x7F
				p := &Connect{CleanStart: true, ClientID: b}
				if err := p.Validate(V5); (err == nil) != want {
					t.Fatalf("%q: Validate = %v", b, err)
				}
				data := joined(0x10, "\x00\x04MQTT\x05\x02\x00\x00", nil, "\x00"+string(rune(n))+string(b))
				if _, err := decodeWhole(data, V5); (err == nil) != want {
					t.Fatalf("%q: Decode = %v", b, err)
				}
			}
		}
	}
}

// All sequences of two bytes, and all code points, alone and in company.
func TestTextEveryCodePoint(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			checkTextBothWays(t, string([]byte{byte(a), byte(b)}))
		}
	}
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if r > 0x3000 && r < 0xD700 || r > 0x10100 && r&0xFFFF > 0x20 && r&0xFFFF < 0xFFF0 {
			continue // like their neighbours
		}
		s := string(r)
		if r >= 0xD800 && r <= 0xDFFF { // string gives U+FFFD, so by hand
			s = string([]byte{0xE0 | byte(r>>12), 0x80 | byte(r>>6)&0x3F, 0x80 | byte(r)&0x3F})
		}
		checkTextBothWays(t, s)
		if r&0x3F == 0 || r&0xFFFF >= 0xFFFE {
			checkTextBothWays(t, "abcdefgh"+s)
			checkTextBothWays(t, s+"abcdefgh")
			checkTextBothWays(t, "温"+s)
		}
	}
}
