package sessiontest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bug is a change of one line.
type bug struct{ name, file, old, new string }

// TestSimulationFindsBugs plants the bugs of testdata/bugs.txt, one after the
// other, in a copy of the module, and expects TestSimulation to fail there.
func TestSimulationFindsBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the module many times")
	}
	text, err := os.ReadFile("testdata/bugs.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	copyModule(t, dir)
	bugs := parseBugs(string(text))
	if len(bugs) < 6 {
		t.Fatalf("only %d bugs", len(bugs))
	}
	if out, err := simulateIn(dir); err != nil {
		t.Fatalf("without a bug: %v\n%s", err, out)
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
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
			out, err := simulateIn(dir)
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
		})
	}
}

// parseBugs reads the form of testdata/bugs.txt.
func parseBugs(text string) (bugs []bug) {
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

// copyModule copies what the simulation needs.
func copyModule(t *testing.T, dir string) {
	t.Helper()
	const root = "../.."
	for _, pattern := range []string{"go.mod", "go.sum", "codec/*.go", "events/*.go", "session/*.go", "session/sessiontest/*.go"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root, file)
			if err != nil {
				t.Fatal(err)
			}
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(name, "_test.go") && filepath.Dir(name) != filepath.Join("session", "sessiontest") {
				continue
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

// simulateIn runs the simulation of a copy.
func simulateIn(dir string) (out string, err error) {
	cmd := exec.Command("go", "test", "-vet=off", "-trimpath", "./session/sessiontest", "-run", "TestSimulation$", "-seeds", "3000")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	b, err := cmd.CombinedOutput()
	return string(b), err
}
