package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
)

// bench is one run.
type bench struct {
	o    *options
	env  *cli.Env
	base time.Time // clock counts from here

	publishers  []*publisher
	subscribers []*subscriber
	places      []*place
	streams     []*stream

	since   atomic.Int64  // messages sent from then on count for the latency
	stopped atomic.Bool   // no more messages are to be sent
	over    chan struct{} // closed when everything has arrived
	clients sync.WaitGroup
	closing atomic.Bool // connections may end
	failed  chan error  // why a connection ended; has room for one

	paceFrom atomic.Int64 // when --rate began, as clock counts

	began         bool // there is something to report
	before        sample
	from, to, end sample
	drained       time.Duration // it took subscribers to fetch what was kept for them
	process       *process
}

// connecting is how many connections are opened at the same time.
const connecting = 64

const (
	muchOfPatience = 15 * time.Second       // without any progress
	look           = 100 * time.Millisecond // between two looks
)

// newHistogram holds nanoseconds up to five minutes, with three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (5 * time.Minute).Nanoseconds(), 3)
}

func newBench(o *options, env *cli.Env) (b *bench, err error) {
	b = &bench{o: o, env: env, base: time.Now(), over: make(chan struct{}), failed: make(chan error, 1)}
	env.Quiet = false
	if o.pid != 0 {
		if b.process, err = openProcess(o.pid); err != nil {
			return nil, err
		}
	}
	for i := range o.publishers {
		b.publishers = append(b.publishers, b.newPublisher(i))
	}
	for i := range o.subscribers {
		if i == 0 || !o.share {
			b.places = append(b.places, &place{seen: make([]sequence, len(b.streams)), order: !o.share})
		}
		s := &subscriber{bench: b, place: b.places[len(b.places)-1], latency: newHistogram(), held: make(map[uint32]struct{})}
		s.o, s.id = o, fmt.Sprintf("%s-s%d", o.id, i)
		b.subscribers = append(b.subscribers, s)
	}
	return b, nil
}

func (b *bench) newPublisher(i int) *publisher {
	o := b.o
	p := &publisher{bench: b, number: i, wake: make(chan struct{}, 1), latency: newHistogram()}
	p.o, p.id = o, fmt.Sprintf("%s-p%d", o.id, i)
	p.message = codec.Publish{QoS: o.qos.Codec(), Retain: o.retain, Payload: make([]byte, o.size)}
	copies := 0
	for t := range o.dealt(i, o.publishers) {
		s := &stream{from: p, index: uint32(len(b.streams)), topic: codec.Bytes(o.topicName(t)), receivers: o.receivers(t)}
		copies += s.receivers
		p.streams, b.streams = append(p.streams, s), append(b.streams, s)
	}
	if copies > 0 && !o.offline {
		p.most = int64(o.window) * int64(max(1, copies/len(p.streams)))
	}
	return p
}

// clock returns the nanoseconds since the start.
func (b *bench) clock() int64 { return int64(time.Since(b.base)) }

// fail ends the run, unless connections may end now.
func (b *bench) fail(l *link, err error) {
	if err == nil || b.closing.Load() {
		return
	}
	select {
	case b.failed <- cli.Failf(cli.ExitLost, "client %s: %v", l.id, cli.Ended(b.o.Address(), err, true)):
	default:
	}
}

// run does the work. An error is a Failure. close has to follow.
func (b *bench) run(ctx context.Context) error {
	b.before = b.sample()
	if err := b.connect(ctx); err != nil {
		return err
	}
	stop := b.background()
	defer stop()
	b.began = true
	b.since.Store(b.clock() + b.o.warmUp.Nanoseconds())
	b.from = b.sample()
	b.start()
	err := b.publish(ctx)
	b.to, b.end = b.sample(), b.sample()
	b.stopped.Store(true)
	if err == nil {
		err = b.drain(ctx)
	}
	b.end = b.sample()
	return err
}

// close ends all connections, and removes what the run leaves in the broker.
func (b *bench) close() {
	b.closing.Store(true)
	close(b.over)
	if b.began && b.o.retain {
		for _, s := range b.streams {
			_ = s.from.send(&codec.Publish{Topic: s.topic, Retain: true}) // the connection may be gone
		}
	}
	_ = b.each(func(l *link) error { l.leave(); return nil })
	b.clients.Wait()
	if b.o.durable {
		for _, s := range b.subscribers {
			if s.forget(context.Background()) != nil {
				break // the broker is gone
			}
		}
	}
}

// each calls f for the link of every client, several at a time, and returns the
// first error.
func (b *bench) each(f func(*link) error) error {
	links := make([]*link, 0, len(b.publishers)+len(b.subscribers))
	for _, s := range b.subscribers {
		links = append(links, &s.link)
	}
	for _, p := range b.publishers {
		links = append(links, &p.link)
	}
	return inParallel(links, f)
}

