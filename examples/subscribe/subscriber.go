package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// subscriber prints what the broker sends.
type subscriber struct {
	*options
	env  *cli.Env
	line *cli.Line

	waiting     map[string]bool // filters whose first answer is to come
	granted     int
	refused     []string
	received    int
	removing    int  // messages of --remove-retained that have no outcome yet
	full        bool // no further message is wanted
	interrupted bool
	leaving     bool
	failure     error
}

func newSubscriber(o *options, env *cli.Env, line *cli.Line) *subscriber {
	o.printer.SetOutput(env.Stdout)
	return &subscriber{options: o, env: env, line: line, waiting: make(map[string]bool)}
}

// run drives the client to its end.
func (s *subscriber) run(ctx context.Context) error {
	if err := s.start(); err != nil {
		return err
	}
	stop := ctx.Done()
	var timeout <-chan time.Time
	if s.seconds > 0 {
		timeout = time.After(time.Duration(s.seconds * float64(time.Second)))
	}
	for {
		for ev := range s.line.Events() {
			s.line.Note(&ev)
			if ev.Kind == client.Stopped {
				return s.finish(&ev)
			}
			s.handle(&ev)
		}
		if !s.flush() {
			continue
		}
		select {
		case h := <-s.line.Happened():
			s.line.Handle(h)
		case <-timeout:
			timeout = nil
			s.fail(cli.Failf(cli.ExitTimeout, "timed out: %v seconds have passed (-W)", s.seconds))
		case <-stop:
			stop = nil
			s.interrupted = true
			s.leave()
		}
	}
}

// start says what to subscribe to and begins to connect.
func (s *subscriber) start() error {
	s.line.Again = true
	now := time.Now()
	var filters []codec.Subscription
	for _, t := range s.topics {
		s.waiting[t] = true
		filters = append(filters, codec.Subscription{
			Filter: codec.Bytes(t), QoS: s.qos.Codec(), RetainAsPublished: s.retainAsPublished,
		})
	}
	if len(filters) > 0 {
		if err := s.line.Subscribe(now, filters...); err != nil {
			return cli.Usagef("the subscription would be illegal: %v", err)
		}
	}
	if len(s.unsubscribe) > 0 {
		if err := s.line.Unsubscribe(now, s.unsubscribe...); err != nil {
			return cli.Usagef("-U would be illegal: %v", err)
		}
	}
	for _, t := range s.unsubscribe {
		s.waiting[t] = true
	}
	return s.line.Start()
}

func (s *subscriber) handle(ev *client.Event) {
	switch ev.Kind {
	case client.Subscribed:
		if s.waiting[ev.Filter] && ev.Reason.IsError() {
			s.refused = append(s.refused, ev.Filter+" ("+ev.Reason.Name(codec.TypeSuback)+")")
		} else if s.waiting[ev.Filter] {
			s.granted++
		}
		s.answered(ev.Filter)
	case client.Unsubscribed:
		s.granted++
		s.answered(ev.Filter)
	case client.Message:
		s.message(ev)
	case client.Published, client.Dropped:
		s.removing--
		s.leaveIfFull()
	case client.Write:
		// What goes out may acknowledge what was printed, so that goes first.
		s.flush()
	}
}

// answered takes note of an answer to what was asked for.
func (s *subscriber) answered(filter string) {
	if !s.waiting[filter] {
		return // again, after the broker had lost the session
	}
	delete(s.waiting, filter)
	switch {
	case len(s.waiting) > 0:
		return
	case s.granted == 0:
		s.fail(cli.Failf(cli.ExitDenied, "the broker refused every subscription: %s; check -t, or ask for the right to subscribe", strings.Join(s.refused, ", ")))
	case len(s.refused) > 0:
		s.env.Complain("the broker refused %s; the other subscriptions stand", strings.Join(s.refused, ", "))
	}
	if s.exitOnSuback || len(s.topics) == 0 {
		s.leave()
	}
}

// message prints a message, unless the flags leave it out.
func (s *subscriber) message(ev *client.Event) {
	p := ev.Publish
	switch {
	case s.full || s.leaving:
		return
	case s.retainedOnly && !p.Retain:
		s.full = true
		s.leaveIfFull()
		return
	}
	for _, f := range s.filterOut {
		if codec.Match(f, p.Topic) {
			return
		}
	}
	print, remove := !(s.noRetained && p.Retain), s.removeRetained && p.Retain
	chosen := rand.Float64()*100 < s.percent // those that are not count nevertheless, as with mosquitto_sub
	if print && chosen && !s.printer.Print(p, ev.PacketID) {
		s.env.Complain("the payload of a message on topic %q is no JSON", p.Topic)
	}
	if remove {
		s.remove(bytes.Clone(p.Topic)) // ev is borrowed until the next call
	}
	if print {
		s.received++
		s.full = s.received == s.count
		s.leaveIfFull()
	}
}

// remove removes a retained message from the broker.
func (s *subscriber) remove(topic codec.Bytes) {
	_, err := s.line.Client.Publish(time.Now(), &codec.Publish{Topic: topic, QoS: codec.QoS1, Retain: true})
	if err != nil {
		s.env.Complain("the message of topic %q is not removed: %v", topic, err)
		return
	}
	s.removing++
}

// leaveIfFull ends the client if nothing more is to be received or removed.
func (s *subscriber) leaveIfFull() {
	if s.full && s.removing == 0 {
		s.leave()
	}
}

// flush writes the output. It reports false if that ends the program.
func (s *subscriber) flush() bool {
	err := s.printer.Flush()
	if err == nil || s.failure != nil {
		return true
	}
	s.fail(cli.Failf(cli.ExitFile, "the output cannot be written: %v", err))
	return false
}

// fail remembers what went wrong first, and ends the connection.
func (s *subscriber) fail(err error) {
	if s.failure == nil {
		s.failure = err
	}
	s.leave()
}

// leave ends the client.
func (s *subscriber) leave() {
	if !s.leaving {
		s.leaving = true
		s.line.Stop(s.interrupted)
	}
}

// finish closes the connection and says how the program ends.
func (s *subscriber) finish(ev *client.Event) error {
	s.flush()
	s.line.Close(time.Second)
	switch {
	case s.failure != nil:
		return s.failure
	case s.leaving:
		return nil
	}
	return s.line.End(ev)
}
