package listen

import (
	"crypto/tls"
	"net"

	"github.com/mqttcore/mqttcore/examples/internal/netio"
)

// Conn is a connection that may speak MQTT. Without TLS and WebSocket the
// net.Conn is the *net.TCPConn or *net.UnixConn itself.
type Conn struct {
	net.Conn
	Listener *Listener
	// User is the user name from the client's certificate, if HasUser.
	User    string
	HasUser bool

	socket net.Conn  // below TLS and WebSocket
	tls    *tls.Conn // nil without
	Place
}

// Revoked returns why the list of revoked certificates, as it was read last, lets
// the client in no more; nil if it does, or there is none.
func (c *Conn) Revoked() error {
	if c.tls == nil {
		return nil
	}
	if verify := c.Listener.tls.Load().VerifyConnection; verify != nil {
		return verify(c.tls.ConnectionState())
	}
	return nil
}

// Close closes the socket, without a word of TLS or WebSocket, and gives its
// place at the Gate free. It does not wait.
func (c *Conn) Close() error {
	defer c.Release()
	return c.socket.Close()
}

// CloseWrite tells the client that nothing more will come. It does not wait:
// the last words of TLS and WebSocket go out in the background.
func (c *Conn) CloseWrite() error {
	if c.Conn != c.socket {
		go netio.CloseWrite(c.Conn)
		return nil
	}
	netio.CloseWrite(c.Conn)
	return nil
}

// WriteBuffers writes all buffers in as few system calls, records and frames as
// there can be.
func (c *Conn) WriteBuffers(bufs net.Buffers) error { return netio.Write(c.Conn, bufs) }
