package listen

import (
	"net"

	"golang.org/x/sys/unix"
)

// mostUnsent is how many bytes wait in a socket before they are sent. Beyond that the
// socket takes no more, and says so again as soon as there are fewer. Without a bound
// that is when a third of its buffer is free, which may be more than a slow client
// reads in the time for writing.
const mostUnsent = 64 << 10

func boundUnsent(c *net.TCPConn) {
	if raw, err := c.SyscallConn(); err == nil {
		// The connection may be gone already.
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, mostUnsent)
		})
	}
}
