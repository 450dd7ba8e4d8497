//go:build !linux

package listen

import "net"

// boundUnsent does nothing where a socket cannot be bounded.
func boundUnsent(*net.TCPConn) {}
