package hostiletest

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// attackListeners is attack with listeners of all kinds beside the first one,
// whose ports it returns.
func attackListeners(t *testing.T, growth int64, args ...string) (b *target, ports map[string]string) {
	t.Helper()
	certs := programtest.Certificates(t)
	for _, kind := range []string{"tls", "ws", "wss"} {
		args = append(args, "--listen", kind+"://127.0.0.1:0")
	}
	args = append(args, "--cert", filepath.Join(certs, "server.pem"), "--key", filepath.Join(certs, "server.key"))
	b = attack(t, growth, args...)
	found := regexp.MustCompile(`listens on 127\.0\.0\.1:(\d+)`).FindAllSubmatch(b.process.Stdout.Bytes(), -1)
	if len(found) != 4 {
		t.Fatalf("the broker says %q", b.process.Stdout.Bytes())
	}
	return b, map[string]string{"tls": string(found[1][1]), "ws": string(found[2][1]), "wss": string(found[3][1])}
}

// at is the same broker at another port.
func (b *target) at(port string) *target { return &target{t: b.t, port: port} }

// hello returns the beginning of a TLS handshake.
func hello(t *testing.T) []byte {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		_ = tls.Client(a, &tls.Config{ServerName: "localhost", NextProtos: []string{"mqtt"}}).Handshake() // nobody answers
	}()
	buf := make([]byte, 4096)
	n, err := io.ReadAtLeast(b, buf, 100)
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
	return buf[:n]
}

const upgrade = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"

// Handshakes that are not finished take little and end by themselves.
func TestHandshakes(t *testing.T) {
	b, ports := attackListeners(t, 24*mebi, "--connect-timeout", "2s")
	secure := hello(t)
	starts := map[string][]byte{"tls": secure, "wss": secure, "ws": []byte(upgrade[:len(upgrade)-1])}
	var all []net.Conn
	for i := range 150 {
		for kind, start := range starts {
			c := b.at(ports[kind]).dial(foe)
			_, _ = c.Write(start[:(i*7)%(len(start)+1)]) // the broker may have closed it
			all = append(all, c)
		}
	}
	for _, c := range all {
		closed(t, c)
	}
}

// Handshakes that are no end of headers, and TLS that is none.
func TestEndlessHandshakes(t *testing.T) {
	b, ports := attackListeners(t, 24*mebi, "--connect-timeout", "2s")
	header := []byte(strings.Repeat("Header: value\r\n", 100))
	for kind, start := range map[string]string{
		"ws":  upgrade[:len(upgrade)-2],
		"tls": "\x16\x03\x01\x40\x00\x01\xff\xff\xff", // a ClientHello of 16 MiB
	} {
		for range 20 {
			c := b.at(ports[kind]).dial(foe)
			_, err := io.WriteString(c, start)
			for sent := 0; err == nil; sent++ {
				if sent > 10_000 {
					t.Fatalf("%s takes headers for ever", kind)
				}
				_, err = c.Write(header)
			}
		}
	}
}

// webSocket opens a WebSocket.
func (b *target) webSocket(from string) (net.Conn, *bufio.Reader) {
	b.t.Helper()
	c := b.dial(from)
	if _, err := io.WriteString(c, upgrade); err != nil {
		b.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if answer, err := http.ReadResponse(r, nil); err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		b.t.Fatal(answer, err)
	}
	return c, r
}

// Frames that claim much, or come in very many parts, cost what has come.
func TestHugeFrames(t *testing.T) {
	b, ports := attackListeners(t, 32*mebi, "--connect-timeout", "2s")
	ws := b.at(ports["ws"])
	head := func(first byte, size uint64) string {
		return string(binary.BigEndian.AppendUint64([]byte{first, 0xFF}, size)) + "\x00\x00\x00\x00"
	}
	for start, told := range map[string]uint16{
		head(0x82, 200<<20) + "\x10": 0,    // goes on, until the time for CONNECT is over
		head(0x82, 1<<40):            1009, // too big
		head(0x82, 1<<63):            1002, // negative
		head(0x89, 1<<20):            1002, // a ping
		head(0x81, 5):                1003, // text
		head(0xC2, 5):                1002, // compressed
		"\x02\x80\x00\x00\x00\x00":   0,    // a message that has no end
	} {
		for range 30 {
			c, r := ws.webSocket(foe)
			if _, err := io.WriteString(c, start); err != nil {
				t.Fatal(err)
			}
			if told == 0 {
				continue
			}
			answer := make([]byte, 4)
			if _, err := io.ReadFull(r, answer); err != nil || answer[0] != 0x88 || binary.BigEndian.Uint16(answer[2:]) != told {
				t.Errorf("% x: answer % x, error %v", start, answer, err)
			}
			closed(t, c)
		}
	}
}

// Empty frames and pings without end are no way to stay without CONNECT.
func TestEmptyFrames(t *testing.T) {
	b, ports := attackListeners(t, 32*mebi, "--connect-timeout", "1s")
	for _, frame := range []string{"\x00\x80\x00\x00\x00\x00", "\x89\x80\x00\x00\x00\x00"} {
		many := strings.Repeat(frame, 1000)
		c, _ := b.at(ports["ws"]).webSocket(foe)
		_, err := io.WriteString(c, "\x02\x80\x00\x00\x00\x00")
		for start := time.Now(); err == nil; {
			if time.Since(start) > limit/2 {
				t.Fatal("it goes on for ever")
			}
			_, err = io.WriteString(c, many)
		}
	}
}
