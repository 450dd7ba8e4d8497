package peers

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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
	name    string
	program string
	config  string // its file
	process *programtest.Process
	ports   map[string]int // by transport
	certs   string         // folder of programtest.Certificates
}

// address says where the broker is, for a transport of its own: certificate
// stands for TLS where clients have one.
func (b *target) address(o *options) {
	o.Host, o.Port = "127.0.0.1", b.ports[o.Transport]
	file := func(name string) string { return filepath.Join(b.certs, name) }
	switch o.Transport {
	case "certificate":
		o.Transport, o.CA, o.Cert, o.Key = "tls", file("ca.pem"), file("client.pem"), file("client.key")
	case "tls", "wss":
		o.CA = file("ca.pem")
	}
}

// listeners are the lines of a configuration for each transport, after its
// listener line.
var listeners = map[string]string{
	"tcp":         "",
	"tls":         "cafile CERTS/ca.pem\ncertfile CERTS/server.pem\nkeyfile CERTS/server.key\n",
	"certificate": "cafile CERTS/ca.pem\ncertfile CERTS/server.pem\nkeyfile CERTS/server.key\nrequire_certificate true\nuse_identity_as_username true\n",
	"ws":          "protocol websockets\n",
	"wss":         "protocol websockets\ncertfile CERTS/server.pem\nkeyfile CERTS/server.key\n",
}

// ordinary is what the scenarios need to be set.
const ordinary = `allow_anonymous true
persistence false
max_queued_messages 0
max_inflight_messages 1000
sys_interval 1
`

// start starts a broker with the same configuration file, whichever it is, and
// listeners for the transports, which come in place of LISTENERS, or last.
func start(t *testing.T, broker, lines string, transports ...string) *target {
	t.Helper()
	certs := programtest.Certificates(t)
	text, program := lines, "broker"
	if broker != "ours" {
		program = broker
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("install Debian's package %s: %v", program, err)
		}
	}
	if os.Geteuid() == 0 && broker == "mosquitto" {
		text = "user root\n" + text // or it could not read the files of the test
	}
	for range 5 { // somebody else may take a port first
		b := &target{name: broker, program: program, config: filepath.Join(t.TempDir(), "mosquitto.conf"), ports: map[string]int{}, certs: certs}
		var places strings.Builder
		for _, transport := range transports {
			b.ports[transport] = freePort(t)
			fmt.Fprintf(&places, "listener %d 127.0.0.1\n%s", b.ports[transport], listeners[transport])
		}
		all := text + places.String()
		if strings.Contains(text, "LISTENERS\n") {
			all = strings.Replace(text, "LISTENERS\n", places.String(), 1)
		}
		all = strings.ReplaceAll(all, "CERTS", certs)
		if err := os.WriteFile(b.config, []byte(all), 0o600); err != nil {
			t.Fatal(err)
		}
		if b.run(t) {
			return b
		}
	}
	t.Fatalf("%s does not start", broker)
	return nil
}

// run starts the broker's process, and reports whether it answers.
func (b *target) run(t *testing.T) bool {
	t.Helper()
	b.process = programtest.Start(t, nil, b.program, "-c", b.config)
	return answers(b.process, slices.Collect(maps.Values(b.ports)))
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

// answers waits until all ports are served, or the process has ended.
func answers(p *programtest.Process, ports []int) bool {
	for limit := time.Now().Add(programtest.Limit); time.Now().Before(limit) && !p.Ended(); {
		if len(ports) == 0 {
			return true
		}
		c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0])), time.Second)
		if err == nil {
			c.Close()
			ports = ports[1:]
			continue
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
