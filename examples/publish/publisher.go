package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/client"
)

// publisher sends the messages of a source and waits for their end.
type publisher struct {
	*options
	env      *cli.Env
	link     *client.Link
	messages <-chan message // nil once the last one was taken

	connected   bool
	interrupted bool
	leaving     bool  // Disconnect was called
	open        int   // messages that are not acknowledged
	failure     error // the first thing that went wrong
}

// Above these the source has to wait.
const (
	maxBacklog = 1 << 20
	maxOpen    = 1000
)

// run drives the connection to its end.
func (p *publisher) run(ctx context.Context) error {
	stop := ctx.Done()
	for {
		for ev := range p.link.Events() {
			if ev.Kind == events.Close {
				return p.finish(ev.Err)
			}
			p.handle(&ev)
		}
		if p.connected && !p.leaving && p.messages == nil && p.open == 0 {
			p.leave()
			continue
		}
		select {
		case h := <-p.link.Happened():
			p.link.Handle(h)
		case m, ok := <-p.source():
			p.take(m, ok)
		case <-stop:
			stop = nil
			p.interrupted = true
			p.leave()
		}
	}
}

// source returns the channel of messages while there is room for more.
func (p *publisher) source() <-chan message {
	if !p.connected || p.leaving || p.open >= maxOpen || p.link.Backlog() >= maxBacklog {
		return nil
	}
	return p.messages
}

// take sends a message, and what else is there without waiting.
func (p *publisher) take(m message, ok bool) {
	for n := 1; ; n++ {
		switch {
		case !ok:
			p.messages = nil
			return
		case m.err != nil:
			p.fail(inputFailure(m.err))
			return
		}
		if err := p.send(m.payload); err != nil {
			p.fail(p.unsent(err))
			return
		}
		if n == linesInAdvance || p.source() == nil || len(m.payload) >= largePayload {
			return
		}
		select {
		case m, ok = <-p.messages:
		default:
			return
		}
	}
}

func (p *publisher) handle(ev *events.Event) {
	switch ev.Kind {
	case events.Connected:
		p.connected = true
	case events.Refused:
		p.failure = cli.Refused(p.Address(), ev.Packet.(*codec.Connack))
	case events.Published:
		p.open--
		if ev.Reason.IsError() {
			p.fail(cli.Failf(cli.ExitDenied, "the broker refused the message: %v; check the topic, or ask for the right to publish", ev.Reason))
		}
	case events.Dropped:
		if ev.QoS > codec.QoS0 {
			p.open--
		}
		p.fail(p.unsent(ev.Err))
	}
}

// unsent explains why the session would not send a message.
func (p *publisher) unsent(err error) error {
	var e *session.Error
	if !errors.As(err, &e) || !errors.Is(err, session.ErrLimit) {
		return cli.Failf(cli.ExitDenied, "the message was not sent: %v", err)
	}
	advice := "the broker does not take it"
	switch e.Code {
	case codec.ReasonPacketTooLarge:
		advice = fmt.Sprintf("the broker takes packets of at most %d bytes", p.link.Session.Limits().MaximumPacketSize)
	case codec.ReasonQoSNotSupported:
		advice = fmt.Sprintf("the broker offers QoS up to %d; lower -q", p.link.Session.Limits().MaximumQoS)
	case codec.ReasonRetainNotSupported:
		advice = "the broker keeps no retained messages; leave -r out"
	case codec.ReasonTopicAliasInvalid:
		advice = fmt.Sprintf("the broker takes topic aliases up to %d", p.link.Session.Limits().TopicAliasMaximum)
	}
	return cli.Failf(cli.ExitDenied, "the message was not sent: %s", advice)
}

// fail remembers what went wrong first, and ends the connection.
func (p *publisher) fail(err error) {
	if p.failure == nil {
		p.failure = err
	}
	p.leave()
}

// leave ends the connection by DISCONNECT, if one can be sent still.
func (p *publisher) leave() {
	if p.leaving {
		return
	}
	p.leaving = true
	if err := p.link.Session.Disconnect(time.Now(), p.Disconnect(p.interrupted)); err != nil {
		p.link.Session.Closed(time.Now(), nil)
	}
}

// finish closes the connection and says how the program ends.
func (p *publisher) finish(err error) error {
	patience := time.Duration(0)
	if p.interrupted {
		patience = time.Second
	}
	p.link.Close(patience)
	switch {
	case p.failure != nil:
		return p.failure
	case p.interrupted && (p.open > 0 || p.messages != nil || !p.connected):
		return cli.Failf(cli.ExitInterrupted, "interrupted before everything was acknowledged")
	case err != nil || !p.leaving:
		return cli.Ended(p.Address(), err, p.connected)
	}
	return nil
}
