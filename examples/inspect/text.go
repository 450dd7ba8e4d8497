package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mqttcore/mqttcore/codec"
)

// showText prints a packet as a line, with its faults and what else is asked for
// below.
func (i *inspector) showText(c *connection, p *packet) {
	i.write(i.line(c, p) + "\n")
	for _, err := range p.faults {
		i.complain(err)
	}
	if i.verbose || i.dump {
		i.tree(p)
	}
	if i.payload {
		i.payloads(p)
	}
}

// complain prints a fault.
func (i *inspector) complain(err *codec.Error) {
	i.write("    " + i.paint(red, "! "+faultText(err)) + "\n")
	if says := statement(err.Version, err.Rule); says != "" {
		i.write("      " + i.paint(dim, err.Rule+" says: "+says) + "\n")
	}
}

// webSocketName is the name of what is wrong around packets.
const webSocketName = "WebSocket"

func (i *inspector) showBreachText(c *connection, b *breach) {
	words := i.begin(c, b.at, c.carriers[b.from].mqtt.offset, b.from)
	words = append(words, i.paint(bold+";"+red, webSocketName), b.what)
	i.write(strings.Join(words, " ") + "\n")
	i.complain(b.fault)
}

// begin returns what lines begin with: when or where, from whom.
func (i *inspector) begin(c *connection, at time.Time, offset int, from side) (words []string) {
	if c.offsets {
		words = append(words, i.paint(dim, fmt.Sprintf("@%d", offset)))
	} else {
		words = append(words, i.paint(dim, clock(at)))
	}
	if from != nobody {
		words = append(words, i.paint(dim, [...]string{">", "<"}[from]))
	}
	if a := c.addresses[client]; a != "" {
		words = append(words, a)
	}
	return words
}

// faultText returns where and what, without the name of the packet.
func faultText(err *codec.Error) string {
	text := err.Error()
	if err.Packet != 0 {
		text = strings.TrimPrefix(text, err.Packet.String()+": ")
	}
	return text
}

// line returns a packet in a line.
func (i *inspector) line(c *connection, p *packet) string {
	words := i.begin(c, p.at, p.offset, p.from)
	color := bold + ";" + cyan
	if p.from == server {
		color = bold + ";" + green
	}
	if len(p.faults) > 0 {
		color = bold + ";" + red
	}
	words = append(words, i.paint(color, p.root.Name))
	words = append(words, i.summary(p)...)
	return strings.Join(words, " ")
}

// mostWords is how many fields of a packet a line shows.
const mostWords = 40

// summary returns the fields of a packet that say something: flags and the
// identifier before the others.
func (i *inspector) summary(p *packet) []string {
	var flags, id, rest []string
	var above []*codec.Part // the part and those that it is in
	left := 0
	for depth, part := range p.root.All() {
		above = append(above[:depth], part)
		if len(part.Parts) > 0 || isStructure(part) {
			continue
		}
		switch text := i.valueText(p, part); {
		case text == "":
		case part.Path == "PacketID":
			id = append(id, "#"+text)
		case part.Path == "QoS":
			flags = append(flags, "q"+text)
		case part.Path == "Dup" || part.Path == "Retain":
			if part.Value == true {
				flags = append(flags, strings.ToLower(part.Name))
			}
		default:
			if words := i.words(p, part, above[depth-1], text); len(rest) < mostWords || part.Payload {
				rest = append(rest, words...)
			} else {
				left += len(words)
			}
		}
	}
	if left > 0 {
		rest = append(rest, fmt.Sprintf("… and %d more", left))
	}
	return append(append(flags, id...), rest...)
}

// words returns what a line says of a part, which may be nothing.
func (i *inspector) words(p *packet, part, parent *codec.Part, text string) []string {
	name := part.Name
	switch {
	case part.Name == "Undecoded":
		return []string{text + " undecoded"}
	case isCode(part):
		return []string{text}
	case part.Name == "ProtocolLevel":
		return []string{levelText(part, text)}
	case part.Path == "Topic":
		return []string{topicText(p, text)}
	case part.Payload && part.Value != nil:
		return []string{payloadWord(p, part)}
	case part.Name == "Filter" || strings.HasPrefix(part.Path, "Filters[") && strings.HasSuffix(part.Path, "]"):
		return []string{text}
	case part.Name == "QoS" && strings.HasPrefix(part.Path, "Filters["):
		return []string{"q" + text}
	case strings.HasPrefix(part.Path, "Will.") && part.Mask == 0:
		name = part.Path
	case part.Name == "Value" && len(parent.Parts) == 3: // a pair with its identifier
		name = strings.ReplaceAll(parent.Name, " ", "") + "." + i.valueText(p, parent.Parts[1])
	case part.Name == "Value":
		name = strings.ReplaceAll(parent.Name, " ", "")
	case part.Name == "Name" && len(parent.Parts) == 3:
		return nil // with its value
	case part.Value == false || part.Value == uint64(0) || part.Value == codec.QoS0 || part.Value == codec.RetainHandling(0):
		return nil
	case part.Value == true:
		return []string{name}
	}
	return []string{name + "=" + text}
}

// isStructure reports whether a part is only there so that others can be read: it
// has no meaning itself, or is a bit that tells of a field.
func isStructure(part *codec.Part) bool {
	switch part.Name {
	case "Packet Type", "Flags", "Remaining Length", "Property Length", "Identifier", "ProtocolName":
		return true
	}
	return part.Mask != 0 && part.Path == ""
}

func isCode(part *codec.Part) bool {
	_, ok := part.Value.(codec.ReasonCode)
	return ok
}

