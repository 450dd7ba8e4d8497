package gen

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// facts are single statements about the protocol, by what they are about. The
// tables of spec/testdata and the model both become facts.
type facts map[string]string

// add notes a fact. It may be noted again.
func (f facts) add(value any, about ...string) { f[strings.Join(about, " / ")] = fmt.Sprint(value) }

// oracle holds the tables that were typed independently of spec/*.yaml.
type oracle struct{ packets, properties, reasons yaml.Node }

const oracleFolder = "../spec/testdata"

func readOracle(t *testing.T) *oracle {
	t.Helper()
	o := new(oracle)
	files := readTree(t, oracleFolder)
	for name, into := range map[string]*yaml.Node{"packets.yaml": &o.packets, "properties.yaml": &o.properties, "reason-codes.yaml": &o.reasons} {
		if files[name] == nil {
			t.Fatalf("%s has no %s", oracleFolder, name)
		}
		if err := yaml.Unmarshal(files[name].Data, into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	return o
}

// facts returns what the tables say.
func (o *oracle) facts(t *testing.T) facts {
	t.Helper()
	f := facts{}
	for _, read := range []func(facts) error{o.packetFacts, o.propertyFacts, o.reasonFacts} {
		if err := read(f); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func (o *oracle) packetFacts(f facts) error {
	var file struct {
		Packets []struct {
			Name   string
			Type   int
			First  []int
			From   map[string]string
			Fields [][]string
			Rules  [][]string
		}
		Values  map[string][]string
		General map[string][]string
	}
	if err := o.packets.Decode(&file); err != nil {
		return err
	}
	for _, p := range file.Packets {
		f.add(p.Type, p.Name, "type")
		f.add(p.First, p.Name, "first")
		for v, side := range p.From {
			f.add(side, p.Name, "from", v)
		}
		for i, field := range p.Fields {
			f.add(strings.Join(field, ", "), p.Name, "field", fmt.Sprint(i))
		}
		for _, r := range p.Rules {
			f.addRules(r[2], r[3], p.Name, "rule", r[0])
		}
	}
	for name, ids := range file.Values {
		for _, id := range ids {
			f.addRules("-", id, "value", name)
		}
	}
	for fault, r := range file.General {
		f.addRules(r[1], r[2], "general", fault)
	}
	return nil
}

// addRules notes the rules of both versions; - stands for none.
func (f facts) addRules(v311, v5 string, about ...string) {
	for v, id := range map[Ver]string{V311: v311, V5: v5} {
		if id != "-" && id != "" {
			f.add("enforced", append(slices.Clone(about), string(v), id)...)
		}
	}
}

func (o *oracle) propertyFacts(f facts) error {
	var file struct {
		Properties []struct {
			ID, Min, Max                   int
			Hex, Name, Ident, Type, Repeat string
			OutOfRange                     string `yaml:"out_of_range"`
			Packets                        map[string]string
		}
	}
	if err := o.properties.Decode(&file); err != nil {
		return err
	}
	for _, p := range file.Properties {
		f.add(p.ID, p.Ident, "id")
		f.add(p.Hex, p.Ident, "hex")
		f.add(p.Name, p.Ident, "title")
		f.add(p.Type, p.Ident, "type")
		f.add(fmt.Sprint(p.Min, " to ", p.Max, " ", p.OutOfRange), p.Ident, "range")
		for packet, side := range p.Packets {
			many := p.Repeat == "repeatable" || p.Repeat == "publish_only" && packet == "PUBLISH"
			f.add(fmt.Sprint(side, " many:", many), p.Ident, "in", packet)
		}
		f.add(slices.Contains([]string{"once", "repeatable", "publish_only"}, p.Repeat), p.Ident, "repeat is known")
	}
	return nil
}

func (o *oracle) reasonFacts(f facts) error {
	type code struct {
		Value     int
		Hex, Name string
		Packets   map[string]string
	}
	var file struct {
		V5      []code
		Connack []code `yaml:"v311_connack"`
		Suback  []code `yaml:"v311_suback"`
	}
	if err := o.reasons.Decode(&file); err != nil {
		return err
	}
	for _, c := range file.V5 {
		f.add(c.Value, c.Name, "value")
		f.add(c.Hex, c.Name, "hex")
		for packet, side := range c.Packets {
			// The standard's tables do not agree about these: either side may.
			f.add(strings.Replace(side, "unclear", "both", 1), c.Name, "in", packet)
		}
	}
	for packet, codes := range map[string][]code{"CONNACK": file.Connack, "SUBACK": file.Suback} {
		for _, c := range codes {
			f.add(c.Hex, packet, "return code", fmt.Sprint(c.Value))
		}
	}
	return nil
}

// facts returns what the model says.
func (m *Model) facts() facts {
	f := facts{}
	for _, p := range m.Packets {
		p.facts(f)
	}
	for _, p := range m.Properties {
		m.propertyFacts(f, p)
	}
	for _, c := range m.Reasons {
		f.add(c.Value, c.Title, "value")
		f.add(fmt.Sprintf("0x%02X", c.Value), c.Title, "hex")
		for packet, side := range c.From {
			f.add(side, c.Title, "in", strings.ToUpper(packet))
		}
	}
	for _, c := range m.Returns {
		f.add(fmt.Sprintf("0x%02X", c.Value), strings.ToUpper(c.Packet), "return code", fmt.Sprint(c.Value))
	}
	for _, fault := range m.Faults {
		f.addRules(fault.Rule[V311], fault.Rule[V5], "general", fault.Go)
	}
	return f
}

func (p *Packet) facts(f facts) {
	f.add(p.Type, p.Name, "type")
	f.add(p.firstBytes(), p.Name, "first")
	for v, side := range p.From {
		f.add(side, p.Name, "from", string(v))
	}
	rules := func(path string, verdicts []Verdict, except map[string]bool) {
		for _, v := range verdicts {
			if !except[v.V5.Rule] {
				f.addRules(v.V311.Rule, v.V5.Rule, p.Name, "rule", strings.ReplaceAll(path, "[%d]", ""))
			}
		}
	}
	if p.Fixed != nil {
		rules("Flags", p.Fixed.Verdicts, nil)
	}
	for i, field := range p.Root.all() {
		f.add(strings.ReplaceAll(field.Path, "[%d]", "")+", "+field.typeFact()+", "+field.whenFact(), p.Name, "field", fmt.Sprint(i))
		rules(field.Path, field.Verdicts, nil)
		for _, b := range field.Bits {
			rules(b.Path, b.Verdicts, nil)
		}
		for _, a := range field.Allow {
			rules(a.Path, a.Verdicts, a.valueRules())
		}
	}
	for _, s := range p.Root.structs() {
		for _, b := range s.Head {
			rules(b.Path, b.Verdicts, nil)
		}
	}
}

// valueRules returns the rules on the value of a property.
func (p *Property) valueRules() map[string]bool {
	rules := map[string]bool{}
	for _, c := range p.Checks {
		rules[c.Rule[V5]] = true
	}
	return rules
}

// firstBytes returns the first bytes that the model allows.
func (p *Packet) firstBytes() []int {
	var all []int
	for flags := range 16 {
		if p.legalFlags(flags) {
			all = append(all, p.Type<<4|flags)
		}
	}
	return all
}

func (p *Packet) legalFlags(flags int) bool {
	if p.Fixed != nil {
		return flags == p.Fixed.Value
	}
	value := map[string]int{}
	for _, b := range p.Flags {
		value[b.Name] = flags & b.Mask() >> b.Shift
		if b.Max >= 0 && value[b.Name] > b.Max {
			return false
		}
	}
	for _, c := range p.Root.Cross {
		if c.Verb == "needs" && c.Bit != nil && value[c.Bit.Name] != 0 && value[c.Other.Path] <= c.Other.Than {
			return false
		}
	}
	return true
}

// typeFacts are the wire types in the words of the tables.
var typeFacts = map[string]string{
	"u8": "byte", "u16": "two byte integer", "u32": "four byte integer", "varint": "variable byte integer",
	"utf8": "utf-8 string", "binary": "binary data", "pair": "utf-8 string pair",
	"packet_id": "two byte integer", "reason_code": "byte", "reason_codes": "bytes",
	"properties": "property block", "rest": "the rest",
	"protocol_name": "utf-8 string", "protocol_level": "byte", "utf8_list": "utf-8 strings",
	"group": "group", "list": "one or more",
}

func (f *Field) typeFact() string {
	if f.Wire != "bits" {
		return typeFacts[f.Wire]
	}
	var runs []string
	for _, b := range f.Bits {
		text := b.Name
		switch {
		case b.Present != nil:
			text = b.Present.Name
		case b.Reserved():
			text = fmt.Sprint(b.Value, ":", b.Width)
		case b.Owner != "":
			text = b.Owner + "." + b.Name
		}
		if b.Width > 1 && !b.Reserved() {
			text += fmt.Sprint(":", b.Width)
		}
		if b.V5 {
			text += ":v5.0"
		}
		runs = append(runs, text)
	}
	return strings.Join(runs, " ")
}

func (f *Field) whenFact() string {
	switch {
	case f.Optional:
		return "v5.0, may be left out"
	case f.V5:
		return "v5.0"
	case f.Present:
		return "flag"
	case f.When != nil:
		return fmt.Sprint(f.When.Path, " ", f.When.Op, " ", f.When.Than)
	}
	return "always"
}

func (m *Model) propertyFacts(f facts, p *Property) {
	f.add(p.ID, p.Name, "id")
	f.add(fmt.Sprintf("0x%02X", p.ID), p.Name, "hex")
	f.add(p.Title, p.Name, "title")
	f.add(typeFacts[p.Wire], p.Name, "type")
	f.add(true, p.Name, "repeat is known")
	for id := range p.valueRules() {
		f.addRules("-", id, "value", p.Name)
	}
	f.add(m.rangeFact(p), p.Name, "range")
	for _, packet := range m.Packets {
		for _, field := range packet.Root.all() {
			for _, a := range field.Allow {
				if a.Property != p {
					continue
				}
				in, side := packet.Name, a.From
				if field.In != packet.Root {
					in = strings.ToUpper(field.In.Go)
				}
				if side == "both" {
					side = packet.From[V5]
				}
				f.add(fmt.Sprint(side, " many:", a.Many), p.Name, "in", in)
			}
		}
	}
}

// rangeFact returns the legal values of a number and the code for others.
func (m *Model) rangeFact(p *Property) string {
	low, code := 0, ""
	high := map[string]int{"u8": 255, "u16": 65535, "u32": 4294967295, "varint": 268435455}[p.Wire]
	for _, c := range p.Checks {
		switch c.Verb {
		case "max":
			high = c.Value
		case "not_zero":
			low = 1
		default:
			continue
		}
		name := c.Code
		for _, f := range m.Faults {
			if f.Go == c.Fault && name == "" {
				name = f.V5.Code
			}
		}
		for _, r := range m.Reasons {
			if r.Go == name {
				code = fmt.Sprintf("0x%02X", r.Value)
			}
		}
	}
	return fmt.Sprint(low, " to ", high, " ", code)
}

// TestOracle compares the spec with the tables that were typed apart from it.
func TestOracle(t *testing.T) {
	m, err := Load(realSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	want := readOracle(t).facts(t)
	if len(want) < 500 {
		t.Fatalf("the tables hold %d facts only", len(want))
	}
	if diff := cmp.Diff(want, m.facts()); diff != "" {
		t.Errorf("spec/testdata (-) and spec (+) do not agree:\n%s", diff)
	}
}

// TestOracleFindsTypos changes each value of the tables in turn: none may go
// unnoticed.
func TestOracleFindsTypos(t *testing.T) {
	o := readOracle(t)
	for _, table := range []struct {
		doc  *yaml.Node
		read func(facts) error
		min  int
	}{{&o.packets, o.packetFacts, 250}, {&o.properties, o.propertyFacts, 200}, {&o.reasons, o.reasonFacts, 200}} {
		have := facts{}
		if err := table.read(have); err != nil {
			t.Fatal(err)
		}
		tried := 0
		eachValue(table.doc.Content[0], "", func(n *yaml.Node) {
			tried++
			value, tag := n.Value, n.Tag
			n.Value, n.Tag = typo(value), ""
			changed := facts{}
			if err := table.read(changed); err == nil && maps.Equal(changed, have) {
				t.Errorf("line %d: nobody notices %q instead of %q", n.Line, n.Value, value)
			}
			n.Value, n.Tag = value, tag
		})
		if tried < table.min {
			t.Errorf("tried %d values only", tried)
		}
	}
}

// typo returns another value of the same kind.
func typo(s string) string {
	last := len(s) - 1
	switch {
	case s == "both":
		return "client"
	case s == "-":
		return "MQTT-3.1.0-1"
	case s[last] >= '0' && s[last] < '9':
		return s[:last] + string(s[last]+1)
	case s[last] == '9':
		return s[:last] + "8"
	}
	return s[:last] + "x"
}

// eachValue visits the values of a table that say something about the
// protocol: not the explanations.
func eachValue(n *yaml.Node, key string, visit func(*yaml.Node)) {
	switch n.Kind {
	case yaml.ScalarNode:
		visit(n)
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			inner := n.Content[i].Value
			if slices.Contains([]string{"values", "bad_value", "absent", "notes"}, inner) && n.Content[i+1].Kind == yaml.ScalarNode {
				continue
			}
			if strings.HasPrefix(key, "v311_") && inner == "name" {
				continue // the return codes have no names in Go
			}
			eachValue(n.Content[i+1], inner, visit)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			rule := key == "rules" && len(n.Content) == 4 && i == 1
			general := strings.HasPrefix(key, "fault") && i == 0
			if !rule && !general {
				eachValue(item, key, visit)
			}
		}
	}
}

// TestOracleFindsMistakes changes the spec in ways that Load cannot object to.
func TestOracleFindsMistakes(t *testing.T) {
	want := readOracle(t).facts(t)
	files := withShortRules(t, realSpec(t))
	for _, m := range []mistake{
		{publish, "v5.0: MQTT-3.3.2-2}", "v5.0: MQTT-3.3.2-1}", ""},
		{publish, "max: 2\n", "max: 1\n", ""},
		{publish, "from: server, rule", "from: client, rule", ""},
		{publish, "many: true, from: server", "from: server", ""},
		{publish, "      - {is: ContentType, ref: 3.3.2.3.9}\n", "", ""},
		{publish, "when: QoS > 0", "when: QoS > 1", ""},
		{publish, "  - {verb: needs, field: Dup, needs: QoS > 0, class: malformed, rule: {v3.1.1: MQTT-3.3.1-2, v5.0: MQTT-3.3.1-2}}\n", "", ""},
		{properties, "id: 0x2A", "id: 0x2B", ""},
		{properties, "{verb: max, value: 1, rule: {v5.0: U5-3.2.2.3.13-a}}", "{verb: max, value: 2, rule: {v5.0: U5-3.2.2.3.13-a}}", ""},
		{properties, "not_zero, code: TopicAliasInvalid,", "not_zero,", ""},
		{reasons, "from: {Connack: server, Disconnect: server}", "from: {Connack: server, Disconnect: both}", ""},
		{reasons, "value: 0xA0", "value: 0xA3", ""},
		{faults, "rule: {v3.1.1: MQTT-1.5.3-2, v5.0: MQTT-1.5.4-2}", "rule: {v3.1.1: MQTT-1.5.3-1, v5.0: MQTT-1.5.4-2}", ""},
		{subscribe, "{name: RetainAsPublished, bits: 1, go: bool, since: v5.0,", "{name: RetainAsPublished, bits: 1, go: bool,", ""},
		{connect, "{name: KeepAlive, wire: u16,", "{name: KeepAlive, wire: u32,", ""},
	} {
		edited, _ := m.apply(t, files)
		model, err := Load(edited)
		if err != nil {
			t.Errorf("%q: %v", m.new, err)
		} else if maps.Equal(want, model.facts()) {
			t.Errorf("%s: nobody notices %q instead of %q", m.file, m.new, m.old)
		}
	}
}
