package interop

import (
	"regexp"
	"strings"
	"syscall"
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

var passesOn = regexp.MustCompile(`listens on 127\.0\.0\.1:(\d+) `)

// Nothing that mosquitto and its clients say is found to be illegal.
func TestInspect(t *testing.T) {
	port := mosquitto(t)
	for _, version := range versions {
		proxy := Start(t, nil, "inspect", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:"+port)
		proxy.Stderr.Await(t, "Ctrl-C")
		through := string(passesOn.FindSubmatch(proxy.Stderr.Bytes())[1])
		sub := Start(t, nil, "mosquitto_sub", "-p", through, "-V", version, "-t", "a/#", "-q", "2", "-i", "watcher", "-C", "3")
		proxy.Stdout.Await(t, "SUBACK")
		for _, qos := range []string{"0", "1", "2"} {
			Run(t, nil, "mosquitto_pub", "-p", through, "-V", version, "-t", "a/b", "-q", qos, "-m", "hello", "-u", "mysteriousname", "-P", "mysteriousword")
		}
		if got := sub.Success(); string(got) != "hello\nhello\nhello\n" {
			t.Errorf("%s: got %q", version, got)
		}
		proxy.Stdout.AwaitCount(t, "the client has closed", 4)
		proxy.Signal(syscall.SIGINT)
		out := string(proxy.Success())
		if strings.Count(out, "PUBLISH q2 #") != 2 || strings.Count(out, " hello") != 0 || strings.Contains(out, "mysterious") {
			t.Errorf("%s: shown %s", version, out)
		}
	}
}
