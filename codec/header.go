package codec

// Header is the fixed header of a packet: its first byte, split, and the
// Remaining Length. (v3.1.1 2.2, v5.0 2.1)
type Header struct {
	Type      PacketType
	Flags     byte // the low four bits of the first byte
	Remaining int  // Remaining Length: bytes of the body
	Len       int  // bytes of the fixed header itself, 2 to 5
}

// Padded reports whether Remaining Length is not in its shortest form, which
// is illegal in v5.0.
func (h Header) Padded() bool { return h.Len > 1+varintSize(h.Remaining) }

// Size returns the size of the whole packet in bytes.
func (h Header) Size() int { return h.Len + h.Remaining }

const (
	// MaxRemaining is the largest Remaining Length that the format can hold.
	MaxRemaining = 268_435_455
	// MaxPacketSize is the size of the largest packet that the format allows.
	MaxPacketSize = MaxRemaining + 5
)

// Frame cuts the first packet off buf: n is the number of bytes that it takes
// and buf[h.Len:n] its body. As long as buf does not hold all of it, n is 0
// and err is nil; h.Len is then above 0 if the fixed header is there, and
// h.Size tells how many bytes the packet needs.
//
// max is the largest packet in bytes that is accepted, where 0 stands for
// [MaxPacketSize]. It is enforced as soon as the fixed header is there, so
// that nobody needs to hold a body that will be refused. Errors are of type
// *Error with [ErrTooLarge] or [ErrMalformed].
func Frame(buf []byte, max int) (h Header, n int, err error) {
	if len(buf) < 2 || buf[0] < 0x10 || buf[1] >= 0x80 || max > 0 && int(buf[1])+2 > max {
		return longFrame(buf, max)
	}
	h = Header{Type: PacketType(buf[0] >> 4), Flags: buf[0] & 0x0F, Remaining: int(buf[1]), Len: 2}
	if n = int(buf[1]) + 2; n > len(buf) {
		n = 0
	}
	return h, n, nil
}

// longFrame is Frame for all packets, also those whose Remaining Length takes
// one byte.
func longFrame(buf []byte, max int) (h Header, n int, err error) {
	if len(buf) < 2 || buf[0] < 0x10 {
		return h, 0, checkFirstByte(buf)
	}
	remaining, size, err := longRemaining(buf)
	if size == 0 {
		return h, 0, err
	}
	h = Header{Type: PacketType(buf[0] >> 4), Flags: buf[0] & 0x0F, Remaining: remaining, Len: size}
	if n = h.Size(); max > 0 && n > max {
		return h, 0, tooLarge(h)
	}
	if n > len(buf) {
		n = 0
	}
	return h, n, nil
}

// longRemaining reads a Remaining Length. Its size is 0
// as long as bytes are missing, or with an error.
func longRemaining(buf []byte) (remaining, size int, err error) {
	for i := 1; i < len(buf) && i <= 4; i++ {
		remaining |= int(buf[i]&0x7F) << (7 * (i - 1))
		if buf[i] < 0x80 {
			return remaining, i + 1, nil
		}
	}
	if len(buf) < 5 {
		return 0, 0, nil
	}
	return 0, 0, headerField.fault(faultLongVarint, 0, 1)
}

// headerField stands for the fixed header in errors of Frame, which does not
// know the version.
var headerField = field{name: "Remaining Length"}

// checkFirstByte refuses the packet type 0, as soon as its byte is there.
func checkFirstByte(buf []byte) error {
	if len(buf) > 0 && buf[0] < 0x10 {
		return headerField.named("Packet Type").fault(faultPacketType, 0, 0)
	}
	return nil
}

func tooLarge(h Header) error {
	f := headerField
	f.packet = h.Type
	return f.fault(faultPacketSize, 0, 1)
}

// DetectVersion returns the version that a CONNECT asks for. It needs no more
// than the first seven bytes of its body: Protocol Name and level have the
// same place in every version. Any other name or level is an *Error with
// [ErrUnsupportedVersion]. (v3.1.1 3.1.2.2, v5.0 3.1.2.2)
func DetectVersion(body []byte) (Version, error) {
	c := cursor{b: body, v: V5}
	c.protocolName(&protocolNameField)
	if c.err != nil {
		return 0, c.err
	}
	level := c.u8(&protocolLevelField)
	if c.err == nil && level != 4 && level != 5 {
		c.fail(&protocolLevelField, faultProtocolLevel, c.i-1)
	}
	if c.err != nil {
		return 0, c.err
	}
	return Version(level), nil
}

var (
	protocolNameField  = field{packet: TypeConnect, name: "ProtocolName"}
	protocolLevelField = field{packet: TypeConnect, name: "ProtocolLevel"}
)
