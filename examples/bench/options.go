package main

import (
	"math"
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// options is the command line.
type options struct {
	cli.Target
	id        string
	keepAlive uint16

	publishers, subscribers int

	topic   string
	topics  int
	split   bool
	share   bool
	durable bool
	offline bool

	qos    cli.QoS
	size   int
	retain bool

	window   int
	rate     float64
	count    int
	warmUp   time.Duration
	duration time.Duration

	json, quiet bool
	pid         int
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	o.AddTo(fs)
	fs.StringVarP(&o.id, "id", "i", "", "")
	fs.Uint16VarP(&o.keepAlive, "keepalive", "k", 60, "")
	fs.IntVar(&o.publishers, "publishers", 1, "")
	fs.IntVar(&o.subscribers, "subscribers", 1, "")
	fs.StringVarP(&o.topic, "topic", "t", "", "")
	fs.IntVar(&o.topics, "topics", 0, "")
	fs.BoolVar(&o.split, "split", false, "")
	fs.BoolVar(&o.share, "share", false, "")
	fs.BoolVar(&o.durable, "durable", false, "")
	fs.BoolVar(&o.offline, "offline", false, "")
	fs.VarP(&o.qos, "qos", "q", "")
	fs.IntVar(&o.size, "size", 64, "")
	fs.BoolVarP(&o.retain, "retain", "r", false, "")
	fs.IntVar(&o.window, "window", 1000, "")
	fs.Float64Var(&o.rate, "rate", 0, "")
	fs.IntVarP(&o.count, "count", "n", 0, "")
	fs.DurationVar(&o.duration, "duration", 10*time.Second, "")
	fs.DurationVar(&o.warmUp, "warm-up", 0, "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.BoolVar(&o.quiet, "quiet", false, "")
	fs.IntVar(&o.pid, "pid", 0, "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	if help, err = cli.Parse(fs, args, nil); help || err != nil {
		return o, help, err
	}
	switch {
	case fs.Changed("topic"):
	case o.URL.Topic.Set:
		o.topic = o.URL.Topic.Value
	default:
		o.topic = "bench/" + randomName()
	}
	if o.id == "" {
		o.id = "bench-" + randomName()
	}
	if !fs.Changed("topics") {
		o.topics = max(1, o.publishers)
		if o.split {
			o.topics = max(o.topics, o.subscribers)
		}
	}
	o.durable = o.durable || o.offline
	if err := o.check(fs); err != nil {
		return nil, false, err
	}
	return o, false, o.Check()
}

// check reports values that are out of range or do not go together.
func (o *options) check(fs *pflag.FlagSet) error {
	switch {
	case o.publishers < 0 || o.subscribers < 0 || o.publishers+o.subscribers == 0:
		return cli.Usagef("--publishers and --subscribers take numbers from 0, and one of them has to be above")
	case o.topics < 1:
		return cli.Usagef("--topics takes a number from 1")
	case o.publishers*o.topics > math.MaxInt32:
		return cli.Usagef("--publishers and --topics are too many")
	case o.size < stampSize || o.size > codec.MaxRemaining/2:
		return cli.Usagef("--size takes a number from %d, which the sequence number and the time need, to %d", stampSize, codec.MaxRemaining/2)
	case o.window < 1 || o.window > math.MaxInt32:
		return cli.Usagef("--window takes a number from 1")
	case !(o.rate >= 0 && o.rate <= 1e9):
		return cli.Usagef("--rate takes messages a second; leave it out for as fast as possible")
	case fs.Changed("count") && o.count < 1:
		return cli.Usagef("-n takes a number from 1")
	case fs.Changed("count") && (fs.Changed("duration") || fs.Changed("warm-up")):
		return cli.Usagef("-n excludes --duration and --warm-up")
	case fs.Changed("count") && o.publishers == 0:
		return cli.Usagef("-n needs publishers")
	case o.duration <= 0 || o.warmUp < 0:
		return cli.Usagef("--duration takes a time above 0, such as 10s")
	case o.split && o.share:
		return cli.Usagef("--split and --share exclude each other")
	case o.offline && (o.share || o.qos == 0 || o.publishers*o.subscribers == 0):
		return cli.Usagef("--offline needs publishers, subscribers and -q 1 or 2, and excludes --share")
	case o.pid < 0:
		return cli.Usagef("--pid takes the number of a process")
	}
	if err := codec.ValidTopicName(o.topic, o.Version.Codec()); err != nil {
		return cli.Usagef("-t %q is no topic: %v", o.topic, err)
	}
	return nil
}

const helpText = `bench puts load on an MQTT broker: publishers send numbered messages, subscribers check that none is
lost and none comes twice, and how long each took.

Usage: bench [flags]

Examples:
  bench                                                  one publisher to one subscriber, 10 s
  bench -q 1 --publishers 50 --size 1024                 50 to one, at least once
  bench --subscribers 100 --window 100                   one to 100: each gets every message
  bench --publishers 20 --subscribers 20 --split         20 pairs
  bench --publishers 20 --subscribers 4 --share          4 share the messages of 20
  bench --window 1                                       one message at a time: the latency counts
  bench --rate 5000                                      a steady 5,000 messages a second
  bench --publishers 0 --subscribers 10000 --topics 10000 --split --duration 1m
                                                         10,000 idle connections, held for a minute
  bench -q 1 --offline -n 100000                         kept for a subscriber that is away, then fetched
  bench -V 311 --json --pid "$(pidof mosquitto)"         with the processor time and memory of the broker

Who and where:
      --publishers N           connections that publish (default 1)
      --subscribers N          connections that subscribe (default 1)
  -t, --topic PREFIX           what the topics begin with (default: a new one)
      --topics N               topics, dealt to the publishers (default: one for each publisher)
      --split                  deal them to the subscribers too, instead of all to each
      --share                  the subscribers share one subscription: each message goes to one of them
      --durable                the subscribers have sessions that outlive their connections
      --offline                and are away while messages are published
  -i, --id PREFIX              what client identifiers begin with (default: a new one)
  -k, --keepalive SECONDS      longest silence before a ping (default 60, 0 for none)

The messages:
  -q, --qos 0|1|2              of messages and subscriptions (default 0)
      --size BYTES             of the payload, from 16 (default 64)
  -r, --retain                 are retained; those of the end are removed again

How fast and how long:
      --window N               messages of one publisher that are under way at a time: sent, and not yet
                               acknowledged or not yet with all subscribers (default 1000)
      --rate N                 messages a second of all publishers together (default: as fast as possible)
  -n, --count N                messages of each publisher; all of them are measured
      --duration TIME          or how long to measure (default 10s); without publishers, to hold
      --warm-up TIME           and how long to publish before (default 0s)

The report. Latency is the time from sending to receiving; with --rate from when it should have been sent:
      --json                   as JSON
      --quiet                  no progress on the terminal
      --pid PID                processor time and memory of this process too

` + cli.TargetHelp + `
Exit codes:
  0    the work was done
` + cli.ExitHelp + `  5    the broker refused a message or a subscription
  6    the report cannot be written
  7    messages of QoS 1 or 2 were lost, of QoS 2 came twice, or came out of order
  130  interrupted
`
