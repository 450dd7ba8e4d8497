package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// options is the command line.
type options struct {
	port uint16
	bind string

	maxConnections   int
	maxPacketSize    uint32
	maxQueuedMsgs    int
	maxQueuedBytes   int
	maxInflight      uint16
	maxSessionExpiry uint32
	connectTimeout   time.Duration
	writeTimeout     time.Duration

	verbose bool
	json    bool
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("broker", pflag.ContinueOnError)
	fs.Uint16VarP(&o.port, "port", "p", 1883, "")
	fs.StringVarP(&o.bind, "bind", "b", "127.0.0.1", "")
	fs.IntVar(&o.maxConnections, "max-connections", 10000, "")
	fs.Uint32Var(&o.maxPacketSize, "max-packet-size", 0, "")
	fs.IntVar(&o.maxQueuedMsgs, "max-queued-messages", 100000, "")
	fs.IntVar(&o.maxQueuedBytes, "max-queued-bytes", 512<<20, "")
	fs.Uint16Var(&o.maxInflight, "max-inflight-messages", 1000, "")
	fs.Uint32Var(&o.maxSessionExpiry, "max-session-expiry", 0, "")
	fs.DurationVar(&o.connectTimeout, "connect-timeout", 10*time.Second, "")
	fs.DurationVar(&o.writeTimeout, "write-timeout", 30*time.Second, "")
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "")
	fs.BoolVar(&o.json, "json", false, "")
	return fs
}

// parse reads and checks the command line. For the sake of those who know
// Go's own flags, -bind is taken as --bind.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	fs.BoolP("help", "h", false, "")
	args = append([]string(nil), args...)
	for i, a := range args {
		if a == "-bind" {
			args[i] = "--bind"
		}
	}
	if help, err = cli.Parse(fs, args, nil); help || err != nil {
		return o, help, err
	}
	if fs.Changed("help") {
		return o, true, nil
	}
	switch {
	case o.maxConnections < 1:
		err = cli.Usagef("--max-connections takes a number from 1")
	case o.maxPacketSize != 0 && o.maxPacketSize < 1024:
		err = cli.Usagef("--max-packet-size takes bytes from 1024")
	case o.maxQueuedMsgs < 1:
		err = cli.Usagef("--max-queued-messages takes a number from 1")
	case o.maxQueuedBytes < 1:
		err = cli.Usagef("--max-queued-bytes takes a number from 1")
	case o.maxInflight < 1:
		err = cli.Usagef("--max-inflight-messages takes a number from 1")
	case o.connectTimeout <= 0 || o.writeTimeout <= 0:
		err = cli.Usagef("a time has to be above 0, such as 10s")
	}
	return o, false, err
}

// randomName tells apart the identifiers that two runs of the broker assign.
func randomName() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func (o *options) logger(env *cli.Env) *slog.Logger {
	level := slog.LevelInfo
	if o.verbose {
		level = slog.LevelDebug
	}
	h := &slog.HandlerOptions{Level: level}
	if o.json {
		return slog.New(slog.NewJSONHandler(env.Stderr, h))
	}
	return slog.New(slog.NewTextHandler(env.Stderr, h))
}

// welcome says where the broker listens and what to type next.
func welcome(address string) string {
	host, port, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	flags := ""
	if host != "127.0.0.1" {
		flags = "-h " + host + " "
	}
	if port != "1883" {
		flags += "-p " + port + " "
	}
	return fmt.Sprintf(`broker listens on %s for MQTT 5 and 3.1.1, open to everybody who can reach it; Ctrl-C ends it
try it, each in a terminal of its own, in the folder examples:
  go run ./subscribe %s-t 'home/#' -v
  go run ./publish %s-t home/kitchen -m 21.5
or with Mosquitto's clients:
  mosquitto_sub %s-t 'home/#' -v
  mosquitto_pub %s-t home/kitchen -m 21.5
`, address, flags, flags, flags, flags)
}

const helpText = `broker is an MQTT broker for MQTT 5 and 3.1.1 over TCP. Sessions and retained
messages are kept in memory.

Usage: broker [flags]

Examples:
  broker                        for programs on this machine, on port 1883
  broker -p 1884                on another port
  broker --bind 0.0.0.0         for everybody who can reach this machine
  broker -v                     with a line for each connection

Where it listens:
  -p, --port PORT               the port (default 1883; 0 chooses a free one)
  -b, --bind ADDRESS            the address (default 127.0.0.1)

Limits:
      --max-connections N       connections at a time (default 10000)
      --max-packet-size BYTES   largest packet of a client (default 0: as MQTT allows, 256 MiB)
      --max-inflight-messages N messages of QoS 1 and 2 under way to or from a client (default 1000)
      --max-queued-messages N   messages that wait for a client (default 100000)
      --max-queued-bytes BYTES  and their size (default 536870912)
      --max-session-expiry SECONDS
                                longest life of a session without its client, for MQTT 5
                                (default 0: as the client wants)
      --connect-timeout TIME    for CONNECT after the connection was opened (default 10s)
      --write-timeout TIME      for a client that takes no bytes (default 30s)

The log, on the standard error:
  -v, --verbose                 connections too, not only what went wrong
      --json                    as JSON
  -h, --help                    print this

Exit codes:
  0    ended by SIGINT or SIGTERM
  1    a flag or its value is wrong
  2    the port cannot be used
`
