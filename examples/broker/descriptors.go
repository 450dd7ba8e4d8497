package main

import (
	"fmt"
	"math"
	"os"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/broker/internal/logs"
	"github.com/mqttcore/mqttcore/examples/broker/internal/ops"
	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// ownFiles is how many files the server opens beside those of its connections: three
// to wait for sockets, a second descriptor of a connection that it takes over, and on
// SIGHUP a folder, a file in it and a new log.
const ownFiles = 7

// leaveFiles lowers the bound on connections to what the limit of open files leaves
// beside all else: without a descriptor the store could go no further, and nobody would
// be served until some client leaves.
func leaveFiles(cfg *config.Config, listeners []*listen.Listener, limit uint64, log *logs.Log) error {
	needed := openFiles() + ownFiles
	for _, l := range listeners {
		needed += l.Sockets() // each may hold a connection that is being refused
	}
	if !cfg.Store.Memory {
		needed += store.MostFiles
	}
	if cfg.MetricsAddress != "" {
		needed += ops.MostFiles
	}
	if limit >= math.MaxInt32 {
		return nil
	}
	left, asked := int(limit)-needed, &cfg.Limits.Connections
	switch {
	case left < 1:
		return cli.Failf(cli.ExitFile, "the limit of open files is %d, and the broker needs %d of them without a single client; raise it (ulimit -n, LimitNOFILE of systemd)", limit, needed)
	case *asked == 0:
		log.Info(fmt.Sprintf("the limit of open files, %d, allows %d connections", limit, left))
	case left < *asked:
		log.Warn(fmt.Sprintf("the limit of open files, %d, allows %d connections and not %d; raise it (ulimit -n, LimitNOFILE of systemd) to %d, or lower --max-connections (global_max_connections)",
			limit, left, *asked, *asked+needed))
	default:
		return nil
	}
	*asked = left
	return nil
}

// openFiles returns how many files are open now.
func openFiles() int {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return usualFiles
	}
	return len(names) - 1 // the folder itself
}

// usualFiles stands for what cannot be counted: three from outside, the runtime's and
// those of some listeners and logs.
const usualFiles = 16
