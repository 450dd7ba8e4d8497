package gen

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	. "github.com/dave/jennifer/jen" //lint:ignore ST1001 the emitters read as the code they write
)

// emitPackets writes the packet types and what has a case for each of them.
func (m *Model) emitPackets(f *File) {
	f.Comment("// PacketType is the type of a control packet. (v3.1.1 2.2.1, v5.0 2.1.2)")
	f.Type().Id("PacketType").Uint8()
	f.Comment("// The packet types.")
	f.Const().DefsFunc(func(g *Group) {
		for _, p := range m.Packets {
			g.Id("Type" + p.Go).Id("PacketType").Op("=").Lit(p.Type).Comment(p.Name)
		}
	})
	f.Var().Id("packetNames").Op("=").Index(Lit(16)).String().CustomFunc(multiline, func(g *Group) {
		for _, p := range m.Packets {
			g.Id("Type" + p.Go).Op(":").Lit(p.Name)
		}
	})
	f.Comment("// NewPacket returns an empty packet of type t, or nil where there is no such type.")
	f.Func().Id("NewPacket").Params(Id("t").Id("PacketType")).Id("Packet").Block(
		Switch(Id("t")).BlockFunc(func(g *Group) {
			for _, p := range m.Packets {
				g.Case(Id("Type" + p.Go)).Block(Return(New(Id(p.Go))))
			}
		}),
		Return(Nil()),
	)
	m.emitDecoder(f)
}

// emitDecoder writes the type Decoder.
func (m *Model) emitDecoder(f *File) {
	f.Add(lineComment("Decoder decodes packets into structs that it uses again: one of each type, made when it is first needed. The zero value is ready."))
	f.Type().Id("Decoder").StructFunc(func(g *Group) {
		for _, p := range m.Packets {
			g.Id(lowerFirst(p.Go)).Op("*").Id(p.Go)
		}
	})
	for _, method := range []string{"Decode", "DecodeLoose"} {
		m.emitDecoderMethod(f, method)
	}
}

// emitDecoderMethod writes one of its methods.
func (m *Model) emitDecoderMethod(f *File, method string) {
	f.Add(lineComment(method + " decodes the packet with the fixed header h and the given body by the method " + method + " of its type. What it returns keeps views into body, and is valid until the next packet of the same type. Errors are of type *Error."))
	f.Func().Params(Id("d").Op("*").Id("Decoder")).Id(method).
		Params(Id("h").Id("Header"), Id("body").Index().Byte(), Id("v").Id("Version")).Params(Id("Packet"), Error()).
		BlockFunc(func(g *Group) {
			g.Switch(Id("h").Dot("Type")).BlockFunc(func(g *Group) {
				for _, p := range m.Packets {
					slot := Id("d").Dot(lowerFirst(p.Go))
					g.Case(Id("Type"+p.Go)).Block(
						If(slot.Clone().Op("==").Nil()).Block(slot.Clone().Op("=").New(Id(p.Go))),
						If(Err().Op(":=").Add(slot.Clone()).Dot(method).Call(Id("h"), Id("body"), Id("v")), Err().Op("!=").Nil()).Block(Return(Nil(), Err())),
						Return(slot, Nil()),
					)
				}
			})
			g.Return(Nil(), Id("unknownType").Call(Id("v")))
		})
}

// emitProperties writes the identifiers of the properties and their types.
func (m *Model) emitProperties(f *File) {
	f.Comment("// The identifiers of the properties. (v5.0 2.2.2.2)")
	f.Const().DefsFunc(func(g *Group) {
		for _, p := range m.Properties {
			g.Id("property" + p.Name).Op("=").Add(hexLit(p.ID)).Comment(p.Title)
		}
	})
	wires := map[string]string{"u8": "wireU8", "u16": "wireU16", "u32": "wireU32", "varint": "wireVarint", "utf8": "wireText", "binary": "wireText", "pair": "wirePair"}
	f.Comment("// propertyWires holds the data type of each property.")
	f.Var().Id("propertyWires").Op("=").Index(Lit(256)).Id("propertyWire").CustomFunc(multiline, func(g *Group) {
		for _, p := range m.Properties {
			g.Id("property" + p.Name).Op(":").Id(wires[p.Wire])
		}
	})
}

