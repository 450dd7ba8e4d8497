package gen

import (
	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitBits reads a byte of bits. Presence comes first, since it clears what other
// bits then fill.
func (f *Field) emitBits(g *Group) {
	name := lowerFirst(f.Name)
	if !f.InCross {
		g.Id("at").Op(":=").Id("c").Dot("i")
	}
	g.Id(name).Op(":=").Add(call("u8", ref(f.Var)))
	for _, presence := range []bool{true, false} {
		for _, b := range f.Bits {
			if (b.Present != nil) == presence && !b.V5 {
				b.emitRead(g, Id(name), b.failure)
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
				b.emitRead(g, Id(name), b.failure)
			}
		}
	}).Else().BlockFunc(func(g *Group) {
		for _, b := range f.Bits {
			if b.V5 {
				b.emitClear(g)
			}
		}
		g.If(Id(name).Op("&").Add(hexLit(mask)).Op("!=").Lit(0)).Block(
			call("fail", ref(f.Var), Id("faultReserved"), at))
	})
}

// emitRead reads one run of bits out of the byte in from. fail returns the
// statement for a fault, given the name of the fault.
func (b *Bit) emitRead(g *Group, from *Statement, fail func(fault *Statement) Code) {
	masked := func() *Statement { return from.Clone().Op("&").Add(hexLit(b.Mask())) }
	target := member("p", b.goPath())
	switch {
	case b.Present != nil:
		g.Id("p").Dot(b.Present.Name).Op("=").Add(b.Present.goType()).Values(Id("Set").Op(":").Add(masked()).Op("!=").Lit(0))
	case b.Reserved():
		g.If(masked().Op("!=").Add(hexLit(b.Value << b.Shift))).Block(fail(Id("faultReserved")))
	case b.Go == "bool":
		g.Add(target).Op("=").Add(masked()).Op("!=").Lit(0)
	default:
		value := from.Clone()
		if b.Shift > 0 {
			value = value.Op(">>").Lit(b.Shift)
		}
		g.Add(target).Op("=").Id(b.Go).Call(value.Op("&").Add(hexLit(1<<b.Width - 1)))
		if b.Max >= 0 {
			g.If(member("p", b.goPath()).Op(">").Lit(b.Max)).Block(fail(Id("faultRange")))
		}
	}
}

// emitClear clears bits that v3.1.1 does not have, since structs are used
// again.
func (b *Bit) emitClear(g *Group) {
	zero := Lit(0)
	if b.Go == "bool" {
		zero = False()
	}
	g.Add(member("p", b.goPath())).Op("=").Add(zero)
}

// failure returns what the careful decoder does about a fault of the bits.
func (b *Bit) failure(fault *Statement) Code {
	switch {
	case b.Byte == nil:
		return call("failAt", ref(b.Var), fault, Lit(0))
	case b.Byte.InCross:
		return call("fail", ref(b.Var), fault, Id(b.Byte.atVar()))
	}
	return call("fail", ref(b.Var), fault, Id("at"))
}

// goPath returns the Go field of the bits from the struct that reads them.
func (b *Bit) goPath() string {
	if b.Owner == "" {
		return b.Name
	}
	return b.Owner + ".Value." + b.Name
}
