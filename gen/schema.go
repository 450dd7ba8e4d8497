package gen

// The types of this file are the language of spec/, as it is written. Each key
// is explained in spec/README.md.

// Ver is the name of a version as the YAML files write it.
type Ver string

// The two versions.
const (
	V311 Ver = "v3.1.1"
	V5   Ver = "v5.0"
)

// versions are both, in their order.
var versions = []Ver{V311, V5}

// PacketSpec is a file of spec/packets.
type PacketSpec struct {
	Pos    Pos
	Packet string         `yaml:"packet"`
	Type   int            `yaml:"type"`
	Name   string         `yaml:"name"`
	Doc    string         `yaml:"doc"`
	Refs   map[Ver]string `yaml:"refs"`
	From   map[Ver]string `yaml:"from"`
	New    []string       `yaml:"new"`
	Flags  []BitSpec      `yaml:"flags"`
	Fields []FieldSpec    `yaml:"fields"`
	Checks []CheckSpec    `yaml:"checks"`
	Golden []GoldenSpec   `yaml:"golden"`
}

// FieldSpec is a field of a packet, of a group or of the elements of a list.
type FieldSpec struct {
	Pos      Pos
	Name     string      `yaml:"name"`
	Wire     string      `yaml:"wire"`
	Doc      string      `yaml:"doc"`
	Type     string      `yaml:"type"`
	When     string      `yaml:"when"`
	Since    Ver         `yaml:"since"`
	Optional bool        `yaml:"optional"`
	Secret   bool        `yaml:"secret"`
	Show     string      `yaml:"show"`
	Bits     []BitSpec   `yaml:"bits"`
	Fields   []FieldSpec `yaml:"fields"`
	Allow    []AllowSpec `yaml:"allow"`
}

// BitSpec is a run of bits of one byte, the highest first: a value, the
// presence of a field, or reserved bits.
type BitSpec struct {
	Pos      Pos
	Name     string         `yaml:"name"`
	Bits     int            `yaml:"bits"`
	Go       string         `yaml:"go"`
	Max      *int           `yaml:"max"`
	Present  string         `yaml:"present"`
	Reserved int            `yaml:"reserved"`
	Value    int            `yaml:"value"`
	Since    Ver            `yaml:"since"`
	With     string         `yaml:"with"`
	Doc      string         `yaml:"doc"`
	Class    ClassSpec      `yaml:"class"`
	Rule     map[Ver]string `yaml:"rule"`
}

// ClassSpec is the class of a fault, one for both versions or one for each.
type ClassSpec struct {
	Both string `yaml:",scalar"`
	V311 string `yaml:"v3.1.1"`
	V5   string `yaml:"v5.0"`
}

// AllowSpec is a property that a packet may carry.
type AllowSpec struct {
	Pos  Pos
	Is   string         `yaml:"is"`
	As   string         `yaml:"as"`
	Many bool           `yaml:"many"`
	From string         `yaml:"from"`
	Rule map[Ver]string `yaml:"rule"`
	Ref  string         `yaml:"ref"`
}

// CheckSpec is a rule on the content of a packet or property. It holds for the
// versions that it cites a rule of.
type CheckSpec struct {
	Pos    Pos
	Verb   string         `yaml:"verb"`
	Field  string         `yaml:"field"`
	Value  int            `yaml:"value"`
	Unless string         `yaml:"unless"`
	Needs  string         `yaml:"needs"`
	With   string         `yaml:"with"`
	Method string         `yaml:"method"`
	Class  ClassSpec      `yaml:"class"`
	Code   string         `yaml:"code"`
	Rule   map[Ver]string `yaml:"rule"`
}

// GoldenSpec is a packet as bytes and as a value.
type GoldenSpec struct {
	Pos     Pos
	Name    string `yaml:"name"`
	Version string `yaml:"version"`
	Hex     string `yaml:"hex"`
	Value   any    `yaml:"value"`
}

// PropertySpec is an entry of properties.yaml.
type PropertySpec struct {
	Pos    Pos
	Name   string      `yaml:"name"`
	ID     int         `yaml:"id"`
	Title  string      `yaml:"title"`
	Wire   string      `yaml:"wire"`
	Doc    string      `yaml:"doc"`
	Secret bool        `yaml:"secret"`
	Checks []CheckSpec `yaml:"checks"`
}

// ReasonSpec is an entry of reason_codes.yaml.
type ReasonSpec struct {
	Pos   Pos
	Go    string            `yaml:"go"`
	Value int               `yaml:"value"`
	Title string            `yaml:"title"`
	Doc   string            `yaml:"doc"`
	From  map[string]string `yaml:"from"`
	V311  map[string]int    `yaml:"v3.1.1"`
}

// ReturnSpec is a return code of v3.1.1.
type ReturnSpec struct {
	Pos    Pos
	Packet string `yaml:"packet"`
	Value  int    `yaml:"value"`
	Is     string `yaml:"is"`
	Doc    string `yaml:"doc"`
}

// FaultSpec is an entry of faults.yaml.
type FaultSpec struct {
	Pos       Pos
	Go        string         `yaml:"go"`
	Detail    string         `yaml:"detail"`
	Structure bool           `yaml:"structure"`
	Class     ClassSpec      `yaml:"class"`
	Code      string         `yaml:"code"`
	Rule      map[Ver]string `yaml:"rule"`
}

// propertyFile is properties.yaml.
type propertyFile struct {
	Properties []PropertySpec `yaml:"properties"`
}

// reasonFile is reason_codes.yaml.
type reasonFile struct {
	Reasons []ReasonSpec `yaml:"reason_codes"`
	Returns []ReturnSpec `yaml:"return_codes"`
}

// faultFile is faults.yaml.
type faultFile struct {
	Faults []FaultSpec `yaml:"faults"`
}
