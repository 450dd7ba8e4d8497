package session

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// TestRefusedOnHeader sends the beginning of packets whose type may not come:
// the connection ends without their bodies.
func TestRefusedOnHeader(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	server := NewServer(ServerConfig{})
	server.Open(now)
	client := NewClient(ClientConfig{})
	if err := client.Connect(now, &codec.Connect{CleanStart: true}); err != nil {
		t.Fatal(err)
	}
	for _, side := range []struct {
		name string
		conn interface {
			Receive(time.Time, []byte)
			Next() (events.Event, bool)
		}
		bytes string
	}{
		{"server", server, "GET / HTTP/1.1"}, // [MQTT-3.1.0-1] v5
		{"client", client, "\x82\x7f"},       // SUBSCRIBE [U5-2.1.2-b] v5
	} {
		closed := 0
		side.conn.Receive(now, []byte(side.bytes[:2]))
		for ev, ok := side.conn.Next(); ok; ev, ok = side.conn.Next() {
			if ev.Kind == events.Close {
				closed++
				if !errors.Is(ev.Err, codec.ErrProtocol) {
					t.Errorf("%s: Close with %v", side.name, ev.Err)
				}
			}
		}
		if closed != 1 {
			t.Errorf("%s: %d Close events after two bytes", side.name, closed)
		}
	}
}

// TestRoomier grows a buffer as the bytes of a large packet come in.
func TestRoomier(t *testing.T) {
	const need = 1 << 20
	piece := bytes.Repeat([]byte{1}, 1000)
	var b []byte
	copied := 0
	for len(b) < need {
		more := min(len(piece), need-len(b))
		if len(b)+more > cap(b) {
			copied += len(b)
		}
		b = append(roomier(b, more, need), piece[:more]...)
	}
	if cap(b) > need || copied > 2*need {
		t.Errorf("capacity %d for %d bytes, %d bytes copied", cap(b), need, copied)
	}
}
