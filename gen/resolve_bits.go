package gen

import "strings"

// bits resolves the runs of a byte, or of the four flags of the fixed header,
// where in is nil.
func (r *resolver) bits(s *Record, specs []BitSpec, at Pos, width int, path string, in *Field) []*Bit {
	var out []*Bit
	shift := width
	for i := range specs {
		b := &specs[i]
		bit := &Bit{Width: b.Bits, Go: b.Go, Max: -1, Value: b.Value, V5: b.Since == V5, Doc: b.Doc, Byte: in, Pos: b.Pos}
		switch {
		case b.Present != "":
			bit.Width, bit.Present = 1, &Field{Name: b.Present}
			r.only(b.Pos, "the presence of a field", "present")
			if in == nil {
				r.bad(b.Pos, "present", "not for flags of the fixed header")
			}
		case b.Reserved > 0:
			r.reserved(s, b, bit)
		default:
			r.valueBit(s, b, bit, path)
		}
		shift -= bit.Width
		bit.Shift = max(shift, 0)
		out = append(out, bit)
	}
	if shift != 0 {
		r.add(at, "bits: these are %d bits, expected %d", width-shift, width)
	}
	return out
}

// reserved resolves bits without a meaning.
func (r *resolver) reserved(s *Record, b *BitSpec, bit *Bit) {
	r.only(b.Pos, "reserved bits", "reserved", "value", "class", "rule")
	r.inRange(b.Pos, "reserved", b.Reserved, 1, 8)
	r.inRange(b.Pos, "value", b.Value, 0, 1<<b.Reserved-1)
	r.cites(b.Pos, b.Rule, s.Packet.versions(false))
	bit.Width = b.Reserved
	if bit.Byte == nil {
		return // see flags
	}
	bit.Path, bit.Var = bit.Byte.Path, bit.Byte.Var
	bit.Verdicts = []Verdict{r.verdict("faultReserved", b.Pos, b.Class, "", b.Rule)}
	bit.Byte.Verdicts = append(bit.Byte.Verdicts, bit.Verdicts...)
}

// valueBit resolves bits that hold a value.
func (r *resolver) valueBit(s *Record, b *BitSpec, bit *Bit, path string) {
	known := []string{"name", "bits", "go", "doc", "max"}
	if b.Max != nil {
		known = append(known, "class", "rule")
	}
	if bit.Byte == nil {
		known = append(known, "with")
	} else {
		known = append(known, "since")
	}
	r.only(b.Pos, "bits that hold a value", known...)
	bit.Name = b.Name
	if owner, name, ok := strings.Cut(b.Name, "."); ok {
		bit.Owner, bit.Name = owner, name
	}
	r.goName(b.Pos, "name", bit.Name)
	r.text(b.Pos, "doc", b.Doc)
	r.oneOf(b.Pos, "go", b.Go, sortedKeys(bitTypes)...)
	r.inRange(b.Pos, "bits", b.Bits, 1, 8)
	if want := bitTypes[b.Go]; want > 0 && b.Bits != want {
		r.bad(b.Pos, "bits", "%s has %d", b.Go, want)
	}
	if b.Since != "" {
		r.oneOf(b.Pos, "since", string(b.Since), string(V5))
	}
	bit.Path = path + b.Name
	bit.Var = lowerFirst(s.Packet.Go) + strings.NewReplacer(".", "", "[%d]", "").Replace(bit.Path)
	if b.Max != nil {
		bit.Max = *b.Max
		r.inRange(b.Pos, "max", bit.Max, 1, 1<<bit.Width-2)
		in := s.Packet.versions(bit.V5)
		r.cites(b.Pos, b.Rule, in)
		r.everywhere(b.Pos, b.Rule, in)
		bit.Verdicts = []Verdict{r.verdict("faultRange", b.Pos, b.Class, "", b.Rule)}
	}
}

// everywhere reports that a rule, which is enforced wherever its field exists,
// is cited for one of two versions.
func (r *resolver) everywhere(at Pos, rule map[Ver]string, in []Ver) {
	for _, v := range in {
		if len(rule) > 0 && rule[v] == "" {
			r.bad(at, "rule", "the value is checked in %s too, so a rule of it is cited", v)
		}
	}
}
