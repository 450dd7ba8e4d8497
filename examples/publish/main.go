// Publish sends messages to an MQTT broker, with the flags of mosquitto_pub.
package main

import (
	"context"
	"io"
	"os"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/client"
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
	s := o.Session(env, session.Config{Queue: session.QueueLimits{Messages: -1}, TopicAliases: session.AliasManual})
	link, err := client.Dial(ctx, o.Options(), s, o.Connect())
	if err != nil {
		return cli.Unreachable(o.Address(), err)
	}
	p := publisher{options: o, env: env, link: link, messages: messages}
	return p.run(ctx)
}

// send hands one message to the session. A large payload is not copied.
func (p *publisher) send(payload []byte) error {
	m := &codec.Publish{
		Topic: codec.Bytes(p.topic), QoS: p.qos.Codec(), Retain: p.retain,
		Properties: p.Properties.Publish, Payload: payload,
	}
	now := time.Now()
	var err error
	if len(payload) >= largePayload && !m.Properties.TopicAlias.Set {
		_, err = p.link.Session.PublishShared(now, m, session.Delivery{QoS: m.QoS, Retain: m.Retain})
	} else {
		_, err = p.link.Session.Publish(now, m)
	}
	if err == nil && m.QoS > codec.QoS0 {
		p.open++
	}
	return err
}
