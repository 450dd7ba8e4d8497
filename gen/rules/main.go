package rules

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

const usage = `usage: mqttgen rules [flags]

Counts, by version of the standard and by layer, the normative statements of
spec/rules that a test cites. Exits with 1 when a test or a protocol file cites
a rule that does not exist, or when a required layer is not complete.

A citation in a comment or string of a Go test: [MQTT-3.3.1-4] v5

`

// Main is the command `mqttgen rules`. It returns the exit code: 0, 1 for what
// it found in the tree, 2 for how it was called.
func Main(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("mqttgen rules", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("root", ".", "the tree whose tests are read")
	spec := flags.String("spec", "spec", "the directory of protocol files, relative to root; the rules are in its rules/")
	list := flags.Bool("v", false, "list the rules without a test")
	require := flags.String("require", "", "comma-separated layers that must be covered completely: "+strings.Join(Layers, ","))
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" }) {
		flags.SetOutput(stdout) // asked for, so it is the output
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "mqttgen rules: unexpected argument %q; it takes flags only\n", flags.Arg(0))
		return 2
	}
	required, err := layerList(*require)
	if err != nil {
		fmt.Fprintf(stderr, "mqttgen rules: -require: %v\n", err)
		return 2
	}
	problems, report, err := measure(*root, filepath.Join(*root, *spec))
	if err != nil {
		fmt.Fprintf(stderr, "mqttgen rules: %v\n", err)
		return 1
	}
	code := 0
	for _, p := range problems {
		fmt.Fprintln(stderr, p)
		code = 1
	}
	if err := report.Write(stdout, *list); err != nil {
		fmt.Fprintf(stderr, "mqttgen rules: %v\n", err)
		return 1
	}
	for _, l := range required {
		for _, v := range Versions {
			if n := len(report.Count(v, l).Untested); n > 0 {
				fmt.Fprintf(stderr, "mqttgen rules: layer %s of %s has %d rules without a test; -v lists them\n", l, v, n)
				code = 1
			}
		}
	}
	return code
}

// measure reads the rules, the tests and the protocol files.
func measure(root, spec string) ([]Problem, *Report, error) {
	set, problems, err := Load(filepath.Join(spec, "rules"))
	if err != nil {
		return nil, nil, err
	}
	tests, p, err := ScanTests(root)
	if err != nil {
		return nil, nil, err
	}
	problems = append(problems, p...)
	named, p, err := ScanSpec(spec)
	if err != nil {
		return nil, nil, err
	}
	problems = append(problems, p...)
	problems = append(problems, set.Unknown(tests)...)
	problems = append(problems, set.Unknown(named)...)
	sortProblems(problems)
	return problems, set.Coverage(tests, named), nil
}

func layerList(s string) ([]string, error) {
	if s == "" {
		return nil, nil
	}
	layers := strings.Split(s, ",")
	for _, l := range layers {
		if !slices.Contains(Layers, l) {
			return nil, fmt.Errorf("%q is no layer; there are %s", l, strings.Join(Layers, ", "))
		}
	}
	return layers, nil
}
