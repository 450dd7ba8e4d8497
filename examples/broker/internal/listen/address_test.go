package listen

import (
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// A name stands for all of its addresses, on the same port.
func TestNames(t *testing.T) {
	six, err := net.Listen("tcp", "[::1]:0")
	both := err == nil
	if both {
		six.Close()
	}
	for network, want := range map[string][]string{"tcp": {"127.0.0.1", "::1"}, "tcp4": {"127.0.0.1"}, "tcp6": {"::1"}} {
		if !both {
			want = slices.DeleteFunc(want, func(host string) bool { return host == "::1" })
		}
		if len(want) == 0 {
			continue
		}
		s := serve(t, &config.Listener{Network: network, Address: "localhost:0"}, nil)
		var places []string
		_, port, _ := net.SplitHostPort(s.Addr().String())
		for _, host := range want {
			places = append(places, net.JoinHostPort(host, port))
			c, err := net.Dial("tcp", net.JoinHostPort(host, port))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := s.accept(t).LocalAddr().String(); got != net.JoinHostPort(host, port) {
				t.Errorf("it came by %s", got)
			}
		}
		if got := s.String(); got != strings.Join(places, " and ") {
			t.Errorf("%s: it says %s, want %s", network, got, places)
		}
	}
}

// Addresses of other machines are left out, if there is one of this machine. An
// address that is taken is an error.
func TestSeveralAddresses(t *testing.T) {
	log := new(logBuffer)
	open := func(port string, hosts ...string) ([]net.Listener, error) {
		return openAll(t.Context(), "tcp", hosts, port, slog.New(slog.NewTextHandler(log, nil)))
	}
	all, err := open("0", "192.0.2.1", "127.0.0.2", "127.0.0.3")
	if err != nil || len(all) != 2 {
		t.Fatalf("%v, error %v", all, err)
	}
	defer closeAll(all)
	if !strings.Contains(log.String(), "192.0.2.1") {
		t.Errorf("the log says %s", log)
	}
	_, port, _ := net.SplitHostPort(all[0].Addr().String())
	if _, err := open(port, "127.0.0.4", "127.0.0.3"); err == nil || !strings.Contains(explainListen("x", err).Error(), "in use") {
		t.Errorf("error %v", err)
	}
	again, err := open(port, "127.0.0.4") // from which no other test connects
	if err != nil {
		t.Fatalf("it was not given up: %v", err)
	}
	defer closeAll(again)
	if _, err := open("0", "192.0.2.1"); err == nil || !strings.Contains(explainListen("x", err).Error(), "no address of this machine") {
		t.Errorf("error %v", err)
	}
}
