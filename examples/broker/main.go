// Broker is an MQTT broker over TCP.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/mqttcore/mqttcore/examples/broker/internal/server"
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
	s := server.New(server.Options{Broker: o.brokerConfig(), WriteTimeout: o.writeTimeout, Log: o.logger(env)})
	context.AfterFunc(ctx, func() { l.Close() })
	go accept(l, s)
	s.Run(ctx)
	return nil
}

// accept serves connections until the listener is closed.
func accept(l net.Listener, s *server.Server) {
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		go s.Serve(server.Incoming{Conn: nc})
	}
}
