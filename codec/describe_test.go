package codec

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestStringText(t *testing.T) {
	for _, x := range []struct {
		p    Packet
		want string
	}{
		{&Pingreq{}, "PINGREQ"},
		{&Publish{Topic: Bytes("a/b"), QoS: QoS1, PacketID: 7, Retain: true, Payload: Bytes("secret")}, `PUBLISH QoS=1 Retain=true Topic=a/b PacketID=7 Payload="6 bytes"`},
		{&Connack{ReasonCode: ReasonNotAuthorized}, `CONNACK ReasonCode="0x87 Not authorized"`},
		{&Suback{PacketID: 1, ReasonCodes: []ReasonCode{0, 1, 0x80}}, `SUBACK PacketID=1 ReasonCodes="0x00 Granted QoS 0, 0x01 Granted QoS 1, 0x80 Unspecified error"`},
		{&Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes("a b"), QoS: QoS2, NoLocal: true}}}, `SUBSCRIBE PacketID=1 Filters[0].Filter="a b" Filters[0].NoLocal=true Filters[0].QoS=2`},
		{&Connect{ClientID: Bytes("c"), Username: Text("alice"), Password: Text("secret")}, "CONNECT ClientID=c Username=REDACTED Password=REDACTED"},
		{&Disconnect{Properties: DisconnectProperties{SessionExpiryInterval: Some[uint32](0)}}, "DISCONNECT SessionExpiryInterval=0"},
	} {
		if got := x.p.String(); got != x.want {
			t.Errorf("%s\nwant %s", got, x.want)
		}
	}
}

// secrets fills the fields whose content nobody may see in a log.
func secrets(p Packet, secret string) {
	switch p := p.(type) {
	case *Connect:
		p.Username, p.Password = Text(secret), Text(secret)
		p.Properties.AuthenticationData = Text(secret)
		p.Will.Value.Payload = Bytes(secret)
	case *Connack:
		p.Properties.AuthenticationData = Text(secret)
	case *Publish:
		p.Payload = Bytes(secret)
	case *Auth:
		p.Properties.AuthenticationData = Text(secret)
	}
}

// shown returns all that is shown of a packet: String, and two slog handlers.
func shown(p Packet) map[string]string {
	var text, json bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("received", "packet", p)
	slog.New(slog.NewJSONHandler(&json, nil)).Info("received", "packet", p)
	return map[string]string{"String": p.String(), "text handler": text.String(), "JSON handler": json.String()}
}

// Passwords, user names, authentication data and payloads are never shown, and
// everything else is.
func TestStringRedacts(t *testing.T) {
	const secret = "hunter2-Ω"
	for _, kind := range everyType {
		p := fullPacket(kind)
		secrets(p, secret)
		for what, s := range shown(p) {
			if strings.Contains(s, "hunter2") || strings.Contains(s, "Ω") {
				t.Errorf("%v: %s shows a secret: %s", kind, what, s)
			}
			if !strings.Contains(s, kind.String()) {
				t.Errorf("%v: %s does not name the packet: %s", kind, what, s)
			}
		}
		// Every field that is set has its name in the line.
		line := p.String()
		for _, l := range leaves(p) {
			name := l.path[strings.LastIndexByte(l.path, '.')+1:]
			if i := strings.IndexByte(name, '['); i >= 0 {
				name = name[:i]
			}
			if !l.value.IsZero() && !strings.Contains(line, name) {
				t.Errorf("%v: %s is not shown: %s", kind, l.path, line)
			}
		}
	}
}

// Whatever a peer sends, String is one line that can be read in one way, also
// for packets of DecodeLoose.
func TestStringIsOneLine(t *testing.T) {
	for _, text := range []string{
		"a\nb", "a\r\nb", "a\x00b", "a\x1b[31mb", "a\u0085b", "a\u2028b", "a\u2029b", "a\u202Eb", "a\u200Bb", "\uFEFFa", "a b", `a"b`, "a=b", "", "\xFF\xFE", "a\tb", "\u00ADa",
		strings.Repeat("x\n", 200), strings.Repeat("é", 200), strings.Repeat("\xFF", 300),
	} {
		for _, kind := range everyType {
			p := fullPacket(kind)
			for _, l := range leaves(p) {
				if setText(l.value, text) {
					continue
				}
				if u, ok := l.value.Addr().Interface().(*UserProperties); ok {
					u.Add(text, text)
				}
			}
			line := p.String()
			if !utf8.ValidString(line) {
				t.Errorf("%v with %q: not UTF-8: %q", kind, text, line)
			}
			for _, r := range line {
				if r != ' ' && !unicode.IsPrint(r) {
					t.Fatalf("%v with %q: %q in %q", kind, text, r, line)
				}
			}
			for what, s := range shown(p) {
				if strings.Count(strings.TrimSuffix(s, "\n"), "\n") > 0 {
					t.Errorf("%v with %q: %s has several lines: %q", kind, text, what, s)
				}
			}
		}
	}
	// A name cannot pretend to be another field.
	p := &Publish{Topic: Bytes("t")}
	p.Properties.UserProperties.Add("x Topic=other y", "z")
	if got, want := p.String(), `PUBLISH Topic=t "UserProperties.x Topic=other y"=z Payload="0 bytes"`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// Long texts are cut between two characters, and say how long they are.
func TestStringShortens(t *testing.T) {
	for _, x := range []struct {
		text  string
		whole bool
	}{
		{strings.Repeat("a", maxShown), true}, {strings.Repeat("a", maxShown+1), false},
		{"a" + strings.Repeat("é", maxShown/2), false}, {strings.Repeat("温", 86), false}, {strings.Repeat("😀", 65), false},
	} {
		p := &Publish{Topic: Bytes(x.text)}
		line := p.String()
		if strings.Contains(line, x.text) != x.whole || !utf8.ValidString(line) || strings.ContainsRune(line, utf8.RuneError) {
			t.Errorf("%d bytes: %s", len(x.text), line)
		}
		if !x.whole && (!strings.Contains(line, "bytes)") || len(line) > maxShown+80) {
			t.Errorf("%d bytes: %s", len(x.text), line)
		}
	}
}
