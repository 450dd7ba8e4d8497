package server

import (
	"crypto/tls"
	"path/filepath"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// dialTLS connects with a certificate of programtest.Certificates.
func (r *rig) dialTLS(folder, name string) *peer {
	r.t.Helper()
	cfg := programtest.ServerTLS(r.t, folder, name, true) // its certificate and authority are the client's too
	cfg.RootCAs = cfg.ClientCAs
	c, err := tls.Dial("tcp", r.address, cfg)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(limit)); err != nil {
		r.t.Fatal(err)
	}
	return &peer{Conn: c, t: r.t, r: codec.NewReader(c, codec.V5, 0)}
}

// A client whose certificate is on a list that is read again is disconnected, also
// if something else cannot be read then; others stay.
func TestRevokedAreDisconnected(t *testing.T) {
	folder := programtest.Certificates(t)
	file := func(name string) string { return filepath.Join(folder, name) }
	programtest.Revoke(t, folder, file("crl"), "ca", time.Hour)
	write(t, file("acl"), "topic #\n")
	r := start(t, nil, func(c *config.Config) {
		l := c.Listeners[0]
		l.Access.ACLFile = file("acl")
		l.TLS = &config.TLS{
			CertFile: file("server.pem"), KeyFile: file("server.key"), CAFile: file("ca.pem"), CRLFile: file("crl"),
			RequireCertificate: true, UseIdentityAsUsername: true,
		}
	})
	client, other := r.dialTLS(folder, "client"), r.dialTLS(folder, "other")
	client.connect("client")
	other.connect("other")
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	client.send(&codec.Pingreq{})
	client.expect(codec.TypePingresp)

	programtest.Revoke(t, folder, file("crl"), "ca", time.Hour, "client")
	write(t, file("acl"), "nonsense\n")
	if err := r.server.Reload(); err == nil {
		t.Error("no error")
	}
	if got := client.expect(codec.TypeDisconnect).(*codec.Disconnect); got.ReasonCode != codec.ReasonNotAuthorized {
		t.Errorf("got %v", got)
	}
	r.log.await(t, `the certificate of \"CN=client\" was revoked`)
	other.send(&codec.Pingreq{})
	other.expect(codec.TypePingresp)

	// One whose handshake was over before, and that is served only now.
	programtest.Revoke(t, folder, file("crl"), "ca", time.Hour, "other")
	if err := r.server.options.Listeners[0].Reload(); err != nil {
		t.Fatal(err)
	}
	r.await(func() bool {
		late := newStream(r.server, r.conn(other).link.(*stream).in)
		r.server.open(&late.conn)
		go late.release()
		return true
	})
	r.log.await(t, `the certificate of \"CN=other\" was revoked`)
}
