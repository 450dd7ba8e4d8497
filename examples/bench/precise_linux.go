package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// precisely is every with a timer of the kernel: those of Go are late by up to
// a millisecond when nothing else goes on.
func precisely(d time.Duration, done <-chan struct{}, f func()) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		every(d, done, f)
		return
	}
	timer := os.NewFile(uintptr(fd), "timer")
	defer timer.Close()
	period := unix.NsecToTimespec(d.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: period, Value: period}, nil); err != nil {
		every(d, done, f)
		return
	}
	for ticks := make([]byte, 8); ; {
		select {
		case <-done:
			return
		default:
		}
		if _, err := timer.Read(ticks); err != nil {
			return
		}
		f()
	}
}
