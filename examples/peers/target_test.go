package peers

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

const enabled = "MQTTCORE_INTEROP"

var brokerName = flag.String("broker", "ours", "the broker under test: ours or mosquitto")

func needed(t *testing.T) {
	t.Helper()
	if os.Getenv(enabled) != "1" {
		t.Skipf("set %s=1 to test with client libraries", enabled)
	}
}

// target is a broker under test.
type target struct {
	name  string
	ports map[string]int // by transport
	certs string         // folder of programtest.Certificates
}

// address says where the broker is.
func (b *target) address(o *options) {
	o.Host, o.Port = "127.0.0.1", b.ports[o.Transport]
	if o.Transport == "tls" || o.Transport == "wss" {
		o.CA = filepath.Join(b.certs, "ca.pem")
	}
}

// start starts the broker under test.
func start(t *testing.T) *target {
	t.Helper()
	if *brokerName == "ours" {
		_, port := programtest.Broker(t)
		n, _ := strconv.Atoi(port)
		return &target{name: "ours", ports: map[string]int{"tcp": n}}
	}
	return startMosquitto(t)
}

func startMosquitto(t *testing.T) *target {
	t.Helper()
	if _, err := exec.LookPath("mosquitto"); err != nil {
		t.Fatalf("install Debian's package mosquitto: %v", err)
	}
	for range 5 { // somebody else may take the port first
		port := freePort(t)
		config := filepath.Join(t.TempDir(), "mosquitto.conf")
		text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nmax_queued_messages 0\nmax_inflight_messages 1000\n", port)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p := programtest.Start(t, nil, "mosquitto", "-c", config); answers(p, port) {
			return &target{name: "mosquitto", ports: map[string]int{"tcp": port}}
		}
	}
	t.Fatal("mosquitto does not start")
	return nil
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// answers waits until the port is served, or the process has ended.
func answers(p *programtest.Process, port int) bool {
	for limit := time.Now().Add(programtest.Limit); time.Now().Before(limit) && !p.Ended(); {
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
		if err == nil {
			c.Close()
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// difference is what another broker, or a library, is known to do otherwise. An
// empty library or version 0 stands for all.
type difference struct {
	broker, library, scenario string
	version                   int
	why                       string
}

var differences = []difference{
	{"", "paho", "take-over", 5, "Paho 1.6 does not read the reason code of a DISCONNECT without properties"},
	{"mosquitto", "mqttjs", "take-over", 5, "mosquitto 2.0 closes the old connection without DISCONNECT"},
	{"mosquitto", "", "overlapping subscriptions", 5, "mosquitto 2.0 sends one copy for each subscription"},
}

// differs says why the scenario does not hold, or "".
func (b *target) differs(library, scenario string, version int) string {
	for _, d := range differences {
		if (d.broker == "" || d.broker == b.name) && d.scenario == scenario &&
			(d.library == "" || d.library == library) && (d.version == 0 || d.version == version) {
			return d.why
		}
	}
	return ""
}
