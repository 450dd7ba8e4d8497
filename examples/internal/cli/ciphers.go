package cli

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
)

// openSSL turns the names of the standards, as Go has them, into those of OpenSSL.
var openSSL = strings.NewReplacer("TLS_RSA_WITH_", "", "TLS_ECDHE", "ECDHE", "_WITH_", "-", "AES_128_CBC", "AES128", "AES_256_CBC", "AES256",
	"AES_128", "AES128", "AES_256", "AES256", "3DES_EDE_CBC", "DES-CBC3", "RC4_128", "RC4", "POLY1305_SHA256", "POLY1305", "_", "-")

// CipherSuites returns the suites of a list as OpenSSL has it, names with
// colons between. As with OpenSSL it is about TLS 1.2 and before, and a name that
// Go does not know is left out if another one is known.
func CipherSuites(list string) (suites []uint16, err error) {
	names := strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(":, ", r) })
	known := slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites())
	for _, name := range names {
		if strings.ContainsAny(name[:1], "!+-@") || !strings.ContainsAny(name, "-_") {
			return nil, errors.New(name + " stands for several ciphers; name each, such as ECDHE-RSA-AES256-GCM-SHA384, with colons between")
		}
		for _, s := range known {
			if name == s.Name || name == openSSL.Replace(s.Name) {
				suites = append(suites, s.ID)
			}
		}
	}
	if len(suites) == 0 {
		return nil, errors.New("none of these is known to Go; name one such as ECDHE-RSA-AES256-GCM-SHA384, or leave it out")
	}
	return suites, nil
}
