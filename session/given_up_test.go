package session_test

import (
	"slices"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// records are what Store and Discard events told.
type records map[uint64][]byte

func (r records) note(ev events.Event) {
	switch ev.Kind {
	case events.Store:
		r[ev.Key()] = session.AppendRecord(nil, ev)
	case events.Discard:
		delete(r, ev.Key())
	}
}

// state returns the session after a crash.
func (r records) state(t *testing.T) *session.State {
	t.Helper()
	st := new(session.State)
	for _, record := range r {
		if err := st.RestoreRecord(record); err != nil {
			t.Fatal(err)
		}
	}
	return st
}

// A message of QoS 2 that was sent and is given up keeps its Packet Identifier
// also when the process crashes, and again, until PUBCOMP. [MQTT-4.3.3-10] v5
func TestGivenUpOutlastsCrash(t *testing.T) {
	connect := &codec.Connect{ClientID: codec.Bytes("c")}
	connect.Properties.SessionExpiryInterval = codec.Some(uint32(100))
	small := connect.Clone()
	small.Properties.MaximumPacketSize = codec.Some(uint32(10))
	all := func(*codec.Publish) bool { return true }
	for name, giveUp := range map[string]func(s *session.Server, resume func(*codec.Connect)){
		"erased":    func(s *session.Server, _ func(*codec.Connect)) { _ = s.Erase(start, 1) },
		"too large": func(_ *session.Server, resume func(*codec.Connect)) { resume(small) },
		"withheld": func(s *session.Server, resume func(*codec.Connect)) {
			resume(connect)
			s.Withhold(start, all)
		},
	} {
		for _, manual := range []bool{false, true} {
			kept := records{}
			s := session.NewServer(session.ServerConfig{Config: session.Config{Persist: true, ManualRelease: manual}})
			open := func(p *codec.Connect, st *session.State) {
				if s.Status() != session.StatusIdle {
					s.Open(start)
				}
				s.Receive(start, encode(t, p, codec.V5))
				toldAnd(s, kept.note)
				if err := s.Accept(start, nil, st); err != nil {
					t.Fatal(err)
				}
			}
			crash := func() {
				s = session.NewServer(session.ServerConfig{Config: session.Config{Persist: true, ManualRelease: manual}})
				open(connect, kept.state(t))
			}
			expect := func(want ...string) {
				t.Helper()
				if got := toldAnd(s, kept.note); !slices.Equal(got, want) {
					t.Errorf("%s, manual %v: %q, want %q", name, manual, got, want)
				}
			}
			open(connect, nil)
			p := &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS2, Payload: codec.Bytes("a payload")}
			if token, err := s.Publish(start, p); token != 1 || err != nil {
				t.Fatal(token, err)
			}
			expect("Store message 1", "Publish 1")
			giveUp(s, func(p *codec.Connect) {
				s.Closed(start, nil)
				toldAnd(s, kept.note)
				open(p, s.State())
			})
			if got := toldAnd(s, kept.note); !slices.Contains(got, "Dropped 1") || !slices.Contains(got, "Store release 1") {
				t.Errorf("%s: %q", name, got)
			}
			crash()
			expect("Pubrel 1")
			if _, err := s.Publish(start, p); err != nil {
				t.Fatal(err)
			}
			if got := toldAnd(s, kept.note); !slices.Contains(got, "Publish 2") {
				t.Errorf("%s: %q, want another identifier", name, got)
			}
			crash()
			if got := toldAnd(s, kept.note); !slices.Equal(got, []string{"Publish 2", "Pubrel 1"}) && !slices.Equal(got, []string{"Pubrel 1", "Publish 2"}) {
				t.Errorf("%s: %q after the second crash", name, got)
			}
			s.Receive(start, encode(t, &codec.Pubcomp{PacketID: 1}, codec.V5))
			expect("Discard message 1")
			crash()
			expect("Publish 2")
		}
	}
}

// What was given up at QoS 1 leaves nothing behind but the identifier, until the
// connection is over.
func TestGivenUpAtQoS1(t *testing.T) {
	c := up(t, session.ClientConfig{Config: session.Config{Persist: true}, Version: codec.V311}, codec.ConnackProperties{})
	kept := records{}
	for range 2 {
		token, err := c.Publish(start, &codec.Publish{Topic: codec.Bytes("a"), QoS: codec.QoS1})
		if err != nil {
			t.Fatal(err)
		}
		toldAnd(c, kept.note)
		if err := c.Erase(start, token); err != nil {
			t.Fatal(err)
		}
		toldAnd(c, kept.note)
	}
	if n := c.Inflight(); n != 2 {
		t.Errorf("%d in flight, want both", n)
	}
	for token := range c.State().Undelivered() {
		t.Errorf("message %d was given up, and is told as such already", token)
	}
	data, err := c.State().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var whole session.State
	if err := whole.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if n, m := kept.state(t).Inflight(), whole.Inflight(); n != 0 || m != 0 {
		t.Errorf("%d and %d in flight after a crash, want none", n, m)
	}
	c.Receive(start, encode(t, &codec.Puback{PacketID: 1}, codec.V311))
	if got := toldAnd(c, kept.note); len(got) > 0 || c.Inflight() != 1 {
		t.Errorf("%q after PUBACK, %d in flight", got, c.Inflight())
	}
}

