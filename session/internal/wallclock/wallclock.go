// Package wallclock gives tests times as time.Now does, of a wall clock that can be
// set.
package wallclock

import (
	"fmt"
	"time"
	"unsafe"
)

// representation is how package time lays out a time with a monotonic reading.
type representation struct {
	wall uint64 // a mark, 33 bits of seconds since 1885, 30 bits of nanoseconds
	ext  int64  // the monotonic reading
	loc  *time.Location
}

const (
	mark     = 1 << 63
	from1885 = 2682288000 // seconds until 1970
)

// From returns the time at which the wall clock says what t does, with a monotonic
// reading. From then on Add keeps both.
func From(t time.Time) time.Time { return reading(t, time.Hour) }

// Set returns the time at which a wall clock that said t was moved by d. The
// monotonic reading goes on.
func Set(t time.Time, d time.Duration) time.Time {
	return reading(t.Add(d), time.Duration((*representation)(unsafe.Pointer(&t)).ext))
}

func reading(wall time.Time, monotonic time.Duration) (t time.Time) {
	*(*representation)(unsafe.Pointer(&t)) = representation{
		wall: mark | uint64(wall.Unix()+from1885)<<30 | uint64(wall.Nanosecond()),
		ext:  int64(monotonic),
		loc:  wall.Location(),
	}
	if !t.Round(0).Equal(wall.Round(0)) || t == t.Round(0) {
		panic(fmt.Sprintf("package time has another representation: %v, not %v", t, wall))
	}
	return t
}
