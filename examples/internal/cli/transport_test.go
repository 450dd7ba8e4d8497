package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"
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
		"-L http://h":                   "use mqtt://",
		"-L h":                          "use mqtt://",
		"-L mqtt:///t":                  "the host is missing",
		"-L mqtt://h:0":                 "from 1 to 65535",
		"-L mqtt://h -h g":              "leave -h out",
		"--unix s -h g":                 "in the place of",
		"--cert a --key b":              "whom to trust",
		"--cafile " + empty:             "no certificate in it",
		"--cafile /does/not/exist":      "no such file",
		"--capath /does/not/exist":      "no such file",
		"-p 8883 --cert a":              "go together",
		"-p 8883 --cert /a --key /b":    "no such file",
		"-p 8883 --tls-version tlsv1.0": "use tlsv1.1",
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

// Properties get into every SUBSCRIBE and UNSUBSCRIBE, and nothing else changes.
func TestOutgoing(t *testing.T) {
	c, _, _, _, err := parse(t, strings.Fields("-i a -D connect user-property x y")...)
	if err != nil || c.Properties.outgoing(codec.V5) != nil {
		t.Fatalf("error %v", err)
	}
	var p Properties
	for _, args := range []string{"subscribe user-property a b", "subscribe subscription-identifier 9", "unsubscribe user-property c d"} {
		if _, err := p.define(strings.Fields(args)); err != nil {
			t.Fatal(err)
		}
	}
	var in, want []byte
	add := func(before, after codec.Packet) {
		t.Helper()
		b, err := before.AppendTo(nil, codec.V5)
		a, err2 := after.AppendTo(want, codec.V5)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		in, want = append(in, b...), a
	}
	publish := &codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, 300)}
	s := codec.Subscribe{PacketID: 3, Filters: []codec.Subscription{{Filter: codec.Bytes("f"), QoS: 2}}}
	u := codec.Unsubscribe{PacketID: 4, Filters: []codec.Bytes{codec.Bytes("f")}}
	s2, u2 := s, u
	s2.Properties, u2.Properties = p.Subscribe, p.Unsubscribe
	add(publish, publish)
	add(&s, &s2)
	add(&u, &u2)
	add(&codec.Disconnect{}, &codec.Disconnect{})
	got := p.outgoing(codec.V5)([][]byte{in[:5], in[5:]})
	if len(got) != 1 || string(got[0]) != string(want) {
		t.Errorf("got %x, want %x", got, want)
	}
}
