package gen

import (
	"slices"
	"strings"
)

// packet resolves one file of spec/packets.
func (r *resolver) packet(s *PacketSpec) *Packet {
	p := &Packet{
		Go: s.Packet, Name: s.Name, Type: s.Type, Doc: s.Doc, Refs: s.Refs, From: s.From,
		Golden: s.Golden, File: s.Pos.File,
	}
	r.goName(s.Pos, "packet", s.Packet)
	r.text(s.Pos, "name", s.Name)
	r.text(s.Pos, "doc", s.Doc)
	r.inRange(s.Pos, "type", s.Type, 1, 15)
	if want := strings.ToLower(s.Packet); fileStem(s.Pos.File) != want {
		r.bad(s.Pos, "packet", "%s belongs into %s.yaml", s.Packet, want)
	}
	r.versions(s)
	p.Root = r.record(s.Packet, s.Doc, p, r.place(s.Pos, "packet"))
	r.structFields(p.Root, s.Fields, "", "")
	r.flags(p, s)
	r.builder(p, s)
	r.conditions(p.Root)
	r.names(p.Root)
	for _, c := range s.Checks {
		r.check(p, c)
	}
	r.golden(s)
	return p
}

// versions looks at the versions that have the packet. Each packet is one of
// v5.0; v3.1.1 may lack it.
func (r *resolver) versions(s *PacketSpec) {
	if s.From[V5] == "" {
		r.bad(s.Pos, "from", "v5.0 is missing")
	}
	for _, v := range sortedKeys(s.From) {
		at := r.place(s.Pos, "from")
		r.oneOf(at, string(v), string(v), string(V311), string(V5))
		r.oneOf(at, string(v), s.From[v], "both", "client", "server")
		if s.Refs[v] == "" {
			r.bad(s.Pos, "refs", "the section of %s is missing", v)
		}
	}
	for _, v := range sortedKeys(s.Refs) {
		if s.From[v] == "" {
			r.bad(r.place(s.Pos, "refs"), string(v), "from does not have this version")
		}
	}
}

// versions returns the versions that have the packet, or those of its parts
// that are new in v5.0.
func (p *Packet) versions(v5 bool) []Ver {
	if v5 || p.From[V311] == "" {
		return []Ver{V5}
	}
	return versions
}

// record begins a struct. Its name is one of its own.
func (r *resolver) record(name, doc string, p *Packet, at Pos) *Record {
	if r.types[name] {
		r.add(at, "there are two Go types with the name %s", name)
	}
	r.types[name] = true
	return &Record{Go: name, Doc: doc, Packet: p}
}

// flags resolves the flags of the fixed header: all reserved, or none.
func (r *resolver) flags(p *Packet, s *PacketSpec) {
	bits := r.bits(p.Root, s.Flags, r.place(s.Pos, "flags"), 4, "", nil)
	if len(bits) == 1 && bits[0].Reserved() {
		p.Fixed = bits[0]
		p.Fixed.Path, p.Fixed.Var = "Flags", lowerFirst(p.Go)+"Flags"
		p.Fixed.Verdicts = []Verdict{r.verdict("faultFlags", p.Fixed.Pos, s.Flags[0].Class, "", s.Flags[0].Rule)}
		return
	}
	for _, b := range bits {
		if b.Name == "" || b.Owner != "" {
			r.add(b.Pos, "flags: four reserved bits, or flags of the packet alone")
		}
	}
	p.Flags, p.Root.Head = bits, bits
}

// structFields resolves the fields of a struct. path and varPath are those of
// the struct itself, with a separator.
func (r *resolver) structFields(s *Record, specs []FieldSpec, path, varPath string) {
	for i := range specs {
		f := &specs[i]
		s.Fields = append(s.Fields, r.field(s, f, path, varPath))
		last := i == len(specs)-1 && s.Packet.Root == s
		switch {
		case slices.Contains([]string{"rest", "list", "utf8_list", "reason_codes"}, f.Wire) && !last:
			r.bad(f.Pos, "wire", "%s takes all that is left, so it is the last field of a packet", f.Wire)
		case f.Wire == "properties" && s.List:
			r.bad(f.Pos, "wire", "properties stand in a packet or a group, not in the elements of a list")
		}
	}
	r.optional(s)
	for _, f := range s.Fields {
		for _, b := range f.Bits {
			r.present(s, b)
		}
	}
	for _, f := range s.Fields {
		for _, b := range f.Bits {
			r.hand(s, b)
		}
	}
}

