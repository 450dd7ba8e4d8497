package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// process is the process of --pid, as Linux shows it under /proc.
type process struct{ folder string }

// tick is the unit in which the kernel counts, on all kinds of machines that Go
// runs on.
const tick = 10 * time.Millisecond

func openProcess(pid int) (*process, error) {
	p := &process{fmt.Sprintf("/proc/%d/", pid)}
	if _, _, err := p.usage(); err != nil {
		return nil, cli.Usagef("--pid %d: there is no such process, or no /proc", pid)
	}
	return p, nil
}

// usage returns the processor time that the process has taken, its own and that
// of the kernel for it, and the memory that it holds in bytes.
func (p *process) usage() (cpu time.Duration, memory int64, err error) {
	if cpu, err = p.exactTime(); err != nil || cpu == 0 {
		if cpu, err = p.roughTime(); err != nil {
			return 0, 0, err
		}
	}
	statm, err := os.ReadFile(p.folder + "statm")
	if err != nil {
		return 0, 0, err
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	return cpu, pages * int64(os.Getpagesize()), err
}

// exactTime sums up the nanoseconds of all threads. Those that have ended are
// missing, and so is the file where the kernel was built without it.
func (p *process) exactTime() (sum time.Duration, err error) {
	threads, err := filepath.Glob(p.folder + "task/*/schedstat")
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended since
		}
		n, err := strconv.ParseInt(string(bytes.Fields(stat)[0]), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n)
	}
	return sum, err
}

// roughTime reads what the kernel counts in ticks.
func (p *process) roughTime() (sum time.Duration, err error) {
	stat, err := os.ReadFile(p.folder + "stat")
	if err != nil {
		return 0, err
	}
	// Behind the name of the program, which may contain anything, the 12th
	// and 13th fields are utime and stime.
	for _, f := range bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}
