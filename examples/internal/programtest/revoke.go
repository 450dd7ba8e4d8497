package programtest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"testing"
	"time"
)

// ReadCertificate reads a file of Certificates, and its key.
func ReadCertificate(t testing.TB, folder, name string) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(folder, name+".pem"), filepath.Join(folder, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf, pair.PrivateKey.(*ecdsa.PrivateKey)
}

// Revoke writes a list by which the issuer revokes the named certificates of
// Certificates.
func Revoke(t testing.TB, folder, file, issuer string, until time.Duration, names ...string) {
	t.Helper()
	_, key := ReadCertificate(t, folder, issuer)
	RevokeWith(t, key, folder, file, issuer, until, names...)
}

// RevokeWith signs the list with any key.
func RevokeWith(t testing.TB, key *ecdsa.PrivateKey, folder, file, issuer string, until time.Duration, names ...string) {
	t.Helper()
	ca, _ := ReadCertificate(t, folder, issuer)
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(until)}
	for _, name := range names {
		c, _ := ReadCertificate(t, folder, name)
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, file, "X509 CRL", der)
}
