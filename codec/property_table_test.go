package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

// propertyTable is spec/testdata/properties.yaml, which was typed from the
// standard apart from the files that the codec is generated from.
type propertyTable struct {
	Properties []propertyRow
}

type propertyRow struct {
	ID                             uint8
	Hex, Name, Ident, Type, Repeat string
	Packets                        map[string]string
	Min, Max                       *uint64
	OutOfRange                     string `yaml:"out_of_range"`
	Values, Absent, Notes          string
	BadValue                       string `yaml:"bad_value"`
}

// values returns encoded values of the property: legal ones, and those outside
// of its range.
func (x *propertyRow) values(t *testing.T) (legal, illegal [][]byte) {
	number := func(n uint64) []byte {
		switch x.Type {
		case "byte":
			return []byte{byte(n)}
		case "two byte integer":
			return binary.BigEndian.AppendUint16(nil, uint16(n))
		case "four byte integer":
			return binary.BigEndian.AppendUint32(nil, uint32(n))
		}
		return appendVarint(nil, uint32(n))
	}
	limit := map[string]uint64{"byte": 255, "two byte integer": 65_535, "four byte integer": 1<<32 - 1, "variable byte integer": MaxRemaining}
	switch x.Type {
	case "utf-8 string":
		return [][]byte{[]byte("\x00\x01a"), []byte("\x00\x04text")}, nil
	case "binary data":
		return [][]byte{{0, 0}, {0, 2, 0, 0xFF}}, nil
	case "utf-8 string pair":
		return [][]byte{{0, 0, 0, 0}, []byte("\x00\x01a\x00\x02bc")}, nil
	}
	if x.Min == nil || x.Max == nil {
		t.Fatalf("%s has no range", x.Name)
	}
	legal = [][]byte{number(*x.Min), number((*x.Min + *x.Max) / 2), number(*x.Max)}
	if *x.Min > 0 {
		illegal = append(illegal, number(*x.Min-1))
	}
	if *x.Max < limit[x.Type] {
		illegal = append(illegal, number(*x.Max+1), number(limit[x.Type]))
	}
	return legal, illegal
}

// propertyPlaces are the packets that carry properties, and WILL. Each is built
// around a block.
var propertyPlaces = map[string]func(block []byte) []byte{
	"CONNECT": func(b []byte) []byte { return joined(0x10, "\x00\x04MQTT\x05\x02\x00\x00", b, "\x00\x00") },
	"WILL": func(b []byte) []byte {
		return joined(0x10, "\x00\x04MQTT\x05\x06\x00\x00\x00\x00\x00", b, "\x00\x01w\x00\x00")
	},
	"CONNACK":     func(b []byte) []byte { return joined(0x20, "\x00\x00", b, "") },
	"PUBLISH":     func(b []byte) []byte { return joined(0x30, "\x00\x01t", b, "payload") },
	"PUBACK":      func(b []byte) []byte { return joined(0x40, "\x00\x01\x00", b, "") },
	"PUBREC":      func(b []byte) []byte { return joined(0x50, "\x00\x01\x00", b, "") },
	"PUBREL":      func(b []byte) []byte { return joined(0x62, "\x00\x01\x00", b, "") },
	"PUBCOMP":     func(b []byte) []byte { return joined(0x70, "\x00\x01\x00", b, "") },
	"SUBSCRIBE":   func(b []byte) []byte { return joined(0x82, "\x00\x01", b, "\x00\x01a\x00") },
	"SUBACK":      func(b []byte) []byte { return joined(0x90, "\x00\x01", b, "\x00") },
	"UNSUBSCRIBE": func(b []byte) []byte { return joined(0xA2, "\x00\x01", b, "\x00\x01a") },
	"UNSUBACK":    func(b []byte) []byte { return joined(0xB0, "\x00\x01", b, "\x00") },
	"DISCONNECT":  func(b []byte) []byte { return joined(0xE0, "\x00", b, "") },
	"AUTH":        func(b []byte) []byte { return joined(0xF0, "\x18", b, "") },
}

func joined(first byte, before string, block []byte, after string) []byte {
	body := appendVarint([]byte(before), uint32(len(block)))
	return frameOf(first, append(append(body, block...), after...))
}

const methodProperty = "\x15\x00\x01m"

// blockOf returns a block with the given property, and with the Authentication
// Method where it is needed.
func blockOf(place string, id byte, values ...[]byte) (block []byte) {
	if id != 0x15 && (place == "AUTH" || id == 0x16 && (place == "CONNECT" || place == "CONNACK")) {
		block = []byte(methodProperty)
	}
	for _, value := range values {
		block = append(append(block, id), value...)
	}
	return block
}

