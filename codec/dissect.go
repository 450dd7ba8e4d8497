package codec

import (
	"fmt"
	"iter"
	"unicode/utf8"
)

// Part is a piece of a packet: a field, a property, a few bits, or what several
// of them form together. [Dissect] returns the whole packet as one.
type Part struct {
	// Name is what the field is called here, such as "KeepAlive". A property has
	// the name that the standard gives it, such as "Receive Maximum". What could
	// not be read is "Undecoded".
	Name string
	// Path is the name under which an [Error] speaks of the field, such as
	// "Filters[2].QoS". It is empty for parts without a meaning of their own, such as
	// the Property Length, reserved bits, and bits that tell whether a field is there.
	Path string
	// Offset is the position of the part in the packet, and Len its size, in
	// bytes. Len includes the length that stands before a string or binary data.
	Offset, Len int
	// Mask has the bits of the byte at Offset that are the part, or is 0 for
	// whole bytes.
	Mask byte
	// Value is what the bytes mean: a bool, uint64, [Bytes], [QoS],
	// [RetainHandling], [ReasonCode] or [PacketType]. It is nil for parts that have
	// Parts, and where the bytes are cut short.
	Value any
	// Secret tells that Value is a user name, a password or authentication data.
	Secret bool
	// Payload tells that Value is the payload of a message or Will.
	Payload bool
	// Faults are the rules that the part breaks.
	Faults []*Error
	// Parts are the pieces that it consists of, in the order of the wire.
	Parts []*Part
}

// Dissect takes the first packet of b apart, for tools that show packets to
// people. It never fails: of a packet that is cut short, damaged or forbidden it
// returns what can be read, with the faults where they are. They are all that
// Decode and DecodeLoose can find, up to the first one behind which nothing can
// be read; there are some if and only if Decode refuses the packet or more bytes
// are needed.
//
// Len of what it returns is the number of bytes that belong to the packet, as far
// as b has them. Values are views into b.
//
// The parts of a part lie side by side and leave nothing out, except that those
// with a Mask share a byte.
func Dissect(b []byte, v Version) *Part {
	d := dissector{b: b, end: len(b), v: v, values: make(map[string]uint64)}
	root := &Part{Name: "Packet", Len: len(b)}
	if len(b) == 0 {
		return root
	}
	h, ok := d.header(root)
	if ok {
		root.Len = min(len(b), h.Size())
		d.end = root.Len
	}
	if l := layouts[h.Type]; ok && l != nil {
		root.Parts = append(root.Parts, d.fields(l.fields)...)
	}
	if rest := d.undecoded(); rest != nil {
		root.Parts = append(root.Parts, rest)
	}
	if ok || layouts[h.Type] == nil {
		for _, err := range examine(h, b[:root.Len], v) {
			root.blame(err)
		}
	}
	return root
}

// examine returns all faults of a packet behind its Remaining Length, in the order
// in which they were found.
func examine(h Header, packet []byte, v Version) (faults []*Error) {
	p := NewPacket(h.Type)
	if p == nil {
		return []*Error{headerField.named("Packet Type").fault(faultPacketType, v, 0)}
	}
	c := cursor{b: packet[h.Len:], v: v, loose: true, notes: &faults}
	if err := p.examine(&c, h); err == nil && len(packet) < h.Size() {
		f := headerField
		f.packet = h.Type
		faults = append(faults, f.fault(faultShort, v, 1))
	}
	return faults
}

// All returns the part itself and all parts below it, each before its own parts,
// with how deep below it they are.
func (p *Part) All() iter.Seq2[int, *Part] {
	return func(yield func(int, *Part) bool) { p.each(0, yield) }
}

func (p *Part) each(depth int, yield func(int, *Part) bool) bool {
	if !yield(depth, p) {
		return false
	}
	for _, part := range p.Parts {
		if !part.each(depth+1, yield) {
			return false
		}
	}
	return true
}

// blame adds a fault to the part that it is about: the one with its name where it
// was found, else any with its name, else the smallest one in that place.
func (p *Part) blame(err *Error) {
	here, named, found := p, (*Part)(nil), (*Part)(nil)
	for _, part := range p.All() {
		at := part.Offset <= err.Offset && err.Offset < part.Offset+max(part.Len, 1)
		if at {
			here = part
		}
		if part.Path == err.Field && err.Field != "" {
			named = part
			if at {
				found = part
			}
		}
	}
	switch {
	case found != nil:
	case named != nil:
		found = named
	case err.Field == "" && err.Offset == 0:
		found = p
	default:
		found = here
	}
	found.Faults = append(found.Faults, err)
}

// Text returns Value for people: text, in quotes where it could be misread, or
// hexadecimal digits of what is not text. Of a secret it tells nothing, of a
// payload the size, and it shortens what is long.
func (p *Part) Text() string {
	switch x := p.Value.(type) {
	case nil:
		return ""
	case Bytes:
		switch {
		case p.Secret:
			return "REDACTED"
		case p.Payload:
			return fmt.Sprintf("%d bytes", len(x))
		case !utf8.Valid(x):
			return sized(fmt.Sprintf("%x", x[:min(len(x), maxShown)]), len(x))
		case len(x) > maxShown:
			return sized(quoted(string(shorten(x))), len(x))
		}
		return quoted(string(x))
	case ReasonCode:
		return fmt.Sprintf("0x%02X %v", uint8(x), x)
	default:
		return fmt.Sprint(x)
	}
}

// sized adds the size to a value that may be cut.
func sized(s string, size int) string {
	if size > maxShown {
		return fmt.Sprintf("%s… (%d bytes)", s, size)
	}
	return s
}
