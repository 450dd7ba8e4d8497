package listen

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// socketMode lets the owner and the group connect.
const socketMode = 0o660

// openUnix listens on a Unix socket. A file of a broker that ended without
// removing it is in the way and goes; nothing else does.
func openUnix(ctx context.Context, path string) ([]net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, explainListen(path, err)
	case info.Mode().Type() != fs.ModeSocket:
		return nil, fmt.Errorf("%s is there already and no socket; name another path", path)
	default:
		if err := removeStale(ctx, path); err != nil {
			return nil, err
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if err != nil {
		return nil, explainListen(path, err)
	}
	if err := os.Chmod(path, socketMode); err != nil {
		l.Close()
		return nil, explainListen(path, err)
	}
	return []net.Listener{l}, nil
}

// removeStale removes a socket on which nobody listens.
func removeStale(ctx context.Context, path string) error {
	c, err := new(net.Dialer).DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		c.Close()
		return fmt.Errorf("another program listens on the socket %s; stop it, or name another path", path)
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("the socket %s is there already, and whether it is in use cannot be told: %v; remove it, or name another path", path, root(err))
	}
	if err := os.Remove(path); err != nil {
		return explainListen(path, err)
	}
	return nil
}
