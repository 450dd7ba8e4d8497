package codec

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// flagsOf are the reserved flags of the fixed header that the standards set.
func flagsOf(t PacketType) byte {
	switch t {
	case TypePubrel, TypeSubscribe, TypeUnsubscribe:
		return 2
	}
	return 0
}

// Every type with every value of the four flags: the tabled one is accepted
// and written, every other is refused.
func TestRulesHeaderFlags(t *testing.T) {
	own := map[string]string{ // the rules that repeat the general one for a type
		"PUBREL": "MQTT-3.6.1-1", "SUBSCRIBE": "MQTT-3.8.1-1", "UNSUBSCRIBE": "MQTT-3.10.1-1",
		"DISCONNECT": "MQTT-3.14.1-1", "AUTH": "MQTT-3.15.1-1",
	}
	general := map[Version]string{
		V311: "MQTT-2.2.2-1", // [MQTT-2.2.2-1] v311
		V5:   "MQTT-2.1.3-1", // [MQTT-2.1.3-1] v5
	}
	for i, g := range golden {
		if g.packet == TypePublish || g.version.Wide() {
			continue
		}
		data := goldenBytes(t, i)
		for flags := byte(0); flags < 16; flags++ {
			data[0] = byte(g.packet)<<4 | flags
			p, err := decodeWhole(data, g.version)
			if flags == flagsOf(g.packet) {
				if err != nil {
					t.Errorf("%s with flags %d: %v", g.name, flags, err)
				} else if out := mustEncode(t, p, g.version); out[0] != data[0] {
					t.Errorf("%s: first byte %02x, want %02x", g.name, out[0], data[0])
				}
				continue
			}
			rule := own[g.packet.String()]
			if rule == "" {
				rule = general[g.version]
			}
			// [MQTT-2.2.2-2] v311
			e := typed(t, err)
			if !errors.Is(e, ErrMalformed) || e.Rule != rule || e.Field != "Flags" || e.Offset != 0 {
				t.Errorf("%s with flags %d: %v, want %v [%s]", g.name, flags, err, ErrMalformed, rule)
			}
		}
	}
}

// Types that do not exist are refused as soon as their byte is there.
func TestRulesPacketTypes(t *testing.T) {
	for _, n := range []int{1, 2, 3} {
		_, _, err := Frame(make([]byte, n), 0)
		if e := typed(t, err); !errors.Is(e, ErrMalformed) || e.Offset != 0 || e.Reason() != ReasonMalformedPacket {
			t.Errorf("%d zero bytes: %v, want %v", n, err, ErrMalformed)
		}
	}
	// Whatever follows, the error stays the same.
	for n := range 6 {
		_, _, err := Frame(append([]byte{0x0F}, bytes.Repeat([]byte{0x80}, n)...), 0)
		if e := typed(t, err); e.Field != "Packet Type" || e.Offset != 0 {
			t.Errorf("0F and %d of 80: %v", n, err)
		}
	}
	for _, x := range []struct {
		v    Version
		hex  string
		rule string
	}{
		{V5, "0000", "U5-2.1.2-a"},                 // [U5-2.1.2-a] v5
		{V311, "f000", "U311-2.2.1-a"},             // [U311-2.2.1-a] v311
		{V311, "f00618041500016d", "U311-2.2.1-a"}, // [U311-2.2.1-a] v311
	} {
		_, err := decodeWhole(unhex(t, x.hex), x.v)
		if e := typed(t, err); !errors.Is(e, ErrMalformed) || e.Rule != x.rule {
			t.Errorf("%s: %v, want [%s]", x.hex, err, x.rule)
		}
	}
	if _, err := decodeWhole([]byte{0, 0}, V311); !errors.Is(err, ErrMalformed) { // [U311-2.2.1-a] v311
		t.Errorf("type 0: %v, want %v", err, ErrMalformed)
	}
}

