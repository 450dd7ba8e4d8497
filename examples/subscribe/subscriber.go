package main

import (
	"bufio"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/client"
	"github.com/mqttcore/mqttcore/examples/internal/format"
)

// subscriber prints what the broker sends.
type subscriber struct {
	*options
	env  *cli.Env
	link *client.Link
	out  *bufio.Writer
	line []byte // is used again

	connected   bool
	answers     int // that are still to come for SUBSCRIBE and UNSUBSCRIBE
	printed     int
	interrupted bool
	leaving     bool
	failure     error
}

func newSubscriber(o *options, env *cli.Env, link *client.Link) *subscriber {
	return &subscriber{options: o, env: env, link: link, out: bufio.NewWriterSize(env.Stdout, 64<<10)}
}

// run drives the connection to its end.
func (s *subscriber) run(ctx context.Context) error {
	stop := ctx.Done()
	var timeout <-chan time.Time
	if s.seconds > 0 {
		timeout = time.After(time.Duration(s.seconds * float64(time.Second)))
	}
	for {
		for ev := range s.link.Events() {
			if ev.Kind == events.Close {
				return s.finish(ev.Err)
			}
			s.handle(&ev)
		}
		if err := s.out.Flush(); err != nil && s.failure == nil {
			s.fail(cli.Failf(cli.ExitFile, "the output cannot be written: %v", err))
			continue
		}
		select {
		case h := <-s.link.Happened():
			s.link.Handle(h)
		case <-timeout:
			timeout = nil
			s.fail(cli.Failf(cli.ExitTimeout, "%v seconds have passed (-W)", s.seconds))
		case <-stop:
			stop = nil
			s.interrupted = true
			s.leave()
		}
	}
}

func (s *subscriber) handle(ev *events.Event) {
	switch ev.Kind {
	case events.Connected:
		s.connected = true
		s.request()
	case events.Refused:
		s.failure = cli.Refused(s.Address(), ev.Packet.(*codec.Connack))
	case events.Subscribed:
		s.subscribed(ev.Packet.(*codec.Suback))
		s.answered()
	case events.Unsubscribed:
		s.answered()
	case events.Message:
		s.message(ev)
	}
}

// request sends SUBSCRIBE and UNSUBSCRIBE.
func (s *subscriber) request() {
	now := time.Now()
	var errs []error
	if len(s.unsubscribe) > 0 {
		_, err := s.link.Session.Unsubscribe(now, s.unsubscribePacket())
		errs = append(errs, err)
		s.answers++
	}
	if len(s.topics) > 0 {
		_, err := s.link.Session.Subscribe(now, s.subscribePacket())
		errs = append(errs, err)
		s.answers++
	}
	if err := errors.Join(errs...); err != nil {
		s.fail(cli.Failf(cli.ExitDenied, "the subscription was not sent: %v", err))
	}
}

// subscribed looks at what the broker granted.
func (s *subscriber) subscribed(p *codec.Suback) {
	var refused []string
	for i, code := range p.ReasonCodes {
		if code.IsError() {
			refused = append(refused, s.topics[i]+" ("+code.Name(codec.TypeSuback)+")")
		}
	}
	switch {
	case len(refused) == 0:
	case len(refused) == len(s.topics):
		s.fail(cli.Failf(cli.ExitDenied, "the broker refused every subscription: %s; check -t, or ask for the right to subscribe", strings.Join(refused, ", ")))
	default:
		s.env.Complain("the broker refused %s; the other subscriptions stand", strings.Join(refused, ", "))
	}
}

// answered counts the answers to what was asked for.
func (s *subscriber) answered() {
	s.answers--
	if s.answers == 0 && (s.exitOnSuback || len(s.topics) == 0) {
		s.leave()
	}
}

// message prints a message, unless the flags leave it out.
func (s *subscriber) message(ev *events.Event) {
	p := ev.Publish
	switch {
	case s.leaving:
		return
	case s.retainedOnly && !p.Retain:
		s.leave()
		return
	case s.noRetained && p.Retain:
		return
	}
	for _, f := range s.filterOut {
		if codec.Match(f, p.Topic) {
			return
		}
	}
	s.print(ev)
	s.printed++
	if s.printed == s.count {
		s.leave()
	}
}

// print writes one message. Errors of the output are seen when it is flushed.
func (s *subscriber) print(ev *events.Event) {
	p := ev.Publish
	if s.format != nil {
		s.line = s.format.Append(s.line[:0], &format.Message{Publish: p, PacketID: ev.PacketID, At: time.Now()})
		_, _ = s.out.Write(s.line)
	} else {
		if s.verbose {
			_, _ = s.out.Write(p.Topic)
			_ = s.out.WriteByte(' ')
		}
		if s.verbose && len(p.Payload) == 0 {
			_, _ = s.out.WriteString("(null)")
		}
		_, _ = s.out.Write(p.Payload)
	}
	if !s.noNewline {
		_ = s.out.WriteByte('\n')
	}
}

// fail remembers what went wrong first, and ends the connection.
func (s *subscriber) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
	s.leave()
}

// leave ends the connection by DISCONNECT, if one can be sent still.
func (s *subscriber) leave() {
	if s.leaving {
		return
	}
	s.leaving = true
	if err := s.link.Session.Disconnect(time.Now(), s.Disconnect(s.interrupted)); err != nil {
		s.link.Session.Closed(time.Now(), nil)
	}
}

// finish closes the connection and says how the program ends.
func (s *subscriber) finish(err error) error {
	s.link.Close(time.Second)
	if e := s.out.Flush(); e != nil && s.failure == nil {
		s.failure = cli.Failf(cli.ExitFile, "the output cannot be written: %v", e)
	}
	switch {
	case s.failure != nil:
		return s.failure
	case s.leaving:
		return nil
	}
	return cli.Ended(s.Address(), err, s.connected)
}
