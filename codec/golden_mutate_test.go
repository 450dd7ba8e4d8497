package codec

import (
	"bytes"
	"testing"
)

// Every byte of every golden packet is given every other value. Nothing
// panics, all ways to decode agree, and what is accepted is encoded to the
// same bytes or to a shorter form of them.
func TestGoldenMutations(t *testing.T) {
	accepted, refused := 0, 0
	for i, g := range golden {
		if testing.Short() && i%8 != 0 {
			continue
		}
		data := goldenBytes(t, i)
		for k := range data {
			was := data[k]
			for x := range 256 {
				if data[k] = byte(x); data[k] == was {
					continue
				}
				whole := data
				if _, n, err := Frame(data, 0); err == nil && n > 0 {
					whole = data[:n:n]
				}
				if judge(t, g.name, whole, g.version) {
					accepted++
				} else {
					refused++
				}
			}
			data[k] = was
		}
	}
	if !testing.Short() && (accepted < 50_000 || refused < 150_000) {
		t.Errorf("%d accepted, %d refused", accepted, refused)
	}
}

// Bits that no field uses never get through: a packet that differs from the
// golden one in its bytes differs in its value too, or is a longer form of it.
func TestGoldenBitsMatter(t *testing.T) {
	for i, g := range golden {
		data := goldenBytes(t, i)
		want := jsonOf(t, mustDecode(t, data, g.version))
		for k := range data {
			for bit := range 8 {
				changed := bytes.Clone(data)
				changed[k] ^= 1 << bit
				p, err := decodeWhole(changed, g.version)
				if err == nil && p.Type() == g.packet && jsonOf(t, p) == want {
					t.Errorf("%s: %x and %x are both %s", g.name, data, changed, want)
				}
			}
		}
	}
}

// Decoding never looks behind the packet, nor beyond the body it was given.
func TestGoldenStaysInside(t *testing.T) {
	for i, g := range golden {
		data := goldenBytes(t, i)
		for k := 1; k <= len(data); k++ {
			// The same cut packet twice: alone, and with more bytes behind it
			// in the same array. A decoder that reads too far sees them.
			h, _, _ := Frame(data, 0)
			if k < h.Len {
				continue
			}
			cut := frameOf(data[0], data[h.Len:k])
			alone, errAlone := decodeWhole(cut, g.version)
			buf := append(bytes.Clone(cut), bytes.Repeat([]byte{0x01}, 64)...)
			inside, n, errInside := Decode(buf, g.version)
			if (errAlone == nil) != (errInside == nil) {
				t.Fatalf("%s cut to %x: %v alone, %v before other bytes", g.name, cut, errAlone, errInside)
			}
			if errAlone != nil {
				if errAlone.Error() != errInside.Error() {
					t.Fatalf("%s cut to %x: %v alone, %v before other bytes", g.name, cut, errAlone, errInside)
				}
				continue
			}
			if n != len(cut) || jsonOf(t, alone) != jsonOf(t, inside) {
				t.Fatalf("%s cut to %x: %v alone, %v before other bytes", g.name, cut, alone, inside)
			}
		}
	}
}