// A Remaining Length has four bytes at most; v5.0 wants the shortest form.
func TestRulesRemainingLength(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		for _, s := range []string{"c0 80808080", "c0 8080808000", "c0 ffffffff7f", "c0 ffffffffff"} {
			_, _, err := Decode(unhex(t, s), v) // [U311-2.2.3-a] v311, [U5-1.5.5-a] v5
			if e := typed(t, err); !errors.Is(e, ErrMalformed) || e.Field != "Remaining Length" || e.Offset != 1 {
				t.Errorf("%v: %s: %v, want %v", v, s, err, ErrMalformed)
			}
		}
		if _, n, err := Decode(unhex(t, "c0 808080"), v); n != 0 || err != nil {
			t.Errorf("%v: three bytes of a Remaining Length: %d, %v", v, n, err)
		}
	}
	for _, s := range []string{"c08000", "c0808000", "c080808000", "10 8d00 00044d5154540402003c000163"} {
		data := unhex(t, s)
		if data[0] == 0xC0 {
			e := typed(t, func() error { _, err := decodeWhole(data, V5); return err }())
			if e.Rule != "MQTT-1.5.5-1" || !errors.Is(e, ErrMalformed) || e.Offset != 1 { // [MQTT-1.5.5-1] v5
				t.Errorf("%s: %v, want the shortest form", s, e)
			}
		}
		// v3.1.1 does not ask for the shortest form, but we write it.
		p := mustDecode(t, data, V311)
		if out := mustEncode(t, p, V311); len(out) >= len(data) {
			t.Errorf("%s was encoded as %x", s, out)
		}
	}
}

// The fields that the flags of CONNECT announce have to be there, in their
// order, and no others.
func TestRulesConnectPayload(t *testing.T) {
	fields := func(v Version, names string) string {
		var b strings.Builder
		for _, name := range strings.Fields(names) {
			if name == "props" {
				if v.IsV5() {
					b.WriteString("00 ")
				}
				continue
			}
			fmt.Fprintf(&b, "0002 %x ", name[:2])
		}
		return b.String()
	}
	for _, x := range []struct {
		flags   byte
		payload string
		wrong   string // the field that is reported where the payload is cut, "" where it is legal
	}{
		{0x02, "client", ""},                                 // [MQTT-3.1.3-3] v311, [MQTT-3.1.3-3] v5
		{0x02, "", "ClientID"},                               // [MQTT-3.1.3-3] v311, [MQTT-3.1.3-3] v5
		{0x06, "client props topic payload", ""},             // [MQTT-3.1.2-9] v311, [MQTT-3.1.2-9] v5
		{0x06, "client props topic", "Will.Payload"},         // [MQTT-3.1.2-9] v311, [MQTT-3.1.2-9] v5
		{0x06, "client props", "Will.Topic"},                 // [MQTT-3.1.2-9] v311, [MQTT-3.1.2-9] v5
		{0x02, "client props topic payload", "-"},            // [MQTT-3.1.2-11] v311
		{0x82, "client user", ""},                            // [MQTT-3.1.2-19] v311, [MQTT-3.1.2-17] v5
		{0x82, "client", "Username"},                         // [MQTT-3.1.2-19] v311, [MQTT-3.1.2-17] v5
		{0x02, "client user", "-"},                           // [MQTT-3.1.2-18] v311, [MQTT-3.1.2-16] v5
		{0xC2, "client user secret", ""},                     // [MQTT-3.1.2-21] v311, [MQTT-3.1.2-19] v5
		{0xC2, "client user", "Password"},                    // [MQTT-3.1.2-21] v311, [MQTT-3.1.2-19] v5
		{0x82, "client user secret", "-"},                    // [MQTT-3.1.2-20] v311, [MQTT-3.1.2-18] v5
		{0xC6, "client props topic payload user secret", ""}, // [MQTT-3.1.3-1] v311, [MQTT-3.1.3-1] v5
	} {
		for v, begin := range map[Version]string{V311: connect4, V5: connect5} {
			body := fmt.Sprintf("%s %02x 003c %s %s", begin, x.flags, fields(v, "props"), fields(v, x.payload))
			data := frameOf(0x10, unhex(t, body))
			p, err := decodeWhole(data, v)
			if x.wrong != "" {
				e := typed(t, err)
				if field := strings.TrimPrefix(x.wrong, "-"); !errors.Is(e, ErrMalformed) || e.Field != field {
					t.Errorf("%v: flags %02x with %q: %v, want %v: %s", v, x.flags, x.payload, err, ErrMalformed, x.wrong)
				}
				continue
			}
			if err != nil {
				t.Errorf("%v: flags %02x with %q: %v", v, x.flags, x.payload, err)
				continue
			}
			if out := mustEncode(t, p, v); !bytes.Equal(out, data) {
				t.Errorf("%v: encoded as %x, want %x", v, out, data)
			}
			c := p.(*Connect)
			got := []string{string(c.ClientID)}
			if c.Will.Set {
				got = append(got, string(c.Will.Value.Topic), string(c.Will.Value.Payload))
			}
			for _, o := range []Opt[Bytes]{c.Username, c.Password} {
				if o.Set {
					got = append(got, string(o.Value))
				}
			}
			want := strings.ReplaceAll(x.payload, " props", "")
			for i, name := range strings.Fields(want) {
				if i >= len(got) || got[i] != name[:2] {
					t.Fatalf("%v: %q was read as %q", v, x.payload, got)
				}
			}
		}
	}
	// Without Will Properties: what follows is not read in their place.
	_, err := decodeWhole(frameOf(0x10, unhex(t, connect5+"06 003c 00 0001 63")), V5)
	if e := typed(t, err); !errors.Is(e, ErrMalformed) || e.Field != "Will.Properties" { // [MQTT-3.1.2-9] v5
		t.Errorf("%v, want %v: Will.Properties", err, ErrMalformed)
	}
	// A Client Identifier of no bytes is still a field.
	p := &Connect{CleanStart: true}
	for v, want := range map[Version]string{V311: "100c" + connect4 + "02 0000 0000", V5: "100d" + connect5 + "02 0000 00 0000"} {
		if out := mustEncode(t, p, v); !bytes.Equal(out, unhex(t, want)) {
			t.Errorf("%v: %x, want %s", v, out, want)
		}
	}
}

