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
			fmt.Printf(" <- %s [%s]", err.Detail, err.Rule)
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
	//  5+4  . . Filter a# <- # is not the whole last level of the filter [MQTT-4.7.1-1]
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
	// 15+1  . . . QoS 3 <- the value is out of range [U5-3.8.3.1-a]
}
