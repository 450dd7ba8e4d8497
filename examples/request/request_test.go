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
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	for args, want := range map[string]string{
		"-e b -m x":                "add -t",
		"-t a -m x":                "add -e",
		"-t a -e b":                "add one of -m",
		"-t a -e b -m x -n":        "exclude each other",
		"-t a/# -e b -m x":         `-t "a/#" is no topic`,
		"-t a -e + -m x":           `-e "+" is no topic`,
		"-t a -e b -m x -W 0":      "-W takes",
		"-t a -e b -m x -C 1":      "go with --respond",
		"-t a -e b --exec x":       "go with --respond",
		"--respond -t a# ":         `-t "a#" is no topic filter`,
		"--respond -t a -V 311":    "add -e",
		"--respond -t a -C 0":      "-C takes",
		"--respond -t a -R":        "are for requests",
		"-t a -e b -m x -F %z":     "no field %z",
		"-t a -e b -m x -L http:/": "use mqtt://",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}