// inParallel calls f for each item, several at a time, and returns the first
// error.
func inParallel[T any](items []T, f func(T) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	var once sync.Once
	var first error
	for range min(connecting, len(items)) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(items)); i = next.Add(1) - 1 {
				if err := f(items[i]); err != nil {
					once.Do(func() { first = err })
					next.Store(int64(len(items)))
				}
			}
		})
	}
	wg.Wait()
	return first
}

// connect opens all connections. Subscribers of --offline subscribe and leave.
func (b *bench) connect(ctx context.Context) error {
	o := b.o
	numbers := make([]int, o.subscribers)
	for i := range numbers {
		numbers[i] = i
	}
	err := inParallel(numbers, func(i int) error {
		l := &b.subscribers[i].link
		if err := l.open(ctx, !o.durable); err != nil {
			return err
		}
		err := l.subscribe(o.filters(i))
		if err == nil && o.offline {
			l.leave()
		}
		return err
	})
	if err != nil {
		return err
	}
	return inParallel(b.publishers, func(p *publisher) error {
		err := p.open(ctx, true)
		p.ids.open(min(o.window, int(p.connack.Properties.ReceiveMaximum.Or(1<<16-1))))
		return err
	})
}

// start lets readers and publishers run.
func (b *bench) start() {
	if !b.o.offline {
		b.listen()
	}
	for _, p := range b.publishers {
		b.clients.Go(func() { b.fail(&p.link, p.serve(p)) })
		b.clients.Go(func() { b.fail(&p.link, p.run()) })
	}
}

// listen lets subscribers read.
func (b *bench) listen() {
	for _, s := range b.subscribers {
		b.clients.Go(func() { b.fail(&s.link, s.serve(s)) })
	}
}

// publish waits until the measurement is over, and begins it after --warm-up.
func (b *bench) publish(ctx context.Context) error {
	if b.o.count > 0 {
		err := b.await(ctx, func() bool { return b.sample().sent == int64(b.o.count)*int64(b.o.publishers) })
		if err == nil {
			err = b.settle(ctx)
		}
		return err
	}
	if b.o.warmUp > 0 {
		if err := b.wait(ctx, b.o.warmUp); err != nil {
			return err
		}
		b.since.Store(b.clock())
		b.from = b.sample()
	}
	return b.wait(ctx, b.o.duration)
}

// drain waits until everything has arrived.
func (b *bench) drain(ctx context.Context) error {
	if err := b.settle(ctx); err != nil || !b.o.offline {
		return err
	}
	start := time.Now()
	err := inParallel(b.subscribers, func(s *subscriber) error {
		err := s.open(ctx, false)
		if err == nil && !s.connack.SessionPresent {
			err = cli.Failf(cli.ExitLost, "the broker lost the session of %s", s.id)
		}
		return err
	})
	if err != nil {
		return err
	}
	b.listen()
	err = b.await(ctx, b.complete)
	b.drained = time.Since(start)
	return err
}

// settle waits for the acknowledgements and, unless they are away, subscribers.
func (b *bench) settle(ctx context.Context) error {
	return b.await(ctx, func() bool { return b.acknowledged() && (b.o.offline || b.complete()) })
}

// acknowledged reports whether no message is without its acknowledgement.
func (b *bench) acknowledged() bool {
	for _, p := range b.publishers {
		if b.o.qos > 0 && int(p.ids.vacant.Load()) < len(p.ids.free) {
			return false
		}
	}
	return true
}

// complete reports whether all copies have arrived, or were given up.
func (b *bench) complete() bool {
	for _, p := range b.publishers {
		if p.settled.Load() < p.due.Load() {
			return false
		}
	}
	return true
}

// stalled is how long nothing may happen before something is wrong.
func (b *bench) stalled() time.Duration {
	if b.o.rate > 0 {
		return muchOfPatience + time.Duration(float64(time.Second)/b.o.rate)
	}
	return muchOfPatience
}

// await waits until done, as long as there is progress. The time in which this
// program itself stands still does not count.
func (b *bench) await(ctx context.Context, done func() bool) error {
	quiet, before := time.Duration(0), b.sample()
	for !done() {
		start := time.Now()
		if err := b.wait(ctx, time.Millisecond); err != nil {
			return err
		}
		quiet += min(time.Since(start), look)
		if s := b.sample(); s.progress() != before.progress() {
			quiet, before = 0, s
		}
		if most := b.stalled(); quiet >= most {
			return cli.Failf(cli.ExitLost, "nothing has come from the broker for %v, though messages are under way; look at its log", most)
		}
	}
	return nil
}

// wait waits for some time, a failure or an interruption.
func (b *bench) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-b.failed:
		return err
	case <-ctx.Done():
		return cli.Failf(cli.ExitInterrupted, "interrupted")
	}
}
