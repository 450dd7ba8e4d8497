package server

import (
	"encoding/binary"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mqttcore/mqttcore/session/broker"
)

// poller tells which sockets have something to read or room to write, and waits
// for that and for nudges at once.
type poller struct {
	fd     int // of epoll
	alarm  int // an eventfd among the sockets
	events []unix.EpollEvent
	told   int // events that waiting has brought

	// gate is another epoll. While the first one is in it, Go's own poller waits
	// for it.
	gate    *os.File
	gateFD  int
	waiting syscall.RawConn // of the gate

	slice time.Time // the last time that the scheduler was called
	brief bool      // the last wait was
}

// mostEvents is how many are told at once.
const mostEvents = 256

func openPoller() (p *poller, err error) {
	p = &poller{events: make([]unix.EpollEvent, mostEvents)}
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err = p.openAlarm(); err != nil {
		unix.Close(p.fd)
		return nil, err
	}
	if err = p.openGate(); err != nil {
		unix.Close(p.alarm)
		unix.Close(p.fd)
		return nil, err
	}
	return p, nil
}

func (p *poller) openAlarm() (err error) {
	if p.alarm, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	return p.watch(unix.EPOLL_CTL_ADD, p.alarm, 0, false)
}

func (p *poller) openGate() (err error) {
	if p.gateFD, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	_ = unix.SetNonblock(p.gateFD, true) // so that os leaves waiting to Go's poller
	p.gate = os.NewFile(uintptr(p.gateFD), "epoll")
	p.waiting, err = p.gate.SyscallConn()
	return err
}

func (p *poller) close() {
	_ = p.gate.Close()
	unix.Close(p.alarm)
	unix.Close(p.fd)
}

// nudge ends a wait. It may be called from anywhere, but not after close.
func (p *poller) nudge() {
	_, _ = unix.Write(p.alarm, one) // fails only after 2^64 of them
}

var one = binary.NativeEndian.AppendUint64(nil, 1)

const (
	// briefly is the time within which the next event has to come for the
	// waiting to go on in the system call.
	briefly = 3 * time.Millisecond
	// longSlice is less than the 10 ms after which the scheduler takes a
	// goroutine for one that holds up others, and interferes.
	longSlice = 4 * time.Millisecond
)

// wait waits until a socket has become ready, or for a nudge.
//
// Where events follow one another closely, it waits in the system call. As long as
// GOMAXPROCS leaves a place for other goroutines, the scheduler lets it be, and
// each event costs one change of threads. After Go's own poller it is several,
// since the next system call wakes the thread that watches over them. This one is
// busy while we wait in a system call, so waiting for long is left to Go's poller.
func (p *poller) wait() {
	start := time.Now()
	if start.Sub(p.slice) > longSlice {
		runtime.Gosched()
		p.slice = start
	}
	if p.brief {
		p.told = p.poll(briefly)
	}
	if p.told == 0 {
		p.waitLong()
	}
	p.brief = time.Since(start) < briefly
}

// waitLong waits in Go's poller.
func (p *poller) waitLong() {
	_ = unix.EpollCtl(p.gateFD, unix.EPOLL_CTL_ADD, p.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET})
	_ = p.waiting.Read(func(uintptr) bool {
		p.told = p.poll(0)
		return p.told > 0
	})
	_ = unix.EpollCtl(p.gateFD, unix.EPOLL_CTL_DEL, p.fd, nil)
	p.slice = time.Now()
}

// poll returns the number of events that have come, at the latest after a time.
func (p *poller) poll(most time.Duration) int {
	n, err := unix.EpollWait(p.fd, p.events, int(most.Milliseconds()))
	for err == syscall.EINTR {
		n, err = unix.EpollWait(p.fd, p.events, int(most.Milliseconds()))
	}
	return max(n, 0)
}

// readiness of one socket. When its client has closed, or it has failed, it is
// ready for everything, and ended; lost if nothing can be written to it either.
type readiness struct {
	handle                      broker.Handle
	reading, writing, end, lost bool
}

// look calls found for each socket that has become ready since it was told so. It
// reports whether there may be more.
func (p *poller) look(found func(readiness)) (more bool) {
	n := p.told
	if p.told = 0; n == 0 {
		n = p.poll(0)
	}
	for i := range n {
		ev := &p.events[i]
		const lost = unix.EPOLLHUP | unix.EPOLLERR
		const end = unix.EPOLLRDHUP | lost
		found(readiness{
			handle:  broker.Handle(uint32(ev.Fd)) | broker.Handle(uint32(ev.Pad))<<32,
			reading: ev.Events&(unix.EPOLLIN|end) != 0,
			writing: ev.Events&(unix.EPOLLOUT|lost) != 0,
			end:     ev.Events&end != 0,
			lost:    ev.Events&lost != 0,
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
