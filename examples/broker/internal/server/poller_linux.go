package server

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mqttcore/mqttcore/session/broker"
)

// poller tells which sockets have something to read or room to write. Its epoll
// descriptor can be waited for as well, and that is left to Go's own poller: so
// the owner waits for all sockets and for its inbox at once, and no thread waits
// besides.
type poller struct {
	file   *os.File // the epoll descriptor
	fd     int
	events []unix.EpollEvent
}

// mostEvents is how many are told at once.
const mostEvents = 256

func openPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that os waits with Go's poller
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return &poller{file: os.NewFile(uintptr(fd), "epoll"), fd: fd, events: make([]unix.EpollEvent, mostEvents)}, nil
}

func (p *poller) close() { _ = p.file.Close() }

// run calls turn now, and after each nudge and whenever a socket has become
// ready, until it reports that all is over. A socket that becomes ready in a turn
// after look makes for another turn.
func (p *poller) run(turn func() (over bool)) error {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	for over := false; !over; {
		// turn runs between two waits of one Read: no readiness is lost
		// between them.
		err := raw.Read(func(uintptr) bool {
			over = turn()
			return over
		})
		if err == nil {
			continue
		}
		if !os.IsTimeout(err) {
			return err
		}
		if err := p.file.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// nudge makes run call turn. It may be called from anywhere.
func (p *poller) nudge() { _ = p.file.SetReadDeadline(longAgo) } // fails only after close

var longAgo = time.Unix(1, 0)

// readiness of one socket. When its client has closed, or it has failed, it is
// ready for everything, and ended.
type readiness struct {
	handle                broker.Handle
	reading, writing, end bool
}

// look calls found for each socket that has become ready since it was told so. It
// reports whether there may be more.
func (p *poller) look(found func(readiness)) (more bool) {
	n, err := unix.EpollWait(p.fd, p.events, 0)
	for err == syscall.EINTR {
		n, err = unix.EpollWait(p.fd, p.events, 0)
	}
	for i := range max(n, 0) {
		ev := &p.events[i]
		const end = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
		found(readiness{
			handle:  broker.Handle(uint32(ev.Fd)) | broker.Handle(uint32(ev.Pad))<<32,
			reading: ev.Events&(unix.EPOLLIN|end) != 0,
			writing: ev.Events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0,
			end:     ev.Events&end != 0,
		})
	}
	return n == len(p.events)
}

// watch begins to look after a socket, or goes on in another way. Readiness is
// told when it begins (EPOLLET), not for as long as it lasts: so a socket that is
// held back costs nothing. It is told under the handle, which is used once, and
// so never mistaken for that of a later socket with the same descriptor. Closing
// the descriptor ends it.
func (p *poller) watch(op, fd int, h broker.Handle, writing bool) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(uint32(h)), Pad: int32(uint32(h >> 32))}
	if writing {
		ev.Events |= unix.EPOLLOUT
	}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, op, fd, &ev))
}
