package gen

import (
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// target is what a path of a check leads to: a field, a property or bits.
type target struct {
	field *Field
	prop  *Allowed
	bit   *Bit
	in    *Record // the struct whose code can look at it
	path  string  // in Go, from in
	v5    bool
}

// holder returns the field that the target is or stands in, or nil for flags
// of the fixed header.
func (t *target) holder() *Field {
	if t.bit != nil {
		return t.bit.Byte
	}
	return t.field
}

// find follows a path such as Will.QoS, Properties.TopicAlias or
// Filters.Filter.
func (r *resolver) find(root *Record, path string) (t target, ok bool) {
	t.in = root
	s, rest := root, path
	for {
		name, tail, more := strings.Cut(rest, ".")
		if b := s.bit(name); b != nil && !more {
			t.bit, t.path, t.v5 = b, t.path+name, t.v5 || b.V5
			return t, true
		}
		f := s.named(name)
		switch {
		case f == nil:
			return t, false
		case !more:
			t.field, t.path, t.v5 = f, t.path+name, t.v5 || f.V5
			return t, true
		case f.Wire == "list":
			t.in, t.path, s = f.Struct, "", f.Struct
		case f.Wire == "group":
			t.path += name + "."
			if f.Present {
				t.path += "Value."
			}
			s = f.Struct
		default:
			a := f.property(tail)
			if a == nil {
				return t, false
			}
			t.field, t.prop, t.path, t.v5 = f, a, t.path+name+"."+a.As, true
			return t, true
		}
		t.v5 = t.v5 || f.V5
		rest = tail
	}
}

// property returns the property with a name, or nil.
func (f *Field) property(name string) *Allowed {
	for _, a := range f.Allow {
		if a.As == name || a.Name == name {
			return a
		}
	}
	return nil
}

// bit returns the bits with a name that belong to the struct, wherever they
// stand.
func (s *Record) bit(name string) *Bit {
	for _, b := range s.Head {
		if b.Name == name {
			return b
		}
	}
	for _, f := range s.Fields {
		for _, b := range f.Bits {
			if b.Name == name && b.Owner == "" {
				return b
			}
		}
	}
	return nil
}

// check resolves one entry of the checks of a packet.
func (r *resolver) check(p *Packet, c CheckSpec) {
	verb, ok := verbs[c.Verb]
	if !ok {
		r.oneOf(c.Pos, "verb", c.Verb, sortedKeys(verbs)...)
		return
	}
	r.checkKeys(c, verb.key, verb.must, "verb", "field", "class", "code", "rule")
	t, ok := r.find(p.Root, c.Field)
	if !ok {
		r.bad(c.Pos, "field", "%s has no %q", p.Go, c.Field)
		return
	}
	in := p.versions(t.v5)
	r.cites(c.Pos, c.Rule, in)
	out := &Check{CheckSpec: c, Field: t.field, Prop: t.prop, Bit: t.bit, Fault: verb.fault}
	switch {
	case c.Unless != "" || verb.wires == nil:
		r.cross(p, out, t)
	case t.bit != nil || t.prop != nil:
		r.bad(c.Pos, "verb", "%s is for fields; bits have max, and properties their checks in properties.yaml", c.Verb)
		return
	default:
		if c.Verb != "utf8" && c.Verb != "reason_codes" {
			r.everywhere(c.Pos, c.Rule, in)
		}
		r.valueCheck(out, t.field.Wire, t.field.Checks)
	}
	r.judge(out, r.verdict(out.Fault, c.Pos, c.Class, c.Code, c.Rule))
}

// checkKeys reports keys that a verb does not have, or misses.
func (r *resolver) checkKeys(c CheckSpec, key string, must bool, common ...string) {
	if key != "" {
		common = append(common, key)
	}
	r.only(c.Pos, "verb: "+c.Verb, common...)
	if must && !slices.ContainsFunc(r.spec.places[c.Pos], func(e entry) bool { return e.name == key }) {
		r.bad(c.Pos, key, "missing, verb: %s needs it", c.Verb)
	}
}

// judge adds a verdict to the descriptor of what a check is about.
func (r *resolver) judge(c *Check, v Verdict) {
	switch {
	case c.Prop != nil:
		c.Prop.Verdicts, c.Var = append(c.Prop.Verdicts, v), c.Prop.Var
	case c.Bit != nil:
		c.Bit.Verdicts, c.Var = append(c.Bit.Verdicts, v), c.Bit.Var
	default:
		c.Field.Verdicts, c.Var = append(c.Field.Verdicts, v), c.Field.Var
	}
	if c.Verb == "reason_codes" {
		v.Fault = "faultReasonSide"
		c.Field.Verdicts = append(c.Field.Verdicts, v)
	}
}

// cross files a rule that looks at more than one field, or at whether one is
// there at all.
func (r *resolver) cross(p *Packet, c *Check, t target) {
	holder := t.holder()
	if holder != nil && holder.In != t.in {
		r.bad(c.Pos, "field", "%s stands in a group, where %s cannot look", c.CheckSpec.Field, c.Verb)
	}
	c.Set = condOf(t)
	if c.Set.Kind == "" && c.Verb != "custom" {
		r.bad(c.Pos, "field", "%s is not a value that can be there or not", c.CheckSpec.Field)
	}
	if c.Verb == "custom" && !methodName.MatchString(c.Method) {
		r.bad(c.Pos, "method", "%q is not the name of a Go method such as sharedNoLocal", c.Method)
	}
	if key, text := verbs[c.Verb].key, c.Unless+c.Needs+c.With; text != "" {
		c.Other = r.cond(c.Pos, key, text)
		if other, ok := r.bind(p.Root, c.Other, c.Pos, key); ok && other.in != t.in {
			r.bad(c.Pos, key, "%s does not stand in one struct with %s", text, c.CheckSpec.Field)
		}
	}
	if holder != nil && !c.readZero() {
		holder.InCross = true
	}
	t.in.Cross = append(t.in.Cross, c)
}

var methodName = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)

