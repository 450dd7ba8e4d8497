package session_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// largest returns the largest message that PUBLISH in v3.1.1 has room for at QoS 0.
// Its payload holds nothing but zeros.
func largest(t *testing.T) *codec.Publish {
	t.Helper()
	if testing.Short() {
		t.Skip("needs some hundred MB")
	}
	p := &codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, codec.MaxRemaining-3)}
	if size := p.Size(codec.V311); size != codec.MaxPacketSize {
		t.Fatalf("a packet of %d bytes", size)
	}
	return p
}

// ids returns n Subscription Identifiers.
func ids(n int) *codec.SubscriptionIdentifiers {
	ids := new(codec.SubscriptionIdentifiers)
	for range n {
		ids.Add(codec.MaxRemaining)
	}
	return ids
}

// TestRecordOfLargest: a message for which PUBLISH in v5.0, and with what the
// subscriptions add, has no room has a record all the same.
func TestRecordOfLargest(t *testing.T) {
	p := largest(t)
	p.Properties.SubscriptionIdentifiers = *ids(2)
	record := session.AppendRecord(nil, events.Event{Kind: events.Store, Record: events.RecordMessage, Token: 1, QoS: codec.QoS1, Publish: p})
	s := session.NewState()
	if err := s.RestoreRecord(record); err != nil {
		t.Fatal(err)
	}
	if n := s.QueuedBytes(); s.Queued() != 1 || n != len(p.Topic)+len(p.Payload) {
		t.Errorf("%d messages of %d bytes", s.Queued(), n)
	}
	again := record[:bytes.IndexByte(record, 't')+1] // without a payload
	if err := session.NewState().RestoreRecord(again); !errors.Is(err, session.ErrCorrupt) {
		t.Errorf("without the payload: %v", err)
	}
}

// TestUnstorable: a message whose properties leave no room in a record is not taken.
func TestUnstorable(t *testing.T) {
	p := largest(t)
	text := p.Payload[:65_535]
	for i := range text {
		text[i] = 'x'
	}
	p.Payload = nil
	for p.Size(codec.V5) < codec.MaxPacketSize-len(text)-100 {
		p.Properties.UserProperties.Add("", string(text))
	}
	c := session.NewClient(session.ClientConfig{Version: codec.V5, Config: session.Config{TopicAliases: session.AliasManual}})
	_ = c.Connect(start, &codec.Connect{ClientID: codec.Bytes("c")})
	ack := &codec.Connack{}
	ack.Properties.TopicAliasMaximum = codec.Some[uint16](1)
	c.Receive(start, encode(t, ack, codec.V5))
	drain(c)
	known := &codec.Publish{Topic: codec.Bytes(text), QoS: codec.QoS1}
	known.Properties.TopicAlias = codec.Some[uint16](1)
	_, err := c.Publish(start, known)
	drain(c)
	short := *p
	short.Topic, short.QoS, short.Properties.TopicAlias = nil, codec.QoS1, known.Properties.TopicAlias
	if err == nil {
		_, err = c.Publish(start, &short)
	}
	if !errors.Is(err, codec.ErrTooLarge) {
		t.Errorf("with a long topic behind an alias: %v", err)
	}

	s, n := session.NewState(), (codec.MaxPacketSize-p.Size(codec.V5))/5
	for _, x := range []struct {
		ids  int
		want error
	}{{n - 10, nil}, {n + 1, codec.ErrTooLarge}} {
		_, err := s.Enqueue(start, p, session.Delivery{QoS: codec.QoS1, SubscriptionIdentifiers: ids(x.ids)}, session.QueueLimits{}, nil)
		if !errors.Is(err, x.want) {
			t.Errorf("with %d Subscription Identifiers: %v, want %v", x.ids, err, x.want)
		}
	}
	data, err := s.AppendBinary(nil)
	if err == nil {
		err = session.NewState().UnmarshalBinary(data)
	}
	if err != nil || s.Queued() != 1 {
		t.Errorf("%d messages: %v", s.Queued(), err)
	}
}
