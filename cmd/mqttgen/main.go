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

const usage = `mqttgen writes the Go code of package codec from the YAML files in spec/.

  mqttgen [-spec DIR] [-out DIR]         write the generated files
  mqttgen [-spec DIR] [-out DIR] -check  name every stale, missing or orphaned
                                         file, and exit 1 if there is one
  mqttgen [-spec DIR] -list              list what would be written
  mqttgen [-spec DIR] -doc               print the reference page of all packets
  mqttgen rules [-h]                     report which rules of the standards
                                         have a test

Flags:
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is main without the process: it returns the exit code, 0 for success, 1
// for a mistake in the spec or a stale file, 2 for wrong arguments.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "rules" {
		return rules.Main(args[1:], stdout, stderr)
	}
	flags := flag.NewFlagSet("mqttgen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	spec := flags.String("spec", "spec", "the folder of the YAML files")
	out := flags.String("out", ".", "the root of the module that the files are written to")
	check := flags.Bool("check", false, "write nothing; exit 1 and name each file that is stale, missing or orphaned")
	list := flags.Bool("list", false, "write nothing; list the files with their sizes")
	doc := flags.Bool("doc", false, "write nothing; print the reference page")
	for _, a := range args {
		if a == "-h" || a == "-help" || a == "--help" {
			flags.SetOutput(stdout)
		}
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "mqttgen: unexpected argument %q; see mqttgen -h\n", flags.Arg(0))
		return 2
	}
	model, err := gen.Load(os.DirFS(*spec))
	if err != nil {
		return failed(stderr, *spec, err)
	}
	if *doc {
		stdout.Write(model.Reference())
		return 0
	}
	files, err := model.Files()
	if err != nil {
		fmt.Fprintln(stderr, "mqttgen:", err)
		return 1
	}
	switch {
	case *list:
		for _, name := range slices.Sorted(maps.Keys(files)) {
			fmt.Fprintf(stdout, "%7d %s\n", len(files[name]), name)
		}
		return 0
	case *check:
		return report(files, *out, stdout, stderr)
	}
	return write(files, *out, stdout, stderr)
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
		if err != nil {
			break
		}
		path := filepath.Join(out, name)
		if have, readErr := os.ReadFile(path); readErr == nil && bytes.Equal(have, files[name]) {
			continue
		}
		if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			err = os.WriteFile(path, files[name], 0o644)
		}
		fmt.Fprintln(stdout, "wrote   ", name)
	}
	for _, name := range extra {
		if err == nil {
			err = os.Remove(filepath.Join(out, name))
			fmt.Fprintln(stdout, "removed ", name)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, "mqttgen:", err)
		return 1
	}
	return 0
}
