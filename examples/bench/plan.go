package main

import (
	"crypto/rand"
	"encoding/hex"
	"iter"
	"strconv"

	"github.com/mqttcore/mqttcore/codec"
)

// stream is what one publisher sends to one topic. Its messages are numbered
// from 0, and each subscriber of the topic has to get them in this order.
type stream struct {
	from      *publisher
	index     uint32
	topic     codec.Bytes
	receivers int    // copies of each message that have to arrive
	next      uint32 // number of the next message
}

// dealt returns the topics that are dealt to hand h of so many. Where there are
// fewer topics than hands, several share one.
func (o *options) dealt(h, hands int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for t := h % o.topics; t < o.topics && yield(t); t += hands {
		}
	}
}

// topicName returns the name of topic t.
func (o *options) topicName(t int) string { return o.topic + "/" + strconv.Itoa(t) }

// receivers returns how many copies of a message to topic t have to arrive.
func (o *options) receivers(t int) int {
	switch {
	case o.share:
		return min(1, o.subscribers)
	case !o.split:
		return o.subscribers
	case o.topics >= o.subscribers:
		return min(1, o.subscribers)
	}
	return (o.subscribers - t + o.topics - 1) / o.topics
}

// filters returns what subscriber s subscribes to.
func (o *options) filters(s int) (filters []codec.Subscription) {
	add := func(f string) {
		filters = append(filters, codec.Subscription{Filter: codec.Bytes(f), QoS: o.qos.Codec()})
	}
	switch {
	case o.share:
		add("$share/bench/" + o.topic + "/#")
	case o.split:
		for t := range o.dealt(s, o.subscribers) {
			add(o.topicName(t))
		}
	case o.topics > 1:
		add(o.topic + "/#")
	default:
		add(o.topicName(0))
	}
	return filters
}

// randomName tells apart runs against the same broker.
func randomName() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
