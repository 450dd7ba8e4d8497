package codec

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// Every golden packet, all its beginnings, and what becomes of it when one byte is
// another one.
func TestDissectGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			b, err := hex.DecodeString(g.hex)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range []Version{g.version, g.version.FromClient(), g.version.FromServer(), V311, V5, 0} {
				checkDissection(t, b, v)
			}
			for n := range b {
				checkDissection(t, b[:n], g.version)
			}
			for i := range b {
				for _, x := range []byte{0x00, 0x01, 0x7F, 0x80, 0xFF, b[i] + 1, b[i] - 1, b[i] ^ 0x20} {
					damaged := append([]byte(nil), b...)
					damaged[i] = x
					checkDissection(t, damaged, g.version)
				}
			}
			checkDissection(t, append(b[:len(b):len(b)], 0xFF), g.version)
		})
	}
}

// Where a property cannot be read the fields behind the block are still there.
func TestDissectBehindDamage(t *testing.T) {
	b, _ := hex.DecodeString("101a00044d51545405020000" + "0311ff00" + "00015a" + "77" + "aabbccddeeff0011")
	b = b[:28]
	root := Dissect(b, V5)
	for _, p := range root.All() {
		if p.Path == "ClientID" && string(p.Value.(Bytes)) == "Z" {
			return
		}
	}
	t.Errorf("no ClientID in %v", dump(root))
}

