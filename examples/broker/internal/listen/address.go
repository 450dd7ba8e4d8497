package listen

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// openTCP listens on all addresses of a host, each with a socket of its own.
func openTCP(ctx context.Context, network, address string, log *slog.Logger) ([]net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, explainListen(address, err)
	}
	hosts, err := addresses(ctx, network, host)
	if err != nil {
		return nil, explainListen(address, err)
	}
	for attempt := 1; ; attempt++ {
		open, err := openAll(ctx, network, hosts, port, log)
		switch {
		case err == nil:
			return open, nil
		case port != "0" || attempt == mostAttempts || !errors.Is(err, syscall.EADDRINUSE):
			return nil, explainListen(address, err)
		}
	}
}

// mostAttempts is how often a port is sought that is free on all addresses.
const mostAttempts = 20

// openAll listens on the same port of all hosts, but for those that are not of
// this machine. The first one chooses the port if it is 0.
func openAll(ctx context.Context, network string, hosts []string, port string, log *slog.Logger) (open []net.Listener, err error) {
	var absent error
	var missing []string
	for _, host := range hosts {
		place := net.JoinHostPort(host, port)
		l, err := new(net.ListenConfig).Listen(ctx, network, place)
		switch {
		case err == nil:
			open = append(open, l)
			port = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EAFNOSUPPORT):
			absent, missing = err, append(missing, host)
		default:
			closeAll(open)
			return nil, err
		}
	}
	if len(open) == 0 {
		return nil, absent
	}
	for _, host := range missing {
		log.Info("this machine does not have one of the addresses of the listener", "address", host)
	}
	return open, nil
}

func closeAll(open []net.Listener) (err error) {
	for _, l := range open {
		err = errors.Join(err, l.Close())
	}
	return err
}

// addresses returns what a host stands for: itself if it is an address or none.
func addresses(ctx context.Context, network, host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return []string{host}, nil
	}
	var found []netip.Addr
	if strings.EqualFold(host, "localhost") {
		// Not every machine has its name for ::1 too. (RFC 6761 6.3)
		found = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	} else {
		var err error
		if found, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			return nil, err
		}
	}
	var all []string
	for _, a := range found {
		a = a.Unmap()
		fits := network == "tcp" || a.Is4() == (network == "tcp4")
		if s := a.String(); fits && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil, &net.DNSError{Err: "no address of this kind", Name: host, IsNotFound: true}
	}
	return all, nil
}
