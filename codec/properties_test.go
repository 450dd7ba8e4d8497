package codec

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
)

func pairs(u *UserProperties) (all []string) {
	for name, value := range u.All() {
		all = append(all, fmt.Sprintf("%s=%s", name, value))
	}
	return all
}

// mixedPublish has its repeated properties with others between them.
const mixedPublish = "30 25 0001 74 20 26 0001 61 0001 31 0b01 0101 26 0001 62 0001 32 0bc801 0b02 26 0001 61 0000 03 0000 70"

func decodePublish(t *testing.T, hex string) (*Publish, []byte) {
	t.Helper()
	data := unhex(t, strings.ReplaceAll(hex, " ", ""))
	body := data[2:]
	return mustDecode(t, frameOf(data[0], body), V5).(*Publish), frameOf(data[0], body)
}

// Repeated properties keep their order, also where others stand in between.
func TestRepeatedProperties(t *testing.T) {
	p, data := decodePublish(t, mixedPublish)
	if got := pairs(&p.Properties.UserProperties); !slices.Equal(got, []string{"a=1", "b=2", "a="}) {
		t.Errorf("User Properties %q", got)
	}
	if got := slices.Collect(p.Properties.SubscriptionIdentifiers.All()); !slices.Equal(got, []uint32{1, 200, 2}) {
		t.Errorf("Subscription Identifiers %v", got)
	}
	if u, s := p.Properties.UserProperties.Len(), p.Properties.SubscriptionIdentifiers.Len(); u != 3 || s != 3 {
		t.Errorf("Len = %d and %d, want 3 and 3", u, s)
	}
	for name, want := range map[string]string{"a": "1", "b": "2"} {
		if value, ok := p.Properties.UserProperties.Get(name); !ok || string(value) != want {
			t.Errorf("Get(%q) = %q, %v", name, value, ok)
		}
	}
	if value, ok := p.Properties.UserProperties.Get("c"); ok || value != nil {
		t.Errorf("Get of a missing name = %q, %v", value, ok)
	}
	checkAccepted(t, data, V5, p)
	out := mustEncode(t, p, V5)
	if q := mustDecode(t, out, V5).(*Publish); jsonOf(t, q) != jsonOf(t, p) || len(out) != len(data) {
		t.Errorf("%x was encoded as %x", data, out)
	}
}

// Walking can end early, and can be done again.
func TestRepeatedPropertiesStop(t *testing.T) {
	p, _ := decodePublish(t, mixedPublish)
	for range 2 {
		for name := range p.Properties.UserProperties.All() {
			if string(name) != "a" {
				t.Errorf("the first name is %q", name)
			}
			break
		}
		for id := range p.Properties.SubscriptionIdentifiers.All() {
			if id != 1 {
				t.Errorf("the first identifier is %d", id)
			}
			break
		}
	}
	next, stop := iter.Pull(p.Properties.SubscriptionIdentifiers.All())
	defer stop()
	if id, ok := next(); id != 1 || !ok {
		t.Errorf("%d, %v", id, ok)
	}
}

// Add on what was decoded copies; it never writes to the bytes it came from,
// nor to the bytes behind it.
func TestAddLeavesBorrowedBytesAlone(t *testing.T) {
	for _, hex := range []string{
		mixedPublish,
		"30 0e 0001 74 09 26 0001 61 0001 31 0b01 70", // one of each, none mixed
		"30 05 0001 74 00 70",                         // none
	} {
		_, data := decodePublish(t, hex)
		// The packet stands in a larger buffer, with more packets behind it.
		buf := append(bytes.Clone(data), bytes.Repeat([]byte{0xEE}, 64)...)
		was := bytes.Clone(buf)
		q, _, err := Decode(buf, V5)
		if err != nil {
			t.Fatal(err)
		}
		p := q.(*Publish)
		users, ids := pairs(&p.Properties.UserProperties), slices.Collect(p.Properties.SubscriptionIdentifiers.All())
		for range 3 {
			p.Properties.UserProperties.Add("new", "value")
			p.Properties.SubscriptionIdentifiers.Add(70_000)
		}
		if !bytes.Equal(buf, was) {
			t.Fatalf("Add wrote to the decoded bytes:\n%x\n%x", buf, was)
		}
		wantUsers := append(users, "new=value", "new=value", "new=value")
		wantIDs := append(ids, 70_000, 70_000, 70_000)
		if got := pairs(&p.Properties.UserProperties); !slices.Equal(got, wantUsers) {
			t.Errorf("User Properties %q, want %q", got, wantUsers)
		}
		if got := slices.Collect(p.Properties.SubscriptionIdentifiers.All()); !slices.Equal(got, wantIDs) {
			t.Errorf("Subscription Identifiers %v, want %v", got, wantIDs)
		}
		if r := mustDecode(t, mustEncode(t, p, V5), V5); jsonOf(t, r) != jsonOf(t, p) {
			t.Errorf("%s\nwant %s", jsonOf(t, r), jsonOf(t, p))
		}
	}
}

