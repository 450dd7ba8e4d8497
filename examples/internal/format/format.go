// Package format prints messages as mosquitto_sub's option -F describes it.
package format

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Format is a format that was read, see Parse.
type Format struct{ parts []part }

// part is a piece of literal text, or a field.
type part struct {
	text      string
	verb      byte // 0 for text
	strftime  bool // verb is one of strftime
	left      bool // align left
	zero      bool // fill with zeros
	width     int
	precision int // -1 for none
}

// Message is what a format prints.
type Message struct {
	*codec.Publish
	PacketID uint32
	At       time.Time
	Pretty   bool // JSON in several lines

	// NotJSON is set by Append where %J meets a payload that is no JSON.
	NotJSON bool
}

// verbs are the letters that may follow %.
const verbs = "ACDEFIJPRSUXjlmpqrtx"

// padded are those that a 0 fills with zeros.
const padded = "AEFSXlmpx"

// escapes are the letters that may follow a backslash.
var escapes = map[byte]string{'\\': "\\", '0': "\x00", 'a': "\a", 'e': "\x1b", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// widest bounds widths and precisions.
const widest = 10000

// Parse reads a format:
//
//	%t topic   %p payload   %x %X payload in hex   %l its length
//	%q QoS     %r retain    %m packet identifier
//	%j the message as JSON  %J the same with a payload that is JSON itself, or nothing
//	%I %U time of arrival, ISO 8601 and seconds since 1970
//	%A %C %D %E %F %P %R %S topic alias, content type, correlation data,
//	   expiry, payload format indicator, user properties, response topic,
//	   subscription identifiers
//	%% a percent sign       @X what date +%X prints        @@ an at sign
//	\\ \0 \a \e \n \r \t \v as in C
//
// Between % and the letter may stand a - for left, a 0 for zeros, a width and,
// after a point, a precision.
func Parse(s string) (*Format, error) {
	f := new(Format)
	var text strings.Builder
	for i := 0; i < len(s); {
		var p part
		n := 1
		var err error
		switch s[i] {
		case '%':
			p, n, err = parseVerb(s[i:])
		case '@':
			p, n, err = parseTime(s[i:])
		case '\\':
			p, n, err = parseEscape(s[i:])
		default:
			p.text = s[i : i+1]
		}
		if err != nil {
			return nil, err
		}
		i += n
		if p.verb == 0 {
			text.WriteString(p.text)
			continue
		}
		f.flush(&text)
		f.parts = append(f.parts, p)
	}
	f.flush(&text)
	return f, nil
}

func (f *Format) flush(text *strings.Builder) {
	if text.Len() > 0 {
		f.parts = append(f.parts, part{text: text.String()})
		text.Reset()
	}
}

var errIncomplete = errors.New("the format ends in the middle of a field")

func parseVerb(s string) (p part, n int, err error) {
	p.precision = -1
	i := 1
	for ; i < len(s) && (s[i] == '-' || s[i] == '0'); i++ {
		p.left = p.left || s[i] == '-'
		p.zero = p.zero || s[i] == '0'
	}
	if p.width, i, err = parseNumber(s, i); err != nil {
		return p, 0, err
	}
	if i < len(s) && s[i] == '.' {
		if p.precision, i, err = parseNumber(s, i+1); err != nil {
			return p, 0, err
		}
	}
	switch {
	case i >= len(s):
		return p, 0, errIncomplete
	case s[i] == '%':
		return part{text: "%"}, i + 1, nil
	case strings.IndexByte(verbs, s[i]) < 0:
		return p, 0, fmt.Errorf("there is no field %%%c", s[i])
	}
	p.verb = s[i]
	return p, i + 1, nil
}

func parseNumber(s string, i int) (n, end int, err error) {
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if n = n*10 + int(s[i]-'0'); n > widest {
			return 0, i, fmt.Errorf("no width may be above %d", widest)
		}
	}
	return n, i, nil
}

func parseTime(s string) (p part, n int, err error) {
	switch {
	case len(s) < 2:
		return p, 0, errIncomplete
	case s[1] == '@':
		return part{text: "@"}, 2, nil
	case strftimeLayouts[s[1]] == "" && !strings.ContainsRune(strftimeComputed, rune(s[1])):
		return p, 0, fmt.Errorf("there is no field @%c", s[1])
	}
	return part{verb: s[1], strftime: true, precision: -1}, 2, nil
}

func parseEscape(s string) (p part, n int, err error) {
	if len(s) < 2 {
		return p, 0, errIncomplete
	}
	text, ok := escapes[s[1]]
	if !ok {
		return p, 0, fmt.Errorf("there is no escape \\%c", s[1])
	}
	return part{text: text}, 2, nil
}

// Append appends the message in this format.
func (f *Format) Append(dst []byte, m *Message) []byte {
	for i := range f.parts {
		p := &f.parts[i]
		switch {
		case p.verb == 0:
			dst = append(dst, p.text...)
		case p.strftime:
			dst = appendTime(dst, p.verb, m.At)
		case p.verb == 'R' && !m.Properties.ResponseTopic.Set:
			// mosquitto_sub prints nothing then, whatever the width is.
		default:
			start := len(dst)
			dst = p.fit(m.appendField(dst, p.verb, p.precision), start)
		}
	}
	return dst
}

// fit gives the field that begins at start its width.
func (p *part) fit(dst []byte, start int) []byte {
	n := len(dst) - start
	missing := p.width - n
	if missing <= 0 {
		return dst
	}
	fill := " "
	if p.zero && !p.left && strings.IndexByte(padded, p.verb) >= 0 {
		fill = "0"
	}
	dst = append(dst, strings.Repeat(fill, missing)...)
	if p.left {
		return dst
	}
	copy(dst[start+missing:], dst[start:start+n])
	copy(dst[start:], strings.Repeat(fill, missing))
	return dst
}
