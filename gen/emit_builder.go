package gen

import (
	"fmt"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitBuilder writes the builder of a packet.
func (p *Packet) emitBuilder(f *File) {
	name := p.Go + "Builder"
	f.Add(lineComment(fmt.Sprintf("%s builds a %s field by field, see New%s.", name, p.Name, p.Go)))
	f.Type().Id(name).Struct(Id("p").Id(p.Go))
	f.Add(lineComment(fmt.Sprintf("New%s begins a %s. Build ends it.", p.Go, p.Name)))
	f.Func().Id("New" + p.Go).ParamsFunc(func(g *Group) {
		for _, field := range p.New {
			g.Id(lowerFirst(field.Name)).Add(field.argument())
		}
	}).Op("*").Id(name).BlockFunc(func(g *Group) {
		g.Id("b").Op(":=").New(Id(name))
		for _, field := range p.New {
			g.Id("b").Dot("p").Dot(field.Name).Op("=").Add(field.convert(Id(lowerFirst(field.Name))))
		}
		g.Return(Id("b"))
	})
	for _, b := range p.Root.Head {
		b.emitSetter(f, name)
	}
	for _, field := range p.Root.Fields {
		for _, b := range field.Bits {
			if b.Owner == "" {
				b.emitSetter(f, name)
			}
		}
		field.emitSetter(f, name, p)
	}
	f.Add(lineComment("Build returns the packet, or the first rule of version v that it breaks, as an *Error."))
	f.Func().Params(Id("b").Op("*").Id(name)).Id("Build").Params(Id("v").Id("Version")).Params(Op("*").Id(p.Go), Error()).Block(
		If(Err().Op(":=").Id("b").Dot("p").Dot("Validate").Call(Id("v")), Err().Op("!=").Nil()).Block(Return(Nil(), Err())),
		Return(Op("&").Id("b").Dot("p"), Nil()),
	)
}

// setter writes one method of a builder.
func setter(f *File, builder, method, doc string, params []Code, body ...Code) {
	f.Add(lineComment(method + " " + doc))
	f.Func().Params(Id("b").Op("*").Id(builder)).Id(method).Params(params...).Op("*").Id(builder).Block(
		append(body, Return(Id("b")))...)
}

// emitSetter writes the method that sets bits, and the field that goes with
// them.
func (b *Bit) emitSetter(f *File, builder string) {
	if b.Name == "" {
		return
	}
	params := []Code{Id("value").Id(b.Go)}
	body := []Code{Id("b").Dot("p").Dot(b.Name).Op("=").Id("value")}
	doc := "sets what " + b.Doc
	if b.With != nil {
		params = append(params, Id(lowerFirst(b.With.Name)).Add(b.With.argument()))
		body = append(body, Id("b").Dot("p").Dot(b.With.Name).Op("=").Id(lowerFirst(b.With.Name)))
		doc = fmt.Sprintf("sets %s, and %s with it, which is 0 where there is none.", b.Name, b.With.Name)
	}
	setter(f, builder, b.Name, doc, params, body...)
}

// argument returns the type that a builder takes for the field: strings for
// text.
func (f *Field) argument() *Statement {
	switch f.Wire {
	case "utf8":
		return String()
	case "binary", "rest":
		return Index().Byte()
	}
	return f.plainType()
}

// convert returns the argument of a builder as a value of the field.
func (f *Field) convert(value *Statement) *Statement {
	if scalarWires[f.Wire] == "Bytes" || f.Wire == "rest" {
		value = Id("Bytes").Call(value)
	}
	if f.Present {
		return Id("Some").Call(value)
	}
	return value
}

// emitSetter writes the methods that set a field or its properties, unless the
// constructor or the method of some bits does.
func (f *Field) emitSetter(file *File, builder string, p *Packet) {
	for _, given := range p.New {
		if given == f {
			return
		}
	}
	for _, b := range p.Flags {
		if b.With == f {
			return
		}
	}
	if !f.hasMember() {
		return
	}
	target := Id("b").Dot("p").Dot(f.Name)
	doc := "sets what " + f.Doc
	switch f.Wire {
	case "properties":
		for _, a := range f.Allow {
			a.emitSetter(file, builder, target)
		}
	case "list", "reason_codes":
		element := Id("ReasonCode")
		if f.Wire == "list" {
			element = Id(f.Struct.Go)
		}
		setter(file, builder, f.Name, "appends to what "+f.Doc, []Code{Id("values").Op("...").Add(element)},
			target.Clone().Op("=").Append(target.Clone(), Id("values").Op("...")))
	case "utf8_list":
		setter(file, builder, f.Name, "appends to what "+f.Doc, []Code{Id("values").Op("...").String()},
			For(List(Id("_"), Id("s")).Op(":=").Range().Id("values")).Block(
				target.Clone().Op("=").Append(target.Clone(), Id("Bytes").Call(Id("s")))))
	default:
		setter(file, builder, f.Name, doc, []Code{Id("value").Add(f.argument())},
			target.Clone().Op("=").Add(f.convert(Id("value"))))
	}
}

// emitSetter writes the method that sets a property.
func (a *Allowed) emitSetter(f *File, builder string, properties *Statement) {
	target := properties.Clone().Dot(a.As)
	doc := "sets what " + a.Doc
	switch {
	case a.Many && a.Wire == "pair":
		setter(f, builder, a.Name, "appends a pair of strings. It can be called several times.",
			[]Code{Id("name"), Id("value").String()}, target.Dot("Add").Call(Id("name"), Id("value")))
	case a.Many:
		setter(f, builder, a.Name, "appends one. It can be called several times.",
			[]Code{Id("value").Uint32()}, target.Dot("Add").Call(Id("value")))
	case a.Wire == "utf8":
		setter(f, builder, a.Name, doc, []Code{Id("value").String()}, target.Op("=").Id("Text").Call(Id("value")))
	case a.Wire == "binary":
		setter(f, builder, a.Name, doc, []Code{Id("value").Index().Byte()}, target.Op("=").Id("Some").Call(Id("Bytes").Call(Id("value"))))
	default:
		setter(f, builder, a.Name, doc, []Code{Id("value").Id(propertyWires[a.Wire])}, target.Op("=").Id("Some").Call(Id("value")))
	}
}
