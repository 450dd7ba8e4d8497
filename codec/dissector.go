package codec

import "math/bits"

// dissector reads a packet by its layout. It knows no rules but what it needs to
// find the next field.
type dissector struct {
	b       []byte
	i       int
	end     int // of the packet, the property block or what there is of them
	v       Version
	item    int               // 1 + index of the list element, 0 outside lists
	values  map[string]uint64 // of fields that conditions may look at, by their paths
	stopped bool              // what follows cannot be told apart
}

// header reads the fixed header. It reports false where nothing can follow.
func (d *dissector) header(root *Part) (h Header, ok bool) {
	h.Type, h.Flags = PacketType(d.b[0]>>4), d.b[0]&0x0F
	flags := reservedFlags
	if l := layouts[h.Type]; l != nil {
		root.Name, flags = h.Type.String(), l.flags
	}
	first := &Part{Name: "First byte", Len: 1}
	first.Parts = append(first.Parts, &Part{Name: "Packet Type", Path: "Packet Type", Len: 1, Mask: 0xF0, Value: h.Type})
	first.Parts = append(first.Parts, d.bits(flags, d.b[0], 0)...)
	d.i = 1
	length := d.leaf("Remaining Length", "Remaining Length", "varint")
	root.Parts = append(root.Parts, first, length)
	h.Len = d.i
	switch {
	case length.Value != nil:
		h.Remaining = int(length.Value.(uint64))
		return h, true
	case length.Len == 4:
		root.blame(headerField.fault(faultLongVarint, d.v, 1))
	default:
		root.blame(headerField.fault(faultShort, d.v, 1))
	}
	return h, false
}

// fields reads the fields of a packet, a group or a list element.
func (d *dissector) fields(list []fieldLayout) (parts []*Part) {
	for i := range list {
		f := &list[i]
		if d.stopped || f.optional && d.i == d.end {
			break
		}
		if !f.v5 || d.v.IsV5() {
			parts = append(parts, d.field(f)...)
		}
	}
	return parts
}

// field reads a field, which may be absent. Of lists there is a part for each
// element.
func (d *dissector) field(f *fieldLayout) []*Part {
	switch {
	case f.present && d.values[f.path] == 0:
		return nil
	case f.when != nil && d.values[f.when.path] <= f.when.than:
		return nil
	}
	switch f.wire {
	case "list", "utf8_list", "reason_codes":
		return d.list(f)
	}
	return []*Part{d.one(f)}
}

// one reads a field that is there, or an element of a list.
func (d *dissector) one(f *fieldLayout) *Part {
	at, path := d.i, ofElement(f.path, d.item)
	p := &Part{Name: f.name, Path: path, Offset: at}
	switch f.wire {
	case "bits":
		if p = d.leaf(f.name, path, "u8"); p.Value != nil {
			p.Parts, p.Value = d.bits(f.bits, d.b[at], at), nil
		}
		return p
	case "group":
		p.Parts = d.fields(f.fields)
	case "list":
		p.Name, p.Path = f.element, ofElement(f.path+"[%d]", d.item)
		p.Parts = d.fields(f.fields)
	case "properties":
		p.Parts = d.properties(f.properties)
	default:
		p = d.leaf(f.name, path, f.wire)
		p.Secret, p.Payload = f.secret, f.payload
		d.remember(f.path, p.Value)
	}
	p.Len = d.i - at
	return p
}

// list reads elements up to the end.
func (d *dissector) list(f *fieldLayout) (parts []*Part) {
	element := *f
	switch f.wire {
	case "utf8_list":
		element.wire = "utf8"
	case "reason_codes":
		element.wire = "reason_code"
	}
	for d.item = 1; d.i < d.end && !d.stopped; d.item++ {
		parts = append(parts, d.one(&element))
	}
	d.item = 0
	return parts
}

// properties reads a property block. Where a property cannot be read the fields
// behind the block still can, if the block ends inside the packet.
func (d *dissector) properties(list []propertyLayout) []*Part {
	length := d.leaf("Property Length", "", "varint")
	parts := []*Part{length}
	if d.stopped {
		return parts
	}
	outer := d.end
	n := length.Value.(uint64)
	whole := n <= uint64(outer-d.i)
	if whole {
		d.end = d.i + int(n)
	}
	for d.i < d.end && !d.stopped {
		parts = append(parts, d.property(list))
	}
	if rest := d.undecoded(); rest != nil {
		parts = append(parts, rest)
	}
	d.end, d.stopped = outer, !whole
	return parts
}

