package codec

import (
	"errors"
	"testing"
)

// reasonTable is spec/testdata/reason-codes.yaml, which was typed from the
// standards apart from the files that the codec is generated from.
type reasonTable struct {
	V5 []struct {
		Value     uint8
		Hex, Name string
		Packets   map[string]string
	}
	Connack []returnCode `yaml:"v311_connack"`
	Suback  []returnCode `yaml:"v311_suback"`
}

type returnCode struct {
	Value     uint8
	Hex, Name string
}

func readReasons(t *testing.T) (table reasonTable) {
	readYAML(t, "../spec/testdata/reason-codes.yaml", &table)
	if len(table.V5) != 45 || len(table.Connack) != 6 || len(table.Suback) != 4 {
		t.Fatalf("%d reason codes, %d and %d return codes", len(table.V5), len(table.Connack), len(table.Suback))
	}
	return table
}

// withReason returns a legal v5.0 packet of type t with the given code, or nil
// where the type has none.
func withReason(t PacketType, code ReasonCode) Packet {
	switch t {
	case TypeConnack:
		return &Connack{ReasonCode: code}
	case TypePuback:
		return &Puback{PacketID: 1, ReasonCode: code}
	case TypePubrec:
		return &Pubrec{PacketID: 1, ReasonCode: code}
	case TypePubrel:
		return &Pubrel{PacketID: 1, ReasonCode: code}
	case TypePubcomp:
		return &Pubcomp{PacketID: 1, ReasonCode: code}
	case TypeSuback:
		return &Suback{PacketID: 1, ReasonCodes: []ReasonCode{code}}
	case TypeUnsuback:
		return &Unsuback{PacketID: 1, ReasonCodes: []ReasonCode{code}}
	case TypeDisconnect:
		return &Disconnect{ReasonCode: code}
	case TypeAuth:
		return &Auth{ReasonCode: code, Properties: AuthProperties{AuthenticationMethod: Text("m")}}
	}
	return nil
}

// wireReasonOf returns the bytes of such a packet, written without the encoder.
func wireReasonOf(t PacketType, code ReasonCode) []byte {
	first, before, after := byte(t)<<4|flagsOf(t), "\x00\x01", ""
	switch t {
	case TypeConnack:
		before, after = "\x00", "\x00"
	case TypeSuback, TypeUnsuback:
		before = "\x00\x01\x00"
	case TypeDisconnect:
		before = ""
	case TypeAuth:
		before, after = "", "\x04\x15\x00\x01m"
	}
	return frameOf(first, append(append([]byte(before), byte(code)), after...))
}

// Every code in every packet from every side, against the table.
func TestReasonCodes(t *testing.T) {
	allowed := map[PacketType]map[ReasonCode]string{}
	for _, x := range readReasons(t).V5 {
		if parseCode(t, x.Hex) != ReasonCode(x.Value) {
			t.Errorf("%s is not %d", x.Hex, x.Value)
		}
		for packet, who := range x.Packets {
			kind := typeNamed(t, packet)
			if allowed[kind] == nil {
				allowed[kind] = map[ReasonCode]string{}
			}
			if who == "unclear" {
				who = "both"
			}
			allowed[kind][ReasonCode(x.Value)] = who
			if name := ReasonCode(x.Value).Name(kind); name != x.Name {
				t.Errorf("0x%02X is %q in %s, want %q", x.Value, name, packet, x.Name)
			}
		}
		if name := ReasonCode(x.Value).String(); x.Value != 0 && name != x.Name {
			t.Errorf("0x%02X is %q, want %q", x.Value, name, x.Name)
		}
	}
	if len(allowed) != 9 {
		t.Fatalf("%d types have reason codes, want 9", len(allowed))
	}
	for kind, codes := range allowed {
		for n := range 256 {
			code := ReasonCode(n)
			for _, from := range []string{"client", "server", ""} {
				who := codes[code]
				want := who != "" && (who == "both" || who == from || from == "")
				fromTheOther := (kind == TypeConnack || kind == TypeSuback || kind == TypeUnsuback) && from == "client"
				for _, v := range []Version{V5, V5Wide} {
					v = side(v, from)
					if got := code.AllowedIn(kind, v); got != want {
						t.Errorf("0x%02X in %v from %q: AllowedIn = %v", n, kind, from, got)
					}
					_, err := withReason(kind, code).AppendTo(nil, v)
					checkReasonError(t, err, want && !fromTheOther, who, fromTheOther)
					if v.Wide() {
						continue
					}
					data := wireReasonOf(kind, code)
					p, err := decodeWhole(data, v)
					checkReasonError(t, err, want && !fromTheOther, who, fromTheOther)
					if err == nil && jsonOf(t, p) != jsonOf(t, withReason(kind, code)) {
						t.Errorf("%x was decoded as %v", data, p)
					}
				}
			}
		}
	}
}

