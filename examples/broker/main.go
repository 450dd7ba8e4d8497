// Broker is an MQTT broker.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("broker"), run)) }

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
	s, open, err := prepare(ctx, o.config(), o.logger(env))
	if err != nil {
		return cli.Failf(cli.ExitUnreachable, "%v", err)
	}
	fmt.Fprint(env.Stdout, welcome(open[0].Addr().String()))
	return s.Run(ctx)
}
