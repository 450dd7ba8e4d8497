package gen

// Model is a spec that was found correct, resolved to what the emitters need.
type Model struct {
	Packets    []*Packet
	Properties []*Property
	Reasons    []ReasonSpec
	Returns    []ReturnSpec
	Faults     []*Fault
}

// Packet is one of the packets of the protocol.
type Packet struct {
	Go   string // the struct, such as Publish
	Name string // as the standard writes it, such as PUBLISH
	Type int
	Doc  string
	Refs map[Ver]string
	// From tells who may send the packet: "client", "server", "both", or
	// nothing where the version does not have it.
	From   map[Ver]string
	Flags  []*Bit   // of the fixed header; nil where all four are reserved
	Fixed  *Bit     // the reserved flags of the fixed header, or nil
	New    []*Field // arguments of the builder's constructor
	Root   *Record
	Golden []GoldenSpec
	File   string // the YAML file, below spec/
}

// Record is a Go struct: a packet, a group such as the Will, or the element of
// a list.
type Record struct {
	Go     string
	Doc    string
	Packet *Packet
	Head   []*Bit   // fields that bits outside the body, or outside the group, hold
	Fields []*Field // in wire order
	Cross  []*Check // rules that look at more than one field
	List   bool     // element of a list
}

// Field is a field on the wire.
type Field struct {
	Name     string
	In       *Record // the struct that it stands in
	Path     string  // name in errors, such as "Filters[%d].Filter"
	Var      string  // its descriptor in the generated code
	Wire     string
	Doc      string
	When     *Cond  // written only where this holds, or nil
	Present  bool   // a flag tells whether it is there: an Opt in Go
	V5       bool   // does not exist in v3.1.1
	Optional bool   // may be left out with all that follows it
	Partner  *Field // the other one of the two optional fields
	Secret   bool
	Payload  bool
	Bits     []*Bit
	Struct   *Record // of a group or list
	Allow    []*Allowed
	Checks   map[string]*Check // rules on the value alone, by verb
	Verdicts []Verdict
	InCross  bool // a rule of Record.Cross is about it, so its offset is kept
	Pos      Pos
}

// Bit is a run of bits of one byte.
type Bit struct {
	Name     string // last part of the path; empty for reserved bits
	Owner    string // the group that it belongs to, such as Will, or empty
	Path     string
	Var      string
	Shift    int
	Width    int
	Go       string
	Max      int // largest legal value, or -1
	Present  *Field
	Value    int // of reserved bits
	V5       bool
	Doc      string
	Verdicts []Verdict
	With     *Field // set by the same builder method, or nil
	Byte     *Field // the byte it stands in, nil for the fixed header
	Pos      Pos
}

// Reserved reports whether the bits have no meaning.
func (b *Bit) Reserved() bool { return b.Name == "" && b.Present == nil }

// Mask returns the bits of the run, shifted to their place.
func (b *Bit) Mask() int { return (1<<b.Width - 1) << b.Shift }

// Allowed is a property in the block of one packet.
type Allowed struct {
	*Property
	As       string // the Go field
	Path     string
	Var      string
	Many     bool
	From     string // "client", "server" or "both"
	Ref      string
	Verdicts []Verdict
	Pos      Pos
}

// Property is a property of v5.0.
type Property struct {
	PropertySpec
	Checks map[string]*Check
}

// Check is a rule on the content of a packet.
type Check struct {
	CheckSpec
	Field *Field // what it is about; a property block where Prop is set
	Prop  *Allowed
	Bit   *Bit
	Var   string // descriptor of what it is about
	Set   *Cond  // whether what it is about is there
	Other *Cond  // of unless, needs and with
	Fault string
}

// Holds reports whether the rule holds in v.
func (c *Check) Holds(v Ver) bool { return c.Rule[v] != "" }

// Cond is a condition on a packet: a path into its struct, and what to compare
// it with.
type Cond struct {
	Path string // in Go, such as Properties.TopicAlias.Set
	Kind string // "bool", "number", "bytes", "opt" or "repeated"
	Op   string // of a comparison with a constant, or empty
	Than int
	V5   bool // what it looks at does not exist in v3.1.1
}

