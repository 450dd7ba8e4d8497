// Command mqttgen writes the Go code of package codec from the YAML files in
// spec/.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mqttcore/mqttcore/gen"
	"github.com/mqttcore/mqttcore/gen/rules"
)

const usage = `mqttgen writes the Go code of package codec from the YAML files in spec/, which
spec/README.md explains. After an edit there, go generate ./... runs it.

  mqttgen [-spec DIR] [-out DIR]         write the generated files that differ
                                         and remove the orphaned ones
  mqttgen [-spec DIR] [-out DIR] -check  name every stale, missing or orphaned
                                         file, and exit 1 if there is one
  mqttgen [-spec DIR] -list              list what would be written
  mqttgen [-spec DIR] -doc               print the reference page of all packets
  mqttgen rules [-h]                     report which rules of the standards
                                         have a test

Flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are the flags of the command.
type options struct {
	spec, out        string
	check, list, doc bool
}

// run is main without the process: it returns the exit code, 0 for success, 1
// for a mistake in the spec or a stale file, 2 for wrong arguments.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "rules" {
		return rules.Main(args[1:], stdout, stderr)
	}
	o, err := parse(args, stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "mqttgen: %v; see mqttgen -h\n", err)
		return 2
	}
	model, err := gen.Load(os.DirFS(o.spec))
	if err != nil {
		return failed(stderr, o.spec, err)
	}
	if o.doc {
		stdout.Write(model.Reference())
		return 0
	}
	files, err := model.Files()
	if err != nil {
		fmt.Fprintln(stderr, "mqttgen:", err)
		return 1
	}
	switch {
	case o.list:
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(stdout, "%7d %s\n", len(files[name]), name)
		}
		return 0
	case o.check:
		return report(files, o.out, stdout, stderr)
	}
	return write(files, o.out, stdout, stderr)
}

// parse reads the arguments. Help that is asked for goes to stdout.
func parse(args []string, stdout io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("mqttgen", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	flags.StringVar(&o.spec, "spec", "spec", "the folder of the YAML files")
	flags.StringVar(&o.out, "out", ".", "the root of the module that the files are written to")
	flags.BoolVar(&o.check, "check", false, "write nothing; exit 1 and name each file that is stale, missing or orphaned")
	flags.BoolVar(&o.list, "list", false, "write nothing; list the files with their sizes")
	flags.BoolVar(&o.doc, "doc", false, "write nothing; print the reference page")
	if err = flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(stdout, usage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.check && o.list || o.check && o.doc || o.list && o.doc {
		return o, errors.New("-check, -list and -doc exclude each other")
	}
	return o, nil
}

// failed prints the mistakes of a spec with the paths that the user knows.
func failed(stderr io.Writer, spec string, err error) int {
	var problems gen.Problems
	if !errors.As(err, &problems) {
		fmt.Fprintf(stderr, "mqttgen: %v (-spec names the folder with properties.yaml and packets/)\n", err)
		return 1
	}
	for _, p := range problems {
		p.Pos.File = filepath.Join(spec, p.Pos.File)
		fmt.Fprintln(stderr, p.Error())
	}
	fmt.Fprintf(stderr, "mqttgen: %d mistakes, nothing written\n", len(problems))
	return 1
}

// orphans returns the generated files below out that the spec does not give
// any more.
func orphans(files map[string][]byte, out string) ([]string, error) {
	var names []string
	for _, pattern := range []string{"codec/*_gen.go", "codec/*_gen_test.go"} {
		found, err := fs.Glob(os.DirFS(out), pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range found {
			if files[name] == nil {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// report names the files that differ from what the spec gives.
func report(files map[string][]byte, out string, stdout, stderr io.Writer) int {
	var bad []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		have, err := os.ReadFile(filepath.Join(out, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			bad = append(bad, "missing  "+name)
		case err != nil:
			fmt.Fprintln(stderr, "mqttgen:", err)
			return 1
		case !bytes.Equal(have, files[name]):
			bad = append(bad, "stale    "+name)
		}
	}
	extra, err := orphans(files, out)
	if err != nil {
		fmt.Fprintln(stderr, "mqttgen:", err)
		return 1
	}
	for _, name := range extra {
		bad = append(bad, "orphaned "+name)
	}
	if len(bad) == 0 {
		fmt.Fprintf(stdout, "mqttgen: all %d files are up to date\n", len(files))
		return 0
	}
	fmt.Fprintln(stderr, strings.Join(bad, "\n"))
	fmt.Fprintln(stderr, "mqttgen: run `go generate ./...`")
	return 1
}

// write writes the files that differ and removes the orphaned ones.
func write(files map[string][]byte, out string, stdout, stderr io.Writer) int {
	extra, err := orphans(files, out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(out, name)
		if have, readErr := os.ReadFile(path); err != nil || readErr == nil && bytes.Equal(have, files[name]) {
			continue
		}
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, files[name], 0o644)
		}
		if err == nil {
			fmt.Fprintln(stdout, "wrote   ", name)
		}
	}
	for _, name := range extra {
		if err != nil {
			break
		}
		if err = os.Remove(filepath.Join(out, name)); err == nil {
			fmt.Fprintln(stdout, "removed ", name)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "mqttgen:", err)
		return 1
	}
	return 0
}
