package broker

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// will is the Will Message of a connection, as it will be published.
// (v3.1.1 3.1.2.5, v5.0 3.1.2.5, 3.1.3.2)
type will struct {
	message *codec.Publish
	delay   uint32    // Will Delay Interval
	due     time.Time // the end of the delay, once it has begun
}

// newWill returns the Will of a CONNECT. All but the Will Delay Interval becomes
// part of the message.
func newWill(w *codec.Will) *will {
	m := &codec.Publish{QoS: w.QoS, Retain: w.Retain, Topic: w.Topic, Payload: w.Payload}
	m.Properties.PayloadFormatIndicator = w.Properties.PayloadFormatIndicator
	m.Properties.MessageExpiryInterval = w.Properties.MessageExpiryInterval
	m.Properties.ContentType = w.Properties.ContentType
	m.Properties.ResponseTopic = w.Properties.ResponseTopic
	m.Properties.CorrelationData = w.Properties.CorrelationData
	m.Properties.UserProperties = w.Properties.UserProperties
	return &will{message: m.Clone(), delay: w.Properties.WillDelayInterval.Or(0)}
}

// startWill publishes the Will of a session whose connection has ended, or
// waits for its delay. The end of the session, if that is earlier, publishes it
// too. [MQTT-3.1.2-8]
func (b *Broker) startWill(s *sess) {
	switch w := s.will; {
	case w == nil, b.stopping: // put off until after Restore
	case w.delay == 0:
		b.publishWill(s)
	case w.due.IsZero():
		w.due = b.now.Add(time.Duration(w.delay) * time.Second)
		b.storeWill(s)
	}
	b.wait(s)
}

// publishWill publishes the Will of a session, if it has one, and removes it.
// The driver is asked first where that is wanted. [MQTT-3.1.2-10]
func (b *Broker) publishWill(s *sess) {
	w := s.will
	s.will = nil
	switch {
	case w == nil:
	case b.cfg.Ask&AskWill != 0:
		b.askWill(s, w.message)
	default:
		b.accepts(s, s.client, w.message, owned)
		b.discardWill(s)
	}
}
