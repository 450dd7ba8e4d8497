// Broker is an MQTT broker for one machine.
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/broker/internal/logs"
	"github.com/mqttcore/mqttcore/examples/broker/internal/ops"
	"github.com/mqttcore/mqttcore/examples/broker/internal/passwd"
	"github.com/mqttcore/mqttcore/examples/broker/internal/server"
	"github.com/mqttcore/mqttcore/examples/broker/internal/store"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

func main() { os.Exit(cli.Exec(cli.Process("broker"), run)) }

// run is the whole program.
func run(ctx context.Context, env *cli.Env) error {
	// The goroutine that waits for sockets is let wait in the system call only
	// where there is another place for all others, be it on the same processor.
	runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0)))
	if len(env.Args) > 0 && env.Args[0] == "passwd" {
		env.Args = env.Args[1:]
		return passwd.Run(ctx, env)
	}
	// SIGHUP does not end a broker that has only begun to start.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer close(hangups)
	defer signal.Stop(hangups)
	cfg, help, err := config.Parse(env.Args)
	if err != nil {
		return err
	}
	if help {
		_, _ = io.WriteString(env.Stdout, config.Help)
		return nil
	}
	log, err := logs.Open(&cfg.Log, env.Stdout, env.Stderr)
	if err != nil {
		return cli.Failf(cli.ExitFile, "%v", err)
	}
	defer log.Close()
	return serve(ctx, env, cfg, log, hangups)
}

// serve runs a broker until the context ends. What hangups bring is served once it
// runs.
func serve(ctx context.Context, env *cli.Env, cfg *config.Config, log *logs.Log, hangups <-chan os.Signal) (err error) {
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	if err := checkRules(cfg); err != nil {
		return err
	}
	listeners, err := openListeners(ctx, cfg, log.Logger)
	if err != nil {
		return err
	}
	if err := leaveFiles(cfg, listeners, fileLimit(), log); err != nil {
		closeAll(listeners)
		return err
	}
	o := server.Options{Config: cfg, Listeners: listeners, IDPrefix: randomName() + "-", Log: log.Logger}
	if !cfg.Store.Memory {
		st, err := store.Open(cfg.Store.Folder, cfg.Store.File, log.Logger)
		if err != nil {
			closeAll(listeners)
			return cli.Failf(cli.ExitFile, "%v", err)
		}
		defer func() {
			if e := st.Close(); err == nil && e != nil {
				err = cli.Failf(cli.ExitFile, "%v", e)
			}
		}()
		o.Store = st
	}
	s, err := server.New(o)
	if err != nil {
		closeAll(listeners)
		return cli.FailAll(cli.ExitFile, err)
	}
	if cfg.MetricsAddress != "" {
		m, err := ops.Open(ctx, cfg.MetricsAddress, s, log.Logger)
		if err != nil {
			closeAll(listeners)
			return cli.Failf(cli.ExitUnreachable, "%v", err)
		}
		go func() { _ = m.Serve(ctx) }() // ends with the context
		log.Info("metrics and health are served", "address", m.Addr().String())
	}
	go reloadOnHangup(hangups, s, log)
	fmt.Fprint(env.Stdout, welcome(cfg, listeners))
	if err := s.Run(ctx); err != nil {
		return cli.Failf(cli.ExitFile, "%v", err)
	}
	return nil
}

// checkRules looks at the files of passwords and rules before anything is opened.
func checkRules(cfg *config.Config) error {
	if _, err := access.LoadAll(cfg.Accesses()); err != nil {
		return cli.FailAll(cli.ExitFile, err)
	}
	return nil
}

func openListeners(ctx context.Context, cfg *config.Config, log *slog.Logger) (open []*listen.Listener, err error) {
	for _, l := range cfg.Listeners {
		opened, err := listen.Open(ctx, l, log)
		if err != nil {
			closeAll(open)
			return nil, cli.Failf(cli.ExitUnreachable, "%v", err)
		}
		open = append(open, opened)
	}
	return open, nil
}

func closeAll(listeners []*listen.Listener) {
	for _, l := range listeners {
		_ = l.Close() // it was not used yet
	}
}

// reloadOnHangup reads again on SIGHUP what can be read again.
func reloadOnHangup(hangups <-chan os.Signal, s *server.Server, log *logs.Log) {
	for range hangups {
		if err := log.Reopen(); err != nil {
			log.Error("the log goes on where it was", "error", err)
		}
		err := s.Reload()
		if err == nil {
			log.Info("passwords, rules and certificates were read again")
			continue
		}
		for _, text := range slices.Compact(cli.Texts(err)) {
			log.Error("not everything could be read again, and what was there stays in force", "error", text)
		}
	}
}

// randomName tells apart the Client Identifiers that two runs assign.
func randomName() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
