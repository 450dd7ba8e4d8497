package main

import (
	"math"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/logs"
	"github.com/mqttcore/mqttcore/examples/broker/internal/ops"
	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
)

// Connections get what the limit of open files leaves, and no more than they may have.
func TestLeaveFiles(t *testing.T) {
	const most = 500
	for _, tt := range []struct {
		limit          uint64
		asked          int
		memory         bool
		metrics        string
		left, lessThan int
		says           string
	}{
		{30, most, false, "", 0, 0, ""},
		{300, most, false, "", 200, 300 - store.MostFiles, "level=WARN msg=\"the limit of open files, 300, allows "},
		{300, most, true, "", 250, 300, "level=WARN"},
		{300, most, true, ":0", 250 - ops.MostFiles, 300 - ops.MostFiles, "level=WARN"},
		{300, 0, false, "", 200, 300 - store.MostFiles, "level=INFO"},
		{700, most, false, "", most, most + 1, ""},
		{math.MaxUint64, most, false, "", most, most + 1, ""},
		{math.MaxUint64, 0, false, "", 0, 1, ""},
	} {
		cfg := config.Default()
		cfg.Limits.Connections, cfg.Store.Memory, cfg.MetricsAddress = tt.asked, tt.memory, tt.metrics
		var out strings.Builder
		log, err := logs.Open(&cfg.Log, &out, &out)
		if err != nil {
			t.Fatal(err)
		}
		err = leaveFiles(cfg, nil, tt.limit, log)
		switch n := cfg.Limits.Connections; {
		case tt.lessThan == 0:
			if err == nil || !strings.Contains(err.Error(), "the limit of open files is 30, ") {
				t.Errorf("%+v: error %v", tt, err)
			}
		case err != nil:
			t.Errorf("%+v: %v", tt, err)
		case n < tt.left || n >= tt.lessThan || tt.says == "" && out.String() != "" || !strings.Contains(out.String(), tt.says):
			t.Errorf("%+v: %d connections, and it says %s", tt, n, out.String())
		}
	}
}
