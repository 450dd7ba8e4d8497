package session_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// quiet is a connection that is up, with a Keep Alive of 10 s.
type quiet struct {
	t *testing.T
	conn
	now  time.Time
	told time.Time // by Timer
	end  error     // of Close
	open bool
}

func quietServer(t *testing.T, v codec.Version, cfg session.Config) *quiet {
	s := session.NewServer(session.ServerConfig{Config: cfg})
	q := &quiet{t: t, conn: s, now: start, open: true}
	s.Open(q.now)
	q.receive(encode(t, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true, KeepAlive: 10}, v))
	if err := s.Accept(q.now, nil, nil); err != nil {
		t.Fatal(err)
	}
	q.drain()
	return q
}

func quietClient(t *testing.T, v codec.Version, cfg session.Config) *quiet {
	c := session.NewClient(session.ClientConfig{Version: v, Config: cfg})
	q := &quiet{t: t, conn: c, now: start, open: true}
	if err := c.Connect(q.now, &codec.Connect{ClientID: codec.Bytes("c"), CleanStart: true, KeepAlive: 10}); err != nil {
		t.Fatal(err)
	}
	q.receive(encode(t, &codec.Connack{}, v))
	return q
}

func (q *quiet) receive(b []byte) {
	q.Receive(q.now, b)
	q.drain()
}

func (q *quiet) drain() {
	for ev, ok := q.Next(); ok; ev, ok = q.Next() {
		switch ev.Kind {
		case events.Timer:
			q.told = ev.Deadline
		case events.Close:
			q.open, q.end = false, ev.Err
		}
	}
	if at := q.Deadline(); !at.IsZero() && (q.told.IsZero() || q.told.After(at) || !q.told.After(q.now)) {
		q.t.Fatalf("deadline +%v, told was +%v", at.Sub(start), q.told.Sub(start))
	}
}

// pass lets time go by, with a Tick whenever the timer goes off.
func (q *quiet) pass(d time.Duration) {
	for end := q.now.Add(d); ; {
		if q.told.IsZero() || q.told.After(end) {
			q.now = end
			return
		}
		q.now, q.told = q.told, time.Time{}
		q.Tick(q.now)
		q.drain()
	}
}

func (q *quiet) block(blocked bool) {
	q.SetWriteBlocked(q.now, blocked)
	q.drain()
}

func (q *quiet) hold(held bool) {
	q.HoldInput(q.now, held)
	q.drain()
}

// flood publishes more than HighWater.
func (q *quiet) flood() {
	if _, err := q.PublishShared(q.now, &codec.Publish{Topic: codec.Bytes("t"), Payload: make(codec.Bytes, 100_000)}, session.Delivery{}); err != nil {
		q.t.Fatal(err)
	}
	q.drain()
}

func (q *quiet) endsAfter(d time.Duration) {
	q.t.Helper()
	if q.pass(d - 1); !q.open {
		q.t.Fatalf("closed too early: %v", q.end)
	}
	if q.pass(1); q.open {
		q.t.Error("not closed")
	}
}

func (q *quiet) stands() {
	q.t.Helper()
	if !q.open {
		q.t.Fatalf("closed after %v: %v", q.now.Sub(start), q.end)
	}
}

// TestSlowReaderIsNotSilent: as long as the session itself says that a client is not
// to be read from, its PINGREQ cannot come. [MQTT-3.1.2-22] v5
// [MQTT-3.1.2-24] v311
func TestSlowReaderIsNotSilent(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		q := quietServer(t, v, session.Config{})
		q.pass(4 * time.Second)
		q.block(true)
		q.flood()
		if !q.InputPaused() {
			t.Fatal("not paused")
		}
		q.pass(time.Hour)
		q.stands()
		q.block(false)
		q.endsAfter(11 * time.Second)

		// One that reads is silent, however much is written to it.
		q = quietServer(t, v, session.Config{})
		for range 14 {
			q.pass(time.Second)
			q.flood()
		}
		q.endsAfter(time.Second)

		// So is one that does not, as long as its input is wanted.
		q = quietServer(t, v, session.Config{})
		q.block(true)
		q.pass(15 * time.Second)
		if q.block(false); q.open {
			t.Error("not closed")
		}
	}
}

