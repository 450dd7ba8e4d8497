package main

import (
	"context"
	"log/slog"
	"net"
	"strconv"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/broker/internal/server"
)

// config returns what the flags say.
func (o *options) config() *config.Config {
	c := &config.Config{Listeners: []*config.Listener{{
		Network: "tcp", Address: net.JoinHostPort(o.bind, strconv.Itoa(int(o.port))),
		Access:     &config.Access{AllowAnonymous: true, AllowZeroLengthClientID: true, AutoIDPrefix: "auto-"},
		MaximumQoS: 2, TopicAliasMaximum: 64, NoDelay: true,
	}}}
	c.Limits = config.Limits{
		Connections: o.maxConnections, PacketSize: o.maxPacketSize, InflightMessages: o.maxInflight,
		QueuedMessages: o.maxQueuedMsgs, QueuedBytes: o.maxQueuedBytes, SessionExpiry: o.maxSessionExpiry,
		SubscriptionsPerClient: 100000, ConnectTimeout: o.connectTimeout, WriteTimeout: o.writeTimeout,
	}
	return c
}

// prepare opens the listeners and makes the server.
func prepare(ctx context.Context, cfg *config.Config, log *slog.Logger) (*server.Server, []*listen.Listener, error) {
	var open []*listen.Listener
	for _, l := range cfg.Listeners {
		opened, err := listen.Open(ctx, l, log)
		if err != nil {
			return nil, nil, err
		}
		open = append(open, opened)
	}
	s, err := server.New(server.Options{Config: cfg, Listeners: open, IDPrefix: randomName() + "-", Log: log})
	return s, open, err
}
