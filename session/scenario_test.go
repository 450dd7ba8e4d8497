package session_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write what the scenarios print into their source files")

// scenario runs the commands of text, one a line, and compares what each prints
// with the lines after it that begin with a bar. Commands are those of rig. It
// then receives everything in small pieces, and cut in two at every place, and expects the same traces: when
// the events are pulled at the end, exactly; when they are pulled after every
// piece, the same events and the same bytes written.
func scenario(t *testing.T, text string) {
	t.Helper()
	got, err := replay(text)
	if err != nil {
		t.Fatal(err)
	}
	if got != text {
		if *update {
			_, file, _, _ := runtime.Caller(1)
			rewrite(t, file, text, got)
			return
		}
		t.Errorf("trace differs (-want +got):\n%s", cmp.Diff(text, got))
		return
	}
	for _, drain := range []bool{false, true} {
		want, longest := traces(t, text, 0, 0, drain)
		for _, chunk := range []int{1, 2, 3, 5, 11, 17} {
			if got, _ := traces(t, text, chunk, 0, drain); !slices.Equal(want, got) {
				t.Errorf("received in pieces of %d bytes, drain %v (-whole +pieces):\n%s", chunk, drain, cmp.Diff(want, got))
			}
		}
		for at := 1; at < longest; at++ {
			if got, _ := traces(t, text, 0, at, drain); !slices.Equal(want, got) {
				t.Errorf("received in two pieces, the first of %d bytes, drain %v (-whole +pieces):\n%s", at, drain, cmp.Diff(want, got))
				return
			}
		}
	}
}

func rewrite(t *testing.T, file, old, text string) {
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(src), "`"+old+"`") != 1 {
		t.Fatalf("%s: scenario is not there exactly once", file)
	}
	src = []byte(strings.Replace(string(src), "`"+old+"`", "`"+text+"`", 1))
	if err := os.WriteFile(file, src, 0o644); err != nil {
		t.Fatal(err)
	}
}

// replay runs a scenario and returns it with the traces that came out.
func replay(text string) (string, error) {
	var out strings.Builder
	r := newRig()
	lines := strings.Split(text, "\n")
	for n, line := range lines {
		indent, command := split(line)
		if strings.HasPrefix(command, "|") {
			continue
		}
		out.WriteString(line)
		if n < len(lines)-1 {
			out.WriteString("\n")
		}
		if command == "" || command[0] == '#' {
			continue
		}
		trace, err := r.run(command)
		if err != nil {
			return "", fmt.Errorf("line %d: %w", n+1, err)
		}
		for l := range strings.Lines(trace) {
			fmt.Fprintf(&out, "%s| %s\n", indent, strings.TrimSuffix(l, "\n"))
		}
	}
	return out.String(), nil
}

// split takes the indentation off a line.
func split(line string) (indent, command string) {
	command = strings.TrimLeft(line, "\t")
	return line[:len(line)-len(command)], command
}

// traces returns what each command of a scenario prints, and the length of the
// longest input.
func traces(t *testing.T, text string, chunk, at int, drain bool) (all []string, longest int) {
	t.Helper()
	r := newRig()
	for line := range strings.Lines(text) {
		_, command := split(strings.TrimSuffix(line, "\n"))
		if command == "" || command[0] == '#' || command[0] == '|' {
			continue
		}
		r.chunk, r.split, r.drain, r.merge = chunk, at, drain, drain
		trace, err := r.run(command)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, command+"\n"+trace)
	}
	return all, r.longest
}