// cond reads a condition: a path, or a path that is compared with a number.
func (r *resolver) cond(at Pos, key, text string) *Cond {
	m := condition.FindStringSubmatch(text)
	if m == nil {
		r.bad(at, key, "%q is neither a field nor a comparison such as QoS > 0", text)
		return &Cond{}
	}
	c := &Cond{Path: m[1]}
	if m[2] != "" {
		c.Op = ">"
		c.Than, _ = strconv.Atoi(m[2])
	}
	return c
}

var condition = regexp.MustCompile(`^([A-Za-z0-9.]+)(?: > ([0-9]{1,5}))?$`)

// bind finds what a condition looks at.
func (r *resolver) bind(s *Record, c *Cond, at Pos, key string) (target, bool) {
	t, ok := r.find(s, c.Path)
	if !ok {
		if c.Path != "" {
			r.bad(at, key, "%s has no %q", s.Go, c.Path)
		}
		return t, false
	}
	op, than := c.Op, c.Than
	*c = *condOf(t)
	c.Op, c.Than = op, than
	if c.Kind == "" || c.Op != "" && c.Kind != "number" {
		r.bad(at, key, "%s is not a value for such a condition", c.Path)
	}
	return t, true
}

// condOf returns the condition that what a path leads to is there. Its kind is
// empty where that makes no sense.
func condOf(t target) *Cond {
	c := &Cond{Path: t.path, V5: t.v5}
	switch {
	case t.prop != nil && t.prop.Many:
		c.Kind = "repeated"
	case t.prop != nil, t.field != nil && t.field.Present:
		c.Kind = "opt"
	case t.bit != nil && t.bit.Go == "bool":
		c.Kind = "bool"
	case t.bit != nil:
		c.Kind = "number"
	case t.field.isList(), t.field.Wire == "rest", scalarWires[t.field.Wire] == "Bytes":
		c.Kind = "bytes"
	case scalarWires[t.field.Wire] != "":
		c.Kind = "number"
	}
	return c
}

// conditions binds the when conditions of a struct, whose bits may stand in
// the fixed header and so are known last.
func (r *resolver) conditions(s *Record) {
	for _, f := range s.Fields {
		if f.When != nil {
			first, _, _ := strings.Cut(f.When.Path, ".")
			if t, ok := r.bind(s, f.When, f.Pos, "when"); ok && !s.read(first, f) {
				r.bad(f.Pos, "when", "%s is read after the field", t.path)
			}
		}
		if f.Struct != nil {
			r.conditions(f.Struct)
		}
	}
}

// read reports whether the field or bits with a name are read before f.
func (s *Record) read(name string, f *Field) bool {
	if b := s.bit(name); b != nil {
		return b.Byte == nil || b.Byte.In != s || s.before(b.Byte, f)
	}
	return s.before(s.named(name), f)
}

// golden looks at what can be seen of the golden packets without decoding.
func (r *resolver) golden(s *PacketSpec) {
	if len(s.Golden) == 0 {
		r.bad(s.Pos, "golden", "missing, packet %s has none", s.Packet)
	}
	names := map[string]bool{}
	for _, g := range s.Golden {
		r.text(g.Pos, "name", g.Name)
		if names[g.Name] {
			r.bad(g.Pos, "name", "%s stands here twice", g.Name)
		}
		names[g.Name] = true
		r.oneOf(g.Pos, "version", g.Version, sortedKeys(goldenVersions)...)
		data, err := hex.DecodeString(strings.Join(strings.Fields(g.Hex), ""))
		if err != nil {
			r.bad(g.Pos, "hex", "%v", err)
		} else if len(data) == 0 || int(data[0]>>4) != s.Type && s.Type != 0 {
			r.bad(g.Pos, "hex", "the first byte is not that of a %s", s.Name)
		}
		if _, err := json.Marshal(g.Value); err != nil {
			r.bad(g.Pos, "value", "JSON cannot hold it: %v", err)
		}
	}
}
