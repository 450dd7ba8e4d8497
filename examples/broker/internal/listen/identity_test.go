package listen

import (
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// part returns one attribute of a name.
func part(t *testing.T, tag int, value string, id ...int) attribute {
	t.Helper()
	der, err := asn1.Marshal(asn1.RawValue{Tag: tag, Bytes: []byte(value)})
	if err != nil {
		t.Fatal(err)
	}
	return attribute{Type: id, Value: asn1.RawValue{FullBytes: der}}
}

// The texts are what `openssl x509 -subject -nameopt RFC2253` prints, which is
// what mosquitto takes.
func TestIdentity(t *testing.T) {
	const utf8, printable, ia5, bmp = asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagBMPString
	cn := func(value string) attributeSET { return attributeSET{part(t, utf8, value, 2, 5, 4, 3)} }
	for _, tt := range []struct {
		name          name
		common, whole string
	}{
		{name{cn("client")}, "client", "CN=client"},
		{name{{part(t, printable, "DE", 2, 5, 4, 6)}, {part(t, utf8, "Example", 2, 5, 4, 10)}, cn("device 7")}, "device 7", "CN=device 7,O=Example,C=DE"},
		{name{cn("first"), cn("second")}, "first", "CN=second,CN=first"},
		{name{{part(t, utf8, "y", 2, 5, 4, 3), part(t, utf8, "x", 2, 5, 4, 11)}}, "y", "OU=x+CN=y"},
		{name{cn(` a,b+c"d\e<f>g;h `)}, ` a,b+c"d\e<f>g;h `, `CN=\ a\,b\+c\"d\\e\<f\>g\;h\ `},
		{name{cn("#1#")}, "#1#", `CN=\#1#`},
		{name{cn("Zoë")}, "Zoë", `CN=Zo\C3\AB`},
		{name{{part(t, bmp, "\x00Z\x00o\x00\xeb", 2, 5, 4, 3)}}, "Zoë", `CN=Zo\C3\AB`},
		{name{cn("c"), {part(t, ia5, "a@b.c", 1, 2, 840, 113549, 1, 9, 1)}}, "c", "emailAddress=a@b.c,CN=c"},
		{name{{part(t, ia5, "example", 0, 9, 2342, 19200300, 100, 1, 25)}, cn("c"), {part(t, utf8, "u", 0, 9, 2342, 19200300, 100, 1, 1)}}, "c", "UID=u,CN=c,DC=example"},
		{name{cn("c"), {part(t, utf8, "own", 1, 2, 3, 4)}}, "c", "1.2.3.4=#0C036F776E,CN=c"},
	} {
		der, err := asn1.Marshal(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		chain := []*x509.Certificate{{RawSubject: der}}
		if user, has, err := identity(&config.TLS{UseIdentityAsUsername: true}, chain); err != nil || !has || user != tt.common {
			t.Errorf("%s: Common Name %q, error %v", tt.whole, user, err)
		}
		if user, has, err := identity(&config.TLS{UseSubjectAsUsername: true}, chain); err != nil || !has || user != tt.whole {
			t.Errorf("subject %q, want %q, error %v", user, tt.whole, err)
		}
		if _, has, err := identity(new(config.TLS), chain); err != nil || has {
			t.Errorf("a user name nobody asked for; error %v", err)
		}
	}
	for _, n := range []name{{}, {cn("")[:1]}, {cn("a\x00b")}, {cn("a\nb")}, {{part(t, utf8, "x", 2, 5, 4, 10)}}} {
		der, err := asn1.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		if user, has, err := identity(&config.TLS{UseIdentityAsUsername: true}, []*x509.Certificate{{RawSubject: der}}); err == nil || has {
			t.Errorf("%v: user name %q", n, user)
		}
	}
	empty, err := asn1.Marshal(name{})
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range [][]byte{{1}, empty} {
		if user, _, err := identity(&config.TLS{UseSubjectAsUsername: true}, []*x509.Certificate{{RawSubject: der}}); err == nil {
			t.Errorf("subject % X: user name %q", der, user)
		}
	}
}
