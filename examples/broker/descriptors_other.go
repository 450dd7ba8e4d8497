//go:build !unix

package main

import "math"

// fileLimit returns how many files may be open.
func fileLimit() uint64 { return math.MaxUint64 }
