package main

import (
	"context"
	"errors"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// requester sends one request and waits for its response.
type requester struct {
	*options
	env     *cli.Env
	line    *cli.Line
	payload []byte

	answered, leaving bool
	failure           error
}

func newRequester(o *options, env *cli.Env, payload []byte) *requester {
	cfg := client.Config{NoIdentifiers: true, Orphans: client.OrphansRepublish}
	cfg.Requests.Timeout = o.timeout()
	return &requester{options: o, env: env, line: o.Line(env, cfg), payload: payload}
}

// run drives the client to its end.
func (r *requester) run(ctx context.Context) error {
	r.line.Again = true
	if err := r.start(); err != nil {
		return err
	}
	stop, timeout := ctx.Done(), time.After(r.timeout())
	for {
		for ev := range r.line.Events() {
			r.line.Note(&ev)
			if ev.Kind == client.Stopped {
				return r.finish(&ev)
			}
			r.handle(&ev)
		}
		select {
		case h := <-r.line.Happened():
			r.line.Handle(h)
		case <-timeout:
			r.end(cli.Failf(cli.ExitTimeout, "timed out: there was no response within %v seconds (-W)", r.seconds), false)
		case <-stop:
			stop = nil
			r.end(cli.Failf(cli.ExitInterrupted, "interrupted before there was a response"), true)
		}
	}
}

// start subscribes to the response and publishes the request, which go out in
// this order once the connection stands.
func (r *requester) start() error {
	now, c := time.Now(), r.line.Client
	err := r.line.Subscribe(now, codec.Subscription{Filter: codec.Bytes(r.response), QoS: r.qos.Codec()})
	if err != nil {
		return cli.Usagef("the subscription would be illegal: %v", err)
	}
	p := &codec.Publish{
		Topic: codec.Bytes(r.topic), QoS: r.qos.Codec(), Retain: r.retain,
		Properties: r.Properties.Publish, Payload: r.payload,
	}
	if r.Version.Codec().IsV5() {
		p.Properties.ResponseTopic = codec.Text(r.response)
		_, err = c.Request(now, p, 0, nil)
	} else {
		_, err = c.Publish(now, p)
	}
	if err != nil {
		return cli.Usagef("the request would be illegal: %v", err)
	}
	return r.line.Start()
}

func (r *requester) handle(ev *client.Event) {
	switch ev.Kind {
	case client.Subscribed:
		if ev.Reason.IsError() {
			r.end(cli.Failf(cli.ExitDenied, "the broker refused the subscription to %s: %v; choose another -e", r.response, ev.Reason), false)
		}
	case client.Published:
		if ev.Reason.IsError() {
			r.end(cli.Failf(cli.ExitDenied, "the broker refused the request: %v; check -t", ev.Reason), false)
		}
	case client.Dropped:
		if !r.answered {
			r.end(cli.Failf(cli.ExitDenied, "the request was not sent: %v", ev.Err), false)
		}
	case client.Response:
		switch {
		case ev.Err == nil:
			r.print(ev)
		case errors.Is(ev.Err, client.ErrNoResponse):
			r.end(cli.Failf(cli.ExitTimeout, "timed out: there was no response within %v seconds (-W)", r.seconds), false)
		}
	case client.Message:
		// A responder that knows nothing of MQTT 5 repeats no correlation data.
		// With other data it is the response to another request.
		if !ev.Publish.Properties.CorrelationData.Set {
			r.print(ev)
		}
	}
}

// print prints the first response.
func (r *requester) print(ev *client.Event) {
	if r.answered || r.noRetained && ev.Publish.Retain {
		return
	}
	r.answered = true
	if !r.printer.Print(ev.Publish, ev.PacketID) {
		r.env.Complain("the payload of the response is no JSON")
	}
	r.end(nil, false)
}

// end ends the client, for the given reason if there is none yet.
func (r *requester) end(err error, interrupted bool) {
	if r.leaving {
		return
	}
	r.leaving, r.failure = true, err
	r.line.Stop(interrupted)
}

// finish closes the connection and says how the program ends.
func (r *requester) finish(ev *client.Event) error {
	r.line.Close(time.Second)
	if err := r.printer.Flush(); err != nil {
		return cli.Failf(cli.ExitFile, "the output cannot be written: %v", err)
	}
	if r.leaving {
		return r.failure
	}
	return r.line.End(ev)
}
