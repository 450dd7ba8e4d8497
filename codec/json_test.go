package codec

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// JSON says everything: a packet comes back from it, with the same bytes, by
// the method of its type, by ParseJSON and inside other values.
func TestJSONBothWays(t *testing.T) {
	everyPacket(t, func(t *testing.T, data []byte, v Version) {
		p := mustDecode(t, data, v)
		text := jsonOf(t, p)
		if !json.Valid([]byte(text)) || !strings.HasPrefix(text, `{"Packet":"`+p.Type().String()+`"`) {
			t.Errorf("JSON %s", text)
		}
		inside, err := json.Marshal([]Packet{p})
		if err != nil || string(inside) != "["+text+"]" {
			t.Errorf("inside a list: %s, %v", inside, err)
		}
		own := fullPacket(p.Type()) // what it held before must go
		if err := json.Unmarshal([]byte(text), own); err != nil {
			t.Fatal(err)
		}
		parsed, err := ParseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		for what, q := range map[string]Packet{"Unmarshal": own, "ParseJSON": parsed} {
			if out := mustEncode(t, q, v); !bytes.Equal(out, data) {
				t.Errorf("%s: %x, want %x", what, out, data)
			}
			if again := jsonOf(t, q); again != text {
				t.Errorf("%s: %s, want %s", what, again, text)
			}
		}
		// The name of the packet may be missing where the type is known.
		bare := strings.Replace(text, `"Packet":"`+p.Type().String()+`"`, "", 1)
		bare = strings.Replace(bare, "{,", "{", 1)
		if err := NewPacket(p.Type()).UnmarshalJSON([]byte(bare)); err != nil {
			t.Errorf("%s: %v", bare, err)
		}
		if _, err := ParseJSON([]byte(bare)); err == nil {
			t.Errorf("ParseJSON accepts %s", bare)
		}
	})
}

// Keys that do not exist, and names of other packets, are refused everywhere.
func TestJSONRefuses(t *testing.T) {
	for _, text := range []string{
		``, `null`, `[]`, `"PUBLISH"`, `{}`, `{"Packet":null}`, `{"Packet":3}`, `{"Packet":"PUBLISHED"}`, `{"Packet":"publish"}`,
		`{"Packet":"PUBLISH","Topik":"t"}`,
		`{"Packet":"PUBLISH","Properties":{"TopicAlia":1}}`,
		`{"Packet":"PUBLISH","Properties":{"ReasonString":"x"}}`,
		`{"Packet":"CONNECT","Will":{"Topik":"t"}}`,
		`{"Packet":"CONNECT","Will":{"Topic":"t","Properties":{"Topik":"t"}}}`,
		`{"Packet":"SUBSCRIBE","Filters":[{"Filter":"a","Qos":1,"QosMax":2}]}`,
		`{"Packet":"PUBLISH","Topic":3}`,
		`{"Packet":"PUBLISH","Topic":{}}`,
		`{"Packet":"PUBLISH","Topic":{"base64":"AP8=","more":1}}`,
		`{"Packet":"PUBLISH","Topic":{"base64":"A"}}`,
		`{"Packet":"PUBLISH","QoS":256}`,
		`{"Packet":"PUBLISH","QoS":-1}`,
		`{"Packet":"PUBLISH","PacketID":4294967296}`,
		`{"Packet":"PUBLISH","Properties":{"TopicAlias":65536}}`,
		`{"Packet":"PUBLISH","Properties":{"SubscriptionIdentifiers":[268435456]}}`,
		`{"Packet":"PUBLISH","Properties":{"SubscriptionIdentifiers":"1"}}`,
		`{"Packet":"PUBLISH","Properties":{"UserProperties":[["a"]]}}`,
		`{"Packet":"PUBLISH","Properties":{"UserProperties":[["a","b","c"]]}}`,
		`{"Packet":"PUBLISH","Properties":{"UserProperties":{"a":"b"}}}`,
		`{"Packet":"PUBLISH","Properties":{"UserProperties":[["` + strings.Repeat("a", 65_536) + `","b"]]}}`,
		`{"Packet":"PUBACK","ReasonCode":"Success"}`,
		`{"Packet":"PINGREQ","PacketID":1}`,
		`{"Packet":"PINGREQ"} {}`,
	} {
		if p, err := ParseJSON([]byte(text)); err == nil {
			t.Errorf("%.120s was accepted: %.120s", text, p)
		}
	}
	for _, kind := range everyType {
		for _, other := range everyType {
			text := `{"Packet":"` + other.String() + `"}`
			if err := NewPacket(kind).UnmarshalJSON([]byte(text)); (err == nil) != (kind == other) {
				t.Errorf("%s as %v: %v", text, kind, err)
			}
		}
		for _, text := range []string{`[]`, `"x"`, `{`, ``} {
			if err := NewPacket(kind).UnmarshalJSON([]byte(text)); err == nil {
				t.Errorf("%s as %v was accepted", text, kind)
			}
		}
	}
}

