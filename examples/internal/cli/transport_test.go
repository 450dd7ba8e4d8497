package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"
)

func TestURL(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-L mqtt://h", "h:1883"},
		{"-L MQTT://h/a/#", "h:1883 topic a/#"},
		{"-L mqtts://h:1/a", "h:1 TLS topic a"},
		{"-L mqtts://u:p@w@h", "h:8883 TLS user u password p@w"},
		{"-L mqtt://u@[::1]:5/t", "[::1]:5 user u topic t"},
		{"-L mqtt://u@h -u v -p 7", "h:7 user v"},
		{"-L ws://h/mqtt", "h:80 WebSocket /mqtt"},
		{"-L wss://h:9", "h:9 TLS WebSocket /"},
		{"-p 8883", "localhost:8883 TLS"},
		{"--tls-use-os-certs", "localhost:8883 TLS"},
		{"--unix /run/s", "/run/s"},
	} {
		c, _, _, _, err := parse(t, strings.Fields(tt.args)...)
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		got, o, p := c.Address(), c.Transport(), c.Connect()
		if o.TLS != nil {
			got += " TLS"
		}
		if o.WebSocket {
			got += " WebSocket " + o.Path
		}
		if p.Username.Set {
			got += " user " + string(p.Username.Value)
		}
		if p.Password.Set {
			got += " password " + string(p.Password.Value)
		}
		if c.URL.Topic.Set {
			got += " topic " + c.URL.Topic.Value
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.args, got, tt.want)
		}
	}
}

func TestTransportErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--proxy http://h":                   "use socks5h://",
		"--proxy socks5h://":                 "use socks5h://",
		"--proxy socks5h://u:secret@h:x":     "use socks5h://[USER[:PASSWORD]@]HOST[:PORT]",
		"--proxy=":                           "use socks5h://",
		"--proxy socks5h://h --unix s":       "leave one of them out",
		"-p 8883 --ciphers HIGH":             "--ciphers HIGH: HIGH stands for several ciphers",
		"-p 8883 --ciphers AES128-SHA:!RC4":  "!RC4 stands for several ciphers",
		"-p 8883 --ciphers DHE-RSA-CAMELLIA": "none of these is known to Go",
		"-p 8883 --ciphers :":                "none of these is known to Go",
		"--ciphers AES128-SHA":               "whom to trust",
		"--keyform engine":                   "--keyform engine: engines for keys are not supported; put",
		"--keyform der":                      "use pem",
		"--psk 0123 --psk-identity i":        "--psk: pre-shared keys are not supported",
		"--psk-identity=i":                   "--psk-identity: pre-shared keys are not supported",
		"--tls-engine tpm2":                  "--tls-engine: engines for keys",
		"--tls-engine-kpass-sha1 00":         "engines for keys",
		"-S":                                 "-S: SRV records are not looked up; name the broker by -h and -p",
		"-L http://h":                        "use mqtt://",
		"-L h":                               "use mqtt://",
		"-L mqtt:///t":                       "the host is missing",
		"-L mqtt://h:0":                      "from 1 to 65535",
		"-L mqtt://h -h g":                   "leave -h out",
		"--unix s -h g":                      "in the place of",
		"--cert a --key b":                   "whom to trust",
		"--cafile " + empty:                  "no certificate in it",
		"--cafile /does/not/exist":           "no such file",
		"--capath /does/not/exist":           "no such file",
		"-p 8883 --cert a":                   "go together",
		"-p 8883 --cert /a --key /b":         "no such file",
		"-p 8883 --tls-version tlsv1.0":      "use tlsv1.1",
	} {
		_, _, _, _, err := parse(t, strings.Fields(args)...)
		var f *Failure
		if !errors.As(err, &f) || f.Code != ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}

// parseFiles is parse for programs that read option files.
func parseFiles(args ...string) (*Connection, []string, error) {
	c := new(Connection)
	var topics []string
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	c.AddTo(fs)
	fs.StringArrayVarP(&topics, "topic", "t", nil, "")
	_, err := ParseWithFile(fs, args, &c.Properties, "program")
	return c, topics, err
}

func TestOptionFile(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	check := func(want string, args ...string) {
		t.Helper()
		c, topics, err := parseFiles(args...)
		got := fmt.Sprintf("%s %d %q %v %d", c.Host, c.KeepAlive, topics, c.Debug, c.Properties.Connect.UserProperties.Len())
		if err != nil || got != want {
			t.Errorf("%q: got %s, error %v, want %s", args, got, err, want)
		}
	}
	check(`localhost 60 [] false 0`)
	write("program", "# a comment\r\n\n-h from-file\n-t with a space\n--keepalive 5\n-d\n-D connect user-property a b\n")
	check(`from-file 5 ["with a space"] true 1`)
	check(`other 5 ["with a space" "more"] true 1`, "-h", "other", "-t", "more")
	named := write("named", "-k 7\n")
	check(`localhost 7 [] false 0`, "-o", named)
	check(`localhost 9 [] false 0`, "-k9", "--option-file="+named)
	check(`from-file 5 ["with a space" "-o"] true 1`, "-t", "-o")
	check(`from-file 5 ["with a space"] true 2`, "-D", "connect", "user-property", "-o", "x")

	for text, want := range map[string]string{"-z\n": "line 1", "\n-k x\n": "line 2", "-o x": "names no other", "word": "not expected"} {
		name := write("wrong", text)
		_, _, err := parseFiles("-o", name)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
	var f *Failure
	if _, _, err := parseFiles("-o", "/does/not/exist"); !errors.As(err, &f) || f.Code != ExitFile {
		t.Errorf("error %v", err)
	}
}

// Properties get into every SUBSCRIBE and UNSUBSCRIBE.
func TestSubscribeProperties(t *testing.T) {
	c, _, _, _, err := parse(t, "-i", "a")
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"subscribe user-property a b", "subscribe subscription-identifier 9", "unsubscribe user-property c d"} {
		if _, err := c.Properties.define(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	l := c.Line(&Env{}, client.Config{NoIdentifiers: true})
	if err := l.Subscribe(now, codec.Subscription{Filter: codec.Bytes("f"), QoS: 2}); err != nil {
		t.Fatal(err)
	}
	if err := l.Client.Start(now); err != nil {
		t.Fatal(err)
	}
	var sent []string
	for ev := range l.Client.Events() {
		switch ev.Kind {
		case client.Open:
			if err := l.Client.Opened(now); err != nil {
				t.Fatal(err)
			}
		case client.Connected:
			if err := l.Unsubscribe(now, "g"); err != nil {
				t.Fatal(err)
			}
		case client.Write:
			for b := bytes.Join(ev.Data, nil); len(b) > 0; {
				p, n, err := codec.Decode(b, codec.V5)
				if err != nil || n == 0 {
					t.Fatal(err)
				}
				sent, b = append(sent, fmt.Sprint(p)), b[n:]
			}
			if len(sent) == 1 {
				connack, err := (&codec.Connack{}).AppendTo(nil, codec.V5)
				if err != nil {
					t.Fatal(err)
				}
				l.Client.Receive(now, connack)
			}
		}
	}
	want := "SUBSCRIBE PacketID=1 SubscriptionIdentifier=9 UserProperties.a=b Filters[0].Filter=f Filters[0].QoS=2\n" +
		"UNSUBSCRIBE PacketID=2 UserProperties.c=d Filters=g"
	if got := strings.Join(sent[min(1, len(sent)):], "\n"); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}
