package logs

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// say logs one line of each level, and returns the levels that came through.
func say(l *Log, out *bytes.Buffer) string {
	out.Reset()
	l.Error("one")
	l.Warn("one")
	l.With("a", 1).Info("one")
	l.WithGroup("g").Debug("one")
	var levels []string
	for line := range strings.Lines(out.String()) {
		_, level, _ := strings.Cut(line, "level=")
		level, _, _ = strings.Cut(level, " ")
		levels = append(levels, level)
	}
	return strings.Join(levels, " ")
}

func TestLevels(t *testing.T) {
	for _, test := range []struct {
		cfg  config.Log
		want string
	}{
		{config.Log{}, "ERROR WARN INFO"},
		{config.Log{Verbose: true}, "ERROR WARN INFO DEBUG"},
		{config.Log{Types: []string{"error"}}, "ERROR"},
		{config.Log{Types: []string{"error", "debug"}}, "ERROR DEBUG"},
		{config.Log{Types: []string{"warning", "notice"}}, "WARN INFO"},
		{config.Log{Types: []string{"information"}, Verbose: true}, "INFO DEBUG"},
		{config.Log{Types: []string{"error", "all"}}, "ERROR WARN INFO DEBUG"},
		{config.Log{Types: []string{"error", "none"}}, ""},
		{config.Log{Dest: []string{"none"}}, ""},
	} {
		var out bytes.Buffer
		l, err := Open(&test.cfg, &out, &out)
		if err != nil {
			t.Fatal(err)
		}
		if got := say(l, &out); got != test.want {
			t.Errorf("%+v: %s, want %s", test.cfg, got, test.want)
		}
	}
}

func TestDestinations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log with a space")
	var stdout, stderr bytes.Buffer
	l, err := Open(&config.Log{Dest: []string{"stdout", "file " + path}, JSON: true}, &stdout, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.Info("before", slog.Int("n", 1))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Reopen(); err != nil {
		t.Fatal(err)
	}
	l.Info("after")
	for name, want := range map[string]string{path + ".1": "before", path: "after"} {
		got, err := os.ReadFile(name)
		if err != nil || strings.Count(string(got), "\n") != 1 || !strings.Contains(string(got), `"msg":"`+want+`"`) {
			t.Errorf("%s: %q %v", name, got, err)
		}
	}
	if strings.Count(stdout.String(), "\n") != 2 || stderr.Len() > 0 {
		t.Errorf("stdout %q, stderr %q", &stdout, &stderr)
	}
	for _, dest := range []string{"topic", "file " + t.TempDir()} {
		if _, err := Open(&config.Log{Dest: []string{dest}}, &stdout, &stderr); err == nil {
			t.Errorf("%s: no error", dest)
		}
	}
}
