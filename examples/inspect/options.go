package main

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/transport"
)

// options is the command line.
type options struct {
	file   string // empty without one, - for the standard input
	hex    string
	listen string
	to     string
	ports  []uint
	tls    cli.TLS

	versionText, from string
	version           codec.Version // 0 where it is to be found out
	sender            side

	verbose, dump, payload, pretty, secrets, json bool

	typeNames []string
	types     map[codec.PacketType]bool // nil for all
	topic     string
	onlyFault bool
	client    string

	target transport.Options
}

func (o *options) flags() *pflag.FlagSet {
	fs := pflag.NewFlagSet("inspect", pflag.ContinueOnError)
	fs.StringVar(&o.hex, "hex", "", "")
	fs.StringVar(&o.from, "from", "", "")
	fs.StringVarP(&o.versionText, "protocol-version", "V", "", "")
	fs.UintSliceVarP(&o.ports, "port", "p", []uint{1883}, "")
	fs.StringVar(&o.listen, "listen", "", "")
	fs.StringVar(&o.to, "to", "", "")
	o.tls.AddTo(fs)
	fs.BoolVarP(&o.verbose, "verbose", "v", false, "")
	fs.BoolVarP(&o.dump, "dump", "x", false, "")
	fs.BoolVar(&o.payload, "payload", false, "")
	fs.BoolVar(&o.pretty, "pretty", false, "")
	fs.BoolVar(&o.secrets, "secrets", false, "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.StringSliceVarP(&o.typeNames, "type", "T", nil, "")
	fs.StringVarP(&o.topic, "topic", "t", "", "")
	fs.BoolVarP(&o.onlyFault, "faults", "f", false, "")
	fs.StringVarP(&o.client, "client", "i", "", "")
	return fs
}

// parse reads and checks the command line.
func parse(args []string) (o *options, help bool, err error) {
	o = new(options)
	fs := o.flags()
	files, help, err := cli.ParseOperands(fs, args)
	if help || err != nil {
		return o, help, err
	}
	if len(files) > 1 {
		return nil, false, cli.Usagef("%q and %q: name one file", files[0], files[1])
	}
	if len(files) == 1 {
		o.file = files[0]
	}
	sources := 0
	for _, given := range []bool{len(files) > 0, fs.Changed("hex"), fs.Changed("listen")} {
		if given {
			sources++
		}
	}
	switch {
	case sources == 0:
		return nil, false, cli.Usagef("there is nothing to show: name a file, - for the standard input, or add --hex or --listen")
	case sources > 1:
		return nil, false, cli.Usagef("a file, --hex and --listen exclude each other")
	case (o.listen == "") != (o.to == ""):
		return nil, false, cli.Usagef("--listen and --to go together")
	case o.pretty && !o.payload:
		return nil, false, cli.Usagef("--pretty is about payloads: add --payload")
	case o.json && (o.dump || o.pretty):
		return nil, false, cli.Usagef("--json does not go with -x and --pretty")
	}
	if err := o.checkFilters(); err != nil {
		return nil, false, err
	}
	return o, false, o.checkTarget(fs)
}

// checkFilters reads what to show, and what is known beforehand.
func (o *options) checkFilters() error {
	if o.versionText != "" {
		var v cli.Version
		if err := v.Set(o.versionText); err != nil {
			return cli.Usagef("-V %s: %v", o.versionText, err)
		}
		o.version = v.Codec()
	}
	switch o.from {
	case "":
		o.sender = nobody
	case "client":
		o.sender = client
	case "server":
		o.sender = server
	default:
		return cli.Usagef("--from %s: use client or server", o.from)
	}
	for _, name := range o.typeNames {
		t := typeNamed(name)
		if t == 0 {
			return cli.Usagef("-T %s: use names such as CONNECT, PUBLISH or PUBACK, with commas between", name)
		}
		if o.types == nil {
			o.types = make(map[codec.PacketType]bool)
		}
		o.types[t] = true
	}
	if o.topic != "" {
		if err := codec.ValidTopicFilter(o.topic, codec.V5); err != nil {
			return cli.Usagef("-t %q is no topic filter: %v", o.topic, err)
		}
	}
	for _, p := range o.ports {
		if p == 0 || p > 65535 {
			return cli.Usagef("-p %d: use a port from 1 to 65535", p)
		}
	}
	return nil
}

// typeNamed returns the type of packet with a name, or 0.
func typeNamed(name string) codec.PacketType {
	for t := codec.TypeConnect; t <= codec.TypeAuth; t++ {
		if strings.EqualFold(t.String(), name) {
			return t
		}
	}
	return 0
}

// checkTarget reads --to and the flags of TLS.
func (o *options) checkTarget(fs *pflag.FlagSet) error {
	var u cli.URL
	if o.to != "" {
		text := o.to
		if !strings.Contains(text, "://") {
			text = "mqtt://" + text
		}
		if err := u.Set(text); err != nil {
			return cli.Usagef("--to %s: %v", o.to, err)
		}
		if u.User.Set || u.Topic.Set {
			return cli.Usagef("--to takes no user and no topic, as packets pass as they are")
		}
		if _, _, err := net.SplitHostPort(o.listen); err != nil {
			return cli.Usagef("--listen %s: use ADDRESS:PORT, such as 127.0.0.1:1884", o.listen)
		}
	}
	if name := tlsFlag(fs); name != "" && !u.Secure {
		return cli.Usagef("--%s needs --to mqtts://… or wss://…", name)
	}
	config, err := o.tls.Config(u.Secure, u.Host)
	if err != nil {
		return err
	}
	o.target = transport.Options{Host: u.Host, Port: port(&u, config), TLS: config, WebSocket: u.WebSocket, Path: u.Path}
	return nil
}

// tlsFlag returns a flag of TLS that is given, or "".
func tlsFlag(fs *pflag.FlagSet) (given string) {
	var tls cli.TLS
	of := pflag.NewFlagSet("tls", pflag.ContinueOnError)
	tls.AddTo(of)
	of.VisitAll(func(f *pflag.Flag) {
		if fs.Changed(f.Name) {
			given = f.Name
		}
	})
	return given
}

// port returns the port of a URL, the usual one where it has none.
func port(u *cli.URL, config *tls.Config) string {
	switch {
	case u.Port != 0:
		return strconv.Itoa(int(u.Port))
	case u.WebSocket && config != nil:
		return "443"
	case u.WebSocket:
		return "80"
	case config != nil:
		return "8883"
	}
	return "1883"
}

// isServerPort reports whether -p names a port.
func (o *options) isServerPort(port uint16) bool {
	for _, p := range o.ports {
		if uint(port) == p {
			return true
		}
	}
	return false
}
