package codec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// everyType are the types of the fifteen packets.
var everyType = []PacketType{
	TypeConnect, TypeConnack, TypePublish, TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeSubscribe,
	TypeSuback, TypeUnsubscribe, TypeUnsuback, TypePingreq, TypePingresp, TypeDisconnect, TypeAuth,
}

// unhex returns the bytes of s, in which spaces may stand.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

var errUnfinished = errors.New("Decode wants more bytes")

// decodeWhole decodes a packet that takes all of data.
func decodeWhole(data []byte, v Version) (Packet, error) {
	p, n, err := Decode(data, v)
	switch {
	case err != nil:
		return nil, err
	case n == 0:
		return nil, errUnfinished
	case n != len(data):
		return nil, fmt.Errorf("Decode took %d of %d bytes", n, len(data))
	}
	return p, nil
}

// mustDecode decodes a packet that has to be legal.
func mustDecode(t testing.TB, data []byte, v Version) Packet {
	t.Helper()
	p, err := decodeWhole(data, v)
	if err != nil {
		t.Fatalf("%x: %v", data, err)
	}
	return p
}

// decodeLoosely is decodeWhole with DecodeLoose.
func decodeLoosely(data []byte, v Version) (Packet, error) {
	h, n, err := Frame(data, 0)
	if err != nil {
		return nil, err
	}
	if n != len(data) {
		return nil, errUnfinished
	}
	return new(Decoder).DecodeLoose(h, data[h.Len:n], v)
}

// mustEncode encodes a packet that has to be legal.
func mustEncode(t testing.TB, p Packet, v Version) []byte {
	t.Helper()
	out, err := p.AppendTo(nil, v)
	if err != nil {
		t.Fatalf("%v: %v", p, err)
	}
	if size := p.Size(v); size != len(out) {
		t.Fatalf("%v: Size = %d, AppendTo wrote %d bytes", p, size, len(out))
	}
	return out
}

// typed returns err as an *Error, which every error of this package has to be.
func typed(t testing.TB, err error) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %T %v, want an *Error", err, err)
	}
	return e
}

func jsonOf(t testing.TB, p Packet) string {
	t.Helper()
	out, err := p.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// frameOf puts a fixed header with the right Remaining Length before body.
func frameOf(first byte, body []byte) []byte {
	return append(appendHeader(nil, first, len(body)), body...)
}

// side returns v for the sender: "client", "server" or "".
func side(v Version, sender string) Version {
	switch sender {
	case "client":
		return v.FromClient()
	case "server":
		return v.FromServer()
	}
	return v
}

// fullPacket returns a legal v5.0 packet of type t in which everything is set:
// every flag, every field and every property.
func fullPacket(t PacketType) Packet {
	p := NewPacket(t)
	fill(reflect.ValueOf(p).Elem())
	switch p := p.(type) {
	case *Connack:
		p.SessionPresent, p.ReasonCode = false, ReasonUseAnotherServer
	case *Puback:
		p.ReasonCode = ReasonNotAuthorized
	case *Pubrec:
		p.ReasonCode = ReasonNotAuthorized
	case *Pubrel:
		p.ReasonCode = ReasonPacketIdentifierNotFound
	case *Pubcomp:
		p.ReasonCode = ReasonPacketIdentifierNotFound
	case *Suback:
		p.ReasonCodes = []ReasonCode{ReasonGrantedQoS1, ReasonNotAuthorized}
	case *Unsuback:
		p.ReasonCodes = []ReasonCode{ReasonSuccess, ReasonNoSubscriptionExisted}
	case *Disconnect:
		p.ReasonCode = ReasonUnspecifiedError
	case *Auth:
		p.ReasonCode = ReasonContinueAuthentication
	}
	return p
}

// fill sets everything in v: numbers to 1, texts to "text", lists to two.
func fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *UserProperties:
		x.Add("name", "first")
		x.Add("name", "second")
		return
	case *SubscriptionIdentifiers:
		x.Add(1)
		x.Add(200)
		return
	case *Bytes:
		*x = Bytes("text")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.Bool:
		v.SetBool(true)
	default:
		v.SetUint(1)
	}
}

// leaf is one field of a packet, found by reflection.
type leaf struct {
	path  string // as errors name it: "Will.Properties.ContentType"
	value reflect.Value
}

// leaves returns the fields of p. An Opt counts as one field, whose value is
// the Opt itself, but for the Will.
func leaves(p Packet) []leaf {
	var all []leaf
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		switch v.Addr().Interface().(type) {
		case *UserProperties, *SubscriptionIdentifiers, *Bytes:
			all = append(all, leaf{path, v})
			return
		case *Opt[Will]:
			walk(path, v.FieldByName("Value"))
			return
		}
		switch {
		case v.Kind() == reflect.Struct && !v.FieldByName("Set").IsValid():
			for i := range v.NumField() {
				name := v.Type().Field(i).Name
				if path != "" {
					name = path + "." + name
				}
				walk(name, v.Field(i))
			}
		case v.Kind() == reflect.Slice:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		default:
			all = append(all, leaf{path, v})
		}
	}
	walk("", reflect.ValueOf(p).Elem())
	return all
}

// checkAccepted tests what holds for every packet that the strict decoder
// accepts: the encoder reproduces it byte for byte, but for properties in
// another order, or in a shorter form that the standard has; and the result
// decodes to the same packet.
func checkAccepted(t testing.TB, data []byte, v Version, p Packet) {
	t.Helper()
	out := mustEncode(t, p, v)
	shorter := 0
	switch h, _, _ := Frame(data, 0); {
	case h.Padded():
		shorter = 3
	case v.IsV5() && (p.Type() >= TypePuback && p.Type() <= TypePubcomp || p.Type() >= TypeDisconnect):
		shorter = 2 // Reason Code 0 and Property Length 0 may be left out
	}
	if saved := len(data) - len(out); saved < 0 || saved > shorter {
		t.Fatalf("%x was encoded as %x", data, out)
	}
	if len(out) == len(data) && !bytes.Equal(sorted(out), sorted(data)) {
		t.Fatalf("%x was encoded as %x", data, out)
	}
	q, err := decodeWhole(out, v)
	if err != nil {
		t.Fatalf("%x was encoded as %x: %v", data, out, err)
	}
	if got, want := jsonOf(t, q), jsonOf(t, p); got != want {
		t.Fatalf("%x was encoded as %x, and that is\n%s instead of\n%s", data, out, got, want)
	}
	if again := mustEncode(t, q, v); !bytes.Equal(again, out) {
		t.Fatalf("%x was encoded as %x, and that as %x", data, out, again)
	}
}

// sorted returns the bytes of b in order.
func sorted(b []byte) []byte {
	var count [256]int
	for _, c := range b {
		count[c]++
	}
	out := make([]byte, 0, len(b))
	for c, n := range count {
		out = append(out, bytes.Repeat([]byte{byte(c)}, n)...)
	}
	return out
}