// property reads a property with its identifier.
func (d *dissector) property(list []propertyLayout) *Part {
	at := d.i
	id := d.b[at]
	l := propertyLayout{name: "Property", wire: propertyWireNames[propertyWires[id]]}
	for i := range list {
		if list[i].id == id {
			l = list[i]
		}
	}
	if l.wire == "" {
		d.stopped = true
		return d.undecoded()
	}
	d.i++
	p := &Part{Name: l.name, Path: ofElement(l.path, d.item), Offset: at}
	p.Parts = append(p.Parts, &Part{Name: "Identifier", Offset: at, Len: 1, Value: uint64(id)})
	if l.wire == "pair" {
		p.Parts = append(p.Parts, d.leaf("Name", "", "utf8"))
		if !d.stopped {
			p.Parts = append(p.Parts, d.leaf("Value", "", "utf8"))
		}
	} else {
		value := d.leaf("Value", "", l.wire)
		value.Secret = l.secret
		d.remember(l.path, value.Value)
		p.Parts = append(p.Parts, value)
	}
	p.Len = d.i - at
	return p
}

// propertyWireNames are the data types of properties that a packet may not carry,
// which are read all the same.
var propertyWireNames = [...]string{
	wireU8: "u8", wireU16: "u16", wireU32: "u32", wireVarint: "varint", wireText: "binary", wirePair: "pair",
}

// bits takes the byte at an offset apart.
func (d *dissector) bits(list []bitLayout, from byte, at int) (parts []*Part) {
	for i := range list {
		b := &list[i]
		shift := bits.TrailingZeros8(b.mask)
		x := from & b.mask >> shift
		p := &Part{Name: b.name, Path: ofElement(b.path, d.item), Offset: at, Len: 1, Mask: b.mask, Value: uint64(x)}
		d.values[b.path] = uint64(x)
		switch b.kind {
		case "bool":
			p.Value = x != 0
		case "QoS":
			p.Value = QoS(x)
		case "RetainHandling":
			p.Value = RetainHandling(x)
		case "":
			p.Path = ""
			if p.Value = x != 0; b.name == "" {
				p.Name, p.Value = "Reserved", uint64(x)
			}
		}
		if b.v5 && !d.v.IsV5() {
			p.Name, p.Path, p.Value = "Reserved", "", uint64(x)
		}
		parts = append(parts, p)
	}
	return parts
}

// leaf reads a field without parts. Where it is not whole it takes what is left,
// and has no Value.
func (d *dissector) leaf(name, path, wire string) *Part {
	p := &Part{Name: name, Path: path, Offset: d.i}
	left := d.b[d.i:d.end]
	n := d.measure(left, wire)
	if n < 0 || n > len(left) {
		if n = len(left); wire == "varint" {
			n = min(n, 4)
		}
		d.stopped = true
	} else {
		p.Value = d.value(left[:n:n], wire)
	}
	p.Len = n
	d.i += n
	return p
}

// measure returns the bytes that a value takes, which may be more than are left,
// or -1 where it does not end.
func (d *dissector) measure(left []byte, wire string) int {
	switch wire {
	case "u8", "reason_code", "protocol_level":
		return 1
	case "u16":
		return 2
	case "u32":
		return 4
	case "packet_id":
		if d.v.Wide() {
			return 4
		}
		return 2
	case "varint":
		for n := range min(len(left), 4) {
			if left[n] < 0x80 {
				return n + 1
			}
		}
		return -1
	case "rest":
		return len(left)
	}
	return lengthAt(left, 0)
}

// value returns what the bytes of a field mean.
func (d *dissector) value(b []byte, wire string) any {
	var x uint64
	switch wire {
	case "rest":
		return Bytes(b)
	case "reason_code":
		return d.reason(ReasonCode(b[0]))
	case "u8", "u16", "u32", "packet_id", "protocol_level":
		for _, c := range b {
			x = x<<8 | uint64(c)
		}
		return x
	case "varint":
		for i, c := range b {
			x |= uint64(c&0x7F) << (7 * i)
		}
		return x
	}
	return Bytes(b[2:])
}

// reason returns a reason code, or the number of one that v3.1.1 does not have.
func (d *dissector) reason(code ReasonCode) any {
	if d.v.IsV5() {
		return code
	}
	if mapped, ok := fromV311(PacketType(d.b[0]>>4), code); ok {
		return mapped
	}
	return uint64(code)
}

// remember keeps a value for conditions: numbers themselves, of others their
// length.
func (d *dissector) remember(path string, value any) {
	switch x := value.(type) {
	case uint64:
		d.values[path] = x
	case ReasonCode:
		d.values[path] = uint64(x)
	case Bytes:
		d.values[path] = uint64(len(x))
	}
}

// undecoded returns what is left as a part, or nil.
func (d *dissector) undecoded() *Part {
	if d.i == d.end {
		return nil
	}
	p := &Part{Name: "Undecoded", Offset: d.i, Len: d.end - d.i, Value: Bytes(d.b[d.i:d.end:d.end])}
	d.i = d.end
	return p
}
