package codec

import (
	"encoding/binary"
	"unicode/utf8"
)

// maxText is the largest string or binary field in bytes: its length takes two.
const maxText = 65_535

// Most strings are printable ASCII, so that is looked for first, eight bytes
// at once. ones has the low bit of each byte set, highs the high bit.
const (
	ones   = 0x0101010101010101
	highs  = 0x8080808080808080
	spaces = ' ' * ones
	eights = 0x08 * ones
	pluses = '+' * ones
)

// unusual returns a word that is not 0 if a byte of w lies outside U+0020 to
// U+007E: adding one carries 0x7F and those above it, 0xFF apart, into the high
// bit; subtracting 0x20 borrows from it below 0x20, and leaves it in 0xFF.
func unusual(w uint64) uint64 { return ((w + ones) | (w - spaces)) & highs }

// wild returns a word whose lowest high bit stands where the first + or # of w
// does: the two differ in bit 3 alone. Bytes above it, and those beyond ASCII,
// may count as well.
func wild(w uint64) uint64 { return (((w | eights) ^ pluses) - ones) & highs }

// isPlain reports whether s is printable ASCII of a legal length, for which no
// rule on strings needs a second look.
func isPlain(s []byte) bool {
	n := len(s)
	if n < 8 {
		return unusual(gather(s)) == 0
	}
	bad := unusual(binary.LittleEndian.Uint64(s[n-8 : n]))
	for k := 8; k < n; k += 8 {
		bad |= unusual(binary.LittleEndian.Uint64(s[k-8 : k]))
	}
	return bad == 0 && n <= maxText
}

// isPlainName reports whether s is printable ASCII of a legal length without
// wildcards.
func isPlainName(s []byte) bool {
	n := len(s)
	if n < 8 {
		w := gather(s)
		return unusual(w)|wild(w) == 0
	}
	w := binary.LittleEndian.Uint64(s[n-8 : n])
	bad := unusual(w) | wild(w)
	for k := 8; k < n; k += 8 {
		w = binary.LittleEndian.Uint64(s[k-8 : k])
		bad |= unusual(w) | wild(w)
	}
	return bad == 0 && n <= maxText
}

// gather returns a word that holds each byte of s, which has less than eight,
// at least once, and spaces otherwise.
func gather(s []byte) uint64 {
	switch n := len(s); {
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(s)) | uint64(binary.LittleEndian.Uint32(s[n-4:]))<<32
	case n > 0:
		return uint64(s[0]) | uint64(s[n/2])<<8 | uint64(s[n-1])<<16 | spaces&^(1<<24-1)
	}
	return spaces
}

// checkText returns what is wrong with s as a string of a link of version v.
// (v3.1.1 1.5.3, v5.0 1.5.4)
func checkText(s []byte, v Version) fault {
	if len(s) > maxText {
		return faultTooLong
	}
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c <= '~' {
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return faultUTF8
		case r == 0:
			return faultNull
		case v&lenientText == 0 && isControl(r):
			return faultControl
		}
		i += n
	}
	return 0
}

// isControl reports whether r, which is not U+0000, is a control character or
// a non-character, which should not be sent.
func isControl(r rune) bool {
	return r < 0x20 || 0x7F <= r && r <= 0x9F || 0xFDD0 <= r && r <= 0xFDEF || r&0xFFFE == 0xFFFE
}
