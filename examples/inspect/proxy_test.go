package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// output collects what a program writes.
type output struct {
	mu      sync.Mutex
	data    []byte
	changed chan struct{}
}

func newOutput() *output { return &output{changed: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.data = append(o.data, b...)
	select {
	case o.changed <- struct{}{}:
	default:
	}
	return len(b), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.data)
}

// await returns the output as soon as it has a text.
func (o *output) await(t *testing.T, text string) string {
	t.Helper()
	for limit := time.After(programtest.Limit); ; {
		if s := o.String(); strings.Contains(s, text) {
			return s
		}
		select {
		case <-o.changed:
		case <-limit:
			t.Fatalf("no %q in %s", text, o)
		}
	}
}

// running is the proxy with a broker of the test behind it.
type running struct {
	t              *testing.T
	stdout, stderr *output
	stop           func()
	code           chan int
	address        string
	broker         net.Listener
}

var listensOn = regexp.MustCompile(`listens on (\S+) `)

func startProxy(t *testing.T, args ...string) *running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r := &running{t: t, stdout: newOutput(), stderr: newOutput(), stop: stop, code: make(chan int, 1), broker: l}
	t.Cleanup(func() { l.Close(); stop() })
	env := &cli.Env{Name: "inspect", Stdout: r.stdout, Stderr: r.stderr}
	env.Args = append([]string{"--listen", "127.0.0.1:0", "--to", l.Addr().String()}, args...)
	go func() { r.code <- cli.Report(env, run(ctx, env)) }()
	r.address = listensOn.FindStringSubmatch(r.stderr.await(t, "Ctrl-C"))[1]
	return r
}

// connect returns both ends of a connection through the proxy.
func (r *running) connect() (near, far *net.TCPConn) {
	r.t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		r.t.Fatal(err)
	}
	b, err := r.broker.Accept()
	if err != nil {
		r.t.Fatal(err)
	}
	near, far = c.(*net.TCPConn), b.(*net.TCPConn)
	for _, conn := range []net.Conn{near, far} {
		r.t.Cleanup(func() { conn.Close() })
		if err := conn.SetDeadline(time.Now().Add(programtest.Limit)); err != nil {
			r.t.Fatal(err)
		}
	}
	return near, far
}

// end interrupts the proxy and returns its exit code.
func (r *running) end() int {
	r.t.Helper()
	r.stop()
	select {
	case code := <-r.code:
		return code
	case <-time.After(programtest.Limit):
		r.t.Fatal("the proxy does not end")
		return 0
	}
}

// transfer sends bytes from one end and sees that the other one gets the same.
func transfer(t *testing.T, from, to *net.TCPConn, b []byte) {
	t.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := from.Write(b)
		sent <- err
	}()
	got := make([]byte, len(b))
	if _, err := io.ReadFull(to, got); err != nil || !bytes.Equal(got, b) {
		t.Fatalf("%d bytes came as others, error %v", len(b), err)
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// All bytes pass as they are, legal or not, both ways; and each end is told of the
// end of the other one.
func TestProxyPasses(t *testing.T) {
	garbage := make([]byte, 100_000)
	_, _ = rand.Read(garbage)
	large := append(unhex(t, "30 83 80 c0 02 0001 61"), make([]byte, 5<<20)...)
	for name, b := range map[string][]byte{
		"legal": unhex(t, connect311+publish1), "illegal": unhex(t, "8206 0001 0001 6103 00ff 10ffffffffff"), "garbage": garbage, "large": large, "TLS": unhex(t, "160301000501"),
	} {
		t.Run(name, func(t *testing.T) {
			r := startProxy(t)
			near, far := r.connect()
			transfer(t, near, far, b)
			transfer(t, far, near, b)
			if err := near.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			transfer(t, far, near, []byte("more"))
			if n, err := far.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%d bytes, error %v, want the end", n, err)
			}
			if err := far.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if n, err := near.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
				t.Errorf("%d bytes, error %v, want the end", n, err)
			}
			r.end()
		})
	}
}

// What passes is shown before it can be answered, and the exit code is about it.
func TestProxyShows(t *testing.T) {
	r := startProxy(t)
	near, far := r.connect()
	transfer(t, near, far, unhex(t, connect311))
	transfer(t, far, near, unhex(t, connack311))
	transfer(t, near, far, unhex(t, publish1))
	if got := r.stdout.String(); !strings.Contains(got, "> "+near.LocalAddr().String()+" PUBLISH q1 #7 a 2 bytes\n") {
		t.Errorf("shown %s", got)
	}
	if code := r.end(); code != 0 {
		t.Errorf("exit code %d of legal packets", code)
	}
	r = startProxy(t, "--faults")
	near, far = r.connect()
	transfer(t, near, far, unhex(t, publish1))
	if got := r.stdout.String(); !strings.Contains(got, "! protocol error: the first packet of a client has to be CONNECT") {
		t.Errorf("shown %s", got)
	}
	if code := r.end(); code != exitFaults {
		t.Errorf("exit code %d of illegal packets", code)
	}
}

// A broker that does not read holds the client back; nothing is lost, and nothing
// is kept meanwhile.
func TestProxyBackpressure(t *testing.T) {
	r := startProxy(t)
	near, far := r.connect()
	for _, conn := range []*net.TCPConn{near, far} {
		if err := errors.Join(conn.SetReadBuffer(64<<10), conn.SetWriteBuffer(64<<10)); err != nil {
			t.Fatal(err)
		}
	}
	const size = 256 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	chunk := bytes.Repeat(append(unhex(t, "30 83 80 04 0001 61"), make([]byte, 0xFFFD)...), 4)
	sent := 0
	if err := near.SetWriteDeadline(time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil && sent < size {
		var n int
		n, err = near.Write(chunk)
		sent += n
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes were taken that nobody reads, error %v", sent, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes are kept", grown)
	}
	if err := near.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, far); err != nil || int(n) != sent {
		t.Errorf("%d bytes came, want %d, error %v", n, sent, err)
	}
	r.end()
}

func TestProxyErrors(t *testing.T) {
	r := startProxy(t)
	r.broker.Close()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("error %v, want the end", err)
	}
	r.stderr.await(t, "is closed")
	if _, stderr, code := call(t, nil, "--listen", r.address, "--to", "localhost"); code != exitListen || !strings.Contains(stderr, "choose another port") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	if code := r.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
