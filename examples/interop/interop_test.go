package interop

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const enabled = "MQTTCORE_INTEROP"

func TestMain(m *testing.M) {
	if os.Getenv(enabled) != "1" {
		os.Exit(m.Run()) // every test says that it is skipped
	}
	os.Exit(Main(m))
}

var versions = []string{"mqttv5", "mqttv311"}

// need skips the test unless it was asked for, and then demands a program.
func need(t *testing.T, program string) {
	t.Helper()
	if os.Getenv(enabled) != "1" {
		t.Skipf("set %s=1 to test against %s", enabled, program)
	}
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is not installed: install Debian's packages mosquitto and mosquitto-clients (%v)", program, err)
	}
}

// mosquitto starts Eclipse Mosquitto on a free port of 127.0.0.1.
func mosquitto(t *testing.T) (port string) {
	t.Helper()
	need(t, "mosquitto")
	for range 5 { // somebody else may take the port first
		port = freePort(t)
		config := filepath.Join(t.TempDir(), "mosquitto.conf")
		text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\n", port)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := Start(t, nil, "mosquitto", "-c", config)
		if answers(p, port) {
			return port
		}
	}
	t.Fatal("mosquitto does not start")
	return ""
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// answers waits until the port is served, or the process has ended.
func answers(p *Process, port string) bool {
	for limit := time.Now().Add(Limit); time.Now().Before(limit) && !p.Ended(); {
		c, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second)
		if err == nil {
			c.Close()
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// theirSubscriber starts mosquitto_sub and waits until it has subscribed. It
// prints each message in a line that begins with MSG; its debug lines, which
// tell of the subscription, go to the same output.
func theirSubscriber(t *testing.T, args ...string) *Process {
	t.Helper()
	p := Start(t, nil, "stdbuf", append([]string{"-oL", "mosquitto_sub", "-d", "-F", "MSG %t %q %r %x"}, args...)...)
	p.Stdout.Await(t, "Subscribed (mid")
	return p
}

// messages returns the lines of a theirSubscriber that are messages.
func messages(p *Process) (lines []string) {
	for line := range strings.Lines(string(p.Success())) {
		if text, ok := strings.CutPrefix(line, "MSG "); ok {
			lines = append(lines, strings.TrimSuffix(text, "\n"))
		}
	}
	return lines
}

// payloads are what is sent in both directions.
func payloads(t *testing.T) map[int]string {
	files := make(map[int]string)
	for _, size := range []int{0, 64 << 10, 8 << 20} {
		b := make([]byte, size)
		_, _ = rand.Read(b)
		files[size] = filepath.Join(t.TempDir(), fmt.Sprint(size))
		if err := os.WriteFile(files[size], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// Their clients against our broker: every version, QoS and size.
func TestTheirClients(t *testing.T) {
	need(t, "mosquitto_sub")
	_, port := Broker(t)
	files := payloads(t)
	for _, pv := range versions {
		for _, sv := range versions {
			for qos := range 3 {
				for size, file := range files {
					t.Run(fmt.Sprintf("%s to %s, QoS %d, %d bytes", pv, sv, qos, size), func(t *testing.T) {
						q := fmt.Sprint(qos)
						sub := theirSubscriber(t, "-p", port, "-V", sv, "-q", q, "-t", "a/+", "-C", "1")
						Run(t, nil, "mosquitto_pub", publishFile(port, pv, q, "a/b", size, file)...)
						want, err := os.ReadFile(file)
						if err != nil {
							t.Fatal(err)
						}
						if got := messages(sub); len(got) != 1 || got[0] != "a/b "+q+" 0 "+hex.EncodeToString(want) {
							t.Errorf("got %d messages, %.60q", len(got), got)
						}
					})
				}
			}
		}
	}
}

// publishFile returns the arguments of a publishing program. mosquitto_pub
// refuses empty files.
func publishFile(port, version, qos, topic string, size int, file string) []string {
	args := []string{"-p", port, "-V", version, "-q", qos, "-t", topic}
	if size == 0 {
		return append(args, "-n")
	}
	return append(args, "-f", file)
}

// Our clients against mosquitto: every version, QoS and size.
func TestTheirBroker(t *testing.T) {
	port := mosquitto(t)
	files := payloads(t)
	for _, pv := range versions {
		for _, sv := range versions {
			for qos := range 3 {
				for size, file := range files {
					t.Run(fmt.Sprintf("%s to %s, QoS %d, %d bytes", pv, sv, qos, size), func(t *testing.T) {
						q := fmt.Sprint(qos)
						sub := Subscriber(t, "-p", port, "-V", sv, "-q", q, "-t", "a/+", "-C", "1", "-N")
						Run(t, nil, "publish", publishFile(port, pv, q, "a/b", size, file)...)
						want, err := os.ReadFile(file)
						if err != nil {
							t.Fatal(err)
						}
						if got := sub.Success(); !bytes.Equal(got, want) {
							t.Errorf("got %d bytes, want %d", len(got), len(want))
						}
					})
				}
			}
		}
	}
}

// Many messages in a row: from both publishers through both brokers to our
// subscribe, and through ours to theirs.
func TestLines(t *testing.T) {
	const lines = 3000
	var in, hexed strings.Builder
	for i := range lines {
		line := fmt.Sprintf("line %d", i)
		fmt.Fprintln(&in, line)
		fmt.Fprintf(&hexed, "%x\n", line)
	}
	theirs := mosquitto(t)
	_, ours := Broker(t)
	for _, port := range []string{ours, theirs} {
		for _, publisher := range []string{"publish", "mosquitto_pub"} {
			for qos := 1; qos <= 2; qos++ {
				q, count := fmt.Sprint(qos), fmt.Sprint(lines)
				sub := Subscriber(t, "-p", port, "-q", q, "-t", "l", "-C", count, "-F", "%x")
				var their *Process
				if port == ours {
					their = theirSubscriber(t, "-p", port, "-V", "mqttv5", "-q", q, "-t", "l", "-C", count)
				}
				Run(t, strings.NewReader(in.String()), publisher, "-p", port, "-V", "mqttv5", "-q", q, "-t", "l", "-l")
				if got := string(sub.Success()); got != hexed.String() {
					t.Errorf("%s at QoS %s: subscribe got %d bytes", publisher, q, len(got))
				}
				if their == nil {
					continue
				}
				got := strings.Join(messages(their), "\n") + "\n"
				if got = strings.ReplaceAll(got, "l "+q+" 0 ", ""); got != hexed.String() {
					t.Errorf("%s at QoS %s: mosquitto_sub got %d bytes", publisher, q, len(got))
				}
			}
		}
	}
}

// Retained messages, and their removal.
func TestRetained(t *testing.T) {
	theirs := mosquitto(t)
	_, ours := Broker(t)
	for _, port := range []string{ours, theirs} {
		for i, publisher := range []string{"publish", "mosquitto_pub"} {
			for _, v := range versions {
				topic := fmt.Sprintf("r/%d/%s", i, v)
				Run(t, nil, publisher, "-p", port, "-V", v, "-q", "1", "-r", "-t", topic, "-m", "kept")
				for _, sv := range versions {
					if got := Run(t, nil, "subscribe", "-p", port, "-V", sv, "-q", "2", "-t", "r/#", "-C", "1", "-F", "%t %q %r %p"); string(got) != topic+" 1 1 kept\n" {
						t.Errorf("subscribe got %q", got)
					}
					if got := Run(t, nil, "mosquitto_sub", "-p", port, "-V", sv, "-q", "2", "-t", "r/#", "-C", "1", "-F", "%t %q %r %p"); string(got) != topic+" 1 1 kept\n" {
						t.Errorf("mosquitto_sub got %q", got)
					}
				}
				Run(t, nil, publisher, "-p", port, "-V", v, "-q", "1", "-r", "-t", topic, "-n")
			}
		}
		sub := Start(t, nil, "subscribe", "-p", port, "-t", "r/#", "-W", "0.3")
		if code := sub.Wait(Limit); code != 27 || len(sub.Stdout.Bytes()) != 0 {
			t.Errorf("left over: exit code %d, %q", code, sub.Stdout.Bytes())
		}
	}
}

// The will of a client that is killed.
func TestWill(t *testing.T) {
	theirs := mosquitto(t)
	_, ours := Broker(t)
	for _, v := range versions {
		will := []string{"-V", v, "-t", "x", "--will-topic", "will", "--will-payload", "gone", "--will-qos", "2"}

		watch := theirSubscriber(t, "-p", ours, "-q", "2", "-t", "will", "-C", "1")
		client := theirSubscriber(t, append(will, "-p", ours)...)
		client.Signal(syscall.SIGKILL)
		if got := messages(watch); len(got) != 1 || got[0] != "will 2 0 "+hex.EncodeToString([]byte("gone")) {
			t.Errorf("mosquitto_sub got %q", got)
		}

		ourWatch := Subscriber(t, "-p", theirs, "-q", "2", "-t", "will", "-C", "1", "-F", "%t %q %p")
		ourClient := Subscriber(t, append(will, "-p", theirs)...)
		ourClient.Signal(syscall.SIGKILL)
		if got := ourWatch.Success(); string(got) != "will 2 gone\n" {
			t.Errorf("subscribe got %q", got)
		}
	}
}

// Properties pass through our broker and through our clients.
func TestProperties(t *testing.T) {
	theirs := mosquitto(t)
	_, ours := Broker(t)
	properties := []string{"-D", "publish", "content-type", "ct", "-D", "publish", "correlation-data", "cd", "-D", "publish", "response-topic", "rt",
		"-D", "publish", "payload-format-indicator", "1", "-D", "publish", "message-expiry-interval", "60",
		"-D", "publish", "user-property", "k", "v", "-D", "publish", "user-property", "k", "w"}
	for _, port := range []string{ours, theirs} {
		for _, publisher := range []string{"publish", "mosquitto_pub"} {
			Run(t, nil, publisher, append([]string{"-p", port, "-V", "mqttv5", "-t", "p", "-m", "x", "-r", "-q", "1"}, properties...)...)
			for _, subscriber := range []string{"subscribe", "mosquitto_sub"} {
				got := Run(t, nil, subscriber, "-p", port, "-V", "mqttv5", "-t", "p", "-C", "1", "-F", "%C %D %R %F %P %p")
				if string(got) != "ct cd rt 1 k:v k:w x\n" {
					t.Errorf("%s to %s: got %q", publisher, subscriber, got)
				}
			}
		}
	}
}

// Persistent sessions with the other broker: nothing published in between is
// missed.
func TestPersistentSession(t *testing.T) {
	theirs := mosquitto(t)
	_, ours := Broker(t)
	for _, v := range versions {
		for port, program := range map[string]string{theirs: "subscribe", ours: "mosquitto_sub"} {
			client := []string{"-p", port, "-V", v, "-i", "keeper", "-c", "-q", "2", "-t", "keep"}
			Run(t, nil, program, append(client, "-E")...)
			Run(t, strings.NewReader("1\n2\n3\n"), "mosquitto_pub", "-p", port, "-t", "keep", "-q", "1", "-l")
			if got := Run(t, nil, program, append(client, "-C", "3")...); string(got) != "1\n2\n3\n" {
				t.Errorf("%s, %s: got %q", program, v, got)
			}
			// Ends the session, so that the next version begins anew.
			Run(t, nil, program, "-p", port, "-V", v, "-i", "keeper", "-t", "x", "-E")
		}
	}
}
