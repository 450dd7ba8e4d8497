//go:build unix

package server

import (
	"net"
	"syscall"
)

// rawOf returns what reads and writes the socket of a connection without
// waiting, or nil if the connection is no plain socket.
func rawOf(c net.Conn) syscall.RawConn {
	switch c := c.(type) {
	case *net.TCPConn:
		raw, _ := c.SyscallConn() // fails only for no connection at all
		return raw
	case *net.UnixConn:
		raw, _ := c.SyscallConn()
		return raw
	}
	return nil
}

func readSocket(fd uintptr, p []byte) (int, error) {
	for {
		if n, err := syscall.Read(int(fd), p); err != syscall.EINTR {
			return n, err
		}
	}
}

func writeSocket(fd uintptr, data [][]byte) (n int, err error) {
	for {
		if n, err = writeSegments(int(fd), data); err != syscall.EINTR {
			return max(0, n), err
		}
	}
}
