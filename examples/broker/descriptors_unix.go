//go:build unix

package main

import (
	"math"
	"syscall"
)

// fileLimit returns how many files may be open. The runtime has raised the limit as
// far as it may.
func fileLimit() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return math.MaxUint64
	}
	return uint64(r.Cur)
}
