package gen

import (
	"strings"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// blocks returns the property blocks of s and of the groups inside it, by
// their path in Go.
func (s *Record) blocks(path string) map[string]*Field {
	all := map[string]*Field{}
	for _, f := range s.Fields {
		switch f.Wire {
		case "properties":
			all[path+f.Name] = f
		case "group":
			for p, inner := range f.Struct.blocks(path + f.valuePath() + ".") {
				all[p] = inner
			}
		}
	}
	return all
}

// valuePath returns the Go field that holds the value, from its struct.
func (f *Field) valuePath() string {
	if f.Present {
		return f.Name + ".Value"
	}
	return f.Name
}

// sizeVar returns the variable that holds the length of a property block.
func sizeVar(path string) string {
	return lowerFirst(strings.ReplaceAll(strings.ReplaceAll(path, ".Value", ""), ".", ""))
}

// emitAppend writes AppendTo, Size and what they need.
func (p *Packet) emitAppend(f *File) {
	blocks := sortedKeys(p.Root.blocks(""))
	p.emitSizes(f, blocks)
	f.Add(lineComment("Size returns the size in bytes of the whole packet."))
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("Size").Params(Id("v").Id("Version")).Int().BlockFunc(func(g *Group) {
		g.ListFunc(func(g *Group) {
			g.Id("remaining")
			for range blocks {
				g.Id("_")
			}
		}).Op(":=").Id("p").Dot("sizes").Call(Id("v"))
		g.Return(Lit(1).Op("+").Id("varintSize").Call(Id("remaining")).Op("+").Id("remaining"))
	})
	last := p.Root.last()
	f.Add(lineComment("AppendTo appends the packet to dst. It validates p first; on an error, which is an *Error, dst is returned as it was."))
	if last != nil && last.Wire == "rest" {
		f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("AppendTo").Params(Id("dst").Index().Byte(), Id("v").Id("Version")).Params(Index().Byte(), Error()).Block(
			List(Id("dst"), Err()).Op(":=").Id("p").Dot("AppendHeaderTo").Call(Id("dst"), Id("v")),
			If(Err().Op("!=").Nil()).Block(Return(Id("dst"), Err())),
			Return(Append(Id("dst"), Id("p").Dot(last.Name).Op("...")), Nil()),
		)
		f.Add(lineComment("AppendHeaderTo appends all of the packet but its " + strings.ToLower(last.Name) + ", which the caller sends after it. Its size is part of the Remaining Length."))
		p.emitAppendTo(f, "AppendHeaderTo", blocks)
		return
	}
	if p.isAcknowledgement() {
		p.emitBareAppend(f)
		p.emitAppendTo(f, "appendMore", blocks)
		return
	}
	p.emitAppendTo(f, "AppendTo", blocks)
}

// last returns the last field on the wire, or nil.
func (s *Record) last() *Field {
	if len(s.Fields) == 0 {
		return nil
	}
	return s.Fields[len(s.Fields)-1]
}

// emitSizes writes the method that returns the Remaining Length and the
// lengths of the property blocks.
func (p *Packet) emitSizes(f *File, blocks []string) {
	f.Comment("// sizes returns the Remaining Length and the lengths of the property blocks.")
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("sizes").Params(Id("v").Id("Version")).ParamsFunc(func(g *Group) {
		g.ListFunc(func(g *Group) {
			g.Id("remaining")
			for _, b := range blocks {
				g.Id(sizeVar(b))
			}
		}).Int()
	}).BlockFunc(func(g *Group) {
		for _, f := range p.Root.Fields {
			f.emitSize(g, "")
		}
		g.Return()
	})
}

// emitSize adds the size of a field to remaining. An optional reason code is
// counted with the properties after it, whose size tells whether it is there.
func (f *Field) emitSize(g *Group, path string) {
	if f.Optional && f.Wire == "reason_code" {
		return
	}
	guard := f.writeGuard(path)
	if guard == nil {
		f.emitSizeOf(g, path)
		return
	}
	g.If(guard).BlockFunc(func(g *Group) {
		f.emitSizeOf(g, path)
		if f.Optional {
			g.If(Id(sizeVar(path + f.valuePath())).Op(">").Lit(0).Op("||").Add(member("p", path+f.Partner.Name)).Op("!=").Lit(0)).Block(
				Id("remaining").Op("++"))
		}
	})
}

// emitSizeOf adds the size of a field that is on the wire.
func (f *Field) emitSizeOf(g *Group, path string) {
	value := member("p", path+f.valuePath())
	switch f.Wire {
	case "group":
		for _, inner := range f.Struct.Fields {
			inner.emitSize(g, path+f.valuePath()+".")
		}
	case "utf8_list":
		g.For(List(Id("_"), Id("s")).Op(":=").Range().Add(value)).Block(Id("remaining").Op("+=").Lit(2).Op("+").Len(Id("s")))
	case "list":
		g.For(Id("i").Op(":=").Range().Add(value)).Block(Id("remaining").Op("+=").Add(value.Clone()).Index(Id("i")).Dot("size").Call(Id("v")))
	case "properties":
		n := sizeVar(path + f.valuePath())
		g.If(Op("!").Add(value.Clone()).Dot("none").Call()).Block(Id(n).Op("=").Add(value).Dot("size").Call())
		whole := Id("remaining").Op("+=").Id("varintSize").Call(Id(n)).Op("+").Id(n)
		if f.Optional {
			g.If(Id(n).Op(">").Lit(0)).Block(whole)
		} else {
			g.Add(whole)
		}
	default:
		g.Id("remaining").Op("+=").Add(scalarSize(f.Wire, value))
	}
}

// scalarSize returns the expression of the size of a single value.
func scalarSize(wire string, value *Statement) *Statement {
	switch wire {
	case "protocol_name":
		return Lit(6)
	case "u16":
		return Lit(2)
	case "u32":
		return Lit(4)
	case "varint":
		return Id("varintSize").Call(Int().Call(value))
	case "utf8", "binary":
		return Lit(2).Op("+").Len(value)
	case "rest", "reason_codes":
		return Len(value)
	case "packet_id":
		return Id("packetIDSize").Call(Id("v"))
	}
	return Lit(1)
}

// writeGuard returns the condition under which the field is written, apart
// from optional ones, or nil.
func (f *Field) writeGuard(path string) *Statement {
	switch {
	case f.V5:
		return Id("v").Dot("IsV5").Call()
	case f.When != nil:
		when := *f.When
		when.Path = path + when.Path
		return when.expr("p")
	case f.Present:
		return member("p", path+f.Name).Dot("Set")
	}
	return nil
}

// emitAppendTo writes the method that appends the packet.
func (p *Packet) emitAppendTo(f *File, name string, blocks []string) {
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id(name).Params(Id("dst").Index().Byte(), Id("v").Id("Version")).Params(Index().Byte(), Error()).BlockFunc(func(g *Group) {
		g.Id("c").Op(":=").Id("checker").Values(Id("v").Op(":").Id("v"))
		g.If(Id("p").Dot("check").Call(Op("&").Id("c")), Id("c").Dot("err").Op("!=").Nil()).Block(Return(Id("dst"), Id("c").Dot("err")))
		g.ListFunc(func(g *Group) {
			g.Id("remaining")
			for _, b := range blocks {
				g.Id(sizeVar(b))
			}
		}).Op(":=").Id("p").Dot("sizes").Call(Id("v"))
		g.If(Id("remaining").Op(">").Id("MaxRemaining")).Block(
			Return(Id("dst"), Id(lowerFirst(p.Go)+"Packet").Dot("fault").Call(Id("faultPacketSize"), Id("v"), Lit(-1))))
		g.Id("dst").Op("=").Id("appendHeader").Call(Id("dst"), p.firstByte(), Id("remaining"))
		for _, field := range p.Root.Fields {
			field.emitAppend(g, "")
		}
		g.Return(Id("dst"), Nil())
	})
}

// emitBareAppend writes AppendTo of an acknowledgement, which appends a Packet
// Identifier of two bytes and nothing else in one go, and leaves the longer
// forms to appendMore.
func (p *Packet) emitBareAppend(f *File) {
	id, code, block := p.Root.Fields[0], p.Root.Fields[1], p.Root.Fields[2]
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("AppendTo").Params(Id("dst").Index().Byte(), Id("v").Id("Version")).Params(Index().Byte(), Error()).Block(
		If(Id("id").Op(":=").Id("p").Dot(id.Name), Id("id").Op("-").Lit(1).Op("<").Lit(65535).Op("&&").Id("p").Dot(code.Name).Op("==").Lit(0).
			Op("&&").Id("p").Dot(block.Name).Dot("none").Call().Op("&&").Id("v").Dot("plain").Call()).Block(
			Return(Append(Id("dst"), p.firstByte(), Lit(2), Byte().Call(Id("id").Op(">>").Lit(8)), Byte().Call(Id("id"))), Nil())),
		Return(Id("p").Dot("appendMore").Call(Id("dst"), Id("v"))),
	)
	f.Comment("// appendMore is AppendTo for a packet that is more than a Packet Identifier.")
}

// firstByte returns the expression of the first byte of the packet.
func (p *Packet) firstByte() *Statement {
	if p.Fixed != nil {
		return hexLit(p.Type<<4 | p.Fixed.Value)
	}
	return hexLit(p.Type << 4).Add(orBits(p.Flags, ""))
}

// orBits returns the expression "|a|b" that puts bits into their byte. path is
// that of the struct that the byte stands in.
func orBits(bits []*Bit, path string) *Statement {
	e := Null()
	for _, b := range bits {
		value := member("p", path+b.goPath())
		switch {
		case b.Present != nil:
			e = e.Op("|").Id("bit").Call(member("p", path+b.Present.Name).Dot("Set"), hexLit(b.Mask()))
		case b.Reserved():
			if b.Value != 0 {
				e = e.Op("|").Add(hexLit(b.Value << b.Shift))
			}
		case b.Go == "bool":
			e = e.Op("|").Id("bit").Call(value, hexLit(b.Mask()))
		case b.Shift > 0:
			e = e.Op("|").Byte().Call(value).Op("<<").Lit(b.Shift)
		default:
			e = e.Op("|").Byte().Call(value)
		}
	}
	return e
}

// emitAppend appends one field. What a packet ends with is the caller's part.
func (f *Field) emitAppend(g *Group, path string) {
	if f.Wire == "rest" {
		return
	}
	guard := f.writeGuard(path)
	if f.Optional {
		guard = guard.Op("&&").Add(f.wanted(path))
	}
	if guard == nil {
		f.emitAppendOf(g, path)
		return
	}
	g.If(guard).BlockFunc(func(g *Group) { f.emitAppendOf(g, path) })
}

// wanted returns the condition that an optional field, or one after it, has a
// value.
func (f *Field) wanted(path string) *Statement {
	if f.Wire == "reason_code" {
		return Parens(Id(sizeVar(path + f.Partner.Name)).Op(">").Lit(0).Op("||").Add(member("p", path+f.Name)).Op("!=").Lit(0))
	}
	return Id(sizeVar(path + f.Name)).Op(">").Lit(0)
}

// emitAppendOf appends a field that is on the wire.
func (f *Field) emitAppendOf(g *Group, path string) {
	value := member("p", path+f.valuePath())
	switch f.Wire {
	case "group":
		for _, inner := range f.Struct.Fields {
			inner.emitAppend(g, path+f.valuePath()+".")
		}
	case "utf8_list":
		g.For(List(Id("_"), Id("s")).Op(":=").Range().Add(value)).Block(Id("dst").Op("=").Id("appendBinary").Call(Id("dst"), Id("s")))
	case "reason_codes":
		g.For(List(Id("_"), Id("code")).Op(":=").Range().Add(value)).Block(Id("dst").Op("=").Add(f.appendReason(Id("code"))))
	case "list":
		g.For(Id("i").Op(":=").Range().Add(value)).Block(Id("dst").Op("=").Add(value.Clone()).Index(Id("i")).Dot("appendTo").Call(Id("dst"), Id("v")))
	case "properties":
		f.emitAppendBlock(g, value, Id(sizeVar(path+f.valuePath())))
	default:
		g.Id("dst").Op("=").Add(f.appendScalar(value, path))
	}
}

// emitAppendBlock appends a property block of n bytes. An optional one is left
// out where it is empty.
func (f *Field) emitAppendBlock(g *Group, value, n *Statement) {
	all := Id("dst").Op("=").Add(value).Dot("appendTo").Call(Id("dst"), n)
	if f.Optional {
		g.Add(all)
		return
	}
	g.If(n.Clone().Op("==").Lit(0)).Block(Id("dst").Op("=").Append(Id("dst"), Lit(0))).Else().Block(all)
}

// appendScalar returns the expression that appends a single value.
func (f *Field) appendScalar(value *Statement, path string) *Statement {
	switch f.Wire {
	case "protocol_name":
		return Append(Id("dst"), LitRune(0), Lit(4), LitRune('M'), LitRune('Q'), LitRune('T'), LitRune('T'))
	case "protocol_level":
		return Append(Id("dst"), Id("v").Dot("Level").Call())
	case "bits":
		return Append(Id("dst"), Lit(0).Add(orBits(f.Bits, path)))
	case "reason_code":
		return f.appendReason(value)
	case "u16":
		return Id("appendU16").Call(Id("dst"), value)
	case "u32":
		return Id("appendU32").Call(Id("dst"), value)
	case "varint":
		return Id("appendVarint").Call(Id("dst"), value)
	case "utf8", "binary":
		return Id("appendBinary").Call(Id("dst"), value)
	case "packet_id":
		return Id("appendPacketID").Call(Id("dst"), value, Id("v"))
	}
	return Append(Id("dst"), value)
}

// appendReason returns the expression that appends a reason code, which v3.1.1
// writes as a return code.
func (f *Field) appendReason(value *Statement) *Statement {
	if f.V5 {
		return Append(Id("dst"), Byte().Call(value))
	}
	return Append(Id("dst"), Id("wireReason").Call(value, Id("Type"+f.packetGo()), Id("v")))
}

// emitPropertyAppend writes the methods that measure and append the property
// blocks of s, and those of a list element.
func (s *Record) emitPropertyAppend(f *File) {
	if s.List {
		s.emitElement(f)
	}
	for _, field := range s.Fields {
		if field.Wire != "properties" {
			continue
		}
		recv := Id("p").Op("*").Id(field.propertiesType())
		f.Comment("// none reports whether no property is set.")
		f.Func().Params(recv.Clone()).Id("none").Params().Bool().BlockFunc(func(g *Group) {
			var all []*Statement
			for _, a := range field.Allow {
				if a.Many {
					all = append(all, Id("p").Dot(a.As).Dot("r").Dot("block").Op("==").Nil())
				} else {
					all = append(all, Op("!").Id("p").Dot(a.As).Dot("Set"))
				}
			}
			g.Return(and(all))
		})
		f.Comment("// size returns the Property Length.")
		f.Func().Params(recv).Id("size").Params().Params(Id("n").Int()).BlockFunc(func(g *Group) {
			for _, a := range field.Allow {
				if a.Many {
					g.Id("n").Op("+=").Id("p").Dot(a.As).Dot("r").Dot("size").Call(Id("property" + a.Name))
					continue
				}
				g.If(a.isSet()).Block(Id("n").Op("+=").Add(a.size()))
			}
			g.Return(Id("n"))
		})
		f.Comment("// appendTo appends the Property Length n and the properties.")
		f.Func().Params(recv.Clone()).Id("appendTo").Params(Id("dst").Index().Byte(), Id("n").Int()).Index().Byte().BlockFunc(func(g *Group) {
			g.Id("dst").Op("=").Id("appendVarint").Call(Id("dst"), Uint32().Call(Id("n")))
			for _, a := range field.Allow {
				if a.Many {
					g.Id("dst").Op("=").Id("p").Dot(a.As).Dot("r").Dot("appendTo").Call(Id("dst"), Id("property"+a.Name))
					continue
				}
				g.If(a.isSet()).Block(Id("dst").Op("=").Add(a.append()))
			}
			g.Return(Id("dst"))
		})
	}
}

// size returns the expression of the size of a property that is set.
func (a *Allowed) size() *Statement {
	value := Id("p").Dot(a.As).Dot("Value")
	switch a.Wire {
	case "u8":
		return Lit(2)
	case "u16":
		return Lit(3)
	case "u32":
		return Lit(5)
	case "varint":
		return Lit(1).Op("+").Id("varintSize").Call(Int().Call(value))
	}
	return Lit(3).Op("+").Len(value)
}

// append returns the expression that appends a property.
func (a *Allowed) append() *Statement {
	value := Id("p").Dot(a.As).Dot("Value")
	id := Id("property" + a.Name)
	switch a.Wire {
	case "u8":
		return Append(Id("dst"), id, value)
	case "u16":
		return Id("appendU16").Call(Append(Id("dst"), id), value)
	case "u32":
		return Id("appendU32").Call(Append(Id("dst"), id), value)
	case "varint":
		return Id("appendVarint").Call(Append(Id("dst"), id), value)
	}
	return Id("appendBinary").Call(Append(Id("dst"), id), value)
}

// emitElement writes the methods that measure and append a list element.
func (s *Record) emitElement(f *File) {
	recv := Id("p").Op("*").Id(s.Go)
	f.Func().Params(recv).Id("size").Params(Id("v").Id("Version")).Params(Id("remaining").Int()).BlockFunc(func(g *Group) {
		for _, field := range s.Fields {
			field.emitSize(g, "")
		}
		g.Return(Id("remaining"))
	})
	f.Func().Params(recv.Clone()).Id("appendTo").Params(Id("dst").Index().Byte(), Id("v").Id("Version")).Index().Byte().BlockFunc(func(g *Group) {
		for _, field := range s.Fields {
			field.emitAppend(g, "")
		}
		g.Return(Id("dst"))
	})
}
