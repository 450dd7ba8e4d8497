// Mochibroker is the broker of mochi-mqtt/server, open to everybody, to be put
// beside ours by bench/compare.
package main

import (
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
)

func main() {
	port := flag.String("port", "1883", "the port on 127.0.0.1")
	flag.Parse()
	if err := run(*port); err != nil {
		slog.Error("mochibroker", "error", err)
		os.Exit(1)
	}
}

func run(port string) error {
	// As many messages under way as our broker takes in bench/compare.
	capabilities := mqtt.NewDefaultServerCapabilities()
	capabilities.ReceiveMaximum = 1000
	s := mqtt.New(&mqtt.Options{
		Capabilities: capabilities,
		Logger:       slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err := s.AddHook(new(auth.AllowHook), nil); err != nil {
		return err
	}
	if err := s.AddListener(listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:" + port})); err != nil {
		return err
	}
	if err := s.Serve(); err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	return s.Close()
}
