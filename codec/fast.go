package codec

import "encoding/binary"

// The functions of this file are what the fast decoders read with. Each takes
// a position and returns the next one. It is -1 where the value is not there
// or not legal, and any read at -1 gives -1 again.

// plain reports whether the fixed header is that of a packet of type t, in its
// shortest form.
func (h Header) plain(t PacketType) bool { return h.Type == t && (h.Len == 2 || !h.Padded()) }

// plain reports whether the version is known and its Packet Identifiers take
// two bytes.
func (v Version) plain() bool { return v&(levelMask|wide)&^1 == V311 }

func u8At(b []byte, i int) (uint8, int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	return b[i], i + 1
}

func u16At(b []byte, i int) (uint16, int) {
	if i < 0 || i+2 > len(b) {
		return 0, -1
	}
	return binary.BigEndian.Uint16(b[i:]), i + 2
}

func u32At(b []byte, i int) (uint32, int) {
	if i < 0 || i+4 > len(b) {
		return 0, -1
	}
	return binary.BigEndian.Uint32(b[i:]), i + 4
}

func packetIDAt(b []byte, i int) (uint32, int) {
	if i < 0 || i+2 > len(b) {
		return 0, -1
	}
	id := binary.BigEndian.Uint16(b[i:])
	if id == 0 {
		return 0, -1
	}
	return uint32(id), i + 2
}

func varintAt(b []byte, i int) (uint32, int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		return uint32(b[i]), i + 1
	}
	return longVarintAt(b, i)
}

func longVarintAt(b []byte, i int) (x uint32, next int) {
	for n := 0; n < 4 && uint(i) < uint(len(b)); n++ {
		c := b[i]
		i++
		x |= uint32(c&0x7F) << (7 * n)
		if c < 0x80 {
			if c == 0 && n > 0 {
				return 0, -1
			}
			return x, i
		}
	}
	return 0, -1
}

func binaryAt(b []byte, i int) (Bytes, int) {
	if i < 0 || i+2 > len(b) {
		return nil, -1
	}
	end := i + 2 + int(binary.BigEndian.Uint16(b[i:]))
	if end > len(b) {
		return nil, -1
	}
	return Bytes(b[i+2 : end : end]), end
}

// textAt looks at eight bytes at once like isPlain, written out because the
// call would take a third of the time. The last eight overlap with those before.
func textAt(b []byte, i int, v Version) (Bytes, int) {
	if i < 0 || i+2 > len(b) {
		return nil, -1
	}
	i += 2
	end := i + int(binary.BigEndian.Uint16(b[i-2:i]))
	if end > len(b) {
		return nil, -1
	}
	if end-i >= 8 {
		w := binary.LittleEndian.Uint64(b[end-8 : end])
		bad := (w + ones) | (w - spaces)
		for k := i + 8; k < end; k += 8 {
			w = binary.LittleEndian.Uint64(b[k-8 : k])
			bad |= (w + ones) | (w - spaces)
		}
		if bad&highs == 0 {
			return b[i:end:end], end
		}
	} else if unusual(gather(b[i:end])) == 0 {
		return b[i:end:end], end
	}
	if checkText(b[i:end], v) != 0 {
		return nil, -1
	}
	return b[i:end:end], end
}

// nameAt looks at eight bytes at once like isPlainName, see textAt.
func nameAt(b []byte, i int, v Version) (Bytes, int) {
	if i < 0 || i+2 > len(b) {
		return nil, -1
	}
	i += 2
	end := i + int(binary.BigEndian.Uint16(b[i-2:i]))
	if end > len(b) {
		return nil, -1
	}
	if end-i >= 8 {
		w := binary.LittleEndian.Uint64(b[end-8 : end])
		bad := (w + ones) | (w - spaces) | (((w | eights) ^ pluses) - ones)
		for k := i + 8; k < end; k += 8 {
			w = binary.LittleEndian.Uint64(b[k-8 : k])
			bad |= (w + ones) | (w - spaces) | (((w | eights) ^ pluses) - ones)
		}
		if bad&highs == 0 {
			return b[i:end:end], end
		}
	} else if w := gather(b[i:end]); unusual(w)|wild(w) == 0 {
		return b[i:end:end], end
	}
	if checkName(b[i:end], v) != 0 {
		return nil, -1
	}
	return b[i:end:end], end
}

func filterAt(b []byte, i int, v Version) (Bytes, int) {
	if i < 0 || i+2 > len(b) {
		return nil, -1
	}
	end := i + 2 + int(binary.BigEndian.Uint16(b[i:]))
	if end > len(b) {
		return nil, -1
	}
	s := b[i+2 : end : end]
	if !isPlainFilter(s) && checkFilter(s, v) != 0 {
		return nil, -1
	}
	return s, end
}

// longer returns list with one element more, whose fields are what they were
// when the list was used before.
func longer[T any](list []T) []T {
	if len(list) < cap(list) {
		return list[:len(list)+1]
	}
	var zero T
	return append(list, zero)
}

func pairAt(b []byte, i int, v Version) int {
	_, i = textAt(b, i, v)
	_, i = textAt(b, i, v)
	return i
}

func reasonAt(b []byte, i int, t PacketType, v Version) (ReasonCode, int) {
	if uint(i) >= uint(len(b)) {
		return 0, -1
	}
	c := ReasonCode(b[i])
	if v.IsV5() {
		if checkReason(c, t, v) != 0 {
			return 0, -1
		}
		return c, i + 1
	}
	c, ok := fromV311(t, c)
	if !ok {
		return 0, -1
	}
	return c, i + 1
}

// blockAt reads a Property Length and returns where the block begins and ends.
func blockAt(b []byte, i int) (start, end int) {
	n, i := varintAt(b, i)
	if i < 0 || int(n) > len(b)-i {
		return -1, -1
	}
	return i, i + int(n)
}

func protocolNameAt(b []byte, i int) int {
	if i < 0 || i+6 > len(b) || string(b[i:i+6]) != "\x00\x04MQTT" {
		return -1
	}
	return i + 6
}

func protocolLevelAt(b []byte, i int, v Version) int {
	if uint(i) >= uint(len(b)) || b[i] != v.Level() {
		return -1
	}
	return i + 1
}
