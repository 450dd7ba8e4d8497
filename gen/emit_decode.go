package gen

import (
	"strings"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitDecode writes Type, Decode and DecodeLoose of a packet.
func (p *Packet) emitDecode(f *File) {
	f.Add(lineComment("Type returns Type" + p.Go + "."))
	f.Func().Params(Op("*").Id(p.Go)).Id("Type").Params().Id("PacketType").Block(Return(Id("Type" + p.Go)))
	f.Add(lineComment("Decode reads the body of a " + p.Name + " into p, which keeps views into it, and returns the first fault as an *Error."))
	p.emitDecoder(f, "Decode", Id("b").Op(":").Id("body"), Id("v").Op(":").Id("v"))
	f.Add(lineComment("DecodeLoose reads like Decode, but passes over all faults that leave the packet readable."))
	p.emitDecoder(f, "DecodeLoose", Id("b").Op(":").Id("body"), Id("v").Op(":").Id("v"), Id("loose").Op(":").True())
}

func (p *Packet) emitDecoder(f *File, name string, cursor ...Code) {
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id(name).
		Params(Id("h").Id("Header"), Id("body").Index().Byte(), Id("v").Id("Version")).Error().
		Block(
			Id("c").Op(":=").Id("cursor").Values(cursor...),
			Id("c").Dot("header").Call(ref(lowerFirst(p.Go)+"Packet"), Id("h")),
			p.emitFixedFlags(),
			Id("p").Dot("decode").CallFunc(func(g *Group) {
				g.Op("&").Id("c")
				if p.Fixed == nil {
					g.Id("h")
				}
			}),
			Return(call("end", ref(lowerFirst(p.Go)+"Packet"))),
		)
}

// emitFixedFlags checks the reserved flags of the fixed header.
func (p *Packet) emitFixedFlags() Code {
	if p.Fixed == nil {
		return Null()
	}
	return If(Id("h").Dot("Flags").Op("!=").Add(hexLit(p.Fixed.Value))).Block(
		call("failAt", ref(p.Fixed.Var), Id("faultFlags"), Lit(0)))
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
				b.emitRead(g, Id("h").Dot("Flags"))
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
	switch {
	case v311 == "":
		g.Id(recv).Dot("onlyV5").Call(name)
	case v311 == v5 && v5 != "both":
		g.Id(recv).Dot("sentBy").Call(name, sidesOf(v5))
	case v311 != v5:
		g.If(Op("!").Id(recv).Dot("v").Dot("IsV5").Call()).Block(
			Id(recv).Dot("sentBy").Call(name, sidesOf(v311)))
	}
}

func sidesOf(side string) *Statement {
	return Id("by" + strings.ToUpper(side[:1]) + side[1:])
}

// emitRead reads one run of bits out of the byte in from.
func (b *Bit) emitRead(g *Group, from *Statement) {
	fail := "fail"
	position := Code(Id("at"))
	if b.Byte == nil {
		fail, position = "failAt", Lit(0)
	} else if b.Byte.InCross {
		position = Id(b.Byte.atVar())
	}
	masked := func() *Statement { return from.Clone().Op("&").Add(hexLit(b.Mask())) }
	target := member("p", b.goPath())
	switch {
	case b.Present != nil:
		g.Id("p").Dot(b.Present.Name).Op("=").Add(b.Present.goType()).Values(Id("Set").Op(":").Add(masked()).Op("!=").Lit(0))
	case b.Reserved():
		g.If(masked().Op("!=").Add(hexLit(b.Value << b.Shift))).Block(
			Id("c").Dot(fail).Call(ref(b.Var), Id("faultReserved"), position))
	case b.Go == "bool":
		g.Add(target).Op("=").Add(masked()).Op("!=").Lit(0)
	default:
		value := from.Clone()
		if b.Shift > 0 {
			value = value.Op(">>").Lit(b.Shift)
		}
		g.Add(target).Op("=").Id(b.Go).Call(value.Op("&").Add(hexLit(1<<b.Width - 1)))
		if b.Max >= 0 {
			g.If(member("p", b.goPath()).Op(">").Lit(b.Max)).Block(
				Id("c").Dot(fail).Call(ref(b.Var), Id("faultRange"), position))
		}
	}
}

// goPath returns the Go field of the bits from the struct that reads them.
func (b *Bit) goPath() string {
	if b.Owner == "" {
		return b.Name
	}
	return b.Owner + ".Value." + b.Name
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
func (f *Field) guard() *Statement {
	var all []Code
	if f.V5 {
		all = append(all, isV5())
	}
	if f.Optional {
		all = append(all, call("more"))
	}
	if f.When != nil {
		all = append(all, f.When.expr("p"))
	}
	if f.Present {
		all = append(all, Id("p").Dot(f.Name).Dot("Set"))
	}
	if len(all) == 0 {
		return nil
	}
	e := Add(all[0])
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
		g.Add(target).Lit(0)
	}
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

// packetGo returns the Go name of the packet that the field's descriptor
// belongs to.
func (f *Field) packetGo() string {
	return strings.ToUpper(f.Var[:1]) + strings.TrimSuffix(f.Var[1:], f.Name)
}

func (f *Field) emitBits(g *Group) {
	name := lowerFirst(f.Name)
	if !f.InCross {
		g.Id("at").Op(":=").Id("c").Dot("i")
	}
	g.Id(name).Op(":=").Add(call("u8", ref(f.Var)))
	// Presence first: it clears what other bits then fill.
	for _, presence := range []bool{true, false} {
		for _, b := range f.Bits {
			if (b.Present != nil) == presence && !b.V5 {
				b.emitRead(g, Id(name))
			}
		}
	}
	f.emitNewBits(g, name)
}

// emitNewBits reads the bits that v3.1.1 reserves.
func (f *Field) emitNewBits(g *Group, name string) {
	mask := 0
	for _, b := range f.Bits {
		if b.V5 {
			mask |= b.Mask()
		}
	}
	if mask == 0 {
		return
	}
	at := Id("at")
	if f.InCross {
		at = Id(f.atVar())
	}
	g.If(isV5()).BlockFunc(func(g *Group) {
		for _, b := range f.Bits {
			if b.V5 {
				b.emitRead(g, Id(name))
			}
		}
	}).Else().If(Id(name).Op("&").Add(hexLit(mask)).Op("!=").Lit(0)).Block(
		call("fail", ref(f.Var), Id("faultReserved"), at))
}

// emitList reads the elements of a list up to the end of the packet.
func (f *Field) emitList(g *Group) {
	list := func() *Statement { return Id("p").Dot(f.Name) }
	if f.Checks["not_empty"] != nil {
		g.If(Op("!").Add(call("more"))).Block(call("fail", ref(f.Var), Id("faultEmpty"), Id("c").Dot("i")))
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
	var broken []Code
	if guard := c.guard(); guard != nil {
		broken = append(broken, guard)
	}
	switch c.Verb {
	case "not_empty":
		broken = append(broken, c.Set.not("p"), c.Other.not("p"))
	case "needs":
		broken = append(broken, c.Set.expr("p"), c.Other.not("p"))
	case "excludes":
		broken = append(broken, c.Set.expr("p"), c.Other.expr("p"))
	case "required":
		broken = append(broken, c.Set.not("p"))
	case "custom":
		broken = append(broken, Id("p").Dot(c.Method).Call())
	}
	e := Add(broken[0])
	for _, b := range broken[1:] {
		e = e.Op("&&").Add(b)
	}
	fail := []Code{ref(c.Var), Id(c.Fault)}
	method := "fail"
	if decode {
		fail = append(fail, c.position())
		if c.Bit != nil && c.Bit.Byte == nil {
			method = "failAt"
		}
	}
	g.If(e).Block(Id("c").Dot(method).Call(fail...))
}

// readZero reports whether reading cannot break the rule, because it leaves a
// field zero that is not on the wire.
func (c *Check) readZero() bool {
	return c.Verb == "needs" && c.Field != nil && c.Field.When != nil && c.Prop == nil
}

// guard returns the version that the rule holds in, or nil where it holds in
// both, or what it looks at exists in v5.0 alone.
func (c *Check) guard() *Statement {
	switch {
	case c.Holds(V311) && !c.Holds(V5):
		return Op("!").Add(isV5())
	case c.Holds(V5) && !c.Holds(V311) && !(c.Set.V5 && c.Verb != "required"):
		return isV5()
	}
	return nil
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
			g.If(Len(target().Dot("Value")).Op("==").Lit(0)).Block(call("fail", ref(a.Var), Id("faultEmpty"), Id("at")))
		}
	})
}
