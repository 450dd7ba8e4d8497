package main

import (
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/format"
)

// options is the command line.
type options struct {
	cli.Connection
	topic    string
	response string
	qos      cli.QoS
	retain   bool

	message string
	file    string
	null    bool
	stdin   bool
	given   bool // one of these

	seconds    float64
	printer    format.Printer
	formatText string
	noRetained bool

	respond bool
	command string
	count   int
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("request", pflag.ContinueOnError)
	o.AddTo(fs)
	fs.StringVarP(&o.topic, "topic", "t", "", "")
	fs.StringVarP(&o.response, "response-topic", "e", "", "")
	fs.VarP(&o.qos, "qos", "q", "")
	fs.BoolVarP(&o.retain, "retain", "r", false, "")
	fs.StringVarP(&o.message, "message", "m", "", "")
	fs.StringVarP(&o.file, "file", "f", "", "")
	fs.BoolVarP(&o.null, "null-message", "n", false, "")
	fs.BoolVarP(&o.stdin, "stdin-file", "s", false, "")
	fs.Float64VarP(&o.seconds, "timeout", "W", 0, "")
	fs.BoolVarP(&o.printer.Verbose, "verbose", "v", false, "")
	fs.BoolVarP(&o.printer.NoNewline, "no-newline", "N", false, "")
	fs.StringVarP(&o.formatText, "format", "F", "", "")
	fs.BoolVar(&o.printer.Pretty, "pretty", false, "")
	fs.BoolVarP(&o.noRetained, "no-retained", "R", false, "")
	fs.BoolVar(&o.respond, "respond", false, "")
	fs.StringVar(&o.command, "exec", "", "")
	fs.IntVarP(&o.count, "count", "C", 0, "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.ParseWithFile(fs, args, &o.Properties, "mosquitto_rr"); help || err != nil {
		return o, help, err
	}
	if !fs.Changed("topic") {
		o.topic = o.URL.Topic.Value
	}
	sources := 0
	for _, name := range []string{"message", "file", "null-message", "stdin-file", "exec"} {
		if fs.Changed(name) {
			sources++
		}
	}
	o.given = sources > 0
	switch {
	case o.topic == "":
		return nil, false, cli.Usagef("a topic is missing: add -t")
	case sources > 1:
		return nil, false, cli.Usagef("-m, -f, -n, -s and --exec exclude each other")
	case fs.Changed("timeout") && !(o.seconds > 0 && o.seconds < 1e9):
		return nil, false, cli.Usagef("-W takes seconds above 0")
	}
	if fs.Changed("format") {
		if o.printer.Format, err = format.Parse(o.formatText); err != nil {
			return nil, false, cli.Usagef("-F: %v", err)
		}
	}
	if o.respond {
		return o, false, o.checkResponder(fs)
	}
	return o, false, o.checkRequester(fs)
}

func (o *options) checkRequester(fs *pflag.FlagSet) error {
	switch {
	case o.response == "":
		return cli.Usagef("a topic for the response is missing: add -e")
	case !o.given:
		return cli.Usagef("a message is missing: add one of -m, -f, -n, -s")
	case o.command != "" || fs.Changed("count"):
		return cli.Usagef("--exec and -C go with --respond")
	}
	for flag, topic := range map[string]string{"-t": o.topic, "-e": o.response} {
		if err := codec.ValidTopicName(topic, o.Version.Codec()); err != nil {
			return cli.Usagef("%s %q is no topic: %v", flag, topic, err)
		}
	}
	return o.Check("publish", "subscribe", "unsubscribe")
}

func (o *options) checkResponder(fs *pflag.FlagSet) error {
	switch {
	case o.retain || o.noRetained:
		return cli.Usagef("-r and -R are for requests")
	case o.response == "" && !o.Version.Codec().IsV5():
		return cli.Usagef("requests of MQTT 3.1.1 do not say where the response goes: add -e")
	case fs.Changed("count") && o.count < 1:
		return cli.Usagef("-C takes a number from 1")
	}
	if err := codec.ValidTopicFilter(o.topic, o.Version.Codec()); err != nil {
		return cli.Usagef("-t %q is no topic filter: %v", o.topic, err)
	}
	return o.Check("publish", "subscribe")
}

// payload returns the message of the flags, nil for none.
func (o *options) payload(stdin io.Reader) ([]byte, error) {
	switch {
	case o.file != "":
		data, err := os.ReadFile(o.file)
		if err != nil {
			return nil, cli.File(o.file, err)
		}
		return data, nil
	case o.stdin:
		data, err := io.ReadAll(io.LimitReader(stdin, codec.MaxRemaining+1))
		if err != nil {
			return nil, cli.Failf(cli.ExitFile, "the standard input cannot be read: %v", err)
		}
		return data, nil
	}
	return []byte(o.message), nil
}

// timeout returns the time limit of -W, or one that nobody lives to see.
func (o *options) timeout() time.Duration {
	if o.seconds > 0 {
		return time.Duration(o.seconds * float64(time.Second))
	}
	return 50 * 365 * 24 * time.Hour
}

const helpText = `request sends a request to an MQTT broker and prints the response; or it answers requests.

Usage: request -t TOPIC -e RESPONSE-TOPIC (-m TEXT | -f FILE | -n | -s) [flags]
       request --respond -t FILTER [-m TEXT | -f FILE | -n | -s | --exec COMMAND] [flags]

Examples:
  request --respond -t 'math/#' --exec bc -q 1           answers what bc makes of the payload
  request -t math/sum -e answers/me -m '6*7' -W 5        asks it; exit code 27 after 5 seconds
  request --respond -t echo                              sends back what comes

The request:
  -t, --topic TOPIC            where to send it
  -e, --response-topic TOPIC   where the response is to go
  -m, --message TEXT           this text
  -f, --file FILE              the contents of a file
  -s, --stdin-file             the whole standard input
  -n, --null-message           an empty message
  -q, --qos 0|1|2              at most once (default), at least once, exactly once; also of the response
  -r, --retain                 the broker keeps the request for later subscribers
  -W, --timeout SECONDS        give up after this time, with exit code 27

The response:
  -v, --verbose                print the topic before the payload
  -N, --no-newline             no newline behind the payload
  -F, --format FORMAT          as in subscribe --help
      --pretty                 JSON of -F in several lines
  -R, --no-retained            wait for one that is not retained

Answering:
      --respond                answer the requests to -t, which may have + and #; without a message the
                               response is the request. MQTT 5 says where it goes, -e says it otherwise
      --exec COMMAND           run a shell command for each, with its payload as the input and its topic
                               in $MQTT_TOPIC; the output is the response
  -C, --count N                end after N responses

In MQTT 5 a response has to repeat the correlation data of its request, which is made up unless
-D publish correlation-data sets it; one without any is taken too.

` + cli.ConnectionHelp + `
Exit codes:
  0    there was a response, or the answering was ended
` + cli.ExitHelp + `  5    the broker refused the request or a subscription
  6    the message cannot be read or the output cannot be written
  27   -W ran out
  130  interrupted before the response
`
