package codec

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Packet is one of the fifteen control packets. No type outside this package
// implements it.
type Packet interface {
	// Type returns the type of the packet.
	Type() PacketType
	// AppendTo appends the packet to dst, in the form of version v. It
	// validates the packet first; on an error dst is returned as it was.
	AppendTo(dst []byte, v Version) ([]byte, error)
	// Decode reads the packet from the body that follows a fixed header. The
	// packet keeps views into body. Errors are of type *Error.
	Decode(h Header, body []byte, v Version) error
	// DecodeLoose is Decode without the rules that leave a packet readable.
	DecodeLoose(h Header, body []byte, v Version) error
	// Validate returns the first rule of version v that the packet breaks.
	Validate(v Version) error
	// Size returns the size of the whole packet in bytes.
	Size(v Version) int
	// Reset empties the packet; lists keep their memory.
	Reset()

	fmt.Stringer
	slog.LogValuer
	json.Marshaler
	json.Unmarshaler

	clone() Packet
	show(*description)
	examine(*cursor, Header) error
}

// Clone returns a copy of p that owns its bytes.
func Clone(p Packet) Packet { return p.clone() }

// String returns the name of the type, such as "PUBLISH".
func (t PacketType) String() string {
	if t < 16 && packetNames[t] != "" {
		return packetNames[t]
	}
	return fmt.Sprintf("packet type %d", uint8(t))
}

// Decode decodes the first packet of buf and returns it with the number of
// bytes that it takes. It returns nil, 0, nil as long as buf does not hold the
// whole packet. The packet keeps views into buf. Errors are of type *Error.
func Decode(buf []byte, v Version) (p Packet, n int, err error) {
	h, n, err := Frame(buf, 0)
	if err != nil || n == 0 {
		return nil, 0, err
	}
	if p = NewPacket(h.Type); p == nil {
		return nil, 0, unknownType(v)
	}
	if err := p.Decode(h, buf[h.Len:n:n], v); err != nil {
		return nil, 0, err
	}
	return p, n, nil
}

// unknownType returns the error for a packet of a type that does not exist.
func unknownType(v Version) error {
	return headerField.named("Packet Type").fault(faultPacketType, v, 0)
}
