// Package planted helps tests to show that a simulation finds bugs: it plants
// them, one after the other, where the go tool reads the module.
package planted

import (
	"encoding/json"
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
	bugs := parse(string(text))
	if len(bugs) < 6 {
		t.Fatalf("only %d bugs", len(bugs))
	}
	if out, err := s.run(""); err != nil {
		t.Fatalf("without a bug: %v\n%s", err, out)
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) { s.plant(t, b) })
	}
}

// plant runs the simulation with a bug.
func (s Simulation) plant(t *testing.T, b bug) {
	file := filepath.Join(s.Root, b.file)
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(src), "\n"+b.old+"\n"); n != 1 {
		t.Fatalf("%s: the line is there %d times", b.file, n)
	}
	planted := strings.Replace(string(src), "\n"+b.old+"\n", "\n"+b.new+"\n", 1)
	out, err := s.run(overlay(t, file, planted))
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

// overlay tells the go tool to build with text in place of a file.
func overlay(t *testing.T, file, text string) string {
	t.Helper()
	absolute, err := filepath.Abs(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	instead, list := filepath.Join(dir, filepath.Base(file)), filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]any{"Replace": map[string]string{absolute: instead}})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{instead: []byte(text), list: data} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// run runs the simulation with what overlay has in place of files of the module.
func (s Simulation) run(overlay string) (out string, err error) {
	args := append([]string{"test", "-vet=off", "-overlay", overlay, "./" + s.Package}, s.Args...)
	cmd := exec.Command("go", args...)
	cmd.Dir = s.Root
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	b, err := cmd.CombinedOutput()
	return string(b), err
}
