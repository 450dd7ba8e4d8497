package session

import (
	"errors"
	"fmt"

	"github.com/mqttcore/mqttcore/codec"
)

// The classes of what goes wrong, for use with errors.Is.
var (
	// ErrState is the class of calls that do not fit the state of the
	// connection, such as a second Accept.
	ErrState = errors.New("not possible in this state")
	// ErrLimit is the class of packets that break a limit which the peer
	// announced, such as Maximum QoS. (v5.0 3.1.2.11, 3.2.2.3)
	ErrLimit = errors.New("over a limit of the peer")
	// ErrQueueFull tells that the queue of outgoing messages has no room.
	ErrQueueFull = errors.New("queue is full")
	// ErrExhausted tells that every packet identifier is in use.
	ErrExhausted = errors.New("all packet identifiers are in use")
	// ErrUnknownToken tells that no message or request has this token.
	ErrUnknownToken = errors.New("unknown token")
	// ErrSessionLost is the fate of messages that were under way when the
	// session state was lost. Whether the peer got them is not known.
	ErrSessionLost = errors.New("session state was lost")
	// ErrExpired is the fate of messages whose Message Expiry Interval passed
	// before they were sent. (v5.0 3.3.2.3.3)
	ErrExpired = errors.New("message expired")
	// ErrEnded is the fate of requests whose connection ended before the
	// answer came.
	ErrEnded = errors.New("connection ended before the answer")
	// ErrIncomplete tells that the connection ended within the payload of a
	// message that comes or goes in pieces.
	ErrIncomplete = errors.New("connection ended within the payload")
	// ErrAborted is the end of a connection on which Abort gave up a payload.
	ErrAborted = errors.New("payload was given up")
	// ErrErased is the fate of messages that Erase removed.
	ErrErased = errors.New("message was erased")
	// ErrWithheld is the fate of messages that Withhold gave up.
	ErrWithheld = errors.New("message is withheld")
	// ErrTimeout tells that the peer did not do in time what it has to:
	// CONNECT, CONNACK, AUTH, PINGRESP, or any packet within the Keep Alive.
	ErrTimeout = errors.New("peer did not answer in time")
	// ErrRefused tells that the connection was refused by CONNACK or, by a broker,
	// before CONNECT came.
	ErrRefused = errors.New("connection refused")
	// ErrDisconnected tells that the peer ended the connection by DISCONNECT
	// with a reason code of 0x80 or above.
	ErrDisconnected = errors.New("disconnected by the peer")
	// ErrTransport tells that the transport was closed below the connection
	// and no cause was given to Closed.
	ErrTransport = errors.New("transport closed")
	// ErrCorrupt is the class of stored session states that cannot be read.
	ErrCorrupt = errors.New("stored session state is damaged")
)

// Error is what a method refuses to do. The method changed nothing.
type Error struct {
	// Op names the method, such as "Publish".
	Op string
	// Rule is the statement of the standard that would be broken, if any.
	Rule string
	// Code is the v5.0 reason code that fits.
	Code codec.ReasonCode
	// Detail says in words what is wrong; may be empty.
	Detail string
	// Err is the class of the error, or an *codec.Error of the packet.
	Err error
}

// Error returns one line that names the method, the class and the detail.
func (e *Error) Error() string {
	s := "mqtt: " + e.Op + ": " + e.Err.Error()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Rule != "" {
		s += " [" + e.Rule + "]"
	}
	return s
}

// Unwrap returns the class of the error.
func (e *Error) Unwrap() error { return e.Err }

// Reason returns the v5.0 reason code that fits the error.
func (e *Error) Reason() codec.ReasonCode { return e.Code }

func stateError(op string, status Status) error {
	return &Error{Op: op, Err: ErrState, Code: codec.ReasonProtocolError, Detail: "the connection is " + status.String()}
}

func misuse(op, detail string) error {
	return &Error{Op: op, Err: ErrState, Code: codec.ReasonProtocolError, Detail: detail}
}

// overLimit reports a packet that the peer has excluded.
func overLimit(op, rule string, code codec.ReasonCode, detail string) error {
	return &Error{Op: op, Err: ErrLimit, Rule: rule, Code: code, Detail: detail}
}

// violation returns the error for something that the peer may not do now. The
// rule is named for v5.0 and v3.1.1 as these number them.
func (c *core) violation(t codec.PacketType, v5, v311 string, code codec.ReasonCode, format string, args ...any) error {
	rule := v311
	if c.version.IsV5() {
		rule = v5
	}
	class := codec.ErrProtocol
	if code == codec.ReasonPacketTooLarge {
		class = codec.ErrTooLarge
	}
	return &codec.Error{
		Packet:  t,
		Version: c.version.Base(),
		Offset:  -1,
		Rule:    rule,
		Code:    code,
		Detail:  fmt.Sprintf(format, args...),
		Err:     class,
	}
}

// reasonOf returns the reason code that fits an error.
func reasonOf(err error) codec.ReasonCode {
	var r interface{ Reason() codec.ReasonCode }
	if errors.As(err, &r) {
		return r.Reason()
	}
	return codec.ReasonUnspecifiedError
}
