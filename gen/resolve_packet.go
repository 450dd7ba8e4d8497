package gen

import (
	"regexp"
	"strconv"
	"strings"
)

// packet resolves one file of spec/packets.
func (r *resolver) packet(s *PacketSpec) *Packet {
	p := &Packet{
		Go: s.Packet, Name: s.Name, Type: s.Type, Doc: s.Doc, Refs: s.Refs, From: s.From,
		Golden: s.Golden, File: s.Pos.File,
	}
	r.goName(s.Pos, "packet", s.Packet)
	r.doc(s.Pos, "packet "+s.Packet, s.Doc)
	if s.Type < 1 || s.Type > 15 {
		r.add(s.Pos, "type: %d is not in 1 to 15", s.Type)
	}
	if want := strings.ToLower(s.Packet); fileStem(s.Pos.File) != want {
		r.add(s.Pos, "packet %s belongs into %s.yaml", s.Packet, want)
	}
	for v, side := range s.From {
		r.oneOf(s.Pos, "from: "+string(v), side, "client", "server", "both")
		if s.Refs[v] == "" {
			r.add(s.Pos, "refs: the section of %s is missing", v)
		}
	}
	p.Root = &Record{Go: s.Packet, Doc: s.Doc, Packet: p}
	r.structFields(p.Root, s.Fields, "", "")
	r.flags(p, s)
	r.builder(p, s)
	r.conditions(p.Root)
	for _, c := range s.Checks {
		r.check(p, c)
	}
	r.golden(s)
	return p
}

// flags resolves the flags of the fixed header.
func (r *resolver) flags(p *Packet, s *PacketSpec) {
	bits := r.bits(p.Root, s.Flags, s.Pos, 4, "", nil)
	if len(bits) == 1 && bits[0].Reserved() {
		p.Fixed = bits[0]
		p.Fixed.Var, p.Fixed.Path = lowerFirst(p.Go)+"Flags", "Flags"
		for i := range p.Fixed.Verdicts {
			p.Fixed.Verdicts[i].Fault = "faultFlags"
		}
		return
	}
	p.Flags = bits
	p.Root.Head = bits
}

// structFields resolves the fields of a struct. path and varPath are those of
// the struct itself, with a separator.
func (r *resolver) structFields(s *Record, specs []FieldSpec, path, varPath string) {
	names := map[string]bool{}
	for i := range specs {
		f := &specs[i]
		if names[f.Name] {
			r.add(f.Pos, "field %s stands here twice", f.Name)
		}
		names[f.Name] = true
		s.Fields = append(s.Fields, r.field(s, f, path, varPath))
		if f.Wire == "rest" && i < len(specs)-1 {
			r.add(f.Pos, "wire: rest takes all that is left, so nothing can follow it")
		}
		if i > 0 && specs[i-1].Optional && !f.Optional {
			r.add(f.Pos, "optional: what follows an optional field is optional too")
		}
	}
	r.optional(s)
	for _, f := range s.Fields {
		for _, b := range f.Bits {
			r.place(s, b)
		}
	}
}

// optional reports optional fields of a shape that no packet has: those at
// the end of a packet are a reason code and then properties.
func (r *resolver) optional(s *Record) {
	for i, f := range s.Fields {
		code := f.Wire == "reason_code" && i+2 == len(s.Fields) && s.Fields[i+1].Optional
		block := f.Wire == "properties" && i+1 == len(s.Fields) && i > 0 && s.Fields[i-1].Optional
		if f.Optional && !(f.V5 && (code || block)) {
			r.add(f.Pos, "optional: only a reason code and the properties after it can be left out, since v5.0")
		}
	}
}

// place gives a bit that belongs to a group, such as Will.QoS, to that group,
// and finds the field whose presence a bit tells.
func (r *resolver) place(s *Record, b *Bit) {
	if b.Owner != "" {
		if group := s.named(b.Owner); group != nil && group.Struct != nil {
			group.Struct.Head = append(group.Struct.Head, b)
		} else {
			r.add(b.Pos, "name: there is no group %q", b.Owner)
		}
	}
	if b.Present != nil {
		f := s.named(b.Present.Name)
		if f == nil {
			r.add(b.Pos, "present: there is no field %q", b.Present.Name)
			return
		}
		f.Present, b.Present = true, f
	}
}

