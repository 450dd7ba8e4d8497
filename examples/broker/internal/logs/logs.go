// Package logs makes the broker's log: where it goes, and what is in it.
package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Log is a logger with the files behind it.
type Log struct {
	*slog.Logger
	files []*file
}

// Open makes the log that cfg describes. The error is one line for people.
func Open(cfg *config.Log, stdout, stderr io.Writer) (*Log, error) {
	l := new(Log)
	w, err := l.destinations(cfg.Dest, stdout, stderr)
	if err != nil {
		l.Close()
		return nil, err
	}
	if w == nil {
		l.Logger = slog.New(slog.DiscardHandler)
		return l, nil
	}
	levels := levelsOf(cfg)
	o := &slog.HandlerOptions{Level: levels.lowest()}
	var h slog.Handler = slog.NewTextHandler(w, o)
	if cfg.JSON {
		h = slog.NewJSONHandler(w, o)
	}
	l.Logger = slog.New(&filter{Handler: h, levels: levels})
	return l, nil
}

// destinations returns the writer for all destinations, nil for none.
func (l *Log) destinations(dest []string, stdout, stderr io.Writer) (io.Writer, error) {
	if len(dest) == 0 {
		return stderr, nil
	}
	var all []io.Writer
	for _, d := range dest {
		kind, path, _ := strings.Cut(d, " ")
		switch kind {
		case "stdout":
			all = append(all, stdout)
		case "stderr":
			all = append(all, stderr)
		case "file":
			f := &file{path: strings.TrimSpace(path)}
			if err := f.reopen(); err != nil {
				return nil, err
			}
			l.files = append(l.files, f)
			all = append(all, f)
		case "none":
		default:
			return nil, fmt.Errorf("log_dest %s: this broker logs to stdout, stderr, none or file PATH", d)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return io.MultiWriter(all...), nil
}

// Reopen opens the files of the log again, after they were moved away.
func (l *Log) Reopen() error {
	var errs []error
	for _, f := range l.files {
		errs = append(errs, f.reopen())
	}
	return errors.Join(errs...)
}

// Close closes the files of the log.
func (l *Log) Close() {
	for _, f := range l.files {
		f.close()
	}
}

// file is a file to which lines are added.
type file struct {
	path string
	mu   sync.Mutex
	to   *os.File
}

func (f *file) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.to.Write(p)
}

// reopen opens the file anew. The one that is open stays in use if that fails.
func (f *file) reopen() error {
	to, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("the log file cannot be opened: %w", err)
	}
	f.mu.Lock()
	old := f.to
	f.to = to
	f.mu.Unlock()
	if old != nil {
		_ = old.Close() // what is in it is written
	}
	return nil
}

func (f *file) close() {
	if f.to != nil {
		_ = f.to.Close() // what is in it is written
	}
}

// levels says which levels are logged.
type levels map[slog.Level]bool

// levelsOf returns what log_type and -v ask for. Notices are information here.
func levelsOf(cfg *config.Log) levels {
	s := levels{slog.LevelError: true, slog.LevelWarn: true, slog.LevelInfo: true, slog.LevelDebug: cfg.Verbose}
	if len(cfg.Types) == 0 {
		return s
	}
	s = levels{slog.LevelDebug: cfg.Verbose}
	for _, t := range cfg.Types {
		switch t {
		case "error":
			s[slog.LevelError] = true
		case "warning":
			s[slog.LevelWarn] = true
		case "notice", "information":
			s[slog.LevelInfo] = true
		case "debug":
			s[slog.LevelDebug] = true
		case "all":
			return levels{slog.LevelError: true, slog.LevelWarn: true, slog.LevelInfo: true, slog.LevelDebug: true}
		case "none":
			return levels{}
		}
	}
	return s
}

func (s levels) lowest() slog.Level {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if s[l] {
			return l
		}
	}
	return slog.LevelError
}

// filter lets through the levels that are logged.
type filter struct {
	slog.Handler
	levels levels
}

func (f *filter) Enabled(_ context.Context, l slog.Level) bool { return f.levels[l] }

func (f *filter) WithAttrs(a []slog.Attr) slog.Handler {
	return &filter{f.Handler.WithAttrs(a), f.levels}
}

func (f *filter) WithGroup(name string) slog.Handler {
	return &filter{f.Handler.WithGroup(name), f.levels}
}
