package rules

import (
	"errors"
	"fmt"
	"go/scanner"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Citation is a mention of a rule at a place in the tree.
type Citation struct {
	Key
	File      string
	Line, Col int
}

// cited finds what is meant as a citation: an id in brackets, then the version.
// The version is optional here so that one without it is reported, not ignored:
// a rule that its author believes cited would stay uncovered.
var cited = regexp.MustCompile(`\[((?:MQTT|U5|U311)-[0-9][0-9A-Za-z.\-]*)\](?: (v311|v5)\b)?`)

// output begins what an example prints, which cites nothing.
var output = regexp.MustCompile(`^// (?i:(unordered )?output):`)

// ScanTests finds the citations in the comments and strings of every Go test
// file under root. Like the go tool it passes over testdata, and over names that
// begin with a dot or an underscore.
func ScanTests(root string) (cites []Citation, problems []Problem, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		hidden := path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_"))
		switch {
		case d.IsDir() && (hidden || name == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || hidden || !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, p := scanGo(path, src)
		cites, problems = append(cites, c...), append(problems, p...)
		return nil
	})
	return cites, problems, err
}

// scanGo finds the citations of one Go file. It reads tokens, not syntax, so a
// file that does not compile yet is counted too.
func scanGo(name string, src []byte) (cites []Citation, problems []Problem) {
	set := token.NewFileSet()
	f := set.AddFile(name, -1, len(src))
	var s scanner.Scanner
	s.Init(f, src, nil, scanner.ScanComments)
	printed := false
	for {
		pos, tok, lit := s.Scan()
		if printed = tok == token.COMMENT && (printed || output.MatchString(lit)); printed {
			continue
		}
		switch tok {
		case token.EOF:
			return cites, problems
		case token.COMMENT, token.STRING:
		default:
			continue
		}
		// Offsets are counted in the source: the literal of a raw string has lost
		// its carriage returns, which only moves the column of such files.
		for _, m := range cited.FindAllStringSubmatchIndex(lit, -1) {
			at := set.Position(pos + token.Pos(m[0]))
			id := lit[m[2]:m[3]]
			if m[4] < 0 {
				problems = append(problems, Problem{name, at.Line, at.Column,
					fmt.Sprintf("citation of %s without its version: write [%s] v5 or [%s] v311", id, id, id)})
				continue
			}
			cites = append(cites, Citation{Key{id, Version(lit[m[4]:m[5]])}, name, at.Line, at.Column})
		}
	}
}

// specVersions are the versions as the protocol files write them.
var specVersions = map[string]Version{"v3.1.1": V311, "v5.0": V5}

// ScanSpec finds the rules that the protocol files of dir name for their checks:
// every `rule: {v3.1.1: ID, v5.0: ID}`, at any depth. The rule files themselves
// and testdata are passed over. A missing dir holds no citations.
func ScanSpec(dir string) (cites []Citation, problems []Problem, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (d.Name() == "testdata" || path == filepath.Join(dir, "rules")):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".yaml":
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(src, &doc); err != nil {
			problems = append(problems, Problem{path, 1, 1, err.Error()})
			return nil
		}
		c, p := scanYAML(path, &doc)
		cites, problems = append(cites, c...), append(problems, p...)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return cites, problems, err
}

func scanYAML(name string, n *yaml.Node) (cites []Citation, problems []Problem) {
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "rule" && c.Kind == yaml.MappingNode {
			cc, pp := ruleNode(name, c)
			cites, problems = append(cites, cc...), append(problems, pp...)
			continue
		}
		cc, pp := scanYAML(name, c)
		cites, problems = append(cites, cc...), append(problems, pp...)
	}
	return cites, problems
}

// ruleNode reads the value of one rule key; a version may name one id or a list.
func ruleNode(name string, n *yaml.Node) (cites []Citation, problems []Problem) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, val := n.Content[i], n.Content[i+1]
		v, ok := specVersions[key.Value]
		if !ok {
			problems = append(problems, Problem{name, key.Line, key.Column,
				fmt.Sprintf("rule has the key %q; it names v3.1.1 and v5.0", key.Value)})
			continue
		}
		ids := []*yaml.Node{val}
		if val.Kind == yaml.SequenceNode {
			ids = val.Content
		}
		for _, id := range ids {
			cites = append(cites, Citation{Key{id.Value, v}, name, id.Line, id.Column})
		}
	}
	return cites, problems
}

// Unknown returns a problem for each citation of a rule that the set does not
// have, with the nearest hint there is: the same id in the other version.
func (s *Set) Unknown(cites []Citation) (problems []Problem) {
	for _, c := range cites {
		if _, ok := s.index[c.Key]; ok {
			continue
		}
		text := fmt.Sprintf("no rule %s in spec/rules/%s.yaml", c.ID, c.Version)
		for _, other := range Versions {
			if _, ok := s.index[Key{c.ID, other}]; ok {
				text += fmt.Sprintf("; %s has one of that id", other)
			}
		}
		problems = append(problems, Problem{c.File, c.Line, c.Col, text})
	}
	return problems
}

// keys gives the set of rules that are cited.
func keys(cites []Citation) map[Key]bool {
	m := make(map[Key]bool, len(cites))
	for _, c := range cites {
		m[c.Key] = true
	}
	return m
}

// sortProblems orders problems by place.
func sortProblems(p []Problem) {
	slices.SortFunc(p, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
}
