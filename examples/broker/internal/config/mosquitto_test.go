package config

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// stricter are texts that mosquitto 2.0.11 takes and we do not, and why.
var stricter = map[string]string{
	"max_qos 1 2":                               "more than one value",
	"persistence true false":                    "more than one value",
	"protocol mqtt websockets":                  "more than one value",
	"log_dest stdout x":                         "more than one value",
	"listener 1 a b":                            "more than one address",
	"max_qos 1.0":                               "no number",
	"max_qos x":                                 "no number",
	"max_queued_messages 1k":                    "no number",
	"max_inflight_messages -1":                  "out of range",
	"max_queued_bytes -1":                       "out of range",
	"max_inflight_bytes -1":                     "out of range",
	"max_connections -2":                        "out of range",
	"ciphers HIGH":                              "several ciphers",
	"ciphers X-Y":                               "no cipher",
	"tls_version tlsv1.1":                       "not safe any more",
	"tls_version 1.3":                           "no version",
	"persistence_file a/b":                      "no name of a file",
	"persistence_file ..":                       "no name of a file",
	"mount_point a\x00":                         "not for MQTT",
	"mount_point a":                             "half of a level",
	"mount_point $SYS/":                         "the broker's own",
	"mount_point $share/g/":                     "a shared subscription",
	"listener 1\ncertfile a":                    "half of TLS",
	"listener 1\nkeyfile a":                     "half of TLS",
	"listener 1\ncafile a":                      "half of TLS",
	"listener 1\nrequire_certificate true":      "half of TLS",
	secure + "require_certificate true":         "no authority",
	secure + "use_identity_as_username true":    "no certificate",
	secure + "use_subject_as_username true":     "no certificate",
	secure + "crlfile a":                        "no certificate",
	"listener 7\nmax_qos 1\nlistener 7":         "twice",
	"persistent_client_expiration 99999999999y": "out of range",
}

// newer are keys of mosquitto 2.1, which 2.0 does not know.
var newer = []string{"accept_protocol_versions", "global_max_connections", "global_max_clients", "websockets_origin"}

// mosquitto takes and refuses the same files, but for what is listed.
func TestAgainstMosquitto(t *testing.T) {
	if os.Getenv("MQTTCORE_INTEROP") != "1" {
		t.Skip("set MQTTCORE_INTEROP=1 to test against mosquitto")
	}
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Fatalf("mosquitto is not installed: %v", err)
	}
	// It ends when it has read everything, as it cannot open the first listener.
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	file := filepath.Join(t.TempDir(), "conf")
	texts := someTexts()
	for _, text := range texts {
		if err := os.WriteFile(file, []byte(fmt.Sprintf("listener %s 127.0.0.1\n%s\n", port, text)), 0o600); err != nil {
			t.Fatal(err)
		}
		p := programtest.Start(t, nil, "mosquitto", "-c", file)
		p.Wait(programtest.Limit)
		theirs := strings.Contains(string(p.Stderr.Bytes()), "Error found at")
		ours := mistakes(text) != ""
		if strings.Contains(text, "\t") { // a blank here alone
			text = strings.ReplaceAll(text, "\t", "")
			if !theirs || mistakes(text) != "" {
				t.Errorf("%q: refused by mosquitto: %v; by us: %s", text, theirs, mistakes(text))
			}
		} else if why := stricter[text]; why != "" {
			if theirs || !ours {
				t.Errorf("%q is in the list for %s: refused by mosquitto: %v; by us: %v", text, why, theirs, ours)
			}
		} else if theirs != ours {
			t.Errorf("%q: refused by mosquitto: %v; by us: %v %s", text, theirs, ours, mistakes(text))
		}
	}
	t.Logf("%d files, %d of them taken by mosquitto alone", len(texts), len(stricter))
}

// someTexts are those of the other tests that mosquitto 2.0 can know.
func someTexts() (all []string) {
	for _, cases := range keyCases {
		for _, c := range cases {
			all = append(all, c.text)
		}
	}
	for _, texts := range wrongValues {
		all = append(all, texts...)
	}
	for name, value := range unless {
		all = append(all, name+" "+value)
	}
	all = append(all, "listner 1", "Persistence true", "x", "# x", "user nobody", "autosave_interval 5", "log_timestamp true", "retry_interval 5")
	known := all[:0]
next:
	for _, text := range all {
		for _, name := range append(newer, "enable_", "disable_", "internal") {
			if strings.Contains(text, name) {
				continue next
			}
		}
		known = append(known, text)
	}
	return known
}
