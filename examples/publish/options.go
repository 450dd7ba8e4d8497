package main

import (
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// options is the command line.
type options struct {
	cli.Connection
	topic  string
	qos    cli.QoS
	retain bool

	message string
	file    string
	lines   bool
	null    bool
	stdin   bool

	repeat  int
	seconds float64
	delay   time.Duration // of seconds
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("publish", pflag.ContinueOnError)
	o.AddTo(fs)
	fs.StringVarP(&o.topic, "topic", "t", "", "")
	fs.VarP(&o.qos, "qos", "q", "")
	fs.BoolVarP(&o.retain, "retain", "r", false, "")
	fs.StringVarP(&o.message, "message", "m", "", "")
	fs.StringVarP(&o.file, "file", "f", "", "")
	fs.BoolVarP(&o.lines, "stdin-line", "l", false, "")
	fs.BoolVarP(&o.null, "null-message", "n", false, "")
	fs.BoolVarP(&o.stdin, "stdin-file", "s", false, "")
	fs.IntVar(&o.repeat, "repeat", 1, "")
	fs.Float64Var(&o.seconds, "repeat-delay", 0, "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.ParseWithFile(fs, args, &o.Properties, "mosquitto_pub"); help || err != nil {
		return o, help, err
	}
	if !fs.Changed("topic") {
		if !o.URL.Topic.Set {
			return nil, false, cli.Usagef("a topic is missing: add -t")
		}
		o.topic = o.URL.Topic.Value
	}
	if err := o.check(fs); err != nil {
		return nil, false, err
	}
	p := codec.Publish{Topic: codec.Bytes(o.topic), Properties: o.Properties.Publish}
	if err := p.Validate(o.Version.Codec().FromClient()); err != nil {
		return nil, false, cli.Usagef("a message to %q would be illegal: %v", o.topic, err)
	}
	return o, false, nil
}

// check reports flags that do not go together.
func (o *options) check(fs *pflag.FlagSet) error {
	sources := 0
	for _, name := range []string{"message", "file", "stdin-line", "null-message", "stdin-file"} {
		if fs.Changed(name) {
			sources++
		}
	}
	switch {
	case sources == 0:
		return cli.Usagef("a message is missing: add one of -m, -f, -l, -n, -s")
	case sources > 1:
		return cli.Usagef("-m, -f, -l, -n and -s exclude each other")
	case o.repeat < 1:
		return cli.Usagef("--repeat takes a number from 1")
	case o.repeat > 1 && o.lines:
		return cli.Usagef("--repeat and -l exclude each other")
	case !(o.seconds >= 0 && o.seconds < 1e9):
		return cli.Usagef("--repeat-delay takes seconds from 0")
	}
	o.delay = time.Duration(o.seconds * float64(time.Second))
	return o.Check("publish")
}

const helpText = `publish sends messages to an MQTT broker.

Usage: publish -t TOPIC (-m TEXT | -f FILE | -l | -n | -s) [flags]

Examples:
  publish -t home/kitchen -m 21.5                        one message to a broker on this machine
  publish -h broker.example -t home/kitchen -m 21.5 -q 1 -r   kept by the broker for later subscribers
  publish -t photo -f cat.jpg -q 2                       the contents of a file, exactly once
  publish -L mqtts://broker.example/home/kitchen -m 21.5      by TLS
  sensor | publish -t home/kitchen -l                    a message for each line; it reconnects
  publish -t home/kitchen -n -r                          removes the retained message
  publish -t q -m hi -D publish response-topic a -D publish user-property k v

The message:
  -t, --topic TOPIC            the topic
  -m, --message TEXT           this text
  -f, --file FILE              the contents of a file
  -l, --stdin-line             each line of the standard input is a message
  -s, --stdin-file             the whole standard input
  -n, --null-message           an empty message
  -q, --qos 0|1|2              at most once (default), at least once, exactly once
  -r, --retain                 the broker keeps the message for later subscribers
      --repeat N               send it N times, each after the one before is through
      --repeat-delay SECONDS   and wait in between (default 0)

Without -l and --repeat a connection that is lost is not made again.

` + cli.ConnectionHelp + `
Exit codes:
  0    everything was sent and, at QoS 1 and 2, acknowledged
` + cli.ExitHelp + `  5    the broker refused a message
  6    the file or the standard input cannot be read
  130  interrupted before everything was acknowledged
`
