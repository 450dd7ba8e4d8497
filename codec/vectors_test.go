package codec

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// vectors are the examples that were written by hand from the standards.
type vectors struct {
	Valid, Invalid []vector
	Integers       []struct {
		Value uint32
		Hex   string
	} `yaml:"variable_byte_integer"`
	BadIntegers           []example `yaml:"variable_byte_integer_bad"`
	BadText               []example `yaml:"utf8_bad"`
	GoodText              []example `yaml:"utf8_good"`
	FilterLegal           []string  `yaml:"filter_legal"`
	FilterIllegal         []string  `yaml:"filter_illegal"`
	FilterIllegalV5Shared []string  `yaml:"filter_illegal_v5_shared"`
	Match                 []struct {
		Filter           string
		Matches, Rejects []string
	}
}

type vector struct {
	Version                                               int
	To, Name, Hex, Class, Code, Connack, Basis, Ref, Note string
}

type example struct{ Hex, Why string }

func readVectors(t testing.TB) (all vectors) {
	t.Helper()
	readYAML(t, "testdata/vectors.yaml", &all)
	return all
}

// readYAML reads a file and refuses keys that into does not have.
func readYAML(t testing.TB, name string, into any) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// link returns the version of the link as the receiver knows it.
func (x *vector) link() Version {
	if x.To == "server" {
		return Version(x.Version).FromClient()
	}
	return Version(x.Version).FromServer()
}

func TestVectorsValid(t *testing.T) {
	all := readVectors(t).Valid
	if len(all) < 38 {
		t.Fatalf("only %d vectors", len(all))
	}
	for _, x := range all {
		t.Run(fmt.Sprintf("v%d/%s", x.Version, x.Name), func(t *testing.T) {
			data := unhex(t, x.Hex)
			for _, v := range []Version{x.link(), Version(x.Version)} {
				p := mustDecode(t, data, v)
				if out := mustEncode(t, p, v); string(out) != string(data) {
					t.Errorf("%x was encoded as %x", data, out)
				}
				loose, err := decodeLoosely(data, v)
				if err != nil || jsonOf(t, loose) != jsonOf(t, p) {
					t.Errorf("DecodeLoose = %v, %v; Decode = %v", loose, err, p)
				}
			}
		})
	}
}

func TestVectorsInvalid(t *testing.T) {
	all := readVectors(t).Invalid
	if len(all) < 125 {
		t.Fatalf("only %d vectors", len(all))
	}
	for _, x := range all {
		t.Run(fmt.Sprintf("v%d/%s", x.Version, x.Name), func(t *testing.T) {
			data := unhex(t, x.Hex)
			p, err := decodeWhole(data, x.link())
			if err == nil {
				t.Fatalf("%x was accepted: %v", data, p)
			}
			e := typed(t, err)
			if e.Offset < 0 || e.Offset > len(data) {
				t.Errorf("%v: the offset lies outside of the packet of %d bytes", err, len(data))
			}
			if x.Code != "" && e.Reason() != parseCode(t, x.Code) {
				t.Errorf("reason code 0x%02X, want %s: %v", uint8(e.Reason()), x.Code, err)
			}
			if !x.refusedAs(t, e) {
				t.Errorf("class is not %s: %v", x.Class, err)
			}
			if strings.HasPrefix(x.Ref, "MQTT-") && e.Rule != "" && !sameRule(e.Rule, x.Ref) {
				t.Errorf("rule %s, want %s: %v", e.Rule, x.Ref, err)
			}
		})
	}
}

// refusedAs reports whether e has the class that the vector names.
func (x *vector) refusedAs(t *testing.T, e *Error) bool {
	switch x.Class {
	case "malformed":
		return errors.Is(e, ErrMalformed)
	case "protocol_error":
		return errors.Is(e, ErrProtocol)
	case "reason_code":
		return x.Code != "" && (errors.Is(e, ErrProtocol) || errors.Is(e, ErrMalformed))
	case "connack":
		code, ok := e.Reason().ConnackV311()
		return ok && ReasonCode(code) == parseCode(t, x.Connack)
	}
	t.Fatalf("unknown class %q", x.Class)
	return false
}

// sameRule reports whether the error may name rule got where the vector names
// want: the standards state some requirements several times.
func sameRule(got, want string) bool {
	if got == want {
		return true
	}
	twins := map[string]string{
		"MQTT-1.5.3-1 MQTT-3.3.2-1":   "well-formed UTF-8, in general and in the Topic Name",
		"MQTT-1.5.4-1 MQTT-3.3.2-1":   "the same in v5.0",
		"MQTT-2.2.2-2 MQTT-2.2.2-1":   "flags of the fixed header: what they are, and what to do",
		"MQTT-3.1.2-11 MQTT-3.1.2-13": "Will Flag 0: all that follows, and Will QoS",
		"MQTT-3.1.2-11 MQTT-3.1.2-15": "Will Flag 0: all that follows, and Will Retain",
		"MQTT-3.1.3-8 MQTT-3.1.3-7":   "empty Client Identifier: what to do, and that it may not be",
	}
	_, ok := twins[want+" "+got]
	return ok
}

func parseCode(t testing.TB, s string) ReasonCode {
	t.Helper()
	code, err := strconv.ParseUint(s, 0, 8)
	if err != nil {
		t.Fatal(err)
	}
	return ReasonCode(code)
}

