package listen

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// identity returns the user name that a client's certificate gives it.
func identity(cfg *config.TLS, chain []*x509.Certificate) (user string, has bool, err error) {
	if !cfg.UseIdentityAsUsername && !cfg.UseSubjectAsUsername {
		return "", false, nil
	}
	name, err := parseName(chain[0].RawSubject)
	if err != nil {
		return "", false, refusef("the subject of the client's certificate cannot be read: %v", err)
	}
	if user = name.commonName(); cfg.UseSubjectAsUsername {
		user = name.String()
	}
	switch {
	case cfg.UseSubjectAsUsername && user == "":
		return "", false, refusef("the client's certificate has no subject for use_subject_as_username")
	case cfg.UseSubjectAsUsername:
	case user == "":
		return "", false, refusef("the client's certificate has no Common Name for use_identity_as_username")
	case !utf8.ValidString(user) || strings.ContainsFunc(user, unicode.IsControl):
		return "", false, refusef("the Common Name of the client's certificate is no user name: %q", user)
	}
	return user, true, nil
}

// name is a distinguished name. Unlike pkix.Name it keeps order and groups.
type name []attributeSET

// attributeSET is one part of a name; the asn1 package goes by its ending.
type attributeSET []attribute

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

func parseName(der []byte) (n name, err error) {
	_, err = asn1.Unmarshal(der, &n)
	return n, err
}

// commonName returns the first one, or "".
func (n name) commonName() string {
	for _, set := range n {
		for _, a := range set {
			if a.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 3}) {
				s, _ := a.text()
				return s
			}
		}
	}
	return ""
}

// text returns a value that is a string.
func (a *attribute) text() (s string, ok bool) {
	var v any
	if _, err := asn1.Unmarshal(a.Value.FullBytes, &v); err != nil {
		return "", false
	}
	s, ok = v.(string)
	return s, ok
}

// String returns the name in the form of RFC 2253 that OpenSSL, and with it
// mosquitto, prints: the last part first, with OpenSSL's short names, and
// escapes for what is not ASCII.
func (n name) String() string {
	var b strings.Builder
	for i := len(n) - 1; i >= 0; i-- {
		for j := len(n[i]) - 1; j >= 0; j-- {
			n[i][j].appendTo(&b)
			switch {
			case j > 0:
				b.WriteByte('+')
			case i > 0:
				b.WriteByte(',')
			}
		}
	}
	return b.String()
}

func (a *attribute) appendTo(b *strings.Builder) {
	short, known := shortNames[a.Type.String()]
	text, isText := a.text()
	if !known || !isText {
		if !known {
			short = a.Type.String()
		}
		fmt.Fprintf(b, "%s=#%X", short, a.Value.FullBytes)
		return
	}
	b.WriteString(short + "=")
	for i := range len(text) {
		switch c := text[i]; {
		case strings.IndexByte(`,+"\<>;`, c) >= 0, c == '#' && i == 0, c == ' ' && (i == 0 || i == len(text)-1):
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7F:
			fmt.Fprintf(b, `\%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
}

// shortNames are OpenSSL's for what names of people and devices have.
var shortNames = map[string]string{
	"2.5.4.3":                    "CN",
	"2.5.4.4":                    "SN",
	"2.5.4.5":                    "serialNumber",
	"2.5.4.6":                    "C",
	"2.5.4.7":                    "L",
	"2.5.4.8":                    "ST",
	"2.5.4.9":                    "street",
	"2.5.4.10":                   "O",
	"2.5.4.11":                   "OU",
	"2.5.4.12":                   "title",
	"2.5.4.13":                   "description",
	"2.5.4.15":                   "businessCategory",
	"2.5.4.16":                   "postalAddress",
	"2.5.4.17":                   "postalCode",
	"2.5.4.18":                   "postOfficeBox",
	"2.5.4.19":                   "physicalDeliveryOfficeName",
	"2.5.4.20":                   "telephoneNumber",
	"2.5.4.23":                   "facsimileTelephoneNumber",
	"2.5.4.26":                   "registeredAddress",
	"2.5.4.31":                   "member",
	"2.5.4.32":                   "owner",
	"2.5.4.34":                   "seeAlso",
	"2.5.4.41":                   "name",
	"2.5.4.42":                   "GN",
	"2.5.4.43":                   "initials",
	"2.5.4.44":                   "generationQualifier",
	"2.5.4.45":                   "x500UniqueIdentifier",
	"2.5.4.46":                   "dnQualifier",
	"2.5.4.51":                   "houseIdentifier",
	"2.5.4.65":                   "pseudonym",
	"2.5.4.72":                   "role",
	"2.5.4.97":                   "organizationIdentifier",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.3":  "mail",
	"0.9.2342.19200300.100.1.25": "DC",
	"1.2.840.113549.1.9.1":       "emailAddress",
	"1.2.840.113549.1.9.2":       "unstructuredName",
	"1.2.840.113549.1.9.8":       "unstructuredAddress",
}
