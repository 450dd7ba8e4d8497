package codec

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// same compares packets by all their fields, also those that are not exported.
// An empty list is like none.
func same(a, b Packet) string {
	return cmp.Diff(a, b, cmp.Exporter(func(reflect.Type) bool { return true }), cmpopts.EquateEmpty())
}

// everyGolden calls do with the golden packets, and with the full packets of
// all types.
func everyPacket(t *testing.T, do func(t *testing.T, data []byte, v Version)) {
	for i, g := range golden {
		t.Run(g.name, func(t *testing.T) { do(t, goldenBytes(t, i), g.version) })
	}
	fullPackets(t, func(t *testing.T, v Version, make func() Packet) { do(t, mustEncode(t, make(), v), v) })
}

// A clone owns its bytes: it does not change with the buffer that its original
// was decoded from, nor with the original.
func TestCloneOwnsItsBytes(t *testing.T) {
	everyPacket(t, func(t *testing.T, data []byte, v Version) {
		buf := bytes.Clone(data)
		p := mustDecode(t, buf, v)
		want := jsonOf(t, p)
		q := Clone(p)
		if q == p && p.Type() != TypePingreq && p.Type() != TypePingresp {
			t.Error("the clone is the packet itself")
		}
		for i := range buf {
			buf[i] ^= 0xFF
		}
		for _, l := range leaves(p) {
			if l.value.Kind() != reflect.Struct {
				l.value.SetZero()
			}
		}
		if got := jsonOf(t, q); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if out := mustEncode(t, q, v); !bytes.Equal(out, data) {
			t.Errorf("%x, want %x", out, data)
		}
		// Growing one field of the clone leaves the others alone.
		for _, l := range leaves(q) {
			switch x := l.value.Addr().Interface().(type) {
			case *Bytes:
				_ = append(*x, 0xEE, 0xEE, 0xEE)
			case *Opt[Bytes]:
				_ = append(x.Value, 0xEE, 0xEE, 0xEE)
			case *UserProperties:
				x.Clone()
				c := *x
				c.Add("more", "and more")
			}
		}
		if got := jsonOf(t, q); got != want {
			t.Errorf("after appending: %s\nwant %s", got, want)
		}
	})
}

// Decoded fields end where they end: appending to one of them does not write
// to the buffer.
func TestDecodedFieldsHaveNoRoom(t *testing.T) {
	everyPacket(t, func(t *testing.T, data []byte, v Version) {
		buf := append(bytes.Clone(data), bytes.Repeat([]byte{0xEE}, 32)...)
		was := bytes.Clone(buf)
		p, _, err := Decode(buf, v)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range leaves(p) {
			var b Bytes
			switch x := l.value.Addr().Interface().(type) {
			case *Bytes:
				b = *x
			case *Opt[Bytes]:
				b = x.Value
			}
			if len(b) != cap(b) {
				t.Errorf("%s has %d bytes and room for %d", l.path, len(b), cap(b))
			}
			_ = append(b, 1, 2, 3)
		}
		if !bytes.Equal(buf, was) {
			t.Error("appending to a field wrote to the buffer")
		}
	})
}

func TestReset(t *testing.T) {
	for _, kind := range everyType {
		p := fullPacket(kind)
		p.Reset()
		if diff := same(NewPacket(kind), p); diff != "" {
			t.Errorf("%v after Reset (-want +got):\n%s", kind, diff)
		}
	}
	s := fullPacket(TypeSubscribe).(*Subscribe)
	if s.Reset(); cap(s.Filters) != 2 {
		t.Errorf("Reset gives the list of filters away: room for %d", cap(s.Filters))
	}
	u := fullPacket(TypeSuback).(*Suback)
	if u.Reset(); cap(u.ReasonCodes) != 2 {
		t.Errorf("Reset gives the list of codes away: room for %d", cap(u.ReasonCodes))
	}
}

// sample is one packet for the tests that decode into used structs.
type sample struct {
	name string
	data []byte
	v    Version
}

func samples(t *testing.T) map[PacketType][]sample {
	all := map[PacketType][]sample{}
	for i, g := range golden {
		all[g.packet] = append(all[g.packet], sample{g.name, goldenBytes(t, i), g.version})
	}
	for _, kind := range everyType {
		for _, v := range []Version{V311, V5} {
			if kind == TypeAuth && !v.IsV5() {
				continue
			}
			p := fullPacket(kind)
			if !v.IsV5() {
				p = fullPacketV311(kind)
			}
			all[kind] = append(all[kind], sample{kind.String() + " full", mustEncode(t, p, v), v})
		}
	}
	return all
}

