package main

import (
	"slices"
	"time"
)

// doubt finds out which messages of QoS 0 are lost, and gives them up, so that
// nobody waits for them for ever.
//
// What tells it is the order in which a broker does things, and no clock, as a
// broker or a machine that is busy may take any time. When nothing has come for a
// while, each publisher sends PINGREQ behind its messages. Once all of these are
// answered, the broker has handled the messages, and each subscriber sends PINGREQ.
// Once these are answered too, and still nothing has come, nothing will.
type doubt struct {
	bench *bench
	came  int64         // progress, when it last grew
	quiet time.Duration // since then
	asked asked
}

// asked is who was sent PINGREQ last.
type asked uint8

const (
	nobody asked = iota
	publishers
	subscribers
)

// patience is how long it is quiet before anybody is asked. It is for brokers of
// several machines, which may answer before each of them has the messages.
const patience = time.Second

// look does what is due. It is called every so often.
func (d *doubt) look() {
	b := d.bench
	over := d.over() // before that which came meanwhile counts
	if s := b.sample(); s.progress() != d.came || b.complete() {
		*d = doubt{bench: b, came: s.progress()}
		return
	}
	d.quiet += look // and no more, should this program have stood still
	if !over {
		return
	}
	switch d.asked {
	case nobody:
		for _, p := range b.publishers {
			p.ask()
		}
		d.asked = publishers
	case publishers:
		for _, s := range b.subscribers {
			_ = s.ask() // the reader learns of an error
		}
		d.asked = subscribers
	case subscribers:
		for _, p := range b.publishers {
			p.giveUp()
		}
		*d = doubt{bench: b, came: d.came}
	}
}

// over reports whether everybody who was asked has answered, or it is time to ask.
func (d *doubt) over() bool {
	switch b := d.bench; d.asked {
	case publishers:
		return !slices.ContainsFunc(b.publishers, (*publisher).silent)
	case subscribers:
		return !slices.ContainsFunc(b.subscribers, (*subscriber).silent)
	}
	return d.quiet >= patience
}
