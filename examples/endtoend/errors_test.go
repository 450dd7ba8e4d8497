package endtoend

import (
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// closedPort returns a port on which nobody listens.
func closedPort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Everything that goes wrong is told in one line, with its exit code.
func TestErrors(t *testing.T) {
	_, port := Broker(t, "--max-packet-size", "2000")
	closed := closedPort(t)
	big := strings.Repeat("x", 3000)
	for _, tt := range []struct {
		args string
		code int
		say  string
	}{
		{"publish -t t -m x -p " + closed, 2, "nothing listens on localhost:" + closed},
		{"subscribe -t t -p " + closed, 2, "nothing listens on"},
		{"publish -t t -m x -h does.not.exist.invalid", 2, "not known"},
		{"publish -t t -f /does/not/exist -p " + port, 6, "no file"},
		{"publish -t t -f / -p " + port, 6, "cannot be read"},
		{"publish -t t -m x -z", 1, "no flag -z"},
		{"publish -t t -m x --port=x", 1, "-p x"},
		{"subscribe", 1, "topic is missing"},
		{"subscribe -t a#", 1, "no topic filter"},
		{"subscribe -t a -F %z", 1, "no field %z"},
		{"publish -t t -m " + big + " -q 1 -p " + port, 5, "at most 2000 bytes"},
		{"publish -t $SYS/x -m x -q 1 -p " + port, 5, "Not authorized"},
		{"publish -t t -m x -D connect authentication-method x -p " + port, 0x8C, "Bad authentication method"},
		{"subscribe -t t -W 0.2 -p " + port, 27, "have passed"},
		{"broker -p " + port, 2, "in use"},
		{"broker --bind 192.0.2.1 --password-file /dev/null", 2, "no address of this machine"},
		{"broker -x", 1, "no flag -x"},
		{"broker --listne tcp://x", 1, "no flag --listne; is it --listen?"},
		{"publish -t t -m x --host=", 1, "the host is empty"},
	} {
		words := strings.Fields(tt.args)
		p := Start(t, nil, words[0], words[1:]...)
		code := p.Wait(Limit)
		text := string(p.Stderr.Bytes())
		if code != tt.code || !strings.Contains(text, tt.say) || strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, words[0]+": ") {
			t.Errorf("%.80s\nexit code %d, %q\nwant %d, %q", tt.args, code, text, tt.code, tt.say)
		}
	}
}

// A peer that is no broker.
func TestOtherServers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := []string{"", "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request", "\x20\x03\x00\x00\x00\x30\x00"}
	go func() {
		for _, a := range answers {
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 1000)
			_, _ = c.Read(buf)
			_, _ = c.Write([]byte(a))
			c.Close()
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for i, say := range []string{"closed the connection without an answer", "not MQTT", "not MQTT"} {
		p := Start(t, nil, "publish", "-t", "t", "-m", "x", "-q", "1", "-p", port)
		if code := p.Wait(Limit); code != 4 || !strings.Contains(string(p.Stderr.Bytes()), say) {
			t.Errorf("answer %q: exit code %d, %q", answers[i], code, p.Stderr.Bytes())
		}
	}
}

// A signal while there is no answer.
func TestInterrupted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan struct{})
	go func() {
		c, err := l.Accept()
		if err == nil {
			defer c.Close()
		}
		close(accepted)
		time.Sleep(Limit)
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	p := Start(t, nil, "publish", "-t", "t", "-m", "x", "-q", "1", "-p", port)
	<-accepted
	p.Signal(syscall.SIGINT)
	if code := p.Wait(Limit); code != 130 && code != -1 {
		t.Errorf("exit code %d", code)
	}
}

// Help teaches on the standard output.
func TestHelp(t *testing.T) {
	for _, name := range []string{"broker", "publish", "subscribe", "request", "resume"} {
		if got := string(Run(t, nil, name, "--version")); !strings.HasPrefix(got, name+" of mqttcore ") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s --version: %q", name, got)
		}
		var first string
		for _, flag := range []string{"--help", "-help", "-h"} {
			got := string(Run(t, nil, name, flag))
			if first == "" {
				first = got
			}
			if got != first || !strings.Contains(got, "Usage: "+name) || strings.Index(got, "Examples:") > strings.Index(got, "Exit codes:") {
				t.Errorf("%s %s: %.200s", name, flag, got)
			}
		}
	}
}
