// Package programtest builds the programs of this module and runs them, for
// tests. Everything waits with a deadline, nothing sleeps blindly.
package programtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	// The programs are made of it, so tests of the programs depend on it.
	_ "github.com/mqttcore/mqttcore/session/broker"
)

// Limit is the time in which anything that a test waits for has to come, however
// busy the machine is. A test that waits so long has failed.
const Limit = 2 * time.Minute

const module = "github.com/mqttcore/mqttcore/examples"

var folder string // of the programs

// Main builds the programs, runs the tests and returns the exit code, for
// TestMain. Where MQTTCORE_PROGRAMS names the folder of programs that were just
// built, those are used.
func Main(m *testing.M) int {
	if folder = os.Getenv("MQTTCORE_PROGRAMS"); folder != "" {
		return m.Run()
	}
	var err error
	if folder, err = os.MkdirTemp("", "mqttcore-programs-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	args := []string{"build", "-o", folder + string(filepath.Separator)}
	for _, name := range []string{"broker", "publish", "subscribe", "request", "resume", "inspect"} {
		args = append(args, module+"/"+name)
	}
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go %s: %v\n%s", strings.Join(args, " "), err, out)
		return 1
	}
	return m.Run()
}

// lookAtSources looks at every source file of the programs, so that the go
// tool, which keeps track of the files that a test looks at, runs the test again
// when one of them has changed.
var lookAtSources = sync.OnceValue(func() error {
	return filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && d.Name() != "..":
			return filepath.SkipDir
		case !d.IsDir() && filepath.Ext(path) == ".go" && !strings.HasSuffix(path, "_test.go"):
			_, err = os.Stat(path)
		}
		return err
	})
})

// Process is a running program.
type Process struct {
	t      testing.TB
	cmd    *exec.Cmd
	name   string
	Stdout *Output
	Stderr *Output
	ended  chan struct{}
	err    error
}

// Start starts one of our programs, or another one if name has a path or is
// found in PATH alone. It is killed at the end of the test.
func Start(t testing.TB, stdin io.Reader, name string, args ...string) *Process {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	p := &Process{t: t, cmd: exec.Command(path(name), args...), name: name, Stdout: newOutput(), Stderr: newOutput(), ended: make(chan struct{})}
	// Option files and brokers' state of whoever runs the tests stay out of them.
	p.cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+folder, "XDG_STATE_HOME="+t.TempDir(), "STATE_DIRECTORY=")
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, p.Stdout, p.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		p.Stdout.close()
		p.Stderr.close()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it may have ended
		<-p.ended
		if t.Failed() {
			t.Logf("%s %s\nstandard error:\n%s", name, strings.Join(args, " "), p.Stderr.tail())
		}
	})
	return p
}

// path returns where one of our programs is, or the name of another one.
func path(name string) string {
	if ours := filepath.Join(folder, name); folder != "" {
		if _, err := os.Stat(ours); err == nil {
			return ours
		}
	}
	return name
}

// Signal sends the process a signal, unless it has ended.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// PID returns the number of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended reports whether the process has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait returns the exit code once the process has ended, -1 after a signal.
func (p *Process) Wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(limit):
		p.t.Fatalf("%s still runs after %v", p.name, limit)
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.t.Fatal(p.err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// Success waits for the end, demands exit code 0 and returns the standard
// output.
func (p *Process) Success() []byte {
	p.t.Helper()
	if code := p.Wait(Limit); code != 0 {
		p.t.Fatalf("%s %s: exit code %d: %s", p.name, strings.Join(p.cmd.Args[1:], " "), code, p.Stderr.tail())
	}
	return p.Stdout.Bytes()
}

// Run runs a program to its successful end and returns what it printed.
func Run(t testing.TB, stdin io.Reader, name string, args ...string) []byte {
	t.Helper()
	return Start(t, stdin, name, args...).Success()
}

// Subscriber starts our subscribe and waits until it has subscribed.
func Subscriber(t testing.TB, args ...string) *Process {
	t.Helper()
	p := Start(t, nil, "subscribe", append([]string{"-d"}, args...)...)
	p.Stderr.Await(t, "received SUBACK")
	return p
}

var listening = regexp.MustCompile(`listens on 127\.0\.0\.1:(\d+)`)

// Broker starts our broker on a free port, which it returns.
func Broker(t testing.TB, args ...string) (p *Process, port string) {
	t.Helper()
	p = Start(t, nil, "broker", append([]string{"-p", "0"}, args...)...)
	return p, p.Port(t)
}

// LimitedBroker starts our broker with a limit of open files. See Port.
func LimitedBroker(t testing.TB, files int, args ...string) *Process {
	t.Helper()
	shell := []string{"-c", `ulimit -n "$0" && exec "$@"`, strconv.Itoa(files), path("broker"), "-p", "0"}
	return Start(t, nil, "sh", append(shell, args...)...)
}

// Port returns where a broker listens that was started with -p 0.
func (p *Process) Port(t testing.TB) string {
	t.Helper()
	p.Stdout.Await(t, "Ctrl-C")
	m := listening.FindSubmatch(p.Stdout.Bytes())
	if m == nil {
		t.Fatalf("the broker said %q", p.Stdout.Bytes())
	}
	return string(m[1])
}

// Output collects what a process writes.
type Output struct {
	mu      sync.Mutex
	data    []byte
	changed chan struct{} // closed at the next change
	closed  bool
}

func newOutput() *Output { return &Output{changed: make(chan struct{})} }

func (o *Output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, b...)
	o.change()
	return len(b), nil
}

func (o *Output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	o.change()
}

func (o *Output) change() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// Bytes returns what was written so far.
func (o *Output) Bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.data)
}

func (o *Output) tail() []byte {
	b := o.Bytes()
	return b[max(0, len(b)-2000):]
}

// Await waits until the output contains a text.
func (o *Output) Await(t testing.TB, text string) {
	t.Helper()
	o.AwaitCount(t, text, 1)
}

// AwaitCount waits until the output contains a text so many times.
func (o *Output) AwaitCount(t testing.TB, text string, n int) {
	t.Helper()
	limit := time.After(Limit)
	for {
		o.mu.Lock()
		found, closed, changed := bytes.Count(o.data, []byte(text)) >= n, o.closed, o.changed
		o.mu.Unlock()
		switch {
		case found:
			return
		case closed:
			t.Fatalf("the process ended without %q in %q", text, o.tail())
		}
		select {
		case <-changed:
		case <-limit:
			t.Fatalf("no %q within %v in %q", text, Limit, o.tail())
		}
	}
}
