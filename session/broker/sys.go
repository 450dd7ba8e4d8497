package broker

import "time"

// Sys configures the figures that the broker publishes under $SYS, by the names
// that mosquitto gives them, as retained messages that are not stored.
type Sys struct {
	// Interval is the time between two rounds; 0 for no figures.
	Interval time.Duration
	// Version is $SYS/broker/version.
	Version string
	// Heap, if not nil, returns the bytes of memory that are in use, and the
	// most that ever were.
	Heap func() (current, maximum uint64)
}
