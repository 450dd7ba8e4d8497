package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// report is what a run has found. Numbers a second, and those of the process,
// are of the measured time, all others of the whole run.
type report struct {
	Broker      string  `json:"broker"`
	Version     string  `json:"version"`
	QoS         int     `json:"qos"`
	Size        int     `json:"size"`
	Publishers  int     `json:"publishers"`
	Subscribers int     `json:"subscribers"`
	Topics      int     `json:"topics"`
	Window      int     `json:"window"`
	Rate        float64 `json:"rate,omitzero"`

	Seconds      float64 `json:"seconds"` // of the measured time
	Sent         int64   `json:"sent"`
	Acknowledged int64   `json:"acknowledged"`
	Received     int64   `json:"received"`

	SentPerSecond         float64 `json:"sent_per_second"`
	AcknowledgedPerSecond float64 `json:"acknowledged_per_second"`
	ReceivedPerSecond     float64 `json:"received_per_second"`
	BytesPerSecond        float64 `json:"bytes_per_second"` // of received payload
	// FetchedPerSecond is how fast subscribers of --offline got what was kept.
	FetchedPerSecond float64 `json:"fetched_per_second,omitzero"`

	Latency    *latency `json:"latency,omitempty"`
	AckLatency *latency `json:"ack_latency,omitempty"`

	Lost       int64 `json:"lost"`
	Twice      int64 `json:"twice"`
	OutOfOrder int64 `json:"out_of_order"`
	Foreign    int64 `json:"foreign"` // not of this run
	Refused    int64 `json:"refused"`

	Process *usage `json:"process,omitempty"`
}

// latency is in microseconds.
type latency struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// usage is what the process of --pid takes.
type usage struct {
	CPUSeconds      float64 `json:"cpu_seconds"`
	MicrosPerCopy   float64 `json:"cpu_us_per_message"` // received, or acknowledged or sent where nobody receives
	MemoryBefore    int64   `json:"memory_before"`      // bytes, before the first connection
	MemoryAfter     int64   `json:"memory_after"`       // at the end of the measured time
	MemoryOfClients int64   `json:"memory_per_connection"`
}

func (b *bench) report() *report {
	o := b.o
	d := b.to.minus(&b.from)
	r := &report{
		Broker: o.Address(), Version: o.Version.Codec().String(), QoS: int(o.qos), Size: o.size,
		Publishers: o.publishers, Subscribers: o.subscribers, Topics: o.topics, Window: o.window, Rate: o.rate,
		Seconds: d.at.Seconds(),
		Sent:    b.end.sent, Acknowledged: b.end.acknowledged, Received: b.end.received,
		SentPerSecond:         float64(d.sent) / d.at.Seconds(),
		AcknowledgedPerSecond: float64(d.acknowledged) / d.at.Seconds(),
		ReceivedPerSecond:     float64(d.received) / d.at.Seconds(),
		BytesPerSecond:        float64(d.bytes) / d.at.Seconds(),
	}
	if b.drained > 0 {
		r.FetchedPerSecond = float64(b.end.received-b.to.received) / b.drained.Seconds()
	}
	b.check(r)
	r.Latency, r.AckLatency = b.latencies()
	if b.process != nil {
		r.Process = b.usage(d)
	}
	return r
}

// minus returns the differences to an earlier sample.
func (s *sample) minus(old *sample) *sample {
	return &sample{
		at: s.at - old.at, sent: s.sent - old.sent, acknowledged: s.acknowledged - old.acknowledged,
		received: s.received - old.received, bytes: s.bytes - old.bytes, cpu: s.cpu - old.cpu,
	}
}

// check counts what did not arrive as it should.
func (b *bench) check(r *report) {
	for _, p := range b.publishers {
		p.mu.Lock()
		r.Refused += p.refused
		p.mu.Unlock()
	}
	for _, s := range b.streams {
		s.from.mu.Lock()
		r.Lost += int64(s.next) * int64(s.receivers)
		s.from.mu.Unlock()
	}
	for _, p := range b.places {
		p.mu.Lock()
		for i := range p.seen {
			r.Lost -= p.seen[i].fresh
		}
		r.Twice += p.again
		r.Foreign += p.foreign
		r.OutOfOrder += p.disordered
		p.mu.Unlock()
	}
}

func (b *bench) latencies() (arrival, ack *latency) {
	all := newHistogram()
	for _, s := range b.subscribers {
		s.place.mu.Lock()
		all.Merge(s.latency)
		s.place.mu.Unlock()
	}
	arrival = summary(all)
	all.Reset()
	for _, p := range b.publishers {
		p.mu.Lock()
		all.Merge(p.latency)
		p.mu.Unlock()
	}
	return arrival, summary(all)
}

