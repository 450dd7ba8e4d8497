package gen

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// Hand-written files of package codec that speak of fields that the mini
// protocol does not have. Its program has what stands in for them.
var notMini = map[string]bool{"builder.go": true, "clone_publish.go": true, "rules.go": true}

// miniSpec returns the mini protocol with the faults and rules of spec/.
func miniSpec(t *testing.T) fstest.MapFS {
	t.Helper()
	files := readTree(t, "testdata/mini")
	for name, file := range realSpec(t) {
		if name == "faults.yaml" || strings.HasPrefix(name, "rules/") {
			files[name] = file
		}
	}
	return files
}

// TestMini generates the code of a protocol that uses all of the spec
// language, and runs it.
func TestMini(t *testing.T) {
	m, err := Load(miniSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	files, err := m.Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", []byte("module github.com/mqttcore/mqttcore\n\ngo 1.26\n"))
	for name, data := range files {
		write(name, data)
	}
	for _, name := range append(handWritten(t), "dissect_check_test.go") {
		data, err := os.ReadFile(filepath.Join("../codec", name))
		if err != nil {
			t.Fatal(err)
		}
		write("codec/"+name, data)
	}
	program, err := os.ReadFile("testdata/mini/mini_test.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	write("codec/mini_test.go", program)
	cmd := exec.Command("go", "test", "-count=1", "./codec")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// handWritten returns the files of package codec that are neither generated
// nor tests nor about packets that the mini protocol does not have.
func handWritten(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(os.DirFS("../codec"), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range all {
		if !strings.HasSuffix(name, "_gen.go") && !strings.HasSuffix(name, "_test.go") && !notMini[name] {
			names = append(names, name)
		}
	}
	return names
}
