package broker_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// TestPayloadIsThereOnce: all that get a message refer to the same payload, also if
// it had to wait, wherever it comes from and for as many as see it below mount points.
func TestPayloadIsThereOnce(t *testing.T) {
	payload := bytes.Repeat([]byte("payload."), 20)
	will, retainedWill := withWill(clean("will"), "t", 0), withWill(clean("will"), "t", 0)
	for _, p := range []*codec.Connect{will, retainedWill} {
		p.Will.Value.Payload, p.Will.Value.QoS, p.Will.Value.Retain = payload, codec.QoS1, p == retainedWill
	}
	later := broker.Config{Ask: broker.AskPublish}
	for name, test := range map[string]struct {
		cfg     broker.Config
		publish func(w *world)
	}{
		"message":          {publish: func(w *world) { w.publishes(publish("t", string(payload), 1)) }},
		"with RETAIN":      {publish: func(w *world) { w.publishes(retained("t", string(payload), 1)) }},
		"asked for":        {cfg: later, publish: func(w *world) { w.publishes(publish("t", string(payload), 1)) }},
		"asked for RETAIN": {cfg: later, publish: func(w *world) { w.publishes(retained("t", string(payload), 1)) }},
		"Will":             {publish: func(w *world) { w.connect(codec.V5, will).drop() }},
		"Will with RETAIN": {publish: func(w *world) { w.connect(codec.V5, retainedWill).drop() }},
		"of the broker": {publish: func(w *world) {
			if err := w.b.Publish(w.now, publish("t", string(payload), 1)); err != nil {
				w.t.Fatal(err)
			}
			w.drain()
		}},
	} {
		for _, mount := range []string{"", "below/"} {
			t.Run(fmt.Sprint(name, " ", mount), func(t *testing.T) {
				w := newWorld(t, test.cfg)
				w.answer = func(*broker.Event) broker.Answer { return broker.Answer{} }
				w.at = &broker.Endpoint{MountPoint: mount}
				var all []*client
				for i := range 5 {
					p := clean(fmt.Sprint(i))
					p.Properties.ReceiveMaximum = codec.Some[uint16](1)
					all = append(all, w.connect(codec.V5, p).subscribed(filter("t", 1)))
				}
				w.publishes(publish("t", "before", 1))
				if name == "of the broker" && mount != "" {
					return // which has none
				}
				test.publish(w)
				places := make(map[*byte]int)
				for _, c := range all {
					c.expect("t=before q1")
					ack, _ := (&codec.Puback{PacketID: 1}).AppendTo(nil, codec.V5)
					w.b.Receive(w.now, c.h, ack)
					for ev := range w.b.Events() {
						if ev.Kind != events.Write {
							continue
						}
						for _, b := range ev.Data {
							if i := bytes.Index(b, payload); i >= 0 {
								places[&b[i]]++
							}
						}
					}
				}
				if n := 0; len(places) != 1 {
					for _, times := range places {
						n += times
					}
					t.Errorf("the payload is in %d places, for %d receivers of %d", len(places), n, len(all))
				}
			})
		}
	}
}

// publishes connects a client that publishes a message at QoS 1.
func (w *world) publishes(p *codec.Publish) {
	p.PacketID = 1
	w.connect(codec.V5, clean("pub")).send(p)
}