// Text is a string; anything else is base64, and comes back as it was.
func TestJSONBytes(t *testing.T) {
	for _, x := range []struct{ data, want string }{
		{"text", `"text"`}, {"", `""`}, {"\x00\x1F", `"\u0000\u001f"`}, {"Ω\uFEFF", "\"Ω\uFEFF\""}, {"\uFFFD", "\"\uFFFD\""},
		{"\xFF", `{"base64":"/w=="}`}, {"a\xED\xA0\x80", `{"base64":"Ye2ggA=="}`}, {`"\`, `"\"\\"`},
	} {
		out, err := Bytes(x.data).MarshalJSON()
		if err != nil || string(out) != x.want {
			t.Errorf("%q: %s, %v; want %s", x.data, out, err, x.want)
		}
		back := Bytes("before")
		if err := json.Unmarshal(out, &back); err != nil || string(back) != x.data {
			t.Errorf("%s: %q, %v; want %q", out, back, err, x.data)
		}
		p := &Publish{Topic: Bytes("t"), Payload: Bytes(x.data)}
		p.Properties.CorrelationData = Text(x.data)
		q, err := ParseJSON([]byte(jsonOf(t, p)))
		if err != nil || jsonOf(t, q) != jsonOf(t, p) || !q.(*Publish).Properties.CorrelationData.Set {
			t.Errorf("%q: %v, %v", x.data, q, err)
		}
	}
	var b Bytes
	if err := json.Unmarshal([]byte(`null`), &b); err != nil || b != nil {
		t.Errorf("null: %q, %v", b, err)
	}
}

// Absent and empty are different things.
func TestJSONOpt(t *testing.T) {
	p := &Connect{CleanStart: true, Username: Text(""), Properties: ConnectProperties{SessionExpiryInterval: Some[uint32](0)}}
	want := `{"Packet":"CONNECT","CleanStart":true,"Properties":{"SessionExpiryInterval":0},"Username":""}`
	if got := jsonOf(t, p); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	q, err := ParseJSON([]byte(`{"Packet":"CONNECT","CleanStart":true,"Properties":{"SessionExpiryInterval":0,"ReceiveMaximum":null},"Username":"","Password":null,"Will":null}`))
	if err != nil || jsonOf(t, q) != want {
		t.Errorf("%v, %v", q, err)
	}
	if out, err := json.Marshal(Opt[uint8]{}); err != nil || string(out) != "null" {
		t.Errorf("an absent value: %s, %v", out, err)
	}
}

// What cannot be sent cannot be written as JSON either: nothing gets lost on
// the way.
func TestJSONOfWhatDoesNotFit(t *testing.T) {
	users, ids := new(Publish), new(Publish)
	users.Properties.UserProperties.Add(strings.Repeat("a", 65_536), "")
	ids.Properties.SubscriptionIdentifiers.Add(MaxRemaining + 1)
	for _, p := range []*Publish{users, ids} {
		if out, err := p.MarshalJSON(); err == nil {
			t.Errorf("%.120s", out)
		}
	}
}
