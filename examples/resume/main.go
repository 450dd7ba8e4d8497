// Resume is a client that may be killed at any moment and loses nothing: its
// session, the place in its input and the length of its output are in a file.
package main

import (
	"context"
	"io"
	"os"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("resume"), run)) }

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
	r, err := newResumer(o, env)
	if err != nil {
		return err
	}
	return r.run(ctx)
}

// options is the command line.
type options struct {
	cli.Connection
	state  string
	topic  string
	file   string
	filter string
	output string
	qos    cli.QoS
	count  int
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("resume", pflag.ContinueOnError)
	o.AddTo(fs)
	o.qos = 2
	fs.StringVar(&o.state, "state", "", "")
	fs.StringVarP(&o.topic, "topic", "t", "", "")
	fs.StringVarP(&o.file, "file", "f", "", "")
	fs.StringVar(&o.filter, "receive", "", "")
	fs.StringVar(&o.output, "output", "", "")
	fs.VarP(&o.qos, "qos", "q", "")
	fs.IntVarP(&o.count, "count", "C", 0, "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.ParseWithFile(fs, args, &o.Properties, ""); help || err != nil {
		return o, help, err
	}
	o.Keep = true // a session that ends with the connection is of no use here
	switch v := o.Version.Codec(); {
	case o.state == "":
		err = cli.Usagef("a file for the session is missing: add --state")
	case o.ID == "":
		err = cli.Usagef("a session needs a name of its own: add -i")
	case (o.topic == "") != (o.file == ""), (o.filter == "") != (o.output == ""):
		err = cli.Usagef("-t goes with -f, and --receive with --output")
	case o.topic == "" && o.filter == "":
		err = cli.Usagef("there is nothing to do: add -t and -f, or --receive and --output")
	case o.qos == 0:
		err = cli.Usagef("-q 0 loses messages: use 1 or 2")
	case o.count < 0 || o.count > 0 && o.filter == "":
		err = cli.Usagef("-C takes a number from 1, and goes with --receive")
	case o.topic != "" && codec.ValidTopicName(o.topic, v) != nil:
		err = cli.Usagef("-t %q is no topic", o.topic)
	case o.filter != "" && codec.ValidTopicFilter(o.filter, v) != nil:
		err = cli.Usagef("--receive %q is no topic filter", o.filter)
	default:
		err = o.Check("publish", "subscribe")
	}
	return o, false, err
}

const helpText = `resume sends the lines of a file to an MQTT broker, or appends what it receives to another one. It
may be killed at any moment, and goes on where it was when it is started again: no line is lost, and
with QoS 2 none comes twice.

Usage: resume --state FILE -i ID -t TOPIC -f INPUT [flags]
       resume --state FILE -i ID --receive FILTER --output OUTPUT [flags]

Examples:
  resume --state out.session -i sender -t log -f log.txt
  resume --state in.session -i receiver --receive log --output copy.txt

The session:
      --state FILE             where it is kept; it is made if it does not exist
  -t, --topic TOPIC            where to send lines
  -f, --file INPUT             the lines; the program ends when all are acknowledged
      --receive FILTER         what to receive
      --output OUTPUT          where to append it, a line for each message
  -C, --count N                end once N messages were received, those of earlier runs included
  -q, --qos 1|2                at least once, exactly once (default)

` + cli.ConnectionHelp + `
-c is always on. The session has to outlive the connection at the broker too: in MQTT 5 it does so
for ever unless -x says otherwise.

Exit codes:
  0    everything was sent, or received, or the program was interrupted
` + cli.ExitHelp + `  5    the broker refused a message or the subscription, or has lost the session
  6    a file cannot be read or written
`
