package broker_test

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/broker"
)

// TestStoreOfLargest: a message that fills PUBLISH in v3.1.1, which v5.0 has no room
// for, is stored and there again.
func TestStoreOfLargest(t *testing.T) {
	if testing.Short() {
		t.Skip("needs more than 1 GB")
	}
	p := &codec.Publish{Topic: codec.Bytes("t"), Retain: true, Payload: make([]byte, codec.MaxRemaining-3)}
	b := broker.New(persistent())
	if err := b.Publish(start, p); err != nil {
		t.Fatal(err)
	}
	stored := make(map[string][]byte)
	for ev := range b.Events() {
		if ev.Kind == events.Store {
			stored[string(ev.Key)] = bytes.Clone(ev.Value)
		}
	}
	again := broker.New(persistent())
	err := again.Restore(start, func(yield func(k, v []byte) bool) {
		for k, v := range maps.All(stored) {
			yield([]byte(k), v)
		}
	})
	if s := again.Stats(); err != nil || s.Retained != 1 || s.RetainedBytes != b.Stats().RetainedBytes {
		t.Errorf("%d retained messages of %d bytes: %v", s.Retained, s.RetainedBytes, err)
	}
}

// TestUnstorable: a message whose properties leave no room for the topic is refused,
// whoever it comes from.
func TestUnstorable(t *testing.T) {
	if testing.Short() {
		t.Skip("needs more than 1 GB")
	}
	p := retained("t", "", 1)
	p.PacketID = 1
	long := strings.Repeat("x", 50_000)
	for p.Size(codec.V5) < codec.MaxPacketSize-len(long)-100 {
		p.Properties.UserProperties.Add("", long)
	}
	p.Payload = make([]byte, codec.MaxPacketSize-p.Size(codec.V5))
	w := durable(t, broker.Config{})
	w.at = &broker.Endpoint{MountPoint: long + "/"}
	c := w.connect(codec.V5, clean("c"))
	c.send(p)
	c.expect("PUBACK 1 97")
	p.PacketID, p.Topic = 0, codec.Bytes(long+"/t")
	if err := w.b.Publish(w.now, p); !errors.Is(err, codec.ErrTooLarge) {
		t.Error(err)
	}
	if len(w.disk) != 0 {
		t.Errorf("%d records", len(w.disk))
	}
}

// TestRestoreNamesKey: whoever has to find out what is wrong with a store learns which
// record it is.
func TestRestoreNamesKey(t *testing.T) {
	err := broker.New(persistent()).Restore(start, func(yield func(k, v []byte) bool) {
		yield([]byte("rtopic"), []byte{0})
	})
	if !errors.Is(err, broker.ErrCorrupt) || !strings.Contains(err.Error(), `"rtopic"`) {
		t.Error(err)
	}
}
