package gen

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// resolver turns a Spec into a Model and collects what is wrong with it.
type resolver struct {
	*Problems
	spec       *Spec
	model      *Model
	faults     map[string]*Fault
	properties map[string]*Property
	reasons    map[string]bool
	rulesUsed  bool
}

func resolve(spec *Spec, problems *Problems) *Model {
	r := &resolver{
		Problems: problems, spec: spec, model: &Model{},
		faults: map[string]*Fault{}, properties: map[string]*Property{}, reasons: map[string]bool{},
	}
	r.reasonCodes()
	r.faultTable()
	r.propertyTable()
	slices.SortFunc(spec.Packets, func(a, b *PacketSpec) int { return a.Type - b.Type })
	names, types := map[string]bool{}, map[int]bool{}
	for _, p := range spec.Packets {
		if names[p.Packet] || types[p.Type] {
			r.add(p.Pos, "packet %s of type %d stands in two files", p.Packet, p.Type)
		}
		names[p.Packet], types[p.Type] = true, true
		r.model.Packets = append(r.model.Packets, r.packet(p))
	}
	r.unused()
	return r.model
}

var exportedName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

func (r *resolver) goName(at Pos, key, name string) {
	if !exportedName.MatchString(name) {
		r.add(at, "%s: %q is not an exported Go name such as TopicAlias", key, name)
	}
}

func (r *resolver) doc(at Pos, what, doc string) {
	if strings.TrimSpace(doc) == "" {
		r.add(at, "%s has no doc", what)
	}
}

// oneOf reports a value that is none of those allowed.
func (r *resolver) oneOf(at Pos, key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.add(at, "%s: %q is none of %s", key, value, strings.Join(allowed, ", "))
	}
}

// rule reports ids that spec/rules does not have.
func (r *resolver) rule(at Pos, rule map[Ver]string) {
	for _, v := range slices.Sorted(maps.Keys(rule)) {
		if v != V311 && v != V5 {
			r.add(at, "rule: unknown version %q, expected v3.1.1 or v5.0", v)
		} else if !r.spec.Rules[v][rule[v]] {
			r.add(at, "rule: spec/rules has no statement %q of %s", rule[v], v)
		}
	}
}

// judgement resolves a class, a code and a rule. An empty class stays empty.
func (r *resolver) judgement(at Pos, class, code, rule string) Judgement {
	j := Judgement{Rule: rule}
	if class == "" && code == "" {
		return j
	}
	c, ok := classes[class]
	if !ok {
		r.oneOf(at, "class", class, slices.Sorted(maps.Keys(classes))...)
		return j
	}
	j.Class, j.Code = c[0], c[1]
	if code != "" {
		if !r.reasons[code] {
			r.add(at, "code: reason_codes.yaml has no %q", code)
		}
		j.Code = code
	}
	return j
}

func (c ClassSpec) of(v Ver) string {
	switch {
	case c.Both != "":
		return c.Both
	case v == V311:
		return c.V311
	}
	return c.V5
}

func (r *resolver) reasonCodes() {
	seen := map[string]bool{}
	for _, c := range r.spec.Reasons {
		r.goName(c.Pos, "go", c.Go)
		r.doc(c.Pos, "reason code "+c.Go, c.Doc)
		if r.reasons[c.Go] {
			r.add(c.Pos, "reason code %s stands here twice", c.Go)
		}
		r.reasons[c.Go] = true
		if c.Value < 0 || c.Value > 255 {
			r.add(c.Pos, "value: %d does not fit a byte", c.Value)
		}
		for _, p := range slices.Sorted(maps.Keys(c.From)) {
			r.packetName(c.Pos, "from", p)
			r.oneOf(c.Pos, "from: "+p, c.From[p], "both", "client", "server")
			if key := fmt.Sprint(p, c.Value); seen[key] {
				r.add(c.Pos, "from: %s has another code with the value 0x%02X", p, c.Value)
			} else {
				seen[key] = true
			}
		}
		for _, p := range slices.Sorted(maps.Keys(c.V311)) {
			r.packetName(c.Pos, "v3.1.1", p)
			if c.From[p] == "" {
				r.add(c.Pos, "v3.1.1: %s does not carry the code in v5.0", p)
			}
		}
	}
	for _, c := range r.spec.Returns {
		r.packetName(c.Pos, "packet", c.Packet)
		r.doc(c.Pos, "return code", c.Doc)
		if !r.reasons[c.Is] {
			r.add(c.Pos, "is: there is no reason code %q", c.Is)
		}
	}
	r.model.Reasons, r.model.Returns = r.spec.Reasons, r.spec.Returns
}

func (r *resolver) packetName(at Pos, key, name string) {
	for _, p := range r.spec.Packets {
		if p.Packet == name {
			return
		}
	}
	r.add(at, "%s: there is no packet %q", key, name)
}

