package codec

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What v3.1.1 lacks is an error under v3.1.1, field by field, and never left
// out in silence.
func TestVersionFields(t *testing.T) {
	tested := 0
	for _, kind := range everyType {
		if kind == TypeAuth {
			continue
		}
		full := leaves(fullPacket(kind))
		for i, l := range full {
			if !v5Only(kind, l.path) {
				continue
			}
			p := fullPacketV311(kind)
			if u, ok := p.(*Unsuback); ok {
				u.ReasonCodes = []ReasonCode{0, 0}
			}
			leaves(p)[i].value.Set(full[i].value)
			if _, ok := p.(*Unsuback); ok && !strings.HasPrefix(l.path, "ReasonCodes") {
				p.(*Unsuback).ReasonCodes = nil
			}
			field := l.path
			if kind == TypeUnsuback && strings.HasPrefix(field, "ReasonCodes") {
				field = "ReasonCodes"
			}
			tested++
			for _, v := range []Version{V311, V311Wide, V311.AllowControlCharacters()} {
				out, err := p.AppendTo([]byte("before"), v)
				e := typed(t, err)
				if !errors.Is(e, ErrVersion) || e.Field != field || e.Packet != kind || string(out) != "before" {
					t.Errorf("%v: %s: %v, want %v", kind, field, err, ErrVersion)
				}
			}
			// Under v5.0 it is legal, with what it needs.
			switch p := p.(type) {
			case *Connect:
				p.Properties.AuthenticationMethod = Text("method")
			case *Connack:
				p.Properties.AuthenticationMethod = Text("method")
			case *Unsuback:
				p.ReasonCodes = []ReasonCode{0, 0}
			}
			if err := p.Validate(V5); err != nil {
				t.Errorf("%v: %s is refused under v5.0: %v", kind, l.path, err)
			}
		}
	}
	if tested < 70 {
		t.Errorf("only %d fields tested", tested)
	}
	_, err := fullPacket(TypeAuth).AppendTo(nil, V311)
	if e := typed(t, err); !errors.Is(e, ErrVersion) || e.Packet != TypeAuth || e.Field != "" {
		t.Errorf("AUTH: %v, want %v", err, ErrVersion)
	}
}

// Versions that do not exist are refused, by every call.
func TestVersionUnknown(t *testing.T) {
	for _, v := range []Version{0, 1, 3, 6, 7, 3 | wide} {
		if v.Known() || !strings.HasPrefix(v.String(), "unknown version") {
			t.Errorf("%d: Known = %v, %s", v, v.Known(), v)
		}
		for i, g := range golden {
			data := goldenBytes(t, i)
			p := mustDecode(t, data, g.version)
			h, _, _ := Frame(data, 0)
			for what, err := range map[string]error{
				"Validate":    p.Validate(v),
				"AppendTo":    func() error { _, err := p.AppendTo(nil, v); return err }(),
				"Decode":      NewPacket(g.packet).Decode(h, data[h.Len:], v),
				"DecodeLoose": NewPacket(g.packet).DecodeLoose(h, data[h.Len:], v),
			} {
				if e := typed(t, err); !errors.Is(e, ErrUnsupportedVersion) || e.Reason() != ReasonUnsupportedProtocolVersion {
					t.Errorf("%s: %s under version %d: %v", g.name, what, v, err)
				}
			}
		}
	}
}

func TestVersionMethods(t *testing.T) {
	for _, x := range []struct {
		v        Version
		name     string
		v5, wide bool
		level    byte
		max      uint32
	}{
		{V311, "v3.1.1", false, false, 4, 65_535},
		{V5, "v5.0", true, false, 5, 65_535},
		{V311Wide, "v3.1.1 with 32-bit packet identifiers", false, true, 4, 1<<32 - 1},
		{V5Wide, "v5.0 with 32-bit packet identifiers", true, true, 5, 1<<32 - 1},
	} {
		for _, v := range []Version{x.v, x.v.FromClient(), x.v.FromServer(), x.v.AllowControlCharacters(), x.v.FromServer().FromClient()} {
			if !v.Known() || v.IsV5() != x.v5 || v.Wide() != x.wide || v.Level() != x.level || v.MaxPacketID() != x.max || v.String() != x.name || v.Base() != x.v {
				t.Errorf("%v: %v %v %v %v %v", v, v.IsV5(), v.Wide(), v.Level(), v.MaxPacketID(), v.Base())
			}
		}
		if x.v.FromClient().FromServer() != x.v.FromServer() || x.v.FromServer().FromClient() != x.v.FromClient() {
			t.Errorf("%v: the last direction does not win", x.v)
		}
	}
}

// withID sets the Packet Identifier of the types that have one.
func withID(p Packet, id uint32) bool {
	f := reflect.ValueOf(p).Elem().FieldByName("PacketID")
	if !f.IsValid() {
		return false
	}
	f.SetUint(uint64(id))
	return true
}

