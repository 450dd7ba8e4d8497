// Subscribe prints the messages of an MQTT broker, with the flags of
// mosquitto_sub.
package main

import (
	"context"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("subscribe"), run)) }

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
	// Identifiers that nobody asked for would be seen in the output.
	line := o.Line(env, client.Config{NoIdentifiers: true})
	return newSubscriber(o, env, line).run(ctx)
}
