package broker_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

func withWill(p *codec.Connect, topic string, delay uint32) *codec.Connect {
	w := codec.Will{Topic: codec.Bytes(topic), Payload: codec.Bytes("gone"), QoS: codec.QoS1}
	if delay > 0 {
		w.Properties.WillDelayInterval = codec.Some(delay)
	}
	p.Will = codec.Some(w)
	return p
}

// [MQTT-3.1.2-8] v5 [MQTT-3.1.2-8] v311 [MQTT-3.14.4-3] v5 [MQTT-3.14.4-3] v311
func TestWill(t *testing.T) {
	for _, v := range bothVersions {
		w := newWorld(t, broker.Config{})
		watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 1))
		w.connect(v, withWill(clean("c"), "will", 0)).drop()
		watch.expect("will=gone q1")
		w.connect(v, withWill(clean("c"), "will", 0)).send(&codec.Disconnect{})
		watch.expect()
		c := w.connect(v, withWill(clean("c"), "will", 0))
		c.raw([]byte{0xFF, 0})
		watch.expect("will=gone q1")
	}
	w := newWorld(t, broker.Config{})
	watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 1))
	w.connect(codec.V5, withWill(clean("c"), "will", 0)).send(&codec.Disconnect{ReasonCode: codec.ReasonDisconnectWithWillMessage})
	watch.expect("will=gone q1")
}

// The properties of a Will go into its message, and a retained one is stored.
// [MQTT-3.1.2-15] v5 [MQTT-3.1.2-17] v311
func TestWillMessage(t *testing.T) {
	w := newWorld(t, broker.Config{})
	p := withWill(clean("c"), "will", 0)
	will := &p.Will.Value
	will.Retain = true
	will.Properties.ContentType = codec.Text("text/plain")
	will.Properties.MessageExpiryInterval = codec.Some(uint32(60))
	will.Properties.UserProperties.Add("k", "v")
	c := w.connect(codec.V5, p)
	w.pass(time.Second)
	c.drop()
	w.pass(2 * time.Second)
	watch := w.connect(codec.V5, clean("watch"))
	watch.send(subscribe(filter("will", 1)))
	got := watch.packets()[1].(*codec.Publish)
	if v, _ := got.Properties.UserProperties.Get("k"); string(v) != "v" || string(got.Properties.ContentType.Value) != "text/plain" ||
		short(got) != "will=gone q1 retain expires58" {
		t.Errorf("got %v", got)
	}
}

// The cases of v5.0 3.1.3.2.2: delay D and session expiry E.
func TestWillDelay(t *testing.T) {
	for _, tt := range []struct {
		delay, expiry uint32
		after         time.Duration
	}{
		{0, 0, 0}, {0, 30, 0}, {10, 0, 0}, {10, 30, 10 * time.Second}, {30, 10, 10 * time.Second}, {10, 10, 10 * time.Second},
	} {
		w := newWorld(t, broker.Config{})
		watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 0))
		p := withWill(clean("c"), "will", tt.delay)
		p.Properties.SessionExpiryInterval = codec.Some(tt.expiry)
		w.connect(codec.V5, p).drop()
		if tt.after > 0 {
			w.pass(tt.after - time.Millisecond)
			watch.expect()
			w.pass(time.Millisecond)
		}
		watch.expect("will=gone q0")
		w.pass(time.Hour)
		watch.expect()
	}
}

// [MQTT-3.1.3-9] v5: the table of take-overs, with the old connection open
// still and with it gone.
func TestWillAtNewConnection(t *testing.T) {
	for _, tt := range []struct {
		clean         bool
		expiry, delay uint32
		published     bool
	}{
		{true, 0, 0, true}, {true, 100, 0, true}, {true, 100, 50, true},
		{false, 0, 0, true}, {false, 0, 50, true},
		{false, 100, 0, true}, {false, 100, 50, false},
	} {
		for _, open := range []bool{true, false} {
			w := newWorld(t, broker.Config{})
			watch := w.connect(codec.V5, clean("watch")).subscribed(filter("will", 0))
			p := withWill(clean("c"), "will", tt.delay)
			p.Properties.SessionExpiryInterval = codec.Some(tt.expiry)
			c := w.connect(codec.V5, p)
			if !open {
				c.drop()
			}
			w.connect(codec.V5, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: tt.clean})
			if tt.published {
				watch.expect("will=gone q0")
			}
			w.pass(time.Hour)
			watch.expect()
		}
	}
}
