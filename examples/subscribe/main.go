// Subscribe prints the messages of an MQTT broker, with the flags of
// mosquitto_sub.
package main

import (
	"context"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/session"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/client"
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
	s := o.Session(env, session.Config{})
	link, err := client.Dial(ctx, o.Options(), s, o.Connect())
	if err != nil {
		return cli.Unreachable(o.Address(), err)
	}
	sub := newSubscriber(o, env, link)
	return sub.run(ctx)
}
