//go:build !unix

package server

import (
	"net"
	"syscall"
)

// rawOf returns nil: all connections are read and written by goroutines.
func rawOf(net.Conn) syscall.RawConn { return nil }

func readSocket(uintptr, []byte) (int, error) { return 0, syscall.EINVAL }

func writeSocket(uintptr, [][]byte) (int, error) { return 0, syscall.EINVAL }
