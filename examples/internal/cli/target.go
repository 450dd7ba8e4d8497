package cli

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/transport"
)

// Target holds the flags that say which broker to connect to, how, and as whom.
type Target struct {
	Host, Bind     string
	Port           uint16
	Version        Version
	User, Password string

	Unix  string
	Proxy string
	URL   URL
	TLS   TLS

	proxy *transport.Proxy
	fs    *pflag.FlagSet
}

// AddTo defines the flags.
func (t *Target) AddTo(fs *pflag.FlagSet) {
	t.fs = fs
	t.Version = Version(codec.V5)
	fs.StringVarP(&t.Host, "host", "h", "localhost", "")
	fs.Uint16VarP(&t.Port, "port", "p", 0, "")
	fs.VarP(&t.URL, "url", "L", "")
	fs.StringVar(&t.Unix, "unix", "", "")
	fs.StringVar(&t.Proxy, "proxy", "", "")
	t.TLS.addTo(fs)
	fs.StringVarP(&t.Bind, "bind", "A", "", "")
	fs.VarP(&t.Version, "protocol-version", "V", "")
	fs.StringVarP(&t.User, "username", "u", "", "")
	fs.StringVarP(&t.Password, "pw", "P", "", "")
	addAbsent(fs)
}

// Check reports flags that do not go together, and reads the files of TLS.
func (t *Target) Check() error {
	switch {
	case t.Host == "":
		return Usagef("-h: the name of the host is empty")
	case t.changed("port") && t.Port == 0:
		return Usagef("-p 0: use a port from 1 to 65535")
	case t.Unix != "" && (t.changed("host") || t.changed("port") || t.changed("url")):
		return Usagef("--unix stands in the place of -h, -p and -L")
	case t.Unix != "" && t.Proxy != "":
		return Usagef("--unix goes through no --proxy: leave one of them out")
	case !t.Version.Codec().IsV5() && t.changed("pw") && !t.changed("username"):
		return Usagef("-P needs -u in MQTT 3.1.1")
	}
	if t.changed("proxy") {
		if t.proxy = parseProxy(t.Proxy); t.proxy == nil {
			return Usagef("--proxy: use socks5h://[USER[:PASSWORD]@]HOST[:PORT]") // without the password
		}
	}
	return t.locate()
}

// parseProxy returns the proxy of a URL as mosquitto's programs take it, nil for
// none.
func parseProxy(s string) *transport.Proxy {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "socks5h" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return nil
	}
	p := &transport.Proxy{Address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "1080")), User: u.User.Username()}
	p.Password, _ = u.User.Password()
	return p
}

func (t *Target) changed(name string) bool { return t.fs.Changed(name) }

// Introduce sets the user name and the password of a CONNECT.
func (t *Target) Introduce(p *codec.Connect) {
	if t.changed("username") || t.URL.User.Set {
		p.Username = codec.Text(t.User)
	}
	if t.changed("pw") || t.URL.Password.Set {
		p.Password = codec.Text(t.Password)
	}
}

// locate takes over what -L says, and chooses the port.
func (t *Target) locate() error {
	u := &t.URL
	if t.changed("url") {
		if t.changed("host") {
			return Usagef("-L names the host already: leave -h out")
		}
		t.Host = u.Host
		if !t.changed("port") {
			t.Port = u.Port
		}
		if u.User.Set && !t.changed("username") {
			t.User = u.User.Value
		}
		if u.Password.Set && !t.changed("pw") {
			t.Password = u.Password.Value
		}
	}
	if t.Port == 0 {
		switch {
		case u.WebSocket && u.Secure:
			t.Port = 443
		case u.WebSocket:
			t.Port = 80
		case u.Secure || t.TLS.given():
			t.Port = securePort
		default:
			t.Port = plainPort
		}
	}
	secure := u.Secure || t.TLS.given() || t.Port == securePort && t.Unix == ""
	return t.TLS.load(secure, t.Host)
}

// Transport returns where to connect to, and how.
func (t *Target) Transport() transport.Options {
	return transport.Options{
		Host: t.Host, Port: strconv.Itoa(int(t.Port)), Unix: t.Unix, Bind: t.Bind, Proxy: t.proxy,
		TLS: t.TLS.config, WebSocket: t.URL.WebSocket, Path: t.URL.Path,
	}
}

// Address returns where to connect to, for people.
func (t *Target) Address() string {
	o := t.Transport()
	return o.Address()
}
