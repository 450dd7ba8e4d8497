package codec

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShown is how many bytes of a text String shows.
const maxShown = 256

// description collects the fields of a packet that are worth showing. Secrets
// and payloads never reach it.
type description struct {
	attrs []slog.Attr
}

// describe returns a packet as one line.
func describe(p Packet) string {
	var d description
	p.show(&d)
	var b strings.Builder
	b.WriteString(p.Type().String())
	writeAttrs(&b, d.attrs, "")
	return b.String()
}

func writeAttrs(b *strings.Builder, attrs []slog.Attr, prefix string) {
	for _, a := range attrs {
		if a.Value.Kind() == slog.KindGroup {
			writeAttrs(b, a.Value.Group(), prefix+a.Key+".")
			continue
		}
		b.WriteByte(' ')
		b.WriteString(quoted(prefix + a.Key)) // the key holds the name of a User Property
		b.WriteByte('=')
		b.WriteString(quoted(a.Value.String()))
	}
}

// quoted returns s in quotes where it could be misread or could break the line.
func quoted(s string) string {
	for _, r := range s {
		if r <= ' ' || r == '"' || r == '=' || r == utf8.RuneError || !strconv.IsPrint(r) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

// logValue returns a packet as a group.
func logValue(p Packet) slog.Value {
	d := description{attrs: []slog.Attr{slog.String("Packet", p.Type().String())}}
	p.show(&d)
	return slog.GroupValue(d.attrs...)
}

func (d *description) add(name string, value slog.Value) {
	d.attrs = append(d.attrs, slog.Attr{Key: name, Value: value})
}

// flag shows a flag that is set.
func (d *description) flag(name string, set bool) {
	if set {
		d.add(name, slog.BoolValue(true))
	}
}

// number shows a number that is not 0.
func (d *description) number(name string, x uint32) {
	if x != 0 {
		d.some(name, x)
	}
}

// some shows a number, also where it is 0.
func (d *description) some(name string, x uint32) { d.add(name, slog.Uint64Value(uint64(x))) }

// text shows a text or binary field, shortened.
func (d *description) text(name string, s []byte) {
	if len(s) > maxShown {
		d.add(name, slog.StringValue(sized(string(shorten(s)), len(s))))
		return
	}
	d.add(name, slog.StringValue(string(s)))
}

// shorten cuts s without tearing a character apart.
func shorten(s []byte) []byte {
	n := maxShown
	for n > maxShown-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// secret shows that there is a value, and not which.
func (d *description) secret(name string) { d.add(name, slog.StringValue("REDACTED")) }

// payload shows the size of a payload.
func (d *description) payload(name string, s []byte) {
	d.add(name, slog.StringValue(strconv.Itoa(len(s))+" bytes"))
}

func (d *description) reason(name string, c ReasonCode, t PacketType) {
	if c != 0 {
		d.add(name, slog.StringValue(fmt.Sprintf("0x%02X %s", uint8(c), c.Name(t))))
	}
}

func (d *description) reasons(name string, codes []ReasonCode, t PacketType) {
	names := make([]string, len(codes))
	for i, c := range codes {
		names[i] = fmt.Sprintf("0x%02X %s", uint8(c), c.Name(t))
	}
	if len(names) > 0 {
		d.add(name, slog.StringValue(strings.Join(names, ", ")))
	}
}

func (d *description) element(name string, i int, e interface{ show(*description) }) {
	var inner description
	e.show(&inner)
	d.attrs = append(d.attrs, slog.Attr{Key: fmt.Sprintf("%s[%d]", name, i), Value: slog.GroupValue(inner.attrs...)})
}

func (d *description) users(name string, u *UserProperties) {
	for k, v := range u.All() {
		d.text(name+"."+string(k), v)
	}
}

func (d *description) identifiers(name string, s *SubscriptionIdentifiers) {
	for id := range s.All() {
		d.some(name, id)
	}
}
