package client_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"
)

// TestRequestPubcompNotFound ends the QoS 2 exchange of a request by a PUBCOMP
// with 0x92: the server has the message all the same, so the request goes on.
func TestRequestPubcompNotFound(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	c := client.New(client.Config{
		Connect:  &codec.Connect{CleanStart: true},
		Requests: client.Requests{ResponseTopic: "r"},
	})
	got := ""
	receive := func(packet string) {
		c.Receive(now, []byte(packet))
		for range c.Events() {
		}
	}
	c.Start(now)
	for ev := range c.Events() {
		if ev.Kind == client.Open {
			c.Opened(now)
		}
	}
	receive("\x20\x09\x00\x00\x06\x12\x00\x03abc") // CONNACK
	p := &codec.Publish{Topic: codec.Bytes("q"), QoS: codec.QoS2}
	p.Properties.CorrelationData = codec.Text("1")
	if _, err := c.Request(now, p, time.Minute, func(_ time.Time, _ uint64, p *codec.Publish, err error) {
		if got = "failed"; err == nil {
			got = string(p.Payload)
		}
	}); err != nil {
		t.Fatal(err)
	}
	receive("\x90\x04\x00\x01\x00\x02")             // SUBACK
	receive("\x50\x02\x00\x02")                     // PUBREC
	receive("\x70\x03\x00\x02\x92")                 // PUBCOMP
	receive("\x30\x0a\x00\x01r\x04\x09\x00\x011ok") // the response
	if got != "ok" {
		t.Errorf("the request got %q", got)
	}
}
