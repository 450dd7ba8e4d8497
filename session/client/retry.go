package client

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// Failure is how an attempt to connect failed, or how a connection ended that
// nobody asked to end.
type Failure struct {
	// Err is the cause: of the driver, or what the Close event had. It is nil
	// after a DISCONNECT with a reason code below 0x80.
	Err error
	// Reason is the code of CONNACK or DISCONNECT, otherwise that of the Close
	// event; 0 if there was no connection. v3.1.1 return codes are mapped to
	// v5.0 reason codes.
	Reason codec.ReasonCode
	// Refused tells that the server refused CONNECT, Disconnected that it sent
	// DISCONNECT.
	Refused, Disconnected bool
	// Server is the Server Reference that came with it. (v5.0 4.11)
	Server string
	// Attempt is the number of the attempt in its row, from 1.
	Attempt int
	// Lived is how long the connection stood, 0 if it never did.
	Lived time.Duration
}

// DefaultRetry reports whether another attempt makes sense. It does not after
// a refusal that the same CONNECT would meet again: malformed, wrong version,
// Client Identifier, credentials, authorisation, banned, a Will that the server
// cannot take; nor after the session was taken over, since two clients with the
// same Client Identifier would end each other's connections for ever; nor after
// the server has moved without saying where to. (v3.1.1 3.2.2.3, v5.0 3.2.2.2,
// 3.14.2.1, 4.11)
func DefaultRetry(f Failure) bool {
	switch {
	case f.Refused:
		switch f.Reason {
		case codec.ReasonUnspecifiedError, codec.ReasonImplementationSpecificError,
			codec.ReasonServerUnavailable, codec.ReasonServerBusy, codec.ReasonQuotaExceeded,
			codec.ReasonUseAnotherServer, codec.ReasonConnectionRateExceeded:
			return true
		}
		return f.moved()
	case f.Disconnected:
		switch f.Reason {
		case codec.ReasonNotAuthorized, codec.ReasonSessionTakenOver, codec.ReasonBadAuthenticationMethod:
			return false
		case codec.ReasonServerMoved:
			return f.moved()
		}
	}
	return true
}

// moved reports whether the server has moved for good and said where to.
func (f *Failure) moved() bool { return f.Reason == codec.ReasonServerMoved && f.Server != "" }

// redirects reports whether the failure names another server.
func (f *Failure) redirects() bool {
	return f.Server != "" && (f.Reason == codec.ReasonUseAnotherServer || f.Reason == codec.ReasonServerMoved)
}

// delay returns the wait after the given number of failures in a row.
func (b *Backoff) delay(failures int) time.Duration {
	d := float64(b.Minimum)
	for i := 1; i < failures && d < float64(b.Maximum); i++ {
		d *= b.Factor
	}
	d = min(d, float64(b.Maximum))
	if b.Random != nil && b.Jitter > 0 {
		r := b.Random()
		if !(r >= 0 && r <= 1) {
			r = 0
		}
		d -= d * min(b.Jitter, 1) * r
	}
	return time.Duration(d)
}
