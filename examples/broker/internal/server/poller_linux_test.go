package server

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mqttcore/mqttcore/session/broker"
)

// pair returns two sockets that are connected. The first one is to be closed.
func pair(t *testing.T) (fd, peer int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fds[1]) })
	return fds[0], fds[1]
}

// Neither an event nor a nudge is missed, however the poller waits.
func TestWait(t *testing.T) {
	p, err := openPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	fd, peer := pair(t)
	defer unix.Close(fd)
	if err := p.watch(unix.EPOLL_CTL_ADD, fd, 1, false); err != nil {
		t.Fatal(err)
	}
	next := make(chan int)
	done := make(chan error, 1)
	go func() {
		for i := range next {
			if i%20 == 0 {
				time.Sleep(2 * briefly)
			}
			if i%2 == 0 {
				p.nudge()
			} else if _, err := unix.Write(peer, []byte("x")); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	kinds := make(map[bool]int) // of waits: brief ones, and others
	for i, end := 0, time.Now().Add(limit); i < 1000 || kinds[true] < 10 || kinds[false] < 10; i++ {
		if time.Now().After(end) {
			t.Fatalf("waits that were brief, or not: %v", kinds)
		}
		select {
		case next <- i:
		case err := <-done:
			t.Fatal(err)
		}
		p.wait()
		kinds[p.brief]++
		seen := broker.Handle(0)
		p.look(func(r readiness) { seen = r.handle })
		if seen == 1 {
			_, _ = unix.Read(fd, make([]byte, 1)) // or the socket becomes full
		}
		if want := broker.Handle(i % 2); seen != want {
			t.Fatalf("event %d is about %d", i, seen)
		}
	}
	close(next)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// Readiness is told of the connection that it is about, whatever descriptor
// others have or had.
func TestDescriptorUsedAgain(t *testing.T) {
	p, err := openPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	const one, two = broker.Handle(1<<32 | 7), broker.Handle(2<<32 | 7)
	fd, peer := pair(t)
	kept, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0) // so that closing does not end the watch
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(kept)
	if err := p.watch(unix.EPOLL_CTL_ADD, fd, one, false); err != nil {
		t.Fatal(err)
	}
	next, nextPeer := pair(t)
	if err := unix.Dup3(next, fd, unix.O_CLOEXEC); err != nil { // closes fd
		t.Fatal(err)
	}
	unix.Close(next)
	defer unix.Close(fd)
	if err := p.watch(unix.EPOLL_CTL_ADD, fd, two, false); err != nil {
		t.Fatal(err)
	}
	for _, x := range []int{peer, nextPeer} {
		if _, err := unix.Write(x, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	seen := make(map[broker.Handle]int)
	for range 2 { // the second time nothing is new
		p.look(func(r readiness) { seen[r.handle]++ })
	}
	if len(seen) != 2 || seen[one] != 1 || seen[two] != 1 {
		t.Errorf("got %v", seen)
	}
}
