// Bench puts load on an MQTT broker, and checks that nothing is lost on the
// way and nothing comes twice.
package main

import (
	"context"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("bench"), run)) }

// run is the whole program.
func run(ctx context.Context, env *cli.Env) error {
	o, help, err := parse(env.Args)
	if err != nil {
		return err
	}
	if help {
		_, _ = io.WriteString(env.Stdout, helpText)
		return nil
	}
	b, err := newBench(o, env)
	if err != nil {
		return err
	}
	defer b.close()
	failed := b.run(ctx)
	if failed != nil && !b.began {
		return failed
	}
	r := b.report()
	if err := r.print(env.Stdout, o.json); err != nil {
		return cli.Failf(cli.ExitFile, "the report cannot be written: %v", err)
	}
	if failed != nil {
		return failed
	}
	return r.verdict()
}
