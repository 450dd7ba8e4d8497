package endtoend

import (
	"bytes"
	"crypto/rand"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

var passesOn = regexp.MustCompile(`listens on 127\.0\.0\.1:(\d+) `)

// inspect starts the proxy before a broker on this machine, and returns its port.
func inspect(t *testing.T, to string, args ...string) (p *Process, port string) {
	t.Helper()
	p = Start(t, nil, "inspect", append([]string{"--listen", "127.0.0.1:0", "--to", to}, args...)...)
	p.Stderr.Await(t, "Ctrl-C")
	return p, string(passesOn.FindSubmatch(p.Stderr.Bytes())[1])
}

// Programs that talk through the proxy get what they get without it, and say
// nothing that is illegal.
func TestInspect(t *testing.T) {
	_, broker := Broker(t)
	for _, v := range versions {
		t.Run(v, func(t *testing.T) {
			proxy, port := inspect(t, net.JoinHostPort("127.0.0.1", broker))
			payload := make([]byte, 5<<20)
			_, _ = rand.Read(payload)
			sub := Subscriber(t, "-p", port, "-V", v, "-q", "2", "-t", v+"/#", "-C", "3", "-N", "-u", "mysteriousname")
			for _, qos := range []string{"0", "1", "2"} {
				Run(t, bytes.NewReader(payload), "publish", "-p", port, "-V", v, "-q", qos, "-t", v+"/"+qos, "-s")
			}
			if got := sub.Success(); !bytes.Equal(got, bytes.Repeat(payload, 3)) {
				t.Errorf("%d other bytes came", len(got))
			}
			proxy.Signal(syscall.SIGINT)
			out := string(proxy.Success())
			for _, want := range []string{"> ", "< ", " CONNECT v", " PUBLISH q2 #", v + "/2 5242880 bytes", " PUBCOMP #1", " Username=REDACTED", " DISCONNECT"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in %s", want, out)
				}
			}
			if strings.Contains(out, "mysterious") {
				t.Errorf("a user name is in %s", out)
			}
		})
	}
}

// A client may go through the proxy over WebSocket to a listener for that, which
// has TLS or not. What is in the frames is shown.
func TestInspectWebSocket(t *testing.T) {
	_, broker := Broker(t)
	pem := Certificates(t)
	secure := WebSocketFront(t, broker, ServerTLS(t, pem, "server", false))
	for _, to := range [][]string{
		{"localhost:" + WebSocketFront(t, broker, nil)},
		{"mqtts://localhost:" + secure, "--cafile", filepath.Join(pem, "ca.pem")},
	} {
		proxy, port := inspect(t, to[0], to[1:]...)
		passes(t, "-L", "ws://127.0.0.1:"+port+"/mqtt")
		proxy.Stdout.AwaitCount(t, " the client closes the WebSocket: 1000", 2)
		proxy.Signal(syscall.SIGINT)
		out := string(proxy.Success())
		for _, want := range []string{" WebSocket at /mqtt for the sub-protocol mqtt\n", "PUBLISH q2 #1 x 5 bytes", " DISCONNECT"} {
			if !strings.Contains(out, want) {
				t.Errorf("%v: no %q in %s", to, want, out)
			}
		}
	}
}

// The proxy shows what goes through TLS and WebSocket.
func TestInspectTransports(t *testing.T) {
	_, broker := Broker(t)
	pem := Certificates(t)
	for _, args := range [][]string{
		{"mqtts://localhost:" + Front(t, broker, ServerTLS(t, pem, "server", false)), "--cafile", filepath.Join(pem, "ca.pem")},
		{"ws://localhost:" + WebSocketFront(t, broker, nil) + "/mqtt"},
	} {
		proxy, port := inspect(t, args[0], args[1:]...)
		passes(t, "-p", port)
		proxy.Signal(syscall.SIGINT)
		if out := string(proxy.Success()); !strings.Contains(out, "PUBLISH q2 #1 x 5 bytes") {
			t.Errorf("%v: %s", args, out)
		}
	}
	proxy, port := inspect(t, "mqtts://localhost:"+broker)
	Start(t, nil, "publish", "-p", port, "-t", "x", "-m", "m").Wait(Limit)
	proxy.Stderr.Await(t, "does it speak TLS")
	proxy.Signal(syscall.SIGINT)
	proxy.Success()
}
