package format

import (
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

func message() *Message {
	p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: codec.Bytes(`{"x":1}`), QoS: 1, PacketID: 1}
	p.Properties.ContentType = codec.Text("ct")
	p.Properties.CorrelationData = codec.Text("abc")
	p.Properties.ResponseTopic = codec.Text("r/t")
	p.Properties.MessageExpiryInterval = codec.Some(uint32(5))
	p.Properties.PayloadFormatIndicator = codec.Some(uint8(1))
	p.Properties.UserProperties.Add("k", "v")
	p.Properties.UserProperties.Add("k2", "v2")
	p.Properties.SubscriptionIdentifiers.Add(7)
	p.Properties.SubscriptionIdentifiers.Add(300)
	at := time.Date(2026, 11, 22, 20, 13, 48, 536336449, time.UTC)
	return &Message{Publish: p, PacketID: 1, At: at}
}

// The expected lines are what mosquitto_sub 2.0.11 prints for such a message.
func TestFormat(t *testing.T) {
	for format, want := range map[string]string{
		"plain":                           "plain",
		"%t|%20t|%-20t|%.2t|%5q|%05l|%5l": "a/b|                 a/b|a/b                 |a/|    1|00007|    7",
		"%x|%X":                           "7b2278223a317d|7B2278223A317D",
		"%20p|%.4p|%-12.4p|%20P|":         `             {"x":1}|{"x"|{"x"        |           k:v k2:v2|`,
		"%I|%U":                           "2026-11-22T20:13:48+0000|1795378428.536336449",
		"%P|%S|%E|%C|%D|%R|%A|%F|%m|%r":   "k:v k2:v2|7 300|5|ct|abc|r/t||1|1|0",
		"@Y-@m-@d @H:@M:@S @j @s":         "2026-11-22 20:13:48 326 1795378428",
		`\\|\t|\n|\e|\0|%%|@@`:            "\\|\t|\n|\x1b|\x00|%|@",
		"%J": `{"tst":"2026-11-22T20:13:48.536336+0000","topic":"a/b","qos":1,"retain":0,"payloadlen":7,"mid":1,` +
			`"properties":{"user-properties":{"k":"v","k2":"v2"},"content-type":"ct","correlation-data":"abc","response-topic":"r/t",` +
			`"payload-format-indicator":1,"message-expiry-interval":5,"subscription-identifier":[7,300]},"payload":{"x":1}}`,
	} {
		f, err := Parse(format)
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		if got := string(f.Append(nil, message())); got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", format, got, want)
		}
	}
}

func TestJSONOfPlainMessages(t *testing.T) {
	m := &Message{Publish: &codec.Publish{Topic: codec.Bytes("t"), Payload: codec.Bytes("<h\"i\xff"), Retain: true}}
	f, _ := Parse("%j")
	want := `{"tst":"0001-01-01T00:00:00.000000+0000","topic":"t","qos":0,"retain":1,"payloadlen":5,"payload":"<h\"i` + "\ufffd" + `"}`
	if got := string(f.Append(nil, m)); got != strings.ReplaceAll(want, "\ufffd", `\ufffd`) && got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	m.Payload = nil
	if got := string(f.Append(nil, m)); !strings.HasSuffix(got, `"payload":null}`) {
		t.Errorf("got %s", got)
	}
	j, _ := Parse("%J")
	m.Payload = codec.Bytes("not JSON")
	if got := string(j.Append(nil, m)); got != "" || !m.NotJSON {
		t.Errorf("got %s", got)
	}
}

// What is expected is the output of mosquitto_sub 2.0.11 --pretty.
func TestPretty(t *testing.T) {
	m := message()
	m.Payload = codec.Bytes(`{"a": [1, {"b":"c\\\"{,[:","n":null}, []], "e":{}, "f":[{}]}`)
	m.Publish.Properties = codec.PublishProperties{ContentType: codec.Text("ct")}
	m.Pretty = true
	want := `{
	"tst":	"2026-11-22T20:13:48.536336+0000",
	"topic":	"a/b",
	"qos":	1,
	"retain":	0,
	"payloadlen":	60,
	"mid":	1,
	"properties":	{
		"content-type":	"ct"
	},
	"payload":	{
		"a":	[1, {
				"b":	"c\\\"{,[:",
				"n":	null
			}, []],
		"e":	{
		},
		"f":	[{
			}]
	}
}`
	f, _ := Parse("%J")
	if got := string(f.Append(nil, m)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestFormatErrors(t *testing.T) {
	for format, want := range map[string]string{
		"%": "middle", "%5": "middle", "@": "middle", `\`: "middle", "%z": "no field %z", "@!": "no field @!", `\z`: `no escape \z`,
		"%99999t": "width",
	} {
		if _, err := Parse(format); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", format, err, want)
		}
	}
}
