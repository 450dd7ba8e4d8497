package gen

import (
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// resolver turns a Spec into a Model and collects what is wrong with it.
type resolver struct {
	problems   *Problems
	told       map[Pos]bool // values that the decoder could not read
	spec       *Spec
	model      *Model
	faults     map[string]*Fault
	properties map[string]*Property
	reasons    map[string]ReasonSpec
	types      map[string]bool // the Go types of packets, groups and elements
}

// resolve returns the model of a spec. Mistakes go to problems.
func resolve(spec *Spec, problems *Problems) *Model {
	r := &resolver{
		problems: problems, told: map[Pos]bool{}, spec: spec, model: &Model{}, types: map[string]bool{},
		faults: map[string]*Fault{}, properties: map[string]*Property{}, reasons: map[string]ReasonSpec{},
	}
	for _, p := range *problems {
		r.told[p.Pos] = true
	}
	r.reasonCodes()
	r.returnCodes()
	r.faultTable()
	r.propertyTable()
	slices.SortStableFunc(spec.Packets, func(a, b *PacketSpec) int { return a.Type - b.Type })
	types := map[int]bool{}
	for _, p := range spec.Packets {
		if types[p.Type] {
			r.bad(p.Pos, "type", "%d stands in two files", p.Type)
		}
		types[p.Type] = true
		r.model.Packets = append(r.model.Packets, r.packet(p))
	}
	r.unused()
	return r.model
}

// add records a mistake, unless the value there could not even be read.
func (r *resolver) add(at Pos, format string, args ...any) {
	if !r.told[at] {
		r.problems.add(at, format, args...)
	}
}

// bad records a mistake in the value of a key of the mapping at a position.
func (r *resolver) bad(at Pos, key, format string, args ...any) {
	r.add(r.place(at, key), "%s: %s", key, fmt.Sprintf(format, args...))
}

// place follows keys into the mapping at a position and returns where the
// value of the last one stands, or as far as the keys are there.
func (r *resolver) place(at Pos, keys ...string) Pos {
	for _, key := range keys {
		i := slices.IndexFunc(r.spec.places[at], func(e entry) bool { return e.name == key })
		if i < 0 {
			return at
		}
		at = r.spec.places[at][i].value
	}
	return at
}

// only reports the keys of the mapping at a position that are not among those
// that its kind knows.
func (r *resolver) only(at Pos, kind string, known ...string) {
	for _, e := range r.spec.places[at] {
		if !slices.Contains(known, e.name) {
			r.add(e.key, "%s: not for %s, which takes %s", e.name, kind, strings.Join(known, ", "))
		}
	}
}

// goName reports a name that cannot be exported from Go.
func (r *resolver) goName(at Pos, key, name string) {
	if !exportedName.MatchString(name) || token.IsKeyword(lowerFirst(name)) {
		r.bad(at, key, "%q is not an exported Go name such as TopicAlias", name)
	}
}

var exportedName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// text reports a text that is missing.
func (r *resolver) text(at Pos, key, text string) {
	if strings.TrimSpace(text) == "" {
		r.bad(at, key, "missing")
	}
}

// oneOf reports a value that is none of those allowed.
func (r *resolver) oneOf(at Pos, key, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		r.bad(at, key, "%q is none of %s", value, strings.Join(allowed, ", "))
	}
}

// inRange reports a number outside its range.
func (r *resolver) inRange(at Pos, key string, value, low, high int) {
	if value < low || value > high {
		r.bad(at, key, "%d is not in %d to %d", value, low, high)
	}
}

// rule reports ids that spec/rules does not have, and rules of a version in
// which there is nothing to enforce.
func (r *resolver) rule(at Pos, rule map[Ver]string, in []Ver) {
	for _, v := range sortedKeys(rule) {
		switch {
		case !slices.Contains(versions, v):
			r.add(r.place(at, "rule", string(v)), "rule: unknown version %q, expected v3.1.1 or v5.0", v)
		case !slices.Contains(in, v):
			r.add(r.place(at, "rule", string(v)), "rule: %s does not have what this is about", v)
		case !r.spec.Rules[v][rule[v]]:
			r.add(r.place(at, "rule", string(v)), "rule: spec/rules has no statement %q of %s", rule[v], v)
		}
	}
}

// cites reports a check without a rule, or with one that does not exist.
func (r *resolver) cites(at Pos, rule map[Ver]string, in []Ver) {
	if len(rule) == 0 {
		r.bad(at, "rule", "missing, every check cites the rule it enforces, for each version")
	}
	r.rule(at, rule, in)
}

// judgement resolves a class, a code and a rule. An empty class stays empty.
func (r *resolver) judgement(at Pos, class, code, rule string) Judgement {
	j := Judgement{Rule: rule}
	if class == "" && code == "" {
		return j
	}
	c, ok := classes[class]
	if !ok {
		r.oneOf(at, "class", class, sortedKeys(classes)...)
		return j
	}
	j.Class, j.Code = c[0], c[1]
	if code != "" {
		if _, ok := r.reasons[code]; !ok {
			r.bad(at, "code", "reason_codes.yaml has no %q", code)
		}
		j.Code = code
	}
	return j
}

