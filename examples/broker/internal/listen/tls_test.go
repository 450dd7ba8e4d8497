package listen

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// connects reports whether a client with the named certificate, or none, gets
// through.
func connects(t *testing.T, s *served, folder, name string) (*Conn, bool) {
	t.Helper()
	client, err := tls.Dial("tcp", s.Addr().String(), clientTLS(t, folder, name))
	if err != nil {
		return nil, false
	}
	t.Cleanup(func() { client.Close() })
	if err := client.SetDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	// With TLS 1.3 the server judges when the client is done.
	refused := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		refused <- err
	}()
	select {
	case c := <-s.accepted:
		t.Cleanup(func() { c.Close() })
		return c, true
	case <-refused:
		return nil, false
	}
}

// forget makes the next line of the log come at once.
func (t *troubles) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = time.Time{}
}

func TestClientCertificates(t *testing.T) {
	folder := programtest.Certificates(t)
	cfg := serverFiles(folder, "server")
	cfg.CAFile, cfg.RequireCertificate, cfg.UseIdentityAsUsername = filepath.Join(folder, "ca.pem"), true, true
	s := serve(t, &config.Listener{TLS: cfg}, nil)
	if c, ok := connects(t, s, folder, "client"); !ok || c.User != "client" || !c.HasUser {
		t.Errorf("got %+v", c)
	}
	for name, say := range map[string]string{"": "certificate", "stranger": "comes from nobody in cafile or capath"} {
		s.forget()
		if _, ok := connects(t, s, folder, name); ok {
			t.Errorf("%q gets through", name)
		}
		s.log.await(t, say)
	}
}

func TestCAPath(t *testing.T) {
	folder := programtest.Certificates(t)
	cfg := serverFiles(folder, "server")
	cfg.CAPath, cfg.RequireCertificate, cfg.UseSubjectAsUsername = folder, true, true
	s := serve(t, &config.Listener{TLS: cfg}, nil)
	if c, ok := connects(t, s, folder, "client"); !ok || c.User != "CN=client" || !c.HasUser {
		t.Errorf("got %+v", c)
	}
}

// A list of revoked certificates holds for new connections and can be replaced.
func TestRevoked(t *testing.T) {
	folder := programtest.Certificates(t)
	cfg := serverFiles(folder, "server")
	cfg.CAFile, cfg.RequireCertificate, cfg.CRLFile = filepath.Join(folder, "ca.pem"), true, filepath.Join(folder, "crl.pem")
	programtest.Revoke(t, folder, cfg.CRLFile, "ca", time.Hour, "other")
	s := serve(t, &config.Listener{TLS: cfg}, nil)
	if _, ok := connects(t, s, folder, "client"); !ok {
		t.Error("who was not revoked does not get through")
	}
	if _, ok := connects(t, s, folder, "other"); ok {
		t.Error("who was revoked gets through")
	}
	s.log.await(t, `the certificate of \"CN=other\" was revoked`)

	programtest.Revoke(t, folder, cfg.CRLFile, "ca", time.Hour, "client")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	if _, ok := connects(t, s, folder, "client"); ok {
		t.Error("who was revoked gets through after a reload")
	}
	if _, ok := connects(t, s, folder, "other"); !ok {
		t.Error("who is no longer revoked does not get through")
	}

	// What cannot be loaded changes nothing.
	programtest.Revoke(t, folder, cfg.CRLFile, "ca", -time.Minute)
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "expired on") {
		t.Errorf("error %v", err)
	}
	if _, ok := connects(t, s, folder, "client"); ok {
		t.Error("a list that cannot be loaded revokes nobody")
	}
}

