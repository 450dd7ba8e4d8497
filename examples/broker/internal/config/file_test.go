package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMain(m *testing.M) {
	os.Setenv("STATE_DIRECTORY", "/state") // whoever runs the tests
	os.Exit(m.Run())
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "\n\n# nothing", "\r\n"} {
		c := parsed(t, text)
		want := Default()
		c.Listeners[0].from = ""
		if !reflect.DeepEqual(c, want) {
			t.Errorf("%+v, want %+v", c, want)
		}
	}
}

func TestExample(t *testing.T) {
	c, err := readFile("testdata/example.conf")
	if err != nil {
		t.Fatal(err)
	}
	c.warn()
	var got []string
	for _, l := range c.Listeners {
		got = append(got, l.Network+" "+l.Address)
	}
	if want := []string{"tcp 192.168.1.10:1883", "tcp :8883", "tcp 127.0.0.1:8080", "unix /run/mosquitto/mosquitto.sock"}; !slices.Equal(got, want) {
		t.Errorf("listeners %q", got)
	}
	tls := *c.Listeners[1].TLS
	if want := (TLS{CAFile: "/etc/mosquitto/ca_certificates/ca.crt", CertFile: "/etc/mosquitto/certs/server.crt", KeyFile: "/etc/mosquitto/certs/server.key",
		CRLFile: "/etc/mosquitto/certs/revoked.crl", RequireCertificate: true, UseIdentityAsUsername: true, MinVersion: newTLS().MinVersion}); tls != want {
		t.Errorf("TLS %+v", tls)
	}
	if a := c.Listeners[2].Access; *a != (Access{PasswordFile: "/etc/mosquitto/web.passwd", AllowZeroLengthClientID: true, AutoIDPrefix: "web-"}) {
		t.Errorf("the web page: %+v", a)
	}
	want := []string{
		"12: autosave_interval has no effect", "21: log_timestamp has no effect", "24: pid_file has no effect", "25: user has no effect",
		"43: 192.168.1.10:1883 is open to everybody", "43: the rules of /etc/mosquitto/house.acl for users protect nothing",
	}
	if len(c.Warnings) != len(want) {
		t.Errorf("warnings %q", c.Warnings)
	}
	for i, w := range want {
		if i < len(c.Warnings) && !strings.HasPrefix(c.Warnings[i], "testdata/example.conf:"+w) {
			t.Errorf("warning %q, want %q", c.Warnings[i], w)
		}
	}
}

// What stands before the first listener is about one on port 1883.
func TestDefaultListener(t *testing.T) {
	for text, want := range map[string]string{
		"port 1884":                                   ":1884 2",
		"bind_address ::1":                            "[::1]:1883 2",
		"maximum_qos 1":                               ":1883 1",
		"maximum_qos 1\nlistener 1884":                ":1883 1, :1884 2",
		"listener 1884\nmaximum_qos 1\nport 1885":     ":1885 2, :1884 1",
		"maximum_qos 2\nprotocol mqtt\nlistener 1884": ":1884 2",
		"max_connections -1\nrequire_certificate false\ntls_version tlsv1.2\nlistener 1884": ":1884 2",
		"set_tcp_nodelay false\nallow_anonymous true\nlistener 1884":                        ":1884 2",
	} {
		c := parsed(t, text)
		var got []string
		for _, l := range c.Listeners {
			got = append(got, l.Address+" "+string('0'+l.MaximumQoS))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%q: %s, want %s", text, s, want)
		}
		warned := strings.Contains(strings.Join(c.Warnings, "\n"), "port 1883 is opened too")
		if hidden := strings.HasPrefix(text, "maximum_qos 1"); warned != hidden {
			t.Errorf("%q: warnings %q", text, c.Warnings)
		}
	}
}

// With per_listener_settings, what stands before the first listener may be lost.
func TestLostSecurity(t *testing.T) {
	for text, want := range map[string]bool{
		"per_listener_settings true\npassword_file a\nlistener 1":         true,
		"per_listener_settings true\nallow_anonymous false\nlistener 1":   true,
		"per_listener_settings true\nlistener 1\nallow_anonymous false":   false,
		"per_listener_settings true\npassword_file a\nport 1\nlistener 2": false,
		"per_listener_settings true\npassword_file a":                     false,
		"password_file a\nlistener 1":                                     false,
	} {
		c := parsed(t, text)
		if got := strings.Contains(strings.Join(c.Warnings, "\n"), "security settings before the first listener"); got != want {
			t.Errorf("%q: warnings %q", text, c.Warnings)
		}
	}
}

func TestIncludeDir(t *testing.T) {
	c := parsed(t, "listener 1885\ninclude_dir testdata/conf.d\nmount_point a/\nmaximum_qos 2")
	var got []string
	for _, l := range c.Listeners {
		got = append(got, l.Address+" "+string('0'+l.MaximumQoS)+l.MountPoint)
	}
	if s := strings.Join(got, ", "); s != ":1883 1, :1885 2a/, 127.0.0.1:1884 0" {
		t.Error(s)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{"a.conf": "x y\ninclude_dir .", "b.conf": "acl_file a\n", "c.txt": "z"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(folder, "d.conf"), 0o700); err != nil {
		t.Fatal(err)
	}
	got = strings.Split(mistakes("acl_file b\ninclude_dir "+folder+"\nmax_qos 9"), "\n")
	want := []string{
		folder + "/a.conf:1: there is no key x",
		folder + "/a.conf:2: include_dir .: only the file of -c may include others",
		folder + "/b.conf:1: acl_file a: it is set already, by f:1",
		"the configuration file " + folder + "/d.conf cannot be read: is a directory",
		"f:3: max_qos 9",
	}
	for i, w := range want {
		if i >= len(got) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("%q, want %q", got, want)
		}
	}
}

