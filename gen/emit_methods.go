package gen

import (
	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitClone writes Clone and Reset.
func (p *Packet) emitClone(f *File) {
	recv := Id("p").Op("*").Id(p.Go)
	f.Add(lineComment("Clone returns a copy of p that owns its bytes."))
	f.Func().Params(recv).Id("Clone").Params().Op("*").Id(p.Go).Block(
		Id("q").Op(":=").Op("*").Id("p"),
		Var().Id("o").Id("owner"),
		Id("q").Dot("own").Call(Op("&").Id("o")),
		If(Id("o").Dot("allocate").Call()).Block(Id("q").Dot("own").Call(Op("&").Id("o"))),
		Return(Op("&").Id("q")),
	)
	f.Func().Params(recv.Clone()).Id("clone").Params().Id("Packet").Block(Return(Id("p").Dot("Clone").Call()))
	f.Add(lineComment("Reset empties p; lists keep their memory."))
	f.Func().Params(recv.Clone()).Id("Reset").Params().Block(
		Op("*").Id("p").Op("=").Id(p.Go).ValuesFunc(func(g *Group) {
			for _, field := range p.Root.Fields {
				switch field.Wire {
				case "list", "utf8_list", "reason_codes":
					g.Id(field.Name).Op(":").Id("p").Dot(field.Name).Index(Op(":").Lit(0))
				}
			}
		}))
}

// emitOwn writes the method that hands each borrowed field to an owner.
func (s *Record) emitOwn(f *File) {
	f.Func().Params(Id("p").Op("*").Id(s.Go)).Id("own").Params(Id("o").Op("*").Id("owner")).BlockFunc(func(g *Group) {
		for _, field := range s.Fields {
			value := Id("p").Dot(field.Name)
			if field.Present {
				value = value.Dot("Value")
			}
			switch field.Wire {
			case "utf8", "binary", "rest":
				g.Id("o").Dot("bytes").Call(Op("&").Add(value))
			case "group":
				g.Add(value).Dot("own").Call(Id("o"))
			case "list":
				g.Id("ownList").Call(Id("o"), Op("&").Add(value))
				g.For(Id("i").Op(":=").Range().Add(value.Clone())).Block(value.Clone().Index(Id("i")).Dot("own").Call(Id("o")))
			case "utf8_list":
				g.Id("ownList").Call(Id("o"), Op("&").Add(value))
				g.For(Id("i").Op(":=").Range().Add(value.Clone())).Block(Id("o").Dot("bytes").Call(Op("&").Add(value.Clone()).Index(Id("i"))))
			case "reason_codes":
				g.Id("ownList").Call(Id("o"), Op("&").Add(value))
			case "properties":
				for _, a := range field.Allow {
					prop := value.Clone().Dot(a.As)
					switch {
					case a.Many:
						g.Id("o").Dot("repeated").Call(Op("&").Add(prop).Dot("r"), Id("property"+a.Name))
					case propertyWires[a.Wire] == "Bytes":
						g.Id("o").Dot("bytes").Call(Op("&").Add(prop).Dot("Value"))
					}
				}
			}
		}
	})
}

// emitDescribe writes String, LogValue and the method that both are made of.
func (p *Packet) emitDescribe(f *File) {
	recv := Id("p").Op("*").Id(p.Go)
	f.Add(lineComment("String returns one line with all fields that are set. User names, passwords and authentication data do not show, payloads by their size alone."))
	f.Func().Params(recv).Id("String").Params().String().Block(Return(Id("describe").Call(Id("p"))))
	f.Add(lineComment("LogValue returns the fields that String shows as a group of attributes."))
	f.Func().Params(recv.Clone()).Id("LogValue").Params().Qual("log/slog", "Value").Block(Return(Id("logValue").Call(Id("p"))))
	f.Func().Params(recv.Clone()).Id("show").Params(Id("d").Op("*").Id("description")).BlockFunc(func(g *Group) {
		p.Root.emitShow(g, "", "")
	})
	for _, s := range p.Root.structs() {
		if s.List {
			f.Func().Params(Id("p").Op("*").Id(s.Go)).Id("show").Params(Id("d").Op("*").Id("description")).BlockFunc(func(g *Group) {
				s.emitShow(g, "", "")
			})
		}
	}
}

// emitShow adds the fields of a struct to a description.
func (s *Record) emitShow(g *Group, path, label string) {
	show := func(g *Group, method, name string, value ...Code) {
		g.Id("d").Dot(method).Call(append([]Code{Lit(label + name)}, value...)...)
	}
	for _, b := range s.Head {
		show(g, bitMethod(b), b.Name, bitValue(b, path+b.Name))
	}
	for _, f := range s.Fields {
		for _, b := range f.Bits {
			if b.Owner == "" && b.Name != "" {
				show(g, bitMethod(b), b.Name, bitValue(b, path+b.Name))
			}
		}
		if !f.hasMember() {
			continue
		}
		if f.Present {
			g.If(member("p", path+f.Name).Dot("Set")).BlockFunc(func(g *Group) { f.emitShow(g, path, label, show) })
			continue
		}
		f.emitShow(g, path, label, show)
	}
}

// bitMethod returns the method of a description that shows bits.
func bitMethod(b *Bit) string {
	if b.Go == "bool" {
		return "flag"
	}
	return "number"
}

// bitValue returns its argument.
func bitValue(b *Bit, path string) *Statement {
	if b.Go == "bool" {
		return member("p", path)
	}
	return Uint32().Call(member("p", path))
}

// emitShow adds a field to a description.
func (f *Field) emitShow(g *Group, path, label string, show func(g *Group, method, name string, value ...Code)) {
	value := member("p", path+f.valuePath())
	switch {
	case f.Secret:
		show(g, "secret", f.Name)
	case f.Payload:
		show(g, "payload", f.Name, value)
	case f.Wire == "group":
		f.Struct.emitShow(g, path+f.valuePath()+".", label+f.Name+".")
	case f.Wire == "properties":
		for _, a := range f.Allow {
			a.emitShow(g, path+f.valuePath()+".", label)
		}
	case f.Wire == "list":
		g.For(Id("i").Op(":=").Range().Add(value)).Block(
			Id("d").Dot("element").Call(Lit(label+f.Name), Id("i"), Op("&").Add(value.Clone()).Index(Id("i"))))
	case f.Wire == "utf8_list":
		g.For(List(Id("_"), Id("s")).Op(":=").Range().Add(value)).BlockFunc(func(g *Group) { show(g, "text", f.Name, Id("s")) })
	case f.Wire == "reason_codes":
		show(g, "reasons", f.Name, value, Id("Type"+f.packetGo()))
	case f.Wire == "reason_code":
		show(g, "reason", f.Name, value, Id("Type"+f.packetGo()))
	case scalarWires[f.Wire] == "Bytes" || f.Wire == "rest":
		show(g, "text", f.Name, value)
	default:
		show(g, "number", f.Name, Uint32().Call(value))
	}
}

// emitShow adds a property to a description.
func (a *Allowed) emitShow(g *Group, path, label string) {
	value := member("p", path+a.As)
	if a.Many {
		method := "identifiers"
		if a.Wire == "pair" {
			method = "users"
		}
		g.Id("d").Dot(method).Call(Lit(label+a.As), Op("&").Add(value))
		return
	}
	var show *Statement
	switch {
	case a.Secret:
		show = Id("d").Dot("secret").Call(Lit(label + a.As))
	case propertyWires[a.Wire] == "Bytes":
		show = Id("d").Dot("text").Call(Lit(label+a.As), value.Clone().Dot("Value"))
	default:
		show = Id("d").Dot("some").Call(Lit(label+a.As), Uint32().Call(value.Clone().Dot("Value")))
	}
	g.If(value.Clone().Dot("Set")).Block(show)
}

// emitJSON writes MarshalJSON and UnmarshalJSON.
func (p *Packet) emitJSON(f *File) {
	plain := lowerFirst(p.Go) + "JSON"
	f.Comment("// " + plain + " has the fields of " + p.Go + " without its methods.")
	f.Type().Id(plain).Id(p.Go)
	f.Add(lineComment("MarshalJSON writes p as an object whose keys are the names of the Go fields, and Packet for the name of the packet. Fields that are not set are left out."))
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("MarshalJSON").Params().Params(Index().Byte(), Error()).Block(
		Return(Id("marshalPacket").Call(Lit(p.Name), Parens(Op("*").Id(plain)).Call(Id("p")))))
	f.Add(lineComment("UnmarshalJSON reads what MarshalJSON writes. It refuses unknown keys and checks no rule; Validate does."))
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("UnmarshalJSON").Params(Id("data").Index().Byte()).Error().Block(
		Op("*").Id("p").Op("=").Id(p.Go).Values(),
		Return(Id("unmarshalPacket").Call(Id("data"), Lit(p.Name), Parens(Op("*").Id(plain)).Call(Id("p")))))
}
