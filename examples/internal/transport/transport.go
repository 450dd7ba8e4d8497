// Package transport opens connections to MQTT brokers: over TCP, TLS, WebSocket
// and Unix sockets. Whatever it is, it comes as a net.Conn that carries bytes.
package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/net/proxy"
)

// Options say where to connect to, and how.
type Options struct {
	// Host and Port name the broker, unless Unix does.
	Host, Port string
	// Unix is the path of a Unix socket; empty for none.
	Unix string
	// Bind is the local address to connect from; empty for any.
	Bind string
	// Proxy is a SOCKS5 proxy to connect through, which looks Host up; nil for
	// none.
	Proxy *Proxy
	// TLS is nil for none.
	TLS *tls.Config
	// WebSocket puts MQTT into the frames of a WebSocket at Path.
	WebSocket bool
	Path      string
	// Timeout bounds the time until the connection stands, handshakes
	// included; 0 stands for 10 s.
	Timeout time.Duration
}

// Proxy is a SOCKS5 proxy. Without User it is asked for no authentication.
type Proxy struct {
	Address        string // host:port
	User, Password string
}

// ProxyError tells that there is no connection through a proxy.
type ProxyError struct {
	Address string
	Err     error
}

func (e *ProxyError) Error() string { return "proxy " + e.Address + ": " + e.Err.Error() }
func (e *ProxyError) Unwrap() error { return e.Err }

const defaultTimeout = 10 * time.Second

// subprotocol is the name of MQTT among those of WebSocket. (v3.1.1 and v5.0 6)
const subprotocol = "mqtt"

// ErrSubprotocol tells that a WebSocket server does not speak MQTT.
var ErrSubprotocol = errors.New("the WebSocket there is not for MQTT")

// Address names the broker for people.
func (o *Options) Address() string {
	if o.Unix != "" {
		return o.Unix
	}
	return net.JoinHostPort(o.Host, o.Port)
}

// At returns the options for another server of the same kind, which is named as
// in a Server Reference: a host, perhaps with a port. (v5.0 4.11)
func (o Options) At(server string) Options {
	if server, _, _ = strings.Cut(server, " "); server == "" {
		return o
	}
	o.Unix = ""
	if host, port, err := net.SplitHostPort(server); err == nil {
		o.Host, o.Port = host, port
	} else {
		o.Host = strings.Trim(server, "[]")
	}
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
		o.TLS.ServerName = o.Host
	}
	return o
}

// Dial opens a connection.
func (o *Options) Dial(ctx context.Context) (net.Conn, error) {
	timeout := o.Timeout
	if timeout == 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if o.WebSocket {
		return o.dialWebSocket(ctx)
	}
	conn, err := o.dialPlain(ctx)
	if err != nil || o.TLS == nil {
		return conn, err
	}
	secure := tls.Client(conn, o.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// dialPlain opens what is below TLS and WebSocket.
func (o *Options) dialPlain(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if o.Unix != "" {
		return d.DialContext(ctx, "unix", o.Unix)
	}
	if o.Bind != "" {
		local, err := net.ResolveTCPAddr("tcp", net.JoinHostPort(o.Bind, "0"))
		if err != nil {
			return nil, err
		}
		d.LocalAddr = local
	}
	if o.Proxy != nil {
		return o.dialProxy(ctx, &d)
	}
	return d.DialContext(ctx, "tcp", net.JoinHostPort(o.Host, o.Port))
}

// dialProxy opens a connection through the proxy, which d connects to.
func (o *Options) dialProxy(ctx context.Context, d *net.Dialer) (net.Conn, error) {
	var auth *proxy.Auth
	if o.Proxy.User != "" {
		auth = &proxy.Auth{User: o.Proxy.User, Password: o.Proxy.Password}
	}
	through, err := proxy.SOCKS5("tcp", o.Proxy.Address, auth, d)
	if err != nil {
		return nil, &ProxyError{o.Proxy.Address, err}
	}
	c, err := through.(proxy.ContextDialer).DialContext(ctx, "tcp", net.JoinHostPort(o.Host, o.Port))
	if err != nil {
		return nil, &ProxyError{o.Proxy.Address, err}
	}
	return c, nil
}

// dialWebSocket opens a WebSocket. Its bytes go in binary frames, and packets
// need not keep to their borders. (v3.1.1 and v5.0 6)
func (o *Options) dialWebSocket(ctx context.Context) (net.Conn, error) {
	u := url.URL{Scheme: "ws", Host: net.JoinHostPort(o.Host, o.Port), Path: o.Path}
	if o.TLS != nil {
		u.Scheme = "wss"
	}
	web := &http.Transport{
		DialContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return o.dialPlain(ctx) },
		TLSClientConfig: o.TLS,
	}
	c, response, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: web},
		Subprotocols: []string{subprotocol},
	})
	if err != nil {
		if response != nil {
			return nil, fmt.Errorf("no WebSocket at %s: %s", u.String(), response.Status)
		}
		return nil, err
	}
	if c.Subprotocol() != subprotocol {
		_ = c.CloseNow() // there is nothing to say to it
		return nil, ErrSubprotocol
	}
	return &webSocket{websocket.NetConn(context.Background(), c, websocket.MessageBinary), c}, nil
}

// webSocket is a WebSocket as a stream of bytes.
type webSocket struct {
	net.Conn
	c *websocket.Conn
}

// CloseWrite sends the closing frame. It does not wait for that of the peer,
// which ends the reading.
func (w *webSocket) CloseWrite() error {
	go func() { _ = w.c.Close(websocket.StatusNormalClosure, "") }() // it may be gone already
	return nil
}

func (w *webSocket) Close() error { return w.c.CloseNow() }
