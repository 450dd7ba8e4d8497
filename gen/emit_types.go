package gen

import (
	"strings"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// omitZero and omitEmpty keep what is not set out of JSON.
var (
	omitZero  = map[string]string{"json": ",omitzero"}
	omitEmpty = map[string]string{"json": ",omitempty"}
)

// emitType writes a struct type.
func (s *Record) emitType(f *File) {
	doc := s.Doc
	if s.Packet.Root == s {
		doc += " " + sections(s.Packet.Refs)
	} else if s.List {
		doc = s.Go + " is one element of " + s.Packet.Name + "."
	} else {
		doc = s.Go + " " + doc
	}
	f.Add(lineComment(doc))
	f.Type().Id(s.Go).StructFunc(func(g *Group) {
		for _, b := range s.Head {
			b.emitMember(g)
		}
		for _, field := range s.Fields {
			field.emitMember(g)
		}
	})
}

// emitMember writes the Go field of bits that hold a value.
func (b *Bit) emitMember(g *Group) {
	if b.Name == "" {
		return
	}
	g.Add(lineComment(b.Name + " " + b.Doc))
	g.Id(b.Name).Id(b.Go).Tag(omitZero)
}

// emitMember writes the Go fields of a field on the wire.
func (f *Field) emitMember(g *Group) {
	for _, b := range f.Bits {
		if b.Owner == "" {
			b.emitMember(g)
		}
	}
	if !f.hasMember() {
		return
	}
	g.Add(lineComment(f.Name + " " + f.Doc))
	tag := omitZero
	if f.isList() {
		tag = omitEmpty
	}
	g.Id(f.Name).Add(f.goType()).Tag(tag)
}

// isList reports whether the field is a Go slice of elements.
func (f *Field) isList() bool {
	return f.Wire == "list" || f.Wire == "utf8_list" || f.Wire == "reason_codes"
}

// hasMember reports whether the field has a Go field of its own.
func (f *Field) hasMember() bool {
	switch f.Wire {
	case "bits", "protocol_name", "protocol_level":
		return false
	}
	return true
}

// goType returns the type of the Go field.
func (f *Field) goType() *Statement {
	t := f.plainType()
	if f.Present {
		return Id("Opt").Types(t)
	}
	return t
}

// plainType returns the type of the value, whether it is optional or not.
func (f *Field) plainType() *Statement {
	switch f.Wire {
	case "properties":
		return Id(f.propertiesType())
	case "group":
		return Id(f.Struct.Go)
	case "list":
		return Index().Id(f.Struct.Go)
	case "utf8_list":
		return Index().Id("Bytes")
	case "reason_codes":
		return Index().Id("ReasonCode")
	case "rest":
		return Id("Bytes")
	}
	return Id(scalarWires[f.Wire])
}

// propertiesType returns the name of the struct of a property block, such as
// PublishProperties or WillProperties.
func (f *Field) propertiesType() string { return f.In.Go + f.Name }

// emitPropertyTypes writes the struct of each property block of s.
func (s *Record) emitPropertyTypes(f *File) {
	for _, field := range s.Fields {
		if field.Wire != "properties" {
			continue
		}
		f.Add(lineComment(field.propertiesType() + " are the properties of " + field.ownerName(s) + ". (v5.0 2.2.2)"))
		f.Type().Id(field.propertiesType()).StructFunc(func(g *Group) {
			for _, a := range field.Allow {
				g.Add(lineComment(a.As + " " + strings.TrimSpace(a.Doc) + " (v5.0 " + a.Ref + ")"))
				g.Id(a.As).Add(a.goType()).Tag(omitZero)
			}
		})
	}
}

// ownerName returns what a property block belongs to, for people.
func (f *Field) ownerName(s *Record) string {
	if s.Packet.Root == s {
		return s.Packet.Name
	}
	return "the " + s.Go + " of " + s.Packet.Name
}

// goType returns the type of the Go field of a property.
func (a *Allowed) goType() *Statement {
	switch {
	case a.Many && a.Wire == "pair":
		return Id("UserProperties")
	case a.Many:
		return Id("SubscriptionIdentifiers")
	}
	return Id("Opt").Types(Id(propertyWires[a.Wire]))
}

// emitFields writes the descriptors that errors take names and rules from.
func (p *Packet) emitFields(f *File) {
	f.Add(lineComment("The fields of " + p.Name + ", as errors name them."))
	f.Var().DefsFunc(func(g *Group) {
		p.descriptor(g, lowerFirst(p.Go)+"Packet", "", nil)
		if p.Fixed != nil {
			p.descriptor(g, p.Fixed.Var, p.Fixed.Path, p.Fixed.Verdicts)
		}
		for _, s := range p.Root.structs() {
			for _, b := range s.Head {
				p.bitDescriptor(g, b)
			}
			for _, field := range s.Fields {
				if field.Wire != "group" && field.Wire != "list" || field.Verdicts != nil {
					p.descriptor(g, field.Var, field.Path, field.Verdicts)
				}
				for _, b := range field.Bits {
					if b.Owner == "" {
						p.bitDescriptor(g, b)
					}
				}
				for _, a := range field.Allow {
					p.descriptor(g, a.Var, a.Path, a.Verdicts)
				}
			}
		}
	})
}

// bitDescriptor writes the descriptor of bits that some rule is about.
func (p *Packet) bitDescriptor(g *Group, b *Bit) {
	if b.Name != "" && (b.Verdicts != nil || b.V5) {
		p.descriptor(g, b.Var, b.Path, b.Verdicts)
	}
}

// descriptor writes one descriptor.
func (p *Packet) descriptor(g *Group, name, path string, verdicts []Verdict) {
	g.Id(name).Op("=").Id("field").ValuesFunc(func(g *Group) {
		g.Id("packet").Op(":").Id("Type" + p.Go)
		if path != "" {
			g.Id("name").Op(":").Lit(path)
		}
		if len(verdicts) > 0 {
			g.Id("verdicts").Op(":").Index().Id("fieldVerdict").CustomFunc(multiline, func(g *Group) {
				for _, v := range verdicts {
					g.Values(v.emit()...)
				}
			})
		}
	})
}

// multiline is a composite literal with an element on each line.
var multiline = Options{Open: "{", Close: "}", Separator: ",", Multi: true}

// emit returns the members of a fieldVerdict.
func (v *Verdict) emit() []Code {
	items := []Code{Id("fault").Op(":").Id(v.Fault)}
	for _, j := range []struct {
		key string
		Judgement
	}{{"v311", v.V311}, {"v5", v.V5}} {
		if j.Judgement != (Judgement{}) {
			items = append(items, Id(j.key).Op(":").Add(j.emit()))
		}
	}
	return items
}

// emit returns a verdict.
func (j Judgement) emit() *Statement {
	return Id("verdict").ValuesFunc(func(g *Group) {
		if j.Class != "" {
			g.Id("class").Op(":").Id(j.Class)
			g.Id("code").Op(":").Id("Reason" + j.Code)
		}
		if j.Rule != "" {
			g.Id("rule").Op(":").Lit(j.Rule)
		}
	})
}
