package session_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// A message of QoS 2 that was sent and is given up keeps its Packet Identifier
// until the peer has released it: the peer may have the message and would take
// another one with that identifier for it. [MQTT-4.3.3-10] v5
func TestGivenUpIsReleased(t *testing.T) {
	for _, erase := range []bool{false, true} {
		for _, v := range []codec.Version{codec.V311, codec.V5} {
			state := session.NewState()
			resume := func() (*session.Server, []string) {
				s := session.NewServer(session.ServerConfig{Config: session.Config{Persist: true}})
				p := &codec.Connect{ClientID: codec.Bytes("c")}
				if v.IsV5() {
					p.Properties.SessionExpiryInterval = codec.Some(uint32(100))
				}
				s.Receive(start, encode(t, p, v))
				drain(s)
				if err := s.Accept(start, nil, state); err != nil {
					t.Fatal(err)
				}
				if !erase {
					s.Withhold(start, func(*codec.Publish) bool { return true })
				}
				return s, told(s)
			}
			s, _ := resume()
			token, err := s.Publish(start, &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2})
			if err != nil {
				t.Fatal(err)
			}
			drain(s)
			if erase {
				if err := s.Erase(start, token); err != nil {
					t.Fatal(err)
				}
			}
			s.Closed(start, nil)
			drain(s)
			s, got := resume()
			want := []string{"Dropped 1", "Store release 1", "Pubrel 1"}
			if erase {
				want = want[2:] // the rest was told before
			}
			if !slices.Equal(got, want) {
				t.Errorf("erase %v, %v: %q, want %q", erase, v, got, want)
			}
			if n := s.Inflight(); n != 1 {
				t.Errorf("erase %v, %v: %d in flight before PUBCOMP", erase, v, n)
			}
			s.Receive(start, encode(t, &codec.Pubcomp{PacketID: 1}, v))
			if got, want := told(s), []string{"Discard message 1"}; !slices.Equal(got, want) {
				t.Errorf("erase %v, %v: %q, want %q", erase, v, got, want)
			}
			if n := s.Inflight(); n != 0 {
				t.Errorf("erase %v, %v: %d in flight after PUBCOMP", erase, v, n)
			}
		}
	}
}

// With the session it is forgotten, and not told again.
func TestGivenUpIsLostWithSession(t *testing.T) {
	state := session.NewState()
	connect := func(clean bool) *session.Server {
		s := session.NewServer(session.ServerConfig{Config: session.Config{Persist: true}})
		s.Receive(start, encode(t, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: clean}, codec.V311))
		drain(s)
		if err := s.Accept(start, nil, state); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := connect(false)
	if _, err := s.Publish(start, &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2}); err != nil {
		t.Fatal(err)
	}
	drain(s)
	s.Closed(start, nil)
	drain(s)
	s = connect(false)
	s.Withhold(start, func(*codec.Publish) bool { return true })
	drain(s)
	s.Closed(start, nil)
	drain(s)
	if got, want := told(connect(true)), []string{"Discard message 1"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// told returns the events that are about messages, and PUBRELs.
func told(s *session.Server) (list []string) {
	return toldAnd(s, func(events.Event) {})
}

// connection is a client or a server.
type connection interface {
	Next() (events.Event, bool)
	Version() codec.Version
}

// toldAnd returns the events that are about messages, PUBLISHs and PUBRELs, and
// calls f for each event.
func toldAnd(s connection, f func(events.Event)) (list []string) {
	for ev, ok := s.Next(); ok; ev, ok = s.Next() {
		f(ev)
		switch ev.Kind {
		case events.Dropped, events.Published:
			list = append(list, fmt.Sprint(ev.Kind, " ", ev.Token))
		case events.Store, events.Discard:
			if ev.Record != events.RecordSession {
				list = append(list, fmt.Sprint(ev.Kind, " ", ev.Record, " ", ev.Token))
			}
		case events.Write:
			for _, b := range ev.Data {
				for len(b) > 0 {
					p, n, err := codec.Decode(b, s.Version())
					if err != nil || n == 0 {
						return append(list, fmt.Sprint(err))
					}
					switch p := p.(type) {
					case *codec.Publish:
						list = append(list, fmt.Sprint("Publish ", p.PacketID))
					case *codec.Pubrel:
						list = append(list, fmt.Sprint("Pubrel ", p.PacketID))
					}
					b = b[n:]
				}
			}
		}
	}
	return list
}