// optional pairs the optional fields at the end of a packet, a reason code and
// properties, and reports any other shape, which no packet has.
func (r *resolver) optional(s *Record) {
	for i, f := range s.Fields {
		code := f.Wire == "reason_code" && i+2 == len(s.Fields) && s.Fields[i+1].Optional
		block := f.Wire == "properties" && i+1 == len(s.Fields) && i > 0 && s.Fields[i-1].Optional
		if f.Optional && (!f.V5 || !code && !block || s.Packet.Root != s) {
			r.bad(f.Pos, "optional", "only a reason code and the properties after it can be left out, at the end of a packet, since v5.0")
		} else if f.Optional && code {
			f.Partner, s.Fields[i+1].Partner = s.Fields[i+1], f
		}
	}
}

// present finds the field whose presence a bit tells.
func (r *resolver) present(s *Record, b *Bit) {
	if b.Present == nil {
		return
	}
	f := s.named(b.Present.Name)
	if f == nil {
		r.bad(b.Pos, "present", "there is no field %q", b.Present.Name)
		return
	}
	if f.Present || f.V5 || f.Optional || f.When != nil {
		r.bad(b.Pos, "present", "something else tells already whether there is a %s", f.Name)
	}
	if scalarWires[f.Wire] == "" && f.Wire != "group" {
		r.bad(b.Pos, "present", "%s has wire: %s, which is always there", f.Name, f.Wire)
	}
	if !s.before(b.Byte, f) {
		r.bad(b.Pos, "present", "%s stands before the bit that tells of it", f.Name)
	}
	f.Present, b.Present = true, f
}

// before reports whether a stands before b.
func (s *Record) before(a, b *Field) bool {
	return slices.Index(s.Fields, a) < slices.Index(s.Fields, b)
}

// hand gives bits with a name such as Will.QoS to the group Will.
func (r *resolver) hand(s *Record, b *Bit) {
	if b.Owner == "" {
		return
	}
	group := s.named(b.Owner)
	if group == nil || group.Wire != "group" || !group.Present {
		r.bad(b.Pos, "name", "there is no group %q whose presence a bit tells", b.Owner)
		return
	}
	group.Struct.Head = append(group.Struct.Head, b)
}

