package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// mosquittoWith starts mosquitto with more lines in its configuration, on the
// given port, or on a free one if that is empty.
func mosquittoWith(t *testing.T, port, global, listener string) (*Process, string) {
	t.Helper()
	need(t, "mosquitto")
	given := port != ""
	for range 5 { // somebody else may take the port first
		if !given {
			port = freePort(t)
		}
		config := filepath.Join(t.TempDir(), "mosquitto.conf")
		text := fmt.Sprintf("%s\nallow_anonymous true\nlistener %s 127.0.0.1\n%s\n", global, port, listener)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p := Start(t, nil, "mosquitto", "-c", config)
		if answers(p, port) {
			return p, port
		}
	}
	t.Fatal("mosquitto does not start")
	return nil, ""
}

func TestKilledSender(t *testing.T) {
	port := mosquitto(t)
	for _, v := range versions {
		KilledSender(t, port, v)
	}
}

func TestKilledReceiver(t *testing.T) {
	port := mosquitto(t)
	for _, v := range versions {
		t.Run(v, func(t *testing.T) { KilledReceiver(t, port, v, true) })
	}
}

// Sessions go on over restarts of mosquitto: what is published by a client that
// stays, and what waits for one that comes back.
func TestRestarts(t *testing.T) {
	folder := t.TempDir()
	persistence := fmt.Sprintf("user root\npersistence true\npersistence_location %s/\nmax_queued_messages 0", folder)
	broker, port := mosquittoWith(t, "", persistence, "")
	restart := func() {
		broker.Signal(syscall.SIGTERM) // it writes its sessions then
		broker.Wait(Limit)
		broker, _ = mosquittoWith(t, port, persistence, "")
	}
	for _, v := range versions {
		client := []string{"-p", port, "-V", v, "-i", "keeper" + v, "-c", "-q", "2", "-t", "keep"}
		sub := Subscriber(t, append(client, "-C", "5")...)
		publish := func(text string) {
			Run(t, strings.NewReader(text), "publish", "-p", port, "-V", v, "-t", "keep", "-q", "2", "-l")
		}
		publish("1\n2\n")
		sub.Stdout.Await(t, "2")
		restart()
		sub.Stderr.Await(t, "connected to localhost:"+port+" again")
		publish("3\n4\n5\n")
		if got := sub.Success(); string(got) != "1\n2\n3\n4\n5\n" {
			t.Errorf("%s, connected: got %q", v, got)
		}
		publish("6\n7\n")
		restart()
		if got := Run(t, nil, "subscribe", append(client, "-C", "2")...); string(got) != "6\n7\n" {
			t.Errorf("%s, away: got %q", v, got)
		}
	}
}

// Topic aliases both ways: those that we send, and those that we allow, which
// mosquitto 2.0 does not make use of.
func TestAliases(t *testing.T) {
	port := mosquitto(t)
	sub := Subscriber(t, "-p", port, "-t", "alias/#", "-q", "1", "-C", "20", "-v", "-D", "connect", "topic-alias-maximum", "10")
	in := strings.Repeat("x\n", 20)
	pub := Start(t, strings.NewReader(in), "publish", "-d", "-p", port, "-t", "alias/a", "-q", "1", "-l", "-D", "publish", "topic-alias", "1")
	pub.Success()
	if got := string(sub.Success()); got != strings.Repeat("alias/a x\n", 20) {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(string(pub.Stderr.Bytes()), "TopicAlias=1") {
		t.Errorf("no alias was sent: %.300s", pub.Stderr.Bytes())
	}
	t.Logf("mosquitto sent aliases: %v", strings.Contains(string(sub.Stderr.Bytes()), "TopicAlias="))
}

// Flow control at its narrowest, on both sides.
func TestFlowControl(t *testing.T) {
	narrow := "max_inflight_messages 1\nmax_queued_messages 0"
	_, port := mosquittoWith(t, "", narrow, "")
	var want strings.Builder
	for i := range 500 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	for _, v := range versions {
		for _, q := range []string{"1", "2"} {
			for _, flags := range [][]string{nil, {"-M", "1"}, {"-D", "connect", "receive-maximum", "1"}} {
				if v != "mqttv5" && len(flags) != 2 {
					continue // only MQTT 5 tells that the broker is so narrow
				}
				args := append([]string{"-p", port, "-V", v, "-t", "flow", "-q", q}, flags...)
				sub := Subscriber(t, append(args, "-C", "500")...)
				Run(t, strings.NewReader(want.String()), "publish", append(args, "-l")...)
				if got := sub.Success(); string(got) != want.String() {
					t.Errorf("%s, QoS %s, %q: got %d bytes", v, q, flags, len(got))
				}
			}
		}
	}
}

// TLS with mosquitto, with and without certificates of clients.
func TestTLS(t *testing.T) {
	pem := Certificates(t)
	file := func(name string) string { return filepath.Join(pem, name) }
	listener := fmt.Sprintf("cafile %s\ncertfile %s\nkeyfile %s\n", file("ca.pem"), file("server.pem"), file("server.key"))
	for _, strict := range []string{"false", "true"} {
		_, port := mosquittoWith(t, "", "user root", listener+"require_certificate "+strict)
		flags := []string{"-p", port, "--cafile", file("ca.pem"), "--cert", file("client.pem"), "--key", file("client.key"), "-V", "5", "-t", "tls", "-q", "2"}
		for _, version := range []string{"tlsv1.2", "tlsv1.3"} {
			sub := Subscriber(t, append(flags, "-C", "2", "--tls-version", version)...)
			for _, publisher := range []string{"publish", "mosquitto_pub"} {
				Run(t, nil, publisher, append(flags, "-m", "hello", "--tls-version", version)...)
			}
			if got := sub.Success(); string(got) != "hello\nhello\n" {
				t.Errorf("got %q", got)
			}
		}
		if strict == "true" {
			p := Start(t, nil, "publish", "-p", port, "--cafile", file("ca.pem"), "-t", "tls", "-m", "x")
			if code := p.Wait(Limit); code == 0 {
				t.Error("a client without a certificate got through")
			}
		}
	}
}

// WebSocket with mosquitto, where it was built with it.
func TestWebSocket(t *testing.T) {
	need(t, "mosquitto")
	port := freePort(t)
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("allow_anonymous true\nlistener %s 127.0.0.1\nprotocol websockets\n", port)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Start(t, nil, "mosquitto", "-c", config)
	for limit := time.Now().Add(Limit); !strings.Contains(string(p.Stderr.Bytes()), " running"); time.Sleep(20 * time.Millisecond) {
		if p.Ended() || time.Now().After(limit) {
			t.Skip("this mosquitto was built without WebSocket; endtoend tests it with our own broker")
		}
	}
	url := "ws://127.0.0.1:" + port + "/mqtt"
	sub := Subscriber(t, "-L", url, "-t", "x", "-q", "2", "-C", "1")
	Run(t, nil, "publish", "-L", url, "-t", "x", "-q", "2", "-m", "hello")
	if got := sub.Success(); string(got) != "hello\n" {
		t.Errorf("got %q", got)
	}
}
