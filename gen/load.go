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
	places     places
	unreadable bool // a file is not YAML, so what refers to it cannot be judged
}

// Load reads the YAML files below the root of fsys and checks them. The error
// is of type Problems and holds every mistake that was found, unless a file
// could not be read at all.
func Load(fsys fs.FS) (*Model, error) {
	var problems Problems
	spec, err := read(fsys, &problems)
	if err != nil {
		return nil, err
	}
	var m *Model
	if !spec.unreadable {
		m = resolve(spec, &problems)
	}
	if len(problems) > 0 {
		return nil, problems.sorted()
	}
	return m, nil
}

// read decodes all files. Mistakes in them go to problems; the error is one of
// the file system.
func read(fsys fs.FS, problems *Problems) (*Spec, error) {
	spec := &Spec{Rules: map[Ver]map[string]bool{}, places: places{}}
	var properties propertyFile
	var reasons reasonFile
	var faults faultFile
	for _, f := range []struct {
		name string
		into any
	}{{"properties.yaml", &properties}, {"reason_codes.yaml", &reasons}, {"faults.yaml", &faults}} {
		if err := spec.readFile(fsys, f.name, f.into, problems); err != nil {
			return nil, err
		}
	}
	spec.Properties, spec.Faults = properties.Properties, faults.Faults
	spec.Reasons, spec.Returns = reasons.Reasons, reasons.Returns
	if err := spec.readPackets(fsys, problems); err != nil {
		return nil, err
	}
	for _, v := range versions {
		var err error
		if spec.Rules[v], err = readRules(fsys, ruleFiles[v]); err != nil {
			return nil, err
		}
	}
	return spec, nil
}

// readPackets decodes the files of packets/.
func (s *Spec) readPackets(fsys fs.FS, problems *Problems) error {
	names, err := fs.Glob(fsys, "packets/*.yaml")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return &fs.PathError{Op: "open", Path: "packets/*.yaml", Err: fs.ErrNotExist}
	}
	for _, name := range names {
		p := new(PacketSpec)
		if err := s.readFile(fsys, name, p, problems); err != nil {
			return err
		}
		s.Packets = append(s.Packets, p)
	}
	return nil
}

// readFile decodes one file into the struct that into points to.
func (s *Spec) readFile(fsys fs.FS, name string, into any, problems *Problems) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		problems.add(syntaxPos(name, err), "%v", err)
		s.unreadable = true
		return nil
	}
	if len(doc.Content) != 1 {
		problems.add(Pos{name, 1, 1}, "the file is empty")
		s.unreadable = true
		return nil
	}
	d := decoder{name, s.places, problems}
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

// ruleFiles are the statements of both standards.
var ruleFiles = map[Ver]string{V311: "rules/v311.yaml", V5: "rules/v5.yaml"}

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
