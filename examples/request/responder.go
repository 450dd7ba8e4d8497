package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// commands is how many commands of --exec run at a time.
const commands = 8

// responder answers requests.
type responder struct {
	*options
	env     *cli.Env
	line    *cli.Line
	payload []byte

	waiting     []*codec.Publish // requests that wait for a command to end
	running     int
	answers     chan answer
	sent        int
	open        int // responses that have no outcome yet
	interrupted bool
	leaving     bool
	failure     error
}

// answer is what a command says to a request.
type answer struct {
	request *codec.Publish
	payload []byte
	err     error
}

func newResponder(o *options, env *cli.Env, payload []byte) *responder {
	cfg := client.Config{NoIdentifiers: true, Orphans: client.OrphansRepublish}
	return &responder{
		options: o, env: env, line: o.Line(env, cfg), payload: payload,
		answers: make(chan answer, commands), // so that no command waits for us
	}
}

// run drives the client to its end.
func (r *responder) run(ctx context.Context) error {
	r.line.Again = true
	err := r.line.Subscribe(time.Now(), codec.Subscription{Filter: codec.Bytes(r.topic), QoS: r.qos.Codec()})
	if err != nil {
		return cli.Usagef("the subscription would be illegal: %v", err)
	}
	if err := r.line.Start(); err != nil {
		return err
	}
	// The commands end with the program.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := ctx.Done()
	for {
		for ev := range r.line.Events() {
			r.line.Note(&ev)
			if ev.Kind == client.Stopped {
				return r.finish(&ev)
			}
			r.handle(ctx, &ev)
		}
		if err := r.printer.Flush(); err != nil && !r.leaving {
			r.end(cli.Failf(cli.ExitFile, "the output cannot be written: %v", err))
			continue
		}
		select {
		case h := <-r.line.Happened():
			r.line.Handle(h)
		case a := <-r.answers:
			r.running--
			r.answer(a)
			r.execute(ctx)
		case <-stop:
			stop = nil
			r.interrupted = true
			r.end(nil)
		}
	}
}

func (r *responder) handle(ctx context.Context, ev *client.Event) {
	switch ev.Kind {
	case client.Subscribed:
		if ev.Reason.IsError() {
			r.end(cli.Failf(cli.ExitDenied, "the broker refused the subscription to %s: %v; check -t", r.topic, ev.Reason))
		}
	case client.Message:
		r.message(ctx, ev)
	case client.Published, client.Dropped:
		r.open--
		if ev.Kind == client.Dropped || ev.Reason.IsError() {
			r.env.Complain("a response did not get through: %v %v", ev.Reason, ev.Err)
		}
		if r.count > 0 && r.sent >= r.count && r.open == 0 {
			r.end(nil)
		}
	}
}

// message answers a request, at once or by a command.
func (r *responder) message(ctx context.Context, ev *client.Event) {
	p := ev.Publish
	if !p.Properties.ResponseTopic.Set && r.response == "" {
		r.env.Complain("a message on topic %q is no request: it has no response topic; -e sets one", p.Topic)
		return
	}
	if r.printer.Verbose || r.printer.Format != nil {
		r.printer.Print(p, ev.PacketID)
	}
	request := p.Clone() // what ev has is borrowed until the next call
	switch {
	case r.command != "":
		r.waiting = append(r.waiting, request)
		r.execute(ctx)
	case r.given:
		r.answer(answer{request, r.payload, nil})
	default:
		r.answer(answer{request, request.Payload, nil})
	}
}

// execute starts commands, as many as may run at a time.
func (r *responder) execute(ctx context.Context) {
	for r.running < commands && len(r.waiting) > 0 {
		request := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.running++
		go func() {
			cmd := exec.CommandContext(ctx, "sh", "-c", r.command)
			cmd.Stdin, cmd.Stderr = bytes.NewReader(request.Payload), r.env.Stderr
			cmd.Env = append(os.Environ(), "MQTT_TOPIC="+string(request.Topic))
			cmd.WaitDelay = time.Second // for what it has left behind
			out, err := cmd.Output()
			r.answers <- answer{request, out, err}
		}()
	}
}

// answer sends a response.
func (r *responder) answer(a answer) {
	if r.leaving || r.count > 0 && r.sent >= r.count {
		return
	}
	if a.err != nil {
		r.env.Complain("--exec failed: %v; there is no response to %q", a.err, a.request.Topic)
		return
	}
	p := &codec.Publish{QoS: r.qos.Codec(), Payload: a.payload, Properties: r.Properties.Publish}
	var err error
	if a.request.Properties.ResponseTopic.Set {
		_, err = r.line.Client.Respond(time.Now(), a.request, p)
	} else {
		p.Topic = codec.Bytes(r.response)
		p.Properties.CorrelationData = a.request.Properties.CorrelationData
		_, err = r.line.Client.Publish(time.Now(), p)
	}
	if err != nil {
		r.env.Complain("a response cannot be sent: %v", err)
		return
	}
	r.sent++
	r.open++
}

// end ends the client, for the given reason if there is none yet.
func (r *responder) end(err error) {
	if r.leaving {
		return
	}
	r.leaving, r.failure = true, err
	r.line.Stop(r.interrupted)
}

// finish closes the connection and says how the program ends.
func (r *responder) finish(ev *client.Event) error {
	r.line.Close(time.Second)
	if err := r.printer.Flush(); err != nil {
		return cli.Failf(cli.ExitFile, "the output cannot be written: %v", err)
	}
	if r.leaving {
		return r.failure
	}
	return r.line.End(ev)
}