// levelText returns a protocol level as the version that it stands for.
func levelText(part *codec.Part, text string) string {
	if level, ok := part.Value.(uint64); ok && codec.Version(level).Known() && level < 8 {
		return codec.Version(level).String()
	}
	return part.Name + "=" + text
}

// payloadWord returns the size of a payload, also of one that is cut.
func payloadWord(p *packet, part *codec.Part) string {
	text := count(len(part.Value.(codec.Bytes)))
	if p.cut && part.Path == "Payload" {
		text = count(part.Len + p.size - len(p.bytes))
	}
	if part.Path != "Payload" {
		return part.Path + "=(" + text + ")"
	}
	return text
}

// topicText returns a topic, also where an alias stands for it.
func topicText(p *packet, text string) string {
	if text == `""` && p.topic != "" {
		alias := codec.Part{Value: codec.Bytes(p.topic)}
		return "(" + alias.Text() + ")"
	}
	return text
}

// valueText returns the value of a part for people.
func (i *inspector) valueText(p *packet, part *codec.Part) string {
	if i.hidden(p, part) {
		return "REDACTED"
	}
	if part.Name == "Undecoded" {
		return count(part.Len)
	}
	if code, ok := part.Value.(codec.ReasonCode); ok {
		return fmt.Sprintf("0x%02X %s", uint8(code), code.Name(codec.PacketType(p.bytes[0]>>4)))
	}
	shown := *part
	shown.Secret = false
	return shown.Text()
}

// hidden reports whether the bytes of a part are kept secret. What could not be
// read of a packet that can have secrets may be one, and so may all that follows.
func (i *inspector) hidden(p *packet, part *codec.Part) bool {
	if i.secrets || len(part.Parts) > 0 {
		return false
	}
	unread := part.Value == nil || part.Name == "Undecoded"
	header := part.Offset == 0 || part.Name == "Remaining Length"
	return part.Secret || unread && mayHaveSecrets(p) || p.damaged && !header
}

// tree prints the parts of a packet, with their bytes if asked for.
func (i *inspector) tree(p *packet) {
	for depth, part := range p.root.All() {
		leaf := len(part.Parts) == 0
		if i.verbose && depth > 0 {
			place := fmt.Sprintf("%5d+%-3d", part.Offset, part.Len)
			if part.Mask != 0 {
				place = fmt.Sprintf("%5d:%08b", part.Offset, part.Mask)
			}
			text := strings.TrimRight(strings.Repeat("  ", depth)+part.Name+" "+i.valueText(p, part), " ")
			if len(part.Faults) > 0 {
				text = i.paint(red, text+" !")
			}
			i.write(fmt.Sprintf("%s %s %s\n", strings.Repeat(" ", 4), i.paint(dim, fmt.Sprintf("%-15s", place)), text))
		}
		if i.dump && leaf && part.Mask == 0 || i.dump && isBits(part) {
			i.bytesOf(p, part)
		}
	}
}

// isBits reports whether the parts of a part are bits, which are dumped together.
func isBits(part *codec.Part) bool { return len(part.Parts) > 0 && part.Parts[0].Mask != 0 }

// bytesOf prints the bytes of a part. Those of payloads are asked for separately.
func (i *inspector) bytesOf(p *packet, part *codec.Part) {
	const perLine = 16
	b := p.bytes[min(part.Offset, len(p.bytes)):min(part.Offset+part.Len, len(p.bytes))]
	switch {
	case len(b) == 0:
		return
	case i.hidden(p, part):
		i.dumpLine(part.Offset, part.Name, "REDACTED, "+count(len(b)), "")
		return
	case !i.payload && (part.Payload || part.Name == "Undecoded" && p.bytes[0]>>4 == byte(codec.TypePublish)):
		i.dumpLine(part.Offset, part.Name, count(len(b)), "")
		return
	}
	for at := 0; at < len(b); at += perLine {
		line := b[at:min(at+perLine, len(b))]
		name := part.Name
		if at > 0 {
			name = ""
		}
		i.dumpLine(part.Offset+at, name, fmt.Sprintf("% x", line), printable(line))
	}
}

func (i *inspector) dumpLine(offset int, name, digits, text string) {
	line := fmt.Sprintf("    %06x  %-48s %-16s %s", offset, digits, text, name)
	i.write(i.paint(dim, strings.TrimRight(line, " ")) + "\n")
}

// printable returns bytes as ASCII, with points for others.
func printable(b []byte) string {
	ascii := []byte(strings.Repeat(".", len(b)))
	for i, c := range b {
		if c >= ' ' && c <= '~' {
			ascii[i] = c
		}
	}
	return string(ascii)
}

// payloads prints the payloads of a packet.
func (i *inspector) payloads(p *packet) {
	for _, part := range p.root.All() {
		b, ok := part.Value.(codec.Bytes)
		if !part.Payload || !ok || len(b) == 0 || i.hidden(p, part) {
			continue
		}
		for line := range strings.Lines(i.payloadText(b)) {
			i.write("    | " + strings.TrimSuffix(line, "\n") + "\n")
		}
		if p.cut && part.Path == "Payload" {
			i.write(fmt.Sprintf("    | … the first %s of the packet\n", count(len(p.bytes))))
		}
	}
}

// payloadText returns a payload as text, or in hexadecimal digits if it is none.
func (i *inspector) payloadText(b []byte) string {
	var pretty bytes.Buffer
	if i.pretty && json.Indent(&pretty, b, "", "  ") == nil {
		b = pretty.Bytes()
	}
	if text := strings.ReplaceAll(string(b), "\r\n", "\n"); isText(text) {
		return text
	}
	return hex.Dump(b)
}

// isText reports whether a text can be printed without doing anything to a terminal.
func isText(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