// A PUBLISH of QoS 0 has no Packet Identifier, and one of QoS 1 or 2 has.
func TestRulesPublishPacketID(t *testing.T) {
	rules := map[Version]string{
		V311: "MQTT-2.3.1-5", // [MQTT-2.3.1-5] v311
		V5:   "MQTT-2.2.1-2", // [MQTT-2.2.1-2] v5
	}
	for v, rule := range rules {
		p := &Publish{Topic: Bytes("t"), PacketID: 10}
		_, err := p.AppendTo(nil, v)
		if e := typed(t, err); e.Rule != rule || e.Field != "PacketID" {
			t.Errorf("%v: %v, want PacketID [%s]", v, err, rule)
		}
		p.PacketID, p.Payload = 0, Bytes("\x00\x0A")
		data := mustEncode(t, p, v)
		want := "30 05 0001 74 000a"
		if v.IsV5() {
			want = "30 06 0001 74 00 000a"
		}
		if !bytes.Equal(data, unhex(t, want)) {
			t.Errorf("%v: %x, want %s", v, data, want)
		}
		q := mustDecode(t, data, v).(*Publish)
		if q.PacketID != 0 || string(q.Payload) != "\x00\x0A" {
			t.Errorf("%v: read as %v", v, q)
		}
	}
}