// emitReasons writes the reason codes and which packet carries which.
func (m *Model) emitReasons(f *File) {
	f.Add(lineComment("ReasonCode is the outcome of an operation, in the numbers of v5.0. The return codes of v3.1.1 are decoded to the codes that mean the same. (v3.1.1 3.2.2.3, 3.9.3, v5.0 2.4)"))
	f.Type().Id("ReasonCode").Uint8()
	f.Comment("// The reason codes. Those of 0x80 and above are failures.")
	f.Const().DefsFunc(func(g *Group) {
		for _, c := range m.Reasons {
			g.Id("Reason" + c.Go).Id("ReasonCode").Op("=").Add(hexLit(c.Value)).Comment(c.Doc)
		}
	})
	m.emitReasonNames(f)
	f.Add(lineComment("reasonSides tells for each code which packets may carry it, as bits of their types, sent by a client and by a server."))
	f.Var().Id("reasonSides").Op("=").Index(Lit(256)).Struct(List(Id("client"), Id("server")).Uint16()).CustomFunc(multiline, func(g *Group) {
		for value := range 256 {
			client, server := m.reasonMask(value, "client"), m.reasonMask(value, "server")
			if client|server != 0 {
				g.Add(hexLit(value)).Op(":").Values(Id("client").Op(":").Op(fmt.Sprintf("0x%04X", client)), Id("server").Op(":").Op(fmt.Sprintf("0x%04X", server)))
			}
		}
	})
	m.emitReturns(f)
}

// typeOf returns the type of a packet.
func (m *Model) typeOf(packet string) int {
	for _, p := range m.Packets {
		if p.Go == packet {
			return p.Type
		}
	}
	return 0
}

// reasonMask returns the packets in which one side may send a code, as bits of
// their types.
func (m *Model) reasonMask(value int, side string) int {
	mask := 0
	for _, c := range m.Reasons {
		for packet, from := range c.From {
			if c.Value == value && (from == side || from == "both") {
				mask |= 1 << m.typeOf(packet)
			}
		}
	}
	return mask
}

// emitReasonNames writes the names of the codes. The first name of a value is
// its general one; packets in which it has another are listed apart.
func (m *Model) emitReasonNames(f *File) {
	general := map[int]bool{}
	var special []ReasonSpec
	f.Var().Id("reasonNames").Op("=").Index(Lit(256)).String().CustomFunc(multiline, func(g *Group) {
		for _, c := range m.Reasons {
			if general[c.Value] {
				special = append(special, c)
				continue
			}
			general[c.Value] = true
			g.Id("Reason" + c.Go).Op(":").Lit(c.Title)
		}
	})
	f.Comment("// specialName returns the name of a code that has another one in packets of type t.")
	f.Func().Id("specialName").Params(Id("c").Id("ReasonCode"), Id("t").Id("PacketType")).String().Block(
		Switch().BlockFunc(func(g *Group) {
			for _, c := range special {
				for _, packet := range sortedKeys(c.From) {
					g.Case(Id("c").Op("==").Id("Reason" + c.Go).Op("&&").Id("t").Op("==").Id("Type" + packet)).Block(Return(Lit(c.Title)))
				}
			}
		}),
		Return(Lit("")),
	)
}