// checkReasonError compares an error with what the table says: who may send
// the code, "" for nobody.
func checkReasonError(t *testing.T, err error, want bool, who string, wrongPacket bool) {
	t.Helper()
	if want || err == nil {
		if want != (err == nil) {
			t.Errorf("%v, want %v", err, want)
		}
		return
	}
	class := ErrMalformed // a code that the packet does not have
	if who != "" || wrongPacket {
		class = ErrProtocol // one that the other side may send
	}
	if !errors.Is(err, class) {
		t.Errorf("%v, want %v", err, class)
	}
}

func typeNamed(t *testing.T, name string) PacketType {
	for _, kind := range everyType {
		if kind.String() == name {
			return kind
		}
	}
	t.Fatalf("no packet is called %q", name)
	return 0
}

// The return codes of v3.1.1 stand for reason codes, and codes without one of
// their own for the one that says the same.
func TestReturnCodes(t *testing.T) {
	table := readReasons(t)
	connack := map[ReasonCode]byte{ // what a v3.1.1 CONNACK carries
		ReasonSuccess: 0, ReasonUnsupportedProtocolVersion: 1, ReasonClientIdentifierNotValid: 2, ReasonServerUnavailable: 3,
		ReasonBadUserNameOrPassword: 4, ReasonNotAuthorized: 5,
		ReasonServerBusy: 3, ReasonQuotaExceeded: 3, ReasonUseAnotherServer: 3, ReasonServerMoved: 3, ReasonConnectionRateExceeded: 3,
		ReasonBanned: 5, ReasonBadAuthenticationMethod: 5,
	}
	own := map[byte]ReasonCode{0: 0x00, 1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
	for n := range 256 {
		code := ReasonCode(n)
		back, ok := connack[code]
		if got, gotOK := code.ConnackV311(); gotOK != ok || ok && got != back {
			t.Errorf("0x%02X: ConnackV311 = %d, %v; want %d, %v", n, got, gotOK, back, ok)
		}
		if code.AllowedIn(TypeConnack, V311) != ok {
			t.Errorf("0x%02X: AllowedIn = %v", n, !ok)
		}
		out, err := (&Connack{ReasonCode: code}).AppendTo(nil, V311)
		if (err == nil) != ok || ok && string(out) != string([]byte{0x20, 2, 0, back}) {
			t.Errorf("0x%02X in a v3.1.1 CONNACK: %x, %v", n, out, err)
		}
		// From the wire: the codes of the table, and no others.
		p, err := decodeWhole([]byte{0x20, 2, 0, byte(n)}, V311)
		if known := n < len(table.Connack); known != (err == nil) || known && p.(*Connack).ReasonCode != own[byte(n)] {
			t.Errorf("return code %d: %v, %v", n, p, err)
		}
	}
	for i, x := range table.Connack {
		if int(x.Value) != i {
			t.Errorf("return code %d is number %d of the table", x.Value, i)
		}
	}
	suback := map[ReasonCode]byte{0: 0, 1: 1, 2: 2}
	for _, x := range table.V5 {
		if _, ok := x.Packets["SUBACK"]; ok && x.Value >= 0x80 {
			suback[ReasonCode(x.Value)] = 0x80
		}
	}
	known := map[ReasonCode]bool{}
	for _, x := range table.Suback {
		known[ReasonCode(x.Value)] = true
	}
	for n := range 256 {
		code := ReasonCode(n)
		back, ok := suback[code]
		out, err := (&Suback{PacketID: 1, ReasonCodes: []ReasonCode{code}}).AppendTo(nil, V311)
		if (err == nil) != ok || ok && string(out) != string([]byte{0x90, 3, 0, 1, back}) || code.AllowedIn(TypeSuback, V311) != ok {
			t.Errorf("0x%02X in a v3.1.1 SUBACK: %x, %v", n, out, err)
		}
		p, err := decodeWhole([]byte{0x90, 3, 0, 1, byte(n)}, V311)
		if known[code] != (err == nil) || err == nil && p.(*Suback).ReasonCodes[0] != code {
			t.Errorf("return code 0x%02X of SUBACK: %v, %v", n, p, err)
		}
	}
	// Other packets of v3.1.1 have no codes at all.
	for _, kind := range []PacketType{TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeUnsuback, TypeDisconnect} {
		for n := 1; n < 256; n++ {
			if _, err := withReason(kind, ReasonCode(n)).AppendTo(nil, V311); !errors.Is(err, ErrVersion) {
				t.Errorf("0x%02X in a v3.1.1 %v: %v, want %v", n, kind, err, ErrVersion)
			}
		}
	}
}

func TestReasonNames(t *testing.T) {
	for n := range 256 {
		if code := ReasonCode(n); code.IsError() != (n >= 0x80) || code.String() == "" {
			t.Errorf("0x%02X: IsError = %v, String = %q", n, code.IsError(), code.String())
		}
	}
	if got := ReasonCode(0xFF).String(); got != "reason code 0xFF" {
		t.Errorf("an unknown code is %q", got)
	}
}
