package main

import (
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
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.Parse(fs, args, &o.Properties); help || err != nil {
		return o, help, err
	}
	if !fs.Changed("topic") {
		return nil, false, cli.Usagef("a topic is missing: add -t")
	}
	sources := 0
	for _, name := range []string{"message", "file", "stdin-line", "null-message", "stdin-file"} {
		if fs.Changed(name) {
			sources++
		}
	}
	switch {
	case sources == 0:
		return nil, false, cli.Usagef("a message is missing: add one of -m, -f, -l, -n, -s")
	case sources > 1:
		return nil, false, cli.Usagef("-m, -f, -l, -n and -s exclude each other")
	}
	if err := o.Check("publish"); err != nil {
		return nil, false, err
	}
	p := codec.Publish{Topic: codec.Bytes(o.topic), Properties: o.Properties.Publish}
	if err := p.Validate(o.Version.Codec().FromClient()); err != nil {
		return nil, false, cli.Usagef("a message to %q would be illegal: %v", o.topic, err)
	}
	return o, false, nil
}

const helpText = `publish sends messages to an MQTT broker.

Usage: publish -t TOPIC (-m TEXT | -f FILE | -l | -n | -s) [flags]

Examples:
  publish -t home/kitchen -m 21.5                        one message to a broker on this machine
  publish -h broker.example -t home/kitchen -m 21.5 -q 1 -r   kept by the broker for later subscribers
  publish -t photo -f cat.jpg -q 2                       the contents of a file, exactly once
  sensor | publish -t home/kitchen -l                    a message for each line
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

` + cli.ConnectionHelp + `
Exit codes:
  0    everything was sent and, at QoS 1 and 2, acknowledged
` + cli.ExitHelp + `  5    the broker refused a message
  6    the file or the standard input cannot be read
  130  interrupted before everything was acknowledged
`
