// Package planted helps tests to show that a simulation finds bugs: it plants
// them, one after the other, in a copy of the module.
package planted

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Simulation is a test that is to find bugs.
type Simulation struct {
	// Root is the folder of the module, File the list of bugs.
	Root, File string
	// Sources are patterns of the files that the test needs, below Root. Tests
	// are copied of Package alone.
	Sources []string
	// Package is the folder of the test; Args follow "go test" and run it. When it
	// fails it prints "replay:".
	Package string
	Args    []string
}

// bug is a change of one line.
type bug struct{ name, file, old, new string }

// Find expects the simulation to pass without a bug and to fail with each.
func (s Simulation) Find(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the module many times")
	}
	text, err := os.ReadFile(s.File)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s.copy(t, dir)
	bugs := parse(string(text))
	if len(bugs) < 6 {
		t.Fatalf("only %d bugs", len(bugs))
	}
	if out, err := s.run(dir); err != nil {
		t.Fatalf("without a bug: %v\n%s", err, out)
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) { s.plant(t, dir, b) })
	}
}

// plant runs the simulation with a bug.
func (s Simulation) plant(t *testing.T, dir string, b bug) {
	file := filepath.Join(dir, b.file)
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(src), "\n"+b.old+"\n"); n != 1 {
		t.Fatalf("%s: the line is there %d times", b.file, n)
	}
	planted := strings.Replace(string(src), "\n"+b.old+"\n", "\n"+b.new+"\n", 1)
	if err := os.WriteFile(file, []byte(planted), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.WriteFile(file, src, 0o644)
	out, err := s.run(dir)
	var failed *exec.ExitError
	switch {
	case err == nil:
		t.Error("not found")
	case !errors.As(err, &failed) || !strings.Contains(out, "replay:"):
		t.Errorf("%v\n%s", err, out)
	default:
		_, found, _ := strings.Cut(out, "seed ")
		found, _, _ = strings.Cut(found, "\n")
		t.Logf("seed %s", found)
	}
}

// parse reads a list of bugs: each has a name behind "== ", a file, the line that
// is there and the one in its place.
func parse(text string) (bugs []bug) {
	for part := range strings.SplitSeq(text, "\n== ") {
		lines := strings.Split(part, "\n")
		b := bug{name: lines[0]}
		for _, line := range lines[1:] {
			if rest, ok := strings.CutPrefix(line, "file: "); ok {
				b.file = rest
			} else if rest, ok := strings.CutPrefix(line, "- "); ok {
				b.old = rest
			} else if rest, ok := strings.CutPrefix(line, "+ "); ok {
				b.new = rest
			}
		}
		if b.file != "" {
			bugs = append(bugs, b)
		}
	}
	return bugs
}

// copy copies what the simulation needs.
func (s Simulation) copy(t *testing.T, dir string) {
	t.Helper()
	for _, pattern := range append([]string{"go.mod", "go.sum"}, s.Sources...) {
		files, err := filepath.Glob(filepath.Join(s.Root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(s.Root, file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") && filepath.Dir(name) != filepath.Clean(s.Package) {
				continue
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(to, src, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// run runs the simulation of a copy.
func (s Simulation) run(dir string) (out string, err error) {
	args := append([]string{"test", "-vet=off", "-trimpath", "./" + s.Package}, s.Args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	b, err := cmd.CombinedOutput()
	return string(b), err
}
