package codec

// cursor reads the body of a packet. Its error is sticky: after the first
// fault everything reads as zero, so the decoders need not look after each
// field.
type cursor struct {
	b     []byte // the bytes that may be read; property blocks narrow it
	i     int    // position of the next byte
	v     Version
	loose bool // pass over faults that leave the structure readable
	base  int  // offset of b in the packet
	item  int  // 1 + index of the list element being read, 0 outside lists
	block bool // b ends with a property block
	err   *Error
	notes *[]*Error // where all faults go that are found, or nil
}

// fail records the first fault, and with notes each one that is passed over too.
// at is the position of the field in b.
func (c *cursor) fail(f *field, why fault, at int) {
	over := c.loose && !faults[why].structure
	if c.err != nil || over && c.notes == nil {
		return
	}
	err := f.fault(why, c.v, c.base+at)
	err.Field = ofElement(err.Field, c.item)
	if c.notes != nil && len(*c.notes) < mostNotes {
		*c.notes = append(*c.notes, err)
	}
	if !over {
		c.err = err
		c.b, c.i = nil, 0
	}
}

// mostNotes is how many faults of a packet are noted; one of 256 MiB may have
// millions.
const mostNotes = 1000

// failAt is fail for a fault at the given offset of the packet.
func (c *cursor) failAt(f *field, why fault, offset int) { c.fail(f, why, offset-c.base) }

// failBefore is fail for a field that has just been read and took n bytes.
func (c *cursor) failBefore(f *field, why fault, n int) { c.fail(f, why, c.i-n) }

// short records that the packet, or its property block, ends inside f, whose
// first byte is the next.
func (c *cursor) short(f *field) {
	if c.block {
		c.fail(f, faultShortProperty, c.i)
		return
	}
	c.fail(f, faultShort, c.i)
}

// more reports whether bytes are left.
func (c *cursor) more() bool { return c.i < len(c.b) }

// end checks that nothing is left over and returns the first error.
func (c *cursor) end(f *field) error {
	if c.i < len(c.b) {
		c.fail(f, faultTrailing, c.i)
	}
	if c.err != nil {
		return c.err
	}
	return nil
}

// header checks what the fixed header has in common for all packets.
func (c *cursor) header(f *field, h Header) {
	c.base = h.Len
	switch {
	case !c.v.Known():
		c.failAt(f, faultVersion, 0)
	case h.Type != f.packet:
		c.failAt(f, faultPacketType, 0)
	case c.v.IsV5() && h.Padded():
		c.failAt(f.named("Remaining Length"), faultPadded, 1)
	}
}

// sentBy refuses a packet that the sender of the link may not send.
func (c *cursor) sentBy(f *field, side sides) {
	if c.v.sides()&side == 0 {
		c.failAt(f, faultPacketSide, 0)
	}
}

// onlyV5 refuses a packet that v3.1.1 does not have.
func (c *cursor) onlyV5(f *field) {
	if !c.v.IsV5() {
		c.failAt(f, faultPacketType, 0)
	}
}

func (c *cursor) u8(f *field) uint8 {
	i := c.i
	if i >= len(c.b) {
		c.short(f)
		return 0
	}
	c.i = i + 1
	return c.b[i]
}

func (c *cursor) u16(f *field) uint16 {
	b := c.b[c.i:]
	if len(b) < 2 {
		c.short(f)
		return 0
	}
	c.i += 2
	return uint16(b[0])<<8 | uint16(b[1])
}