// A list may expire, or be of somebody else, while the broker runs.
func TestRevokedVerify(t *testing.T) {
	folder := programtest.Certificates(t)
	ca, _ := programtest.ReadCertificate(t, folder, "ca")
	client, _ := programtest.ReadCertificate(t, folder, "client")
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{client}, VerifiedChains: [][]*x509.Certificate{{client, ca}}}
	issuer := string(ca.RawSubject)
	file := filepath.Join(folder, "crl.pem")
	programtest.Revoke(t, folder, file, "ca", time.Minute, "client")
	r, err := loadRevoked(file, []*x509.Certificate{ca})
	if err != nil || time.Until(r[issuer].until) > time.Minute || time.Until(r[issuer].until) < 30*time.Second {
		t.Errorf("error %v, %+v", err, r[issuer])
	}
	for want, r := range map[string]revoked{
		"has expired; get a new one": {issuer: {until: time.Now().Add(-time.Second)}},
		"has no list of":             {"another": {}},
		"was revoked":                {issuer: {serial: map[string]bool{key(client.SerialNumber): true}}},
	} {
		if err := r.verify(state); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if err := (revoked{issuer: {until: time.Now().Add(time.Hour)}}).verify(state); err != nil {
		t.Error(err)
	}
	if err := (revoked{}).verify(tls.ConnectionState{}); err == nil {
		t.Error("no error without a certificate")
	}
}

