// Package ops tells over HTTP how the broker does: metrics for Prometheus at
// /metrics, whether it is alive at /healthz and whether it serves at /readyz.
// It asks when it is asked, and costs nothing in between.
package ops

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Source is the broker. Its methods are called from several goroutines.
type Source interface {
	// Stats asks the loop that owns the broker. It waits for the answer no
	// longer than the context allows.
	Stats(ctx context.Context) (*Stats, error)
	// Alive returns nil when that loop has answered.
	Alive(ctx context.Context) error
	// Ready returns nil while clients can be served, or else what is missing.
	Ready() error
}

const (
	// patience is how long the loop may take to answer until it counts as
	// dead.
	patience = time.Second
	// Times and sizes of HTTP.
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 30 * time.Second
	headerLimit   = 8 << 10
	stopping      = time.Second
)

const (
	mostConnections = 8 // others wait
	mostRequests    = 4 // for metrics, some of which are in files of the system
)

// MostFiles is how many files a Server has open at once, at most.
const MostFiles = 1 + mostConnections + mostRequests

// Server serves a Source.
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Open takes an address, host:port. Without a host it is one of this machine
// only, as anybody who can reach it can read. The error is one line for people.
func Open(ctx context.Context, address string, source Source, log *slog.Logger) (*Server, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("metrics at %s: %w; an address is written as 127.0.0.1:9883", address, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, explain(address, err)
	}
	return &Server{listener: netutil.LimitListener(l, mostConnections), http: &http.Server{
		Handler:           handler(source, log),
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       headerTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    headerLimit,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}, nil
}

// Addr returns the address that was taken.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers until the context ends, and returns nil then.
func (s *Server) Serve(ctx context.Context) error {
	stopped := make(chan struct{})
	over := context.AfterFunc(ctx, func() {
		defer close(stopped)
		limited, cancel := context.WithTimeout(context.Background(), stopping)
		defer cancel()
		_ = s.http.Shutdown(limited) // those that take longer are left alone
	})
	err := s.http.Serve(s.listener)
	if !over() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Serve is Open and Server.Serve.
func Serve(ctx context.Context, address string, source Source, log *slog.Logger) error {
	s, err := Open(ctx, address, source, log)
	if err != nil {
		return err
	}
	return s.Serve(ctx)
}

func explain(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("metrics at %s: the port is in use; stop the program that has it, or choose another", address)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("metrics at %s: the port may not be used by this user; choose one from 1024", address)
	}
	return fmt.Errorf("metrics at %s: %w; check the address", address, err)
}

// handler answers everything.
func handler(source Source, log *slog.Logger) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		&collector{source},
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: mostRequests,
	}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		answer(w, source.Alive(ctx))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { answer(w, source.Ready()) })
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "This is an MQTT broker. See /metrics, /healthz and /readyz.")
	})
	return mux
}

// answer says ok, or what is wrong.
func answer(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err == nil {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	if errors.Is(err, context.DeadlineExceeded) {
		fmt.Fprintln(w, "the broker did not answer in time")
		return
	}
	fmt.Fprintln(w, err)
}
