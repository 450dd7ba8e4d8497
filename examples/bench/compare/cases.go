//go:build linux

package main

import (
	"fmt"
	"strings"
)

// kind says which number of a report a case is about.
type kind uint8

const (
	processorTime kind = iota // microseconds for each message, as a ratio
	oneByOne                  // the latency of single messages, as a ratio
	stored                    // acknowledged messages a second
	idle                      // bytes for each connection
)

// test is one load.
type test struct {
	name  string
	args  []string // of bench
	kind  kind
	limit float64 // what is required of our broker; 0 for nothing
	aim   float64
	store bool // the brokers keep messages on disk
}

// timed adds to arguments of bench how long to measure.
func (o *options) timed(args string) []string {
	return append(strings.Fields(args), "--warm-up", (o.duration / 5).String(), "--duration", o.duration.String())
}

// cases returns all loads. Each publisher has a window, so that no broker can
// fall behind and drop messages, and both are loaded in the same way.
func cases(o *options) (all []*test) {
	for _, version := range []string{"311", "5"} {
		name := "v3.1.1"
		if version == "5" {
			name = "v5.0"
		}
		load := func(what, args string, limit, aim float64) {
			all = append(all, &test{name: name + " " + what, args: o.timed("-V " + version + " " + args), limit: limit, aim: aim})
		}
		load("QoS 0, one to one", "-q 0 --window 1000", 1./4, 1./8)
		load("QoS 1, one to one", "-q 1 --window 1000", 1./3, 0)
		load("QoS 2, one to one", "-q 2 --window 1000", 1./3, 0)
		load("QoS 0, 50 to one", "-q 0 --publishers 50 --window 100", 1./3, 0)
		load("QoS 0, one to 100", "-q 0 --subscribers 100 --window 100", 1./3, 0)
		load("QoS 0, 16 KiB", "-q 0 --size 16384 --window 100", 1, 0)
	}
	for q := range 3 {
		all = append(all, &test{name: fmt.Sprintf("v5.0 QoS %d, 5,000 a second", q), args: o.timed(fmt.Sprintf("-q %d --rate 5000", q))})
	}
	for q := range 2 {
		all = append(all, &test{
			name: fmt.Sprintf("v5.0 QoS %d, one at a time", q), kind: oneByOne, limit: 1.5,
			args: o.timed(fmt.Sprintf("-q %d --window 1", q)),
		})
	}
	return append(all,
		&test{name: "kept on disk, subscriber there", kind: stored, limit: 20000, store: true,
			args: o.timed("-q 1 --durable --window 1000")},
		&test{name: "kept on disk, subscriber away", kind: stored, limit: 20000, store: true,
			args: strings.Fields("-q 1 --offline --window 1000 -n 50000")},
		&test{name: "10,000 idle connections", kind: idle, limit: 8 << 10, aim: 2 << 10,
			args: strings.Fields("--publishers 0 --subscribers 10000 --split --duration 500ms")},
	)
}
