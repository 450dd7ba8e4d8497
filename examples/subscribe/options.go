package main

import (
	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/format"
)

// options is the command line.
type options struct {
	cli.Connection
	topics            []string
	qos               cli.QoS
	retainAsPublished bool
	unsubscribe       []string

	count        int
	seconds      float64
	exitOnSuback bool

	printer        format.Printer
	formatText     string
	noRetained     bool
	retainedOnly   bool
	removeRetained bool
	filterOut      []string
	percent        float64 // --random-filter
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("subscribe", pflag.ContinueOnError)
	o.AddTo(fs)
	fs.StringArrayVarP(&o.topics, "topic", "t", nil, "")
	fs.VarP(&o.qos, "qos", "q", "")
	fs.BoolVar(&o.retainAsPublished, "retain-as-published", false, "")
	fs.StringArrayVarP(&o.unsubscribe, "unsubscribe", "U", nil, "")
	fs.IntVarP(&o.count, "count", "C", 0, "")
	fs.Float64VarP(&o.seconds, "timeout", "W", 0, "")
	fs.BoolVarP(&o.exitOnSuback, "exit-on-suback", "E", false, "")
	fs.BoolVarP(&o.printer.Verbose, "verbose", "v", false, "")
	fs.BoolVarP(&o.printer.NoNewline, "no-newline", "N", false, "")
	fs.StringVarP(&o.formatText, "format", "F", "", "")
	fs.BoolVar(&o.printer.Pretty, "pretty", false, "")
	fs.BoolVarP(&o.noRetained, "no-retained", "R", false, "")
	fs.BoolVar(&o.retainedOnly, "retained-only", false, "")
	fs.BoolVar(&o.removeRetained, "remove-retained", false, "")
	fs.StringArrayVarP(&o.filterOut, "filter-out", "T", nil, "")
	fs.Float64Var(&o.percent, "random-filter", 100, "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.ParseWithFile(fs, args, &o.Properties, "mosquitto_sub"); help || err != nil {
		return o, help, err
	}
	if o.URL.Topic.Set {
		o.topics = append(o.topics, o.URL.Topic.Value)
	}
	v5 := o.Version.Codec().IsV5()
	switch {
	case len(o.topics)+len(o.unsubscribe) == 0:
		return nil, false, cli.Usagef("a topic is missing: add -t")
	case fs.Changed("count") && o.count < 1:
		return nil, false, cli.Usagef("-C takes a number from 1")
	case fs.Changed("timeout") && !(o.seconds > 0 && o.seconds < 1e9):
		return nil, false, cli.Usagef("-W takes seconds above 0")
	case !(o.percent >= 0.1 && o.percent <= 100):
		return nil, false, cli.Usagef("--random-filter takes a percentage from 0.1 to 100")
	case o.retainAsPublished && !v5:
		return nil, false, cli.Usagef("--retain-as-published needs MQTT 5: leave -V out or use -V 5")
	case o.noRetained && o.retainedOnly:
		return nil, false, cli.Usagef("-R and --retained-only exclude each other")
	}
	if fs.Changed("format") {
		if o.printer.Format, err = format.Parse(o.formatText); err != nil {
			return nil, false, cli.Usagef("-F: %v", err)
		}
	}
	if err := o.Check("subscribe", "unsubscribe"); err != nil {
		return nil, false, err
	}
	return o, false, o.checkFilters()
}

// checkFilters reports filters that no broker would take.
func (o *options) checkFilters() error {
	for flag, filters := range map[string][]string{"-t": o.topics, "-U": o.unsubscribe, "-T": o.filterOut} {
		for _, f := range filters {
			if err := codec.ValidTopicFilter(f, o.Version.Codec()); err != nil {
				return cli.Usagef("%s %q is no topic filter: %v", flag, f, err)
			}
		}
	}
	if id := o.Properties.Subscribe.SubscriptionIdentifier; id.Set && id.Value == 0 {
		return cli.Usagef("-D subscribe subscription-identifier: 0 is not allowed")
	}
	return nil
}

const helpText = `subscribe prints the messages that an MQTT broker has for its topics.

Usage: subscribe -t FILTER [-t FILTER…] [flags]

Examples:
  subscribe -t 'home/#' -v                               every message below home, with its topic
  subscribe -h broker.example -t home/kitchen -C 1 -W 5  one message, or exit code 27 after 5 seconds
  subscribe -t 'home/#' -F '%I %t %p'                    with the time of arrival
  subscribe -t 'home/#' -F %j                            as JSON, one line each
  subscribe -t jobs -q 1 -c -i worker                    misses nothing between two runs
  subscribe -t '$share/workers/jobs' -q 1                each message goes to one of the workers

What to subscribe to:
  -t, --topic FILTER           a topic, or several by + and #; may be repeated
  -q, --qos 0|1|2              the highest QoS at which messages come (default 0)
      --retain-as-published    the retain flag is that of the publisher (MQTT 5)
  -U, --unsubscribe FILTER     end a subscription of an earlier run; may be repeated

When to end (without these: when interrupted):
  -C, --count N                after N messages
  -W, --timeout SECONDS        after this time, with exit code 27
  -E, --exit-on-suback         when the broker has confirmed the subscriptions
      --retained-only          handle retained messages only, and end at the first other one

What to print:
  -v, --verbose                the topic before the payload
  -N, --no-newline             no newline behind the payload
  -F, --format FORMAT          %t topic, %p payload, %x %X payload in hex, %l its length, %q QoS,
                               %r retain, %m packet identifier, %j as JSON, %J the same with a payload
                               that is JSON itself, %I %U time of arrival,
                               %A %C %D %E %F %P %R %S properties, %% \n \t, @Y and the like as in date
      --pretty                 JSON in several lines
  -R, --no-retained            skip retained messages
  -T, --filter-out FILTER      skip the messages of these topics; may be repeated
      --random-filter PERCENT  print so many of the messages, 0.1 to 100, chosen at random; -C counts all
      --remove-retained        remove the retained messages that come from the broker, also with -R

A connection that is lost is made again, after a wait, until one of these ends the program.

` + cli.ConnectionHelp + `
Exit codes:
  0    ended by -C, -E, --retained-only or a signal
` + cli.ExitHelp + `  5    the broker refused all subscriptions
  6    the output cannot be written
  27   -W ran out
`
