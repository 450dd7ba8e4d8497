package client

import (
	"errors"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// The classes of what goes wrong beyond those of package session, for use with
// errors.Is.
var (
	// ErrStopped is the fate of requests that waited for their response when
	// the client stopped.
	ErrStopped = errors.New("client stopped")
	// ErrNoResponse is the fate of requests whose time limit passed.
	ErrNoResponse = errors.New("no response in time")
	// ErrNoResponseTopic tells that a request has no Response Topic: none was
	// given and the server sent no Response Information; or, of Respond, that
	// the message is no request. (v5.0 3.3.2.3.5, 4.10.1)
	ErrNoResponseTopic = errors.New("no response topic")
	// ErrRefused is the class of filters and messages that the server refused
	// where something else depended on them.
	ErrRefused = errors.New("refused by the server")
)

func (c *Client) stateError(op string) error {
	return &session.Error{Op: op, Err: session.ErrState, Code: codec.ReasonProtocolError, Detail: "the client is " + c.link.status.String()}
}

func misuse(op, detail string) error {
	return &session.Error{Op: op, Err: session.ErrState, Code: codec.ReasonProtocolError, Detail: detail}
}

// refusal returns the error for a reason code of the server.
func refusal(op string, code codec.ReasonCode) error {
	return &session.Error{Op: op, Err: ErrRefused, Code: code, Detail: code.String()}
}

// reasonOf returns the reason code that fits an error.
func reasonOf(err error) codec.ReasonCode {
	var r interface{ Reason() codec.ReasonCode }
	if errors.As(err, &r) {
		return r.Reason()
	}
	return codec.ReasonUnspecifiedError
}
