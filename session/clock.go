package session

import (
	"math"
	"time"
)

// Times come from the caller, with a monotonic reading as time.Now gives them or,
// from a virtual clock, without one. Where they have one only that counts, so
// that nothing happens when the wall clock is set.

// clock keeps time as nanoseconds since the first call, so that monotonic
// readings stay in force and instants are small. The connections of a Shared have
// it in common.
type clock struct {
	base time.Time
	last time.Time // the latest time that was given
	at   instant   // of last
}

// instant is a time in nanoseconds since clock.base; 0 stands for none.
type instant int64

// setNow begins a call at the given time. Time never goes back.
func (c *core) setNow(now time.Time) {
	c.setTime(now)
	c.wake()
}

// setTime is setNow for calls that see to the rest themselves.
func (c *core) setTime(now time.Time) {
	k := &c.sh.clock
	if now != k.last {
		k.set(now)
	}
	c.now = k.at
}

func (k *clock) set(now time.Time) {
	if k.base.IsZero() {
		k.base = now.Add(-time.Second) // so that no instant is 0
	}
	if at := instant(now.Sub(k.base)); at >= k.at {
		k.last, k.at = now, at
	}
}

// timeOf returns the time of an instant.
func (c *core) timeOf(i instant) time.Time {
	if i == 0 {
		return time.Time{}
	}
	return c.sh.clock.base.Add(time.Duration(i))
}

// after returns the instant that lies d after now, or none for d = 0.
func (c *core) after(d time.Duration) instant {
	if d <= 0 {
		return 0
	}
	return c.now + instant(d)
}

// unix returns now in ms as the session state counts it.
func (c *core) unix() int64 { return c.st.at(c.sh.clock.last).UnixMilli() }

// timeline is what the times of a State are counted on, which connections with
// different clocks have in turn: Unix time by what the wall clock said at first,
// however it is set afterwards. It begins when it is needed. Where times have no
// monotonic reading it is not, and their Unix time is as good.
type timeline struct {
	base time.Time // the first time
	last time.Time // the latest one, which knows what the wall clock says by now
}

// monotonic reports whether a time has a monotonic reading.
func monotonic(t time.Time) bool { return t != t.Round(0) }

// at returns where a time lies on the timeline of the state.
func (s *State) at(now time.Time) time.Time {
	if !monotonic(now) {
		return now
	}
	s.wake()
	if s.times.base.IsZero() {
		s.times.base = now
	}
	s.times.last = now
	return s.times.steady(now)
}

func (l *timeline) steady(t time.Time) time.Time { return l.base.Add(t.Sub(l.base)) }

// begun reports whether the state has a timeline.
func (s *State) begun() bool { return s.exchanges != nil && !s.times.base.IsZero() }

// dated reports whether the timeline is needed although nothing is under way.
func (s *State) dated() bool { return s.closed != 0 && s.expiry != 0 && s.begun() }

// until returns the end, in ms on the timeline, of something that ends at a time
// of the caller's: it is as far from now there.
func (s *State) until(now, end time.Time) int64 {
	return s.at(now).Add(end.Sub(now)).UnixMilli()
}

// timeOf returns a time of the timeline as the caller knows it.
func (s *State) timeOf(ms int64) time.Time {
	const most = math.MaxInt64 / int64(time.Millisecond)
	if s.begun() {
		if d := ms - s.times.base.UnixMilli(); -most < d && d < most {
			return s.times.base.Add(time.Duration(d) * time.Millisecond)
		}
	}
	return time.UnixMilli(ms)
}

// stored returns a time of the timeline as it is to be stored: by the wall clock
// as it goes now, as nothing else is left after a restart. 0 stands for none.
func (s *State) stored(ms int64) int64 {
	if ms == 0 || !s.begun() {
		return ms
	}
	l := &s.times
	return max(1, ms+l.last.UnixMilli()-l.steady(l.last).UnixMilli())
}