func TestKnownKeys(t *testing.T) {
	for text, want := range map[string]string{
		"bridge_anything x":        "no bridges",
		"topic # out":              "no bridges",
		"auth_opt_db x":            "no plugins",
		"plugin /x.so":             "no plugins",
		"psk_hint x":               "no pre-shared keys",
		"ciphers_tls1.3 a":         "ciphers of TLS 1.3",
		"memory_limit 5":           "set GOMEMLIMIT",
		"queue_qos0_messages true": "queue_qos0_messages is not supported here; leave it out or set it to false",
		"persistance true":         "there is no key persistance; is it persistence?",
		"Persistence true":         "is it persistence?",
		"password-file x":          "is it password_file?",
		"maxqos 1":                 "is it max_qos?",
		"colour red":               "there is no key colour; config.md lists all",
		"x":                        "there is no key x; config.md",
	} {
		if got := mistakes(text); !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for name := range idle {
		if c := parsed(t, name+" x"); len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], "f:1: "+name+" has no effect here: ") {
			t.Errorf("%s: warnings %q", name, c.Warnings)
		}
	}
	for name, value := range unless {
		if c := parsed(t, name+" "+value); len(c.Warnings) != 0 {
			t.Errorf("%s: warnings %q", name, c.Warnings)
		}
	}
}

// What is said about each key that asks for something that does not exist here is
// a sentence: this is all of it, for a person to read.
func TestAbsentKeys(t *testing.T) {
	want := map[string]string{
		"connection":                    "there are no bridges here; another broker may connect to this one, see mosquitto.md",
		"auth_plugin":                   "there are no plugins here",
		"psk_file":                      "there are no pre-shared keys here",
		"ciphers_tls1.3":                "the ciphers of TLS 1.3 cannot be chosen, as Go takes all three",
		"tls_engine":                    "keys are read from files, not from an engine",
		"http_dir":                      "no files are served over HTTP",
		"bind_interface":                "a listener has an address, not an interface",
		"clientid_prefixes":             "client identifiers may begin with anything",
		"memory_limit":                  "the broker does not limit its own memory; set GOMEMLIMIT in its environment",
		"proxy_protocol_v2_require_tls": "the PROXY protocol is not spoken here",
		"listener_allow_anonymous":      "with per_listener_settings true, allow_anonymous and auto_id_prefix are those of one listener",
		"retain_expiry_interval":        "the broker itself sets no expiry of retained messages",
	}
	for why, names := range absent {
		if want[names[0]] != why {
			t.Errorf("%s: %s", names[0], why)
		}
		for _, name := range names {
			want := "f:1: " + name + " is not supported: " + want[names[0]] + "; leave it out"
			if got := mistakes(name + " x"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		}
	}
}

// No key is in two tables, and config.md has them all, each in a row of its own.
func TestEveryKeyOnce(t *testing.T) {
	data, err := os.ReadFile("config.md")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for name := range keys {
		count[name]++
	}
	for name := range idle {
		count[name]++
	}
	for name := range unless {
		count[name]++
	}
	for _, names := range absent {
		for _, name := range names {
			count[name]++
		}
	}
	for name, n := range count {
		if n != 1 {
			t.Errorf("%s is in %d tables", name, n)
		}
		name = strings.Replace(name+"`", "_`", "_…`", 1)
		if !strings.Contains(string(data), "`"+name) {
			t.Errorf("config.md lacks %s", name)
		}
	}
}

func TestMissingFile(t *testing.T) {
	if _, err := readFile("/nowhere"); err == nil || err.Error() != "the configuration file /nowhere cannot be read: no such file or directory" {
		t.Error(err)
	}
}

// The parser takes anything, says where what it does not like is, and what it
// takes has listeners that can be opened.
func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/example.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, cases := range keyCases {
		for _, c := range cases {
			f.Add(c.text)
		}
	}
	f.Add("listener 0\nlistener 0 #\nlistener 1 #\n\x00\xff\nmax_qos\t\r\nlistener 1 a #b\nconnection\nlog_dest  ")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include_dir") {
			return // the files of this machine are not ours to read
		}
		c, errs := parse(Line{File: "f"}, Lines("f", text))
		for _, err := range append(errs, c.check()...) {
			if s := err.Error(); !strings.HasPrefix(s, "f:") {
				t.Errorf("an error without a place: %s", s)
			}
		}
		if len(c.Listeners) == 0 {
			t.Error("no listener")
		}
		c.warn()
		for _, l := range c.Listeners {
			if l.Access == nil || l.Address == "" || l.MaximumQoS > 2 || l.MaxConnections < 0 {
				t.Errorf("%+v", l)
			}
		}
	})
}

// A byte order mark is no part of the first line, and what is no text of a sensible
// size is an error that says so.
func TestReadLines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for text, want := range map[string]string{
		"\ufefflistener 1883\r\n":   "",
		"\xff\xfel\x00i\x00":        "it is UTF-16; save it as UTF-8",
		"\xfe\xff\x00l\x00i":        "it is UTF-16; save it as UTF-8",
		strings.Repeat("#", 65<<20): "there are more than 64 MiB in it",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, err := ReadLines("file", file)
		if want == "" {
			if err != nil || len(lines) != 1 || lines[0].Text != "listener 1883" {
				t.Errorf("%.20q: %v, %v", text, lines, err)
			}
		} else if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%.20q: error %v, want %s", text, err, want)
		}
	}
}
