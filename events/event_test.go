package events_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

func TestWriteTo(t *testing.T) {
	ev := events.Event{Kind: events.Write, Data: [][]byte{[]byte("one"), nil, []byte("two")}, Size: 6}
	var b bytes.Buffer
	if n, err := ev.WriteTo(&b); n != 6 || err != nil || b.String() != "onetwo" {
		t.Errorf("wrote %q: %d, %v", b.String(), n, err)
	}
	broken := errors.New("broken")
	if n, err := ev.WriteTo(failing{broken}); n != 2 || err != broken {
		t.Errorf("after a failing write: %d, %v", n, err)
	}
}

// failing writes two bytes and fails.
type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 2, f.err }

// TestKey: no two records of a session share a key.
func TestKey(t *testing.T) {
	seen := map[uint64]events.Event{}
	for _, ev := range []events.Event{
		{Record: events.RecordSession},
		{Record: events.RecordReceived, PacketID: 1},
		{Record: events.RecordReceived, PacketID: 2},
		{Record: events.RecordMessage, Token: 1, PacketID: 2},
		{Record: events.RecordMessage, Token: 2, PacketID: 1},
	} {
		if other, ok := seen[ev.Key()]; ok {
			t.Errorf("%v and %v have the key %d", other, ev, ev.Key())
		}
		seen[ev.Key()] = ev
	}
	// PUBREL takes the place of its PUBLISH.
	publish := events.Event{Record: events.RecordMessage, Token: 7, PacketID: 3}
	release := events.Event{Record: events.RecordRelease, Token: 7, PacketID: 3}
	if publish.Key() != release.Key() {
		t.Error("message and its release have different keys")
	}
}

func TestString(t *testing.T) {
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, test := range []struct {
		ev   events.Event
		want string
	}{
		{events.Event{}, "None"},
		{events.Event{Kind: events.Write, Size: 3, Data: [][]byte{{1, 2, 3}}}, "Write size=3"},
		{events.Event{Kind: events.Timer, Deadline: at}, "Timer deadline=2030-01-02 03:04:05 +0000 UTC"},
		{events.Event{Kind: events.Timer}, "Timer deadline=none"},
		{events.Event{Kind: events.Close, Reason: 0x8D, Err: errors.New("late")}, "Close reason=0x8D error=late"},
		{events.Event{Kind: events.SessionLost, Count: 3, Queued: 4}, "SessionLost lost=3 queued=4"},
		{events.Event{Kind: events.Connected, Flags: events.SessionPresent}, "Connected session=true"},
		{events.Event{Kind: events.Store, Record: events.RecordReceived, PacketID: 9}, "Store record=received id=9"},
		{events.Event{Kind: 200}, "Kind(200)"},
	} {
		if got := test.ev.String(); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	for k := events.None; k <= events.Discard; k++ {
		if s := k.String(); s == "" || strings.Contains(s, "(") {
			t.Errorf("kind %d has the name %q", k, s)
		}
	}
}

// TestNoSecretsInLogs: neither payloads nor credentials are printed.
func TestNoSecretsInLogs(t *testing.T) {
	connect := &codec.Connect{ClientID: codec.Bytes("c"), Username: codec.Text("secret-name"), Password: codec.Text("secret-password")}
	for _, ev := range []events.Event{
		{Kind: events.Connect, Packet: connect},
		{Kind: events.Message, Publish: &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("secret-payload")}},
	} {
		var b bytes.Buffer
		slog.New(slog.NewTextHandler(&b, nil)).Info("event", "ev", ev)
		for _, s := range []string{ev.String(), b.String()} {
			if strings.Contains(s, "secret") {
				t.Errorf("printed %q", s)
			}
		}
	}
}
