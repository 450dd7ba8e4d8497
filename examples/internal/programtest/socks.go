package programtest

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
)

// Proxy is a SOCKS5 proxy on 127.0.0.1. (RFC 1928, RFC 1929)
type Proxy struct {
	Address string
	Served  atomic.Int32 // connections that it made

	user, password string // empty for no authentication
}

// StartProxy starts a proxy that demands a user name and a password, unless the
// user is empty.
func StartProxy(t testing.TB, user, password string) *Proxy {
	t.Helper()
	l := listen(t, "tcp", "127.0.0.1:0", nil)
	p := &Proxy{Address: l.Addr().String(), user: user, password: password}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *Proxy) serve(c net.Conn) {
	port, err := p.greet(c)
	if err != nil {
		c.Close()
		return
	}
	p.Served.Add(1)
	pass(c, port, 64<<10)
}

// greet returns the port of this machine that the client wants.
func (p *Proxy) greet(c net.Conn) (port string, err error) {
	read := func(n byte) []byte {
		b := make([]byte, n)
		if _, e := io.ReadFull(c, b); e != nil {
			err = e
			clear(b)
		}
		return b
	}
	answer := func(b ...byte) {
		if _, e := c.Write(b); e != nil {
			err = e
		}
	}
	read(read(2)[1])
	if p.user == "" {
		answer(5, 0)
	} else {
		answer(5, 2)
		user := string(read(read(2)[1]))
		if password := string(read(read(1)[0])); user != p.user || password != p.password {
			answer(1, 1)
			return "", errors.New("wrong password")
		}
		answer(1, 0)
	}
	host := ""
	switch kind := read(4)[3]; kind {
	case 1:
		host = net.IP(read(4)).String()
	case 3:
		host = string(read(read(1)[0]))
	}
	number := read(2)
	target, e := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, "0"))
	if err == nil && (e != nil || !target.IP.IsLoopback()) {
		answer(5, 4, 0, 1, 0, 0, 0, 0, 0, 0) // host unreachable
		return "", errors.New("not of this machine")
	}
	answer(5, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	return (&net.TCPAddr{Port: int(number[0])<<8 | int(number[1])}).String()[1:], err
}
