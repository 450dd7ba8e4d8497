package ops

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// source is a broker that says what a test wants.
type source struct {
	stats *Stats // nil for a loop that hangs
	ready error
}

func (s *source) Stats(ctx context.Context) (*Stats, error) {
	if s.stats == nil {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.stats, nil
}

func (s *source) Alive(ctx context.Context) error {
	_, err := s.Stats(ctx)
	return err
}

func (s *source) Ready() error { return s.ready }

// serve serves a source until the end of the test.
func serve(t *testing.T, src Source) (url string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := Open(ctx, ":0", src, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return "http://" + s.Addr().String()
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: programtest.Limit, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

func TestMetrics(t *testing.T) {
	s := &Stats{
		Connections: map[string]int{"127.0.0.1:1883": 3}, Pending: 1,
		Sessions: 4, Subscriptions: 5, Retained: 6, RetainedBytes: 7, Queued: 8, QueuedBytes: 9,
		In:        Flow{Messages: [3]uint64{10, 11, 12}, PayloadBytes: 13, Packets: 14, Bytes: 15},
		Out:       Flow{Messages: [3]uint64{16, 17, 18}, PayloadBytes: 19, Packets: 20, Bytes: 21},
		Connected: 22, Expired: 23,
		Dropped: map[string]uint64{"queue full": 24}, Refused: map[string]uint64{"not authorized": 25},
		Store: &StoreStats{Commits: 26, Bytes: 27, Failures: 28},
	}
	s.Loop.Observe(50 * time.Microsecond)
	s.Loop.Observe(64 * time.Microsecond)
	s.Loop.Observe(300 * time.Microsecond)
	s.Loop.Observe(time.Hour)
	s.Store.Latency.Observe(2 * time.Millisecond)
	status, body := get(t, serve(t, &source{stats: s})+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{
		`up 1`,
		`connections{listener="127.0.0.1:1883"} 3`,
		`pending_connections 1`,
		`sessions 4`, `subscriptions 5`,
		`retained_messages 6`, `retained_bytes 7`,
		`queued_messages 8`, `queued_bytes 9`,
		`messages_total{direction="in",qos="0"} 10`, `messages_total{direction="in",qos="2"} 12`,
		`messages_total{direction="out",qos="1"} 17`,
		`payload_bytes_total{direction="in"} 13`, `payload_bytes_total{direction="out"} 19`,
		`packets_total{direction="in"} 14`, `packets_total{direction="out"} 20`,
		`network_bytes_total{direction="in"} 15`, `network_bytes_total{direction="out"} 21`,
		`connected_sessions 22`, `expired_sessions_total 23`,
		`dropped_messages_total{cause="queue full"} 24`,
		`refused_connections_total{reason="not authorized"} 25`,
		`store_commits_total 26`, `store_bytes_total 27`, `store_failures_total 28`,
		`store_commit_duration_seconds_count 1`,
		`store_commit_duration_seconds_sum 0.002`,
		`store_commit_duration_seconds_bucket{le="0.001024"} 0`,
		`store_commit_duration_seconds_bucket{le="0.004096"} 1`,
		`loop_duration_seconds_bucket{le="6.4e-05"} 2`,
		`loop_duration_seconds_bucket{le="0.000256"} 2`,
		`loop_duration_seconds_bucket{le="0.001024"} 3`,
		`loop_duration_seconds_bucket{le="16.777216"} 3`,
		`loop_duration_seconds_bucket{le="+Inf"} 4`,
	} {
		if !strings.Contains(body, "\nmqttcore_broker_"+want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	if !strings.Contains(body, "\ngo_goroutines ") {
		t.Error("nothing of Go's")
	}
	problems, err := promlint.New(bytes.NewReader([]byte(body))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "mqttcore_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

// Without a store there are no metrics of one.
func TestLeftOut(t *testing.T) {
	_, body := get(t, serve(t, &source{stats: new(Stats)})+"/metrics")
	if !strings.Contains(body, "mqttcore_broker_sessions 0") || strings.Contains(body, "_store_") {
		t.Error(body)
	}
}

func TestHealth(t *testing.T) {
	well := serve(t, &source{stats: new(Stats)})
	hangs := serve(t, &source{ready: errors.New("the store is not loaded yet")})
	for _, tt := range []struct {
		url    string
		status int
		want   string
	}{
		{well + "/healthz", 200, "ok\n"},
		{well + "/readyz", 200, "ok\n"},
		{well + "/", 200, "This is an MQTT broker. See /metrics, /healthz and /readyz.\n"},
		{well + "/other", 404, ""},
		{hangs + "/healthz", 503, "the broker did not answer in time\n"},
		{hangs + "/readyz", 503, "the store is not loaded yet\n"},
	} {
		if status, body := get(t, tt.url); status != tt.status || tt.want != "" && body != tt.want {
			t.Errorf("%s: %d %s", tt.url, status, body)
		}
	}
	if status, body := get(t, hangs+"/metrics"); status != 200 || !strings.Contains(body, "\nmqttcore_broker_up 0\n") || strings.Contains(body, "mqttcore_broker_sessions") {
		t.Errorf("%d %s", status, body)
	}
}

// Whoever connects and asks nothing takes no more than some descriptors; others wait.
func TestMostConnections(t *testing.T) {
	url := serve(t, &source{stats: new(Stats)})
	var idle []net.Conn
	for range mostConnections {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		idle = append(idle, c)
	}
	answered := make(chan struct{})
	go func() {
		get(t, url+"/")
		close(answered)
	}()
	select {
	case <-answered:
		t.Error("one more was served")
	case <-time.After(50 * time.Millisecond):
	}
	idle[0].Close()
	<-answered
}

func TestOpenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		"9883":                "an address is written as",
		taken.Addr().String(): "is in use; stop the program",
		"192.0.2.1:0":         "check the address",
	} {
		err := Serve(t.Context(), address, &source{}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", address, err, want)
		}
	}
}