// Fault is an entry of faults.yaml.
type Fault struct {
	FaultSpec
	V311, V5 Judgement
}

// Judgement is how one version judges a fault.
type Judgement struct{ Class, Code, Rule string }

// Verdict is how a field judges a fault where that differs from the general
// judgement.
type Verdict struct {
	Fault    string
	V311, V5 Judgement
}

// classes are the classes of faults with the error and the reason code that
// stand for them in package codec.
var classes = map[string][2]string{
	"malformed":      {"ErrMalformed", "MalformedPacket"},
	"protocol":       {"ErrProtocol", "ProtocolError"},
	"too_large":      {"ErrTooLarge", "PacketTooLarge"},
	"version":        {"ErrUnsupportedVersion", "UnsupportedProtocolVersion"},
	"not_in_version": {"ErrVersion", "ProtocolError"},
}

// scalarWires are the wire types of single values with their Go types.
var scalarWires = map[string]string{
	"u8": "uint8", "u16": "uint16", "u32": "uint32", "varint": "uint32",
	"utf8": "Bytes", "binary": "Bytes", "packet_id": "uint32", "reason_code": "ReasonCode",
}

// wireKeys are the wire types that a field may have, each with the keys that
// it knows besides name, wire and doc.
var wireKeys = map[string][]string{
	"u8":             {"when", "since"},
	"u16":            {"when", "since"},
	"u32":            {"when", "since"},
	"varint":         {"when", "since"},
	"packet_id":      {"when", "since"},
	"reason_code":    {"when", "since", "optional"},
	"utf8":           {"when", "since", "secret", "show"},
	"binary":         {"when", "since", "secret", "show"},
	"rest":           {"secret", "show"},
	"utf8_list":      {"since"},
	"reason_codes":   {"since"},
	"list":           {"since", "type", "fields"},
	"group":          {"fields"},
	"bits":           {"bits"},
	"properties":     {"since", "optional", "allow"},
	"protocol_name":  nil,
	"protocol_level": nil,
}

// propertyWires are the wire types of properties with the Go types of their
// fields; those that may repeat have a type of their own.
var propertyWires = map[string]string{
	"u8": "uint8", "u16": "uint16", "u32": "uint32", "varint": "uint32",
	"utf8": "Bytes", "binary": "Bytes", "pair": "",
}

// bitTypes are the Go types of bits with the number of bits they have; uint8
// takes as many as are left.
var bitTypes = map[string]int{"bool": 1, "QoS": 2, "RetainHandling": 2, "uint8": 0}

// verb is a rule that a check can state.
type verb struct {
	fault string   // what it finds
	key   string   // the key that goes with it, or empty
	must  bool     // the key has to be there
	wires []string // what it can look at alone; nil for rules between fields
}

// verbs are all of them by name.
var verbs = map[string]verb{
	"utf8":         {fault: "faultUTF8", wires: []string{"utf8", "utf8_list", "pair"}},
	"no_wildcards": {fault: "faultWildcard", wires: []string{"utf8"}},
	"topic_filter": {fault: "faultHash", wires: []string{"utf8", "utf8_list"}},
	"not_zero":     {fault: "faultZero", wires: []string{"u16", "u32", "varint", "packet_id"}},
	"max":          {fault: "faultRange", key: "value", must: true, wires: []string{"u8"}},
	"not_empty":    {fault: "faultEmpty", key: "unless", wires: []string{"utf8", "list", "utf8_list", "reason_codes"}},
	"reason_codes": {fault: "faultReasonCode", wires: []string{"reason_code", "reason_codes"}},
	"needs":        {fault: "faultNeeds", key: "needs", must: true},
	"excludes":     {fault: "faultExcluded", key: "with", must: true},
	"required":     {fault: "faultMissing"},
	"custom":       {fault: "faultExcluded", key: "method", must: true},
}
