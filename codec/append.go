package codec

// appendHeader appends a fixed header. (v3.1.1 2.2, v5.0 2.1)
func appendHeader(dst []byte, first byte, remaining int) []byte {
	if remaining < 0x80 {
		return append(dst, first, byte(remaining))
	}
	return appendVarint(append(dst, first), uint32(remaining))
}

// appendVarint appends a Variable Byte Integer in its shortest form.
// (v3.1.1 2.2.3, v5.0 1.5.5)
func appendVarint(dst []byte, x uint32) []byte {
	for x >= 0x80 {
		dst = append(dst, byte(x)|0x80)
		x >>= 7
	}
	return append(dst, byte(x))
}

// varintSize returns the bytes that appendVarint appends.
func varintSize(x int) int {
	switch {
	case x < 1<<7:
		return 1
	case x < 1<<14:
		return 2
	case x < 1<<21:
		return 3
	}
	return 4
}

func appendU16(dst []byte, x uint16) []byte { return append(dst, byte(x>>8), byte(x)) }

func appendU32(dst []byte, x uint32) []byte {
	return append(dst, byte(x>>24), byte(x>>16), byte(x>>8), byte(x))
}

// appendBinary appends a length of two bytes and s, which fits it.
func appendBinary(dst []byte, s []byte) []byte {
	return append(append(dst, byte(len(s)>>8), byte(len(s))), s...)
}

func appendPacketID(dst []byte, id uint32, v Version) []byte {
	if v.Wide() {
		return appendU32(dst, id)
	}
	return append(dst, byte(id>>8), byte(id))
}

func packetIDSize(v Version) int {
	if v.Wide() {
		return 4
	}
	return 2
}

// bit returns mask where set, and 0 otherwise.
func bit(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}
