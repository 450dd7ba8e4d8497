// Package rules measures how much of the two MQTT standards the tests cover.
//
// The normative statements are data (spec/rules/v5.yaml, spec/rules/v311.yaml).
// A test that proves one cites it in a comment or a string, in exactly one form:
//
//	// [MQTT-3.3.1-4] v5        a numbered statement of MQTT 5.0
//	// [MQTT-3.1.0-2] v311      one of MQTT 3.1.1
//	// [U5-3.3.2.1-a] v5        a rule that the standard states without a number
//
// The version is part of the citation because nearly every label that exists in
// both standards means something else in each. The protocol files of spec/ name
// the rule of every check; those rules count as implemented, not as tested.
package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"gopkg.in/yaml.v3"
)

// Version is a standard as citations write it.
type Version string

// The two standards.
const (
	V311 Version = "v311"
	V5   Version = "v5"
)

// Versions lists the standards in the order of reports.
var Versions = []Version{V311, V5}

// Layers lists where a rule can be enforced, from the bytes up.
var Layers = []string{"codec", "session", "broker", "transport", "application"}

// idForm is the form of a rule id: a label of the standard, or one of ours for
// a rule that has none.
var idForm = regexp.MustCompile(`^(MQTT(-\d+(\.\d+)+-\d+)|U(5|311)(-\d+(\.\d+)*-[a-z]))$`)

// Rule is one normative statement.
type Rule struct {
	ID      string
	Version Version
	Section string
	Layer   string
	Says    string
}

// Key names a rule among those of both standards.
type Key struct {
	ID      string
	Version Version
}

// Set holds the rules of both standards, in the order of their files.
type Set struct {
	Rules []Rule
	index map[Key]int
}

// Lookup returns the rule with that id.
func (s *Set) Lookup(k Key) (Rule, bool) {
	i, ok := s.index[k]
	if !ok {
		return Rule{}, false
	}
	return s.Rules[i], true
}

// file is the part of a rule file that coverage needs; the other keys are for
// people.
type file struct {
	Counts struct {
		Statements int `yaml:"statements"`
		Unnumbered int `yaml:"unnumbered"`
	} `yaml:"counts"`
	Statements []yaml.Node `yaml:"statements"`
	Unnumbered []yaml.Node `yaml:"unnumbered"`
}

// Load reads v311.yaml and v5.yaml from dir. It reports every mistake of both
// files, each with its position.
func Load(dir string) (*Set, []Problem, error) {
	s := &Set{index: map[Key]int{}}
	var problems []Problem
	for _, v := range Versions {
		name := filepath.Join(dir, string(v)+".yaml")
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, nil, fmt.Errorf("rules of %s: %w", v, err)
		}
		var f file
		if err := yaml.Unmarshal(data, &f); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if got, want := len(f.Statements), f.Counts.Statements; got != want {
			problems = append(problems, Problem{name, 1, 1, fmt.Sprintf("counts.statements is %d, but %d are listed", want, got)})
		}
		if got, want := len(f.Unnumbered), f.Counts.Unnumbered; got != want {
			problems = append(problems, Problem{name, 1, 1, fmt.Sprintf("counts.unnumbered is %d, but %d are listed", want, got)})
		}
		for _, n := range slices.Concat(f.Statements, f.Unnumbered) {
			if msg := s.add(v, &n); msg != "" {
				problems = append(problems, Problem{name, n.Line, n.Column, msg})
			}
		}
	}
	return s, problems, nil
}

// add takes one statement into the set, or says what is wrong with it.
func (s *Set) add(v Version, n *yaml.Node) string {
	var r struct {
		ID      string `yaml:"id"`
		Section string `yaml:"section"`
		Layer   string `yaml:"layer"`
		Says    string `yaml:"says"`
	}
	if err := n.Decode(&r); err != nil {
		return err.Error()
	}
	k := Key{r.ID, v}
	switch {
	case !idForm.MatchString(r.ID):
		return fmt.Sprintf("id %q is not of the form MQTT-1.2.3-4, U5-1.2.3-a or U311-1.2.3-a", r.ID)
	case !slices.Contains(Layers, r.Layer):
		return fmt.Sprintf("%s: layer %q is none of %v", r.ID, r.Layer, Layers)
	case r.Says == "":
		return fmt.Sprintf("%s: says is empty", r.ID)
	}
	if _, dup := s.index[k]; dup {
		return fmt.Sprintf("%s is listed twice", r.ID)
	}
	s.index[k] = len(s.Rules)
	s.Rules = append(s.Rules, Rule{ID: r.ID, Version: v, Section: r.Section, Layer: r.Layer, Says: r.Says})
	return ""
}

// Problem is a mistake at a place in a file.
type Problem struct {
	File      string
	Line, Col int
	Text      string
}

// String gives the problem in the form that editors and terminals link.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Col, p.Text)
}
