package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                  "add -t",
		"-t a#":                             `-t "a#" is no topic filter`,
		"-t a -T b#":                        `-T "b#" is no topic filter`,
		"-U +a":                             `-U "+a" is no topic filter`,
		"-t $share/g":                       "is no topic filter",
		"-t a -C 0":                         "-C takes",
		"-t a -W 0":                         "-W takes",
		"-t a -W -1":                        "-W takes",
		"-t a --random-filter 0":            "percentage from 0.1 to 100",
		"-t a --random-filter 100.1":        "percentage from 0.1 to 100",
		"-t a --random-filter x":            "use a number",
		"-t a -F %z":                        "no field %z",
		"-t a -R --retained-only":           "exclude each other",
		"-t a --retain-as-published -V 311": "needs MQTT 5",
		"-t a -D publish content-type x":    "nothing of that kind",
		"-t a -D subscribe subscription-identifier 0": "0 is not allowed",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}
