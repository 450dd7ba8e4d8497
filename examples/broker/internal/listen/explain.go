package listen

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
)

// explainListen says why an address cannot be had, and what to do.
func explainListen(address string, err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%s is in use; stop the program that has it, or choose another port", address)
	case errors.Is(err, os.ErrPermission):
		if _, _, err := net.SplitHostPort(address); err == nil {
			return fmt.Errorf("%s may not be used by this user; choose a port from 1024", address)
		}
		return fmt.Errorf("a socket may not be made at %s by this user; choose another folder", address)
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no folder for the socket %s; make it first", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns):
		return fmt.Errorf("%s is no address of this machine; check the host", address)
	case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("%s is too long for a socket; choose a path of at most 100 bytes", address)
	}
	return fmt.Errorf("cannot listen on %s: %v; check the address", address, root(err))
}

// explainAccept says why connections are not accepted.
func explainAccept(err error) string {
	switch {
	case errors.Is(err, syscall.EMFILE):
		return "no more file descriptors; raise the limit (ulimit -n), or lower that of connections"
	case errors.Is(err, syscall.ENFILE):
		return "this machine has no more file descriptors (fs.file-max)"
	}
	return root(err).Error()
}

// explainHandshake says what was wrong with a handshake.
func explainHandshake(err error) string {
	var header tls.RecordHeaderError
	var invalid x509.CertificateInvalidError
	var authority x509.UnknownAuthorityError
	var op *net.OpError
	var plain *handshakeError
	switch {
	case errors.As(err, &plain):
		return plain.text
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "the client took too long"
	case errors.Is(err, net.ErrClosed):
		return "the listener was closed"
	case errors.As(err, &header):
		return "the client does not speak TLS"
	case errors.As(err, &authority):
		return "the client's certificate comes from nobody in cafile or capath"
	case errors.As(err, &invalid):
		return "the client's certificate is not valid: " + invalid.Error()
	case errors.As(err, &op) && op.Op == "remote error":
		return "the client ended the handshake: " + strings.TrimPrefix(root(err).Error(), "tls: ")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the client went away"
	}
	return strings.TrimPrefix(root(err).Error(), "tls: ")
}

// handshakeError says in words for people why a handshake was refused.
type handshakeError struct{ text string }

func (e *handshakeError) Error() string { return e.text }

func refusef(format string, args ...any) error { return &handshakeError{fmt.Sprintf(format, args...)} }

// root returns the innermost error, which says what happened without the names
// of the calls.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}
