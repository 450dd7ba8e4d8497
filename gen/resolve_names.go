package gen

// packetMethods are the exported methods of a packet.
var packetMethods = []string{
	"AppendHeaderTo", "AppendTo", "Clone", "Decode", "DecodeLoose", "LogValue", "MarshalJSON", "Reset",
	"Size", "String", "Type", "UnmarshalJSON", "Validate",
}

// identifier is something that gets a name in the generated code.
type identifier struct {
	at         Pos
	key        string // of the name in the spec
	scope      string // the Go struct
	name       string // of its field there
	setter     string // of the builder's method
	descriptor string
}

// identifiers returns what gets a name in a struct and in its property blocks.
func (s *Record) identifiers() []identifier {
	var all []identifier
	bit := func(b *Bit) { all = append(all, identifier{b.Pos, "name", s.Go, b.Name, b.Name, b.Var}) }
	for _, b := range s.Head {
		bit(b)
	}
	for _, f := range s.Fields {
		all = append(all, identifier{f.Pos, "name", s.Go, f.Name, f.Name, f.Var})
		for _, b := range f.Bits {
			if b.Name != "" && b.Owner == "" {
				bit(b)
			}
		}
		for _, a := range f.Allow {
			all = append(all, identifier{a.Pos, "as", f.propertiesType(), a.As, a.Name, a.Var})
		}
	}
	return all
}

// names reports names that stand twice in a Go struct, among its methods,
// among those of the builder, or among the descriptors of a packet.
func (r *resolver) names(root *Record) {
	type place struct{ scope, name string }
	taken := map[place]bool{
		{"builder", "Build"}:                           true,
		{"descriptor", lowerFirst(root.Go) + "Packet"}: true,
		{"descriptor", lowerFirst(root.Go) + "Flags"}:  root.Packet.Fixed != nil,
	}
	for _, method := range packetMethods {
		taken[place{root.Go, method}] = true
	}
	for _, s := range root.structs() {
		for _, m := range s.identifiers() {
			places := []place{{m.scope, m.name}, {"descriptor", m.descriptor}, {"builder", m.setter}}
			if s != root {
				places = places[:2]
			}
			for _, p := range places {
				if taken[p] {
					r.bad(m.at, m.key, "the generated code has another %s there", p.name)
				}
				taken[p] = true
			}
		}
	}
}