// TestDeafClientWaits: a client that is not to read waits for no PINGRESP.
func TestDeafClientWaits(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for _, pause := range []func(q *quiet, on bool){
			(*quiet).hold,
			func(q *quiet, on bool) {
				if q.block(on); on {
					q.flood()
				}
			},
		} {
			q := quietClient(t, v, session.Config{})
			q.pass(14 * time.Second) // PINGREQ went out after 10 s
			pause(q, true)
			q.pass(time.Hour)
			q.stands()
			pause(q, false)
			if q.pass(5 * time.Second); q.end != nil {
				t.Fatal(q.end)
			}
			q.receive([]byte{0xD0, 0})
			q.pass(9 * time.Second) // PINGREQ again at 10 s or before
			q.stands()
			if q.pass(20 * time.Second); q.open {
				t.Error("PINGRESP is not waited for any more")
			}
		}
	}
}

// TestLongPacket: a packet that takes longer than the Keep Alive leaves no room for
// PINGREQ. What comes of it is a sign of life, unless it is next to nothing.
func TestLongPacket(t *testing.T) {
	for _, v := range []codec.Version{codec.V311, codec.V5} {
		for _, above := range []int{0, 10} {
			packet := encode(t, &codec.Publish{Topic: codec.Bytes("t"), Payload: make(codec.Bytes, 100_000)}, v)
			q := quietServer(t, v, session.Config{StreamAbove: above})
			for b := packet; len(b) > 0; b = b[min(len(b), 1024):] {
				q.pass(14 * time.Second)
				q.stands()
				q.receive(b[:min(len(b), 1024)])
			}
			q.endsAfter(15 * time.Second)

			q = quietServer(t, v, session.Config{StreamAbove: above})
			for i := 0; i < 900 && q.open; i++ {
				q.receive(packet[i : i+1])
				q.pass(time.Second)
			}
			if q.open {
				t.Error("a byte a second is enough")
			}
		}
	}
}

// TestPingWithinPause: a PINGREQ that goes out while the client is not to read starts
// no wait that is longer than others.
func TestPingWithinPause(t *testing.T) {
	q := quietClient(t, codec.V5, session.Config{})
	q.hold(true)
	q.pass(59 * time.Minute)
	q.stands()
	q.hold(false)
	q.endsAfter(10 * time.Second)
}

// TestHoldConnack: the wait for CONNACK stands still as well.
func TestHoldConnack(t *testing.T) {
	c := session.NewClient(session.ClientConfig{})
	q := &quiet{t: t, conn: c, now: start, open: true}
	if err := c.Connect(q.now, &codec.Connect{ClientID: codec.Bytes("c")}); err != nil {
		t.Fatal(err)
	}
	q.drain()
	q.pass(3 * time.Second)
	q.hold(true)
	q.pass(time.Hour)
	q.stands()
	q.hold(false)
	q.endsAfter(7 * time.Second)
}

// TestSlowAnswerToConnect: however long the server took, the client has the time for
// AUTH, and no more.
func TestSlowAnswerToConnect(t *testing.T) {
	s := session.NewServer(session.ServerConfig{})
	q := &quiet{t: t, conn: s, now: start, open: true}
	s.Open(q.now)
	p := &codec.Connect{ClientID: codec.Bytes("c")}
	p.Properties.AuthenticationMethod = codec.Text("m")
	q.receive(encode(t, p, codec.V5))
	q.pass(time.Hour)
	q.stands()
	if err := s.Auth(q.now, &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}); err != nil {
		t.Fatal(err)
	}
	q.drain()
	q.endsAfter(10 * time.Second)
}

// TestTickAfterPause: what ended a pause need not be followed by Next at once.
func TestTickAfterPause(t *testing.T) {
	q := quietServer(t, codec.V5, session.Config{HighWater: 1})
	token, err := q.PublishStream(q.now, &codec.Publish{Topic: codec.Bytes("t")}, 1)
	if err != nil {
		t.Fatal(err)
	}
	q.receive([]byte{0xC0, 0}) // its answer waits for the end of the payload
	if !q.InputPaused() {
		t.Fatal("not paused")
	}
	q.pass(time.Hour)
	q.stands()
	if err := q.PublishData(q.now, token, []byte{1}); err != nil {
		t.Fatal(err)
	}
	q.Tick(q.now)
	q.drain()
	q.stands()
	q.endsAfter(15 * time.Second)
}
