package gen

import (
	"strings"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitLayouts writes the layouts of all packets, from which Dissect reads.
func (m *Model) emitLayouts(f *File) {
	f.Comment("// layouts tell for each type of packet what stands in it, in the order of the wire.")
	f.Var().Id("layouts").Op("=").Index(Lit(16)).Op("*").Id("layout").CustomFunc(multiline, func(g *Group) {
		for _, p := range m.Packets {
			flags := Id("reservedFlags")
			if p.Fixed == nil {
				flags = bitLayouts(p.Flags)
			}
			items := []Code{item("flags", flags)}
			if len(p.Root.Fields) > 0 {
				items = append(items, item("fields", fieldLayouts(p.Root)))
			}
			g.Id("Type"+p.Go).Op(":").Custom(multiline, items...)
		}
	})
}

// item is a member of a literal.
func item(key string, value Code) Code { return Id(key).Op(":").Add(value) }

// fieldLayouts returns the layouts of the fields of a struct.
func fieldLayouts(s *Record) *Statement {
	return Index().Id("fieldLayout").CustomFunc(multiline, func(g *Group) {
		for _, field := range s.Fields {
			g.Add(field.layout())
		}
	})
}

// layout returns the layout of a field.
func (f *Field) layout() *Statement {
	items := []Code{item("name", Lit(f.Name)), item("path", Lit(f.Path)), item("wire", Lit(f.Wire))}
	for _, is := range []struct {
		key string
		set bool
	}{{"v5", f.V5}, {"optional", f.Optional}, {"present", f.Present}, {"secret", f.Secret}, {"payload", f.Payload}} {
		if is.set {
			items = append(items, item(is.key, True()))
		}
	}
	if f.When != nil {
		path := strings.TrimSuffix(f.Path, f.Name) + f.When.Path
		items = append(items, item("when", Op("&").Id("layoutCond").Values(Lit(path), Lit(f.When.Than))))
	}
	if len(f.Bits) > 0 {
		items = append(items, item("bits", bitLayouts(f.Bits)))
	}
	if f.Struct != nil {
		items = append(items, item("element", Lit(f.Struct.Go)), item("fields", fieldLayouts(f.Struct)))
	}
	if len(f.Allow) > 0 {
		items = append(items, item("properties", propertyLayouts(f.Allow)))
	}
	return Values(items...)
}

// bitLayouts returns the layouts of the runs of bits of a byte.
func bitLayouts(bits []*Bit) *Statement {
	return Index().Id("bitLayout").CustomFunc(multiline, func(g *Group) {
		for _, b := range bits {
			items := []Code{item("mask", hexLit(b.Mask()))}
			switch {
			case b.Present != nil:
				items = append(items, item("name", Lit(b.Present.Name)), item("path", Lit(b.Present.Path)))
			case !b.Reserved():
				name := b.Name
				if b.Owner != "" {
					name = b.Owner + "." + b.Name
				}
				items = append(items, item("name", Lit(name)), item("path", Lit(b.Path)), item("kind", Lit(b.Go)))
			}
			if b.V5 {
				items = append(items, item("v5", True()))
			}
			g.Values(items...)
		}
	})
}

// propertyLayouts returns the layouts of the properties of a block.
func propertyLayouts(allow []*Allowed) *Statement {
	return Index().Id("propertyLayout").CustomFunc(multiline, func(g *Group) {
		for _, a := range allow {
			items := []Code{
				item("id", Id("property"+a.Name)), item("name", Lit(a.Title)), item("path", Lit(a.Path)), item("wire", Lit(a.Wire)),
			}
			if a.Secret {
				items = append(items, item("secret", True()))
			}
			g.Values(items...)
		}
	})
}