func summary(h *hdrhistogram.Histogram) *latency {
	if h.TotalCount() == 0 {
		return nil
	}
	at := func(percent float64) float64 { return float64(h.ValueAtQuantile(percent)) / 1e3 }
	return &latency{
		Min: float64(h.Min()) / 1e3, Mean: h.Mean() / 1e3, Max: float64(h.Max()) / 1e3,
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
	}
}

func (b *bench) usage(d *sample) *usage {
	u := &usage{CPUSeconds: d.cpu.Seconds(), MemoryBefore: b.before.memory, MemoryAfter: b.to.memory}
	switch n := max(d.received, d.acknowledged); {
	case n > 0:
		u.MicrosPerCopy = u.CPUSeconds * 1e6 / float64(n)
	case d.sent > 0:
		u.MicrosPerCopy = u.CPUSeconds * 1e6 / float64(d.sent)
	}
	u.MemoryOfClients = (u.MemoryAfter - u.MemoryBefore) / int64(b.o.publishers+b.o.subscribers)
	return u
}

// verdict returns the Failure of a run in which a message did not arrive as its
// QoS promises.
func (r *report) verdict() error {
	switch q := codec.QoS(r.QoS); {
	case r.Refused > 0:
		return cli.Failf(cli.ExitDenied, "the broker refused %d messages; look at its log", r.Refused)
	case q > 0 && r.Lost > 0, q == codec.QoS2 && r.Twice > 0, q > 0 && r.OutOfOrder > 0:
		return cli.Failf(exitWrong, "%d messages were lost, %d came twice, %d came out of order", r.Lost, r.Twice, r.OutOfOrder)
	}
	return nil
}

// exitWrong is the exit code of a broker that does not do what QoS promises.
const exitWrong = 7

func (r *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	fmt.Fprintf(w, "%s, MQTT %s, QoS %d, %d bytes; %d publishers, %d topics, %d subscribers; %.1f s\n",
		r.Broker, r.Version, r.QoS, r.Size, r.Publishers, r.Topics, r.Subscribers, r.Seconds)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "\tin all\ta second\tMiB a second\t\n")
	perMiB := float64(r.Size) / (1 << 20)
	line := func(what string, n int64, rate float64) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.1f\t\n", what, grouped(float64(n)), grouped(rate), rate*perMiB)
	}
	line("sent", r.Sent, r.SentPerSecond)
	if r.QoS > 0 {
		line("acknowledged", r.Acknowledged, r.AcknowledgedPerSecond)
	}
	line("received", r.Received, r.ReceivedPerSecond)
	if r.FetchedPerSecond > 0 {
		line("fetched", r.Received, r.FetchedPerSecond)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	r.printLatency(w)
	fmt.Fprintf(w, "lost %s, twice %s, out of order %s, not of this run %s, refused %s\n", grouped(float64(r.Lost)),
		grouped(float64(r.Twice)), grouped(float64(r.OutOfOrder)), grouped(float64(r.Foreign)), grouped(float64(r.Refused)))
	if u := r.Process; u != nil {
		fmt.Fprintf(w, "process: %.2f s of processor time, %.2f µs a message; %.1f MiB of memory, %s bytes more for each connection\n",
			u.CPUSeconds, u.MicrosPerCopy, float64(u.MemoryAfter)/(1<<20), grouped(float64(u.MemoryOfClients)))
	}
	return nil
}

func (r *report) printLatency(w io.Writer) {
	if r.Latency == nil && r.AckLatency == nil {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "latency in µs\tleast\tmean\t50 %\t90 %\t99 %\t99.9 %\tmost\t\n")
	line := func(what string, l *latency) {
		if l == nil {
			return
		}
		fmt.Fprintf(t, "%s\t", what)
		for _, v := range []float64{l.Min, l.Mean, l.P50, l.P90, l.P99, l.P999, l.Max} {
			fmt.Fprintf(t, "%s\t", grouped(v))
		}
		fmt.Fprintln(t)
	}
	line("until received", r.Latency)
	line("until acknowledged", r.AckLatency)
	_ = t.Flush() // the line after it tells of an error
}

// grouped writes a number for people: 1,234,567, and with a digit behind the
// point where it is small.
func grouped(x float64) string {
	if x != float64(int64(x)) && x < 100 {
		return fmt.Sprintf("%.1f", x)
	}
	s := strconv.FormatInt(int64(math.Round(x)), 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}
