package listen

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const limit = programtest.Limit

// logBuffer is a log that can be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *logBuffer) await(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(limit); !strings.Contains(b.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %q in the log:\n%s", text, b.String())
		}
	}
}

// served is a listener of a test, and what it accepts.
type served struct {
	*Listener
	gate     *Gate
	log      *logBuffer
	accepted chan *Conn
}

// serve opens a listener and serves it until the end of the test.
func serve(t *testing.T, cfg *config.Listener, limits *config.Limits) *served {
	t.Helper()
	if cfg.Network == "" {
		cfg.Network, cfg.Address = "tcp", "127.0.0.1:0"
	}
	if limits == nil {
		limits = &config.Limits{ConnectTimeout: limit}
	}
	s := &served{gate: NewGate(limits), log: new(logBuffer), accepted: make(chan *Conn, 1000)}
	var err error
	if s.Listener, err = Open(t.Context(), cfg, slog.New(slog.NewTextHandler(s.log, nil))); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(s.gate, func(c *Conn) { s.accepted <- c }) }()
	t.Cleanup(func() {
		s.Close()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(limit):
			t.Error("Serve does not end with Close")
		}
		for len(s.accepted) > 0 {
			(<-s.accepted).Close()
		}
	})
	return s
}

// awaitPlaces polls until so many places of the gate are taken.
func awaitPlaces(t *testing.T, gate *Gate, n int) {
	t.Helper()
	for end := time.Now().Add(limit); gate.Stats().All != n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d places are taken, want %d", gate.Stats().All, n)
		}
	}
}

// dial connects without any handshake.
func (s *served) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial(s.Addr().Network(), s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	return c
}

// accept returns the next connection that came through.
func (s *served) accept(t *testing.T) *Conn {
	t.Helper()
	select {
	case c := <-s.accepted:
		t.Cleanup(func() { c.Close() })
		if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
			t.Fatal(err)
		}
		return c
	case <-time.After(limit):
		t.Fatalf("no connection came through; the log:\n%s", s.log)
		return nil
	}
}

// pass demands that bytes get through both ways, in pieces and large.
func pass(t *testing.T, a, b net.Conn) {
	t.Helper()
	for _, ends := range [][2]net.Conn{{a, b}, {b, a}} {
		for _, size := range []int{1, 125, 126, 5000, 70000, 1 << 20} {
			want := bytes.Repeat([]byte("0123456789abcdef!"), size/17+1)[:size]
			go func() { _, _ = ends[0].Write(want) }()
			got := make([]byte, size)
			if _, err := io.ReadFull(ends[1], got); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes do not get through: %v", size, err)
			}
		}
	}
}

func TestTCP(t *testing.T) {
	for _, noDelay := range []bool{false, true} {
		s := serve(t, &config.Listener{NoDelay: noDelay}, nil)
		client := s.dial(t)
		c := s.accept(t)
		if _, ok := c.Conn.(*net.TCPConn); !ok || c.Listener != s.Listener || c.HasUser {
			t.Errorf("%T %+v", c.Conn, c)
		}
		pass(t, client, c)
		if !strings.HasPrefix(s.String(), "127.0.0.1:") || strings.Contains(s.String(), "(") {
			t.Errorf("it says %s", s)
		}
	}
}

func TestTLS(t *testing.T) {
	folder := programtest.Certificates(t)
	s := serve(t, &config.Listener{TLS: serverFiles(folder, "server")}, nil)
	client, err := tls.Dial("tcp", s.Addr().String(), clientTLS(t, folder, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c := s.accept(t)
	pass(t, client, c)
	if p := client.ConnectionState().NegotiatedProtocol; p != "mqtt" || c.HasUser || !strings.HasSuffix(s.String(), "(TLS)") {
		t.Errorf("protocol %q, %+v, %s", p, c, s)
	}
}

// serverFiles names the files of a server.
func serverFiles(folder, name string) *config.TLS {
	return &config.TLS{CertFile: filepath.Join(folder, name+".pem"), KeyFile: filepath.Join(folder, name+".key")}
}

// clientTLS is the configuration of a client, with a certificate if it is
// named, whether the server takes it or not.
func clientTLS(t *testing.T, folder, name string) *tls.Config {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{RootCAs: x509.NewCertPool(), NextProtos: []string{"mqtt"}}
	cfg.RootCAs.AppendCertsFromPEM(ca)
	if name != "" {
		pair := programtest.ServerTLS(t, folder, name, false).Certificates[0]
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }
	}
	return cfg
}

// A client that says nothing, or too little, is closed in time and holds up
// nobody.
func TestHandshakeTimeout(t *testing.T) {
	folder := programtest.Certificates(t)
	for name, cfg := range map[string]*config.Listener{
		"TLS":       {TLS: serverFiles(folder, "server")},
		"WebSocket": {WebSocket: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, cfg, &config.Limits{ConnectTimeout: 100 * time.Millisecond, Connections: 1})
			if _, err := io.ReadAll(s.dial(t)); err != nil {
				t.Errorf("not closed: %v", err)
			}
			s.log.await(t, "the client took too long")
			awaitPlaces(t, s.gate, 0)
			if st := s.gate.Stats(); st.Pending != 0 {
				t.Errorf("it holds a place: %+v", st)
			}
		})
	}
}

// Close ends what is still in a handshake.
func TestClose(t *testing.T) {
	l, err := Open(t.Context(), &config.Listener{Network: "tcp", Address: "127.0.0.1:0", WebSocket: true}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	gate := NewGate(&config.Limits{ConnectTimeout: time.Hour})
	ended := make(chan error, 1)
	go func() { ended <- l.Serve(gate, func(*Conn) { t.Error("it came through") }) }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	awaitPlaces(t, gate, 1)
	l.Close()
	select {
	case err := <-ended:
		if st := gate.Stats(); err != nil || st.All != 0 || len(st.Of) > 1 {
			t.Errorf("error %v, %+v", err, st)
		}
	case <-time.After(limit):
		t.Error("a handshake holds up the end")
	}
}

func TestOpenErrors(t *testing.T) {
	first := serve(t, &config.Listener{}, nil)
	for address, want := range map[string]string{
		first.Addr().String(): "is in use; stop the program that has it, or choose another port",
		"192.0.2.1:0":         "is no address of this machine",
	} {
		_, err := Open(context.Background(), &config.Listener{Network: "tcp", Address: address}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", address, err, want)
		}
	}
}
