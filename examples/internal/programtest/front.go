package programtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Certificates makes a folder with PEM files: ca.pem, its server.pem and
// server.key for 127.0.0.1 and localhost, other.pem and other.key for another
// host, client.pem and client.key, and stranger.pem, a CA that signed none.
func Certificates(t testing.TB) (folder string) {
	t.Helper()
	folder = t.TempDir()
	ca, caKey := certificate(t, folder, "ca", nil, nil)
	certificate(t, folder, "stranger", nil, nil)
	for _, name := range []string{"server", "other", "client"} {
		certificate(t, folder, name, ca, caKey)
	}
	return folder
}

// certificate makes a certificate that parent signs, or a CA without parent.
func certificate(t testing.TB, folder, name string, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	switch name {
	case "server":
		c.DNSNames, c.IPAddresses = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	case "other":
		c.DNSNames = []string{"other.example"}
	}
	if parent == nil {
		c.IsCA, c.BasicConstraintsValid = true, true
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(folder, name+".pem"), "CERTIFICATE", der)
	writePEM(t, filepath.Join(folder, name+".key"), "EC PRIVATE KEY", private)
	return c, key
}

func writePEM(t testing.TB, name, kind string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: data}), 0o600); err != nil {
		t.Fatal(err)
	}
}

// ServerTLS returns the configuration of a server with the named certificate.
// With clients it demands a certificate of them.
func ServerTLS(t testing.TB, folder, name string, clients bool) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, name+".pem"), filepath.Join(folder, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"mqtt", "http/1.1"}}
	if clients {
		ca, err := os.ReadFile(filepath.Join(folder, "ca.pem"))
		if err != nil {
			t.Fatal(err)
		}
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		cfg.ClientCAs.AppendCertsFromPEM(ca)
	}
	return cfg
}

// Front listens in front of a broker on the given port, with TLS if cfg is not
// nil, and passes everything on.
func Front(t testing.TB, port string, cfg *tls.Config) (front string) {
	t.Helper()
	l := listen(t, "tcp", "127.0.0.1:0", cfg)
	serve(t, l, port)
	_, front, _ = net.SplitHostPort(l.Addr().String())
	return front
}

// UnixFront is Front with a Unix socket, whose path it returns.
func UnixFront(t testing.TB, port string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	serve(t, listen(t, "unix", path, nil), port)
	return path
}

// WebSocketFront is Front with a WebSocket at /mqtt. It sends few bytes in each
// frame, so that packets lie across frames.
func WebSocketFront(t testing.TB, port string, cfg *tls.Config) (front string) {
	t.Helper()
	l := listen(t, "tcp", "127.0.0.1:0", cfg)
	mux := http.NewServeMux()
	mux.HandleFunc("/mqtt", func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"mqtt"}})
		if err != nil {
			return
		}
		pass(websocket.NetConn(r.Context(), ws, websocket.MessageBinary), port, 3)
	})
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { server.Close() })
	_, front, _ = net.SplitHostPort(l.Addr().String())
	return front
}

func listen(t testing.TB, network, address string, cfg *tls.Config) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		l = tls.NewListener(l, cfg)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func serve(t testing.TB, l net.Listener, port string) {
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go pass(c, port, 64<<10)
		}
	}()
}

// pass connects c with the broker until either ends.
func pass(c net.Conn, port string, piece int) {
	defer c.Close()
	b, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return
	}
	defer b.Close()
	go func() {
		_, _ = io.Copy(b, c) // the end is what matters
		_ = b.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.CopyBuffer(struct{ io.Writer }{c}, struct{ io.Reader }{b}, make([]byte, piece))
}
