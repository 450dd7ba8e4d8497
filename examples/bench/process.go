package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// process is the process of --pid, as Linux shows it under /proc.
type process struct{ folder string }

// tick is the unit of processor time there, on all kinds of machines that Go
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
	stat, err := os.ReadFile(p.folder + "stat")
	if err != nil {
		return 0, 0, err
	}
	// Behind the name of the program, which may contain anything, the 12th
	// and 13th fields are utime and stime.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, 0, err
		}
		cpu += time.Duration(n) * tick
	}
	statm, err := os.ReadFile(p.folder + "statm")
	if err != nil {
		return 0, 0, err
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	return cpu, pages * int64(os.Getpagesize()), err
}