// Packet Identifiers take two bytes or four, in every packet that has one, and
// an identifier that does not fit is an error.
func TestPacketIDWidth(t *testing.T) {
	types := map[PacketType]bool{}
	fullPackets(t, func(t *testing.T, v Version, make func() Packet) {
		p := make()
		if !withID(p, 1) {
			return
		}
		types[p.Type()] = true
		narrow := v &^ wide
		if got, want := p.Size(v|wide), p.Size(narrow)+2; got != want {
			t.Errorf("Size = %d, want %d", got, want)
		}
		for _, id := range []uint32{1, 255, 256, 65_535, 65_536, 0x01020304, 1<<32 - 1} {
			withID(p, id)
			out, err := p.AppendTo([]byte("before"), v)
			if id > v.MaxPacketID() {
				if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Field != "PacketID" || string(out) != "before" {
					t.Errorf("identifier %d: %v, want %v", id, err, ErrTooLarge)
				}
				continue
			}
			if err != nil {
				t.Errorf("identifier %d: %v", id, err)
				continue
			}
			q := mustDecode(t, out[6:], v)
			if got := uint32(reflect.ValueOf(q).Elem().FieldByName("PacketID").Uint()); got != id {
				t.Errorf("identifier %d was decoded as %d", id, got)
			}
			if jsonOf(t, q) != jsonOf(t, p) {
				t.Errorf("%s\nwant %s", jsonOf(t, q), jsonOf(t, p))
			}
		}
		withID(p, 0)
		if _, err := p.AppendTo(nil, v); !errors.Is(err, ErrProtocol) || typed(t, err).Field != "PacketID" {
			t.Errorf("identifier 0: %v, want %v", err, ErrProtocol)
		}
	})
	if len(types) != 9 {
		t.Errorf("%d types have an identifier, want 9", len(types))
	}
}

// The Remaining Length of the wide forms covers their four bytes.
func TestPacketIDWideBytes(t *testing.T) {
	for hex, p := range map[string]Packet{
		"b0 04 01020304":            &Unsuback{PacketID: 0x01020304},
		"40 04 01020304":            &Puback{PacketID: 0x01020304},
		"62 04 01020304":            &Pubrel{PacketID: 0x01020304},
		"90 05 01020304 80":         &Suback{PacketID: 0x01020304, ReasonCodes: []ReasonCode{ReasonUnspecifiedError}},
		"34 08 0001 74 01020304 70": &Publish{Topic: Bytes("t"), QoS: QoS2, PacketID: 0x01020304, Payload: Bytes("p")},
	} {
		data := unhex(t, hex)
		if out := mustEncode(t, p, V311Wide); !bytes.Equal(out, data) {
			t.Errorf("%v: %x, want %x", p, out, data)
		}
		if q := mustDecode(t, data, V311Wide); jsonOf(t, q) != jsonOf(t, p) {
			t.Errorf("%x was decoded as %v", data, q)
		}
		if p.Type() != TypePublish {
			if q, err := decodeWhole(data, V311); err == nil && p.Type() != TypeSuback {
				t.Errorf("%x was accepted with identifiers of two bytes: %v", data, q)
			}
		}
	}
}

// Each type of packet, in each version, is accepted from those who may send it,
// and refused from the others, when it is decoded and when it is encoded.
func TestPacketDirections(t *testing.T) {
	senders := map[PacketType]string{
		TypeConnect: "client", TypeConnack: "server", TypeSubscribe: "client", TypeSuback: "server",
		TypeUnsubscribe: "client", TypeUnsuback: "server", TypePingreq: "client", TypePingresp: "server",
	}
	for i, g := range golden {
		sender := senders[g.packet]
		if g.packet == TypeDisconnect && !g.version.IsV5() {
			sender = "client"
		}
		data := goldenBytes(t, i)
		p := mustDecode(t, data, g.version)
		for _, from := range []string{"client", "server"} {
			v := side(g.version, from)
			_, err := decodeWhole(data, v)
			_, encodeErr := p.AppendTo(nil, v)
			if (err == nil) != (encodeErr == nil) {
				t.Errorf("%s from the %s: Decode = %v, AppendTo = %v", g.name, from, err, encodeErr)
			}
			if sender == "" {
				continue // what else it carries decides
			}
			if from == sender {
				if err != nil {
					t.Errorf("%s from the %s: %v", g.name, from, err)
				}
				continue
			}
			for what, err := range map[string]error{"Decode": err, "AppendTo": encodeErr} {
				if e := typed(t, err); !errors.Is(e, ErrProtocol) || e.Field != "" || e.Packet != g.packet {
					t.Errorf("%s from the %s: %s: %v, want %v", g.name, from, what, err, ErrProtocol)
				}
			}
			if _, err := decodeLoosely(data, v); err != nil {
				t.Errorf("%s from the %s: DecodeLoose: %v", g.name, from, err)
			}
		}
	}
}

// A packet is decoded by its own type alone.
func TestDecodeOfAnotherType(t *testing.T) {
	for i, g := range golden {
		data := goldenBytes(t, i)
		h, _, _ := Frame(data, 0)
		for _, kind := range everyType {
			p := NewPacket(kind)
			for what, decode := range map[string]func(Header, []byte, Version) error{"Decode": p.Decode, "DecodeLoose": p.DecodeLoose} {
				err := decode(h, data[h.Len:], g.version)
				if (err == nil) != (kind == g.packet) {
					t.Errorf("%s: %s as %v: %v", g.name, what, kind, err)
				}
			}
		}
	}
	if got := fmt.Sprint(PacketType(0), TypeConnect, TypeAuth, PacketType(16)); got != "packet type 0 CONNECT AUTH packet type 16" {
		t.Errorf("names of the types: %s", got)
	}
}
