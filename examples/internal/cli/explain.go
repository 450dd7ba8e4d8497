package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"

	"github.com/mqttcore/mqttcore/examples/internal/transport"
)

// Unreachable explains why there is no connection to the broker.
func Unreachable(address string, err error) error {
	var dns *net.DNSError
	var sess *session.Error
	var proxy *transport.ProxyError
	if text := untrusted(err); text != "" {
		return Failf(ExitUnreachable, "%s cannot be trusted: %s", address, text)
	}
	switch host, port, _ := net.SplitHostPort(address); {
	case errors.Is(err, context.Canceled):
		return Failf(ExitInterrupted, "interrupted while connecting to %s", address)
	case errors.As(err, &sess):
		return Usagef("CONNECT cannot be sent: %v", err)
	case errors.As(err, &proxy):
		return unproxied(address, proxy)
	case errors.As(err, &dns):
		return Failf(ExitUnreachable, "host %q is not known; check -h", host)
	case errors.Is(err, syscall.ECONNREFUSED):
		return Failf(ExitUnreachable, "nothing listens on %s; start a broker there (go run ./broker -p %s) or name another with -h and -p", address, port)
	case errors.Is(err, io.EOF):
		return Failf(ExitUnreachable, "%s closed the connection in the handshake; does it speak TLS or WebSocket? check -p", address)
	case errors.Is(err, os.ErrNotExist):
		return Failf(ExitUnreachable, "there is no socket %s; check --unix", address)
	case errors.Is(err, transport.ErrSubprotocol):
		return Failf(ExitUnreachable, "%s has a WebSocket, but not for MQTT; check the path of -L", address)
	case errors.Is(err, os.ErrDeadlineExceeded), isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return Failf(ExitUnreachable, "no answer from %s; check -h and -p, and the firewalls in between", address)
	default:
		return Failf(ExitUnreachable, "cannot connect to %s: %v; check -h and -p", address, root(err))
	}
}

// unproxied explains why a proxy makes no connection.
func unproxied(address string, err *transport.ProxyError) error {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return Failf(ExitUnreachable, "the proxy %s is not known; check --proxy", err.Address)
	case errors.Is(err, syscall.ECONNREFUSED):
		return Failf(ExitUnreachable, "nothing listens on %s; check --proxy", err.Address)
	case isTimeout(err), errors.Is(err, context.DeadlineExceeded):
		return Failf(ExitUnreachable, "no answer through the proxy %s; check --proxy, -h and -p", err.Address)
	}
	return Failf(ExitUnreachable, "the proxy %s does not connect to %s: %v; check --proxy, -h and -p", err.Address, address, root(err))
}

// untrusted explains why TLS failed, or returns "".
func untrusted(err error) string {
	var name x509.HostnameError
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	switch {
	case errors.As(err, &name):
		return "its certificate is for another host; check -h, or add --insecure"
	case errors.As(err, &authority):
		return "its certificate comes from nobody who is trusted here; name its authority by --cafile"
	case errors.As(err, &invalid):
		return invalid.Error()
	case errors.As(err, &header):
		return "it does not speak TLS; check -p"
	case alert(err) != "":
		return "it ended the handshake (" + alert(err) + "); check --cert, --key, --tls-version and --ciphers"
	}
	return ""
}

// alert returns what the other side of TLS objects to, or "".
func alert(err error) string {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return ""
	}
	return strings.TrimPrefix(root(err).Error(), "tls: ")
}

// refusedCode returns the exit code for a refusal.
func refusedCode(v codec.Version, code codec.ReasonCode) int {
	if !v.IsV5() {
		if old, ok := code.ConnackV311(); ok {
			return int(old)
		}
		return ExitRefused
	}
	return int(code)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// root returns the innermost error, which says what happened without the
// names of the calls.
func root(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Refused explains a CONNACK that refuses the connection. The exit code is the
// return code of v3.1.1 or the reason code of v5.0, as that of mosquitto's
// clients.
func Refused(address string, v codec.Version, ack *codec.Connack) error {
	advice := map[codec.ReasonCode]string{
		codec.ReasonUnsupportedProtocolVersion:  "try another version with -V",
		codec.ReasonClientIdentifierNotValid:    "choose another identifier with -i",
		codec.ReasonBadUserNameOrPassword:       "check -u and -P",
		codec.ReasonNotAuthorized:               "give a user name and a password with -u and -P, or others",
		codec.ReasonServerUnavailable:           "try again later",
		codec.ReasonServerBusy:                  "try again later",
		codec.ReasonBadAuthenticationMethod:     "leave authentication-method out",
		codec.ReasonTopicNameInvalid:            "choose another --will-topic",
		codec.ReasonRetainNotSupported:          "leave --will-retain out",
		codec.ReasonQoSNotSupported:             "lower --will-qos",
		codec.ReasonUseAnotherServer:            "use another broker",
		codec.ReasonServerMoved:                 "use another broker",
		codec.ReasonUnspecifiedError:            "look at the broker's log",
		codec.ReasonImplementationSpecificError: "look at the broker's log",
	}[ack.ReasonCode]
	if advice == "" {
		advice = "look at the broker's log"
	}
	if text := ack.Properties.ReasonString; text.Set {
		advice = "it says: " + printable(text.Value)
	}
	if other := ack.Properties.ServerReference; other.Set {
		advice = "it names " + printable(other.Value)
	}
	return Failf(refusedCode(v, ack.ReasonCode), "the broker at %s refused the connection: %v; %s", address, ack.ReasonCode, advice)
}

// Ended explains why a connection ended before the work was done. answered
// tells whether CONNACK had come.
func Ended(address string, err error, answered bool) error {
	var refused *session.Error
	switch {
	case errors.Is(err, session.ErrTimeout) && !answered:
		return Failf(ExitLost, "%s accepts connections but does not answer CONNECT; is it an MQTT broker?", address)
	case errors.Is(err, session.ErrTimeout):
		return Failf(ExitLost, "the broker at %s does not answer any more; try again", address)
	case alert(err) != "":
		return Failf(ExitLost, "%s ended the connection by TLS (%s); check --cert and --key", address, alert(err))
	case errors.Is(err, session.ErrDisconnected) && errors.As(err, &refused):
		return Failf(ExitLost, "the broker at %s ended the connection: %s", address, refused.Detail)
	case !answered && (isEOF(err) || errors.Is(err, syscall.ECONNRESET)):
		return Failf(ExitLost, "%s closed the connection without an answer; does it want TLS (--cafile)? or try another version with -V, or look at its log", address)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Failf(ExitLost, "the broker at %s takes no more bytes; try again", address)
	case isEOF(err), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Failf(ExitLost, "the broker at %s closed the connection; look at its log", address)
	}
	var broken *codec.Error
	if errors.As(err, &broken) {
		return Failf(ExitLost, "%s sends what is not MQTT, or breaks its rules: %v", address, broken)
	}
	return Failf(ExitLost, "the connection to %s ended: %v", address, err)
}

func isEOF(err error) bool {
	return err == nil || errors.Is(err, io.EOF) || errors.Is(err, session.ErrTransport)
}

// File explains a file that cannot be read.
func File(name string, err error) error {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return Failf(ExitFile, "there is no file %q; check -f", name)
	case errors.Is(err, os.ErrPermission):
		return Failf(ExitFile, "file %q may not be read; check its permissions", name)
	}
	return Failf(ExitFile, "file %q cannot be read: %v; check -f", name, root(err))
}

// printable returns text of the peer without control characters.
func printable(b []byte) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, string(b))
}
