package codec

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// marshalPacket writes a packet with its name in front. fields is the packet
// as a type without methods.
func marshalPacket(name string, fields any) ([]byte, error) {
	rest, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"Packet":"`), name...)
	out = append(out, '"')
	if len(rest) > 2 {
		out = append(out, ',')
	}
	return append(out, rest[1:]...), nil
}

// unmarshalPacket reads what marshalPacket writes. The name may be missing.
func unmarshalPacket(data []byte, name string, fields any) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	if given, ok := members["Packet"]; ok {
		var s string
		if err := json.Unmarshal(given, &s); err != nil || s != name {
			return fmt.Errorf("codec: the JSON is of a %s and not of a %s", given, name)
		}
		delete(members, "Packet")
	}
	rest, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return strictUnmarshal(rest, fields)
}

// strictUnmarshal refuses keys that the value does not have.
func strictUnmarshal(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// ParseJSON reads a packet of any type from the JSON that MarshalJSON writes.
// It checks no rule; Validate does.
func ParseJSON(data []byte) (Packet, error) {
	var head struct{ Packet string }
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	for t := TypeConnect; t <= TypeAuth; t++ {
		if packetNames[t] == head.Packet {
			p := NewPacket(t)
			return p, p.UnmarshalJSON(data)
		}
	}
	return nil, fmt.Errorf("codec: the key Packet holds %q and not the name of a packet", head.Packet)
}

type base64JSON struct {
	Base64 *string `json:"base64"`
}

// IsZero reports whether b is empty; encoding/json leaves it out then.
func (b Bytes) IsZero() bool { return len(b) == 0 }

// MarshalJSON writes UTF-8 as a string and anything else as an object with the
// member base64.
func (b Bytes) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return json.Marshal(string(b))
	}
	s := base64.StdEncoding.EncodeToString(b)
	return json.Marshal(base64JSON{&s})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (b *Bytes) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var o base64JSON
		if err := strictUnmarshal(data, &o); err != nil {
			return err
		}
		if o.Base64 == nil {
			return fmt.Errorf(`codec: bytes are a string or an object with the member "base64"`)
		}
		raw, err := base64.StdEncoding.DecodeString(*o.Base64)
		*b = raw
		return err
	}
	var s *string
	if err := json.Unmarshal(data, &s); err != nil {
		return err
	}
	if *b = nil; s != nil {
		*b = Bytes(*s)
	}
	return nil
}

// What Add was given and could not keep cannot be written to JSON, nor read
// from it.
var (
	errTooLongForJSON = errors.New("codec: a user property has a string of more than 65,535 bytes")
	errRangeForJSON   = errors.New("codec: a subscription identifier is larger than 268,435,455")
)

// MarshalJSON writes a list of pairs, which keeps order and repeated names.
func (u UserProperties) MarshalJSON() ([]byte, error) {
	if u.r.tooLong {
		return nil, errTooLongForJSON
	}
	pairs := make([][2]Bytes, 0, u.Len())
	for k, v := range u.All() {
		pairs = append(pairs, [2]Bytes{k, v})
	}
	return json.Marshal(pairs)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (u *UserProperties) UnmarshalJSON(data []byte) error {
	*u = UserProperties{}
	var pairs [][]Bytes
	if err := json.Unmarshal(data, &pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		if len(p) != 2 {
			return fmt.Errorf("codec: a user property is a pair of strings, and this has %d", len(p))
		}
		u.Add(string(p[0]), string(p[1]))
	}
	if u.r.tooLong {
		return errTooLongForJSON
	}
	return nil
}

// MarshalJSON writes a list of numbers.
func (s SubscriptionIdentifiers) MarshalJSON() ([]byte, error) {
	if s.r.tooLong {
		return nil, errRangeForJSON
	}
	ids := make([]uint32, 0, s.Len())
	for id := range s.All() {
		ids = append(ids, id)
	}
	return json.Marshal(ids)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *SubscriptionIdentifiers) UnmarshalJSON(data []byte) error {
	*s = SubscriptionIdentifiers{}
	var ids []uint32
	if err := json.Unmarshal(data, &ids); err != nil {
		return err
	}
	for _, id := range ids {
		s.Add(id)
	}
	if s.r.tooLong {
		return errRangeForJSON
	}
	return nil
}

// MarshalJSON writes the code as a number. Without it a list of codes would
// become base64.
func (c ReasonCode) MarshalJSON() ([]byte, error) { return strconv.AppendUint(nil, uint64(c), 10), nil }
