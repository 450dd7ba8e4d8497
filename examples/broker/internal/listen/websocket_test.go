package listen

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gobwas/ws"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/netio"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
	"github.com/mqttcore/mqttcore/examples/internal/transport"
)

// [MQTT-6.0.0-3] v5, [MQTT-6.0.0-4] v5: our clients get through, with TLS and
// without, and the end of either is an end for the other.
func TestWebSocket(t *testing.T) {
	folder := programtest.Certificates(t)
	for name, cfg := range map[string]*config.Listener{
		"plain":  {WebSocket: true},
		"secure": {WebSocket: true, TLS: serverFiles(folder, "server")},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, cfg, nil)
			host, port, _ := net.SplitHostPort(s.Addr().String())
			o := transport.Options{Host: host, Port: port, WebSocket: true, Path: "/any/path"}
			if cfg.TLS != nil {
				o.TLS = clientTLS(t, folder, "")
				o.TLS.NextProtos = nil
			}
			client, err := o.Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			c := s.accept(t)
			pass(t, client, c)
			if err := netio.WriteBuffers(c, net.Buffers{[]byte("a"), []byte("b"), make([]byte, 70000), []byte("c")}, limit); err != nil {
				t.Fatal(err)
			}
			if got := make([]byte, 70003); true {
				if _, err := io.ReadFull(client, got); err != nil || string(got[:2]) != "ab" || got[70002] != 'c' {
					t.Errorf("error %v", err)
				}
			}
			netio.CloseWrite(c)
			if n, err := client.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("the client reads %d bytes, error %v", n, err)
			}
			client.Close()
			if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Errorf("the server reads %d bytes, error %v", n, err)
			}
		})
	}
}

