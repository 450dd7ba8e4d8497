package main

import (
	"fmt"
	"os"
	"sync"
	"time"
)

// background starts what goes on beside the messages, and returns what ends it.
func (b *bench) background() (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	run := func(f func(done <-chan struct{})) { wg.Go(func() { f(done) }) }
	if b.o.rate > 0 && b.o.publishers > 0 {
		run(b.pace)
	}
	if k := b.keepAlive(); k > 0 {
		run(func(done <-chan struct{}) { b.ping(time.Duration(k)*time.Second/2, done) })
	}
	if b.o.qos == 0 {
		d := &doubt{bench: b}
		run(func(done <-chan struct{}) { every(look, done, d.look) })
	}
	if f, ok := b.env.Stderr.(*os.File); ok && !b.o.quiet && isTerminal(f) {
		run(b.progress)
	}
	return func() {
		close(done)
		wg.Wait()
	}
}

// isTerminal reports whether somebody looks at f.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// every calls f again and again until done.
func every(d time.Duration, done <-chan struct{}, f func()) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			f()
		case <-done:
			return
		}
	}
}

// keepAlive returns the shortest Keep Alive of all connections in seconds, 0
// for none.
func (b *bench) keepAlive() uint16 {
	shortest := b.o.keepAlive
	for _, s := range b.subscribers {
		if k := s.connack.Properties.ServerKeepAlive; k.Set && k.Value > 0 && (shortest == 0 || k.Value < shortest) {
			shortest = k.Value
		}
	}
	return shortest
}

// ping keeps quiet connections alive.
func (b *bench) ping(silence time.Duration, done <-chan struct{}) {
	every(silence, done, func() {
		_ = b.each(func(l *link) error {
			_ = l.ping() // the reader learns of an error
			return nil
		})
	})
}

// progress shows once a second how it goes.
func (b *bench) progress(done <-chan struct{}) {
	last := b.sample()
	every(time.Second, done, func() {
		s := b.sample()
		seconds := (s.at - last.at).Seconds()
		fmt.Fprintf(b.env.Stderr, "\r\x1b[K%4.0f s  %s sent a second, %s received", s.at.Seconds(),
			grouped(float64(s.sent-last.sent)/seconds), grouped(float64(s.received-last.received)/seconds))
		last = s
	})
	fmt.Fprint(b.env.Stderr, "\r\x1b[K")
}

// pace lets messages go at --rate, in turn by all publishers.
func (b *bench) pace(done <-chan struct{}) {
	perMessage := time.Duration(float64(time.Second) / b.o.rate)
	start, granted := time.Now(), int64(0)
	b.paceFrom.Store(int64(start.Sub(b.base)))
	precisely(min(max(perMessage, shortestPace), look), done, func() {
		for due := int64(time.Since(start).Seconds() * b.o.rate); granted < due; granted++ {
			b.publishers[granted%int64(len(b.publishers))].granted.Add(1)
		}
		for _, p := range b.publishers {
			p.nudge()
		}
	})
}

// shortestPace bounds how often pace runs.
const shortestPace = 100 * time.Microsecond

// scheduled returns when the n-th message of p is to be sent at --rate, as
// clock counts. A broker or a bench that is late makes it no later: what waits
// counts for the latency.
func (b *bench) scheduled(p *publisher, n int64) int64 {
	k := float64(n*int64(len(b.publishers)) + int64(p.number) + 1)
	return b.paceFrom.Load() + int64(k/b.o.rate*float64(time.Second))
}