// A new certificate is for new connections; those that are there stay.
func TestReloadCertificate(t *testing.T) {
	folder := programtest.Certificates(t)
	cfg := serverFiles(folder, "server")
	s := serve(t, &config.Listener{TLS: cfg}, nil)
	serial := func() *big.Int {
		c, err := tls.Dial("tcp", s.Addr().String(), clientTLS(t, folder, ""))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		pass(t, c, s.accept(t))
		return c.ConnectionState().PeerCertificates[0].SerialNumber
	}
	first := serial()
	other := programtest.Certificates(t)
	for _, name := range []string{"server.pem", "server.key"} {
		data, err := os.ReadFile(filepath.Join(other, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		// Half of a pair does not fit, and the old one stays.
		if err := s.Reload(); (err != nil) != (name == "server.pem") {
			t.Errorf("after %s: error %v", name, err)
		} else if err != nil && serial().Cmp(first) != 0 {
			t.Error("half of a new pair is used")
		}
	}
	folder = other
	if serial().Cmp(first) == 0 {
		t.Error("the new certificate is not used")
	}
}

func TestTLSVersions(t *testing.T) {
	folder := programtest.Certificates(t)
	for _, tt := range []struct {
		least, client uint16
		ok            bool
	}{
		{0, tls.VersionTLS11, false},
		{0, tls.VersionTLS12, true},
		{tls.VersionTLS10, tls.VersionTLS11, false},
		{tls.VersionTLS13, tls.VersionTLS12, false},
		{tls.VersionTLS13, tls.VersionTLS13, true},
	} {
		cfg := serverFiles(folder, "server")
		cfg.MinVersion = tt.least
		s := serve(t, &config.Listener{TLS: cfg}, nil)
		client := clientTLS(t, folder, "")
		client.MinVersion, client.MaxVersion = tls.VersionTLS10, tt.client
		c, err := tls.Dial("tcp", s.Addr().String(), client)
		if (err == nil) != tt.ok {
			t.Errorf("%+v: error %v", tt, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// What does not speak TLS is told from what does.
func TestNoTLS(t *testing.T) {
	folder := programtest.Certificates(t)
	s := serve(t, &config.Listener{TLS: serverFiles(folder, "server")}, nil)
	c := s.dial(t)
	if _, err := io.WriteString(c, "\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc"); err != nil {
		t.Fatal(err)
	}
	_, _ = io.ReadAll(c) // an alert
	s.log.await(t, "the client does not speak TLS")
}

func TestTLSErrors(t *testing.T) {
	folder := programtest.Certificates(t)
	file := func(name string) string { return filepath.Join(folder, name) }
	write := func(name, text string) string {
		if err := os.WriteFile(file(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file(name)
	}
	empty := t.TempDir()
	programtest.Revoke(t, folder, file("old.crl"), "ca", -time.Minute)
	programtest.Revoke(t, folder, file("stranger.crl"), "stranger", time.Hour)
	_, stranger := programtest.ReadCertificate(t, folder, "stranger")
	programtest.RevokeWith(t, stranger, folder, file("forged.crl"), "ca", time.Hour)
	damaged := write("damaged.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	locked := write("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	with := func(change func(*config.TLS)) config.TLS {
		cfg := *serverFiles(folder, "server")
		cfg.CAFile, cfg.RequireCertificate = file("ca.pem"), true
		change(&cfg)
		return cfg
	}
	for want, cfg := range map[string]config.TLS{
		"TLS needs certfile and keyfile":                         {CertFile: "x"},
		"certfile /no/such: there is no such file":               {CertFile: "/no/such", KeyFile: file("server.key")},
		"there is no certificate in it; it has to be in PEM":     {CertFile: file("server.key"), KeyFile: file("server.key")},
		"a certificate in it is damaged":                         {CertFile: damaged, KeyFile: file("server.key")},
		"keyfile /no/such: there is no such file":                {CertFile: file("server.pem"), KeyFile: "/no/such"},
		"does not fit certfile":                                  {CertFile: file("server.pem"), KeyFile: file("other.key")},
		"is protected by a password":                             {CertFile: file("server.pem"), KeyFile: locked},
		"failed to find any PEM data":                            {CertFile: file("server.pem"), KeyFile: write("none.key", "no key")},
		"needs cafile or capath":                                 with(func(c *config.TLS) { c.CAFile = "" }),
		"cafile /no/such: there is no such file":                 with(func(c *config.TLS) { c.CAFile = "/no/such" }),
		"capath /no/such: there is no such file":                 with(func(c *config.TLS) { c.CAPath = "/no/such" }),
		"there is no certificate in it; they have to be in PEM":  with(func(c *config.TLS) { c.CAPath = empty }),
		"crlfile /no/such: there is no such file":                with(func(c *config.TLS) { c.CRLFile = "/no/such" }),
		"there is no x509 crl in it":                             with(func(c *config.TLS) { c.CRLFile = file("ca.pem") }),
		"expired on":                                             with(func(c *config.TLS) { c.CRLFile = file("old.crl") }),
		`"CN=stranger" is not signed by a certificate of cafile`: with(func(c *config.TLS) { c.CRLFile = file("stranger.crl") }),
		`"CN=ca" is not signed by a certificate of cafile`:       with(func(c *config.TLS) { c.CRLFile = file("forged.crl") }),
		"crlfile needs require_certificate true":                 with(func(c *config.TLS) { c.CRLFile, c.RequireCertificate = "x", false }),
		"use_subject_as_username need require_certificate true":  with(func(c *config.TLS) { c.UseIdentityAsUsername, c.RequireCertificate = true, false }),
		"a list in it is damaged": with(func(c *config.TLS) {
			c.CRLFile = write("bad.crl", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
		}),
		"keyfile " + file("server.pem") + ": found a certificate rat": {CertFile: file("server.pem"), KeyFile: file("server.pem")},
	} {
		_, err := Open(t.Context(), &config.Listener{Network: "tcp", Address: "127.0.0.1:0", TLS: &cfg}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// A certificate that has expired is told of, and used: clients may not look.
func TestExpired(t *testing.T) {
	folder := programtest.Certificates(t)
	ca, key := programtest.ReadCertificate(t, folder, "ca")
	template, serverKey := programtest.ReadCertificate(t, folder, "server")
	template.NotAfter = time.Now().Add(-time.Minute)
	der, err := x509.CreateCertificate(rand.Reader, template, ca, &serverKey.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "server.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serve(t, &config.Listener{TLS: serverFiles(folder, "server")}, nil)
	s.log.await(t, "the certificate has expired")
	if _, err := tls.Dial("tcp", s.Addr().String(), clientTLS(t, folder, "")); err == nil {
		t.Error("a client takes it")
	}
}

// Only the ciphers that are listed are taken.
func TestCiphers(t *testing.T) {
	folder := programtest.Certificates(t)
	cfg := serverFiles(folder, "server")
	cfg.Ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384"
	s := serve(t, &config.Listener{TLS: cfg}, nil)
	for id, want := range map[uint16]bool{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: true, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: false} {
		client := clientTLS(t, folder, "")
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, []uint16{id}
		c, err := tls.Dial("tcp", s.Addr().String(), client)
		if (err == nil) != want {
			t.Errorf("%s: error %v", tls.CipherSuiteName(id), err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// A client that does not trust the broker says so, and so does the log.
func TestDistrust(t *testing.T) {
	folder := programtest.Certificates(t)
	s := serve(t, &config.Listener{TLS: serverFiles(folder, "server")}, nil)
	if _, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: x509.NewCertPool()}); err == nil {
		t.Error("it trusts")
	}
	s.log.await(t, "the client ended the handshake: ")
}
