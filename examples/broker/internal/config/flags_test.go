package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, Help, new(flags).set(Default())) }

// The limits for which 0 stands for none, or else the help says what the least is.
func TestZeroLimits(t *testing.T) {
	_, limits, _ := strings.Cut(Help, "Limits; 0 is for none")
	limits, _, _ = strings.Cut(limits, "\nOperation:")
	n := 0
	for line := range strings.Lines(limits) {
		name, does, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, "--") {
			continue
		}
		if ok && strings.Contains(does, "above 0") {
			continue
		}
		n++
		if _, _, err := Parse([]string{name, "0"}); err != nil {
			t.Error(err)
		}
	}
	if n < 15 {
		t.Errorf("the help has %d such limits", n)
	}
}

func listenersOf(c *Config) any {
	var all []string
	for _, l := range c.Listeners {
		s := l.Network + " " + l.Address
		if l.WebSocket {
			s += " web"
		}
		if l.TLS != nil {
			s += fmt.Sprintf(" %s %s", l.TLS.CertFile, l.TLS.KeyFile)
		}
		all = append(all, s)
	}
	return strings.Join(all, ", ")
}

func TestFlags(t *testing.T) {
	file := filepath.Join(t.TempDir(), "conf")
	text := "listener 1884\nlistener 1885\npassword_file /file\nmax_inflight_messages 5\npersistence_location /file\nsys_interval 3\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	webFile := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(webFile, []byte("listener 1\nprotocol websockets\nwebsockets_origin y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		got  func(c *Config) any
		want any
	}{
		{"", listenersOf, "tcp 127.0.0.1:1883"},
		{"-p 0", listenersOf, "tcp 127.0.0.1:0"},
		{"-p 7 -bind ::1", listenersOf, "tcp [::1]:7"},
		{"--bind=0.0.0.0", listenersOf, "tcp 0.0.0.0:1883"},
		{"--listen tcp://:1", listenersOf, "tcp :1"},
		{"--listen tcp://127.0.0.1 --listen mqtt://[::1]/", listenersOf, "tcp 127.0.0.1:1883, tcp [::1]:1883"},
		{"-p 7 --listen ws://localhost --listen unix:///run/x", listenersOf, "tcp 127.0.0.1:7, tcp localhost:80 web, unix /run/x"},
		{"--listen tls://a --listen wss://b --cert c --key k", listenersOf, "tcp a:8883 c k, tcp b:443 web c k"},
		{"--listen mqtts://a:1 --cert c --key k --cafile a --require-certificate --use-identity-as-username --crlfile r", listenersOf, "tcp a:1 c k"},
		{"--listen tcp://a:0 --listen tcp://a:0", listenersOf, "tcp a:0, tcp a:0"},
		{"-c " + file, listenersOf, "tcp :1884, tcp :1885"},
		{"-c " + file + " -p 7", listenersOf, "tcp 127.0.0.1:7"},

		{"--listen tcp://a --listen ws://a --ws-origin x --ws-origin y", func(c *Config) any { return fmt.Sprint(c.Listeners[0].Origins, c.Listeners[1].Origins) }, "[] [x y]"},
		{"-c " + webFile + " --ws-origin x", origins, "[x] false"},

		{"", accessOfAll, "true  "},
		{"--password-file p", accessOfAll, "false p "},
		{"--password-file p --allow-anonymous --acl-file a", accessOfAll, "true p a"},
		{"--allow-anonymous=false", accessOfAll, "false  "},
		{"-c " + file, accessOfAll, "false /file /false /file "},
		{"-c " + file + " --password-file p --acl-file a", accessOfAll, "false p a/false p a"},
		{"-c " + file + " --allow-anonymous -p 1", accessOfAll, "true /file "},

		{"", memory, false}, {"--memory", memory, true}, {"-memory", memory, true},
		{"", func(c *Config) any { return c.Store.Folder }, "/state"},
		{"--folder f", func(c *Config) any { return c.Store.Folder }, "f"},
		{"-c " + file, func(c *Config) any { return c.Store.Folder }, "/file"},
		{"--folder f -c " + file, func(c *Config) any { return c.Store.Folder }, "f"},

		{"", inflight, uint16(1000)}, {"--max-inflight-messages 9", inflight, uint16(9)},
		{"-c " + file, inflight, uint16(5)}, {"-c " + file + " --max-inflight-messages 9", inflight, uint16(9)},
		{"-c " + file, func(c *Config) any { return c.SysInterval }, 3 * time.Second},
		{"-c " + file + " --sys-interval 0", func(c *Config) any { return c.SysInterval }, time.Duration(0)},
		{"--sys-interval 1m", func(c *Config) any { return c.SysInterval }, time.Minute},
		{"--refuse-dollar-topics", func(c *Config) any { return c.RefuseDollarTopics }, true},
		{"", func(c *Config) any { return c.RefuseDollarTopics }, false},
		{"--connect-timeout 5", func(c *Config) any { return c.Limits.ConnectTimeout }, 5 * time.Second},
		{"--max-packet-size 1024", func(c *Config) any { return c.Limits.PacketSize }, uint32(1024)},
		{"-v --json --metrics 127.0.0.1:9883", func(c *Config) any { return fmt.Sprint(c.Log.Verbose, c.Log.JSON, c.MetricsAddress) }, "true true127.0.0.1:9883"},
	} {
		cfg, help, err := Parse(strings.Fields(c.args))
		if err != nil || help {
			t.Errorf("%s: %v %v", c.args, help, err)
			continue
		}
		if got := c.got(cfg); got != c.want {
			t.Errorf("%s: %v, want %v", c.args, got, c.want)
		}
	}
	for _, args := range []string{"-h", "--help", "-help", "-v -h"} {
		if _, help, err := Parse(strings.Fields(args)); err != nil || !help {
			t.Errorf("%s: %v %v", args, help, err)
		}
	}
}

