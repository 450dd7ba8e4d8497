package rules

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(args, &out, &errs)
	return code, out.String(), errs.String()
}

// The rules of this tree load, and no test or protocol file of it cites one
// that does not exist.
func TestTree(t *testing.T) {
	code, out, errs := run("-root", "../..")
	if code != 0 {
		t.Errorf("exit code %d:\n%s", code, errs)
	}
	t.Logf("\n%s", out)
	set, problems, err := Load("../../spec/rules")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	got := map[Version]int{}
	for _, r := range set.Rules {
		got[r.Version]++
	}
	if diff := cmp.Diff(map[Version]int{V5: 251 + 50, V311: 141 + 13}, got); diff != "" {
		t.Errorf("rules by version (-want +got):\n%s", diff)
	}
}

func TestCoverage(t *testing.T) {
	problems, report, err := measure("testdata/tree", "testdata/tree/spec")
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	for _, tt := range []struct {
		version Version
		layer   string
		want    Count
	}{
		{V5, "codec", Count{Rules: 3, Tested: 3, Implemented: 3}},
		{V5, "session", Count{Rules: 1, Tested: 1}},
		{V311, "session", Count{Rules: 1, Tested: 1}},
		{V311, "codec", Count{}},
	} {
		if diff := cmp.Diff(tt.want, report.Count(tt.version, tt.layer)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.version, tt.layer, diff)
		}
	}
	if code, _, errs := run("-root", "testdata/tree", "-require", "codec,session"); code != 0 {
		t.Errorf("a complete tree: exit code %d: %s", code, errs)
	}
}

func TestUnknownCitations(t *testing.T) {
	code, _, errs := run("-root", "testdata/bad")
	if code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	want := `testdata/bad/codec/bad_test.go:4:13: no rule MQTT-3.3.1-99 in spec/rules/v5.yaml
testdata/bad/codec/bad_test.go:6:3: no rule MQTT-1.5.4-1 in spec/rules/v311.yaml; v5 has one of that id
testdata/bad/codec/bad_test.go:7:7: citation of MQTT-3.3.1-4 without its version: write [` + "MQTT-3.3.1-4" + `] v5 or [` + "MQTT-3.3.1-4" + `] v311
testdata/bad/codec/bad_test.go:16:17: no rule MQTT-3.3.1-98 in spec/rules/v5.yaml
testdata/bad/spec/publish.yaml:3:18: no rule MQTT-9.9.9-1 in spec/rules/v5.yaml
testdata/bad/spec/publish.yaml:3:32: rule has the key "v6.0"; it names v3.1.1 and v5.0
`
	if diff := cmp.Diff(want, errs); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

func TestRequireAndList(t *testing.T) {
	code, out, errs := run("-root", "testdata/bad", "-require", "session", "-v")
	if code != 1 || !strings.Contains(errs, "layer session of v5 has 1 rules without a test") {
		t.Errorf("exit code %d, stderr:\n%s", code, errs)
	}
	for _, want := range []string{
		"v5 codec, rules without a test:\n",
		"  [" + "U5-3.3.2.1-a] v5  An empty topic needs an alias.\n",
		"v311 session, rules without a test:\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("output lacks %q:\n%s", want, out)
		}
	}
}

func TestRuleFileMistakes(t *testing.T) {
	_, problems, err := Load("testdata/badrules")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	want := []string{
		"testdata/badrules/v5.yaml:1:1: counts.statements is 9, but 5 are listed",
		`testdata/badrules/v5.yaml:3:5: id "1.5.4-1" is not of the form MQTT-1.2.3-4, U5-1.2.3-a or U311-1.2.3-a`,
		`testdata/badrules/v5.yaml:4:5: MQTT-3.3.1-4: layer "cloud" is none of [codec session broker transport application]`,
		"testdata/badrules/v5.yaml:6:5: MQTT-3.3.1-5 is listed twice",
		"testdata/badrules/v5.yaml:7:5: MQTT-3.3.1-6: says is empty",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		says string // in what is printed
	}{
		{[]string{"-h"}, 0, "usage: mqttgen rules"},
		{[]string{"-nonsense"}, 2, "not defined: -nonsense"},
		{[]string{"codec"}, 2, `unexpected argument "codec"`},
		{[]string{"-require", "cloud"}, 2, `"cloud" is no layer; there are codec, session`},
		{[]string{"-root", "testdata/none"}, 1, "no such file"},
	} {
		code, out, errs := run(tt.args...)
		if code != tt.code || !strings.Contains(out+errs, tt.says) {
			t.Errorf("%q: exit code %d, want %d with %q:\n%s%s", tt.args, code, tt.code, tt.says, out, errs)
		}
	}
}