func (c *cursor) u32(f *field) uint32 {
	b := c.b[c.i:]
	if len(b) < 4 {
		c.short(f)
		return 0
	}
	c.i += 4
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// varint reads a Variable Byte Integer. (v3.1.1 2.2.3, v5.0 1.5.5)
func (c *cursor) varint(f *field) uint32 {
	if i := c.i; i < len(c.b) && c.b[i] < 0x80 {
		c.i = i + 1
		return uint32(c.b[i])
	}
	return c.longVarint(f)
}

func (c *cursor) longVarint(f *field) uint32 {
	at, x := c.i, uint32(0)
	for n := 0; n < 4; n++ {
		if at+n >= len(c.b) {
			c.short(f)
			return 0
		}
		b := c.b[at+n]
		x |= uint32(b&0x7F) << (7 * n)
		if b < 0x80 {
			c.i = at + n + 1
			if b == 0 && n > 0 {
				c.fail(f, faultPadded, at)
			}
			return x
		}
	}
	c.fail(f, faultLongVarint, at)
	return 0
}

// upTo reads a byte of at most max.
func (c *cursor) upTo(f *field, max uint8) uint8 {
	x := c.u8(f)
	if x > max {
		c.failBefore(f, faultRange, 1)
	}
	return x
}

func (c *cursor) u16NotZero(f *field) uint16 {
	x := c.u16(f)
	if x == 0 {
		c.failBefore(f, faultZero, 2)
	}
	return x
}

func (c *cursor) u32NotZero(f *field) uint32 {
	x := c.u32(f)
	if x == 0 {
		c.failBefore(f, faultZero, 4)
	}
	return x
}

func (c *cursor) varintNotZero(f *field) uint32 {
	x := c.varint(f)
	if x == 0 {
		c.failBefore(f, faultZero, 1)
	}
	return x
}

// packetID reads a Packet Identifier of the link's width, which is never 0.
// (v3.1.1 2.3.1, v5.0 2.2.1)
func (c *cursor) packetID(f *field) uint32 {
	at := c.i
	var id uint32
	if c.v.Wide() {
		id = c.u32(f)
	} else {
		id = uint32(c.u16(f))
	}
	if id == 0 {
		c.fail(f, faultZeroPacketID, at)
	}
	return id
}

// binary reads a length of two bytes and that many bytes, which it borrows.
func (c *cursor) binary(f *field) Bytes {
	b := c.b[c.i:]
	if len(b) < 2 {
		c.short(f)
		return nil
	}
	n := 2 + (int(b[0])<<8 | int(b[1]))
	if n > len(b) {
		c.short(f)
		return nil
	}
	c.i += n
	return Bytes(b[2:n:n])
}

// text reads a UTF-8 string. (v3.1.1 1.5.3, v5.0 1.5.4)
func (c *cursor) text(f *field) Bytes {
	at := c.i
	s := c.binary(f)
	if !isPlain(s) {
		if why := checkText(s, c.v); why != 0 {
			c.fail(f, why, at)
		}
	}
	return s
}

// name reads a UTF-8 string without wildcards: a Topic Name. It may be empty,
// which is for others to judge. (v3.1.1 4.7, v5.0 4.7)
func (c *cursor) name(f *field) Bytes {
	at := c.i
	s := c.binary(f)
	if !isPlainName(s) {
		if why := checkName(s, c.v); why != 0 {
			c.fail(f, why, at)
		}
	}
	return s
}

// filter reads a Topic Filter. (v3.1.1 4.7, v5.0 4.7, 4.8.2)
func (c *cursor) filter(f *field) Bytes {
	at := c.i
	s := c.binary(f)
	if why := checkFilter(s, c.v); why != 0 {
		c.fail(f, why, at)
	}
	return s
}

// pair reads two UTF-8 strings. (v5.0 1.5.7)
func (c *cursor) pair(f *field) {
	c.text(f)
	c.text(f)
}

// propertyBy refuses a property that the sender of the link may not send.
func (c *cursor) propertyBy(f *field, side sides, at int) {
	if c.v.sides()&side == 0 {
		c.fail(f, faultPropertySide, at)
	}
}

// rest borrows everything that is left.
func (c *cursor) rest() Bytes {
	n := len(c.b)
	b := c.b[c.i:n:n]
	c.i = n
	return Bytes(b)
}

// protocolName reads the Protocol Name, which is "MQTT".
// (v3.1.1 3.1.2.1, v5.0 3.1.2.1)
func (c *cursor) protocolName(f *field) {
	at := c.i
	if s := c.binary(f); c.err == nil && string(s) != "MQTT" {
		c.fail(f, faultProtocolName, at)
	}
}

// protocolLevel reads the Protocol Level, which is that of the link.
// (v3.1.1 3.1.2.2, v5.0 3.1.2.2)
func (c *cursor) protocolLevel(f *field) {
	at := c.i
	if level := c.u8(f); level != c.v.Level() {
		c.fail(f, faultProtocolLevel, at)
	}
}

// reason reads a reason code that a packet of type t may carry.
func (c *cursor) reason(f *field, t PacketType) ReasonCode {
	at := c.i
	code := ReasonCode(c.u8(f))
	if !c.v.IsV5() {
		var ok bool
		if code, ok = fromV311(t, code); !ok {
			c.fail(f, faultReasonCode, at)
		}
		return code
	}
	if why := checkReason(code, t, c.v); why != 0 {
		c.fail(f, why, at)
	}
	return code
}

// enter reads a Property Length and narrows the cursor to the block. It
// returns what leave needs to widen it again. (v5.0 2.2.2)
func (c *cursor) enter(f *field) (outer int) {
	outer = len(c.b)
	at := c.i
	if !c.more() {
		c.fail(f, faultNoProperties, at)
		return 0
	}
	n := int(c.varint(f))
	if n > len(c.b)-c.i {
		c.fail(f, faultPropertyLength, at)
		return 0
	}
	c.b, c.block = c.b[:c.i+n], true
	return outer
}

func (c *cursor) leave(outer int) {
	if c.err == nil {
		c.b, c.block = c.b[:outer], false
	}
}
