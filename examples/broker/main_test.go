package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const limit = programtest.Limit

// output is what the program prints.
type output struct {
	mu      sync.Mutex
	buf     bytes.Buffer
	printed func() // is called first, if it is there
}

func (o *output) Write(p []byte) (int, error) {
	if o.printed != nil {
		o.printed()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// await polls until a text has been printed.
func (o *output) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(limit); !strings.Contains(o.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in:\n%s", text, o)
		}
	}
}

// program is the whole program inside a test.
type program struct {
	stdout, stderr output
	stop           func() error
}

// start runs the program until stop or the end of the test.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	return new(program).start(t, args...)
}

func (p *program) start(t *testing.T, args ...string) *program {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	env := &cli.Env{Name: "broker", Args: args, Stdin: strings.NewReader(""), Stdout: &p.stdout, Stderr: &p.stderr}
	go func() { ended <- run(ctx, env) }()
	p.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(limit):
			return errors.New("the program does not end")
		}
	})
	t.Cleanup(func() {
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// address returns where the program listens first.
func (p *program) address(t *testing.T) string {
	t.Helper()
	p.stdout.await(t, "Ctrl-C")
	_, rest, _ := strings.Cut(p.stdout.String(), "listens on ")
	address, _, _ := strings.Cut(rest, " ")
	return address
}

func TestStart(t *testing.T) {
	folder := t.TempDir()
	p := start(t, "-p", "0", "--folder", folder, "--metrics", "127.0.0.1:0")
	c, err := net.Dial("tcp", p.address(t))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for _, want := range []string{
		" for MQTT 5 and 3.1.1, open to everybody who can reach it\n",
		"kept in " + filepath.Join(folder, "store") + "\n",
		"mosquitto_sub -p ",
	} {
		if !strings.Contains(p.stdout.String(), want) {
			t.Errorf("no %q in:\n%s", want, &p.stdout)
		}
	}
	if !strings.Contains(p.stderr.String(), "metrics and health are served") {
		t.Errorf("the log says:\n%s", &p.stderr)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	// Again, with what is there.
	p = start(t, "-p", "0", "--folder", folder)
	p.address(t)
}

// Several listeners, one of them open to nobody but users.
func TestWelcome(t *testing.T) {
	folder := t.TempDir()
	users, socket := filepath.Join(folder, "users"), filepath.Join(folder, "socket")
	if err := access.SetPassword(users, "ann", "secret", 1); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--memory", "--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0", "--listen", "unix://"+socket, "--password-file", users)
	p.address(t)
	out := p.stdout.String()
	if strings.Count(out, "broker listens on ") != 3 || strings.Count(out, ", open to users with a password\n") != 3 ||
		!strings.Contains(out, "(WebSocket)") || !strings.Contains(out, socket+" (Unix socket)") || !strings.Contains(out, "memory only") {
		t.Error(out)
	}
	if strings.Contains(out, "try it") {
		t.Errorf("hints that do not work:\n%s", out)
	}
}

func TestHints(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:1883": "mosquitto_sub -t 'home/#'",
		"0.0.0.0:1884":   "mosquitto_sub -p 1884 -t",
		"[::]:1883":      "mosquitto_sub -t",
		"[::1]:1883":     "mosquitto_sub -h ::1 -t",
	} {
		if got := hints(address); !strings.Contains(got, want) {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// SIGHUP reads passwords again, and the log goes on in a new file.
func TestHangup(t *testing.T) {
	folder := t.TempDir()
	users, rules, log, conf := filepath.Join(folder, "users"), filepath.Join(folder, "rules"), filepath.Join(folder, "log"), filepath.Join(folder, "conf")
	if err := os.WriteFile(rules, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := access.SetPassword(users, "ann", "secret", 1); err != nil {
		t.Fatal(err)
	}
	text := "listener 0 " + filepath.Join(folder, "socket") + "\npassword_file " + users + "\nacl_file " + rules + "\nlog_dest file " + log + "\npersistence false\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-c", conf)
	p.stdout.await(t, "Ctrl-C")
	hangup := func(file, want string) {
		t.Helper()
		if err := os.Rename(log, log+".old"); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(users, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
			if got, _ := os.ReadFile(log); strings.Contains(string(got), want) {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("no %q in the log", want)
			}
		}
	}
	good, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	hangup("nonsense\n", "not everything could be read again")
	if err := os.WriteFile(rules, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	hangup("nonsense\n", rules+":1")
	if text, _ := os.ReadFile(log); strings.Count(string(text), users+":1") != 1 {
		t.Errorf("the log says:\n%s", text)
	}
	if err := os.WriteFile(rules, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	hangup(string(good), "were read again")
}

// Who is told that the program runs may send SIGHUP.
func TestEarlyHangup(t *testing.T) {
	p := new(program)
	p.stdout.printed = func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Error(err)
		}
	}
	p.start(t, "-p", "0", "--memory")
	p.stderr.await(t, "were read again")
}

// SIGHUP that comes before there is anything to read again does not end the
// program, and is served later. The pipe holds the start up.
func TestHangupAtTheStart(t *testing.T) {
	conf := filepath.Join(t.TempDir(), "conf")
	if err := syscall.Mkfifo(conf, 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "--memory", "-c", conf)
	pipe, err := os.OpenFile(conf, os.O_WRONLY, 0) // waits until the program reads it
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if _, err := pipe.WriteString("listener 0 " + filepath.Join(t.TempDir(), "socket") + "\n"); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	p.stderr.await(t, "were read again")
}

// Whatever is wrong is told in one line, with an exit code.
func TestFailures(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"-x", cli.ExitUsage, "-x"},
		{"-p " + port + " --memory", cli.ExitUnreachable, "in use"},
		{"-p 0 --metrics " + taken.Addr().String() + " --memory", cli.ExitUnreachable, "in use"},
		{"-p 0 --folder " + file, cli.ExitFile, "folder"},
		{"-p 0 --memory --password-file " + file, cli.ExitFile, file + ":1"},
		{"-p 0 --memory --acl-file " + file, cli.ExitFile, file + ":1"},
		{"-c " + file, cli.ExitFile, file + ":1"},
		{"-c " + file + ".none", cli.ExitFile, "file.none"},
		{"--listen tls://127.0.0.1:0 --memory", cli.ExitUsage, "--cert"},
		{"passwd", cli.ExitUsage, "users.txt"},
	} {
		env := &cli.Env{Name: "broker", Args: strings.Fields(tt.args), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}
		var f *cli.Failure
		if err := run(t.Context(), env); !errors.As(err, &f) || f.Code != tt.code || !strings.Contains(f.Text, tt.want) || strings.Contains(f.Text, "\n") {
			t.Errorf("%s: %#v, want %d and %q", tt.args, err, tt.code, tt.want)
		}
	}
}
