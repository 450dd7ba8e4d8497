// Inspect shows MQTT packets: of a file, of a capture, or as they go through a
// proxy.
package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("inspect"), run)) }

// The exit codes, besides cli.ExitFile. As with other programs that judge files,
// 1 is the verdict.
const (
	exitFaults = 1
	exitUsage  = 2
	exitListen = 3
)

// run is the whole program.
func run(ctx context.Context, env *cli.Env) error {
	o, help, err := parse(env.Args)
	var f *cli.Failure
	switch {
	case errors.As(err, &f) && f.Code == cli.ExitUsage:
		return cli.Failf(exitUsage, "%s; see %s --help", f.Text, env.Name)
	case err != nil:
		return err
	case help:
		_, _ = io.WriteString(env.Stdout, helpText)
		return nil
	}
	i := newInspector(o, env.Stdout)
	if o.listen != "" {
		err = i.proxy(ctx, env)
	} else {
		err = i.read(ctx, env)
	}
	if e := i.flush(); e != nil {
		err = cli.Failf(cli.ExitFile, "the output cannot be written: %v", e)
	}
	if err == nil && i.faults > 0 {
		err = cli.Failf(exitFaults, "")
	}
	return err
}
