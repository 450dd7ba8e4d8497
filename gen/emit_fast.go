package gen

import (
	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// Decode reads legal packets in registers: each read takes a position and
// returns the next one, or -1, which makes all later reads fail too. It learns
// no more than that something failed; decodeSlow then reads the packet again to
// find out what, or to accept what is legal but rare.

// emitFast writes Decode of a packet.
func (p *Packet) emitFast(f *File) {
	f.Add(lineComment("Decode reads the body of a " + p.Name + " into p, which keeps views into it, and returns the first fault as an *Error."))
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("Decode").
		Params(Id("h").Id("Header"), Id("body").Index().Byte(), Id("v").Id("Version")).Error().
		BlockFunc(func(g *Group) {
			slow := Id("p").Dot("decodeSlow").Call(Id("h"), Id("body"), Id("v"))
			if p.isAcknowledgement() {
				p.emitBareDecode(g)
				return
			}
			p.emitFastBody(g, slow)
		})
	if p.isAcknowledgement() {
		p.emitDecodeMore(f)
	}
	for _, s := range p.Root.structs() {
		if s != p.Root && !s.List {
			f.Func().Params(Id("p").Op("*").Id(s.Go)).Id("decodeFast").
				Params(Id("b").Index().Byte(), Id("i").Int(), Id("v").Id("Version")).Int().
				BlockFunc(func(g *Group) {
					s.emitFastFields(g, Return(Lit(-1)))
					g.Return(Id("i"))
				})
		}
		s.emitFastProperties(f)
	}
}

// emitFastBody writes the statements that read a whole packet.
func (p *Packet) emitFastBody(g *Group, slow *Statement) {
	g.If(p.uncommon()).Block(Return(slow))
	for _, b := range p.Flags {
		b.emitRead(g, Id("h").Dot("Flags"), func(*Statement) Code { return Return(slow) })
	}
	if len(p.Root.Fields) == 0 {
		g.If(Len(Id("body")).Op("!=").Lit(0)).Block(Return(slow))
		g.Return(Nil())
		return
	}
	g.List(Id("b"), Id("i")).Op(":=").List(Id("body"), Lit(0))
	p.Root.emitFastFields(g, Return(slow))
	if p.Root.last().Wire != "rest" {
		g.If(Id("i").Op("!=").Len(Id("b"))).Block(Return(slow))
	}
	g.Return(Nil())
}

// isAcknowledgement reports whether the packet is a Packet Identifier and
// optional fields. Most of these that flow have nothing but the identifier, so
// that form is decoded and encoded apart.
func (p *Packet) isAcknowledgement() bool {
	return len(p.Root.Fields) == 3 && p.Root.Fields[0].Wire == "packet_id" && p.Root.Fields[1].Optional &&
		p.From[V311] == "both" && p.From[V5] == "both"
}

// emitBareDecode reads a packet of a Packet Identifier of two bytes and nothing
// else.
func (p *Packet) emitBareDecode(g *Group) {
	id, code, block := p.Root.Fields[0], p.Root.Fields[1], p.Root.Fields[2]
	g.If(Len(Id("body")).Op("!=").Lit(2).Op("||").Id("body").Index(Lit(0)).Op("|").Id("body").Index(Lit(1)).Op("==").Lit(0).Op("||").Add(p.uncommon())).Block(
		Return(Id("p").Dot("decodeMore").Call(Id("h"), Id("body"), Id("v"))))
	g.Id("p").Dot(id.Name).Op("=").Uint32().Call(Id("body").Index(Lit(0))).Op("<<").Lit(8).Op("|").Uint32().Call(Id("body").Index(Lit(1)))
	g.Id("p").Dot(code.Name).Op("=").Lit(0)
	g.Id("p").Dot(block.Name).Op("=").Id(block.propertiesType()).Values()
	g.Return(Nil())
}

// emitDecodeMore writes the decoder of the longer forms.
func (p *Packet) emitDecodeMore(f *File) {
	f.Comment("// decodeMore is Decode for a packet that is more than a Packet Identifier.")
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("decodeMore").
		Params(Id("h").Id("Header"), Id("body").Index().Byte(), Id("v").Id("Version")).Error().
		BlockFunc(func(g *Group) {
			p.emitFastBody(g, Id("p").Dot("decodeSlow").Call(Id("h"), Id("body"), Id("v")))
		})
}

// uncommon returns the condition under which the fast decoder does not even
// begin: a header or a link that the careful one has to look at.
func (p *Packet) uncommon() *Statement {
	e := Op("!").Id("h").Dot("plain").Call(Id("Type" + p.Go))
	if p.Fixed != nil {
		e = e.Op("||").Id("h").Dot("Flags").Op("!=").Add(hexLit(p.Fixed.Value))
	}
	e = e.Op("||").Op("!").Id("v").Dot("plain").Call()
	if p.From[V311] != p.From[V5] {
		e = e.Op("||").Op("!").Id("v").Dot("IsV5").Call()
	}
	switch p.From[V5] {
	case "client":
		e = e.Op("||").Id("v").Op("&").Id("fromServer").Op("!=").Lit(0)
	case "server":
		e = e.Op("||").Id("v").Op("&").Id("fromClient").Op("!=").Lit(0)
	}
	return e
}

// emitFastFields reads the fields of a struct and checks the rules between them.
// failed is the statement for the case that this fails.
func (s *Record) emitFastFields(g *Group, failed *Statement) {
	for _, f := range s.Fields {
		f.emitFast(g, failed)
	}
	for _, c := range s.Cross {
		if !c.readZero() {
			g.If(c.broken(linkIsV5)).Block(failed.Clone())
		}
	}
}

// emitFast reads one field.
func (f *Field) emitFast(g *Group, failed *Statement) {
	guard := f.guardOf(linkIsV5, Id("i").Op("<").Len(Id("b")))
	if guard != nil || f.Present {
		f.emitReset(g)
	}
	if guard == nil {
		f.emitFastValue(g, failed)
		return
	}
	g.If(guard).BlockFunc(func(g *Group) { f.emitFastValue(g, failed) })
}

// emitFastValue reads a field that is on the wire.
func (f *Field) emitFastValue(g *Group, failed *Statement) {
	target := Id("p").Dot(f.Name)
	if f.Present {
		target = target.Dot("Value")
	}
	set := func(call *Statement) { g.List(target.Clone(), Id("i")).Op("=").Add(call) }
	switch f.Wire {
	case "protocol_name":
		g.Id("i").Op("=").Id("protocolNameAt").Call(Id("b"), Id("i"))
	case "protocol_level":
		g.Id("i").Op("=").Id("protocolLevelAt").Call(Id("b"), Id("i"), Id("v"))
	case "bits":
		f.emitFastBits(g, failed)
	case "properties":
		g.If(Uint().Call(Id("i")).Op("<").Uint().Call(Len(Id("b"))).Op("&&").Id("b").Index(Id("i")).Op("==").Lit(0)).Block(
			Id("i").Op("++").Comment("a Property Length of 0"),
		).Else().Block(
			Id("i").Op("=").Id("p").Dot(f.Name).Dot("decodeFast").Call(Id("b"), Id("i"), Id("v")))
	case "group":
		g.Id("i").Op("=").Add(target).Dot("decodeFast").Call(Id("b"), Id("i"), Id("v"))
	case "list", "utf8_list", "reason_codes":
		f.emitFastList(g, failed)
	case "rest":
		g.If(Id("i").Op("<").Lit(0)).Block(failed.Clone())
		g.Add(target).Op("=").Id("b").Index(Id("i").Op(":").Len(Id("b")).Op(":").Len(Id("b")))
	default:
		set(fastRead(f.Wire, f.Checks, "b", Id("i"), f))
		f.emitFastRange(g, target, failed)
	}
}

// emitFastRange checks what the read of a field does not.
func (f *Field) emitFastRange(g *Group, target, failed *Statement) {
	if e := outOfRange(f.Wire, f.Checks, target); e != nil {
		g.If(e).Block(failed.Clone())
	}
}

// outOfRange returns the condition that a value breaks a rule of its own, or
// nil where the read has looked already.
func outOfRange(wire string, checks map[string]*Check, value *Statement) *Statement {
	switch {
	case checks["max"] != nil:
		return value.Clone().Op(">").Lit(checks["max"].Value)
	case checks["not_zero"] != nil && wire != "packet_id":
		return value.Clone().Op("==").Lit(0)
	case checks["not_empty"] != nil:
		return Len(value.Clone()).Op("==").Lit(0)
	}
	return nil
}

// fastRead returns the call that reads a value of a wire type out of buf.
func fastRead(wire string, checks map[string]*Check, buf string, at *Statement, f *Field) *Statement {
	args := []Code{Id(buf), at}
	name := map[string]string{
		"u8": "u8At", "u16": "u16At", "u32": "u32At", "varint": "varintAt", "binary": "binaryAt",
		"packet_id": "packetIDAt", "reason_code": "reasonAt", "utf8": "textAt",
	}[wire]
	switch wire {
	case "reason_code":
		args = append(args, Id("Type"+f.packetGo()), Id("v"))
	case "utf8":
		if checks["topic_filter"] != nil {
			name = "filterAt"
		} else if checks["no_wildcards"] != nil {
			name = "nameAt"
		}
		args = append(args, Id("v"))
	}
	return Id(name).Call(args...)
}

// emitFastBits reads a byte of bits, first those that tell presence.
func (f *Field) emitFastBits(g *Group, failed *Statement) {
	name := lowerFirst(f.Name)
	g.List(Id(name), Id("next")).Op(":=").Id("u8At").Call(Id("b"), Id("i"))
	g.Id("i").Op("=").Id("next")
	fail := func(*Statement) Code { return failed.Clone() }
	old := 0
	for _, b := range f.Bits {
		if b.V5 {
			old |= b.Mask()
		}
	}
	for _, presence := range []bool{true, false} {
		for _, b := range f.Bits {
			if (b.Present != nil) == presence && !b.V5 {
				b.emitRead(g, Id(name), fail)
			}
		}
	}
	if old == 0 {
		return
	}
	for _, b := range f.Bits {
		if b.V5 {
			b.emitClear(g)
		}
	}
	g.If(Id(name).Op("&").Add(hexLit(old)).Op("!=").Lit(0)).BlockFunc(func(g *Group) {
		g.If(Op("!").Id("v").Dot("IsV5").Call()).Block(failed.Clone())
		for _, b := range f.Bits {
			if b.V5 {
				b.emitRead(g, Id(name), fail)
			}
		}
	})
}

// emitFastList reads the elements of a list up to the end of the packet.
func (f *Field) emitFastList(g *Group, failed *Statement) {
	list := func() *Statement { return Id("p").Dot(f.Name) }
	if f.Checks["not_empty"] != nil {
		g.If(Id("i").Op("==").Len(Id("b"))).Block(failed.Clone())
	}
	g.Id("list").Op(":=").Add(list()).Index(Op(":").Lit(0))
	g.For(Uint().Call(Id("i")).Op("<").Uint().Call(Len(Id("b")))).BlockFunc(func(g *Group) {
		switch f.Wire {
		case "list":
			g.Id("list").Op("=").Id("longer").Call(Id("list"))
			g.Id("p").Op(":=").Op("&").Id("list").Index(Len(Id("list")).Op("-").Lit(1))
			f.Struct.emitFastFields(g, Id("i").Op("=").Lit(-1).Line().Break())
		case "utf8_list", "reason_codes":
			wire, kind := "utf8", "Bytes"
			if f.Wire == "reason_codes" {
				wire, kind = "reason_code", "ReasonCode"
			}
			g.Var().Id("e").Id(kind)
			g.List(Id("e"), Id("i")).Op("=").Add(fastRead(wire, f.Checks, "b", Id("i"), f))
			g.Id("list").Op("=").Append(Id("list"), Id("e"))
		}
	})
	g.Add(list()).Op("=").Id("list")
}

// emitFastProperties writes the fast decoders of the property blocks of s.
func (s *Record) emitFastProperties(f *File) {
	for _, field := range s.Fields {
		if field.Wire != "properties" {
			continue
		}
		f.Func().Params(Id("p").Op("*").Id(field.propertiesType())).Id("decodeFast").
			Params(Id("b").Index().Byte(), Id("i").Int(), Id("v").Id("Version")).Int().
			BlockFunc(func(g *Group) {
				g.List(Id("i"), Id("end")).Op(":=").Id("blockAt").Call(Id("b"), Id("i"))
				g.If(Id("i").Op("==").Id("end")).Block(Return(Id("i")))
				for _, a := range field.Allow {
					if a.Many {
						g.Var().Id(lowerFirst(a.As)).Id("span")
					}
				}
				g.Id("b").Op("=").Id("b").Index(Op(":").Id("end"))
				g.For(Uint().Call(Id("i")).Op("<").Uint().Call(Len(Id("b")))).Block(
					Switch(Id("b").Index(Id("i"))).BlockFunc(func(g *Group) {
						for _, a := range field.Allow {
							a.emitFast(g)
						}
						g.Default().Block(Return(Lit(-1)))
					}),
				)
				for _, a := range field.Allow {
					if a.Many {
						span := Id(lowerFirst(a.As))
						g.If(span.Clone().Dot("n").Op(">").Lit(0)).Block(
							Id("p").Dot(a.As).Dot("r").Op("=").Add(span.Clone()).Dot("repeated").Call(Id("b")))
					}
				}
				g.Return(Id("i"))
			})
	}
}

// emitFast reads one property.
func (a *Allowed) emitFast(g *Group) {
	g.Case(Id("property" + a.Name)).BlockFunc(func(g *Group) {
		switch a.From {
		case "client":
			g.If(Id("v").Op("&").Id("fromServer").Op("!=").Lit(0)).Block(Return(Lit(-1)))
		case "server":
			g.If(Id("v").Op("&").Id("fromClient").Op("!=").Lit(0)).Block(Return(Lit(-1)))
		}
		next := Id("i").Op("+").Lit(1)
		if a.Many {
			g.Id("at").Op(":=").Id("i")
			if a.Wire == "pair" {
				g.Id("i").Op("=").Id("pairAt").Call(Id("b"), next, Id("v"))
				g.If(Id("i").Op("<").Lit(0)).Block(Return(Lit(-1)))
			} else {
				g.Var().Id("x").Uint32()
				g.List(Id("x"), Id("i")).Op("=").Add(fastRead(a.Wire, a.Property.Checks, "b", next, nil))
				failed := Id("i").Op("<").Lit(0)
				if e := outOfRange(a.Wire, a.Property.Checks, Id("x")); e != nil {
					failed = e // a value that is not there reads as 0
				}
				g.If(failed).Block(Return(Lit(-1)))
			}
			g.Id(lowerFirst(a.As)).Dot("add").Call(Id("at"), Id("i"))
			return
		}
		target := Id("p").Dot(a.As)
		g.If(target.Clone().Dot("Set")).Block(Return(Lit(-1)))
		g.Add(target.Clone()).Dot("Set").Op("=").True()
		g.List(target.Clone().Dot("Value"), Id("i")).Op("=").Add(fastRead(a.Wire, a.Property.Checks, "b", next, nil))
		if e := outOfRange(a.Wire, a.Property.Checks, target.Clone().Dot("Value")); e != nil {
			g.If(e).Block(Return(Lit(-1)))
		}
	})
}

// linkIsV5 returns the expression that v is v5.0.
func linkIsV5() *Statement { return Id("v").Dot("IsV5").Call() }
