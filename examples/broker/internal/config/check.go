package config

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// check returns what is wrong with the configuration as a whole.
func (c *Config) check() (errs []error) {
	seen := make(map[string]*Listener)
	for _, l := range c.Listeners {
		place := l.Network + " " + l.Address
		if other := seen[place]; other != nil && !strings.HasSuffix(place, ":0") {
			errs = append(errs, fmt.Errorf("%s: %s is a listener already, by %s; remove one of them", l.from, l.Address, other.from))
		}
		seen[place] = l
		if err := l.TLS.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", l.from, err))
		}
	}
	if !c.Store.Memory && c.Store.Folder == "" {
		errs = append(errs, errors.New("there is no folder to keep the state in: say one by --folder or persistence_location, or use --memory"))
	}
	return errs
}

func (t *TLS) check() error {
	switch {
	case t == nil:
		return nil
	case t.CertFile == "" || t.KeyFile == "":
		return errors.New("TLS needs the certificate of the broker (certfile, --cert) and its key (keyfile, --key)")
	case t.RequireCertificate && t.CAFile == "" && t.CAPath == "":
		return errors.New("certificates of clients can only be required with those of their authority (cafile, capath)")
	case !t.RequireCertificate && (t.UseIdentityAsUsername || t.UseSubjectAsUsername):
		return errors.New("names can only be taken from certificates that are required (require_certificate)")
	case !t.RequireCertificate && t.CRLFile != "":
		return errors.New("a list of revoked certificates (crlfile) needs certificates that are required (require_certificate)")
	}
	return nil
}

// warn tells of what is allowed, but hardly meant.
func (c *Config) warn() {
	for _, l := range c.Listeners {
		a, byCertificate := l.Access, l.namesByCertificate()
		switch {
		case a.AllowAnonymous && l.public() && (l.TLS == nil || !l.TLS.RequireCertificate):
			c.warning(l, "%s is open to everybody who can reach this machine, without a password; see --password-file and allow_anonymous", l.Address)
		case !a.AllowAnonymous && a.PasswordFile == "" && !byCertificate:
			c.warning(l, "nobody can connect to %s: allow_anonymous is false, and there is no password_file", l.Address)
		}
		if a.ACLFile != "" && a.PasswordFile == "" && a.AllowAnonymous && !byCertificate {
			c.warning(l, "the rules of %s for users protect nothing at %s: there is no password_file, so that clients may give any name", a.ACLFile, l.Address)
		}
	}
}

func (c *Config) warning(l *Listener, format string, args ...any) {
	c.Warnings = append(c.Warnings, l.from+": "+fmt.Sprintf(format, args...))
}

// public reports whether other machines may reach the listener.
func (l *Listener) public() bool {
	host, _, err := net.SplitHostPort(l.Address)
	if l.Network == "unix" || err != nil || host == "localhost" {
		return false
	}
	ip := net.ParseIP(host)
	return ip == nil || !ip.IsLoopback()
}
