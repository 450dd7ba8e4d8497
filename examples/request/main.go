// Request sends a request and prints the response, with the flags of
// mosquitto_rr; or it answers requests.
package main

import (
	"context"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("request"), run)) }

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
	payload, err := o.payload(env.Stdin)
	if err != nil {
		return err
	}
	o.printer.SetOutput(env.Stdout)
	if o.respond {
		return newResponder(o, env, payload).run(ctx)
	}
	return newRequester(o, env, payload).run(ctx)
}
