package peers

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

var passesOn = regexp.MustCompile(`listens on 127\.0\.0\.1:(\d+) `)

// TestInspect lets clients go through the proxy of inspect, over WebSocket, which
// reads all that they say and finds nothing illegal.
func TestInspect(t *testing.T) {
	needed(t)
	if *brokerName == "mosquitto" {
		t.Skip("Debian's has no WebSocket")
	}
	b := start(t, *brokerName, ordinary, "ws")
	for _, l := range libraries {
		proxy := programtest.Start(t, nil, "inspect", "--listen", "127.0.0.1:0", "--to", fmt.Sprintf("127.0.0.1:%d", b.ports["ws"]))
		proxy.Stderr.Await(t, "Ctrl-C")
		port, _ := strconv.Atoi(string(passesOn.FindSubmatch(proxy.Stderr.Bytes())[1]))
		through := *b
		through.ports = map[string]int{"ws": port}
		t.Run(l.name, func(t *testing.T) {
			p := l.start(t)
			for _, sc := range scenarios {
				if slices.Contains([]string{"every QoS", "order", "resume"}, sc.name) {
					sc.perform(t, p, &through, "ws")
				}
			}
		})
		proxy.Signal(syscall.SIGINT)
		out := string(proxy.Success())
		if l.missing() != "" {
			continue
		}
		for _, want := range []string{" for the sub-protocol mqtt\n", " CONNECT v3.1.1 ", " CONNECT v5.0 ", " PUBLISH q2 #", " PUBCOMP #"} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in what was shown", l.name, want)
			}
		}
		if strings.Contains(out, "cannot be read") || strings.Contains(out, "not MQTT") {
			t.Errorf("%s: shown\n%s", l.name, out)
		}
	}
}
