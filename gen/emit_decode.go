package gen

import (
	"strings"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitDecode writes Type, the methods that decode with a cursor, and what they
// have in common.
func (p *Packet) emitDecode(f *File) {
	f.Add(lineComment("Type returns Type" + p.Go + "."))
	f.Func().Params(Op("*").Id(p.Go)).Id("Type").Params().Id("PacketType").Block(Return(Id("Type" + p.Go)))
	f.Comment("// decodeSlow is Decode for all packets, and finds out what is wrong.")
	p.emitDecoder(f, "decodeSlow")
	f.Add(lineComment("DecodeLoose reads like Decode, but passes over all faults that leave the packet readable."))
	p.emitDecoder(f, "DecodeLoose", item("loose", True()))
	f.Comment("// examine reads the packet with c, which knows what to do about faults.")
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("examine").Params(Id("c").Op("*").Id("cursor"), Id("h").Id("Header")).Error().
		BlockFunc(func(g *Group) {
			g.Add(call("header", ref(lowerFirst(p.Go)+"Packet"), Id("h")))
			p.emitFixedFlags(g)
			g.Id("p").Dot("decode").CallFunc(func(g *Group) {
				g.Id("c")
				if p.Fixed == nil {
					g.Id("h")
				}
			})
			g.Return(call("end", ref(lowerFirst(p.Go)+"Packet")))
		})
}

// emitDecoder writes one method that reads with a cursor.
func (p *Packet) emitDecoder(f *File, name string, more ...Code) {
	cursor := append([]Code{item("b", Id("body")), item("v", Id("v"))}, more...)
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id(name).
		Params(Id("h").Id("Header"), Id("body").Index().Byte(), Id("v").Id("Version")).Error().
		Block(Return(Id("p").Dot("examine").Call(Op("&").Id("cursor").Values(cursor...), Id("h"))))
}

// emitFixedFlags checks the reserved flags of the fixed header.
func (p *Packet) emitFixedFlags(g *Group) {
	if p.Fixed != nil {
		g.If(Id("h").Dot("Flags").Op("!=").Add(hexLit(p.Fixed.Value))).Block(
			call("failAt", ref(p.Fixed.Var), Id("faultFlags"), Lit(0)))
	}
}

// emitDecode writes the method that reads the fields of a struct.
func (s *Record) emitDecode(f *File) {
	f.Func().Params(Id("p").Op("*").Id(s.Go)).Id("decode").ParamsFunc(func(g *Group) {
		g.Id("c").Op("*").Id("cursor")
		if s.Packet.Root == s && s.Packet.Fixed == nil {
			g.Id("h").Id("Header")
		}
	}).BlockFunc(func(g *Group) {
		if s.Packet.Root == s {
			s.Packet.emitSides(g, "c")
			for _, b := range s.Packet.Flags {
				b.emitRead(g, Id("h").Dot("Flags"), b.failure)
			}
		}
		for _, field := range s.Fields {
			field.emitRead(g)
		}
		for _, c := range s.Cross {
			c.emitCross(g, true)
		}
	})
}

// emitSides checks that the packet exists in the version, and who sends it.
func (p *Packet) emitSides(g *Group, recv string) {
	name := ref(lowerFirst(p.Go) + "Packet")
	v311, v5 := p.From[V311], p.From[V5]
	if v311 == "" {
		g.Id(recv).Dot("onlyV5").Call(name)
		v311 = v5
	}
	sentBy := func(side string) []Code {
		if side == "both" {
			return nil
		}
		return []Code{Id(recv).Dot("sentBy").Call(name, sidesOf(side))}
	}
	versionOf := Id(recv).Dot("v").Dot("IsV5").Call()
	switch {
	case v311 == v5:
		g.Add(sentBy(v5)...)
	case v5 == "both":
		g.If(Op("!").Add(versionOf)).Block(sentBy(v311)...)
	case v311 == "both":
		g.If(versionOf).Block(sentBy(v5)...)
	default:
		g.If(versionOf).Block(sentBy(v5)...).Else().Block(sentBy(v311)...)
	}
}

// sidesOf returns the constant of package codec for a side.
func sidesOf(side string) *Statement {
	return Id("by" + strings.ToUpper(side[:1]) + side[1:])
}

// atVar returns the variable that keeps the position of the field.
func (f *Field) atVar() string { return lowerFirst(f.Name) + "At" }

// emitRead reads one field.
func (f *Field) emitRead(g *Group) {
	guard := f.guard()
	if guard != nil || f.Present {
		f.emitReset(g)
	}
	if guard == nil {
		f.emitValue(g)
		return
	}
	if f.InCross {
		g.Id(f.atVar()).Op(":=").Id("c").Dot("i")
	}
	g.If(guard).BlockFunc(func(g *Group) { f.emitValue(g) })
}

// guard returns the condition under which the field is on the wire, or nil.
func (f *Field) guard() *Statement { return f.guardOf(isV5, call("more")) }

// guardOf is guard with the expressions for v5.0 and for bytes that are left.
func (f *Field) guardOf(v5 func() *Statement, more *Statement) *Statement {
	var all []*Statement
	if f.V5 {
		all = append(all, v5())
	}
	if f.Optional {
		all = append(all, more)
	}
	if f.When != nil {
		all = append(all, f.When.expr("p"))
	}
	if f.Present {
		all = append(all, Id("p").Dot(f.Name).Dot("Set"))
	}
	return and(all)
}

// and joins conditions; it returns nil where there is none.
func and(all []*Statement) *Statement {
	if len(all) == 0 {
		return nil
	}
	e := all[0].Clone()
	for _, c := range all[1:] {
		e = e.Op("&&").Add(c)
	}
	return e
}

// emitReset clears a field that may not be on the wire, since the struct is
// used again. The flags that tell its presence have cleared an Opt already.
func (f *Field) emitReset(g *Group) {
	if f.Present {
		return
	}
	target := Id("p").Dot(f.Name).Op("=")
	switch f.Wire {
	case "properties":
		g.Add(target).Id(f.propertiesType()).Values()
	case "reason_codes", "list", "utf8_list":
		g.Add(target).Id("p").Dot(f.Name).Index(Op(":").Lit(0))
	default:
		g.Add(target).Add(f.zero())
	}
}

// zero returns the zero value of the field's Go type.
func (f *Field) zero() *Statement {
	if scalarWires[f.Wire] == "Bytes" {
		return Nil()
	}
	return Lit(0)
}

// emitValue reads the value of a field that is on the wire.
func (f *Field) emitValue(g *Group) {
	target := Id("p").Dot(f.Name)
	if f.Present {
		target = target.Dot("Value")
	}
	if f.InCross && f.guard() == nil {
		g.Id(f.atVar()).Op(":=").Id("c").Dot("i")
	}
	switch f.Wire {
	case "protocol_name":
		g.Add(call("protocolName", ref(f.Var)))
	case "protocol_level":
		g.Add(call("protocolLevel", ref(f.Var)))
	case "bits":
		f.emitBits(g)
	case "properties":
		if f.guard() == nil {
			g.Id("p").Dot(f.Name).Op("=").Id(f.propertiesType()).Values()
		}
		g.Id("p").Dot(f.Name).Dot("decode").Call(Id("c"))
	case "group":
		g.Add(target).Dot("decode").Call(Id("c"))
	case "list", "utf8_list", "reason_codes":
		f.emitList(g)
	default:
		g.Add(target).Op("=").Add(readScalar(f.Wire, f.Var, f.Checks, f))
		if f.Checks["not_empty"] != nil {
			g.If(Len(target.Clone()).Op("==").Lit(0)).Block(call("failBefore", ref(f.Var), Id("faultEmpty"), Lit(2)))
		}
	}
}

// readScalar returns the call that reads a value of a wire type with the
// checks that look at it alone.
func readScalar(wire, field string, checks map[string]*Check, f *Field) *Statement {
	switch wire {
	case "packet_id":
		return call("packetID", ref(field))
	case "reason_code":
		return call("reason", ref(field), Id("Type"+f.packetGo()))
	case "rest":
		return call("rest")
	case "binary":
		return call("binary", ref(field))
	case "utf8":
		switch {
		case checks["topic_filter"] != nil:
			return call("filter", ref(field))
		case checks["no_wildcards"] != nil:
			return call("name", ref(field))
		}
		return call("text", ref(field))
	case "u8":
		if c := checks["max"]; c != nil {
			return call("upTo", ref(field), Lit(c.Value))
		}
	case "u16", "u32", "varint":
		if checks["not_zero"] != nil {
			return call(wire+"NotZero", ref(field))
		}
	}
	return call(wire, ref(field))
}

// packetGo returns the Go name of the packet that the field belongs to.
func (f *Field) packetGo() string { return f.In.Packet.Go }

// emitList reads the elements of a list up to the end of the packet.
func (f *Field) emitList(g *Group) {
	list := func() *Statement { return Id("p").Dot(f.Name) }
	if f.Checks["not_empty"] != nil {
		g.If(Op("!").Add(call("more"))).Block(call("fail", ref(f.Var), Id("faultEmptyList"), Id("c").Dot("i")))
	}
	if f.guard() == nil {
		g.Add(list()).Op("=").Add(list()).Index(Op(":").Lit(0))
	}
	g.For(Id("c").Dot("item").Op("=").Lit(1), call("more"), Id("c").Dot("item").Op("++")).BlockFunc(func(g *Group) {
		var element *Statement
		switch f.Wire {
		case "list":
			g.Var().Id("e").Id(f.Struct.Go)
			g.Id("e").Dot("decode").Call(Id("c"))
			element = Id("e")
		case "utf8_list":
			element = readScalar("utf8", f.Var, f.Checks, f)
		case "reason_codes":
			element = readScalar("reason_code", f.Var, f.Checks, f)
		}
		g.Add(list()).Op("=").Append(list(), element)
	})
	g.Id("c").Dot("item").Op("=").Lit(0)
}

// emitCross writes a rule that looks at more than one field, for a cursor
// (decode) or for a checker.
func (c *Check) emitCross(g *Group, decode bool) {
	if decode && c.readZero() {
		return
	}
	fail := []Code{ref(c.Var), Id(c.Fault)}
	method := "fail"
	if decode {
		fail = append(fail, c.position())
		if c.Bit != nil && c.Bit.Byte == nil {
			method = "failAt"
		}
	}
	g.If(c.broken(isV5)).Block(Id("c").Dot(method).Call(fail...))
}

// broken returns the condition that the rule is broken.
func (c *Check) broken(v5 func() *Statement) *Statement {
	var all []*Statement
	switch {
	case c.Holds(V311) && !c.Holds(V5):
		all = append(all, Op("!").Add(v5()))
	case c.Holds(V5) && !c.Holds(V311) && !(c.Set.V5 && c.impliedV5()):
		all = append(all, v5())
	}
	switch c.Verb {
	case "not_empty":
		all = append(all, c.Set.not("p"), c.Other.not("p"))
	case "needs":
		all = append(all, c.Set.expr("p"), c.Other.not("p"))
	case "excludes":
		all = append(all, c.Set.expr("p"), c.Other.expr("p"))
	case "required":
		all = append(all, c.Set.not("p"))
	case "custom":
		all = append(all, Id("p").Dot(c.Method).Call())
	}
	return and(all)
}

// impliedV5 reports whether the rule can only be broken by a value that is
// set, which a field of v5.0 is not under v3.1.1.
func (c *Check) impliedV5() bool { return c.Verb != "required" && c.Verb != "not_empty" }

// readZero reports whether reading cannot break the rule, because it leaves a
// field zero that is not on the wire.
func (c *Check) readZero() bool {
	if c.Verb != "needs" || c.Field == nil || c.Field.When == nil || c.Prop != nil {
		return false
	}
	when := c.Field.When
	return c.Other.Path == when.Path && c.Other.Op == when.Op && c.Other.Than == when.Than
}

// position returns where the faulty field begins.
func (c *Check) position() Code {
	switch {
	case c.Bit != nil && c.Bit.Byte == nil:
		return Lit(0)
	case c.Bit != nil:
		return Id(c.Bit.Byte.atVar())
	}
	return Id(c.Field.atVar())
}

// emitPropertyDecode writes the methods that read the property blocks of s.
func (s *Record) emitPropertyDecode(f *File) {
	for _, field := range s.Fields {
		if field.Wire != "properties" {
			continue
		}
		f.Func().Params(Id("p").Op("*").Id(field.propertiesType())).Id("decode").Params(Id("c").Op("*").Id("cursor")).BlockFunc(func(g *Group) {
			for _, a := range field.Allow {
				if a.Many {
					g.Var().Id(lowerFirst(a.As)).Id("span")
				}
			}
			g.Id("outer").Op(":=").Add(call("enter", ref(field.Var)))
			g.For(call("more")).Block(
				Id("at").Op(":=").Id("c").Dot("i"),
				Switch(Id("c").Dot("b").Index(Id("at"))).BlockFunc(func(g *Group) {
					for _, a := range field.Allow {
						a.emitCase(g)
					}
					g.Default().Block(call("fail", ref(field.Var), Id("faultUnknownProperty"), Id("at")))
				}),
			)
			g.If(Id("c").Dot("err").Op("!=").Nil()).Block(Return())
			for _, a := range field.Allow {
				if a.Many {
					span := Id(lowerFirst(a.As))
					g.If(span.Clone().Dot("n").Op(">").Lit(0)).Block(
						Id("p").Dot(a.As).Dot("r").Op("=").Add(span.Clone()).Dot("repeated").Call(Id("c").Dot("b")))
				}
			}
			g.Add(call("leave", Id("outer")))
		})
	}
}

// emitCase reads one property.
func (a *Allowed) emitCase(g *Group) {
	g.Case(Id("property" + a.Name)).BlockFunc(func(g *Group) {
		g.Id("c").Dot("i").Op("++")
		if a.From != "both" {
			g.Add(call("propertyBy", ref(a.Var), sidesOf(a.From), Id("at")))
		}
		if a.Many {
			if a.Wire == "pair" {
				g.Add(call("pair", ref(a.Var)))
			} else {
				g.Add(readScalar(a.Wire, a.Var, a.Property.Checks, nil))
			}
			g.Id(lowerFirst(a.As)).Dot("add").Call(Id("at"), Id("c").Dot("i"))
			return
		}
		target := func() *Statement { return Id("p").Dot(a.As) }
		g.If(target().Dot("Set")).Block(call("fail", ref(a.Var), Id("faultRepeated"), Id("at")))
		g.Add(target()).Op("=").Id("Some").Call(readScalar(a.Wire, a.Var, a.Property.Checks, nil))
		if a.Property.Checks["not_empty"] != nil {
			g.If(Len(target().Dot("Value")).Op("==").Lit(0)).Block(call("failBefore", ref(a.Var), Id("faultEmpty"), Lit(2)))
		}
	})
}
