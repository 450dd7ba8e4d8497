package codec

import (
	"errors"
	"testing"
)

// Packets that are wrong in content alone can be looked at.
func TestLooseAccepts(t *testing.T) {
	for _, x := range []struct {
		v         Version
		hex, want string
	}{
		{V311, "3605 0001 74 000a", `{"Packet":"PUBLISH","QoS":3,"Topic":"t","PacketID":10}`},
		{V311, "3203 0001 74 0000", ""},
		{V311, "3205 0001 74 0000", `{"Packet":"PUBLISH","QoS":1,"Topic":"t"}`},
		{V311, "3803 0001 74", `{"Packet":"PUBLISH","Dup":true,"Topic":"t"}`},
		{V311, "3003 0001 ff", `{"Packet":"PUBLISH","Topic":{"base64":"/w=="}}`},
		{V311, "3005 0003 610062", `{"Packet":"PUBLISH","Topic":"a\u0000b"}`},
		{V311, "3003 0001 23", `{"Packet":"PUBLISH","Topic":"#"}`},
		{V5, "3003 0000 00", `{"Packet":"PUBLISH"}`},
		{V5, "3007 0001 74 03 230000", `{"Packet":"PUBLISH","Topic":"t","Properties":{"TopicAlias":0}}`},
		{V5, "3008 0001 74 04 0100 0105", `{"Packet":"PUBLISH","Topic":"t","Properties":{"PayloadFormatIndicator":5}}`},
		{V5, "3005 0001 74 8000", `{"Packet":"PUBLISH","Topic":"t"}`},
		{V5.FromClient(), "3006 0001 74 02 0b00", `{"Packet":"PUBLISH","Topic":"t","Properties":{"SubscriptionIdentifiers":[0]}}`},
		{V5, "6002 000a", `{"Packet":"PUBREL","PacketID":10}`},
		{V5, "6203 000a 80", `{"Packet":"PUBREL","PacketID":10,"ReasonCode":128}`},
		{V5, "c100", `{"Packet":"PINGREQ"}`},
		{V5, "c08000", `{"Packet":"PINGREQ"}`},
		{V5, "8203 000a 00", `{"Packet":"SUBSCRIBE","PacketID":10}`},
		{V5, "8207 000a 00 0001 61 ff", `{"Packet":"SUBSCRIBE","PacketID":10,"Filters":[{"Filter":"a","RetainHandling":3,"RetainAsPublished":true,"NoLocal":true,"QoS":3}]}`},
		{V311, "8206 000a 0001 61 ff", `{"Packet":"SUBSCRIBE","PacketID":10,"Filters":[{"Filter":"a","QoS":3}]}`},
		{V5, "9004 000a 00 7f", `{"Packet":"SUBACK","PacketID":10,"ReasonCodes":[127]}`},
		{V311, "2002 ff 09", `{"Packet":"CONNACK","SessionPresent":true,"ReasonCode":9}`},
		{V5, "f000", `{"Packet":"AUTH"}`},
		{V5.FromServer(), "e00104", `{"Packet":"DISCONNECT","ReasonCode":4}`},
		{V5.FromServer(), "100d 0004 4d515454 05 01 0000 00 0000", `{"Packet":"CONNECT"}`},
		{V311, "1010 0004 4d515454 04 40 0000 0001 63 0001 70", `{"Packet":"CONNECT","ClientID":"c","Password":"p"}`},
	} {
		data := unhex(t, x.hex)
		p, err := decodeLoosely(data, x.v)
		if x.want == "" {
			if err == nil {
				t.Errorf("%s was accepted: %v", x.hex, p)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", x.hex, err)
			continue
		}
		if got := jsonOf(t, p); got != x.want {
			t.Errorf("%s:\n%s\nwant %s", x.hex, got, x.want)
		}
		if _, err := decodeWhole(data, x.v); err == nil {
			t.Errorf("%s is legal, and proves nothing here", x.hex)
		}
		// It can be shown and cloned, and what leaves again is legal: either it
		// is refused, or the fault was one of the bytes and is gone.
		if p.String() == "" || jsonOf(t, Clone(p)) != x.want {
			t.Errorf("%s: %v", x.hex, p)
		}
		if out, err := p.AppendTo(nil, x.v); err == nil {
			if _, err := decodeWhole(out, x.v); err != nil {
				t.Errorf("%s was encoded as %x: %v", x.hex, out, err)
			}
		}
	}
}

// Broken structure is refused all the same, with the error of Decode.
func TestLooseRefuses(t *testing.T) {
	for _, x := range []struct {
		v   Version
		hex string
	}{
		{V311, "3003 0005 74"},                              // the topic runs past the packet
		{V311, "3204 0001 74 00"},                           // half an identifier
		{V311, "c001 00"},                                   // bytes are left over
		{V311, "f000"},                                      // no such type
		{V311, "4003 000a 00"},                              // a code, under v3.1.1
		{V5, "3003 0001 74"},                                // no Property Length
		{V5, "3004 0001 74 05"},                             // properties run past the packet
		{V5, "3008 0001 74 8080808001"},                     // five bytes of Property Length
		{V5, "3006 0001 74 02 7f00"},                        // no such property
		{V5, "3006 0001 74 02 0200"},                        // a property is cut by the length
		{V5, "8206 000a 00 0001 61"},                        // no options
		{V5, "100d 0004 4d515458 05 02 0000 00 0000"},       // another protocol
		{V5, "100c 0004 4d515454 04 02 0000 0000"},          // another version
		{V5, "100f 0004 4d515454 05 02 0000 00 0001 63 00"}, // bytes are left over
	} {
		data := unhex(t, x.hex)
		_, want := decodeWhole(data, x.v)
		_, err := decodeLoosely(data, x.v)
		if err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%s: %v, want %v", x.hex, err, want)
		}
	}
}

