//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

// compare runs the program inside the test.
func compare(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(context.Background(), &cli.Env{Name: "compare", Args: args, Stdout: &out, Stderr: &out})
	return out.String(), err
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"--rounds 0":       "--rounds takes",
		"--duration 1ms":   "--duration takes",
		"--only (":         "--only (",
		"--only ^nothing$": "matches no case",
		"-x":               "no flag",
		"--against broker": "{port}",
	} {
		var f *cli.Failure
		if _, err := compare(t, append(strings.Fields(args), "--ours")...); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}

// Every kind of case gives a number for our broker.
func TestOurs(t *testing.T) {
	args := []string{"--ours", "--rounds", "1", "--only", "v5.0 QoS 1, one|kept"}
	if _, err := find("mosquitto"); err == nil && os.Getenv("MQTTCORE_INTEROP") != "" {
		args = args[1:]
	}
	programtest.Patiently(t, 200*time.Millisecond, func(d time.Duration) error {
		out, err := compare(t, append(args, "--duration", d.String())...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{`one to one +\| +\d+\.\d\d \|`, `one at a time +\| +[\d,]+ µs \|`, `subscriber there +\| +[\d,]+/s \|`, `subscriber away +\| +[\d,]+/s \|`} {
			if !regexp.MustCompile(want).MatchString(out) {
				return fmt.Errorf("no %s in\n%s", want, out)
			}
		}
		return nil
	})
}

func TestTable(t *testing.T) {
	about := func(cpu, p50, acked, memory float64) (r report) {
		r.Process.PerMessage, r.Process.PerConnection, r.AcknowledgedPerSecond = cpu, memory, acked
		r.Latency = &struct {
			P50 float64 `json:"p50"`
			P99 float64 `json:"p99"`
		}{P50: p50}
		return r
	}
	lost := about(1, 1, 1, 1)
	lost.Lost = 3
	for _, tt := range []struct {
		test         test
		ours, theirs []report
		want         string // some cells
	}{
		{test{limit: .25, aim: .125}, []report{about(9, 0, 0, 0), about(1, 0, 0, 0), about(2, 0, 0, 0)}, []report{about(10, 0, 0, 0)}, "2.00 10.00 0.200 met"},
		{test{limit: .25, aim: .125}, []report{about(1, 0, 0, 0)}, []report{about(10, 0, 0, 0)}, "1.00 10.00 0.100 met, and the aim"},
		{test{limit: .25}, []report{about(2, 0, 0, 0), about(4, 0, 0, 0)}, []report{about(10, 0, 0, 0)}, "3.00 10.00 0.300 NOT MET"},
		{test{limit: .25}, []report{lost}, []report{about(10, 0, 0, 0)}, "1.00 10.00 0.100 LOST 3"},
		{test{limit: .25}, []report{about(2, 0, 0, 0)}, nil, "2.00 — — —"},
		{test{}, []report{about(2, 0, 0, 0)}, []report{about(1, 0, 0, 0)}, "2.00 1.00 2.000 —"},
		{test{kind: oneByOne, limit: 1.5}, []report{about(0, 14, 0, 0)}, []report{about(0, 10, 0, 0)}, "14 µs 10 µs 1.400 met"},
		{test{kind: oneByOne, limit: 1.5}, []report{about(0, 16, 0, 0)}, []report{about(0, 10, 0, 0)}, "16 µs 10 µs 1.600 NOT MET"},
		{test{kind: stored, limit: 20000}, []report{about(0, 0, 19999, 0)}, nil, "19,999/s — — NOT MET"},
		{test{kind: stored, limit: 20000}, []report{about(0, 0, 1234567, 0)}, nil, "1,234,567/s — — met"},
		{test{kind: idle, limit: 8192, aim: 2048}, []report{about(0, 0, 0, 8193)}, nil, "8,193 B — — NOT MET"},
		{test{kind: idle, limit: 8192, aim: 2048}, []report{about(0, 0, 0, 1000)}, nil, "1,000 B — — met, and the aim"},
	} {
		var out bytes.Buffer
		printTable(&out, []*row{{&tt.test, tt.ours, tt.theirs}}, "theirs")
		cells := strings.Split(strings.Split(out.String(), "\n")[2], "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if got := strings.Join(append(cells[2:5:5], cells[6]), " "); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

// The names of cases are different, and each has something to measure.
func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range cases(&options{duration: time.Second}) {
		if seen[c.name] || len(c.args) == 0 {
			t.Errorf("%+v", c)
		}
		seen[c.name] = true
	}
}
