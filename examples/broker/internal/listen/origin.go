package listen

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// stranger returns the origin of a web page that may not connect, "" if there is
// none. Browsers name the origin, and no page chooses what they say; programs
// name none or that of the broker, and could name any. Without this check every page that somebody on
// this machine looks at could use what listens on it. (RFC 6455 10.2)
func stranger(cfg *config.Listener, r *http.Request, local net.Addr) string {
	given := r.Header.Values("Origin")
	if len(given) == 0 || cfg.AnyOrigin() {
		return ""
	}
	names := []string{"null"} // as browsers say for a file
	if o, err := url.Parse(strings.ToLower(given[0])); len(given) == 1 && err == nil && o.Scheme != "" && o.Host != "" {
		here := hostname(strings.ToLower(r.Host))
		if o.Hostname() == here && surelyHere(here, local) {
			return ""
		}
		names = []string{o.Scheme + "://" + o.Host, o.Host, o.Hostname()}
	}
	for _, name := range names {
		if slices.ContainsFunc(cfg.Origins, func(pattern string) bool { return glob(pattern, name) }) {
			return ""
		}
	}
	return names[0]
}

// surelyHere reports whether a page of the host that a browser connected to is
// one of this machine. Of a name that is not sure where only this machine can
// connect: its owner may have it stand for 127.0.0.1 to get past the check.
func surelyHere(host string, local net.Addr) bool {
	if tcp, ok := local.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return true
	}
	_, err := netip.ParseAddr(host)
	name, _ := os.Hostname() // without one there is no such page
	return err == nil || host == "localhost" || host == strings.ToLower(name)
}

// hostname returns a host without its port and brackets.
func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

// glob reports whether a pattern stands for a text; * is for any part of it.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return s == pattern
	}
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, rest, found := strings.Cut(s, part)
		if !found {
			return false
		}
		s = rest
	}
	return true
}
