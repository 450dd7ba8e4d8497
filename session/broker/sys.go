package broker

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Sys configures the figures that the broker publishes under $SYS, by the names
// that mosquitto gives them, as retained messages that are not stored and do not
// count against the limits of retained messages.
type Sys struct {
	// Interval is the time between two rounds; 0 for no figures. A round holds
	// what has changed.
	Interval time.Duration
	// Version is $SYS/broker/version.
	Version string
	// Heap, if not nil, returns the bytes of memory that are in use, and the
	// most that ever were.
	Heap func() (current, maximum uint64)
}

// sysState is what is known of the rounds before.
type sysState struct {
	timer   timer
	since   time.Time // the begin of the broker
	last    time.Time // the last round
	maximum int       // clients that were connected in any round
	loads   [len(loadNames)]load
	told    map[string]string
}

// load is the rate of something per minute, averaged over the last minutes.
type load struct {
	total    uint64
	averages [len(loadSpans)]float64
}

var (
	loadNames = [...]string{
		"messages/received", "messages/sent", "publish/dropped", "publish/received", "publish/sent",
		"bytes/received", "bytes/sent", "sockets", "connections",
	}
	loadSpans = [...]struct {
		name    string
		seconds float64
	}{{"1min", 60}, {"5min", 300}, {"15min", 900}}
)

// isSys reports whether a topic is one of the figures.
func isSys(topic []byte) bool { return bytes.HasPrefix(topic, []byte("$SYS/")) }

// sysCount returns 1 for a topic that isSys.
func sysCount(topic []byte) int {
	if isSys(topic) {
		return 1
	}
	return 0
}

// startSys publishes the first round, once the time is known.
func (b *Broker) startSys() {
	y := &b.sys
	if b.cfg.Sys.Interval <= 0 || !y.since.IsZero() {
		return
	}
	y.since, y.last, y.timer.owner = b.now, b.now, y
	y.told = make(map[string]string)
	if b.cfg.Sys.Version != "" {
		b.figure("version", b.cfg.Sys.Version)
	}
	b.round()
}

// round publishes the figures that have changed.
func (b *Broker) round() {
	y, s := &b.sys, b.Stats()
	number := func(name string, n uint64) { b.figure(name, strconv.FormatUint(n, 10)) }
	count := func(name string, n int) { number(name, uint64(n)) }

	b.figure("uptime", strconv.FormatInt(int64(b.now.Sub(y.since)/time.Second), 10)+" seconds")
	y.maximum = max(y.maximum, s.Connected)
	count("clients/total", s.Sessions)
	for _, name := range []string{"clients/inactive", "clients/disconnected"} {
		count(name, s.Sessions-s.Connected)
	}
	for _, name := range []string{"clients/active", "clients/connected"} {
		count(name, s.Connected)
	}
	count("clients/maximum", y.maximum)
	number("clients/expired", s.Expired)
	number("messages/received", s.PacketsIn)
	number("messages/sent", s.PacketsOut)
	number("publish/messages/dropped", s.Dropped)
	number("publish/messages/received", s.PublishIn)
	number("publish/messages/sent", s.PublishOut)
	number("publish/bytes/received", s.ReceivedBytes)
	number("publish/bytes/sent", s.DeliveredBytes)
	number("bytes/received", s.BytesIn)
	number("bytes/sent", s.BytesOut)
	for _, name := range []string{"messages/stored", "store/messages/count"} {
		count(name, s.Waiting+s.Retained)
	}
	count("store/messages/bytes", s.WaitingBytes+s.RetainedBytes)
	count("subscriptions/count", s.Subscriptions-s.Shared)
	count("shared_subscriptions/count", s.Shared)
	count("retained messages/count", s.Retained)
	if b.cfg.Sys.Heap != nil {
		current, maximum := b.cfg.Sys.Heap()
		number("heap/current", current)
		number("heap/maximum", maximum)
	}
	b.loads(s.PacketsIn, s.PacketsOut, s.Dropped, s.PublishIn, s.PublishOut, s.BytesIn, s.BytesOut, s.Opened, s.Accepted)
	y.last = b.now
	b.timers.set(&y.timer, b.now.Add(b.cfg.Sys.Interval))
}

// loads publishes the averages of totals, which come in the order of loadNames.
func (b *Broker) loads(totals ...uint64) {
	elapsed := b.now.Sub(b.sys.last).Seconds()
	for i, total := range totals {
		l := &b.sys.loads[i]
		for j, span := range loadSpans {
			if elapsed > 0 {
				perMinute := float64(total-l.total) * 60 / elapsed
				l.averages[j] = perMinute + math.Exp(-elapsed/span.seconds)*(l.averages[j]-perMinute)
			}
			b.figure("load/"+loadNames[i]+"/"+span.name, strconv.FormatFloat(l.averages[j], 'f', 2, 64))
		}
		l.total = total
	}
}

// figure publishes a value if it has changed.
func (b *Broker) figure(name, value string) {
	if old, ok := b.sys.told[name]; ok && old == value {
		return
	}
	b.sys.told[name] = value
	p := &codec.Publish{Topic: codec.Bytes("$SYS/broker/" + name), Payload: codec.Bytes(value), Retain: true}
	b.publish(nil, nil, p, owned)
}
