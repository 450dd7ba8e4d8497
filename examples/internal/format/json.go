package format

import (
	"bytes"
	"encoding/json"

	"github.com/mqttcore/mqttcore/codec"
)

// document is a message as JSON, with the names and the order of mosquitto_sub.
type document struct {
	Time       string          `json:"tst"`
	Topic      string          `json:"topic"`
	QoS        codec.QoS       `json:"qos"`
	Retain     byte            `json:"retain"`
	Length     int             `json:"payloadlen"`
	PacketID   uint32          `json:"mid,omitzero"`
	Properties *properties     `json:"properties,omitempty"`
	Payload    json.RawMessage `json:"payload"`
}

type properties struct {
	User            json.RawMessage  `json:"user-properties,omitempty"`
	ContentType     *string          `json:"content-type,omitempty"`
	CorrelationData *string          `json:"correlation-data,omitempty"`
	ResponseTopic   *string          `json:"response-topic,omitempty"`
	Format          codec.Opt[uint8] `json:"payload-format-indicator,omitzero"`
	Expiry          *uint32          `json:"message-expiry-interval,omitempty"`
	Identifiers     any              `json:"subscription-identifier,omitempty"` // a number or several
	Alias           *uint16          `json:"topic-alias,omitempty"`
}

// appendJSON appends the message as JSON, in one line without Pretty. With raw the payload is
// put in as it is; if that is no JSON, nothing is appended.
func (m *Message) appendJSON(dst []byte, raw bool) []byte {
	d := document{
		Time:  m.At.Format("2006-01-02T15:04:05.000000-0700"),
		Topic: string(m.Topic), QoS: m.QoS, Retain: oneIf(m.Retain), Length: len(m.Payload), PacketID: m.PacketID,
		Properties: m.properties(),
	}
	switch {
	case len(m.Payload) == 0:
	case raw && !json.Valid(m.Payload):
		m.NotJSON = true
		return dst
	case raw:
		d.Payload = json.RawMessage(m.Payload)
	default:
		d.Payload = quote(string(m.Payload))
	}
	if m.Pretty {
		return appendPretty(dst, encode(d))
	}
	return append(dst, encode(d)...)
}

// properties returns what the message has of them, or nil.
func (m *Message) properties() *properties {
	var out properties
	some := false
	from := &m.Publish.Properties
	text := func(to **string, o codec.Opt[codec.Bytes]) {
		if o.Set {
			s := string(o.Value)
			*to, some = &s, true
		}
	}
	text(&out.ContentType, from.ContentType)
	text(&out.CorrelationData, from.CorrelationData)
	text(&out.ResponseTopic, from.ResponseTopic)
	if e := from.MessageExpiryInterval; e.Set {
		out.Expiry, some = &e.Value, true
	}
	if a := from.TopicAlias; a.Set {
		out.Alias, some = &a.Value, true
	}
	if out.Format = from.PayloadFormatIndicator; out.Format.Set {
		some = true
	}
	var ids []uint32
	for id := range from.SubscriptionIdentifiers.All() {
		ids = append(ids, id)
	}
	switch some = some || len(ids) > 0; len(ids) {
	case 0:
	case 1:
		out.Identifiers = ids[0]
	default:
		out.Identifiers = ids
	}
	if from.UserProperties.Len() > 0 {
		out.User, some = userJSON(&from.UserProperties), true
	}
	if !some {
		return nil
	}
	return &out
}

// userJSON returns User Properties as an object that keeps their order; names
// may repeat.
func userJSON(u *codec.UserProperties) []byte {
	b := []byte{'{'}
	for k, v := range u.All() {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, quote(string(k))...), ':'), quote(string(v))...)
	}
	return append(b, '}')
}

// quote returns a string as JSON. Bytes that are not UTF-8 become U+FFFD.
func quote(s string) []byte { return encode(s) }

// encode is json.Marshal that leaves <, > and & readable.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return []byte("null") // nothing here can fail
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}
