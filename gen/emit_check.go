package gen

import (
	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitValidate writes Validate.
func (p *Packet) emitValidate(f *File) {
	f.Add(lineComment("Validate returns the first rule of version v that p breaks, as an *Error, or nil."))
	f.Func().Params(Id("p").Op("*").Id(p.Go)).Id("Validate").Params(Id("v").Id("Version")).Error().Block(
		Id("c").Op(":=").Id("checker").Values(Id("v").Op(":").Id("v")),
		Id("p").Dot("check").Call(Op("&").Id("c")),
		Return(call("result")),
	)
}

// emitCheck writes the method that checks the fields of a struct.
func (s *Record) emitCheck(f *File) {
	f.Func().Params(Id("p").Op("*").Id(s.Go)).Id("check").Params(Id("c").Op("*").Id("checker")).BlockFunc(func(g *Group) {
		if s.Packet.Root == s {
			g.If(Op("!").Id("c").Dot("v").Dot("Known").Call()).Block(call("fail", ref(lowerFirst(s.Packet.Go)+"Packet"), Id("faultVersion")))
			s.Packet.emitSides(g, "c")
		}
		for _, b := range s.Head {
			b.emitCheck(g)
		}
		for _, field := range s.Fields {
			field.emitCheck(g)
		}
		for _, c := range s.Cross {
			c.emitCross(g, false)
		}
	})
}

// emitCheck checks the range of bits, and that they are not set in a version
// that does not have them.
func (b *Bit) emitCheck(g *Group) {
	value := Id("p").Dot(b.Name)
	if b.V5 {
		set := value.Clone()
		if b.Go != "bool" {
			set = set.Op("!=").Lit(0)
		}
		g.If(Op("!").Add(isV5()).Op("&&").Add(set)).Block(call("fail", ref(b.Var), Id("faultNotInVersion")))
	}
	if b.Max >= 0 {
		g.If(value.Clone().Op(">").Lit(b.Max)).Block(call("fail", ref(b.Var), Id("faultRange")))
	}
}

// emitCheck checks the value of a field.
func (f *Field) emitCheck(g *Group) {
	for _, b := range f.Bits {
		if b.Owner == "" && b.Name != "" {
			b.emitCheck(g)
		}
	}
	if !f.hasMember() {
		return
	}
	value := Id("p").Dot(f.Name)
	if f.Wire == "properties" {
		g.If(Op("!").Add(value.Clone()).Dot("none").Call()).Block(value.Clone().Dot("check").Call(Id("c")))
		return
	}
	if f.Present {
		value = value.Dot("Value")
	}
	body := f.checks(value)
	switch {
	case f.V5:
		absent := call("fail", ref(f.Var), Id("faultNotInVersion"))
		if len(body) == 0 {
			g.If(Op("!").Add(isV5()).Op("&&").Add(f.isSet())).Block(absent)
			return
		}
		g.If(isV5()).Block(body...).Else().If(f.isSet()).Block(absent)
	case len(body) == 0:
	case f.Present:
		g.If(Id("p").Dot(f.Name).Dot("Set")).Block(body...)
	case f.When != nil:
		g.If(f.When.expr("p")).Block(body...)
	default:
		for _, s := range body {
			g.Add(s)
		}
	}
}

// isSet returns the condition that a field which is no Opt has a value.
func (f *Field) isSet() *Statement {
	if f.isList() || scalarWires[f.Wire] == "Bytes" {
		return Len(Id("p").Dot(f.Name)).Op(">").Lit(0)
	}
	return Id("p").Dot(f.Name).Op("!=").Lit(0)
}

// checks returns the statements that check a value.
func (f *Field) checks(value *Statement) []Code {
	var body []Code
	switch f.Wire {
	case "rest": // any bytes, as many as the packet can hold
	case "group":
		body = append(body, value.Clone().Dot("check").Call(Id("c")))
	case "list", "utf8_list", "reason_codes":
		if f.Checks["not_empty"] != nil {
			body = append(body, If(Len(value.Clone()).Op("==").Lit(0)).Block(call("fail", ref(f.Var), Id("faultEmptyList"))))
		}
		body = append(body, For(Id("i").Op(":=").Range().Add(value.Clone())).BlockFunc(func(g *Group) {
			g.Id("c").Dot("item").Op("=").Id("i").Op("+").Lit(1)
			element := value.Clone().Index(Id("i"))
			switch f.Wire {
			case "list":
				g.Add(element).Dot("check").Call(Id("c"))
			case "utf8_list":
				g.Add(checkScalar("utf8", f.Var, f.Checks, element))
			case "reason_codes":
				g.Add(call("reason", ref(f.Var), Id("Type"+f.packetGo()), element))
			}
		}), Id("c").Dot("item").Op("=").Lit(0))
	case "reason_code":
		body = append(body, call("reason", ref(f.Var), Id("Type"+f.packetGo()), value.Clone()))
	default:
		if s := checkScalar(f.Wire, f.Var, f.Checks, value.Clone()); s != nil {
			body = append(body, s)
		}
		if f.Checks["not_empty"] != nil {
			body = append(body, If(Len(value.Clone()).Op("==").Lit(0)).Block(call("fail", ref(f.Var), Id("faultEmpty"))))
		}
	}
	return body
}

// checkScalar returns the statement that checks a value of a wire type, or nil
// where every value is legal.
func checkScalar(wire, field string, checks map[string]*Check, value *Statement) Code {
	switch wire {
	case "packet_id":
		return call("packetID", ref(field), value)
	case "binary":
		return call("binary", ref(field), value)
	case "utf8":
		check, plain := "text", "isPlain"
		if checks["topic_filter"] != nil {
			check, plain = "filter", "isPlainFilter"
		} else if checks["no_wildcards"] != nil {
			check, plain = "name", "isPlainName"
		}
		return If(Op("!").Id(plain).Call(value.Clone())).Block(call(check, ref(field), value))
	case "u8":
		if c := checks["max"]; c != nil {
			return If(value.Op(">").Lit(c.Value)).Block(call("fail", ref(field), Id("faultRange")))
		}
	case "varint":
		if checks["not_zero"] != nil {
			return call("varintNotZero", ref(field), value)
		}
		return call("varint", ref(field), value)
	case "u16", "u32":
		if checks["not_zero"] != nil {
			return If(value.Op("==").Lit(0)).Block(call("fail", ref(field), Id("faultZero")))
		}
	}
	return nil
}

// emitPropertyCheck writes the methods that check the property blocks of s,
// and that they are empty where the version has none.
func (s *Record) emitPropertyCheck(f *File) {
	for _, field := range s.Fields {
		if field.Wire != "properties" {
			continue
		}
		recv := Id("p").Op("*").Id(field.propertiesType())
		f.Func().Params(recv).Id("check").Params(Id("c").Op("*").Id("checker")).BlockFunc(func(g *Group) {
			g.If(Op("!").Add(isV5())).Block(Id("p").Dot("absent").Call(Id("c")), Return())
			for _, a := range field.Allow {
				a.emitCheck(g)
			}
		})
		f.Func().Params(recv.Clone()).Id("absent").Params(Id("c").Op("*").Id("checker")).BlockFunc(func(g *Group) {
			for _, a := range field.Allow {
				g.If(a.isSet()).Block(call("fail", ref(a.Var), Id("faultNotInVersion")))
			}
		})
	}
}

// isSet returns the condition that a property is set.
func (a *Allowed) isSet() *Statement {
	if a.Many {
		return Id("p").Dot(a.As).Dot("r").Dot("block").Op("!=").Nil()
	}
	return Id("p").Dot(a.As).Dot("Set")
}

// emitCheck checks a property that is set.
func (a *Allowed) emitCheck(g *Group) {
	var body []Code
	if a.From != "both" {
		body = append(body, call("propertyBy", ref(a.Var), sidesOf(a.From)))
	}
	value := Id("p").Dot(a.As)
	switch {
	case a.Many && a.Wire == "pair":
		body = append(body, call("users", ref(a.Var), Op("&").Add(value)))
	case a.Many:
		body = append(body, call("identifiers", ref(a.Var), Op("&").Add(value)))
	default:
		if s := checkScalar(a.Wire, a.Var, a.Property.Checks, value.Clone().Dot("Value")); s != nil {
			body = append(body, s)
		}
		if a.Property.Checks["not_empty"] != nil {
			body = append(body, If(Len(value.Clone().Dot("Value")).Op("==").Lit(0)).Block(call("fail", ref(a.Var), Id("faultEmpty"))))
		}
	}
	if len(body) > 0 {
		g.If(a.isSet()).Block(body...)
	}
}
