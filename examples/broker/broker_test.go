package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-x":                       "no flag -x",
		"-p 65536":                 "-p 65536",
		"--max-connections 0":      "--max-connections",
		"--max-packet-size 5":      "--max-packet-size",
		"--connect-timeout 0s":     "above 0",
		"--write-timeout soon":     "--write-timeout soon",
		"--max-queued-messages -1": "--max-queued-messages",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
	if o, _, err := parse([]string{"-bind", "::1", "-p", "7"}); err != nil || o.bind != "::1" || o.port != 7 {
		t.Errorf("%+v %v", o, err)
	}
}

func TestWelcome(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:1883": "mosquitto_sub -t 'home/#'",
		"0.0.0.0:1884":   "mosquitto_sub -p 1884 -t",
		"[::1]:1883":     "mosquitto_sub -h ::1 -t",
	} {
		if got := welcome(address); !strings.Contains(got, want) || !strings.Contains(got, "listens on "+address) {
			t.Errorf("%s: %s", address, got)
		}
	}
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// await polls until the log has a text.
func (b *lockedBuffer) await(t *testing.T, text string) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); !strings.Contains(b.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("no %q in the log:\n%s", text, b.String())
		}
	}
}

// start runs a broker inside the test until its end.
func start(t *testing.T, args ...string) (address string, log *lockedBuffer) {
	t.Helper()
	o, _, err := parse(append([]string{"-p", "0"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	log = new(lockedBuffer)
	s, open, err := prepare(ctx, o.config(), slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = s.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(2 * time.Second):
			t.Error("the broker does not end within 2 s")
		}
	})
	return open[0].Addr().String(), log
}

// dial connects to the broker without saying anything.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// peer is a client that consists of packets.
type peer struct {
	net.Conn
	t testing.TB
	r *codec.Reader
}

func connect(t *testing.T, address, id string) *peer {
	t.Helper()
	p := &peer{Conn: dial(t, address), t: t}
	p.r = codec.NewReader(p.Conn, codec.V5, 0)
	p.send(&codec.Connect{CleanStart: true, ClientID: codec.Bytes(id)})
	p.expect(codec.TypeConnack)
	return p
}

func (p *peer) send(packets ...codec.Packet) {
	p.t.Helper()
	var b []byte
	for _, x := range packets {
		var err error
		if b, err = x.AppendTo(b, codec.V5); err != nil {
			p.t.Fatal(err)
		}
	}
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) expect(want codec.PacketType) codec.Packet {
	p.t.Helper()
	got, err := p.r.ReadPacket()
	if err != nil || got.Type() != want {
		p.t.Fatalf("got %v %v, want %v", got, err, want)
	}
	return got
}

// Garbage closes its own connection, with a reason in the log and without what
// it said.
func TestGarbage(t *testing.T) {
	address, log := start(t)
	good := connect(t, address, "good")
	for _, tt := range []struct{ bytes, say string }{
		{"\x10\xff\xff\xff\xff\xff", "Malformed"},
		{"\x30\x05\x00\x01aXX", "before CONNECT"},
		{"\x10\x10\x00\x04MQTT\x05\xff\x00\x3c\x00\x00\x03sec\x00", "CONNECT"},
	} {
		c := dial(t, address)
		if _, err := c.Write([]byte(tt.bytes)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%q: not closed: %v", tt.bytes, err)
		}
		log.await(t, tt.say)
	}
	if strings.Contains(log.String(), "sec\\x00") {
		t.Errorf("the log has what was sent:\n%s", log)
	}
	good.send(&codec.Pingreq{})
	good.expect(codec.TypePingresp)
}

func TestConnectTimeout(t *testing.T) {
	address, log := start(t, "--connect-timeout", "50ms")
	if _, err := io.ReadAll(dial(t, address)); err != nil {
		t.Errorf("not closed: %v", err)
	}
	log.await(t, "did not answer in time")
}

// Connections beyond the bound are closed, and places come free again.
func TestMaxConnections(t *testing.T) {
	address, log := start(t, "--max-connections", "2")
	a, b := connect(t, address, "a"), connect(t, address, "b")
	if got, _ := io.ReadAll(dial(t, address)); len(got) != 0 {
		t.Errorf("got % x", got)
	}
	log.await(t, "too many connections")
	a.send(&codec.Disconnect{})
	if _, err := a.r.ReadPacket(); err != io.EOF {
		t.Errorf("error %v", err)
	}
	a.Close()
	for limit := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		c := dial(t, address)
		buf, _ := (&codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")}).AppendTo(nil, codec.V5)
		_, _ = c.Write(buf)
		if _, err := c.Read(buf); err == nil {
			break
		}
		if time.Now().After(limit) {
			t.Fatal("the place does not come free")
		}
	}
	b.send(&codec.Pingreq{})
	b.expect(codec.TypePingresp)
}

// A subscriber that does not read holds up nobody, and is closed in the end.
func TestSlowReader(t *testing.T) {
	address, log := start(t, "--write-timeout", "300ms", "--max-queued-messages", "10")
	slow, fast := connect(t, address, "slow"), connect(t, address, "fast")
	for _, p := range []*peer{slow, fast} {
		p.send(&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes("big")}}})
		p.expect(codec.TypeSuback)
	}
	payload := make([]byte, 1<<20)
	for range 60 {
		fast.send(&codec.Publish{Topic: codec.Bytes("big"), Payload: payload})
		fast.expect(codec.TypePublish)
	}
	log.await(t, "took no bytes for too long")
	if !strings.Contains(log.String(), "client=slow") {
		t.Errorf("another one was closed:\n%s", log)
	}
}

// A client that sends requests and reads no answers is not read from without
// end.
func TestRequestsWithoutReading(t *testing.T) {
	address, log := start(t, "--write-timeout", "300ms")
	c := connect(t, address, "flood")
	good := connect(t, address, "good")
	var b []byte
	for range 10000 {
		b, _ = (&codec.Pingreq{}).AppendTo(b, codec.V5)
	}
	var err error
	for limit := time.Now().Add(20 * time.Second); err == nil && time.Now().Before(limit); {
		_, err = c.Write(b)
	}
	if err == nil {
		t.Error("it could send for ever")
	}
	log.await(t, "took no bytes for too long")
	good.send(&codec.Pingreq{})
	good.expect(codec.TypePingresp)
}

// Clients are told when the broker stops.
func TestStop(t *testing.T) {
	o, _, _ := parse([]string{"-p", "0"})
	ctx, cancel := context.WithCancel(context.Background())
	s, open, err := prepare(ctx, o.config(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = s.Run(ctx)
		close(done)
	}()
	c := connect(t, open[0].Addr().String(), "c")
	cancel()
	if d := c.expect(codec.TypeDisconnect).(*codec.Disconnect); d.ReasonCode != codec.ReasonServerShuttingDown {
		t.Errorf("got %v", d)
	}
	// The client does not close, and the broker ends all the same.
	select {
	case <-done:
	case <-time.After(2 * time.Second):
		t.Error("the broker does not end within 2 s")
	}
}
