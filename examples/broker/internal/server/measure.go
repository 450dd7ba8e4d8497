package server

import (
	"errors"
	"runtime/debug"
	"runtime/metrics"
)

var errEnough = errors.New("enough was read")

// version returns the version of the module that the program was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// heap returns the bytes of memory that hold something, and those that the
// process has from the system.
func heap() (current, maximum uint64) {
	m := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	metrics.Read(m)
	return m[0].Value.Uint64(), m[1].Value.Uint64()
}
