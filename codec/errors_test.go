package codec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// What an error says, in full, for one fault of each kind.
func TestErrorText(t *testing.T) {
	for _, x := range []struct {
		v               Version
		hex, want, rule string
	}{
		{V311, "3605 0001 74 000a", "PUBLISH: malformed packet: QoS at byte 0: the value is out of range", "MQTT-3.3.1-4"},
		{V5, "8207 000a 00 0001 61 03", "SUBSCRIBE: protocol error: Filters[0].QoS at byte 8: the value is out of range", "U5-3.8.3.1-a"},
		{V5, "c001 00", "PINGREQ: malformed packet at byte 2: bytes are left over after the last field", ""},
		{V5, "3000", "PUBLISH: malformed packet: Topic at byte 2: the packet ends before the field does", ""},
		{V5.FromServer(), "c000", "PINGREQ: protocol error at byte 0: this side may not send the packet", ""},
		{V5, "100d 0004 4d515454 04 02 003c 0001 63", "CONNECT: unsupported protocol version: ProtocolLevel at byte 8: the protocol level is not the one of the link", "MQTT-3.1.2-2"},
		{V5, "20ffffffff01", "malformed packet: Remaining Length at byte 1: the variable byte integer has more than four bytes", "U5-1.5.5-a"},
		{V5, "0000", "malformed packet: Packet Type at byte 0: there is no such packet type", "U5-2.1.2-a"},
	} {
		want := x.want
		if x.rule != "" {
			want += " [" + x.rule + "]"
		}
		_, err := decodeWhole(unhex(t, x.hex), x.v)
		if err == nil || err.Error() != want {
			t.Errorf("%s:\n%v\n%s", x.hex, err, want)
		}
	}
	err := (&Publish{Topic: Bytes("a/+")}).Validate(V5)
	if want := "PUBLISH: protocol error: Topic: the name holds a wildcard [" + "MQTT-3.3.2-2]"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Every fault has a text, a class and a code in both versions, and classes go
// with their codes.
func TestErrorTable(t *testing.T) {
	classes := map[error]ReasonCode{
		ErrMalformed: ReasonMalformedPacket, ErrProtocol: ReasonProtocolError, ErrTooLarge: ReasonPacketTooLarge,
		ErrUnsupportedVersion: ReasonUnsupportedProtocolVersion, ErrVersion: ReasonProtocolError,
	}
	if len(faults) < 30 {
		t.Fatalf("only %d faults", len(faults))
	}
	for i := 1; i < len(faults); i++ {
		info := &faults[i]
		if info.detail == "" || strings.ContainsAny(info.detail, "\n%") {
			t.Errorf("fault %d: %q", i, info.detail)
		}
		for _, x := range []verdict{info.v311, info.v5} {
			if code, ok := classes[x.class]; !ok || x.code != code {
				t.Errorf("%s: class %v with reason code 0x%02X", info.detail, x.class, uint8(x.code))
			}
		}
	}
}

// Where an error is: the field by its name in Go, and the byte where it begins.
func TestErrorPlace(t *testing.T) {
	for _, x := range []struct {
		v     Version
		first byte
		body  string
		field string
		at    int
	}{
		{V311, 0x10, "0004", "ProtocolName", 2},
		{V311, 0x10, "0004 4d515454", "ProtocolLevel", 8},
		{V311, 0x10, connect4, "ConnectFlags", 9},
		{V311, 0x10, connect4 + "02 00", "KeepAlive", 10},
		{V311, 0x10, connect4 + "02 0000 0005 63", "ClientID", 12},
		{V5, 0x10, connect5 + "02 0000 05 11 000000", "Properties", 12},
		{V5, 0x10, connect5 + "02 0000 05 11 000000 0000", "ClientID", 18},
		{V5, 0x10, connect5 + "06 0000 00 0000 02 0102 0001 77 0000", "Will.Properties.PayloadFormatIndicator", 17},
		{V5, 0x10, connect5 + "06 0000 00 0000 00 0001 77 0009", "Will.Payload", 19},
		{V5, 0x20, "00", "ReasonCode", 3},
		{V311, 0x32, "0001 74 00", "PacketID", 5},
		{V5, 0x32, "0001 74 000a", "Properties", 7},
		{V5, 0x30, "0001 74 07 01 01 02 00 00 00", "Properties", 5},
		{V5, 0x30, "0001 74 05 01 01 02 00 00", "Properties.MessageExpiryInterval", 9},
		{V311, 0x82, "000a 0001 61 00 0002 6223 01", "Filters[1].Filter", 8},
		{V311, 0x82, "000a 0001 61 00 0001 62 01 0001 63", "Filters[2].Options", 15},
		{V311, 0x90, "000a 00 01 80 7f", "ReasonCodes[3]", 7},
		{V311, 0xA2, "000a 0001 61 0001 62 0003 63", "Filters[2]", 10},
		{V5, 0xE0, "00 05 26 0001 61", "Properties", 3},
		{V5, 0xE0, "00 06 26 0001 61 0001", "Properties.UserProperties", 8},
	} {
		_, err := decodeWhole(frameOf(x.first, unhex(t, x.body)), x.v)
		if e := typed(t, err); e.Field != x.field || e.Offset != x.at {
			t.Errorf("%02x %s: %v, want %s at byte %d", x.first, x.body, err, x.field, x.at)
		}
	}
	// A longer fixed header moves the places behind it.
	body := append(unhex(t, "0001 ff 00"), make([]byte, 200)...)
	_, err := decodeWhole(frameOf(0x30, body), V5)
	if e := typed(t, err); e.Field != "Topic" || e.Offset != 3 {
		t.Errorf("%v, want Topic at byte 3", err)
	}
}

// The first fault of several is the one that is reported.
func TestErrorIsTheFirst(t *testing.T) {
	for hex, field := range map[string]string{
		"30 0001 ff 02 0102":            "Topic",
		"30 0001 74 04 0102 0103":       "Properties.PayloadFormatIndicator",
		"82 0000 00 0001 ff 03":         "PacketID",
		"82 000a 00 0001 ff 03 0001 fe": "Filters[0].Filter",
		"20 02 01 02 2402":              "AcknowledgeFlags",
	} {
		data := unhex(t, hex)
		_, err := decodeWhole(frameOf(data[0], data[1:]), V5)
		if e := typed(t, err); e.Field != field {
			t.Errorf("%s: %v, want %s", hex, err, field)
		}
	}
}

// On an error AppendTo leaves dst as it was: the same bytes, also behind them.
func TestAppendToOnError(t *testing.T) {
	for _, kind := range everyType {
		p := fullPacket(kind)
		v := V5
		if !withID(p, 0) {
			v = 3 // no such version
		}
		room := make([]byte, 0, 4096)
		room = append(room, "before"...)
		whole := room[:cap(room)]
		out, err := p.AppendTo(room, v)
		if err == nil || string(out) != "before" || &out[0] != &room[0] {
			t.Errorf("%v: %q, %v", kind, out, err)
		}
		for i, c := range whole[6:] {
			if c != 0 {
				t.Fatalf("%v: byte %d behind dst was written: %02x", kind, i, c)
			}
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	for _, class := range []error{ErrMalformed, ErrProtocol, ErrTooLarge, ErrUnsupportedVersion, ErrVersion} {
		var err error = &Error{Err: class, Offset: -1, Detail: "detail", Code: ReasonProtocolError}
		err = fmt.Errorf("around: %w", err)
		var e *Error
		if !errors.Is(err, class) || !errors.As(err, &e) || e.Reason() != ReasonProtocolError {
			t.Errorf("%v", err)
		}
		if e.Error() != class.Error()+": detail" {
			t.Errorf("%q", e.Error())
		}
	}
}

// A Decoder gives no packet with an error, for every type: not even a nil one
// of that type.
func TestDecoderErrors(t *testing.T) {
	var d Decoder
	for i, g := range golden {
		data := goldenBytes(t, i)
		h, _, _ := Frame(data, 0)
		for _, body := range [][]byte{append(data[h.Len:len(data):len(data)], 0), data[h.Len : len(data)-min(1, h.Remaining)]} {
			want := NewPacket(g.packet).Decode(h, body, g.version)
			for what, decode := range map[string]func(Header, []byte, Version) (Packet, error){"Decode": d.Decode, "DecodeLoose": d.DecodeLoose} {
				p, err := decode(h, body, g.version)
				if (p == nil) != (err != nil) {
					t.Errorf("%s: %s: %v, %v", g.name, what, p, err)
				}
				if what == "Decode" && (err == nil) != (want == nil) {
					t.Errorf("%s: Decoder: %v, Decode: %v", g.name, err, want)
				}
			}
			p, n, err := Decode(frameOf(data[0], body), g.version)
			if (p == nil) != (err != nil) || err != nil && n != 0 {
				t.Errorf("%s: Decode: %v, %d, %v", g.name, p, n, err)
			}
		}
	}
}
