package programtest

import (
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

var flagLine = regexp.MustCompile(`(?m)^  (?:-(.), |    )--([a-z-]+)`)

// HelpNames checks that a help text names every flag that is not hidden, and no other.
func HelpNames(t *testing.T, text string, fs *pflag.FlagSet) {
	t.Helper()
	told := map[string]string{}
	for _, m := range flagLine.FindAllStringSubmatch(text, -1) {
		told[m[2]] = m[1]
	}
	delete(told, "help")
	delete(told, "version")
	delete(told, "property")
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		short, ok := told[f.Name]
		if !ok || short != f.Shorthand {
			t.Errorf("the help has -%s for --%s, want -%s", short, f.Name, f.Shorthand)
		}
		delete(told, f.Name)
	})
	for name := range told {
		t.Errorf("the help has --%s, which does not exist", name)
	}
	for line := range strings.Lines(text) {
		if len(line) > 110 {
			t.Errorf("the help has a line of %d characters: %s", len(line), line)
		}
	}
}