// Pings are answered while much is written.
func TestPingsWhileWriting(t *testing.T) {
	s := serve(t, &config.Listener{WebSocket: true}, nil)
	client, _, err := websocket.Dial(t.Context(), "ws://"+s.Addr().String(), &websocket.DialOptions{Subprotocols: []string{"mqtt"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.CloseNow() }()
	client.SetReadLimit(-1)
	c := s.accept(t)
	const total = 10 << 20
	go func() { _, _ = io.Copy(io.Discard, c) }()
	go func() {
		for range total / 1000 {
			if _, err := c.Write(make([]byte, 1000)); err != nil {
				return
			}
		}
	}()
	done := make(chan int, 1)
	go func() {
		n, err := 0, error(nil)
		for n < total/1000*1000 && err == nil {
			var b []byte
			_, b, err = client.Read(context.Background())
			n += len(b)
		}
		done <- n
		_, _, _ = client.Read(context.Background()) // for the last pong
	}()
	for range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := client.Ping(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := <-done; n != total/1000*1000 {
		t.Errorf("got %d bytes", n)
	}
}

const request = "GET /mqtt HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

func TestHandshakes(t *testing.T) {
	s := serve(t, &config.Listener{WebSocket: true}, nil)
	for name, tt := range map[string]struct {
		request string
		status  int
		body    string
	}{
		"plain GET":           {"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 426, "This is an MQTT broker. Connect with an MQTT client"},
		"HEAD":                {"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", 426, ""},
		"POST":                {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 405, "WebSocket connections only"},
		"no sub-protocol":     {request + "\r\n", 400, "Offer the WebSocket sub-protocol mqtt."},
		"another":             {request + "Sec-WebSocket-Protocol: chat, xmqtt\r\n\r\n", 400, "Offer the WebSocket sub-protocol mqtt."},
		"mqttv3.1":            {request + "Sec-WebSocket-Protocol: mqttv3.1\r\n\r\n", 400, "instead of mqttv3.1"},
		"mqtt":                {request + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 101, ""},
		"mqtt among others":   {request + "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n\r\n", 101, ""},
		"mqtt behind a tab":   {request + "Sec-WebSocket-Protocol: mqttv3.1,\tmqtt\r\n\r\n", 101, ""},
		"in two headers":      {request + "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n", 101, ""},
		"with compression":    {request + "Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", 101, ""},
		"another version":     {strings.Replace(request, "13", "8", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 426, "Sec-WebSocket-Version"},
		"no key":              {strings.Replace(request, "Key", "Kye", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 400, "Sec-WebSocket-Key"},
		"HTTP/1.0":            {strings.Replace(request, "1.1", "1.0", 1) + "Sec-WebSocket-Protocol: mqtt\r\n\r\n", 505, "HTTP"},
		"MQTT":                {"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc", 400, "MQTT is spoken over WebSocket here"},
		"no HTTP":             {"\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x03abc\r\n\r\n", 400, "MQTT is spoken over WebSocket here"},
		"one huge header":     {request + "Cookie: " + strings.Repeat("c", 100<<10) + "\r\n\r\n", 431, "more than 8192 bytes"},
		"very many headers":   {request + strings.Repeat("A: b\r\n", 10000) + "\r\n", 431, "more than 8192 bytes"},
		"endless request URI": {"GET /" + strings.Repeat("a", 100<<10), 431, "more than 8192 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			c := s.dial(t)
			wrote := make(chan error, 1)
			go func() {
				_, err := io.WriteString(c, tt.request)
				wrote <- err
			}()
			method, _, _ := strings.Cut(tt.request, " ")
			r, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if r.StatusCode != tt.status {
				t.Errorf("status %d, want %d", r.StatusCode, tt.status)
			}
			if tt.status == 101 {
				s.accept(t)
				if got := r.Header; got.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" || got.Get("Sec-WebSocket-Protocol") != "mqtt" || got.Get("Sec-WebSocket-Extensions") != "" {
					t.Errorf("answer %v", got)
				}
				return
			}
			b, err := io.ReadAll(r.Body)
			if err != nil || !strings.Contains(string(b), tt.body) || (tt.body == "") != (len(b) == 0) {
				t.Errorf("answer %q, error %v", b, err)
			}
			// No reset, which could have overtaken the answer.
			if err := <-wrote; err != nil {
				t.Errorf("the request was cut off: %v", err)
			}
			if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("after the answer: %d bytes, error %v", n, err)
			}
		})
	}
	if len(s.accepted) != 0 {
		t.Error("what was refused came through")
	}
}

// A handshake may come byte by byte, if it comes in time. Frames may come right
// behind it.
func TestSlowHandshake(t *testing.T) {
	s := serve(t, &config.Listener{WebSocket: true}, nil)
	c := s.dial(t)
	in := request + "Sec-WebSocket-Protocol: mqtt\r\n\r\n" + string(frame(ws.OpBinary, true, "early"))
	for i := range in {
		if _, err := io.WriteString(c, in[i:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(s.accept(t), got); err != nil || string(got) != "early" {
		t.Errorf("got %q, error %v", got, err)
	}
}

// The time for the handshake is not that of the connection.
func TestDeadlineEnds(t *testing.T) {
	folder := programtest.Certificates(t)
	for _, webSocket := range []bool{false, true} {
		programtest.Patiently(t, 500*time.Millisecond, func(short time.Duration) error {
			s := serve(t, &config.Listener{WebSocket: webSocket, TLS: serverFiles(folder, "server")}, &config.Limits{ConnectTimeout: short})
			host, port, _ := net.SplitHostPort(s.Addr().String())
			o := transport.Options{Host: host, Port: port, WebSocket: webSocket, Path: "/", TLS: clientTLS(t, folder, "")}
			o.TLS.NextProtos, o.TLS.ServerName = nil, "localhost"
			client, err := o.Dial(t.Context())
			if err != nil {
				return err
			}
			defer client.Close()
			time.AfterFunc(2*short, func() { _, _ = client.Write([]byte{1}) })
			select {
			case c := <-s.accepted:
				defer c.Close()
				_, err = c.Read(make([]byte, 1))
				return err
			case <-time.After(2 * short):
				return errors.New("the handshake took too long")
			}
		})
	}
}

// One byte at a time does not put off the end of the time for a handshake.
func TestTrickle(t *testing.T) {
	s := serve(t, &config.Listener{WebSocket: true}, &config.Limits{ConnectTimeout: 200 * time.Millisecond})
	c := s.dial(t)
	start := time.Now()
	var err error
	for i := 0; err == nil && time.Since(start) < limit; i++ {
		_, err = io.WriteString(c, "A")
		time.Sleep(5 * time.Millisecond)
	}
	if err == nil {
		t.Error("it goes on for ever")
	}
	s.log.await(t, "the client took too long")
}
