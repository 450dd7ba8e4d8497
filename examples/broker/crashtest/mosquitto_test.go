package crashtest

import (
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// mosquitto publishes by mosquitto_pub while the broker lives, and receives by
// mosquitto_sub with a session that goes on from one to the next.
type mosquitto struct {
	t       *testing.T
	missing bool
	n       int
	acked   []string // payloads for which mosquitto_pub ended well
	stop    chan struct{}
	over    sync.WaitGroup
	sub     *programtest.Process
	got     map[string]bool
}

func newMosquitto(t *testing.T) *mosquitto {
	m := &mosquitto{t: t, got: make(map[string]bool)}
	for _, name := range []string{"mosquitto_pub", "mosquitto_sub"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Logf("without mosquitto's clients: %v", err)
			m.missing = true
		}
	}
	return m
}

// begin starts them for the broker at a port.
func (m *mosquitto) begin(port string) {
	if m.missing {
		return
	}
	if m.sub == nil { // the session and its subscription are there before the first message
		programtest.Run(m.t, nil, "mosquitto_sub", "-p", port, "-c", "-i", "mosquitto", "-q", "1", "-t", "m/#", "-E")
	}
	m.stop = make(chan struct{})
	m.sub = programtest.Start(m.t, nil, "mosquitto_sub", "-p", port, "-c", "-i", "mosquitto", "-q", "1", "-t", "m/#")
	m.over.Go(func() {
		for {
			select {
			case <-m.stop:
				return
			default:
			}
			qos := fmt.Sprint(1 + m.n%2)
			payload := fmt.Sprint("m/", qos, " ", m.n)
			m.n++
			if exec.Command("mosquitto_pub", "-p", port, "-q", qos, "-t", "m/"+qos, "-m", payload).Run() == nil {
				m.acked = append(m.acked, payload)
			}
		}
	})
}

// end ends them when the broker is gone. mosquitto_sub has printed what it
// acknowledged.
func (m *mosquitto) end() {
	if m.missing {
		return
	}
	close(m.stop)
	m.over.Wait()
	m.sub.Signal(syscall.SIGTERM)
	m.sub.Wait(limit)
	m.note()
}

func (m *mosquitto) note() {
	for line := range strings.Lines(string(m.sub.Stdout.Bytes())) {
		m.got[strings.TrimSpace(line)] = true
	}
}

// check demands of the receivers, and of mosquitto_sub, what mosquitto_pub was
// told had arrived.
func (m *mosquitto) check(receivers []*receiver, port string) {
	if m.missing {
		return
	}
	for _, r := range receivers {
		r.await("everything of mosquitto_pub there", func() bool {
			for _, payload := range m.acked {
				if r.seen[payload] == 0 {
					return false
				}
			}
			return true
		})
		r.call(func() {
			for _, payload := range m.acked {
				if strings.HasPrefix(payload, "m/2") && r.seen[payload] != 1 {
					m.t.Errorf("%s: %q came %d times", r.name, payload, r.seen[payload])
				}
			}
		})
	}
	programtest.Run(m.t, nil, "mosquitto_pub", "-p", port, "-q", "1", "-t", "m/1", "-m", "end")
	m.sub = programtest.Start(m.t, nil, "mosquitto_sub", "-p", port, "-c", "-i", "mosquitto", "-q", "1", "-t", "m/#")
	m.sub.Stdout.Await(m.t, "end")
	m.sub.Signal(syscall.SIGTERM)
	m.sub.Wait(limit)
	m.note()
	for _, payload := range m.acked {
		if !m.got[payload] {
			m.t.Errorf("mosquitto_sub did not get %q", payload)
		}
	}
}
