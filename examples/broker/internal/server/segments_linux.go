package server

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// writeSegments writes several segments in one system call.
func writeSegments(fd int, data [][]byte) (int, error) {
	if len(data) == 1 {
		return syscall.Write(fd, data[0])
	}
	const most = 1024 // IOV_MAX
	return unix.Writev(fd, data[:min(len(data), most)])
}