// The three places of a Variable Byte Integer: Remaining Length, Property
// Length and Subscription Identifier.
func TestVectorsIntegers(t *testing.T) {
	for _, x := range readVectors(t).Integers {
		data := unhex(t, x.Hex)
		h, _, err := Frame(append([]byte{0xC0}, data...), 0)
		if err != nil || h.Remaining != int(x.Value) || h.Len != 1+len(data) || h.Padded() {
			t.Errorf("Remaining Length %s: %+v, %v; want %d", x.Hex, h, err, x.Value)
		}
		if x.Value == 0 {
			continue
		}
		p := &Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes("a")}}}
		p.Properties.SubscriptionIdentifier = Some(x.Value)
		want := append([]byte{byte(1 + len(data)), 0x0B}, data...)
		out := mustEncode(t, p, V5)
		if got := string(out[4 : 5+1+len(data)]); got != string(want) {
			t.Errorf("Subscription Identifier %d was encoded as %x", x.Value, got)
		}
		q := mustDecode(t, out, V5).(*Subscribe)
		if q.Properties.SubscriptionIdentifier != Some(x.Value) {
			t.Errorf("Subscription Identifier %s was decoded as %d", x.Hex, q.Properties.SubscriptionIdentifier.Value)
		}
	}
	for _, x := range readVectors(t).BadIntegers {
		data := unhex(t, x.Hex)
		publish := frameOf(0x30, append([]byte{0, 1, 't'}, data...))
		identifier := frameOf(0x82, append(append([]byte{0, 1, byte(1 + len(data)), 0x0B}, data...), 0, 1, 'a', 0))
		rule := "U5-1.5.5-a" // [U5-1.5.5-a] v5
		if strings.HasPrefix(x.Why, "padded") {
			rule = "MQTT-1.5.5-1" // [MQTT-1.5.5-1] v5
		}
		for place, packet := range map[string][]byte{
			"Remaining Length":        append(append([]byte{0xC0}, data...), make([]byte, 127)...),
			"Property Length":         publish,
			"Subscription Identifier": identifier,
		} {
			_, _, err := Decode(packet, V5)
			if !errors.Is(err, ErrMalformed) || typed(t, err).Rule != rule {
				t.Errorf("%s, %s: %v, want %v by %s", place, x.Why, err, ErrMalformed, rule)
			}
		}
	}
}

// Strings: once as a Client Identifier and once as both halves of a User
// Property.
func TestVectorsText(t *testing.T) {
	try := func(text []byte, v Version) error {
		s := append([]byte{0, byte(len(text))}, text...)
		id := append([]byte("\x00\x04MQTT\x04\x02\x00\x00"), s...)
		if v.IsV5() {
			id = append([]byte("\x00\x04MQTT\x05\x02\x00\x00\x00"), s...)
			name := append(append([]byte{0x26}, s...), 0, 0)
			value := append([]byte{0x26, 0, 0}, s...)
			for _, user := range [][]byte{name, value} {
				block := append([]byte{0, 1, 0, byte(len(user))}, user...)
				if _, err := decodeWhole(frameOf(0x40, block), v); err != nil {
					return err
				}
			}
		}
		_, err := decodeWhole(frameOf(0x10, id), v)
		return err
	}
	all := readVectors(t)
	for _, v := range []Version{V311, V5} {
		for _, x := range all.BadText {
			for _, v := range []Version{v, v.AllowControlCharacters()} {
				if err := try(unhex(t, x.Hex), v); !errors.Is(err, ErrMalformed) {
					t.Errorf("%v: %s (%s): %v, want %v", v, x.Hex, x.Why, err, ErrMalformed)
				}
			}
		}
		for _, x := range all.GoodText {
			if err := try(unhex(t, x.Hex), v.AllowControlCharacters()); err != nil {
				t.Errorf("%v: %s (%s): %v", v, x.Hex, x.Why, err)
			}
			discouraged := strings.Contains(x.Why, "discouraged")
			if err := try(unhex(t, x.Hex), v); (err != nil) != discouraged {
				t.Errorf("%v: %s (%s): %v", v, x.Hex, x.Why, err)
			}
		}
	}
}

func TestVectorsFilters(t *testing.T) {
	all := readVectors(t)
	subscribe := func(filter string, v Version) error {
		p := &Subscribe{PacketID: 1, Filters: []Subscription{{Filter: Bytes(filter)}}}
		err := p.Validate(v)
		if valid := ValidTopicFilter(filter, v); (valid == nil) != (err == nil) {
			t.Errorf("%v: %q: Validate = %v, ValidTopicFilter = %v", v, filter, err, valid)
		}
		return err
	}
	for _, v := range []Version{V311, V5} {
		for _, filter := range all.FilterLegal {
			if err := subscribe(filter, v); err != nil {
				t.Errorf("%v: %q: %v", v, filter, err)
			}
		}
		for _, filter := range all.FilterIllegal {
			if err := subscribe(filter, v); !errors.Is(err, ErrProtocol) {
				t.Errorf("%v: %q: %v, want %v", v, filter, err, ErrProtocol)
			}
		}
	}
	for _, filter := range all.FilterIllegalV5Shared {
		if err := subscribe(filter, V5); !errors.Is(err, ErrProtocol) {
			t.Errorf("%q: %v, want %v", filter, err, ErrProtocol)
		}
	}
}

func TestVectorsMatch(t *testing.T) {
	pairs := 0
	for _, x := range readVectors(t).Match {
		check := func(topics []string, want bool) {
			for _, topic := range topics {
				pairs++
				if got := Match(x.Filter, topic); got != want {
					t.Errorf("Match(%q, %q) = %v", x.Filter, topic, got)
				}
				if got := Match([]byte(x.Filter), Bytes(topic)); got != want {
					t.Errorf("Match(%q, %q) = %v for bytes", x.Filter, topic, got)
				}
			}
		}
		check(x.Matches, true)
		check(x.Rejects, false)
	}
	if pairs < 300 {
		t.Errorf("only %d pairs", pairs)
	}
}
