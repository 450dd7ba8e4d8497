//go:build linux

// Compare puts the same load on our broker and on Eclipse Mosquitto, in turn,
// and prints what each needs for it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("compare"), run)) }

// options is the command line.
type options struct {
	rounds   int
	duration time.Duration
	only     string
	ours     bool
	against  string
	keep     string
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("compare", pflag.ContinueOnError)
	fs.IntVar(&o.rounds, "rounds", 3, "")
	fs.DurationVar(&o.duration, "duration", time.Second, "")
	fs.StringVar(&o.only, "only", "", "")
	fs.BoolVar(&o.ours, "ours", false, "")
	fs.StringVar(&o.against, "against", "", "")
	fs.StringVar(&o.keep, "programs", "", "")
	return fs
}

const helpText = `compare puts the same load on our broker and on Eclipse Mosquitto, which has to be installed, and
prints a table of what each needs for it. The broker runs on one processor, the load on another.

Usage: compare [flags]

      --rounds N               times that everything is measured, in turn; the median counts (default 3)
      --duration TIME          of one measurement (default 1s)
      --only REGEXP            only the cases whose name it matches
      --ours                   our broker alone
      --against COMMAND        another broker in mosquitto's place, such as './mybroker --port {port}'
      --programs FOLDER        put our programs there, and keep them

Run it in the folder examples or below, since it builds our programs.

Exit codes:
  0    everything was measured, whether it meets the requirements or not
  1    a flag or its value is wrong, or something is missing
  4    a measurement failed
  130  interrupted
`

// run is the whole program.
func run(ctx context.Context, env *cli.Env) error {
	o := new(options)
	fs := o.flags()
	help, err := cli.Parse(fs, env.Args, nil)
	if err != nil {
		return err
	}
	if help {
		_, _ = io.WriteString(env.Stdout, helpText)
		return nil
	}
	only, err := regexp.Compile(o.only)
	switch {
	case err != nil:
		return cli.Usagef("--only %s: %v", o.only, err)
	case o.rounds < 1:
		return cli.Usagef("--rounds takes a number from 1")
	case fs.Changed("against") && !strings.Contains(o.against, "{port}"):
		return cli.Usagef("--against takes a command with {port} for its port")
	case o.duration < 100*time.Millisecond:
		return cli.Usagef("--duration takes a time from 100ms")
	}
	var table []*row
	for _, c := range cases(o) {
		if only.MatchString(c.name) {
			table = append(table, &row{test: c})
		}
	}
	if len(table) == 0 {
		return cli.Usagef("--only %s matches no case", o.only)
	}
	rig, err := newRig(ctx, o)
	if err != nil {
		return err
	}
	defer rig.close()
	if err := rig.measure(ctx, env, table); err != nil {
		return err
	}
	fmt.Fprintf(env.Stdout, "%s\n\n", rig.describe())
	printTable(env.Stdout, table, rig.theirs())
	return nil
}

const module = "github.com/mqttcore/mqttcore/examples"

// build builds our programs.
func build(ctx context.Context, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", folder+string(filepath.Separator), module+"/bench", module+"/broker")
	if out, err := cmd.CombinedOutput(); err != nil {
		return cli.Failf(cli.ExitUsage, "our programs cannot be built: %v: %s; run it in the folder examples or below", err, out)
	}
	return nil
}
