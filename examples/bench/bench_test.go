package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) { os.Exit(programtest.Main(m)) }

// bench1 runs the program inside the test.
func bench1(t *testing.T, args string) (*report, error) {
	t.Helper()
	var out, complaints bytes.Buffer
	env := &cli.Env{Name: "bench", Args: append(strings.Fields(args), "--json"), Stdout: &out, Stderr: &complaints}
	ctx, cancel := context.WithTimeout(context.Background(), programtest.Limit)
	defer cancel()
	err := run(ctx, env)
	if complaints.Len() > 0 {
		t.Errorf("%s: %s", args, complaints.Bytes())
	}
	r := new(report)
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), r); err != nil {
			t.Fatal(err)
		}
	}
	return r, err
}

// Every message is received as often as there are receivers.
func TestRuns(t *testing.T) {
	_, port := programtest.Broker(t)
	for _, tt := range []struct {
		args             string
		sent, received   int64
		acknowledged     bool
		latency, fetched bool
	}{
		{args: "-n 5000", sent: 5000, received: 5000, latency: true},
		{args: "-n 5000 -V 311 --size 16", sent: 5000, received: 5000, latency: true},
		{args: "-n 5000 -q 1", sent: 5000, received: 5000, acknowledged: true, latency: true},
		{args: "-n 5000 -q 2 -V 311", sent: 5000, received: 5000, acknowledged: true, latency: true},
		{args: "-n 5000 -q 2 --window 7", sent: 5000, received: 5000, acknowledged: true, latency: true},
		{args: "-n 100 --size 100000", sent: 100, received: 100, latency: true},
		{args: "-n 100 --window 1", sent: 100, received: 100, latency: true},
		{args: "-n 500 --publishers 9 -q 1", sent: 4500, received: 4500, acknowledged: true, latency: true},
		{args: "-n 100 --subscribers 20 --window 10", sent: 100, received: 2000, latency: true},
		{args: "-n 100 --publishers 5 --subscribers 5 --split -q 1", sent: 500, received: 500, acknowledged: true, latency: true},
		{args: "-n 500 --publishers 2 --subscribers 4 --share -q 1", sent: 1000, received: 1000, acknowledged: true, latency: true},
		{args: "-n 500 --subscribers 0 -q 1", sent: 500, acknowledged: true},
		{args: "-n 500 --subscribers 2 -q 1 --durable", sent: 500, received: 1000, acknowledged: true, latency: true},
		{args: "-n 3000 --subscribers 2 -q 1 --offline", sent: 3000, received: 6000, acknowledged: true, latency: true, fetched: true},
		{args: "-n 3000 -q 2 --offline -V 311", sent: 3000, received: 3000, acknowledged: true, latency: true, fetched: true},
		{args: "-n 50 -r --topics 3", sent: 50, received: 50, latency: true},
		{args: "-n 20 --rate 1000 --publishers 3", sent: 60, received: 60, latency: true},
	} {
		r, err := bench1(t, tt.args+" -p "+port)
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		acknowledged := tt.sent
		if !tt.acknowledged {
			acknowledged = 0
		}
		if r.Sent != tt.sent || r.Received != tt.received || r.Acknowledged != acknowledged || r.Lost+r.Twice+r.OutOfOrder+r.Foreign+r.Refused != 0 {
			t.Errorf("%s: %+v", tt.args, r)
		}
		if (r.Latency != nil) != tt.latency || (r.AckLatency != nil) != tt.acknowledged || (r.FetchedPerSecond > 0) != tt.fetched {
			t.Errorf("%s: latency %v, of acknowledgements %v, fetched %v", tt.args, r.Latency, r.AckLatency, r.FetchedPerSecond)
		}
	}
	// Nothing is left behind: no retained message, no session.
	if r, err := bench1(t, "-n 1 --topics 1 --size 20 -t bench -p "+port); err != nil || r.Foreign != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestTransports(t *testing.T) {
	_, port := programtest.Broker(t)
	certificates := programtest.Certificates(t)
	server := programtest.ServerTLS(t, certificates, "server", false)
	for _, args := range []string{
		"-h 127.0.0.1 -p " + programtest.Front(t, port, server) + " --cafile " + certificates + "/ca.pem",
		"-L ws://127.0.0.1:" + programtest.WebSocketFront(t, port, nil) + "/mqtt",
		"--unix " + programtest.UnixFront(t, port),
	} {
		if r, err := bench1(t, "-n 50 -q 2 "+args); err != nil || r.Received != 50 || r.Lost+r.Twice != 0 {
			t.Errorf("%s: %+v, error %v", args, r, err)
		}
	}
}

// A run of some time measures the time after the warm-up, and another process.
func TestDuration(t *testing.T) {
	_, port := programtest.Broker(t)
	programtest.Patiently(t, 200*time.Millisecond, func(d time.Duration) error {
		r, err := bench1(t, fmt.Sprint("--warm-up 50ms --duration ", d, " --pid ", os.Getpid(), " -p ", port))
		if err != nil || r.Seconds < d.Seconds() || r.SentPerSecond <= 0 || r.ReceivedPerSecond <= 0 || float64(r.Sent) < r.SentPerSecond*r.Seconds {
			return fmt.Errorf("%+v %v", r, err)
		}
		if u := r.Process; u == nil || u.CPUSeconds <= 0 || u.MicrosPerCopy <= 0 || u.MemoryAfter < 1<<20 {
			return fmt.Errorf("%+v", u)
		}
		return nil
	})
	if r, err := bench1(t, "--publishers 0 --subscribers 50 --split --duration 50ms -p "+port); err != nil || r.Topics != 50 || r.Received != 0 {
		t.Errorf("%+v %v", r, err)
	}
}

func TestPrint(t *testing.T) {
	_, port := programtest.Broker(t)
	var out bytes.Buffer
	env := &cli.Env{Name: "bench", Args: []string{"-q1", "-n", "2000", "-p", port, "--pid", strconv.Itoa(os.Getpid())}, Stdout: &out, Stderr: &out}
	if err := run(context.Background(), env); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"QoS 1, 64 bytes", " sent 2,000", "acknowledged 2,000", "until acknowledged", "lost 0, twice 0", "processor time"} {
		if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// Whatever a broker does wrong is counted, and ends the program with a code.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		args  string
		fault func(n int) (copies int, late bool)
		code  int
		want  report
	}{
		{"-n 100 -q 1", func(n int) (int, bool) { return min(1, n%10), false }, exitWrong, report{Lost: 10, Received: 90}},
		{"-n 100 -q 2", func(n int) (int, bool) { return 1 + max(0, n-98), false }, exitWrong, report{Twice: 1, Received: 101}},
		{"-n 100 -q 1", func(n int) (int, bool) { return 2, false }, 0, report{Twice: 100, Received: 200}},
		{"-n 100 -q 1", func(n int) (int, bool) { return 1, n == 50 }, exitWrong, report{OutOfOrder: 1, Received: 100}},
		{"-n 100", func(n int) (int, bool) { return min(1, n%10), false }, 0, report{Lost: 10, Received: 90}},
		{"-n 100", func(n int) (int, bool) { return min(1, max(0, 95-n)), false }, 0, report{Lost: 5, Received: 95}},
		{"-n 100 --window 1", func(n int) (int, bool) { return min(1, n%60), false }, 0, report{Lost: 2, Received: 98}},
	} {
		fake, port := newFake(t)
		fake.fault = tt.fault
		r, err := bench1(t, tt.args+" -p "+port)
		var f *cli.Failure
		code := 0
		if errors.As(err, &f) {
			code = f.Code
		}
		if code != tt.code || r.Lost != tt.want.Lost || r.Twice != tt.want.Twice || r.OutOfOrder != tt.want.OutOfOrder || r.Received != tt.want.Received {
			t.Errorf("%s: %d %v, %+v, want %d %+v", tt.args, code, err, r, tt.code, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	var f *cli.Failure
	if _, err := bench1(t, "-p 1"); !errors.As(err, &f) || f.Code != cli.ExitUnreachable {
		t.Errorf("error %v", err)
	}
	if _, err := bench1(t, "--pid 999999999"); !errors.As(err, &f) || f.Code != cli.ExitUsage {
		t.Errorf("error %v", err)
	}
	fake, port := newFake(t)
	fake.fault = func(n int) (int, bool) { return 1 - 2*(n/50), false }
	r, err := bench1(t, "-n 100 -p "+port)
	if !errors.As(err, &f) || f.Code != cli.ExitLost || !strings.Contains(f.Text, "client bench-") || r.Received != 50 {
		t.Errorf("%+v, error %v", r, err)
	}
}

// Connections on which nothing happens stay alive.
func TestPing(t *testing.T) {
	f, port := newFake(t)
	programtest.Patiently(t, 1100*time.Millisecond, func(d time.Duration) error {
		if _, err := bench1(t, fmt.Sprint("--publishers 0 -k 1 --duration ", d, " -p ", port)); err != nil || f.pings.Load() == 0 {
			return fmt.Errorf("%d pings, error %v", f.pings.Load(), err)
		}
		return nil
	})
}
