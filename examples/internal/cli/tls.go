package cli

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"
)

// TLS holds the flags of TLS.
type TLS struct {
	cafile, capath string
	cert, key      string
	insecure, os   bool
	alpn           string
	version        string
	ciphers        string

	config *tls.Config // nil for none
}

func (t *TLS) addTo(fs *pflag.FlagSet) {
	fs.StringVar(&t.cafile, "cafile", "", "")
	fs.StringVar(&t.capath, "capath", "", "")
	fs.StringVar(&t.cert, "cert", "", "")
	fs.StringVar(&t.key, "key", "", "")
	fs.BoolVar(&t.insecure, "insecure", false, "")
	fs.BoolVar(&t.os, "tls-use-os-certs", false, "")
	fs.StringVar(&t.alpn, "tls-alpn", "", "")
	fs.StringVar(&t.version, "tls-version", "", "")
	fs.StringVar(&t.ciphers, "ciphers", "", "")
	fs.Var(keyForm{}, "keyform", "")
}

// AddTo defines the flags.
func (t *TLS) AddTo(fs *pflag.FlagSet) { t.addTo(fs) }

// Config returns what the flags say of TLS towards a host, nil where it is not
// secure.
func (t *TLS) Config(secure bool, host string) (*tls.Config, error) {
	err := t.load(secure, host)
	return t.config, err
}

// given reports whether a flag asks for TLS.
func (t *TLS) given() bool { return t.cafile != "" || t.capath != "" || t.os }

// load reads the files that the flags name.
func (t *TLS) load(secure bool, host string) error {
	switch {
	case !secure && (t.cert != "" || t.key != "" || t.insecure || t.alpn != "" || t.version != "" || t.ciphers != ""):
		return Usagef("TLS needs to know whom to trust: add --cafile, --capath or --tls-use-os-certs, or use -L mqtts://…")
	case !secure:
		return nil
	case (t.cert == "") != (t.key == ""):
		return Usagef("--cert and --key go together")
	}
	config := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if t.version != "" {
		// Like mosquitto's, the lowest version that is taken.
		v, ok := map[string]uint16{"tlsv1.3": tls.VersionTLS13, "tlsv1.2": tls.VersionTLS12, "tlsv1.1": tls.VersionTLS11}[t.version]
		if !ok {
			return Usagef("--tls-version %s: use tlsv1.1, tlsv1.2 or tlsv1.3", t.version)
		}
		config.MinVersion = v
	}
	if t.ciphers != "" {
		suites, err := CipherSuites(t.ciphers)
		if err != nil {
			return Usagef("--ciphers %s: %v", t.ciphers, err)
		}
		config.CipherSuites = suites
	}
	if t.alpn != "" {
		config.NextProtos = []string{t.alpn}
	}
	if err := t.trust(config); err != nil {
		return err
	}
	if t.cert != "" {
		pair, err := tls.LoadX509KeyPair(t.cert, t.key)
		if err != nil {
			return Usagef("--cert %s and --key %s: %v", t.cert, t.key, root(err))
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if t.insecure {
		trustAnyName(config)
	}
	t.config = config
	return nil
}

// trust sets the certificates that are trusted: those of the flags, or of the
// system where there are none.
func (t *TLS) trust(config *tls.Config) error {
	if t.cafile == "" && t.capath == "" {
		return nil
	}
	pool := x509.NewCertPool()
	if t.os {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	if t.cafile != "" {
		data, err := os.ReadFile(t.cafile)
		if err != nil {
			return Usagef("--cafile %s: %v", t.cafile, root(err))
		}
		if !pool.AppendCertsFromPEM(data) {
			return Usagef("--cafile %s: there is no certificate in it; it has to be in PEM", t.cafile)
		}
	}
	if t.capath != "" {
		if err := t.trustFolder(pool); err != nil {
			return err
		}
	}
	config.RootCAs = pool
	return nil
}

// trustFolder adds the certificates of every file of --capath.
func (t *TLS) trustFolder(pool *x509.CertPool) error {
	files, err := os.ReadDir(t.capath)
	if err != nil {
		return Usagef("--capath %s: %v", t.capath, root(err))
	}
	some := false
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(t.capath, f.Name()))
		if err == nil && pool.AppendCertsFromPEM(data) {
			some = true
		}
	}
	if !some {
		return Usagef("--capath %s: there is no certificate in it; they have to be in PEM", t.capath)
	}
	return nil
}

// trustAnyName is --insecure: the certificate has to be a trusted one, but may
// be for another host. Go has no such switch, so its check is replaced.
func trustAnyName(config *tls.Config) {
	roots := config.RootCAs
	config.InsecureSkipVerify = true
	config.VerifyConnection = func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return errors.New("the broker has no certificate")
		}
		o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, c := range s.PeerCertificates[1:] {
			o.Intermediates.AddCert(c)
		}
		_, err := s.PeerCertificates[0].Verify(o)
		return err
	}
}
