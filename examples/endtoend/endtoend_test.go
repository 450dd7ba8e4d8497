package endtoend

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) { os.Exit(Main(m)) }

var versions = []string{"mqttv5", "mqttv311"}

// Every version and QoS on both sides.
func TestVersionsAndQoS(t *testing.T) {
	_, port := Broker(t)
	for _, sv := range versions {
		for _, pv := range versions {
			t.Run(sv+" from "+pv, func(t *testing.T) {
				t.Parallel()
				var want strings.Builder
				topic := sv + pv
				sub := Subscriber(t, "-p", port, "-V", sv, "-q", "2", "-t", topic+"/+", "-C", "9", "-F", "%t %q %p")
				for i := range 9 {
					qos := fmt.Sprint(i % 3)
					Run(t, nil, "publish", "-p", port, "-V", pv, "-q", qos, "-t", fmt.Sprintf("%s/%d", topic, i), "-m", "hello")
					fmt.Fprintf(&want, "%s/%d %s hello\n", topic, i, qos)
				}
				if got := sub.Success(); string(got) != want.String() {
					t.Errorf("got %q, want %q", got, want.String())
				}
			})
		}
	}
}

// Payloads come as they were sent, from every source.
func TestPayloads(t *testing.T) {
	_, port := Broker(t)
	for _, size := range []int{0, 1, 64 << 10, 8 << 20} {
		payload := make([]byte, size)
		_, _ = rand.Read(payload)
		file := filepath.Join(t.TempDir(), "payload")
		if err := os.WriteFile(file, payload, 0o600); err != nil {
			t.Fatal(err)
		}
		for qos, source := range [][]string{{"-f", file}, {"-s"}, {"-f", file}} {
			sub := Subscriber(t, "-p", port, "-q", "2", "-t", "t", "-C", "1", "-N")
			start := time.Now()
			args := append([]string{"-p", port, "-q", fmt.Sprint(qos), "-t", "t"}, source...)
			Run(t, bytes.NewReader(payload), "publish", args...)
			if got := sub.Success(); sha256.Sum256(got) != sha256.Sum256(payload) {
				t.Errorf("%d bytes at QoS %d: got %d other bytes", size, qos, len(got))
			}
			t.Logf("%d bytes at QoS %d: %v", size, qos, time.Since(start).Round(time.Millisecond))
		}
	}
}

// A message for each line, none lost and in order.
func TestLines(t *testing.T) {
	_, port := Broker(t)
	var in bytes.Buffer
	for i := range 20000 {
		fmt.Fprintf(&in, "line %d\n", i)
	}
	in.WriteString("\nthe last without an end")
	want := strings.Replace(in.String(), "\n\n", "\n", 1) + "\n" // an empty message prints nothing
	for qos := range 3 {
		sub := Subscriber(t, "-p", port, "-q", "2", "-t", "l", "-C", "20002")
		Run(t, strings.NewReader(in.String()), "publish", "-p", port, "-q", fmt.Sprint(qos), "-t", "l", "-l")
		if got := sub.Success(); string(got) != want {
			t.Errorf("QoS %d: got %d bytes, want %d", qos, len(got), len(want))
		}
	}
}

func TestRetained(t *testing.T) {
	_, port := Broker(t)
	Run(t, nil, "publish", "-p", port, "-t", "r/1", "-m", "one", "-r", "-q", "1")
	Run(t, nil, "publish", "-p", port, "-t", "r/2", "-m", "two", "-r", "-q", "1", "-V", "311")
	for _, v := range versions {
		got := Run(t, nil, "subscribe", "-p", port, "-V", v, "-q", "1", "-t", "r/#", "-C", "2", "-F", "%t %r %q %p")
		if string(got) != "r/1 1 1 one\nr/2 1 1 two\n" {
			t.Errorf("got %q", got)
		}
	}
	Run(t, nil, "publish", "-p", port, "-t", "r/1", "-n", "-r", "-q", "1")
	sub := Subscriber(t, "-p", port, "-t", "r/#", "--retained-only", "-v")
	Run(t, nil, "publish", "-p", port, "-t", "r/3", "-m", "end", "-q", "1")
	if got := sub.Success(); string(got) != "r/2 two\n" {
		t.Errorf("got %q", got)
	}
	sub = Subscriber(t, "-p", port, "-t", "r/#", "-R", "-T", "r/4", "-C", "1")
	Run(t, nil, "publish", "-p", port, "-t", "r/4", "-m", "filtered out")
	Run(t, nil, "publish", "-p", port, "-t", "r/5", "-m", "new")
	if got := sub.Success(); string(got) != "new\n" {
		t.Errorf("got %q", got)
	}
}