// of returns the class in a version, or nothing where none is given.
func (c ClassSpec) of(v Ver) string {
	switch {
	case c.Both != "":
		return c.Both
	case v == V311:
		return c.V311
	}
	return c.V5
}

// verdict returns how a check judges its fault, for the descriptor of its
// field.
func (r *resolver) verdict(fault string, at Pos, class ClassSpec, code string, rule map[Ver]string) Verdict {
	general := r.faults[fault]
	if general == nil {
		r.add(at, "faults.yaml has no %s, which this needs", fault)
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

// faultTable resolves faults.yaml.
func (r *resolver) faultTable() {
	for _, f := range r.spec.Faults {
		r.rule(f.Pos, f.Rule, versions)
		r.text(f.Pos, "detail", f.Detail)
		if !strings.HasPrefix(f.Go, "fault") {
			r.bad(f.Pos, "go", "%q does not begin with fault", f.Go)
		}
		if r.faults[f.Go] != nil {
			r.bad(f.Pos, "go", "%s stands here twice", f.Go)
		}
		fault := &Fault{
			FaultSpec: f,
			V311:      r.judgement(f.Pos, f.Class.of(V311), f.Code, f.Rule[V311]),
			V5:        r.judgement(f.Pos, f.Class.of(V5), f.Code, f.Rule[V5]),
		}
		if f.Class.of(V311) == "" || f.Class.of(V5) == "" {
			r.bad(f.Pos, "class", "missing, for both versions or for each")
		}
		r.faults[f.Go] = fault
		r.model.Faults = append(r.model.Faults, fault)
	}
}

// propertyTable resolves properties.yaml.
func (r *resolver) propertyTable() {
	ids := map[int]bool{}
	for _, p := range r.spec.Properties {
		r.goName(p.Pos, "name", p.Name)
		r.text(p.Pos, "title", p.Title)
		r.text(p.Pos, "doc", p.Doc)
		r.oneOf(p.Pos, "wire", p.Wire, sortedKeys(propertyWires)...)
		r.inRange(p.Pos, "id", p.ID, 1, 127)
		if ids[p.ID] {
			r.bad(p.Pos, "id", "0x%02X stands here twice", p.ID)
		}
		if r.properties[p.Name] != nil {
			r.bad(p.Pos, "name", "%s stands here twice", p.Name)
		}
		ids[p.ID] = true
		property := &Property{PropertySpec: p, Checks: map[string]*Check{}}
		for _, c := range p.Checks {
			r.propertyCheck(property, c)
		}
		r.properties[p.Name] = property
		r.model.Properties = append(r.model.Properties, property)
	}
}

// propertyCheck resolves a check on the value of a property.
func (r *resolver) propertyCheck(p *Property, c CheckSpec) {
	known := verbs[c.Verb]
	if known.wires == nil {
		r.oneOf(c.Pos, "verb", c.Verb, valueVerbs()...)
		return
	}
	key := known.key
	if key == "unless" {
		key = "" // there is nothing else to look at
	}
	r.checkKeys(c, key, known.must, "verb", "class", "code", "rule")
	r.cites(c.Pos, c.Rule, []Ver{V5})
	r.valueCheck(&Check{CheckSpec: c, Fault: known.fault}, p.Wire, p.Checks)
}

// valueVerbs returns the verbs that look at one value.
func valueVerbs() []string {
	return slices.DeleteFunc(sortedKeys(verbs), func(name string) bool { return verbs[name].wires == nil })
}

// valueCheck files a check that looks at one value under its verb.
func (r *resolver) valueCheck(c *Check, wire string, into map[string]*Check) {
	if wires := verbs[c.Verb].wires; !slices.Contains(wires, wire) {
		r.bad(c.Pos, "verb", "%s is for %s, and this is %s", c.Verb, strings.Join(wires, ", "), wire)
	}
	if into[c.Verb] != nil {
		r.bad(c.Pos, "verb", "%s stands here twice for this field", c.Verb)
	}
	if c.Verb == "max" {
		r.inRange(c.Pos, "value", c.Value, 1, 254)
	}
	switch {
	case wire == "packet_id":
		c.Fault = "faultZeroPacketID"
	case c.Verb == "not_empty" && wire != "utf8":
		c.Fault = "faultEmptyList"
	}
	into[c.Verb] = c
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
			r.bad(p.Pos, "name", "%s is allowed in no packet", p.Name)
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

// sortedKeys returns the keys of a map in their order.
func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// lowerFirst returns s with a small first letter.
func lowerFirst(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToLower(s[:1]) + s[1:]
}
