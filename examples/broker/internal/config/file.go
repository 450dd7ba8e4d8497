package config

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// part is the part of a file that is about one listener. What stands before the
// first listener is about a default one, on port 1883 of all addresses.
type part struct {
	l      *Listener
	tls    TLS
	access *Access // with per_listener_settings
	line   Line
	host   string // bind_address
	port   int    // port; 0 if it is not set
}

func newPart(l Line) *part {
	access := newAccess(false)
	return &part{l: newListener(access), tls: newTLS(), access: access, line: l}
}

// configured reports whether anything about the default listener is set.
func (p *part) configured() bool {
	plain := newPart(p.line)
	l, d := *p.l, *plain.l
	l.Access, d.Access = nil, nil
	return p.host != "" || p.port != 0 || !reflect.DeepEqual(l, d) || p.tls != plain.tls
}

// parser reads a file in the language of mosquitto.conf.
type parser struct {
	cfg    *Config
	errs   []error
	front  *part   // the default listener
	at     *part   // which the settings that are read are about
	parts  []*part // the others
	global *Access // without perListener

	perListener bool
	security    bool // something was set that perListener is about
	anonymous   map[*Access]bool
	noDelay     bool
	logSet      bool

	line     Line             // that is read
	given    map[*string]Line // texts may be set once
	included bool             // the file is one of include_dir
}

// readFile returns what a file says, and Default where it is silent. The error
// tells of everything that is wrong, each in a line with its place.
func readFile(name string) (*Config, error) {
	lines, err := ReadLines("configuration file", name)
	if err != nil {
		return nil, err
	}
	cfg, errs := parse(Line{File: name}, lines)
	if len(errs) > 0 {
		return nil, errors.Join(append(errs, cfg.check()...)...)
	}
	return cfg, nil
}

func parse(top Line, lines []Line) (*Config, []error) {
	p := &parser{
		cfg:       Default(),
		front:     newPart(top),
		global:    newAccess(false),
		anonymous: make(map[*Access]bool),
		noDelay:   true,
		given:     make(map[*string]Line),
	}
	p.at = p.front
	p.read(lines)
	p.finish()
	return p.cfg, p.errs
}

func (p *parser) read(lines []Line) {
	for _, l := range lines {
		p.line = l
		if err := p.key(l.Cut()); err != nil {
			p.errs = append(p.errs, l.Errorf("%w", err))
		}
	}
}

func (p *parser) key(name, value string) error {
	k, ok := keys[name]
	if !ok {
		warning, err := known(name, value)
		if warning != "" {
			p.warn("%s", warning)
		}
		return err
	}
	if value == "" {
		return fmt.Errorf("%s needs a value behind it", name)
	}
	if !k.text {
		first, rest := cutWord(value)
		if rest != "" && rest[0] != '#' {
			return fmt.Errorf("%s takes one value; %q is too much", name, rest)
		}
		value = first
	}
	if err := k.set(p)(value); err != nil {
		return fmt.Errorf("%s %s: %w", name, value, err)
	}
	return nil
}

func (p *parser) warn(format string, args ...any) {
	p.cfg.Warnings = append(p.cfg.Warnings, p.line.Errorf(format, args...).Error())
}

// once takes a text that may be set once for what it is about.
func (p *parser) once(to *string) setter {
	return func(s string) error {
		if l, ok := p.given[to]; ok {
			return fmt.Errorf("it is set already, by %s:%d; remove one of them", l.File, l.Number)
		}
		p.given[to] = p.line
		*to = s
		return nil
	}
}

// access returns what the security settings are about.
func (p *parser) access() *Access {
	p.security = true
	if p.perListener {
		return p.at.access
	}
	return p.global
}

func (p *parser) allowAnonymous(s string) error {
	a := p.access()
	p.anonymous[a] = true
	return onOff(&a.AllowAnonymous)(s)
}

func (p *parser) perListenerSettings(s string) error {
	was := p.perListener
	err := onOff(&p.perListener)(s)
	if err == nil && p.security && p.perListener != was {
		return errors.New("it has to stand before allow_anonymous, password_file, acl_file, allow_zero_length_clientid and auto_id_prefix")
	}
	return err
}

func (p *parser) port(s string) error { return whole(&p.front.port, 1, 65535)(s) }

// listener takes PORT [ADDRESS], or 0 and the path of a Unix socket.
func (p *parser) listener(s string) error {
	at, rest := newPart(p.line), ""
	s, rest = cutWord(s)
	rest, _, _ = strings.Cut(rest, " #")
	if strings.HasPrefix(rest, "#") {
		rest = ""
	}
	p.at = at // also after an error, so that what follows is not taken for another one's
	port := 0
	if err := whole(&port, 0, 65535)(s); err != nil {
		return err
	}
	switch rest = strings.TrimSpace(rest); {
	case port == 0 && rest == "":
		return errors.New("port 0 is for a Unix socket, whose path follows it")
	case port == 0:
		at.l.Network, at.l.Address = "unix", rest
	case strings.ContainsAny(rest, " \t"):
		return errors.New("use a port and at most one address")
	default:
		at.l.Address = net.JoinHostPort(rest, strconv.Itoa(port))
	}
	p.parts = append(p.parts, at)
	return nil
}

func (p *parser) logDest(s string) error {
	if !p.logSet {
		p.logSet, p.cfg.Log.Dest = true, nil
	}
	word, rest := cutWord(s)
	switch word {
	case "none", "stdout", "stderr":
		if rest != "" && rest[0] != '#' {
			return fmt.Errorf("%q is too much", rest)
		}
		s = word
	case "file":
		if rest == "" {
			return errors.New("the path of the file is missing")
		}
		s = "file " + rest
	case "syslog":
		p.warn("log_dest syslog is not supported: the log goes to the standard error, where a service manager takes it")
		s = "stderr"
	case "topic", "dlt", "android":
		p.warn("log_dest %s has no effect here: the log goes to stdout, stderr or a file", word)
		return nil
	default:
		return errors.New("use none, stdout, stderr or file and a path")
	}
	p.cfg.Log.Dest = append(p.cfg.Log.Dest, s)
	return nil
}

// logTypes are those that there are here, silentTypes those of which nothing is
// logged.
var (
	logTypes    = []string{"error", "warning", "notice", "information", "debug", "all", "none"}
	silentTypes = []string{"subscribe", "unsubscribe", "websockets", "internal"}
)

func (p *parser) logType(s string) error {
	switch {
	case slices.Contains(logTypes, s):
		p.cfg.Log.Types = append(p.cfg.Log.Types, s)
	case slices.Contains(silentTypes, s):
		p.warn("log_type %s has no effect here: nothing is logged of that kind", s)
	default:
		return errors.New("use one of " + strings.Join(logTypes, ", "))
	}
	return nil
}

// include reads the files of a folder whose names end in .conf, in order. Each
// begins with the default listener.
func (p *parser) include(folder string) error {
	if p.included {
		return errors.New("only the file of -c may include others")
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("the folder cannot be read: %w", cause(err))
	}
	at := p.at
	p.included = true
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".conf") {
			continue
		}
		p.at = p.front
		lines, err := ReadLines("configuration file", filepath.Join(folder, e.Name()))
		if err != nil {
			p.errs = append(p.errs, err)
		}
		p.read(lines)
	}
	p.at, p.included = at, false
	return nil
}
