// Package mqttcore_test checks what holds for the module as a whole.
package mqttcore_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/mqttcore/mqttcore/"

// layers lists the packages of the library from the bytes up. A package may
// import those above it in this list and the standard library, less what would
// make its output depend on anything but its input.
var layers = []struct {
	dir  string
	also string // an import that is banned elsewhere
}{
	{"codec", slog},
	{"events", slog},
	{"session", slog},
	{"session/client", slog},
	{"session/broker", maphash},
}

const (
	slog    = "log/slog"     // for LogValue methods; nothing is logged
	maphash = "hash/maphash" // as in Go's maps, whose order nobody sees
)

// bannedImports are the standard packages that bring I/O, goroutines, a clock's
// or the system's state, chance, or memory that the compiler does not check.
var bannedImports = []string{
	"context", "crypto/rand", "embed", "log", "log/slog", "hash/maphash", "math/rand", "math/rand/v2", "net", "os",
	"plugin", "runtime", "sync", "sync/atomic", "syscall", "testing", "unsafe",
}

// bannedTime are the parts of package time that read the clock or wait for it;
// the rest of the package only calculates.
var bannedTime = []string{
	"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until",
}

// TestLayers reads the library's own files, not its tests.
func TestLayers(t *testing.T) {
	for i, layer := range layers {
		var below []string
		for _, l := range layers[:i] {
			below = append(below, module+l.dir)
		}
		files, err := filepath.Glob(filepath.Join(layer.dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range inspect(name, src, below, layer.also) {
				t.Error(fault)
			}
		}
	}
}

// inspect returns what the file of a layer must not contain.
func inspect(name string, src []byte, below []string, also string) (faults []string) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, src, parser.SkipObjectResolution)
	if err != nil {
		return []string{err.Error()}
	}
	fault := func(n ast.Node, format string, args ...any) {
		faults = append(faults, fmt.Sprintf("%s: %s", set.Position(n.Pos()), fmt.Sprintf(format, args...)))
	}
	clock := "" // the name of package time in this file
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			fault(spec, "%v", err)
			continue
		}
		first, _, _ := strings.Cut(path, "/")
		switch {
		case strings.Contains(first, "."):
			if !slices.Contains(below, path) {
				fault(spec, "imports %s; this package may import the standard library and %v", path, below)
			}
		case path == also:
		case slices.Contains(bannedImports, path), slices.Contains([]string{"net", "os", "syscall", "testing"}, first):
			fault(spec, "imports %s; this package has no I/O, goroutines, locks, clock or chance", path)
		case path == "time":
			clock = "time"
			if spec.Name != nil {
				clock = spec.Name.Name
			}
			if clock == "." {
				fault(spec, "imports time into its own names, which hides uses of the clock")
			}
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			fault(n, "starts a goroutine")
		case *ast.SelectStmt:
			fault(n, "waits on channels")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && clock != "" && x.Name == clock && slices.Contains(bannedTime, n.Sel.Name) {
				fault(n, "uses time.%s; time is an argument here", n.Sel.Name)
			}
		}
		return true
	})
	return faults
}

// The check finds what it is for.
func TestInspect(t *testing.T) {
	below := []string{module + "codec"}
	for _, tt := range []struct{ src, want string }{
		{`import "` + module + `codec"`, ""},
		{`import "time"; var d = time.Second`, ""},
		{`import "hash/maphash"`, "imports hash/maphash"},
		{`import "encoding/binary"`, ""},
		{`import "log/slog"`, "imports log/slog"},
		{`import "` + module + `session"`, "may import the standard library"},
		{`import "gopkg.in/yaml.v3"`, "may import the standard library"},
		{`import "sync"`, "no I/O"},
		{`import "sync/atomic"`, "no I/O"},
		{`import "net/http"`, "no I/O"},
		{`import "math/rand/v2"`, "no I/O"},
		{`import "time"; var now = time.Now()`, "uses time.Now"},
		{`import clock "time"; var f = clock.After`, "uses time.After"},
		{`import . "time"`, "hides uses"},
		{`func f() { go f() }`, "starts a goroutine"},
		{`func f() { select {} }`, "waits on channels"},
		{`func f() {`, "expected"},
	} {
		got := strings.Join(inspect("x.go", []byte("package x; "+tt.src), below, ""), "\n")
		if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s:\ngot %q, want %q", tt.src, got, tt.want)
		}
	}
}

// The module requires the parser of the protocol files, the generator's printer
// and the comparison of the tests; the library itself needs none of them.
func TestRequirements(t *testing.T) {
	want := []string{"github.com/dave/jennifer", "github.com/google/go-cmp", "gopkg.in/yaml.v3"}
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if diff := unexpected(required(string(data)), want); len(diff) > 0 {
		t.Errorf("go.mod requires or replaces %v; it may require %v", diff, want)
	}
}

// required returns the module paths of the require and replace lines of a go.mod
// file.
func required(mod string) (paths []string) {
	block := ""
	for line := range strings.Lines(mod) {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case words[0] == ")":
			block = ""
		case len(words) == 2 && words[1] == "(":
			block = words[0]
		case block == "require" || block == "replace":
			paths = append(paths, words[0])
		case block == "" && (words[0] == "require" || words[0] == "replace"):
			paths = append(paths, words[1])
		}
	}
	return paths
}

func unexpected(got, want []string) []string {
	return slices.DeleteFunc(got, func(p string) bool { return slices.Contains(want, p) })
}

func TestRequired(t *testing.T) {
	got := required("module a\n\ngo 1.26\n\nrequire b v1 // indirect\nrequire (\n\tc v1\n\t// none\n\td v2\n)\nreplace e => ../e\nexclude f v1\n")
	if want := []string{"b", "c", "d", "e"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
