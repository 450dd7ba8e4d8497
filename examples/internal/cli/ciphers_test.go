package cli

import (
	"crypto/tls"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestCiphers(t *testing.T) {
	got, err := CipherSuites("ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-SHA, ECDHE-ECDSA-CHACHA20-POLY1305 TLS_AES_128_GCM_SHA256")
	want := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, error %v, want %v", got, err, want)
	}
}

// Every cipher of Go has the name that OpenSSL gives it.
func TestOpenSSLNames(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-stdname", "ALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Skip("openssl is not installed")
	}
	compared := 0
	for line := range strings.Lines(string(out)) {
		// TLS_… - NAME TLSv1.2 …
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] == fields[2] {
			continue
		}
		for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
			if s.Name != fields[0] {
				continue
			}
			compared++
			if got, err := CipherSuites(fields[2]); err != nil || len(got) != 1 || got[0] != s.ID {
				t.Errorf("%s for %s: %v, error %v", fields[2], s.Name, got, err)
			}
		}
	}
	if compared < 10 {
		t.Errorf("%d names were compared", compared)
	}
}