// U+FEFF is a character like any other, wherever it stands.
func TestRulesByteOrderMark(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		for _, topic := range []string{"\uFEFF", "\uFEFFa", "a\uFEFF", "a/\uFEFF/b"} {
			// [MQTT-1.5.3-3] v311, [MQTT-1.5.4-3] v5
			p := &Publish{Topic: Bytes(topic)}
			data := mustEncode(t, p, v)
			if !bytes.Contains(data, []byte(topic)) {
				t.Errorf("%v: %x does not hold %q", v, data, topic)
			}
			if q := mustDecode(t, data, v).(*Publish); string(q.Topic) != topic {
				t.Errorf("%v: %q was decoded as %q", v, topic, q.Topic)
			}
			if Match("a", topic) || !Match(topic, topic) {
				t.Errorf("Match passes over U+FEFF in %q", topic)
			}
		}
	}
}

// Without properties there is a Property Length of 0 all the same, but for the
// short forms, which end before it.
func TestRulesEmptyProperties(t *testing.T) {
	for hex, p := range map[string]Packet{
		"10 0d" + connect5 + "02 0000 00 0000":                    &Connect{CleanStart: true},
		"10 14" + connect5 + "06 0000 00 0000 00 0001 77 0001 78": &Connect{CleanStart: true, Will: Some(Will{Topic: Bytes("w"), Payload: Bytes("x")})},
		"20 03 00 00 00":           &Connack{},
		"30 04 0001 74 00":         &Publish{Topic: Bytes("t")},
		"82 07 0001 00 0001 61 00": &Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes("a")}}},
		"90 04 0001 00 00":         &Suback{PacketID: 1, ReasonCodes: []ReasonCode{0}},
		"a2 06 0001 00 0001 61":    &Unsubscribe{PacketID: 1, Filters: []Bytes{Bytes("a")}},
		"b0 04 0001 00 00":         &Unsuback{PacketID: 1, ReasonCodes: []ReasonCode{0}},
		"40 02 0001":               &Puback{PacketID: 1},
		"50 03 0001 80":            &Pubrec{PacketID: 1, ReasonCode: ReasonUnspecifiedError},
		"e0 00":                    &Disconnect{},
		"f0 06 18 04 1500016d":     &Auth{ReasonCode: 0x18, Properties: AuthProperties{AuthenticationMethod: Text("m")}},
	} {
		// [MQTT-2.2.2-1] v5
		if out := mustEncode(t, p, V5); !bytes.Equal(out, unhex(t, hex)) {
			t.Errorf("%v: %x, want %s", p, out, hex)
		}
	}
}

// Topic Names and Filters have 65,535 bytes at most. More cannot be received,
// so it is the encoder that has to refuse.
func TestRulesTopicLength(t *testing.T) {
	long, longest := strings.Repeat("a", 65_536), strings.Repeat("a", 65_535)
	for _, v := range []Version{V311, V5} {
		for _, x := range []struct {
			field string
			p     func(s string) Packet
		}{
			{"Topic", func(s string) Packet { return &Publish{Topic: Bytes(s)} }},
			{"Will.Topic", func(s string) Packet { return &Connect{CleanStart: true, Will: Some(Will{Topic: Bytes(s)})} }},
			{"Filters[0].Filter", func(s string) Packet {
				return &Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes(s)}}}
			}},
			{"Filters[0]", func(s string) Packet { return &Unsubscribe{PacketID: 1, Filters: []Bytes{Bytes(s)}} }},
		} {
			mustDecode(t, mustEncode(t, x.p(longest), v), v)
			_, err := x.p(long).AppendTo(nil, v) // [MQTT-4.7.3-3] v311, [MQTT-4.7.3-3] v5
			if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Field != x.field || e.Rule != "MQTT-4.7.3-3" {
				t.Errorf("%v: %v, want %v: %s", v, err, ErrTooLarge, x.field)
			}
		}
		if err := ValidTopicName(long, v); !errors.Is(err, ErrTooLarge) {
			t.Errorf("ValidTopicName: %v", err)
		}
		if err := ValidTopicFilter(long, v); !errors.Is(err, ErrTooLarge) {
			t.Errorf("ValidTopicFilter: %v", err)
		}
	}
}