func (r *resolver) faultTable() {
	for _, f := range r.spec.Faults {
		r.rule(f.Pos, f.Rule)
		r.doc(f.Pos, "fault "+f.Go, f.Detail)
		if !strings.HasPrefix(f.Go, "fault") {
			r.add(f.Pos, "go: %q does not begin with fault", f.Go)
		}
		if r.faults[f.Go] != nil {
			r.add(f.Pos, "fault %s stands here twice", f.Go)
		}
		fault := &Fault{
			FaultSpec: f,
			V311:      r.judgement(f.Pos, f.Class.of(V311), f.Code, f.Rule[V311]),
			V5:        r.judgement(f.Pos, f.Class.of(V5), f.Code, f.Rule[V5]),
		}
		if fault.V311.Class == "" || fault.V5.Class == "" {
			r.add(f.Pos, "fault %s has no class", f.Go)
		}
		r.faults[f.Go] = fault
		r.model.Faults = append(r.model.Faults, fault)
	}
}

func (r *resolver) propertyTable() {
	ids := map[int]bool{}
	for _, p := range r.spec.Properties {
		r.goName(p.Pos, "name", p.Name)
		r.doc(p.Pos, "property "+p.Name, p.Doc)
		r.oneOf(p.Pos, "wire", p.Wire, slices.Sorted(maps.Keys(propertyWires))...)
		if p.ID < 1 || p.ID > 127 {
			r.add(p.Pos, "id: 0x%X does not fit one byte of a variable byte integer", p.ID)
		}
		if ids[p.ID] || r.properties[p.Name] != nil {
			r.add(p.Pos, "property %s with the id 0x%02X stands here twice", p.Name, p.ID)
		}
		ids[p.ID] = true
		property := &Property{PropertySpec: p, Checks: map[string]*Check{}}
		for _, c := range p.Checks {
			if c.Field != "" {
				r.add(c.Pos, "field: a check of a property is about its value")
			}
			r.valueCheck(c, p.Wire, property.Checks, &Check{CheckSpec: c})
		}
		r.properties[p.Name] = property
		r.model.Properties = append(r.model.Properties, property)
	}
}

// verbWires tells for the verbs that look at one value which wire types they
// understand.
var verbWires = map[string][]string{
	"utf8":         {"utf8", "pair", "utf8_list"},
	"no_wildcards": {"utf8"},
	"topic_filter": {"utf8", "utf8_list"},
	"not_zero":     {"u16", "u32", "varint", "packet_id"},
	"max":          {"u8"},
	"not_empty":    {"utf8", "list", "utf8_list", "reason_codes"},
	"reason_codes": {"reason_code", "reason_codes"},
}

// valueCheck files a check that looks at one value under its verb.
func (r *resolver) valueCheck(c CheckSpec, wire string, into map[string]*Check, check *Check) {
	allowed, ok := verbWires[c.Verb]
	if !ok {
		r.oneOf(c.Pos, "verb", c.Verb, slices.Sorted(maps.Keys(verbWires))...)
		return
	}
	if !slices.Contains(allowed, wire) {
		r.add(c.Pos, "verb: %s is for %s, and this is %s", c.Verb, strings.Join(allowed, ", "), wire)
	}
	if into[c.Verb] != nil {
		r.add(c.Pos, "verb: %s stands here twice for this field", c.Verb)
	}
	if c.Verb == "max" && (c.Value < 1 || c.Value > 254) {
		r.add(c.Pos, "value: max takes 1 to 254")
	}
	if c.Verb != "max" && c.Value != 0 {
		r.add(c.Pos, "value: %s takes none", c.Verb)
	}
	check.Fault = verbs[c.Verb]
	if wire == "packet_id" {
		check.Fault = "faultZeroPacketID"
	}
	r.cites(c)
	into[c.Verb] = check
}

// cites reports a check without a rule, or with one that does not exist.
func (r *resolver) cites(c CheckSpec) {
	if len(c.Rule) == 0 {
		r.add(c.Pos, "rule: every check cites the rule it enforces, for each version")
	}
	r.rule(c.Pos, c.Rule)
}

// verdict returns how a check judges its fault, for the descriptor of its
// field.
func (r *resolver) verdict(fault string, at Pos, class ClassSpec, code string, rule map[Ver]string) Verdict {
	general := r.faults[fault]
	if general == nil {
		r.add(at, "faults.yaml has no %s", fault)
		return Verdict{}
	}
	of := func(v Ver) Judgement {
		name := class.of(v)
		if name == "" && code != "" {
			name = general.Class.of(v)
		}
		return r.judgement(at, name, code, rule[v])
	}
	return Verdict{Fault: fault, V311: of(V311), V5: of(V5)}
}

// unused reports facts that nobody consumes.
func (r *resolver) unused() {
	used := map[string]bool{}
	for _, p := range r.model.Packets {
		for _, f := range p.Root.all() {
			for _, a := range f.Allow {
				used[a.Name] = true
			}
		}
	}
	for _, p := range r.model.Properties {
		if !used[p.Name] {
			r.add(p.Pos, "property %s is allowed in no packet", p.Name)
		}
	}
	for _, c := range r.spec.Reasons {
		if len(c.From) == 0 {
			r.add(c.Pos, "reason code %s is allowed in no packet", c.Go)
		}
	}
}

// all returns the fields of s and of the structs inside it.
func (s *Record) all() []*Field {
	var fields []*Field
	for _, f := range s.Fields {
		fields = append(fields, f)
		if f.Struct != nil {
			fields = append(fields, f.Struct.all()...)
		}
	}
	return fields
}
