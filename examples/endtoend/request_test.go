package endtoend

import (
	"strings"
	"syscall"
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// Responder starts our request --respond and waits until it has subscribed.
func responder(t *testing.T, args ...string) *Process {
	t.Helper()
	p := Start(t, nil, "request", append([]string{"-d", "--respond"}, args...)...)
	p.Stderr.Await(t, "received SUBACK")
	return p
}

func TestRequest(t *testing.T) {
	_, port := Broker(t)
	for qos, q := range []string{"0", "1", "2"} {
		for _, v := range versions {
			topic := "q/" + q + v
			answering := responder(t, "-p", port, "-V", v, "-q", q, "-t", topic+"/#", "-C", "3", "-e", "a/"+topic, "--exec", "tr a-z A-Z; printf :$MQTT_TOPIC")
			for range 3 {
				got := Run(t, nil, "request", "-p", port, "-V", v, "-q", q, "-t", topic+"/x", "-e", "a/"+topic, "-m", "hello", "-W", "20", "-F", "%t %q %p")
				if want := "a/" + topic + " " + q + " HELLO:" + topic + "/x\n"; string(got) != want {
					t.Errorf("%s, QoS %d: got %q, want %q", v, qos, got, want)
				}
			}
			answering.Success()
		}
	}
}

// Requests of several clients with one response topic find their own answers.
func TestRequestsAtATime(t *testing.T) {
	_, port := Broker(t)
	answering := responder(t, "-p", port, "-q", "1", "-t", "echo", "-v")
	var all []*Process
	for _, word := range strings.Fields("one two three four five six") {
		all = append(all, Start(t, nil, "request", "-p", port, "-q", "1", "-t", "echo", "-e", "same", "-m", word, "-W", "20"))
	}
	for i, word := range strings.Fields("one two three four five six") {
		if got := all[i].Success(); string(got) != word+"\n" {
			t.Errorf("got %q, want %q", got, word)
		}
	}
	answering.Stdout.Await(t, "echo six")
	answering.Signal(syscall.SIGTERM)
	answering.Success()
}

func TestRequestTimesOut(t *testing.T) {
	_, port := Broker(t)
	p := Start(t, nil, "request", "-p", port, "-t", "nobody", "-e", "answer", "-m", "x", "-W", "0.3")
	if code := p.Wait(Limit); code != 27 || !strings.Contains(string(p.Stderr.Bytes()), "timed out") {
		t.Errorf("exit code %d, %q", code, p.Stderr.Bytes())
	}
}