// A client that is killed leaves its will behind; one that ends well does not;
// SIGTERM tells others too where the version has a word for it.
func TestWill(t *testing.T) {
	_, port := Broker(t)
	for _, v := range versions {
		watch := Subscriber(t, "-p", port, "-t", "will", "-q", "1", "-F", "%p %q %r %C")
		args := []string{"-p", port, "-V", v, "-t", "x", "--will-topic", "will", "--will-qos", "1"}
		if v == "mqttv5" {
			args = append(args, "-D", "will", "content-type", "text/plain")
		}
		killed := Subscriber(t, append(args, "--will-payload", "killed", "--will-retain")...)
		killed.Signal(syscall.SIGKILL)
		watch.Stdout.Await(t, "killed 1 0")
		Run(t, nil, "subscribe", append(args, "--will-payload", "unseen", "-E")...)
		ended := Subscriber(t, append(args, "--will-payload", "terminated")...)
		ended.Signal(syscall.SIGTERM)
		if code := ended.Wait(Limit); code != 0 {
			t.Errorf("exit code %d on SIGTERM", code)
		}
		want := "killed 1 0 \n"
		if v == "mqttv5" {
			watch.Stdout.Await(t, "terminated")
			want = "killed 1 0 text/plain\nterminated 1 0 text/plain\n"
		}
		Run(t, nil, "publish", "-p", port, "-t", "will", "-m", "end", "-q", "1")
		watch.Stdout.Await(t, "end")
		if got := string(watch.Stdout.Bytes()); got != want+"end 1 0 \n" {
			t.Errorf("%s: got %q, want %q", v, got, want)
		}
		if got := Run(t, nil, "subscribe", "-p", port, "-t", "will", "-C", "1"); string(got) != "killed\n" {
			t.Errorf("the retained will is %q", got)
		}
		Run(t, nil, "publish", "-p", port, "-t", "will", "-n", "-r", "-q", "1")
		watch.Signal(syscall.SIGINT)
		watch.Success()
	}
}

// The client that comes later has the session. MQTT 5 tells the other one, which
// then stays away.
func TestTakeOver(t *testing.T) {
	broker, port := Broker(t, "-v")
	first := Subscriber(t, "-p", port, "-i", "same", "-t", "x")
	second := Subscriber(t, "-p", port, "-i", "same", "-t", "x", "-C", "1")
	if code := first.Wait(Limit); code != 4 {
		t.Errorf("exit code %d", code)
	}
	if !bytes.Contains(first.Stderr.Bytes(), []byte("Session taken over")) {
		t.Errorf("it said %q", first.Stderr.Bytes())
	}
	Run(t, nil, "publish", "-p", port, "-t", "x", "-m", "y", "-q", "1")
	second.Success()
	broker.Stderr.Await(t, `reason="Session taken over"`)
}

// What is published while a client is away waits for it.
func TestPersistentSession(t *testing.T) {
	_, port := Broker(t)
	for _, v := range versions {
		client := []string{"-p", port, "-V", v, "-i", "keeper" + v, "-c", "-q", "1", "-t", "keep"}
		Run(t, nil, "subscribe", append(client, "-E")...)
		Run(t, strings.NewReader("1\n2\n3\n"), "publish", "-p", port, "-t", "keep", "-q", "1", "-l")
		if got := Run(t, nil, "subscribe", append(client, "-C", "3")...); string(got) != "1\n2\n3\n" {
			t.Errorf("got %q", got)
		}
		Run(t, nil, "subscribe", "-p", port, "-V", v, "-i", "keeper"+v, "-c", "-U", "keep")
		Run(t, nil, "publish", "-p", port, "-t", "keep", "-q", "1", "-m", "4")
		sub := Start(t, nil, "subscribe", append(client, "-W", "0.3")...)
		if code := sub.Wait(Limit); code != 27 || len(sub.Stdout.Bytes()) != 0 {
			t.Errorf("exit code %d, got %q", code, sub.Stdout.Bytes())
		}
	}
}

