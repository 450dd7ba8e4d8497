package session_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/internal/wallclock"
)

const year = 365 * 24 * time.Hour

var wallSteps = []time.Duration{0, time.Second, -time.Second, 2 * time.Hour, -2 * time.Hour, 50 * year, -50 * year}

// accepted returns a server whose client has connected to st and wants it to live
// for an hour.
func accepted(t *testing.T, now time.Time, cfg session.Config, st *session.State) *session.Server {
	t.Helper()
	s := session.NewServer(session.ServerConfig{Config: cfg})
	p := &codec.Connect{ClientID: codec.Bytes("c")}
	p.Properties.SessionExpiryInterval = codec.Some(uint32(3600))
	s.Receive(now, encode(t, p, codec.V5))
	drain(s)
	if err := s.Accept(now, nil, st); err != nil {
		t.Fatal(err)
	}
	return s
}

// left returns the Message Expiry Interval with which a server sends the message
// that waits, or false if that has expired.
func left(t *testing.T, s *session.Server) (seconds uint32, ok bool) {
	t.Helper()
	for ev := range s.Events() {
		switch ev.Kind {
		case events.Dropped:
			if !errors.Is(ev.Err, session.ErrExpired) {
				t.Fatal(ev)
			}
		case events.Write:
			for _, b := range ev.Data {
				for len(b) > 0 {
					p, n, err := codec.Decode(b, codec.V5)
					if err != nil || n == 0 {
						t.Fatal(n, err)
					}
					if p, is := p.(*codec.Publish); is && p.QoS > 0 {
						seconds, ok = p.Properties.MessageExpiryInterval.Value, true
					}
					b = b[n:]
				}
			}
		}
	}
	return seconds, ok
}

func lasting(seconds uint32) *codec.Publish {
	p := &codec.Publish{Topic: codec.Bytes("t"), QoS: codec.QoS1}
	p.Properties.MessageExpiryInterval = codec.Some(seconds)
	return p
}

// A session lives, and what waits in it, for as long as it should, also where the
// wall clock is set between connections that have nothing in common but the state.
func TestClockIsSet(t *testing.T) {
	for _, step := range wallSteps {
		for _, where := range []string{"before the connection", "on the connection", "after it", "before it goes on"} {
			t.Run(fmt.Sprint(where, "/", step), func(t *testing.T) {
				now := wallclock.From(start)
				set := func(at string) {
					if at == where {
						now = wallclock.Set(now, step)
					}
				}
				st := session.NewState()
				// It begins to have times.
				if _, err := st.Enqueue(now, lasting(7200), session.Delivery{}, session.QueueLimits{}, nil); err != nil {
					t.Fatal(err)
				}
				set("before the connection")
				s := accepted(t, now, session.Config{}, st)
				drain(s)
				set("on the connection")
				s.Closed(now, nil)
				drain(s)
				set("after it")
				for _, d := range []session.Delivery{{QoS: 1}, {QoS: 1, Expires: now.Add(1000 * time.Second)}, {QoS: 1, Expires: now.Add(1000 * time.Second).Round(0)}} {
					if _, err := st.Enqueue(now, lasting(1000), d, session.QueueLimits{}, nil); err != nil {
						t.Fatal(err)
					}
				}
				set("before it goes on")
				at, ok := st.Expires()
				if d := at.Sub(now); !ok || d > time.Hour || d < time.Hour-time.Millisecond {
					t.Errorf("the session ends in %v", d)
				}
				for _, passed := range []time.Duration{time.Hour - time.Second, time.Hour} {
					if got, want := st.Expired(now.Add(passed)), passed == time.Hour; got != want {
						t.Errorf("after %v: expired %v", passed, got)
					}
				}
				if seconds, ok := left(t, accepted(t, now.Add(999*time.Second), session.Config{}, st)); !ok || seconds != 1 {
					t.Errorf("%d s are left of the message, %v", seconds, ok)
				}
			})
		}
	}
}

// A message expires when it should on one connection, whenever the wall clock is set.
func TestClockIsSetConnected(t *testing.T) {
	for _, step := range wallSteps {
		for _, passed := range []time.Duration{9, 10} {
			now := wallclock.From(start)
			s := accepted(t, now, session.Config{}, nil)
			drain(s)
			now = wallclock.Set(now, step)
			s.SetWriteBlocked(now, true)
			large := &codec.Publish{Topic: codec.Bytes("t"), Payload: make([]byte, 1<<20)} // fills the output
			for _, p := range []*codec.Publish{large, lasting(10)} {
				if _, err := s.Publish(now, p); err != nil {
					t.Fatal(err)
				}
			}
			now = wallclock.Set(now, -step).Add(passed * time.Second)
			s.Tick(now)
			s.SetWriteBlocked(now, false)
			if seconds, ok := left(t, s); ok != (passed < 10) || ok && seconds != 1 {
				t.Errorf("step %v: sent %v after %d s, with %d s left", step, ok, passed, seconds)
			}
		}
	}
}

// What is stored is by the wall clock as it goes then.
func TestClockOfRecords(t *testing.T) {
	for _, step := range wallSteps {
		now := wallclock.From(start)
		s := accepted(t, now, session.Config{Persist: true}, nil)
		if _, err := s.Publish(now, lasting(60)); err != nil { // begins to have times
			t.Fatal(err)
		}
		drain(s)
		now = wallclock.Set(now, step).Add(time.Second)
		stored := func(want time.Time) {
			t.Helper()
			n := 0
			for ev := range s.Events() {
				if ev.Kind == events.Store {
					if n++; !ev.Deadline.Equal(want) {
						t.Errorf("step %v: %v is stored at %v, want %v", step, ev, ev.Deadline, want)
					}
				}
			}
			if n != 1 {
				t.Fatalf("%d records", n)
			}
		}
		if _, err := s.Publish(now, lasting(60)); err != nil {
			t.Fatal(err)
		}
		stored(now.Round(0).Add(time.Minute))
		s.Closed(now, nil)
		stored(now.Round(0))
		data, err := s.State().MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		st := new(session.State)
		if err := st.UnmarshalBinary(data); err != nil {
			t.Fatal(err)
		}
		if at, ok := st.Expires(); !ok || !at.Equal(now.Round(0).Add(time.Hour)) {
			t.Errorf("step %v: the session that was stored ends at %v", step, at)
		}
	}
}

// A message that expires takes no memory when it is sent at once.
func TestClockTakesNoMemory(t *testing.T) {
	now := wallclock.From(start)
	s := accepted(t, now, session.Config{}, nil)
	drain(s)
	p := lasting(60)
	p.QoS = 0
	var ev events.Event
	if n := testing.AllocsPerRun(100, func() {
		now = now.Add(time.Second)
		if _, err := s.PublishShared(now, p, session.Delivery{}); err != nil {
			t.Fatal(err)
		}
		for s.NextInto(&ev) {
		}
	}); n != 0 {
		t.Errorf("%v allocations for a message", n)
	}
}
