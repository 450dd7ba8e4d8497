package session_test

import (
	"strings"
	"testing"
)

// expectClose checks that a trace ends the connection: told by the given
// packet, or by none, and exactly one Close, which is last.
func expectClose(t *testing.T, what, trace, told string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(trace, "\n"), "\n")
	last := lines[len(lines)-1]
	if !strings.HasPrefix(last, "Close ") || strings.Count(trace, "Close ") != 1 || !strings.Contains(last, "error=") {
		t.Errorf("%s: want exactly one Close with an error, at the end:\n%s", what, trace)
		return
	}
	wrote := strings.Count(trace, "Write ")
	if told == "" && wrote > 0 || told != "" && (wrote != 1 || !strings.Contains(trace, "Write "+told+"\n")) {
		t.Errorf("%s: want written %q:\n%s", what, told, trace)
	}
}
