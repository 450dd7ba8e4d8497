//go:build unix && !linux

package server

import "syscall"

// writeSegments writes the first of several segments. The rest follows in the
// background.
func writeSegments(fd int, data [][]byte) (int, error) { return syscall.Write(fd, data[0]) }