// TestGivenUpIsStored: the whole state says it too, before and after PUBREC, and
// PUBRELs keep the order of the PUBRECs. Nobody is asked to release them.
func TestGivenUpIsStored(t *testing.T) {
	// [MQTT-4.6.0-4] v5
	scenario(t, `
	client v5 {"ManualRelease":true}
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK
	| Connected session=false packet=CONNACK
	publish {"Topic":"a","QoS":2}
	| token 1
	| Write PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes"
	publish {"Topic":"b","QoS":2}
	| token 2
	| Write PUBLISH QoS=2 Topic=b PacketID=2 Payload="0 bytes"
	publish {"Topic":"c","QoS":2}
	| token 3
	| Write PUBLISH QoS=2 Topic=c PacketID=3 Payload="0 bytes"
	erase 1
	| Dropped token=1 id=1 publish=PUBLISH QoS=2 Topic=a Payload="0 bytes" error=message was erased
	erase 2
	| Dropped token=2 id=2 publish=PUBLISH QoS=2 Topic=b Payload="0 bytes" error=message was erased
	erase 3
	| Dropped token=3 id=3 publish=PUBLISH QoS=2 Topic=c Payload="0 bytes" error=message was erased
	erase 3
	| error mqtt: Erase: unknown token
	recv PUBREC {"PacketID":3}
	| Write PUBREL PacketID=3
	recv PUBREC {"PacketID":2}
	| Write PUBREL PacketID=2
	reload
	client v5 {"ManualRelease":true}
	erase 1
	| error mqtt: Erase: unknown token
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBREL PacketID=3
	| Write PUBREL PacketID=2
	| Write PUBREL PacketID=1
	recv PUBCOMP {"PacketID":1}
	recv PUBCOMP {"PacketID":3,"ReasonCode":146}
	reload
	client v5
	connect {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Write CONNECT SessionExpiryInterval=100 ClientID=c
	| Timer +10s
	recv CONNACK {"SessionPresent":true}
	| Connected session=true packet=CONNACK SessionPresent=true
	| Write PUBREL PacketID=2
	recv PUBCOMP {"PacketID":2}
	status
	| connected vacancy=65535 inflight=0 queued=0
	`)
}

// TestPeerGivesUp: PUBREL of a message that the application has not acknowledged
// is legal where its PUBLISH is not repeated.
func TestPeerGivesUp(t *testing.T) {
	scenario(t, `
	server v5 {"ManualAck":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=false
	| Write CONNACK
	recv PUBLISH {"Topic":"a","QoS":2,"PacketID":1}
	| Message token=4294967297 id=1 publish=PUBLISH QoS=2 Topic=a PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"b","QoS":2,"PacketID":2}
	| Message token=8589934594 id=2 publish=PUBLISH QoS=2 Topic=b PacketID=2 Payload="0 bytes" ""
	closed
	| Close reason=0x80 error=transport closed
	keep
	server v5 {"ManualAck":true}
	| Timer +10s
	recv CONNECT {"ClientID":"c","Properties":{"SessionExpiryInterval":100}}
	| Connect packet=CONNECT SessionExpiryInterval=100 ClientID=c
	accept
	| Connected session=true
	| Write CONNACK SessionPresent=true
	recv PUBREL {"PacketID":1}
	| Write PUBCOMP PacketID=1
	ack 4294967297
	| error mqtt: Ack: unknown token
	recv PUBLISH {"Topic":"c","QoS":2,"PacketID":1}
	| Message token=12884901889 id=1 publish=PUBLISH QoS=2 Topic=c PacketID=1 Payload="0 bytes" ""
	recv PUBLISH {"Topic":"b","QoS":2,"PacketID":2,"Dup":true}
	recv PUBREL {"PacketID":2}
	| Write DISCONNECT ReasonCode="0x82 Protocol Error"
	| Close reason=0x82 error=PUBREL: protocol error: not the answer that packet identifier 2 waits for rule MQTT-2.2.1-5
	`)
}

// TestGivenUpRecord: nothing but the flags that there are is taken.
func TestGivenUpRecord(t *testing.T) {
	for _, test := range []struct {
		record string
		ok     bool
	}{
		{"\x02\x07\x03\x05", true},      // token 7, identifier 3, fifth in order
		{"\x02\x07\x03\x05\x01", true},  // waits for Release
		{"\x02\x07\x03\x05\x02", true},  // given up, after PUBREC
		{"\x02\x07\x03\x00\x02", true},  // given up, before
		{"\x02\x07\x03\x05\x00", false}, // no flag
		{"\x02\x07\x03\x05\x03", false},
		{"\x02\x07\x03\x05\x04", false},
		{"\x02\x07\x03\x00\x02\x02", false},
		{"\x02\x07\x00\x00\x02", false}, // no identifier
		{"\x02\x00\x03\x00\x02", false}, // no token
	} {
		if err := new(session.State).RestoreRecord([]byte(test.record)); (err == nil) != test.ok {
			t.Errorf("% X: %v", test.record, err)
		}
	}
}
