package config

import (
	"errors"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// flags are the command line. Those that stand for one setting go into the
// configuration at once, the others are put together by apply.
type flags struct {
	cfg  *Config
	file string

	port    uint16
	bind    string
	listen  []string
	origins []string
	tls     TLS
	access  Access
}

// set returns the flags, whose values go into cfg.
func (f *flags) set(cfg *Config) *pflag.FlagSet {
	f.cfg, f.tls = cfg, newTLS()
	fs := pflag.NewFlagSet("broker", pflag.ContinueOnError)
	number := func(set setter, name string) { fs.Var(value{set, "number"}, name, "") }

	fs.StringVarP(&f.file, "config", "c", "", "")
	fs.Uint16VarP(&f.port, "port", "p", 1883, "")
	fs.StringVarP(&f.bind, "bind", "b", "127.0.0.1", "")
	fs.StringArrayVar(&f.listen, "listen", nil, "")

	fs.Var(value{origin(&f.origins), "pattern"}, "ws-origin", "")

	fs.StringVar(&f.tls.CertFile, "cert", "", "")
	fs.StringVar(&f.tls.KeyFile, "key", "", "")
	fs.StringVar(&f.tls.CAFile, "cafile", "", "")
	fs.StringVar(&f.tls.CAPath, "capath", "", "")
	fs.StringVar(&f.tls.CRLFile, "crlfile", "", "")
	fs.BoolVar(&f.tls.RequireCertificate, "require-certificate", false, "")
	fs.BoolVar(&f.tls.UseIdentityAsUsername, "use-identity-as-username", false, "")
	fs.BoolVar(&f.tls.UseSubjectAsUsername, "use-subject-as-username", false, "")
	fs.Var(value{tlsVersion(&f.tls.MinVersion), "version"}, "tls-version", "")
	fs.Var(value{ciphers(func(s string) error { f.tls.Ciphers = s; return nil }), "list"}, "ciphers", "")

	fs.StringVar(&f.access.PasswordFile, "password-file", "", "")
	fs.StringVar(&f.access.ACLFile, "acl-file", "", "")
	fs.BoolVar(&f.access.AllowAnonymous, "allow-anonymous", false, "")
	fs.BoolVar(&cfg.RefuseDollarTopics, "refuse-dollar-topics", false, "")

	fs.StringVar(&cfg.Store.Folder, "folder", cfg.Store.Folder, "")
	fs.BoolVar(&cfg.Store.Memory, "memory", cfg.Store.Memory, "")

	l := &cfg.Limits
	number(whole(&l.Connections, 0, math.MaxInt), "max-connections")
	number(whole(&l.ConnectionsPerAddress, 0, math.MaxInt), "max-connections-per-address")
	number(whole(&l.PendingConnections, 0, math.MaxInt), "max-pending-connections")
	number(whole(&l.Clients, 0, math.MaxInt), "max-clients")
	number(packetSize(&l.PacketSize), "max-packet-size")
	number(whole(&l.MessageSize, 0, math.MaxInt), "max-message-size")
	number(whole(&l.InflightMessages, 0, math.MaxUint16), "max-inflight-messages")
	number(whole(&l.InflightBytes, 0, math.MaxInt), "max-inflight-bytes")
	number(whole(&l.QueuedMessages, 0, math.MaxInt), "max-queued-messages")
	number(whole(&l.QueuedBytes, 0, math.MaxInt), "max-queued-bytes")
	number(whole(&l.SubscriptionsPerClient, 0, math.MaxInt), "max-subscriptions")
	number(whole(&l.RetainedMessages, 0, math.MaxInt), "max-retained-messages")
	number(whole(&l.RetainedBytes, 0, math.MaxInt), "max-retained-bytes")
	number(whole(&l.MessagesPerSecond, 0, math.MaxInt), "max-messages-per-second")
	number(whole(&l.BytesPerSecond, 0, math.MaxInt), "max-bytes-per-second")
	number(whole(&l.KeepAlive, 0, math.MaxUint16), "max-keepalive")
	number(whole(&l.SessionExpiry, 0, math.MaxUint32), "max-session-expiry")
	fs.Var(value{span(&l.ConnectTimeout, 1), "time"}, "connect-timeout", "")
	fs.Var(value{span(&l.WriteTimeout, 1), "time"}, "write-timeout", "")

	fs.StringVar(&cfg.MetricsAddress, "metrics", "", "")
	fs.Var(value{span(&cfg.SysInterval, 0), "time"}, "sys-interval", "")
	fs.BoolVarP(&cfg.Log.Verbose, "verbose", "v", false, "")
	fs.BoolVar(&cfg.Log.JSON, "json", false, "")
	return fs
}

// packetSize leaves room for what a CONNECT usually has.
func packetSize(to *uint32) setter {
	return func(s string) error {
		n := uint32(0)
		err := whole(&n, 0, math.MaxUint32)(s)
		if err != nil || n > 0 && n < 1024 {
			return errors.New("use a number of bytes from 1024, or 0 for what MQTT allows")
		}
		*to = n
		return nil
	}
}

// singleDash are flags that are also taken as Go's own flags are written.
var singleDash = []string{"-bind", "-memory", "-listen"}

// Parse reads the command line, and the file of -c before, which flags go before.
func Parse(args []string) (cfg *Config, help bool, err error) {
	args = append([]string(nil), args...)
	for i, a := range args {
		for _, d := range singleDash {
			if name, _, _ := strings.Cut(a, "="); name == d {
				args[i] = "-" + a
			}
		}
	}
	f := new(flags)
	fs, help, err := f.read(Default(), args)
	if help || err != nil {
		return nil, help, err
	}
	if f.file != "" {
		if cfg, err = readFile(f.file); err != nil {
			return nil, false, cli.FailAll(cli.ExitFile, err)
		}
		f = new(flags)
		if fs, _, err = f.read(cfg, args); err != nil {
			return nil, false, err
		}
	}
	if err := f.apply(fs); err != nil {
		return nil, false, err
	}
	if errs := f.cfg.check(); len(errs) > 0 {
		return nil, false, cli.FailAll(cli.ExitUsage, errors.Join(errs...))
	}
	f.cfg.warn()
	return f.cfg, false, nil
}

func (f *flags) read(cfg *Config, args []string) (fs *pflag.FlagSet, help bool, err error) {
	fs = f.set(cfg)
	fs.BoolVarP(&help, "help", "h", false, "")
	found, err := cli.Parse(fs, args, nil)
	return fs, help || found, err
}

// apply puts together what several flags say.
func (f *flags) apply(fs *pflag.FlagSet) error {
	if err := f.listeners(fs); err != nil {
		return err
	}
	for _, a := range f.cfg.Accesses() {
		if f.access.PasswordFile != "" {
			a.PasswordFile, a.AllowAnonymous = f.access.PasswordFile, false
		}
		if f.access.ACLFile != "" {
			a.ACLFile = f.access.ACLFile
		}
		if fs.Changed("allow-anonymous") {
			a.AllowAnonymous = f.access.AllowAnonymous
		}
	}
	if m := f.cfg.MetricsAddress; m != "" {
		if _, _, err := net.SplitHostPort(m); err != nil {
			return cli.Usagef("--metrics %s: use an address and a port, such as 127.0.0.1:9883", m)
		}
	}
	return nil
}

// listeners makes those of the command line. If there are any, those of the
// file are left out.
func (f *flags) listeners(fs *pflag.FlagSet) error {
	var made []*Listener
	shared := f.cfg.Listeners[0].Access
	if fs.Changed("port") || fs.Changed("bind") {
		l := newListener(shared)
		l.Address, l.from = net.JoinHostPort(f.bind, strconv.Itoa(int(f.port))), "--port and --bind"
		made = append(made, l)
	}
	secure := false
	for _, s := range f.listen {
		l, err := listenAt(s, shared)
		if err != nil {
			return cli.Usagef("--listen %s: %v", s, err)
		}
		if l.TLS != nil {
			t := f.tls
			l.TLS, secure = &t, true
		}
		made = append(made, l)
	}
	if f.tls != newTLS() && !secure {
		return cli.Usagef("flags about certificates are for --listen tls://… and wss://…, of which there is none")
	}
	if len(made) > 0 {
		f.cfg.Listeners = made
	}
	return f.allowOrigins()
}

// allowOrigins lets web pages connect to all listeners that speak WebSocket.
func (f *flags) allowOrigins() error {
	if len(f.origins) == 0 {
		return nil
	}
	some := false
	for _, l := range f.cfg.Listeners {
		if l.WebSocket {
			l.Origins, some = f.origins, true
		}
	}
	if !some {
		return cli.Usagef("--ws-origin is for listeners that speak WebSocket, of which there is none; see --listen ws://…")
	}
	return nil
}
