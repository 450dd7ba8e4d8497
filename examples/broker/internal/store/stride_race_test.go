//go:build race

package store

// stride leaves rounds out: under the race detector, which makes them ten times as
// long, some of each kind show whether goroutines get into each other's way.
const stride = 6