// emitReturns writes the two directions of the mapping to v3.1.1.
func (m *Model) emitReturns(f *File) {
	f.Comment("// fromV311 returns the reason code of a return code that v3.1.1 has in packets of type t.")
	f.Func().Id("fromV311").Params(Id("t").Id("PacketType"), Id("code").Id("ReasonCode")).Params(Id("ReasonCode"), Bool()).Block(
		Switch().BlockFunc(func(g *Group) {
			for _, c := range m.Returns {
				g.Case(Id("t").Op("==").Id("Type" + c.Packet).Op("&&").Id("code").Op("==").Add(hexLit(c.Value))).Block(Return(Id("Reason"+c.Is), True())).Comment(c.Doc)
			}
		}),
		Return(Id("code"), False()),
	)
	f.Comment("// toV311 returns the return code that says in v3.1.1 what code says in packets of type t.")
	f.Func().Id("toV311").Params(Id("t").Id("PacketType"), Id("code").Id("ReasonCode")).Params(Byte(), Bool()).Block(
		Switch(Id("t")).BlockFunc(func(g *Group) {
			for _, packet := range m.returnPackets() {
				g.Case(Id("Type" + packet)).Block(Switch(Id("code")).BlockFunc(func(g *Group) {
					for _, group := range m.returnGroups(packet) {
						g.Case(group.codes...).Block(Return(hexLit(group.value), True()))
					}
				}))
			}
		}),
		Return(Lit(0), False()),
	)
}

// returnPackets returns the packets that have return codes.
func (m *Model) returnPackets() []string {
	var names []string
	for _, c := range m.Returns {
		if !slices.Contains(names, c.Packet) {
			names = append(names, c.Packet)
		}
	}
	return names
}

// returnGroup is a return code with the reason codes that become it.
type returnGroup struct {
	value int
	codes []Code
}

// returnGroups returns the codes that a packet writes as each return code.
func (m *Model) returnGroups(packet string) []returnGroup {
	var groups []returnGroup
	for _, c := range m.Returns {
		if c.Packet != packet {
			continue
		}
		g := returnGroup{value: c.Value}
		for _, r := range m.Reasons {
			if value, ok := r.V311[packet]; ok && value == c.Value {
				g.codes = append(g.codes, Id("Reason"+r.Go))
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// emitFaults writes the faults and what is known of each.
func (m *Model) emitFaults(f *File) {
	f.Comment("// The faults that a field can have.")
	f.Const().DefsFunc(func(g *Group) {
		for i, fault := range m.Faults {
			c := g.Id(fault.Go)
			if i == 0 {
				c.Id("fault").Op("=").Iota().Op("+").Lit(1)
			}
		}
	})
	f.Var().Id("faults").Op("=").Index(Op("...")).Id("faultInfo").CustomFunc(multiline, func(g *Group) {
		for _, fault := range m.Faults {
			g.Id(fault.Go).Op(":").CustomFunc(multiline, func(g *Group) {
				g.Id("detail").Op(":").Lit(fault.Detail)
				if fault.Structure {
					g.Id("structure").Op(":").True()
				}
				g.Id("v311").Op(":").Add(fault.V311.emit())
				g.Id("v5").Op(":").Add(fault.V5.emit())
			})
		}
	})
}

// emitGolden writes the golden packets as a table for the tests.
func (m *Model) emitGolden(f *File) {
	f.Comment("// golden are packets whose bytes were written by hand in the spec.")
	f.Var().Id("golden").Op("=").Index().Struct(
		Id("name").String(), Id("packet").Id("PacketType"), Id("version").Id("Version"), List(Id("hex"), Id("json")).String(),
	).CustomFunc(multiline, func(g *Group) {
		for _, p := range m.Packets {
			for _, spec := range p.Golden {
				g.CustomFunc(multiline, func(g *Group) {
					g.Lit(p.Go + "/" + spec.Name)
					g.Id("Type" + p.Go)
					g.Id(goldenVersions[spec.Version])
					g.Lit(tidyHex(spec.Hex))
					g.Op("`" + goldenJSON(spec.Value) + "`")
				})
			}
		}
	})
}

// goldenVersions are the names of versions in golden packets, with their
// constants.
var goldenVersions = map[string]string{"v3.1.1": "V311", "v5.0": "V5", "v3.1.1 wide": "V311Wide", "v5.0 wide": "V5Wide"}

// tidyHex returns s without spaces, in small letters.
func tidyHex(s string) string {
	data, _ := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	return hex.EncodeToString(data)
}

// goldenJSON returns value as JSON in ASCII that a raw string can hold.
func goldenJSON(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("a value that YAML can hold and JSON cannot: %v", err))
	}
	var b strings.Builder
	for _, r := range string(data) {
		if r == '`' || r > '~' {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "\\u%04x", unit)
			}
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