func inflight(c *Config) any { return c.Limits.InflightMessages }

func TestWrongFlags(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "conf")
	if err := os.WriteFile(wrong, []byte("listner 1\ncertfile a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-x":                                     "no flag -x",
		"x":                                      `"x" is not expected`,
		"-p 65536":                               "-p 65536: use a number from 0 to 65535",
		"--max-connections -1":                   "--max-connections -1: use a number from 0",
		"--max-packet-size 5":                    "--max-packet-size 5: use a number of bytes from 1024",
		"--connect-timeout 0s":                   "--connect-timeout 0s: use a time above 0, such as 10s",
		"--write-timeout soon":                   "--write-timeout soon: use a time, such as 10s",
		"--sys-interval -1s":                     "--sys-interval -1s: use a time, such as 10s, or 0 for never",
		"--max-queued-messages -1":               "--max-queued-messages -1: use a number from 0",
		"--max-inflight-messages -1":             "--max-inflight-messages -1: use a number from 0 to 65535",
		"--ciphers HIGH":                         "--ciphers HIGH: HIGH stands for several ciphers",
		"--tls-version 1":                        "--tls-version 1: use tlsv1.2 or tlsv1.3",
		"--metrics 9883":                         "--metrics 9883: use an address and a port",
		"--cert a --key b":                       "of which there is none",
		"-p 1 --cafile a":                        "of which there is none",
		"-p 1 --ws-origin a":                     "--ws-origin is for listeners that speak WebSocket",
		"--listen ws://a --ws-origin https://a/": "--ws-origin https://a/: use the origin of a web page",
		"--listen tls://a":                       "--listen tls://a: TLS needs the certificate",
		"--listen tls://a --cert c":              "--listen tls://a: TLS needs the certificate",
		"--listen 1883":                          "--listen 1883: use a URL such as",
		"--listen tcp://":                        "use a URL such as",
		"--listen http://a":                      "use one of tcp://",
		"--listen tcp://a:b":                     "use a URL such as",
		"--listen tcp://a:65536":                 "the port is none; use a number from 0 to 65535",
		"--listen tcp://u:p@a":                   "nothing comes behind the port",
		"--listen ws://a/mqtt":                   "nothing comes behind the port",
		"--listen unix://":                       "the path of the socket is missing",
		"--listen tcp://a --listen tcp://a:1883": "a:1883 is a listener already, by --listen tcp://a; remove one",
		"--folder=":                              "there is no folder to keep the state in",
		"-c /nowhere/x":                          "the configuration file /nowhere/x cannot be read: no such file or directory",
		"-c " + wrong:                            wrong + ":1: there is no key listner; is it listener?\n" + wrong + ": TLS needs",
	} {
		var f *cli.Failure
		code := cli.ExitUsage
		if strings.HasPrefix(args, "-c") {
			code = cli.ExitFile
		}
		if _, _, err := Parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != code || !strings.Contains(f.Error(), want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
	if _, _, err := Parse([]string{"--folder=", "--memory"}); err != nil {
		t.Error(err)
	}
}

func TestWarnings(t *testing.T) {
	for args, want := range map[string]string{
		"":                                   "",
		"--bind localhost":                   "",
		"--listen unix:///x":                 "",
		"--bind ::1":                         "",
		"--bind 0.0.0.0":                     "--port and --bind: 0.0.0.0:1883 is open to everybody",
		"--listen ws://:80":                  "--listen ws://:80: :80 is open to everybody",
		"--listen tcp://home.example":        "home.example:1883 is open to everybody",
		"--listen tls://:1 --cert c --key k": "is open to everybody",
		"--bind 0.0.0.0 --password-file p":   "",
		"--bind 0.0.0.0 --password-file p --allow-anonymous":                  "is open to everybody",
		"--listen tls://:1 --cert c --key k --cafile a --require-certificate": "",
		"--allow-anonymous=false":                                             "nobody can connect to 127.0.0.1:1883",
		"--acl-file a":                                                        "the rules of a for users protect nothing at 127.0.0.1:1883",
		"--acl-file a --password-file p --allow-anonymous":                    "",
		"--listen tls://:1 --cert c --key k --cafile a --require-certificate --use-identity-as-username --allow-anonymous=false --acl-file a": "",
	} {
		c, _, err := Parse(strings.Fields(args))
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		if got := strings.Join(c.Warnings, "\n"); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: warnings %q, want %q", args, got, want)
		}
	}
}

func TestStateFolder(t *testing.T) {
	for _, c := range [][4]string{
		{"/a:/b", "/x", "/h", "/a"}, {"", "/x", "/h", "/x/mqttcore-broker"}, {"", "relative", "/h", "/h/.local/state/mqttcore-broker"},
		{"", "", "/h", "/h/.local/state/mqttcore-broker"}, {"", "", "", ""},
	} {
		t.Setenv("STATE_DIRECTORY", c[0])
		t.Setenv("XDG_STATE_HOME", c[1])
		t.Setenv("HOME", c[2])
		if got := stateFolder(); got != c[3] {
			t.Errorf("%q: %s", c, got)
		}
	}
}
