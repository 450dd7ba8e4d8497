package listen

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// Reload reads certificates, keys and the list of revoked ones again, for
// connections from now on. On an error, which is one line for people, what was
// read before stays. Without TLS it does nothing.
func (l *Listener) Reload() error {
	if l.cfg.TLS == nil {
		return nil
	}
	t, err := loadTLS(l.cfg.TLS)
	if err != nil {
		return err
	}
	t.NextProtos = []string{"mqtt"}
	if l.cfg.WebSocket {
		t.NextProtos = []string{"http/1.1"}
	}
	// Clients would refuse it, but those that do not look at dates may go on.
	if leaf := t.Certificates[0].Leaf; time.Now().After(leaf.NotAfter) {
		l.log.Warn("the certificate has expired; get a new one", "certfile", l.cfg.TLS.CertFile, "expired", leaf.NotAfter)
	}
	l.tls.Store(t)
	return nil
}

// secure does the TLS handshake, if there is one, and finds out who the client
// is.
func (l *Listener) secure(c *Conn) error {
	t := l.tls.Load()
	if t == nil {
		return nil
	}
	secure := tls.Server(c.Conn, t)
	c.Conn, c.tls = secure, secure
	if err := secure.Handshake(); err != nil {
		return err
	}
	var err error
	c.User, c.HasUser, err = identity(l.cfg.TLS, secure.ConnectionState().PeerCertificates)
	return err
}

// loadTLS reads what cfg names.
func loadTLS(cfg *config.TLS) (*tls.Config, error) {
	if cfg.CertFile == "" || cfg.KeyFile == "" {
		return nil, errors.New("TLS needs certfile and keyfile")
	}
	pair, err := tls.LoadX509KeyPair(cfg.CertFile, cfg.KeyFile)
	if err != nil {
		return nil, explainPair(cfg, err)
	}
	t := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: max(cfg.MinVersion, tls.VersionTLS12)}
	if cfg.Ciphers != "" {
		if t.CipherSuites, err = cli.CipherSuites(cfg.Ciphers); err != nil {
			return nil, fmt.Errorf("ciphers %s: %w", cfg.Ciphers, err)
		}
	}
	if !cfg.RequireCertificate {
		switch {
		case cfg.UseIdentityAsUsername || cfg.UseSubjectAsUsername:
			return nil, errors.New("use_identity_as_username and use_subject_as_username need require_certificate true")
		case cfg.CRLFile != "":
			return nil, errors.New("crlfile needs require_certificate true")
		}
		return t, nil
	}
	authorities, err := loadAuthorities(cfg)
	if err != nil {
		return nil, err
	}
	t.ClientAuth, t.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	for _, c := range authorities {
		t.ClientCAs.AddCert(c)
	}
	if cfg.CRLFile != "" {
		revoked, err := loadRevoked(cfg.CRLFile, authorities)
		if err != nil {
			return nil, err
		}
		// Called for resumed sessions too, unlike VerifyPeerCertificate.
		t.VerifyConnection = revoked.verify
	}
	return t, nil
}

// loadAuthorities reads the certificates that may sign those of clients.
func loadAuthorities(cfg *config.TLS) ([]*x509.Certificate, error) {
	if cfg.CAFile == "" && cfg.CAPath == "" {
		return nil, errors.New("require_certificate needs cafile or capath: who signs the certificates of clients")
	}
	var all []*x509.Certificate
	if cfg.CAFile != "" {
		found, err := loadCertificates("cafile", cfg.CAFile)
		if err != nil {
			return nil, err
		}
		all = found
	}
	if cfg.CAPath == "" {
		return all, nil
	}
	files, err := os.ReadDir(cfg.CAPath)
	if err != nil {
		return nil, explainFile("capath", cfg.CAPath, err)
	}
	before := len(all)
	for _, f := range files {
		// Anything may lie there, so what is no certificate is passed over.
		found, err := loadCertificates("capath", filepath.Join(cfg.CAPath, f.Name()))
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			return nil, err
		}
		all = append(all, found...)
	}
	if len(all) == before {
		return nil, fmt.Errorf("capath %s: there is no certificate in it; they have to be in PEM", cfg.CAPath)
	}
	return all, nil
}

func loadCertificates(key, file string) ([]*x509.Certificate, error) {
	blocks, err := loadPEM(key, file, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for _, der := range blocks {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%s %s: a certificate in it is damaged: %v", key, file, err)
		}
		all = append(all, c)
	}
	return all, nil
}

// loadPEM returns the blocks of one kind in a file, of which there has to be
// one. key is the word of the configuration.
func loadPEM(key, file, kind string) (blocks [][]byte, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, explainFile(key, file, err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == kind {
			blocks = append(blocks, block.Bytes)
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("%s %s: there is no %s in it; it has to be in PEM", key, file, strings.ToLower(kind))
	}
	return blocks, nil
}

func explainFile(key, file string, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s %s: there is no such file; check the path", key, file)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s %s may not be read by this user; check its permissions", key, file)
	}
	return fmt.Errorf("%s %s cannot be read: %w", key, file, root(err))
}

// explainPair says what is wrong with certificate and key. The error of the
// loader does not tell which of the two files it is about.
func explainPair(cfg *config.TLS, err error) error {
	if _, err := loadCertificates("certfile", cfg.CertFile); err != nil {
		return err
	}
	data, readErr := os.ReadFile(cfg.KeyFile)
	if readErr != nil {
		return explainFile("keyfile", cfg.KeyFile, readErr)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "" {
			return fmt.Errorf("keyfile %s is protected by a password; store the key without one, readable by this user only", cfg.KeyFile)
		}
	}
	if strings.Contains(err.Error(), "does not match") {
		return fmt.Errorf("keyfile %s does not fit certfile %s; use the key that the certificate was made for", cfg.KeyFile, cfg.CertFile)
	}
	return fmt.Errorf("keyfile %s: %s", cfg.KeyFile, strings.TrimPrefix(root(err).Error(), "tls: "))
}
