package client_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

// The kinds of a session keep their numbers, so that new ones come through.
func TestKinds(t *testing.T) {
	for k, want := range map[client.Kind]string{
		client.Write: "Write", client.Discard: "Discard", client.Open: "Open",
		client.Stray: "Stray", 200: "Kind(200)", 0: "None",
	} {
		if got := k.String(); got != want {
			t.Errorf("%d is %s, want %s", k, got, want)
		}
	}
	for k := events.Kind(0); k < 255; k++ {
		if !strings.HasPrefix(k.String(), "Kind(") && client.Kind(k) >= client.Open {
			t.Errorf("%v of a session is one of the client", k)
		}
	}
	if got := client.Status(99).String(); got != "unknown" {
		t.Error(got)
	}
}

// Neither payloads nor credentials are in what is logged.
func TestLogValue(t *testing.T) {
	ev := client.Event{Kind: client.Waiting, Attempt: 2, Server: "b"}
	ev.Reason = codec.ReasonServerBusy
	ev.Publish = &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("secret")}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "event", ev)
	for _, want := range []string{"event.kind=Waiting", "event.attempt=2", "event.server=b", "event.reason=0x89"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in %s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "secret") || strings.Contains(ev.String(), "secret") {
		t.Error("payload is shown")
	}
}

// TestManual passes the manual modes on to the session.
func TestManual(t *testing.T) {
	r := newRig(t)
	r.config.Session.ManualAck, r.config.Session.ManualRelease, r.config.Session.ManualComplete = true, true, true
	var got []string
	run := func(lines ...string) {
		for _, line := range lines {
			r.command(line)
			r.drain()
		}
		got = append(got, r.out.String())
		r.out.Reset()
	}
	run(`client {"ClientID":"c","Properties":{"AuthenticationMethod":"m"}}`)
	if err := r.c.Ping(r.now); err == nil {
		t.Error("PINGREQ without a connection")
	}
	if err := r.c.Auth(r.now, &codec.Auth{ReasonCode: codec.ReasonReAuthenticate}); err == nil {
		t.Error("AUTH without a connection")
	}
	if err := r.c.Reply(session.Reply{}); err == nil {
		t.Error("a reply without a message")
	}
	if err := r.c.Release(r.now, 1, session.Reply{}); err == nil {
		t.Error("PUBREL for nothing")
	}
	var tokens []uint64
	h := func(now time.Time, m client.Incoming) { tokens = append(tokens, m.Token) }
	sub := codec.Subscription{Filter: codec.Bytes("a"), QoS: codec.QoS2}
	if err := r.c.Subscribe(r.now, h, sub); err != nil {
		t.Fatal(err)
	}
	r.connack.Properties.AuthenticationMethod = codec.Text("m")
	run("up", "send a:2:x")
	if len(tokens) != 1 || r.c.InputPaused() {
		t.Fatal(tokens)
	}
	if err := r.c.Ack(r.now, tokens[0], session.Reply{}); err != nil {
		t.Fatal(err)
	}
	r.onClientEvent = func(ev client.Event) {
		switch ev.Kind {
		case client.Released:
			if err := r.c.Complete(r.now, ev.Token, session.Reply{}); err != nil {
				t.Error(err)
			}
		case client.Received:
			if err := r.c.Release(r.now, ev.PacketID, session.Reply{}); err != nil {
				t.Error(err)
			}
		case client.Write:
			r.c.ReplaceWriteBuffer(nil)
		}
	}
	run("publish a:2:y", "status")
	if err := r.c.Ping(r.now); err != nil {
		t.Error(err)
	}
	run("status")
	want := `token 2
> PUBREC PacketID=1
> PUBLISH QoS=2 Topic=a PacketID=2 Payload="1 bytes" "y"
< PUBREL PacketID=1
< PUBREC PacketID=2
Released token=4294967297 id=1 packet=PUBREL PacketID=1
Received token=2 id=2 packet=PUBREC PacketID=2
> PUBCOMP PacketID=1
> PUBREL PacketID=2
< PUBCOMP PacketID=2
Published token=2 id=2 packet=PUBCOMP PacketID=2
connected inflight=0 queued=0
`
	if len(got) < 3 || got[2] != want {
		t.Errorf("got %s", got)
	}
}
