package gen

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Spec is the content of spec/ as it is written.
type Spec struct {
	Packets    []*PacketSpec // in the order of their types
	Properties []PropertySpec
	Reasons    []ReasonSpec
	Returns    []ReturnSpec
	Faults     []FaultSpec
	Rules      map[Ver]map[string]bool // the ids of spec/rules
}

// Load reads the YAML files below the root of fsys and checks them. The error
// is of type Problems and holds every mistake that was found.
func Load(fsys fs.FS) (*Model, error) {
	var problems Problems
	spec, err := read(fsys, &problems)
	if err != nil {
		return nil, err
	}
	var m *Model
	if len(problems) == 0 {
		m = resolve(spec, &problems)
	}
	if len(problems) > 0 {
		problems.sort()
		return nil, problems
	}
	return m, nil
}

// read decodes all files. Mistakes in them go to problems; the error is one of
// the file system.
func read(fsys fs.FS, problems *Problems) (*Spec, error) {
	spec := &Spec{Rules: map[Ver]map[string]bool{}}
	var properties propertyFile
	var reasons reasonFile
	var faults faultFile
	for name, into := range map[string]any{
		"properties.yaml":   &properties,
		"reason_codes.yaml": &reasons,
		"faults.yaml":       &faults,
	} {
		if err := readFile(fsys, name, into, problems); err != nil {
			return nil, err
		}
	}
	spec.Properties, spec.Faults = properties.Properties, faults.Faults
	spec.Reasons, spec.Returns = reasons.Reasons, reasons.Returns
	names, err := fs.Glob(fsys, "packets/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		p := new(PacketSpec)
		if err := readFile(fsys, name, p, problems); err != nil {
			return nil, err
		}
		spec.Packets = append(spec.Packets, p)
	}
	for v, name := range map[Ver]string{V311: "rules/v311.yaml", V5: "rules/v5.yaml"} {
		if spec.Rules[v], err = readRules(fsys, name); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

func readFile(fsys fs.FS, name string, into any, problems *Problems) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		problems.add(syntaxPos(name, err), "%v", err)
		return nil
	}
	if len(doc.Content) != 1 {
		problems.add(Pos{name, 1, 1}, "the file is empty")
		return nil
	}
	d := decoder{name, problems}
	d.decode(doc.Content[0], reflect.ValueOf(into).Elem())
	return nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// syntaxPos returns the line that a message of the YAML parser speaks of.
func syntaxPos(name string, err error) Pos {
	at := Pos{name, 1, 1}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
	}
	return at
}

// readRules returns the ids of a rule file. A spec without rules, such as a
// small one for a test, has no such file and may cite nothing.
func readRules(fsys fs.FS, name string) (map[string]bool, error) {
	ids := map[string]bool{}
	data, err := fs.ReadFile(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		return ids, nil
	}
	if err != nil {
		return nil, err
	}
	var file struct {
		Statements []struct{ ID string }
		Unnumbered []struct{ ID string }
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, s := range append(file.Statements, file.Unnumbered...) {
		ids[s.ID] = true
	}
	return ids, nil
}

// fileStem returns the name of a YAML file without folder and ending.
func fileStem(name string) string { return strings.TrimSuffix(path.Base(name), ".yaml") }
