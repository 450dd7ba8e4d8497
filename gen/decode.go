package gen

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Pos is the place of a value in a YAML file.
type Pos struct {
	File         string
	Line, Column int
}

// String returns the position in the form that editors jump to.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Problem is one mistake in the YAML files.
type Problem struct {
	Pos  Pos
	Text string
}

// Error returns the position and what would be right.
func (p Problem) Error() string { return p.Pos.String() + ": " + p.Text }

// Problems are all mistakes of one run, in the order of their positions.
type Problems []Problem

// Error returns one line for each mistake.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// add records a mistake.
func (ps *Problems) add(at Pos, format string, args ...any) {
	observe()
	*ps = append(*ps, Problem{at, fmt.Sprintf(format, args...)})
}

// sorted returns the mistakes by file, line and column, each once.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Text, b.Text),
		)
	})
	return slices.Compact(ps)
}

// observe is called for each problem when it is found. Tests set it.
var observe = func() {}

// entry is one key of a YAML mapping with the places of the key and its value.
type entry struct {
	name       string
	key, value Pos
}

// places holds the keys of every mapping in the files, by its position.
type places map[Pos][]entry

// decoder fills Go values from YAML nodes. It is stricter than yaml.v3: unknown
// and repeated keys are mistakes. A mapping leaves its position in the field
// Pos of its struct, and the positions of its keys in places.
type decoder struct {
	file     string
	places   places
	problems *Problems
}

// pos returns the position of a node.
func (d *decoder) pos(n *yaml.Node) Pos { return Pos{d.file, n.Line, n.Column} }

// decode fills v, which is settable, from n.
func (d *decoder) decode(n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		d.problems.add(d.pos(n), "anchors and aliases are not used here: write the value out")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem())
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Slice:
		d.slice(n, v)
	case reflect.Map:
		d.table(n, v)
	case reflect.Interface:
		d.free(n, v)
	default:
		d.scalar(n, v)
	}
}

// structure fills a struct from a mapping. A scalar fills the field whose tag
// has the option "scalar", if there is one.
func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	t := v.Type()
	if f := v.FieldByName("Pos"); f.IsValid() {
		f.Set(reflect.ValueOf(d.pos(n)))
	}
	if n.Kind == yaml.ScalarNode {
		for i := range t.NumField() {
			if _, opt, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); opt == "scalar" {
				d.decode(n, v.Field(i))
				return
			}
		}
	}
	if n.Kind != yaml.MappingNode {
		d.problems.add(d.pos(n), "expected a mapping with the keys %s", strings.Join(keysOf(t), ", "))
		return
	}
	d.note(n)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		f := fieldByKey(v, key.Value)
		switch {
		case !f.IsValid():
			d.problems.add(d.pos(key), "unknown key %q, expected one of %s", key.Value, strings.Join(keysOf(t), ", "))
		case seen[key.Value]:
			d.problems.add(d.pos(key), "key %q stands here twice", key.Value)
		default:
			d.decode(value, f)
		}
		seen[key.Value] = true
	}
}

// note keeps the places of the keys of a mapping.
func (d *decoder) note(n *yaml.Node) {
	at := d.pos(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		d.places[at] = append(d.places[at], entry{key.Value, d.pos(key), d.pos(value)})
	}
}

// keysOf returns the keys of the mapping that fills a struct.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// fieldByKey returns the field of a struct that a key fills.
func fieldByKey(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if k, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); k == key && k != "" {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}

// slice fills a list.
func (d *decoder) slice(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.problems.add(d.pos(n), "expected a list")
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.decode(item, list.Index(i))
	}
	v.Set(list)
}

// table fills a map.
func (d *decoder) table(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.problems.add(d.pos(n), "expected a mapping")
		return
	}
	d.note(n)
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := reflect.New(v.Type().Key()).Elem()
		d.scalar(n.Content[i], key)
		if v.MapIndex(key).IsValid() {
			d.problems.add(d.pos(n.Content[i]), "key %q stands here twice", n.Content[i].Value)
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.decode(n.Content[i+1], value)
		v.SetMapIndex(key, value)
	}
}

// free fills a value of any shape, such as the value of a golden packet.
func (d *decoder) free(n *yaml.Node, v reflect.Value) {
	var x any
	if err := n.Decode(&x); err != nil {
		d.problems.add(d.pos(n), "%v", err)
		return
	}
	if x != nil {
		v.Set(reflect.ValueOf(x))
	}
}

// scalar fills a string, an integer or a bool.
func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.problems.add(d.pos(n), "expected a single value")
		return
	}
	if v.Kind() == reflect.String {
		v.SetString(n.Value)
		return
	}
	if err := n.Decode(v.Addr().Interface()); err != nil {
		d.problems.add(d.pos(n), "%q is not %s", n.Value, plainKind(v.Kind()))
	}
}

// plainKind says what a scalar of a kind is written as.
func plainKind(k reflect.Kind) string {
	if k == reflect.Bool {
		return "true or false"
	}
	return "a whole number that fits here"
}
