package server

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// What the log says of a client that is not let in: the cause once, and a hint only
// where one fits.
func TestRefusalsInTheLog(t *testing.T) {
	r, _, _ := guarded(t, nil, "user ann\ntopic readwrite a/#\n", nil)
	for name, tt := range map[string]struct{ bytes, want, hint string }{
		"password":   {"\x10\x16\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01x\x00\x03ann\x00\x02no", "reason=\"Bad User Name or Password\"\n", ""},
		"MQTT 3.1":   {"\x10\x0f\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01x", "the Protocol Name is not MQTT", "speak 3.1.1"},
		"bridge":     {"\x10\x0d\x00\x04MQTT\x84\x02\x00\x3c\x00\x01x", "the protocol level", "bridge_protocol_version mqttv50"},
		"no name":    {"\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00", "ClientID", ""},
		"wildcard":   {"\x10\x13\x00\x04MQTT\x04\x06\x00\x3c\x00\x01x\x00\x01#\x00\x01w", "Will.Topic", ""},
		"TLS":        {"\x16\x03\x01\x00\x04\x01\x00\x00\x00", "CONNECT", "looks like TLS"},
		"HTTP":       {"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + strings.Repeat(" ", 90), "before CONNECT", "looks like HTTP"},
		"other":      {"\x30\x05\x00\x01ahi", "before CONNECT", ""},
		"unfinished": {"\x10", "error=\"the client closed the connection before it was let in\"\n", ""},
		"nothing":    {"", "level=DEBUG", ""},
	} {
		before := len(r.log.String())
		c := r.dial()
		if _, err := c.Write([]byte(tt.bytes)); err != nil {
			t.Fatal(err)
		}
		if len(tt.bytes) > 1 {
			_, _ = io.ReadAll(c) // it may be reset
		}
		c.Close()
		line := ""
		for end := time.Now().Add(limit); !strings.Contains(line, "connection closed") || !strings.HasSuffix(line, "\n"); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: nothing in the log", name)
			}
			line = r.log.String()[before:]
		}
		hint := strings.Contains(line, "hint=")
		if !strings.Contains(line, tt.want) || hint != (tt.hint != "") || !strings.Contains(line, tt.hint) || strings.Contains(line, "mqtt: ") {
			t.Errorf("%s: %s", name, line)
		}
	}
}

// Who may connect cannot fill the log either.
func TestFloodByAClient(t *testing.T) {
	r := start(t, nil, nil)
	began := time.Now()
	for range 100 {
		c := r.enter("c")
		if _, err := c.Write([]byte("\x30\x00")); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(c) // DISCONNECT
	}
	seconds := int(time.Since(began)/time.Second) + 2 // that were begun
	if n := strings.Count(r.log.String(), "connection closed"); n == 0 || n > mostGrumbles*seconds {
		t.Errorf("%d lines in %d s", n, seconds)
	}
}

// With -v the log tells what rules forbid, which clients of v3.1.1 are not told.
func TestDeniedInTheLog(t *testing.T) {
	r, _, _ := guarded(t, nil, "user ann\ntopic readwrite a/#\n", nil)
	ann := r.mustLogin("ann")
	for range 2 * mostGrumbles {
		if code := ann.publish("b", false); code != codec.ReasonNotAuthorized {
			t.Fatal(code)
		}
	}
	if n := strings.Count(r.log.String(), "client=\"client of ann\" user=ann topic=b"); n == 0 || n == 2*mostGrumbles {
		t.Errorf("%d lines", n)
	}
}