// Decoding into a struct that was used before gives the same as decoding into
// a fresh one, for all pairs of packets of a type, in all versions, and after a
// packet that was refused half way.
func TestDecodeIntoUsedStruct(t *testing.T) {
	pairs := 0
	for kind, list := range samples(t) {
		for _, first := range list {
			for _, second := range list {
				for _, loose := range []bool{false, true} {
					pairs++
					decode := func(p Packet, x sample, n int) error {
						h, _, _ := Frame(x.data, 0)
						body := x.data[h.Len : len(x.data)-n]
						if loose {
							return p.DecodeLoose(h, body, x.v)
						}
						return p.Decode(h, body, x.v)
					}
					fresh, used, spoilt := NewPacket(kind), NewPacket(kind), NewPacket(kind)
					if err := decode(fresh, second, 0); err != nil {
						t.Fatal(err)
					}
					_ = decode(used, first, 0)
					for n := range min(len(first.data)-2, 12) {
						_ = decode(spoilt, first, n)
					}
					for what, p := range map[string]Packet{"used": used, "spoilt": spoilt} {
						if err := decode(p, second, 0); err != nil {
							t.Fatalf("%s after %s, %s: %v", second.name, first.name, what, err)
						}
						if diff := same(fresh, p); diff != "" {
							t.Fatalf("%s after %s, %s (-fresh +used):\n%s", second.name, first.name, what, diff)
						}
					}
				}
			}
		}
	}
	if pairs < 600 {
		t.Errorf("only %d pairs", pairs)
	}
}

// A Decoder keeps one struct of each type, and none of another.
func TestDecoderReuses(t *testing.T) {
	var d Decoder
	kept := map[PacketType]Packet{}
	for range 2 {
		for i, g := range golden {
			data := goldenBytes(t, i)
			h, _, _ := Frame(data, 0)
			p, err := d.Decode(h, data[h.Len:], g.version)
			if err != nil || p.Type() != g.packet {
				t.Fatalf("%s: %v, %v", g.name, p, err)
			}
			if was := kept[g.packet]; was != nil && was != p {
				t.Errorf("%s: another struct than before", g.name)
			}
			kept[g.packet] = p
			if diff := same(mustDecode(t, data, g.version), p); diff != "" {
				t.Errorf("%s (-Decode +Decoder):\n%s", g.name, diff)
			}
			loose, err := d.DecodeLoose(h, data[h.Len:], g.version)
			if err != nil || loose != p {
				t.Errorf("%s: DecodeLoose = %v, %v", g.name, loose, err)
			}
		}
	}
	if len(kept) != 15 {
		t.Errorf("%d types", len(kept))
	}
	for _, decode := range []func(Header, []byte, Version) (Packet, error){d.Decode, d.DecodeLoose} {
		if p, err := decode(Header{Type: 0, Len: 2}, nil, V5); p != nil || typed(t, err).Offset != 0 {
			t.Errorf("type 0: %v, %v", p, err)
		}
	}
	if NewPacket(0) != nil || NewPacket(16) != nil {
		t.Error("NewPacket of a type that does not exist")
	}
}

// CloneTo makes what Clone does, in exactly the memory that CloneSize asks for.
func TestCloneTo(t *testing.T) {
	everyPacket(t, func(t *testing.T, data []byte, v Version) {
		p, ok := mustDecode(t, data, v).(*Publish)
		if !ok {
			return
		}
		buf := bytes.Repeat([]byte{0xEE}, p.CloneSize()+1)
		q := Publish{Topic: Bytes("old"), PacketID: 9}
		p.CloneTo(&q, buf[:p.CloneSize():p.CloneSize()])
		if diff := same(&q, p.Clone()); diff != "" {
			t.Error(diff)
		}
		if n := len(buf) - 1; buf[n] != 0xEE || n > 0 && bytes.Count(buf, []byte{0xEE}) == len(buf) {
			t.Errorf("of %d bytes not all are used: %x", n, buf)
		}
		for i := range buf {
			buf[i] = 0
		}
		if p.CloneSize() > 0 && same(&q, p.Clone()) == "" {
			t.Error("the bytes are not in buf")
		}
	})
}
