package listen

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Web pages of other hosts do not get through to a broker that asks for no
// password.
func TestOrigins(t *testing.T) {
	open, closed := &config.Access{AllowAnonymous: true}, &config.Access{PasswordFile: "p"}
	const here = "127.0.0.1"
	for name, tt := range map[string]struct {
		access   *config.Access
		origins  string // of the configuration
		host     string
		headers  string
		stranger string
	}{
		"a program":                  {open, "", here, "", ""},
		"another page":               {open, "", here, "https://evil.example", "https://evil.example"},
		"the same host":              {open, "", here, "http://127.0.0.1", ""},
		"another port":               {open, "", here, "http://127.0.0.1:3000", ""},
		"localhost":                  {open, "", "LocalHost:8080", "http://localhost:3000", ""},
		"IPv6":                       {open, "", "[::1]:8080", "http://[::1]:3000", ""},
		"localhost and 127.0.0.1":    {open, "", here, "http://localhost", "http://localhost"},
		"a name for 127.0.0.1":       {open, "", "evil.example", "http://evil.example", "http://evil.example"},
		"a file":                     {open, "", here, "null", "null"},
		"an empty one":               {open, "", here, " ", "null"},
		"no URL":                     {open, "", here, "http://%zz", "null"},
		"two":                        {open, "", here, "http://127.0.0.1\r\nOrigin: https://evil.example", "null"},
		"with a password":            {closed, "", here, "https://evil.example", ""},
		"with a password and a list": {closed, "https://app.example", here, "https://evil.example", "https://evil.example"},
		"allowed":                    {open, "https://x https://app.example", here, "https://APP.example", ""},
		"with a port":                {open, "https://app.example", here, "https://app.example:8443", "https://app.example:8443"},
		"without TLS":                {open, "https://app.example", here, "http://app.example", "http://app.example"},
		"a host":                     {open, "app.example", here, "https://app.example:8443", ""},
		"a host with a port":         {open, "app.example:8443", here, "https://app.example:8443", ""},
		"hosts":                      {open, "https://*.app.example", here, "https://a.b.app.example", ""},
		"not quite":                  {open, "https://*.app.example", here, "https://app.example.evil", "https://app.example.evil"},
		"longer":                     {open, "app.example", here, "https://evil-app.example", "https://evil-app.example"},
		"all":                        {open, "*", here, "null", ""},
		"files":                      {open, "null", here, "null", ""},
		"proxied, and allowed":       {open, "broker.example", "broker.example", "https://broker.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, &config.Listener{WebSocket: true, Access: tt.access, Origins: strings.Fields(tt.origins)}, nil)
			c := s.dial(t)
			r := strings.Replace(request, "Host: h", "Host: "+tt.host, 1) + "Sec-WebSocket-Protocol: mqtt\r\n"
			if tt.headers != "" {
				r += "Origin: " + tt.headers + "\r\n"
			}
			if _, err := io.WriteString(c, r+"\r\n"); err != nil {
				t.Fatal(err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if tt.stranger == "" {
				if answer.StatusCode != http.StatusSwitchingProtocols {
					t.Errorf("status %d", answer.StatusCode)
				}
				s.accept(t)
				return
			}
			want := "web pages of " + tt.stranger + " may not connect; --ws-origin " + tt.stranger + " lets them"
			text, err := io.ReadAll(answer.Body)
			if err != nil || answer.StatusCode != http.StatusForbidden || !strings.Contains(string(text), want) {
				t.Errorf("status %d, %s, error %v", answer.StatusCode, text, err)
			}
			c.Close()
			s.log.await(t, want)
		})
	}
}

// Behind a name that other machines know, pages of that name are of the same host.
func TestSurelyHere(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		local net.Addr
		host  string
		want  bool
	}{
		{&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}, "broker.example", true},
		{&net.UnixAddr{Name: "/run/x"}, "broker.example", true},
		{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "broker.example", false},
		{&net.TCPAddr{IP: net.IPv6loopback}, "broker.example", false},
		{&net.TCPAddr{IP: net.IPv6loopback}, "::1", true},
		{&net.TCPAddr{IP: net.IPv6loopback}, "localhost", true},
		{&net.TCPAddr{IP: net.IPv6loopback}, strings.ToLower(name), true},
	} {
		if got := surelyHere(tt.host, tt.local); got != tt.want {
			t.Errorf("%s at %v: %v", tt.host, tt.local, got)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"*", "a", true}, {"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*a", "ab", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"a*b*c", "aXbYc", true}, {"a*b*c", "aXYc", false}, {"a*bc*c", "abc", false}, {"**", "a", true}, {"", "a", false},
	} {
		if got := glob(tt.pattern, tt.s); got != tt.want {
			t.Errorf("%s %s: %v", tt.pattern, tt.s, got)
		}
	}
}