// The properties of a message reach the subscriber.
func TestProperties(t *testing.T) {
	_, port := Broker(t)
	sub := Subscriber(t, "-p", port, "-t", "p", "-C", "1", "-F", "%C %D %E %F %R %P %S %p", "-D", "subscribe", "subscription-identifier", "9")
	Run(t, nil, "publish", "-p", port, "-t", "p", "-m", "x", "-D", "publish", "content-type", "ct", "-D", "publish", "correlation-data", "cd",
		"-D", "publish", "message-expiry-interval", "60", "-D", "publish", "payload-format-indicator", "1", "-D", "publish", "response-topic", "rt",
		"-D", "publish", "user-property", "k", "v", "-D", "publish", "topic-alias", "1")
	if got := sub.Success(); string(got) != "ct cd 60 1 rt k:v 9 x\n" {
		t.Errorf("got %q", got)
	}
}

// Each message goes to one of the workers.
func TestShared(t *testing.T) {
	_, port := Broker(t)
	a := Subscriber(t, "-p", port, "-q", "1", "-t", "$share/w/jobs", "-C", "5")
	b := Subscriber(t, "-p", port, "-q", "1", "-t", "$share/w/jobs", "-C", "5")
	Run(t, strings.NewReader(strings.Repeat("job\n", 10)), "publish", "-p", port, "-q", "1", "-t", "jobs", "-l")
	a.Success()
	b.Success()
}

// SIGTERM and SIGINT end the broker within 2 seconds. Its clients know why, and go
// on when another one is there. A machine that stood still has two more tries.
func TestBrokerStops(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		took := brokerStops(t, sig)
		for range 2 {
			if took > 2*time.Second {
				took = brokerStops(t, sig)
			}
		}
		if took > 2*time.Second {
			t.Errorf("%v: it took %v", sig, took)
		}
	}
}

// brokerStops returns how long the broker needed to end.
func brokerStops(t *testing.T, sig syscall.Signal) time.Duration {
	broker, port := Broker(t)
	five := Subscriber(t, "-p", port, "-t", "x", "-C", "1")
	old := Subscriber(t, "-p", port, "-t", "x", "-V", "311", "-C", "1")
	start := time.Now()
	broker.Signal(sig)
	if code := broker.Wait(Limit); code != 0 {
		t.Errorf("%v: exit code %d", sig, code)
	}
	took := time.Since(start)
	t.Logf("%v: ended after %v", sig, took.Round(time.Millisecond))
	five.Stderr.Await(t, "Server shutting down; trying again in")
	old.Stderr.Await(t, "trying again in")
	Broker(t, "-p", port)
	for _, p := range []*Process{five, old} {
		p.Stderr.AwaitCount(t, "received SUBACK", 2)
	}
	Run(t, nil, "publish", "-p", port, "-t", "x", "-m", "y", "-q", "1")
	five.Success()
	old.Success()
	return took
}

// Lines that are published while the broker is away arrive with the next one.
func TestPublishReconnects(t *testing.T) {
	broker, port := Broker(t)
	in, lines := io.Pipe()
	p := Start(t, in, "publish", "-d", "-p", port, "-t", "x", "-q", "1", "-l")
	fmt.Fprintln(lines, "before")
	p.Stderr.Await(t, "received PUBACK")
	broker.Signal(syscall.SIGTERM)
	broker.Wait(Limit)
	p.Stderr.Await(t, "trying again in")
	Broker(t, "-p", port)
	sub := Subscriber(t, "-p", port, "-t", "x", "-C", "1")
	fmt.Fprintln(lines, "behind")
	lines.Close()
	p.Success()
	if got := sub.Success(); string(got) != "behind\n" {
		t.Errorf("got %q", got)
	}
}
