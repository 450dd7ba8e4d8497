package hostiletest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// A session gets as many subscriptions as are allowed, and a flood of them from
// many sessions holds up nobody.
func TestSubscriptionFlood(t *testing.T) {
	b := attack(t, 200*mebi)
	const clients, packets, each, most = 10, 12, 1000, 10_000
	for k := range clients {
		c := b.connect(foe, fmt.Sprint("flood", k))
		granted := 0
		for i := range packets {
			var filters []string
			for j := range each {
				filters = append(filters, fmt.Sprintf("flood/%d/%d/+/%d/#", k, i, j))
			}
			granted += c.granted(filters)
		}
		if granted != most {
			t.Errorf("%d subscriptions were granted, want %d", granted, most)
		}
	}
}

// Neither is a flood of the longest filters that are granted.
func TestLongFilters(t *testing.T) {
	b := attack(t, 200*mebi)
	c := b.connect(foe, "flood")
	granted := 0
	for i := range 120 {
		var filters []string
		for j := range 100 {
			filters = append(filters, fmt.Sprintf("%d/%d/%s", i, j, strings.Repeat("x", 4000)))
		}
		granted += c.granted(filters)
	}
	if granted != 10_000 {
		t.Errorf("%d subscriptions were granted", granted)
	}
}

// granted subscribes, and returns how many of the filters were within the
// quota.
func (c *client) granted(filters []string) (n int) {
	c.t.Helper()
	for _, code := range c.subscribe(filters...).ReasonCodes {
		if code == codec.ReasonSuccess {
			n++
		} else if code != codec.ReasonQuotaExceeded {
			c.t.Fatal(code)
		}
	}
	return n
}

// Subscribing and unsubscribing leaves nothing behind.
func TestSubscriptionChurn(t *testing.T) {
	b := attack(t, 24*mebi)
	c := b.connect(foe, "churn")
	for i := range 200 {
		var filters []string
		var bytes []codec.Bytes
		for j := range 200 {
			f := fmt.Sprintf("churn/%d/%d/%s", i, j, strings.Repeat("x", 2000))
			filters, bytes = append(filters, f), append(bytes, codec.Bytes(f))
		}
		c.subscribe(filters...)
		c.send(&codec.Unsubscribe{PacketID: 1, Filters: bytes})
		c.expect(codec.TypeUnsuback)
	}
}

// Topics and filters of very many levels are refused without much ado.
func TestDeepTopics(t *testing.T) {
	b := attack(t, 64*mebi)
	for _, topic := range []string{strings.Repeat("/", 65535), strings.Repeat("a/", 32767) + "a"} {
		for range 20 {
			c := b.connect(foe, "deep")
			if code := c.subscribe(topic).ReasonCodes[0]; !code.IsError() {
				t.Errorf("a filter of %d levels: %v", strings.Count(topic, "/")+1, code)
			}
			c.send(&codec.Publish{Topic: codec.Bytes(topic), QoS: codec.QoS1, PacketID: 1})
			switch p, err := c.r.ReadPacket(); p := p.(type) {
			case *codec.Puback:
				if !p.ReasonCode.IsError() {
					t.Errorf("a topic of %d levels: %v", strings.Count(topic, "/")+1, p)
				}
			case *codec.Disconnect:
			default:
				t.Errorf("%v %v", p, err)
			}
		}
	}
}

// Filters that match in as many ways as there can be.
func TestWildcards(t *testing.T) {
	b := attack(t, 160*mebi)
	c := b.connect(foe, "wild")
	const levels = 14
	var filters []string
	for bits := range 1 << levels {
		var f strings.Builder
		for i := range levels {
			if i > 0 {
				f.WriteByte('/')
			}
			if bits>>i&1 == 0 {
				f.WriteByte('a')
			} else {
				f.WriteByte('+')
			}
		}
		if filters = append(filters, f.String()); len(filters) == 1024 {
			c.subscribe(filters...)
			filters = nil
		}
	}
	topic := strings.Repeat("a/", levels-1) + "a"
	for range 50 {
		c.send(&codec.Publish{Topic: codec.Bytes(topic)})
		c.expect(codec.TypePublish) // once, however many filters match
	}
}
