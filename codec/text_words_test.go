package codec

import (
	"math/rand/v2"
	"testing"
)

// TestWords holds the tests on eight bytes at once against a look at each byte,
// for every byte at every place among others.
func TestWords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		var b [8]byte
		for i := range b {
			b[i] = byte(r.IntN(256))
			if r.IntN(4) > 0 {
				b[i] = ' ' + byte(r.IntN(95))
			}
		}
		s := b[:1+r.IntN(8)]
		plain, wilds := true, false
		for _, c := range s {
			plain = plain && ' ' <= c && c <= '~'
			wilds = wilds || c == '+' || c == '#'
		}
		if isPlain(s) != plain {
			t.Fatalf("isPlain(%q) = %v", s, !plain)
		}
		if isPlainName(s) != (plain && !wilds) {
			t.Fatalf("isPlainName(%q) is wrong", s)
		}
		if want := plain && s[0] != '$' && checkLevels(s) == 0; isPlainFilter(s) != want {
			t.Fatalf("isPlainFilter(%q) = %v", s, !want)
		}
	}
}
