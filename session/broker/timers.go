package broker

import (
	"math"
	"time"
)

// timer is one deadline of the broker. Its zero value, less its owner, is a timer
// that is not set.
type timer struct {
	at    int64 // in ns from timers.base, or never
	owner any   // whose time has come then
	place int32 // in the heap, from 1; 0 while the timer is not set
}

// never is a time that is centuries away, further than a time.Duration reaches.
const never = math.MaxInt64

// timers is a heap of the timers that are set, the earliest first.
type timers struct {
	heap []*timer
	base time.Time // where the timeline begins
}

// earliest returns the time of the first timer, or the zero time.
func (t *timers) earliest() time.Time {
	if len(t.heap) == 0 || t.heap[0].at == never {
		return time.Time{}
	}
	return t.base.Add(time.Duration(t.heap[0].at))
}

// set moves a timer to the given time; zero stops it.
func (t *timers) set(x *timer, at time.Time) {
	if at.IsZero() {
		t.stop(x)
		return
	}
	x.at = int64(at.Sub(t.base))
	if x.place == 0 {
		t.heap = append(t.heap, x)
		x.place = int32(len(t.heap))
	}
	t.settle(int(x.place) - 1)
}

// stop takes a timer out of the heap.
func (t *timers) stop(x *timer) {
	if x.place == 0 {
		return
	}
	i, last := int(x.place)-1, len(t.heap)-1
	t.swap(i, last)
	t.heap[last] = nil
	t.heap = t.heap[:last]
	x.place = 0
	if i < last {
		t.settle(i)
	}
}

// due takes out and returns the first timer if its time has come, or nil.
func (t *timers) due(now time.Time) *timer {
	if len(t.heap) == 0 || t.heap[0].at > min(int64(now.Sub(t.base)), never-1) {
		return nil
	}
	x := t.heap[0]
	t.stop(x)
	return x
}

// settle moves the timer at i to where it belongs.
func (t *timers) settle(i int) {
	for i > 0 && t.before(i, (i-1)/2) {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child+1 < len(t.heap) && t.before(child+1, child) {
			child++
		}
		if child >= len(t.heap) || !t.before(child, i) {
			return
		}
		t.swap(i, child)
		i = child
	}
}

func (t *timers) before(i, j int) bool { return t.heap[i].at < t.heap[j].at }

func (t *timers) swap(i, j int) {
	h := t.heap
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = int32(i+1), int32(j+1)
}