// What the loose decoder lets through and the structs can hold, the encoder
// does not send: not even where an integer was padded.
func TestLooseDoesNotLeakOut(t *testing.T) {
	for _, hex := range []string{
		"3007 0001 74 03 0b8100", "3008 0001 74 04 0b808000", "300c 0001 74 08 0b01 2600000000 0b", "3009 0001 74 05 0b8100 0b02",
	} {
		p, err := decodeLoosely(unhex(t, hex), V5)
		if err != nil {
			continue // refused at once
		}
		out, err := p.AppendTo(nil, V5)
		if err != nil {
			continue
		}
		if _, err := decodeWhole(out, V5); err != nil {
			t.Errorf("%s was encoded as %x: %v", hex, out, err)
		}
		if q := Clone(p); q.Validate(V5) == nil {
			if out, _ := q.AppendTo(nil, V5); func() error { _, err := decodeWhole(out, V5); return err }() != nil {
				t.Errorf("the clone of %s was encoded as %x", hex, out)
			}
		}
	}
}

// The one leniency: characters that should not be sent, and no others.
func TestAllowControlCharacters(t *testing.T) {
	texts := map[string]bool{"\x00": false, "a\x00": false, "\xFF": false, "\xED\xA0\x80": false, "\xC0\x80": false}
	for r := rune(1); r <= 0x9F; r++ {
		if r < 0x20 || r > 0x7E {
			texts[string(r)] = true
		}
	}
	for r := rune(0xFDD0); r <= 0xFDEF; r++ {
		texts["x"+string(r)] = true
	}
	for plane := rune(0); plane <= 0x10; plane++ {
		texts[string(plane<<16|0xFFFE)+"/"] = true
		texts[string(plane<<16|0xFFFF)] = true
	}
	if len(texts) != 5+64+66 {
		t.Fatalf("%d texts", len(texts))
	}
	for text, lenient := range texts {
		for _, base := range []Version{V311, V5} {
			data := frameOf(0x10, append(append(unhex(t, map[Version]string{V311: connect4 + "02 0000", V5: connect5 + "02 0000 00"}[base]), 0, byte(len(text))), text...))
			p := &Connect{CleanStart: true, ClientID: Bytes(text)}
			for v, want := range map[Version]bool{base: false, base.FromClient(): false, base.AllowControlCharacters(): lenient, base.FromClient().AllowControlCharacters(): lenient} {
				_, err := decodeWhole(data, v)
				if _, encodeErr := p.AppendTo(nil, v); (err == nil) != want || (encodeErr == nil) != want {
					t.Errorf("%v: %q: Decode = %v, AppendTo = %v", v, text, err, encodeErr)
				}
				if err != nil && !errors.Is(err, ErrMalformed) {
					t.Errorf("%v: %q: %v, want %v", v, text, err, ErrMalformed)
				}
			}
		}
	}
	// Characters next to those are like any other.
	for _, text := range []string{" ", "~", "\u00A0", "\uFDCF", "\uFDF0", "\uFFFD", "\U0001FFFD", "\U00020000", "\uE000"} {
		if err := ValidTopicName(text, V5); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}