// Each fault stands at the smallest part that it is about.
func TestDissectFaults(t *testing.T) {
	for _, c := range []struct {
		hex  string
		v    Version
		want string // the names and offsets of the parts with faults
	}{
		{"820d 0001 00 0002 6123 01 0002 6223 03", V5, "Filter@5 Filter@10 QoS@14"},
		{"8204 0001 00 00", V5, "Filter@5"},
		{"8206 0001 0001 61 04", V311, "Options@7"},
		{"e009 00 07 1f0001 61 1f0000", V5, "Reason String@8"},
		{"e009 00 07 1f0001 61 1f0000", V311, "Undecoded@2"},
		{"400f 0001 00 0b 260001c00000 2600000000", V5, "User Property@6"},
		{"2003 00 00 00", V5.FromClient(), "CONNACK@0 ReasonCode@3"},
		{"3103 0001 61 62", V5.FromServer(), "Properties@5"},
		{"3605 0001 61 0000", V311, "QoS@0 PacketID@5"},
		{"40ffffffff7f", V5, "Remaining Length@1"},
		{"4080", V5, "Remaining Length@1"},
		{"4003 0000 00", V311, "PacketID@2 Undecoded@4"},
		{"4200", V5, "Flags@0 PacketID@2"},
		{"f000", V311, "AUTH@0"},
		{"0000", V5, "Packet Type@0"},
		{"100d 0004 4d515454 05 01 0000 00 0000", V5, "ConnectFlags@9"},
	} {
		b, err := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range checkDissection(t, b, c.v).All() {
			if len(p.Faults) > 0 {
				got = append(got, fmt.Sprintf("%s@%d", p.Name, p.Offset))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s %v: %s, want %s", c.hex, c.v, s, c.want)
		}
	}
}

// A packet with very many faults has a bounded number of them.
func TestDissectManyFaults(t *testing.T) {
	p := Subscribe{PacketID: 1}
	for range 2 * mostNotes {
		p.Filters = append(p.Filters, Subscription{Filter: Bytes("a")})
	}
	b, err := p.AppendTo(nil, V311)
	if err != nil {
		t.Fatal(err)
	}
	for i := 8; i < len(b); i += 4 {
		b[i] = 3 // QoS
	}
	n := 0
	for _, part := range Dissect(b, V311).All() {
		n += len(part.Faults)
	}
	if n != mostNotes {
		t.Errorf("%d faults, want %d", n, mostNotes)
	}
}

// What must not be shown is marked, and is all that is.
func TestDissectSecrets(t *testing.T) {
	p := Connect{ClientID: Bytes("c"), CleanStart: true, Username: Text("u"), Password: Text("p"), Will: Some(Will{Topic: Bytes("t"), Payload: Bytes("w")})}
	p.Properties.AuthenticationMethod, p.Properties.AuthenticationData = Text("m"), Text("d")
	b, err := p.AppendTo(nil, V5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, part := range Dissect(b, V5).All() {
		if part.Secret {
			got = append(got, "secret "+string(part.Value.(Bytes)))
		}
		if part.Payload {
			got = append(got, "payload "+string(part.Value.(Bytes)))
		}
	}
	if s := strings.Join(got, ", "); s != "secret d, payload w, secret u, secret p" {
		t.Error(s)
	}
}

// Bits that v3.1.1 does not have are reserved there.
func TestDissectReservedBits(t *testing.T) {
	b, _ := hex.DecodeString("82060001000161" + "01")
	var got []string
	for _, p := range Dissect(b, V311).All() {
		if p.Offset == 7 && p.Mask != 0 {
			got = append(got, p.Name)
		}
	}
	if s := strings.Join(got, " "); s != "Reserved Reserved Reserved Reserved QoS" {
		t.Error(s)
	}
}

func FuzzDissect(f *testing.F) {
	for _, g := range golden {
		b, _ := hex.DecodeString(g.hex)
		f.Add(b, uint8(g.version))
	}
	f.Fuzz(func(t *testing.T, b []byte, v uint8) { checkDissection(t, b, Version(v)) })
}

// dump returns a packet as lines.
func dump(root *Part) (s string) {
	for depth, p := range root.All() {
		s += fmt.Sprintf("%*s%s @%d+%d", 2*depth, "", p.Name, p.Offset, p.Len)
		if p.Value != nil {
			s += fmt.Sprintf(" = %v", p.Value)
		}
		for _, err := range p.Faults {
			s += fmt.Sprintf("  <- %s", err.Detail)
		}
		s += "\n"
	}
	return s
}

// What Text says of each kind of value.
func TestPartText(t *testing.T) {
	long := Bytes(strings.Repeat("x", 300))
	for _, c := range []struct {
		part Part
		want string
	}{
		{Part{}, ""},
		{Part{Value: true}, "true"},
		{Part{Value: uint64(7)}, "7"},
		{Part{Value: QoS2}, "2"},
		{Part{Value: TypePublish}, "PUBLISH"},
		{Part{Value: ReasonNotAuthorized}, "0x87 Not authorized"},
		{Part{Value: Bytes("a/b")}, "a/b"},
		{Part{Value: Bytes("a b\n")}, `"a b\n"`},
		{Part{Value: Bytes{0xC0, 0x00}}, "c000"},
		{Part{Value: Bytes("pw"), Secret: true}, "REDACTED"},
		{Part{Value: Bytes("hi"), Payload: true}, "2 bytes"},
		{Part{Value: long}, strings.Repeat("x", 256) + "… (300 bytes)"},
		{Part{Value: append(long[:299:299], 0xFF)}, strings.Repeat("78", 256) + "… (300 bytes)"},
	} {
		if got := c.part.Text(); got != c.want {
			t.Errorf("%v: %s, want %s", c.part.Value, got, c.want)
		}
	}
}

// A SUBSCRIBE with two faults: a # that is no whole level, and QoS 3.
func ExampleDissect() {
	packet := []byte("\x82\x0e\x00\x01\x00\x00\x02a#\x01\x00\x03b/c\x03")
	for depth, p := range Dissect(packet, V5).All() {
		fmt.Printf("%2d+%-2d %s", p.Offset, p.Len, strings.TrimSpace(strings.Repeat(". ", depth)+p.Name+" "+p.Text()))
		for _, err := range p.Faults {
			fmt.Printf(" <- %s [%s] v5", err.Detail, err.Rule)
		}
		fmt.Println()
	}
	// Output:
	// 0+16 SUBSCRIBE
	//  0+1  . First byte
	//  0+1  . . Packet Type SUBSCRIBE
	//  0+1  . . Flags 2
	//  1+1  . Remaining Length 14
	//  2+2  . PacketID 1
	//  4+1  . Properties
	//  4+1  . . Property Length 0
	//  5+5  . Subscription
	//  5+4  . . Filter a# <- # is not the whole last level of the filter [MQTT-4.7.1-1] v5
	//  9+1  . . Options
	//  9+1  . . . Reserved 0
	//  9+1  . . . RetainHandling 0
	//  9+1  . . . RetainAsPublished false
	//  9+1  . . . NoLocal false
	//  9+1  . . . QoS 1
	// 10+6  . Subscription
	// 10+5  . . Filter b/c
	// 15+1  . . Options
	// 15+1  . . . Reserved 0
	// 15+1  . . . RetainHandling 0
	// 15+1  . . . RetainAsPublished false
	// 15+1  . . . NoLocal false
	// 15+1  . . . QoS 3 <- the value is out of range [U5-3.8.3.1-a] v5
}
