package ops

import (
	"context"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// collector makes metrics of Stats.
type collector struct{ source Source }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("mqttcore_broker_"+name, help, labels, nil)
}

var (
	up            = desc("up", "1 if the loop that owns the broker answered in time.")
	connections   = desc("connections", "Open connections.", "listener")
	pending       = desc("pending_connections", "Open connections that are not let in yet.")
	sessions      = desc("sessions", "Sessions, with a connection or without.")
	connected     = desc("connected_sessions", "Sessions with a connection.")
	expired       = desc("expired_sessions_total", "Sessions that ended because their client did not come back.")
	subscriptions = desc("subscriptions", "Subscriptions of all sessions.")
	retained      = desc("retained_messages", "Retained messages.")
	retainedBytes = desc("retained_bytes", "Topics and payloads of the retained messages.")
	queued        = desc("queued_messages", "Messages that wait for clients or are under way.")
	queuedBytes   = desc("queued_bytes", "Topics and payloads of the messages that wait.")
	messages      = desc("messages_total", "Messages that came or were delivered, by QoS.", "direction", "qos")
	payload       = desc("payload_bytes_total", "Payloads of these messages.", "direction")
	packets       = desc("packets_total", "Packets of all kinds.", "direction")
	network       = desc("network_bytes_total", "Bytes of all packets.", "direction")
	dropped       = desc("dropped_messages_total", "Messages that a client may not have and will not get, also of those that were sent, or that were not retained.", "cause")
	refused       = desc("refused_connections_total", "Connections and CONNECTs that were refused.", "reason")
	commits       = desc("store_commits_total", "Batches of changes that are durable.")
	storeBytes    = desc("store_bytes_total", "Keys and values in these batches.")
	failures      = desc("store_failures_total", "Batches of changes that could not be made durable.")
	latency       = desc("store_commit_duration_seconds", "How long the commits took.")
	loop          = desc("loop_duration_seconds", "How long the turns of the broker's loop took.")
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		up, connections, pending, sessions, connected, expired, subscriptions, retained, retainedBytes, queued, queuedBytes,
		messages, payload, packets, network, dropped, refused, commits, storeBytes, failures, latency, loop,
	} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := c.source.Stats(ctx)
	if err != nil {
		ch <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 0)
		return
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	histogram := func(d *prometheus.Desc, h *Histogram) {
		ch <- prometheus.MustNewConstHistogram(d, h.count, h.sum.Seconds(), h.cumulative())
	}

	gauge(up, 1)
	for listener, n := range s.Connections {
		gauge(connections, n, listener)
	}
	gauge(pending, s.Pending)
	gauge(sessions, s.Sessions)
	gauge(connected, s.Connected)
	counter(expired, s.Expired)
	gauge(subscriptions, s.Subscriptions)
	gauge(retained, s.Retained)
	gauge(retainedBytes, s.RetainedBytes)
	gauge(queued, s.Queued)
	gauge(queuedBytes, s.QueuedBytes)

	for direction, f := range map[string]*Flow{"in": &s.In, "out": &s.Out} {
		for qos, n := range f.Messages {
			counter(messages, n, direction, strconv.Itoa(qos))
		}
		counter(payload, f.PayloadBytes, direction)
		counter(packets, f.Packets, direction)
		counter(network, f.Bytes, direction)
	}
	for cause, n := range s.Dropped {
		counter(dropped, n, cause)
	}
	for reason, n := range s.Refused {
		counter(refused, n, reason)
	}

	if s.Store != nil {
		counter(commits, s.Store.Commits)
		counter(storeBytes, s.Store.Bytes)
		counter(failures, s.Store.Failures)
		histogram(latency, &s.Store.Latency)
	}
	histogram(loop, &s.Loop)
}
