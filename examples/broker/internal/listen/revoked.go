package listen

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"
)

// revoked holds certificate revocation lists by the raw name of their issuer.
type revoked map[string]*revocations

type revocations struct {
	until  time.Time // the list says nothing about later
	issuer string
	serial map[string]bool
}

// loadRevoked reads the lists in a file. Each has to be signed by one of the
// authorities, and be of today.
func loadRevoked(file string, authorities []*x509.Certificate) (revoked, error) {
	blocks, err := loadPEM("crlfile", file, "X509 CRL")
	if err != nil {
		return nil, err
	}
	all := make(revoked)
	for _, der := range blocks {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return nil, fmt.Errorf("crlfile %s: a list in it is damaged: %v", file, err)
		}
		if !signed(list, authorities) {
			return nil, fmt.Errorf("crlfile %s: the list of %q is not signed by a certificate of cafile or capath", file, list.Issuer)
		}
		if !list.NextUpdate.IsZero() && time.Now().After(list.NextUpdate) {
			return nil, fmt.Errorf("crlfile %s: the list of %q expired on %s; get a new one", file, list.Issuer, list.NextUpdate.Format(time.DateOnly))
		}
		r := all[string(list.RawIssuer)]
		if r == nil {
			r = &revocations{issuer: list.Issuer.String(), serial: make(map[string]bool)}
			all[string(list.RawIssuer)] = r
		}
		if list.NextUpdate.After(r.until) {
			r.until = list.NextUpdate
		}
		for _, e := range list.RevokedCertificateEntries {
			r.serial[key(e.SerialNumber)] = true
		}
	}
	return all, nil
}

func signed(list *x509.RevocationList, authorities []*x509.Certificate) bool {
	for _, a := range authorities {
		if string(a.RawSubject) == string(list.RawIssuer) && list.CheckSignatureFrom(a) == nil {
			return true
		}
	}
	return false
}

func key(serial *big.Int) string { return string(serial.Bytes()) }

// verify refuses a client whose certificate was revoked. There has to be a list
// of who signed it; those further up are judged if there is one.
func (r revoked) verify(s tls.ConnectionState) error {
	if len(s.PeerCertificates) == 0 {
		return refusef("the client has no certificate")
	}
	leaf := s.PeerCertificates[0]
	if r[string(leaf.RawIssuer)] == nil {
		return refusef("crlfile has no list of %q, which signed the client's certificate", leaf.Issuer)
	}
	for _, chain := range s.VerifiedChains {
		for _, c := range chain {
			list := r[string(c.RawIssuer)]
			switch {
			case list == nil:
			case !list.until.IsZero() && time.Now().After(list.until):
				return refusef("the list of %q in crlfile has expired; get a new one and reload", list.issuer)
			case list.serial[key(c.SerialNumber)]:
				return refusef("the certificate of %q was revoked", c.Subject)
			}
		}
	}
	return nil
}