// named returns the field with a name, or nil.
func (s *Record) named(name string) *Field {
	for _, f := range s.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// field resolves one field of a struct.
func (r *resolver) field(s *Record, f *FieldSpec, path, varPath string) *Field {
	r.fieldKeys(f)
	out := &Field{
		Name: f.Name, In: s, Path: path + f.Name, Var: lowerFirst(s.Packet.Go) + varPath + f.Name, Wire: f.Wire,
		Doc: f.Doc, V5: f.Since == V5, Optional: f.Optional, Secret: f.Secret, Payload: f.Show == "payload",
		Checks: map[string]*Check{}, Pos: f.Pos,
	}
	if f.When != "" {
		out.When = r.cond(f.Pos, "when", f.When)
	}
	switch f.Wire {
	case "bits":
		out.Bits = r.bits(s, f.Bits, r.place(f.Pos, "bits"), 8, path, out)
	case "group":
		out.Struct = r.record(f.Name, f.Doc, s.Packet, r.place(f.Pos, "name"))
		r.structFields(out.Struct, f.Fields, out.Path+".", varPath+f.Name)
	case "list":
		out.Struct = r.record(f.Type, f.Doc, s.Packet, r.place(f.Pos, "type"))
		out.Struct.List = true
		r.structFields(out.Struct, f.Fields, out.Path+"[%d].", varPath+f.Name)
	case "utf8_list", "reason_codes":
		out.Path += "[%d]"
	case "properties":
		r.allowed(out, f.Allow)
	}
	return out
}

// fieldKeys looks at the keys of a field.
func (r *resolver) fieldKeys(f *FieldSpec) {
	r.goName(f.Pos, "name", f.Name)
	r.text(f.Pos, "doc", f.Doc)
	r.oneOf(f.Pos, "wire", f.Wire, sortedKeys(wireKeys)...)
	if keys, ok := wireKeys[f.Wire]; ok {
		r.only(f.Pos, "wire: "+f.Wire, append([]string{"name", "wire", "doc"}, keys...)...)
	}
	if f.Show != "" {
		r.oneOf(f.Pos, "show", f.Show, "payload")
	}
	if f.Since != "" {
		r.oneOf(f.Pos, "since", string(f.Since), string(V5))
	}
	if f.Since != "" && f.When != "" {
		r.bad(f.Pos, "when", "a field has a condition or is new in v5.0, not both")
	}
	switch {
	case f.Wire == "bits" && len(f.Bits) == 0:
		r.bad(f.Pos, "bits", "missing, wire: bits needs it")
	case (f.Wire == "group" || f.Wire == "list") && len(f.Fields) == 0:
		r.bad(f.Pos, "fields", "missing, wire: %s needs it", f.Wire)
	case f.Wire == "properties" && len(f.Allow) == 0:
		r.bad(f.Pos, "allow", "missing, wire: properties needs it")
	case f.Wire == "properties" && f.Since != V5:
		r.bad(f.Pos, "since", "properties exist since v5.0")
	}
	if f.Wire == "list" {
		r.goName(f.Pos, "type", f.Type)
	}
}

// allowed resolves the properties of a block.
func (r *resolver) allowed(f *Field, specs []AllowSpec) {
	seen := map[string]bool{}
	for _, a := range specs {
		property := r.properties[a.Is]
		if property == nil {
			r.bad(a.Pos, "is", "properties.yaml has no %q", a.Is)
			continue
		}
		if seen[a.Is] {
			r.bad(a.Pos, "is", "%s stands here twice", a.Is)
		}
		seen[a.Is] = true
		out := &Allowed{Property: property, As: a.As, Many: a.Many, From: a.From, Ref: a.Ref, Pos: a.Pos}
		if out.As == "" {
			out.As = a.Is
		}
		if out.From == "" {
			out.From = "both"
		}
		r.goName(a.Pos, "as", out.As)
		r.text(a.Pos, "ref", a.Ref)
		out.Path, out.Var = f.Path+"."+out.As, f.Var+out.As
		for _, name := range sortedKeys(property.Checks) {
			c := property.Checks[name]
			out.Verdicts = append(out.Verdicts, r.verdict(c.Fault, c.Pos, c.Class, c.Code, c.Rule))
		}
		r.allowedBy(out, a)
		f.Allow = append(f.Allow, out)
	}
}

// allowedBy looks at how often and from whom a property may come.
func (r *resolver) allowedBy(out *Allowed, a AllowSpec) {
	pair := out.Wire == "pair"
	if a.Many && !pair && out.Name != "SubscriptionIdentifier" || pair && (!a.Many || out.Name != "UserProperty") {
		r.bad(a.Pos, "many", "UserProperty always repeats, SubscriptionIdentifier may, and no other does")
	}
	r.oneOf(a.Pos, "from", out.From, "both", "client", "server")
	if out.From == "both" {
		if len(a.Rule) > 0 {
			r.bad(a.Pos, "rule", "without from there is nothing to enforce")
		}
		return
	}
	r.cites(a.Pos, a.Rule, []Ver{V5})
	out.Verdicts = append(out.Verdicts, r.verdict("faultPropertySide", a.Pos, ClassSpec{}, "", a.Rule))
}

// builder finds the fields that a builder's constructor takes, and those that
// are set together with flags.
func (r *resolver) builder(p *Packet, s *PacketSpec) {
	for _, name := range s.New {
		f := p.Root.named(name)
		if f == nil || scalarWires[f.Wire] == "" {
			r.bad(s.Pos, "new", "%s has no single value %q", p.Go, name)
			continue
		}
		p.New = append(p.New, f)
	}
	for i, b := range p.Flags {
		name := s.Flags[i].With
		if name == "" {
			continue
		}
		if f := p.Root.named(name); f != nil && scalarWires[f.Wire] != "" {
			b.With = f
		} else {
			r.bad(b.Pos, "with", "%s has no single value %q", p.Go, name)
		}
	}
}
