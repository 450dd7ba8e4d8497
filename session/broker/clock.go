package broker

import (
	"encoding/binary"
	"time"
)

// clock is the timeline of a broker, on which are all times below the methods of
// Broker. It begins with what the wall clock says and goes on by the monotonic
// readings of the times that are given, so that nothing happens when the wall
// clock is set. Its times have no monotonic reading, so those of sessions and
// those that were stored are of it too.
type clock struct {
	base  time.Time     // the first time that was given
	start time.Time     // the same on the timeline
	last  time.Time     // the time that was given last
	ahead time.Duration // of the wall clock before the timeline, as it is stored
}

const (
	// smallestStep is what the wall clock may be off without being stored.
	smallestStep = time.Second
	// longestAway bounds how far apart the wall clock and the timeline are where it
	// begins, so that a time.Duration holds all that lies between times.
	longestAway = 100 * 365 * 24 * time.Hour
)

// set begins a call at the given time. Time never goes back.
func (b *Broker) set(now time.Time) {
	k := &b.clock
	if now == k.last {
		return
	}
	if k.base.IsZero() {
		k.base, k.start = now, now.Round(0)
		b.timers.base = k.start
	}
	k.last = now
	at := k.start.Add(now.Sub(k.base))
	if at.After(b.now) {
		b.now = at
	}
	if ahead := now.Round(0).Sub(at); (ahead - k.ahead).Abs() >= smallestStep {
		b.stepped(ahead)
	}
}

// outside returns a time of the timeline as one to compare those with that are
// given.
func (k *clock) outside(at time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	return k.base.Add(at.Sub(k.start))
}

// stepped notes that the wall clock was set. That is stored, for what is stored
// besides holds times of the timeline.
func (b *Broker) stepped(ahead time.Duration) {
	b.clock.ahead = ahead
	if b.cfg.Server.Persist {
		v := binary.AppendVarint(nil, ahead.Milliseconds())
		b.tell(store([]byte{keyClock}, binary.AppendUvarint(v, millis(b.now))))
	}
}

// storedClock is what is known of the timeline of the broker before.
type storedClock struct {
	ahead  time.Duration
	latest uint64 // the latest time in ms that there was, as far as it is known
}

func (s *storedClock) restore(value []byte) error {
	ahead, n := binary.Varint(value)
	latest, rest := number(value[max(0, n):])
	if n <= 0 || len(rest) > 0 || ahead != time.Duration(ahead*int64(time.Millisecond)).Milliseconds() {
		return ErrCorrupt
	}
	s.ahead = time.Duration(ahead) * time.Millisecond
	s.reached(latest)
	return nil
}

func (s *storedClock) reached(ms uint64) { s.latest = max(s.latest, ms) }

// goOn goes on with the timeline of the broker before. How long there was none is
// told by the wall clock alone. Where that says less than nothing, time goes on from
// where it was: sessions and messages rather live too long.
func (b *Broker) goOn(s storedClock) {
	k := &b.clock
	wall := k.start
	at := wall.Add(-s.ahead)
	if latest := time.UnixMilli(int64(s.latest)); latest.After(at) {
		at = latest
	}
	at = wall.Add(min(max(at.Sub(wall), -longestAway), longestAway))
	k.start, b.now, k.ahead = at, at, s.ahead
	if ahead := wall.Sub(at); (ahead - k.ahead).Abs() >= smallestStep {
		b.stepped(ahead)
	}
}
