package gen

import (
	"cmp"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// target is what a path of a check leads to: a field, a property or bits.
type target struct {
	field *Field
	prop  *Allowed
	bit   *Bit
	in    *Record // the struct whose code can look at it
	path  string  // in Go, from in
	v5    bool
}

// find follows a path such as Will.QoS, Properties.TopicAlias or
// Filters.Filter.
func (r *resolver) find(root *Record, path string) (target, bool) {
	t := target{in: root}
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
		case f.Wire == "properties":
			for _, a := range f.Allow {
				if a.As == tail || a.Name == tail {
					t.field, t.prop, t.path, t.v5 = f, a, t.path+name+"."+a.As, true
					return t, true
				}
			}
			return t, false
		default:
			return t, false
		}
		rest = tail
	}
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
	fault, ok := verbs[c.Verb]
	if !ok {
		r.oneOf(c.Pos, "verb", c.Verb, sortedKeys(verbs)...)
		return
	}
	t, ok := r.find(p.Root, c.Field)
	if !ok {
		r.add(c.Pos, "field: %s has no %q", p.Go, c.Field)
		return
	}
	r.checkKeys(c)
	out := &Check{CheckSpec: c, Field: t.field, Prop: t.prop, Bit: t.bit, Fault: fault}
	crosses := c.Unless != "" || verbWires[c.Verb] == nil
	if t.field != nil && t.prop == nil && !crosses {
		r.valueCheck(c, t.field.Wire, t.field.Checks, out)
		fault = out.Fault
	} else if !crosses {
		r.add(c.Pos, "verb: %s looks at a field of the packet; checks of a property's value stand in properties.yaml", c.Verb)
		return
	} else {
		r.cites(c)
		r.cross(p, out, t)
	}
	r.judge(out, r.verdict(fault, c.Pos, c.Class, c.Code, c.Rule))
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

// checkKeys reports keys that the verb does not have, or misses.
func (r *resolver) checkKeys(c CheckSpec) {
	for key, given := range map[string]string{"needs": c.Needs, "with": c.With, "method": c.Method} {
		verb := map[string]string{"needs": "needs", "with": "excludes", "method": "custom"}[key]
		if (c.Verb == verb) != (given != "") {
			r.add(c.Pos, "%s: goes with verb: %s and no other", key, verb)
		}
	}
	if c.Unless != "" && c.Verb != "not_empty" {
		r.add(c.Pos, "unless: goes with verb: not_empty alone")
	}
}

// cross files a rule that looks at more than one field, or at whether one is
// there at all.
func (r *resolver) cross(p *Packet, c *Check, t target) {
	c.Set = r.condOf(t)
	c.Set.Path = t.path
	for _, text := range []string{c.Unless, c.Needs, c.With} {
		if text != "" {
			c.Other = r.cond(p.Root, text, c.Pos)
			r.bind(p.Root, c.Other, c.Pos)
		}
	}
	if t.field != nil && !c.readZero() {
		t.field.InCross = true
	}
	if t.bit != nil {
		t.bit.InCross = true
		if t.bit.Byte != nil {
			t.bit.Byte.InCross = true
		}
	}
	t.in.Cross = append(t.in.Cross, c)
}

// bind finds what a condition looks at.
func (r *resolver) bind(s *Record, c *Cond, at Pos) {
	t, ok := r.find(s, c.Path)
	if !ok {
		r.add(at, "%s has no %q", s.Go, c.Path)
		return
	}
	op, than := c.Op, c.Than
	*c = *r.condOf(t)
	c.Path, c.Op, c.Than = t.path, op, than
}

// condOf returns the condition that what a path leads to is there.
func (r *resolver) condOf(t target) *Cond {
	c := &Cond{V5: t.v5}
	switch {
	case t.prop != nil && t.prop.Many:
		c.Kind = "repeated"
	case t.prop != nil, t.field != nil && t.field.Present:
		c.Kind = "opt"
	case t.bit != nil && t.bit.Go == "bool":
		c.Kind = "bool"
	case t.bit != nil:
		c.Kind = "number"
	default:
		c.Kind = map[string]string{"Bytes": "bytes"}[scalarWires[t.field.Wire]]
		if t.field.Wire == "list" || t.field.Wire == "utf8_list" || t.field.Wire == "reason_codes" || t.field.Wire == "rest" {
			c.Kind = "bytes"
		} else if c.Kind == "" {
			c.Kind = "number"
		}
	}
	return c
}

// golden looks at what can be seen of the golden packets without decoding.
func (r *resolver) golden(s *PacketSpec) {
	if len(s.Golden) == 0 {
		r.add(s.Pos, "golden: packet %s has none", s.Packet)
	}
	names := map[string]bool{}
	for _, g := range s.Golden {
		r.oneOf(g.Pos, "version", g.Version, "v3.1.1", "v5.0", "v3.1.1 wide", "v5.0 wide")
		data, err := hex.DecodeString(strings.Join(strings.Fields(g.Hex), ""))
		if err != nil {
			r.add(g.Pos, "hex: %v", err)
		} else if len(data) == 0 || int(data[0]>>4) != s.Type {
			r.add(g.Pos, "hex: the first byte is not that of a %s", s.Name)
		}
		if g.Name == "" || names[g.Name] {
			r.add(g.Pos, "name: each golden packet has one of its own")
		}
		names[g.Name] = true
	}
}

// conditions binds the when conditions of a struct, whose bits may stand in
// the fixed header and so are known last.
func (r *resolver) conditions(s *Record) {
	for _, f := range s.Fields {
		if f.When != nil {
			r.bind(s, f.When, f.Pos)
		}
		if f.Struct != nil {
			r.conditions(f.Struct)
		}
	}
}
