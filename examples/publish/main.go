// Publish sends messages to an MQTT broker, with the flags of mosquitto_pub.
package main

import (
	"context"
	"io"
	"os"

	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("publish"), run)) }

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
	messages, err := o.open(ctx, env.Stdin)
	if err != nil {
		return err
	}
	var cfg client.Config
	cfg.Session.Queue.Messages = -1
	cfg.Session.TopicAliases = session.AliasManual
	// As mosquitto_pub, which sends what was under way again, come what may.
	cfg.Orphans = client.OrphansRepublish
	p := publisher{options: o, env: env, line: o.Line(env, cfg), messages: messages}
	return p.run(ctx)
}
