package crashtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// smallDisk mounts a file system of so many MiB.
func smallDisk(t *testing.T, size int) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, fmt.Sprintf("size=%dm", size)); err != nil {
		t.Skipf("no file system of our own can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return folder
}

// fill takes all room that a disk has.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for block := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(block)
	}
}

// The disk fills up under load. The broker says so, acknowledges nothing that
// it cannot keep, and goes on when there is room; nothing is lost then, nor when
// it is killed while the disk is full.
func TestFullDisk(t *testing.T) {
	folder := smallDisk(t, 64)
	h := &host{t: t, folder: folder}
	h.start()
	s := newScene(t, &h.at)
	s.mosquitto.missing = true
	for _, p := range s.publishers {
		p.call(func() { p.padding = strings.Repeat("x", 20000) })
	}
	filler := filepath.Join(folder, "filler")
	for round, death := range []bool{false, true} {
		fill(t, filler)
		h.broker.Stderr.AwaitCount(t, "cannot be stored", round+1)
		s.standsStill()
		if death {
			h.kill()
			if p := programtest.Start(t, nil, "broker", append(h.args(), "-p", "0")...); p.Wait(limit) == 0 {
				t.Error("the broker starts on a full disk")
			} else {
				oneLine(t, p, "no room for the store")
			}
			remove(t, filler)
			h.start()
		} else {
			remove(t, filler)
			h.broker.Stderr.Await(t, "can be stored again")
		}
		for _, p := range s.publishers {
			var acked int
			p.call(func() { acked = p.acked })
			p.await("going on", func() bool { return p.acked > acked })
		}
	}
	s.check(h.port)
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// standsStill waits until nothing is acknowledged any more. Acknowledgements from
// before the disk was full may still be on their way.
func (s *scene) standsStill() {
	s.t.Helper()
	end := time.Now().Add(limit)
	for before := -1; before != s.acked(); <-time.After(500 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatal("messages are acknowledged on a full disk")
		}
		before = s.acked()
	}
}

// acked returns how many messages were acknowledged.
func (s *scene) acked() (n int) {
	for _, p := range s.publishers {
		p.call(func() { n += p.acked })
	}
	return n
}

// oneLine checks what a broker says that cannot start.
func oneLine(t *testing.T, p *programtest.Process, text string) {
	t.Helper()
	if code := p.Wait(limit); code == 0 {
		t.Errorf("exit code 0")
	}
	said := p.Stderr.Bytes()
	last := said[bytes.LastIndexByte(bytes.TrimRight(said, "\n"), '\n')+1:]
	if !bytes.Contains(last, []byte(text)) {
		t.Errorf("the broker says %q, want %q", said, text)
	}
}

func TestReadOnlyDisk(t *testing.T) {
	h := &host{t: t, folder: smallDisk(t, 64)}
	h.start()
	r := newReceiver(t, &h.at, codec.V5, "r", codec.QoS1, "retained/#")
	r.stop()
	h.kill()
	remount := func(flags uintptr) {
		if err := syscall.Mount("", h.folder, "", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	oneLine(t, programtest.Start(t, nil, "broker", append(h.args(), "-p", "0")...), "read-only file system")
	remount(0)
	h.start()
	r.restart(&h.at)
	r.await("connected", func() bool { return r.connected }) // to its session
	r.stop()
}

func TestSecondBroker(t *testing.T) {
	h := &host{t: t, folder: t.TempDir()}
	h.start()
	oneLine(t, programtest.Start(t, nil, "broker", append(h.args(), "-p", "0")...), "in use by another process")
}
