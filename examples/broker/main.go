// Broker is an MQTT broker over TCP.
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
	l, err := listen(ctx, o)
	if err != nil {
		return err
	}
	fmt.Fprint(env.Stdout, welcome(l.Addr().String()))
	s := newServer(o, o.logger(env), l)
	s.run(ctx)
	return nil
}
