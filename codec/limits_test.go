package codec

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// v5Only reports whether v3.1.1 lacks the field of packets of type t.
func v5Only(t PacketType, path string) bool {
	switch {
	case t == TypeAuth, strings.Contains(path, "Properties."):
		return true
	case t == TypeConnack, t == TypeSuback:
		return false
	}
	for _, name := range []string{"ReasonCode", "RetainHandling", "RetainAsPublished", "NoLocal"} {
		if strings.Contains(path, name) {
			return true
		}
	}
	return false
}

// fullPacketV311 is fullPacket without what v3.1.1 lacks.
func fullPacketV311(t PacketType) Packet {
	p := fullPacket(t)
	for _, l := range leaves(p) {
		if v5Only(t, l.path) {
			l.value.SetZero()
		}
	}
	switch p := p.(type) {
	case *Connack:
		p.ReasonCode = ReasonServerUnavailable
	case *Suback:
		p.ReasonCodes = []ReasonCode{ReasonGrantedQoS1, ReasonUnspecifiedError}
	case *Unsuback:
		p.ReasonCodes = nil
	}
	return p
}

// fullPackets calls do with every type of packet in every version that has it.
func fullPackets(t *testing.T, do func(t *testing.T, v Version, make func() Packet)) {
	for _, kind := range everyType {
		for _, v := range []Version{V311, V5, V311Wide, V5Wide} {
			if kind == TypeAuth && !v.IsV5() {
				continue
			}
			t.Run(kind.String()+" "+v.String(), func(t *testing.T) {
				do(t, v, func() Packet {
					if v.IsV5() {
						return fullPacket(kind)
					}
					return fullPacketV311(kind)
				})
			})
		}
	}
}

// The packets that the other tests fill by reflection are legal, and come back
// whole.
func TestFullPackets(t *testing.T) {
	fullPackets(t, func(t *testing.T, v Version, make func() Packet) {
		p := make()
		data := mustEncode(t, p, v)
		q := mustDecode(t, data, v)
		if got, want := jsonOf(t, q), jsonOf(t, p); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if v == V5 {
			for _, l := range leaves(q) {
				if l.value.IsZero() && l.path != "SessionPresent" && l.path != "ReasonCodes[0]" {
					t.Errorf("%s is not set", l.path)
				}
			}
		}
	})
}

// setText gives a string or binary field the bytes of s. It reports false for
// fields of other kinds.
func setText(value reflect.Value, s string) bool {
	switch x := value.Addr().Interface().(type) {
	case *Bytes:
		*x = Bytes(s)
	case *Opt[Bytes]:
		*x = Text(s)
	default:
		return false
	}
	return true
}

// Every string and every binary field takes 65,535 bytes. One more is an error:
// it is never cut, and its length never wraps.
func TestLimitsOfText(t *testing.T) {
	all := strings.Repeat("a", 65_540)
	fields := map[Version]int{}
	fullPackets(t, func(t *testing.T, v Version, make func() Packet) {
		for i, l := range leaves(make()) {
			if l.path == "Payload" || !v.IsV5() && v5Only(make().Type(), l.path) {
				continue // the payload of PUBLISH has no length of its own
			}
			p := make()
			if !setText(leaves(p)[i].value, all[:65_535]) {
				continue
			}
			fields[v]++
			q := mustDecode(t, mustEncode(t, p, v), v)
			if got, want := jsonOf(t, q), jsonOf(t, p); got != want {
				t.Errorf("%s: 65,535 bytes do not come back", l.path)
			}
			for _, n := range []int{65_536, 65_540} {
				setText(leaves(p)[i].value, all[:n])
				if out, err := p.AppendTo([]byte("before"), v); string(out) != "before" {
					t.Errorf("%s: AppendTo wrote %d bytes", l.path, len(out))
				} else if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Field != l.path || e.Reason() != ReasonPacketTooLarge {
					t.Errorf("%s of %d bytes: %v, want %v: %s", l.path, n, err, ErrTooLarge, l.path)
				} else if topic := strings.Contains(l.path, "Topic") || strings.Contains(l.path, "Filter"); topic != (e.Rule == "MQTT-4.7.3-3") {
					t.Errorf("%s: %v: the rule is on Topic Names and Filters", l.path, err)
				}
			}
		}
	})
	if fields[V5] != 35 || fields[V311] != 10 {
		t.Errorf("%v fields tested", fields)
	}
}

// The same for both halves of User Properties, wherever they may stand.
func TestLimitsOfUserProperties(t *testing.T) {
	all := strings.Repeat("a", 65_540)
	blocks := 0
	for _, kind := range everyType {
		for i, l := range leaves(fullPacket(kind)) {
			if _, ok := l.value.Addr().Interface().(*UserProperties); !ok {
				continue
			}
			blocks++
			for _, x := range []struct {
				name, value int
				legal       bool
			}{{65_535, 65_535, true}, {65_535, 0, true}, {0, 65_535, true}, {65_536, 0, false}, {0, 65_536, false}, {1, 65_540, false}, {65_540, 1, false}} {
				p := fullPacket(kind)
				u := leaves(p)[i].value.Addr().Interface().(*UserProperties)
				u.Add(all[:x.name], all[:x.value])
				out, err := p.AppendTo(nil, V5)
				if x.legal {
					if err != nil || jsonOf(t, mustDecode(t, out, V5)) != jsonOf(t, p) {
						t.Errorf("%v: %s of %d and %d bytes: %v", kind, l.path, x.name, x.value, err)
					}
					continue
				}
				if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Field != l.path || len(out) != 0 {
					t.Errorf("%v: %s of %d and %d bytes: %v, want %v", kind, l.path, x.name, x.value, err, ErrTooLarge)
				}
			}
		}
	}
	if blocks != 14 {
		t.Errorf("%d packets have User Properties, want 14", blocks)
	}
}