// A clone of the properties is independent of what it was made from.
func TestRepeatedPropertiesClone(t *testing.T) {
	p, data := decodePublish(t, mixedPublish)
	u, s := p.Properties.UserProperties.Clone(), p.Properties.SubscriptionIdentifiers.Clone()
	users, ids := pairs(&u), slices.Collect(s.All())
	u2, s2 := u.Clone(), s.Clone()
	u.Add("x", "y")
	u2.Add("z", "")
	s.Add(9)
	s2.Add(10)
	clear(data)
	if got := pairs(&u); !slices.Equal(got, append(slices.Clone(users), "x=y")) {
		t.Errorf("%q", got)
	}
	if got := pairs(&u2); !slices.Equal(got, append(slices.Clone(users), "z=")) {
		t.Errorf("%q", got)
	}
	if a, b := slices.Collect(s.All()), slices.Collect(s2.All()); !slices.Equal(a, append(slices.Clone(ids), 9)) || !slices.Equal(b, append(slices.Clone(ids), 10)) {
		t.Errorf("%v, %v", a, b)
	}
}

func TestSubscriptionIdentifierRange(t *testing.T) {
	for _, x := range []struct {
		id   uint32
		want error
	}{{0, ErrProtocol}, {1, nil}, {127, nil}, {128, nil}, {MaxRemaining, nil}, {MaxRemaining + 1, ErrProtocol}, {1<<32 - 1, ErrProtocol}} {
		p := &Publish{Topic: Bytes("t")}
		p.Properties.SubscriptionIdentifiers.Add(5)
		p.Properties.SubscriptionIdentifiers.Add(x.id)
		s := &Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes("a")}}}
		s.Properties.SubscriptionIdentifier = Some(x.id)
		for field, p := range map[string]Packet{"Properties.SubscriptionIdentifiers": p, "Properties.SubscriptionIdentifier": s} {
			out, err := p.AppendTo(nil, V5)
			if x.want == nil {
				if err != nil || jsonOf(t, mustDecode(t, out, V5)) != jsonOf(t, p) {
					t.Errorf("%d: %v", x.id, err)
				}
				continue
			}
			if e := typed(t, err); !errors.Is(e, x.want) || e.Field != field {
				t.Errorf("%d: %v, want %v: %s", x.id, err, x.want, field)
			}
		}
	}
}

// Somebody may write to the buffer behind a decoded packet. The packet may be
// wrong then, but walking it and encoding it stay safe.
func TestRepeatedPropertiesDamaged(t *testing.T) {
	_, data := decodePublish(t, mixedPublish)
	for at := range data {
		for _, x := range []byte{0x00, 0x0B, 0x26, 0x7F, 0x80, 0xFF} {
			buf := bytes.Clone(data)
			q, _, err := Decode(buf, V5)
			if err != nil {
				t.Fatal(err)
			}
			p := q.(*Publish)
			buf[at] = x
			for range p.Properties.UserProperties.All() {
			}
			for range p.Properties.SubscriptionIdentifiers.All() {
			}
			out, err := p.AppendTo(nil, V5)
			if err == nil && len(out) != p.Size(V5) {
				t.Fatalf("byte %d set to %02x: Size = %d, wrote %d", at, x, p.Size(V5), len(out))
			}
			if err == nil {
				if _, err := decodeWhole(out, V5); err != nil {
					t.Fatalf("byte %d set to %02x: wrote %x, which is illegal: %v", at, x, out, err)
				}
			}
			_, _ = p.String(), Clone(p)
		}
	}
}
