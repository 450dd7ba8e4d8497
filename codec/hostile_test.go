package codec

import (
	"errors"
	"testing"
)

// Packets that other implementations got wrong: they crashed, hung, accepted
// what is illegal or answered with another code. class nil: the packet is legal.
func TestHostilePackets(t *testing.T) {
	toServer, toServer5 := V311.FromClient(), V5.FromClient()
	toClient, toClient5 := V311.FromServer(), V5.FromServer()
	for _, x := range []struct {
		name  string
		v     Version
		hex   string
		class error
		code  ReasonCode
	}{
		{"Topic Alias Maximum 0 is legal", toServer5, "10 11 00 04 4D 51 54 54 05 02 00 00 03 22 00 00 00 01 63", nil, 0},
		{"PUBLISH QoS 1 with identifier 0", toServer5, "32 07 00 01 61 00 00 00 78", ErrProtocol, 0x82},
		{"PUBLISH QoS 1 with identifier 0", toServer, "32 06 00 01 61 00 00 78", ErrProtocol, 0x82},
		{"PUBLISH QoS 2 with identifier 0", toClient, "34 06 00 01 61 00 00 78", ErrProtocol, 0x82},
		{"PUBLISH QoS 1 without identifier", toServer, "32 03 00 01 61", ErrMalformed, 0x81},
		{"PUBLISH with half an identifier", toServer5, "32 04 00 01 61 00", ErrMalformed, 0x81},
		{"integer of a property is cut", toClient5, "30 06 00 01 61 02 0B FF", ErrMalformed, 0x81},
		{"integer of a property is cut", toServer5, "82 05 00 01 02 0B FF", ErrMalformed, 0x81},
		{"SUBSCRIBE with flags 0", toServer, "80 06 00 01 00 01 61 00", ErrMalformed, 0x81},
		{"PINGREQ with flags and a body", toServer, "CF 01 00", ErrMalformed, 0x81},
		{"PUBACK with three bytes too many", toServer, "40 05 00 01 97 09 09", ErrMalformed, 0x81},
		{"PINGRESP with a body", toClient, "D0 01 00", ErrMalformed, 0x81},
		{"DISCONNECT with a body", toServer, "E0 01 00", ErrMalformed, 0x81},
		{"Remaining Length 0 in three bytes", toServer5, "C0 80 80 00", ErrMalformed, 0x81},
		{"Remaining Length 0 in three bytes", toServer, "C0 80 80 00", nil, 0},
		{"CONNECT with everything wrong in its flags", toServer, "10 0F 00 04 4D 51 54 54 04 39 00 00 00 01 63 09 09", ErrMalformed, 0x81},
		{"empty identifier of a kept session", toServer, "10 0C 00 04 4D 51 54 54 04 00 00 00 00 00", ErrProtocol, 0x85},
		{"empty identifier of a kept session", toServer5, "10 0D 00 04 4D 51 54 54 05 00 00 00 00 00 00", nil, 0},
		{"CONNACK with all flags", toClient, "20 02 FF 05", ErrMalformed, 0x81},
		{"SUBSCRIBE with identifier 0 and an empty filter", toServer, "82 05 00 00 00 00 00", ErrProtocol, 0x82},
		{"UNSUBSCRIBE with identifier 0", toServer, "A2 05 00 00 00 01 61", ErrProtocol, 0x82},
		{"SUBACK with identifier 0", toClient, "90 03 00 00 00", ErrProtocol, 0x82},
		{"UNSUBACK with identifier 0", toClient, "B0 02 00 00", ErrProtocol, 0x82},
		{"PUBREL with identifier 0", toServer5, "62 02 00 00", ErrProtocol, 0x82},
		{"topic of #, U+0000 and +", toServer, "38 05 00 03 23 00 2B", ErrMalformed, 0x81},
		{"DUP with QoS 0", toServer5, "38 04 00 01 61 00", ErrMalformed, 0x81},
		{"filter a/#/b", toServer5, "82 0B 00 01 00 00 05 61 2F 23 2F 62 00", ErrProtocol, 0x82},
		{"filter #a", toServer, "82 07 00 01 00 02 23 61 00", ErrProtocol, 0x82},
		{"shared filter without filter, with No Local", toServer5, "82 0F 00 01 00 00 09 24 73 68 61 72 65 2F 67 2F 04", ErrProtocol, 0x82},
		{"two Subscription Identifiers", toServer5, "82 0B 00 01 04 0B 01 0B 02 00 01 61 00", ErrProtocol, 0x82},
		{"Subscription Identifier from a client", toServer5, "30 06 00 01 61 02 0B 05", ErrProtocol, 0x82},
		{"v5.0 options under v3.1.1", toServer, "82 06 00 01 00 01 61 2D", ErrMalformed, 0x81},
		{"AUTH without anything", toServer5, "F0 00", ErrProtocol, 0x82},
		{"DISCONNECT 0x04 from a server", toClient5, "E0 01 04", ErrProtocol, 0x82},
		{"DISCONNECT 0x8B from a client", toServer5, "E0 01 8B", ErrProtocol, 0x82},
		{"Server Reference from a client", toServer5, "E0 06 00 04 1C 00 01 78", ErrProtocol, 0x82},
		{"Server Reference from a server", toClient5, "E0 06 00 04 1C 00 01 78", nil, 0},
		{"PUBLISH without Property Length", toServer5, "30 03 00 01 61", ErrMalformed, 0x81},
		{"empty topic without alias", toServer5, "30 03 00 00 00", ErrProtocol, 0x82},
		{"empty topic with an alias", toServer5, "30 06 00 00 03 23 00 01", nil, 0},
		{"SUBSCRIBE without options", toServer5, "82 06 00 01 00 00 01 61", ErrMalformed, 0x81},
		{"SUBACK with properties past its end", toClient5, "90 04 00 01 7F 00", ErrMalformed, 0x81},
		{"UNSUBACK with properties past its end", toClient5, "B0 04 00 01 05 00", ErrMalformed, 0x81},
		{"SUBACK without codes", toClient, "90 02 00 01", ErrProtocol, 0x82},
		{"CONNACK sent to a server", toServer5, "20 03 00 00 00", ErrProtocol, 0x82},
		{"CONNECT sent to a client", toClient5, "10 0D 00 04 4D 51 54 54 05 02 00 00 00 00 00", ErrProtocol, 0x82},
		{"will without payload, empty password", toServer5, "10 17 00 04 4D 51 54 54 05 C6 00 00 00 00 00 00 00 01 77 00 00 00 00 00 00", nil, 0},
		{"will without payload, empty password", toServer, "10 15 00 04 4D 51 54 54 04 C6 00 00 00 00 00 01 77 00 00 00 00 00 00", nil, 0},
		{"topic length past the packet", toServer5, "30 05 FF FF 61 00 00", ErrMalformed, 0x81},
	} {
		t.Run(x.v.String()+"/"+x.name, func(t *testing.T) {
			data := unhex(t, x.hex)
			p, err := decodeWhole(data, x.v)
			if x.class == nil {
				if err != nil {
					t.Fatal(err)
				}
				checkAccepted(t, data, x.v, p)
				return
			}
			if e := typed(t, err); !errors.Is(e, x.class) || e.Reason() != x.code {
				t.Errorf("%v, reason code 0x%02X; want %v, 0x%02X", err, uint8(e.Reason()), x.class, uint8(x.code))
			}
		})
	}
}