// The largest packet has a Remaining Length of 268,435,455. The payload is one
// slice of zeros that nobody writes to, so that it takes next to no memory.
func TestLimitsOfPacket(t *testing.T) {
	for _, v := range []Version{V311, V5} {
		buf := make([]byte, MaxPacketSize+1)
		p := &Publish{Topic: Bytes("t"), QoS: QoS1, PacketID: 1}
		fixed := len(mustEncode(t, p, v)) - 2
		p.Payload = buf[5+fixed : MaxPacketSize]
		if size := p.Size(v); size != MaxPacketSize {
			t.Fatalf("%v: Size = %d, want %d", v, size, MaxPacketSize)
		}
		head, err := p.AppendHeaderTo(buf[:0], v)
		if err != nil || len(head) != 5+fixed || string(head[1:5]) != "\xFF\xFF\xFF\x7F" {
			t.Fatalf("%v: AppendHeaderTo = %x, %v", v, head, err)
		}
		q, n, err := Decode(buf[:MaxPacketSize], v)
		if err != nil || n != MaxPacketSize || len(q.(*Publish).Payload) != len(p.Payload) {
			t.Fatalf("%v: Decode = %d, %v", v, n, err)
		}
		if q, n, err := Decode(buf[:MaxPacketSize-1], v); q != nil || n != 0 || err != nil {
			t.Errorf("%v: one byte short: %v, %d, %v", v, q, n, err)
		}
		p.Payload = buf[5+fixed:]
		for name, write := range map[string]func([]byte, Version) ([]byte, error){"AppendTo": p.AppendTo, "AppendHeaderTo": p.AppendHeaderTo} {
			out, err := write([]byte("before"), v)
			if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Packet != TypePublish || string(out) != "before" {
				t.Errorf("%v: %s of one byte more: %v, want %v", v, name, err, ErrTooLarge)
			}
		}
	}
}

// The limit holds for packets without a payload too.
func TestLimitsOfLists(t *testing.T) {
	filter := Bytes(strings.Repeat("a", 65_535))
	for v, over := range map[Version]int{V311: MaxRemaining - 2, V5: MaxRemaining - 3} {
		p := &Unsubscribe{PacketID: 1}
		for over > len(filter)+2 {
			p.Filters = append(p.Filters, filter)
			over -= len(filter) + 2
		}
		p.Filters = append(p.Filters, filter[:over-2])
		if size := p.Size(v); size != MaxPacketSize {
			t.Fatalf("%v: Size = %d, want %d", v, size, MaxPacketSize)
		}
		p.Filters[len(p.Filters)-1] = filter[:over-1]
		s := &Subscribe{PacketID: 1} // has a byte more for each filter
		for _, filter := range p.Filters {
			s.Filters = append(s.Filters, Subscription{Filter: filter})
		}
		for _, p := range []Packet{p, s} {
			out, err := p.AppendTo(nil, v)
			if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Packet != p.Type() || e.Field != "" || len(out) != 0 {
				t.Errorf("%v: %v: %v, want %v", v, p.Type(), err, ErrTooLarge)
			}
		}
	}
}

// Lists of codes take a byte for each: the slices hold nothing but zeros.
func TestLimitsOfCodes(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at 800 million codes")
	}
	codes := make([]ReasonCode, MaxRemaining)
	for _, x := range []struct {
		v     Version
		p     Packet
		fixed int
	}{
		{V311, &Suback{PacketID: 1, ReasonCodes: codes[:MaxRemaining-2]}, 2},
		{V5, &Suback{PacketID: 1, ReasonCodes: codes[:MaxRemaining-3]}, 3},
		{V5, &Unsuback{PacketID: 1, ReasonCodes: codes[:MaxRemaining-3]}, 3},
	} {
		if size := x.p.Size(x.v); size != MaxPacketSize {
			t.Fatalf("%v: Size = %d, want %d", x.p.Type(), size, MaxPacketSize)
		}
		switch p := x.p.(type) {
		case *Suback:
			p.ReasonCodes = codes[:MaxRemaining-x.fixed+1]
		case *Unsuback:
			p.ReasonCodes = codes[:MaxRemaining-x.fixed+1]
		}
		out, err := x.p.AppendTo(nil, x.v)
		if e := typed(t, err); !errors.Is(e, ErrTooLarge) || e.Packet != x.p.Type() || len(out) != 0 {
			t.Errorf("%v, want %v", err, ErrTooLarge)
		}
	}
}

func TestLimitsTenThousandUserProperties(t *testing.T) {
	const n = 10_000
	p := NewConnect("c").CleanStart(true)
	for i := range n {
		p.UserProperty("name", strings.Repeat("x", i%7))
	}
	c, err := p.Build(V5)
	if err != nil {
		t.Fatal(err)
	}
	data := mustEncode(t, c, V5)
	var d Decoder
	h, _, _ := Frame(data, 0)
	q, err := d.Decode(h, data[h.Len:], V5)
	if err != nil {
		t.Fatal(err)
	}
	u := &q.(*Connect).Properties.UserProperties
	i := 0
	for name, value := range u.All() {
		if string(name) != "name" || len(value) != i%7 {
			t.Fatalf("pair %d is %q, %q", i, name, value)
		}
		i++
	}
	if i != n || u.Len() != n {
		t.Errorf("%d pairs, Len = %d", i, u.Len())
	}
	if allocs := testing.AllocsPerRun(10, func() { _, _ = d.Decode(h, data[h.Len:], V5) }); allocs != 0 {
		t.Errorf("decoding takes %v allocations", allocs)
	}
}
