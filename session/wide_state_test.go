package session_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// TestWideStateOnNarrowLink: what is under way under identifiers that the link has no
// room for is given up, and told; all else goes on.
func TestWideStateOnNarrowLink(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for _, server := range []bool{false, true} {
			for _, window := range []uint16{1, 10} {
				wideStateOn(t, v, server, window)
			}
		}
	}
}

func wideStateOn(t *testing.T, v codec.Version, server bool, window uint16) {
	cfg := session.Config{MaximumInflight: window, Persist: true}
	var c conn
	if server {
		s := session.NewServer(session.ServerConfig{Config: cfg})
		s.Open(start)
		s.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c")}, v))
		drain(s)
		if err := s.Accept(start, nil, wideState(t)); err != nil {
			t.Fatal(err)
		}
		c = s
	} else {
		cl := session.NewClient(session.ClientConfig{Version: v, State: wideState(t), Config: cfg})
		if err := cl.Connect(start, &codec.Connect{ClientID: codec.Bytes("c")}); err != nil {
			t.Fatal(err)
		}
		drain(cl)
		cl.Receive(start, encode(t, &codec.Connack{SessionPresent: true}, v))
		c = cl
	}
	var dropped, discarded []uint64
	var sent []string
	for ev, ok := c.Next(); ok; ev, ok = c.Next() {
		switch ev.Kind {
		case events.Dropped:
			dropped = append(dropped, ev.Token)
		case events.Discard:
			discarded = append(discarded, ev.Token)
		case events.Write:
			for b := bytes.Join(ev.Data, nil); len(b) > 0; {
				p, n, err := codec.Decode(b, v)
				if err != nil || n == 0 {
					t.Fatalf("% X: %v", b, err)
				}
				b = b[n:]
				switch p := p.(type) {
				case *codec.Publish:
					sent = append(sent, fmt.Sprint("PUBLISH ", p.PacketID))
				case *codec.Pubrel:
					sent = append(sent, fmt.Sprint("PUBREL ", p.PacketID))
				}
			}
		}
	}
	name := fmt.Sprintf("%v, server %v, window %d", v, server, window)
	if got := fmt.Sprint(dropped); got != "[9 10 5 7]" {
		t.Errorf("%s: dropped %s", name, got)
	}
	if len(discarded) != 5 { // and the one that was given up before
		t.Errorf("%s: discarded %v", name, discarded)
	}
	if got := strings.Join(sent, ", "); got != "PUBREL 2, PUBLISH 3" {
		t.Errorf("%s: sent %s", name, got)
	}
	if c.Inflight() != 2 {
		t.Errorf("%s: %d in flight", name, c.Inflight())
	}
}

// wideState has two exchanges that fit a narrow link, 12 and 14, and five that do not.
func wideState(t *testing.T) *session.State {
	st := session.NewState()
	release := func(token uint64, id uint32, flags events.Flags) events.Event {
		return events.Event{Kind: events.Store, Record: events.RecordRelease, Token: token, PacketID: id, Count: int(token) + 20, Flags: flags}
	}
	message := func(token uint64, id uint32, qos codec.QoS) events.Event {
		return events.Event{Kind: events.Store, Record: events.RecordMessage, Token: token, PacketID: id, QoS: qos,
			Publish: &codec.Publish{Topic: codec.Bytes("t"), QoS: qos, PacketID: id}}
	}
	for _, ev := range []events.Event{
		{Kind: events.Store, Record: events.RecordSession, Size: 3600, Count: 90, PacketID: 1, ClientID: "c"},
		release(5, 65536, 0),
		release(7, 65536+9, events.Unreleased),
		release(8, 65536+10, events.GivenUp),
		message(9, 65536+12, 2),
		message(10, 65536+13, 1),
		release(12, 2, 0),
		message(14, 3, 1),
	} {
		if err := st.RestoreRecord(session.AppendRecord(nil, ev)); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// TestWideStateIsRestored: what a session has under way under identifiers of which it
// has skipped many can be restored.
func TestWideStateIsRestored(t *testing.T) {
	c := connectWith(t, codec.V5Wide, session.ServerConfig{Wide: true}, codec.ConnectProperties{})
	const held = 34_000
	for id := uint32(0); id <= 1<<17; {
		if _, err := c.PublishShared(start, &codec.Publish{Topic: codec.Bytes("t")}, session.Delivery{QoS: codec.QoS1, Several: true}); err != nil {
			t.Fatal(err)
		}
		p, _, err := codec.Decode(bytes.Join(writes(c), nil), codec.V5Wide)
		if err != nil {
			t.Fatal(err)
		}
		if id = p.(*codec.Publish).PacketID; id > held && id < 1<<17 {
			c.Receive(start, encode(t, &codec.Puback{PacketID: id}, codec.V5Wide))
			drain(c)
		}
	}
	data, err := c.State().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := new(session.State).UnmarshalBinary(data); err != nil {
		t.Errorf("with %d in flight: %v", c.Inflight(), err)
	}
}
