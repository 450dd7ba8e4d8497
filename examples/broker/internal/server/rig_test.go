package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const limit = programtest.Limit

// rig is a server inside a test.
type rig struct {
	t       testing.TB
	server  *Server
	address string
	log     *lockedBuffer
	stop    func() error // ends the server, once
}

// start runs a server on a port of its own until the end of the test.
func start(t testing.TB, st Store, change func(*config.Config)) *rig {
	t.Helper()
	access := &config.Access{AllowAnonymous: true, AllowZeroLengthClientID: true, AutoIDPrefix: "auto-"}
	cfg := &config.Config{Listeners: []*config.Listener{{
		Network: "tcp", Address: "127.0.0.1:0", Access: access, MaximumQoS: 2, TopicAliasMaximum: 10, NoDelay: true,
	}}}
	cfg.Limits.ConnectTimeout, cfg.Limits.WriteTimeout = limit, limit
	if change != nil {
		change(cfg)
	}
	r := &rig{t: t, log: new(lockedBuffer)}
	log := slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var open []*listen.Listener
	for _, l := range cfg.Listeners {
		opened, err := listen.Open(t.Context(), l, log)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, opened)
	}
	s, err := New(Options{Config: cfg, Listeners: open, Store: st, IDPrefix: "test-", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	r.server, r.address = s, open[0].Addr().String()
	r.stop = sync.OnceValue(func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(limit):
			return errors.New("the server does not end")
		}
	})
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	return r
}

// await polls until something is so, in the goroutine of the owner.
func (r *rig) await(is func() bool) {
	r.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		if ok, err := asked(r.t.Context(), r.server, is); ok || err != nil {
			return
		}
		if time.Now().After(end) {
			r.t.Fatal("it does not become so")
		}
	}
}

// conn returns the other end of a peer. It is for await.
func (r *rig) conn(p *peer) *conn {
	for _, c := range r.server.conns {
		if c.link.place().Remote() == p.LocalAddr().String() {
			return c
		}
	}
	return new(conn)
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
func (b *lockedBuffer) await(t testing.TB, text string) {
	t.Helper()
	for end := time.Now().Add(limit); !strings.Contains(b.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log:\n%s", text, b.String())
		}
	}
}

// peer is a client that consists of packets.
type peer struct {
	net.Conn
	t testing.TB
	r *codec.Reader
}

// dial connects to the server without saying anything.
func (r *rig) dial() *peer {
	r.t.Helper()
	return r.dialAt("tcp", r.address)
}

func (r *rig) dialAt(network, address string) *peer {
	r.t.Helper()
	c, err := net.Dial(network, address)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		r.t.Fatal(err)
	}
	return &peer{Conn: c, t: r.t, r: codec.NewReader(c, codec.V5, 0)}
}

// connect connects a client. Its session lives for an hour.
func (r *rig) connect(id string) (*peer, *codec.Connack) {
	r.t.Helper()
	p := r.dial()
	return p, p.connect(id)
}

func (p *peer) connect(id string) *codec.Connack {
	p.t.Helper()
	c := &codec.Connect{ClientID: codec.Bytes(id)}
	c.Properties.SessionExpiryInterval = codec.Some(uint32(3600))
	p.send(c)
	return p.expect(codec.TypeConnack).(*codec.Connack)
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

// silent checks that nothing comes for a moment.
func (p *peer) silent() {
	p.t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if got, err := p.r.ReadPacket(); got != nil || !isTimeout(err) {
		p.t.Fatalf("got %v %v, want nothing", got, err)
	}
	_ = p.SetReadDeadline(time.Now().Add(limit))
	p.r = codec.NewReader(p.Conn, codec.V5, 0) // the other one goes no further
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

func (p *peer) subscribe(filter string) {
	p.t.Helper()
	p.send(&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes(filter), QoS: codec.QoS2}}})
	p.expect(codec.TypeSuback)
}

func message(topic string, qos codec.QoS, id uint32) *codec.Publish {
	return &codec.Publish{Topic: codec.Bytes(topic), QoS: qos, PacketID: id, Payload: codec.Bytes("payload")}
}

// openStore opens a store in a folder.
func openStore(t testing.TB, folder string) *store.Store {
	t.Helper()
	st, err := store.Open(folder, "", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// gatedStore is a Store whose commits wait, or fail.
type gatedStore struct {
	*store.Store
	mu      sync.Mutex
	gate    chan struct{} // closed: commits go on
	err     error
	commits int
}

func newGatedStore(t testing.TB) *gatedStore {
	st := openStore(t, t.TempDir())
	t.Cleanup(func() { st.Close() })
	g := &gatedStore{Store: st, gate: make(chan struct{})}
	close(g.gate)
	return g
}

func (g *gatedStore) Commit(b *store.Batch) error {
	g.mu.Lock()
	gate := g.gate
	g.mu.Unlock()
	<-gate
	g.mu.Lock()
	err := g.err
	g.mu.Unlock()
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.commits++
	g.mu.Unlock()
	return g.Store.Commit(b)
}

// shut makes commits wait until open is called.
func (g *gatedStore) shut() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gate := make(chan struct{})
	g.gate = gate
	return func() { close(gate) }
}

// fail makes commits fail, with nil succeed.
func (g *gatedStore) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

func (g *gatedStore) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.commits
}
