package main

import (
	"context"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// maxOpen is how many lines may be under way. What waits is kept in the file
// too, so more would make no difference but to its size.
const maxOpen = 100

// resumer sends and receives, and keeps track in its store.
type resumer struct {
	*options
	env   *cli.Env
	line  *cli.Line
	store *store
	in    *input
	out   *output

	ends        map[uint64]int64 // of lines, by their token, until they are stored
	total       int64            // messages received, in all runs
	interrupted bool
	leaving     bool
	failure     error
}

func newResumer(o *options, env *cli.Env) (*resumer, error) {
	r := &resumer{options: o, env: env, ends: make(map[uint64]int64)}
	var err error
	if r.store, err = openStore(o.state); err != nil {
		return nil, cli.Failf(cli.ExitFile, "the session in %q cannot be used: %v; check --state", o.state, err)
	}
	r.total = r.store.number(keyTotal)
	if o.file != "" {
		if r.in, err = openInput(o.file, r.store.number(keyInput)); err != nil {
			return nil, err
		}
	}
	if o.output != "" {
		if r.out, err = openOutput(o.output, r.store.number(keyOutput)); err != nil {
			return nil, err
		}
	}
	var cfg client.Config
	cfg.NoIdentifiers = true
	cfg.Session.Persist = true
	if cfg.Session.State, err = r.store.state(); err != nil {
		return nil, cli.Failf(cli.ExitFile, "the session in %q cannot be used: %v; check --state", o.state, err)
	}
	r.line = o.Line(env, cfg)
	return r, nil
}

// run drives the client to its end.
func (r *resumer) run(ctx context.Context) error {
	r.line.Again = true
	if r.filter != "" {
		err := r.line.Subscribe(time.Now(), codec.Subscription{Filter: codec.Bytes(r.filter), QoS: r.qos.Codec()})
		if err != nil {
			return cli.Usagef("the subscription would be illegal: %v", err)
		}
	}
	if err := r.line.Start(); err != nil {
		return err
	}
	stop := ctx.Done()
	for {
		for ev := range r.line.Events() {
			r.line.Note(&ev)
			if ev.Kind == client.Stopped {
				return r.finish(&ev)
			}
			if !r.handle(&ev) {
				return r.failure
			}
		}
		if !r.commit() {
			return r.failure
		}
		if r.done() {
			r.leave()
			continue
		}
		if r.publish() {
			continue
		}
		select {
		case h := <-r.line.Happened():
			r.line.Handle(h)
		case <-stop:
			stop = nil
			r.interrupted = true
			r.leave()
		}
	}
}

// handle looks at an event. It reports false if the program cannot go on: then
// nothing must leave it any more.
func (r *resumer) handle(ev *client.Event) bool {
	switch ev.Kind {
	case client.Store, client.Discard:
		r.store.note(ev.Event)
		if end, ok := r.ends[ev.Token]; ok && ev.Record == events.RecordMessage && ev.Kind == client.Store {
			// The line is in the session from now on. That and the new place
			// in the input go into the same batch.
			delete(r.ends, ev.Token)
			r.store.setNumber(keyInput, end)
		}
	case client.Write:
		return r.commit()
	case client.Message:
		r.message(ev.Publish)
	case client.Published:
		// A broker that has finished with a QoS 2 message before the connection
		// was lost does not know its identifier any more; it has the message.
		if ev.Reason.IsError() && ev.Reason != codec.ReasonPacketIdentifierNotFound {
			r.fail(cli.Failf(cli.ExitDenied, "the broker refused a message: %v; check the topic", ev.Reason))
		}
	case client.Dropped:
		r.fail(cli.Failf(cli.ExitDenied, "a message was lost: %v; look at the broker's settings for sessions", ev.Err))
	case client.Subscribed:
		if ev.Reason.IsError() {
			r.fail(cli.Failf(cli.ExitDenied, "the broker refused the subscription: %v; check --receive", ev.Reason))
		}
	}
	return true
}

// message appends a message to the output. Its acknowledgement depends on the
// batch that has the new length of the output: without it the message comes
// again, and what was written of it does not count.
func (r *resumer) message(p *codec.Publish) {
	if r.out == nil {
		return
	}
	r.out.add(p.Payload)
	r.total++
	r.store.setNumber(keyOutput, r.out.size)
	r.store.setNumber(keyTotal, r.total)
}

// publish sends more lines. It reports false if there is no room or no line.
func (r *resumer) publish() bool {
	if r.in == nil || !r.line.Connected || r.leaving {
		return false
	}
	some := false
	for r.open() < maxOpen && !r.in.eof {
		text, end, err := r.in.next()
		if err != nil {
			r.fail(cli.File(r.file, err))
			return true
		}
		if r.in.eof && len(text) == 0 {
			break
		}
		token, err := r.line.Client.Publish(time.Now(), &codec.Publish{
			Topic: codec.Bytes(r.topic), QoS: r.qos.Codec(), Properties: r.Properties.Publish, Payload: text,
		})
		if err != nil {
			r.fail(cli.Failf(cli.ExitDenied, "a line was not sent: %v", err))
			return true
		}
		r.ends[token] = end
		some = true
	}
	return some
}

// open returns the number of messages that are not through. One that was dropped
// in an earlier run may be among them, and has no outcome any more.
func (r *resumer) open() int {
	s := r.line.Client.Session()
	return s.Inflight() + s.Queued()
}

// done reports whether everything was sent, and received.
func (r *resumer) done() bool {
	if !r.line.Connected || r.leaving || r.in != nil && (!r.in.eof || r.open() > 0) {
		return false
	}
	return r.filter == "" || r.count > 0 && r.total >= int64(r.count)
}

// commit makes durable what has changed: first the output, then the batch that
// makes it count.
func (r *resumer) commit() bool {
	if r.out != nil {
		if err := r.out.sync(); err != nil {
			r.failure = cli.Failf(cli.ExitFile, "%q cannot be written: %v", r.output, err)
			return false
		}
	}
	if err := r.store.commit(); err != nil {
		r.failure = cli.Failf(cli.ExitFile, "%q cannot be written: %v", r.state, err)
		return false
	}
	return true
}

// fail remembers what went wrong first, and ends the connection.
func (r *resumer) fail(err error) {
	if r.failure == nil {
		r.failure = err
	}
	r.leave()
}

// leave ends the client.
func (r *resumer) leave() {
	if !r.leaving {
		r.leaving = true
		r.line.Stop(r.interrupted)
	}
}

// finish closes the connection and says how the program ends.
func (r *resumer) finish(ev *client.Event) error {
	r.line.Close(time.Second)
	if !r.commit() || r.failure != nil {
		return r.failure
	}
	if r.leaving {
		return nil
	}
	return r.line.End(ev)
}