// Every property identifier in every packet from every side, once and twice,
// with legal values and with values out of range, against the table.
func TestPropertyTable(t *testing.T) {
	var table propertyTable
	readYAML(t, "../spec/testdata/properties.yaml", &table)
	if len(table.Properties) != 27 {
		t.Fatalf("%d properties", len(table.Properties))
	}
	rows := map[byte]*propertyRow{}
	for i := range table.Properties {
		rows[table.Properties[i].ID] = &table.Properties[i]
	}
	tested := 0
	for place, packet := range propertyPlaces {
		for n := range 256 {
			x := rows[byte(n)]
			if x == nil || x.Packets[place] == "" {
				refuse(t, fmt.Sprintf("%s with property 0x%02X", place, n), packet(blockOf(place, byte(n), make([]byte, 6))), V5, ErrMalformed, ReasonMalformedPacket, "U5-2.2.2.2-a") // [U5-2.2.2.2-a] v5
				continue
			}
			tested++
			x.test(t, place, packet)
		}
	}
	want := 0
	for _, x := range table.Properties {
		want += len(x.Packets)
	}
	if tested != want || want < 60 {
		t.Errorf("%d pairs of packet and property tested, the table has %d", tested, want)
	}
}

// test tries the property in one packet that may carry it.
func (x *propertyRow) test(t *testing.T, place string, packet func([]byte) []byte) {
	legal, illegal := x.values(t)
	name := place + " with " + x.Name
	who := x.Packets[place]
	for _, value := range legal {
		data := packet(blockOf(place, x.ID, value))
		for _, from := range []string{"client", "server", ""} {
			if PacketType(data[0]>>4) == TypeConnack && from == "client" || from == "server" && data[0] == 0x10 {
				continue // the packet itself is illegal
			}
			p, err := decodeWhole(data, side(V5, from))
			switch {
			case from == "" || who == "both" || who == from:
				if err != nil {
					t.Errorf("%s from %q: %x: %v", name, from, data, err)
				} else {
					checkAccepted(t, data, V5, p)
				}
			case err == nil && !sentByOneSide(place):
				t.Errorf("%s from the %s was accepted: %x", name, from, data)
			}
		}
	}
	code := ReasonProtocolError
	if x.OutOfRange != "" {
		code = parseCode(t, x.OutOfRange)
	}
	for _, value := range illegal {
		refuse(t, name+" out of range", packet(blockOf(place, x.ID, value)), V5, ErrProtocol, code, "")
	}
	if x.Type == "utf-8 string" || x.Type == "utf-8 string pair" {
		rule := "MQTT-1.5.4-1" // [MQTT-1.5.4-1] v5
		switch x.Ident {
		case "UserProperty":
			rule = "MQTT-1.5.7-1" // [MQTT-1.5.7-1] v5
		case "ResponseTopic":
			rule = "MQTT-3.3.2-13" // [MQTT-3.3.2-13] v5
		case "ContentType":
			rule = "MQTT-3.3.2-19" // [MQTT-3.3.2-19] v5
		}
		value := "\x00\x01\xFF"
		if x.Ident == "UserProperty" {
			value += "\x00\x00"
		}
		refuse(t, name+", ill-formed", packet(blockOf(place, x.ID, []byte(value))), V5, ErrMalformed, ReasonMalformedPacket, rule)
	}
	twice := packet(blockOf(place, x.ID, legal[0], legal[1]))
	again := packet(blockOf(place, x.ID, legal[0], legal[0]))
	if x.Repeat == "repeatable" || x.Repeat == "publish_only" && place == "PUBLISH" {
		for _, data := range [][]byte{twice, again} {
			checkAccepted(t, data, V5, mustDecode(t, data, V5))
		}
		return
	}
	for _, data := range [][]byte{twice, again} {
		refuse(t, name+" twice", data, V5, ErrProtocol, ReasonProtocolError, "U5-2.2.2.2-b") // [U5-2.2.2.2-b] v5
	}
}

// sentByOneSide reports whether the side is a matter of the packet, and not of
// the property.
func sentByOneSide(place string) bool {
	switch place {
	case "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP", "DISCONNECT", "AUTH":
		return false
	}
	return true
}

func refuse(t *testing.T, what string, data []byte, v Version, class error, code ReasonCode, rule string) {
	t.Helper()
	p, err := decodeWhole(data, v)
	if err == nil {
		t.Errorf("%s: %x was accepted: %v", what, data, p)
		return
	}
	if e := typed(t, err); !errors.Is(e, class) || e.Reason() != code || rule != "" && e.Rule != rule {
		t.Errorf("%s: %x: %v, reason code 0x%02X; want %v, 0x%02X [%s]", what, data, err, uint8(e.Reason()), class, uint8(code), rule)
	}
}
