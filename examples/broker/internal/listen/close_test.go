package listen

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// fill writes to a socket until it takes no byte more.
func fill(t *testing.T, c net.Conn) {
	t.Helper()
	for size := 1 << 20; size > 0; size /= 2 {
		var err error
		for end := time.Now().Add(limit); err == nil; {
			if time.Now().After(end) {
				t.Fatal("a client that does not read takes more and more")
			}
			if err = c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond)); err == nil {
				_, err = c.Write(make([]byte, size))
			}
		}
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// Neither CloseWrite nor Close waits for a client that takes no bytes.
func TestCloseDoesNotWait(t *testing.T) {
	folder := programtest.Certificates(t)
	for name, cfg := range map[string]*config.Listener{
		"TCP":              {},
		"TLS":              {TLS: serverFiles(folder, "server")},
		"WebSocket":        {WebSocket: true},
		"secure WebSocket": {WebSocket: true, TLS: serverFiles(folder, "server")},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, cfg, nil)
			// The last words of TLS would be waited for for 5 s.
			programtest.Patiently(t, time.Second/2, func(most time.Duration) error {
				client := s.dial(t)
				if cfg.TLS != nil {
					o := clientTLS(t, folder, "")
					o.ServerName, o.NextProtos = "localhost", nil
					client = tls.Client(client, o)
				}
				if cfg.WebSocket {
					if _, err := io.WriteString(client, request+"Sec-WebSocket-Protocol: mqtt\r\n\r\n"); err != nil {
						t.Fatal(err)
					}
				} else if secure, ok := client.(*tls.Conn); ok {
					if err := secure.Handshake(); err != nil {
						t.Fatal(err)
					}
				}
				c := s.accept(t)
				fill(t, c.socket)
				start := time.Now()
				_ = c.CloseWrite() // it may fail
				_ = c.Close()
				if d := time.Since(start); d > most {
					return fmt.Errorf("it waits %v", d)
				}
				return nil
			})
		})
	}
}
