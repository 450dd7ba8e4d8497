package codec

// layout is what stands in a packet after the Remaining Length, as Dissect needs
// to know it. The layouts are generated from the spec, and their words for data
// types are its own.
type layout struct {
	flags  []bitLayout // of the first byte
	fields []fieldLayout
}

type fieldLayout struct {
	name, path string
	wire       string
	v5         bool // v3.1.1 does not have it
	optional   bool // it may be left out with all that follows
	present    bool // a bit with the same path tells whether it is there
	secret     bool
	payload    bool
	when       *layoutCond
	bits       []bitLayout
	element    string // name of a group, or of the elements of a list
	fields     []fieldLayout
	properties []propertyLayout
}

// bitLayout is a run of bits of a byte. It has no name if it is reserved.
type bitLayout struct {
	name, path string
	kind       string // "bool", "QoS", "RetainHandling" or "uint8"; empty if it tells that a field is there
	mask       byte
	v5         bool
}

// reservedFlags are the flags of a first byte that has no others.
var reservedFlags = []bitLayout{{mask: 0x0F, name: "Flags", path: "Flags", kind: "uint8"}}

type propertyLayout struct {
	name, path string
	wire       string
	id         byte
	secret     bool
}

// layoutCond is the condition that the value at a path is above a number.
type layoutCond struct {
	path string
	than uint64
}
