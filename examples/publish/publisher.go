package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// publisher sends the messages of a source and waits for their end.
type publisher struct {
	*options
	env      *cli.Env
	line     *cli.Line
	messages <-chan message // nil once the last one was taken

	interrupted bool
	leaving     bool
	lost        bool  // a message of QoS 0
	open        int   // messages that have no outcome yet
	failure     error // the first thing that went wrong

	last  []byte           // the message that --repeat sends again
	left  int              // how often
	pause <-chan time.Time // of --repeat-delay
}

// Above these the source has to wait.
const (
	maxBacklog = 1 << 20
	maxOpen    = 1000
)

// run drives the client to its end.
func (p *publisher) run(ctx context.Context) error {
	p.line.Again = p.lines || p.repeat > 1
	if err := p.line.Start(); err != nil {
		return err
	}
	stop := ctx.Done()
	for {
		for ev := range p.line.Events() {
			p.line.Note(&ev)
			if ev.Kind == client.Stopped {
				return p.finish(&ev)
			}
			p.handle(&ev)
		}
		if p.done() {
			p.leave()
			continue
		}
		select {
		case h := <-p.line.Happened():
			p.line.Handle(h)
		case m, ok := <-p.source():
			p.take(m, ok)
		case <-p.pause:
			p.pause = nil
			p.again()
		case <-stop:
			stop = nil
			p.interrupted = true
			p.leave()
		}
	}
}

// done reports whether everything was sent and there is a connection to leave.
func (p *publisher) done() bool {
	return p.line.Connected && !p.leaving && p.messages == nil && p.open == 0 && p.left == 0
}

// source returns the channel of messages while there is room for more.
func (p *publisher) source() <-chan message {
	if !p.line.Connected || p.leaving || p.open >= maxOpen || p.line.Backlog() >= maxBacklog {
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
		p.last, p.left = m.payload, p.repeat-1
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

// send hands one message to the client.
func (p *publisher) send(payload []byte) error {
	_, err := p.line.Client.Publish(time.Now(), &codec.Publish{
		Topic: codec.Bytes(p.topic), QoS: p.qos.Codec(), Retain: p.retain,
		Properties: p.Properties.Publish, Payload: payload,
	})
	if err == nil {
		p.open++
	}
	return err
}

// again sends the message of --repeat once more.
func (p *publisher) again() {
	if p.leaving || p.left == 0 {
		return
	}
	p.left--
	if err := p.send(p.last); err != nil {
		p.fail(p.unsent(err))
	}
}

func (p *publisher) handle(ev *client.Event) {
	switch ev.Kind {
	case client.Published:
		p.open--
		// A broker that has finished with a QoS 2 message before the connection
		// was lost does not know its identifier any more; it has the message.
		if ev.Reason.IsError() && ev.Reason != codec.ReasonPacketIdentifierNotFound {
			p.fail(cli.Failf(cli.ExitDenied, "the broker refused the message: %v; check the topic, or ask for the right to publish", ev.Reason))
		}
		p.through()
	case client.Dropped:
		p.open--
		switch {
		case ev.Publish == nil && errors.Is(ev.Err, session.ErrSessionLost):
			// It got as far as PUBREC: the broker has it.
		case ev.Publish == nil:
			p.lost = true
			p.env.Complain("a message of QoS 0 was lost with the connection")
		default:
			p.fail(p.unsent(ev.Err))
		}
		p.through()
	}
}

// through goes on with --repeat once a message has its outcome.
func (p *publisher) through() {
	switch {
	case p.left == 0 || p.leaving || p.open > 0:
	case p.delay > 0:
		p.pause = time.After(p.delay)
	default:
		p.again()
	}
}

// unsent explains why the session would not send a message.
func (p *publisher) unsent(err error) error {
	var e *session.Error
	if !errors.As(err, &e) || !errors.Is(err, session.ErrLimit) {
		return cli.Failf(cli.ExitDenied, "the message was not sent: %v", err)
	}
	advice := "the broker does not take it"
	limits := p.line.Client.Session().Limits()
	switch e.Code {
	case codec.ReasonPacketTooLarge:
		advice = fmt.Sprintf("the broker takes packets of at most %d bytes", limits.MaximumPacketSize)
	case codec.ReasonQoSNotSupported:
		advice = fmt.Sprintf("the broker offers QoS up to %d; lower -q", limits.MaximumQoS)
	case codec.ReasonRetainNotSupported:
		advice = "the broker keeps no retained messages; leave -r out"
	case codec.ReasonTopicAliasInvalid:
		advice = fmt.Sprintf("the broker takes topic aliases up to %d", limits.TopicAliasMaximum)
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

// leave ends the client.
func (p *publisher) leave() {
	if !p.leaving {
		p.leaving = true
		p.line.Stop(p.interrupted)
	}
}

// finish closes the connection and says how the program ends.
func (p *publisher) finish(ev *client.Event) error {
	patience := time.Duration(0)
	if p.interrupted {
		patience = time.Second
	}
	p.line.Close(patience)
	switch {
	case p.failure != nil:
		return p.failure
	case p.interrupted && (p.open > 0 || p.messages != nil || p.left > 0 || !p.line.Ever):
		return cli.Failf(cli.ExitInterrupted, "interrupted before everything was acknowledged")
	case ev.Err != nil || !p.leaving || p.lost && !p.line.Again:
		return p.line.End(ev)
	}
	return nil
}
