package config

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// schemes are those of --listen, with their usual ports.
var schemes = map[string]struct {
	port            string
	secure, overWeb bool
}{
	"tcp": {port: "1883"}, "mqtt": {port: "1883"},
	"tls": {port: "8883", secure: true}, "mqtts": {port: "8883", secure: true},
	"ws": {port: "80", overWeb: true}, "wss": {port: "443", secure: true, overWeb: true},
}

// listenAt returns the listener for a value of --listen.
func listenAt(s string, a *Access) (*Listener, error) {
	l := newListener(a)
	l.from = "--listen " + s
	if path, ok := strings.CutPrefix(s, "unix://"); ok {
		if path == "" {
			return nil, errors.New("the path of the socket is missing, as in unix:///run/broker.sock")
		}
		l.Network, l.Address = "unix", path
		return l, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return nil, errors.New("use a URL such as tcp://0.0.0.0:1883, tls://:8883, ws://127.0.0.1:8080 or unix:///run/broker.sock")
	}
	kind, ok := schemes[u.Scheme]
	switch {
	case !ok:
		return nil, errors.New("use one of tcp://, tls://, ws://, wss:// and unix://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "":
		return nil, errors.New("nothing comes behind the port; WebSocket is served under every path")
	}
	port := u.Port()
	if port == "" {
		port = kind.port
	}
	n := 0
	if err := whole(&n, 0, 65535)(port); err != nil {
		return nil, errors.New("the port is none; " + err.Error())
	}
	l.Address, l.WebSocket = net.JoinHostPort(u.Hostname(), port), kind.overWeb
	if kind.secure {
		l.TLS = new(TLS)
	}
	return l, nil
}
