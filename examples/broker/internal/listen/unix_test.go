package listen

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

func TestUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	cfg := &config.Listener{Network: "unix", Address: path}
	s := serve(t, cfg, &config.Limits{ConnectionsPerAddress: 1})
	for range 2 { // none of them has an address
		client := s.dial(t)
		c := s.accept(t)
		if _, ok := c.Conn.(*net.UnixConn); !ok || c.Remote() != "of this machine" {
			t.Errorf("%T %s", c.Conn, c.Remote())
		}
		pass(t, client, c)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != socketMode || s.String() != path+" (Unix socket)" {
		t.Errorf("%v %v %s", info.Mode(), err, s)
	}
	_, err = Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "another program listens on the socket") {
		t.Errorf("a second one: error %v", err)
	}
	s.accept(t) // by which the second one found out
	pass(t, s.dial(t), s.accept(t))
	s.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket stays: error %v", err)
	}
}

// What a broker left that was killed goes; what somebody else left stays.
func TestStaleSocket(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "s")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	s := serve(t, &config.Listener{Network: "unix", Address: path}, nil)
	pass(t, s.dial(t), s.accept(t))

	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                             "is there already and no socket",
		filepath.Join(folder, "no", "s"): "there is no folder for the socket",
		filepath.Join(file, "s"):         "cannot listen on",
		filepath.Join(folder, strings.Repeat("x", 120)): "is too long for a socket",
	} {
		_, err := Open(t.Context(), &config.Listener{Network: "unix", Address: path}, slog.New(slog.DiscardHandler))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want %s", path, err, want)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Errorf("%q %v", b, err)
	}
}
