package session_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// away returns the state of a session whose message of QoS 2 waits for its answer
// while there is no connection, and its token. kept has the records.
func away(t *testing.T, kept records) (st *session.State, token uint64) {
	t.Helper()
	s := session.NewServer(awayConfig)
	resume(t, s, kept, nil)
	s.Receive(start, encode(t, &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2, PacketID: 7}, codec.V5))
	for ev, ok := s.Next(); ok; ev, ok = s.Next() {
		token = max(token, ev.Token)
	}
	s.Closed(start, nil)
	toldAnd(s, kept.note)
	return s.State(), token
}

var awayConfig = session.ServerConfig{Config: session.Config{Persist: true, ManualAck: true}}

func resume(t *testing.T, s *session.Server, kept records, st *session.State) {
	t.Helper()
	p := &codec.Connect{ClientID: codec.Bytes("c")}
	p.Properties.SessionExpiryInterval = codec.Some(uint32(100))
	s.Receive(start, encode(t, p, codec.V5))
	toldAnd(s, kept.note)
	if err := s.Accept(start, nil, st); err != nil {
		t.Fatal(err)
	}
	toldAnd(s, kept.note)
}

// toldAndWritten returns what a server tells and writes.
func toldAndWritten(s *session.Server) (told []string, out []byte) {
	told = toldAnd(s, func(ev events.Event) {
		if ev.Kind == events.Write {
			out = append(out, bytes.Join(ev.Data, nil)...)
		}
	})
	return told, out
}

// A message that was taken while its peer was away is known as received, in the
// state as it is stored and afterwards. [MQTT-4.3.3-10] v5
func TestAckAway(t *testing.T) {
	st, token := away(t, records{})
	if _, err := st.Ack(token+1, session.Reply{}); !errors.Is(err, session.ErrUnknownToken) {
		t.Errorf("another token: %v", err)
	}
	if _, err := st.Ack(token, session.Reply{Code: codec.ReasonGrantedQoS1}); err == nil {
		t.Error("a code that PUBREC has not")
	}
	if id, err := st.Ack(token, session.Reply{Code: codec.ReasonNoMatchingSubscribers}); id != 7 || err != nil {
		t.Errorf("Packet Identifier %d, %v", id, err)
	}
	data, err := st.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var stored session.State
	if err := stored.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if n := stored.Received(); n != 1 {
		t.Errorf("%d are known after a restart", n)
	}
	s := session.NewServer(awayConfig)
	resume(t, s, records{}, st)
	if _, err := st.Ack(token, session.Reply{}); err == nil {
		t.Error("Ack of a State that a connection has")
	}
	s.Receive(start, encode(t, &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2, PacketID: 7, Dup: true}, codec.V5))
	told, out := toldAndWritten(s)
	if want := encode(t, &codec.Pubrec{PacketID: 7, ReasonCode: codec.ReasonNoMatchingSubscribers}, codec.V5); len(told) > 0 || !bytes.Equal(out, want) {
		t.Errorf("%q and % X after the repetition", told, out)
	}
}

// If the peer does not repeat such a message, it is not stored for ever.
func TestAckAwayGivenUp(t *testing.T) {
	for _, code := range []codec.ReasonCode{codec.ReasonSuccess, codec.ReasonNotAuthorized} {
		kept := records{}
		st, token := away(t, kept)
		if id, err := st.Ack(token, session.Reply{Code: code}); err != nil || (id == 7) != (code == codec.ReasonSuccess) {
			t.Errorf("%v: Packet Identifier %d, %v", code, id, err)
		}
		s := session.NewServer(awayConfig)
		resume(t, s, kept, st)
		s.Receive(start, encode(t, &codec.Pubrel{PacketID: 7}, codec.V5))
		var want []string
		if code == codec.ReasonSuccess {
			want = []string{"Discard received 0"}
		}
		if told, out := toldAndWritten(s); !slices.Equal(told, want) || !bytes.Equal(out, encode(t, &codec.Pubcomp{PacketID: 7}, codec.V5)) {
			t.Errorf("%v: %q and % X", code, told, out)
		}
	}
}