func (s *Record) named(name string) *Field {
	for _, f := range s.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

func (r *resolver) field(s *Record, f *FieldSpec, path, varPath string) *Field {
	r.goName(f.Pos, "name", f.Name)
	r.doc(f.Pos, "field "+f.Name, f.Doc)
	r.oneOf(f.Pos, "wire", f.Wire, fieldWires...)
	out := &Field{
		Name: f.Name, Path: path + f.Name, Var: lowerFirst(s.Packet.Go) + varPath + f.Name, Wire: f.Wire,
		Doc: f.Doc, V5: f.Since == V5, Optional: f.Optional, Secret: f.Secret, Payload: f.Show == "payload",
		Checks: map[string]*Check{}, Pos: f.Pos,
	}
	if f.Show != "" {
		r.oneOf(f.Pos, "show", f.Show, "payload")
	}
	if f.Since != "" {
		r.oneOf(f.Pos, "since", string(f.Since), string(V5))
	}
	r.onlyFor(f, "bits", f.Wire == "bits", len(f.Bits) > 0)
	r.onlyFor(f, "fields", f.Wire == "group" || f.Wire == "list", len(f.Fields) > 0)
	r.onlyFor(f, "allow", f.Wire == "properties", len(f.Allow) > 0)
	r.onlyFor(f, "type", f.Wire == "list", f.Type != "")
	if f.Wire == "properties" && f.Since != V5 {
		r.add(f.Pos, "since: properties exist since v5.0")
	}
	if f.When != "" {
		out.When = r.cond(s, f.When, f.Pos)
	}
	switch f.Wire {
	case "bits":
		out.Bits = r.bits(s, f.Bits, f.Pos, 8, path, out)
	case "group":
		out.Struct = &Record{Go: f.Name, Doc: f.Doc, Packet: s.Packet}
		r.structFields(out.Struct, f.Fields, out.Path+".", varPath+f.Name)
	case "list":
		out.Struct = &Record{Go: f.Type, Doc: f.Doc, Packet: s.Packet, List: true}
		r.structFields(out.Struct, f.Fields, out.Path+"[%d].", varPath+f.Name)
	case "utf8_list", "reason_codes":
		out.Path += "[%d]"
	case "properties":
		r.allowed(out, f.Allow)
	}
	return out
}

// onlyFor reports a key that the wire type of a field does not have, or whose
// absence makes no sense.
func (r *resolver) onlyFor(f *FieldSpec, key string, wanted, given bool) {
	switch {
	case wanted && !given:
		r.add(f.Pos, "%s: missing, wire: %s needs it", key, f.Wire)
	case !wanted && given:
		r.add(f.Pos, "%s: not for wire: %s", key, f.Wire)
	}
}

// bits resolves the runs of a byte, or of the four flags of the fixed header.
func (r *resolver) bits(s *Record, specs []BitSpec, at Pos, width int, path string, in *Field) []*Bit {
	var out []*Bit
	shift := width
	for _, b := range specs {
		bit := &Bit{Width: b.Bits, Go: b.Go, Max: -1, Value: b.Value, V5: b.Since == V5, Doc: b.Doc, Byte: in, Pos: b.Pos}
		switch {
		case b.Present != "":
			bit.Width, bit.Present = 1, &Field{Name: b.Present}
		case b.Reserved > 0:
			bit.Width = b.Reserved
			bit.Path, bit.Var = "Flags", ""
			if in != nil {
				bit.Path, bit.Var = in.Path, in.Var
			}
			r.cites(CheckSpec{Pos: b.Pos, Rule: b.Rule})
			bit.Verdicts = []Verdict{r.verdict("faultReserved", b.Pos, b.Class, "", b.Rule)}
			if in != nil {
				in.Verdicts = append(in.Verdicts, bit.Verdicts...)
			}
		default:
			r.valueBit(s, &b, bit, path)
		}
		shift -= bit.Width
		bit.Shift = shift
		if bit.Width < 1 {
			r.add(b.Pos, "bits: a run has at least one bit")
		}
		out = append(out, bit)
	}
	if shift != 0 {
		r.add(at, "bits: these are %d bits, expected %d", width-shift, width)
	}
	return out
}

func (r *resolver) valueBit(s *Record, b *BitSpec, bit *Bit, path string) {
	r.doc(b.Pos, "bits "+b.Name, b.Doc)
	if owner, name, ok := strings.Cut(b.Name, "."); ok {
		bit.Owner, bit.Name = owner, name
	} else {
		bit.Name = b.Name
	}
	r.goName(b.Pos, "name", bit.Name)
	r.oneOf(b.Pos, "go", b.Go, "bool", "QoS", "RetainHandling", "uint8")
	bit.Path = path + b.Name
	bit.Var = lowerFirst(s.Packet.Go) + strings.NewReplacer(".", "", "[%d]", "").Replace(bit.Path)
	if b.Max != nil {
		bit.Max = *b.Max
		r.cites(CheckSpec{Pos: b.Pos, Rule: b.Rule})
		bit.Verdicts = []Verdict{r.verdict("faultRange", b.Pos, b.Class, "", b.Rule)}
	} else if len(b.Rule) > 0 {
		r.add(b.Pos, "rule: a run without max or reserved has no rule to enforce")
	}
}

// allowed resolves the properties of a block.
func (r *resolver) allowed(f *Field, specs []AllowSpec) {
	seen := map[string]bool{}
	for _, a := range specs {
		property := r.properties[a.Is]
		if property == nil {
			r.add(a.Pos, "is: properties.yaml has no %q", a.Is)
			continue
		}
		if seen[a.Is] {
			r.add(a.Pos, "is: %s stands here twice", a.Is)
		}
		seen[a.Is] = true
		out := &Allowed{Property: property, As: a.As, Many: a.Many, From: a.From, Ref: a.Ref}
		if out.As == "" {
			out.As = a.Is
		}
		if out.From == "" {
			out.From = "both"
		}
		r.oneOf(a.Pos, "from", out.From, "both", "client", "server")
		if a.Many && property.Wire != "pair" && property.Wire != "varint" || property.Wire == "pair" && !a.Many {
			r.add(a.Pos, "many: User Property and Subscription Identifier alone may repeat")
		}
		if a.Ref == "" {
			r.add(a.Pos, "ref: the section of v5.0 is missing")
		}
		out.Path, out.Var = f.Path+"."+out.As, f.Var+out.As
		for _, verb := range sortedKeys(property.Checks) {
			c := property.Checks[verb]
			out.Verdicts = append(out.Verdicts, r.verdict(c.Fault, c.Pos, c.Class, c.Code, c.Rule))
		}
		if out.From != "both" {
			r.cites(CheckSpec{Pos: a.Pos, Rule: a.Rule})
			out.Verdicts = append(out.Verdicts, r.verdict("faultPropertySide", a.Pos, ClassSpec{}, "", a.Rule))
		} else if len(a.Rule) > 0 {
			r.add(a.Pos, "rule: without from there is nothing to enforce")
		}
		f.Allow = append(f.Allow, out)
	}
}

var comparison = regexp.MustCompile(`^([A-Za-z.]+) > ([0-9]+)$`)

// cond resolves a condition: a path, or a path that is compared with a number.
func (r *resolver) cond(s *Record, text string, at Pos) *Cond {
	path, op, than := text, "", 0
	if m := comparison.FindStringSubmatch(text); m != nil {
		path, op = m[1], ">"
		than, _ = strconv.Atoi(m[2])
	}
	return &Cond{Path: path, Op: op, Than: than}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// builder finds the fields that a builder's constructor takes, and those that
// are set together with bits.
func (r *resolver) builder(p *Packet, s *PacketSpec) {
	for _, name := range s.New {
		f := p.Root.named(name)
		if f == nil || scalarWires[f.Wire] == "" {
			r.add(s.Pos, "new: %s has no single value %q", p.Go, name)
			continue
		}
		p.New = append(p.New, f)
	}
	for i, b := range s.Flags {
		if b.With == "" {
			continue
		}
		if f := p.Root.named(b.With); f != nil && scalarWires[f.Wire] != "" {
			p.Flags[i].With = f
		} else {
			r.add(b.Pos, "with: %s has no single value %q", p.Go, b.With)
		}
	}
}
