package broker

import (
	"iter"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// The broker works in two phases. First every connection that has something to
// handle does so, while all of them count as blocked, so that nothing leaves.
// Then, one after the other, they write. So one Write carries all that came of
// one batch, and what has to be durable is told before any byte depends on it.

// Events returns an iterator over the events that are due. See Next.
func (b *Broker) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		var ev Event
		for b.NextInto(&ev) {
			if !yield(ev) {
				return
			}
		}
	}
}

// Next returns the next event that is due, and reports false when there is
// nothing to do until the next call of another method. What an event points to
// is borrowed until the next call on the broker.
func (b *Broker) Next() (ev Event, ok bool) {
	ok = b.NextInto(&ev)
	return ev, ok
}

// NextInto is Next into an event of the caller, which is not copied then.
func (b *Broker) NextInto(ev *Event) bool {
	for {
		*ev = Event{}
		if b.outbox.pull(ev) {
			return true
		}
		c := b.busy.head
		if c == nil {
			b.bodies.settle()
			if b.changes.settle(&b.outbox) {
				continue
			}
			if c = b.writers.head; c == nil {
				if b.tellDeadline(ev) {
					return true
				}
				b.reclaim()
				return false
			}
			if b.write(c, ev) {
				return true
			}
			continue
		}
		if !c.srv.NextInto(&ev.Event) {
			if b.feed(c) {
				continue
			}
			b.throttle(c)
			b.busy.pop()
			b.writers.push(c)
			continue
		}
		ev.Conn, ev.Client = c.handle, c.client
		if b.handle(c, ev) {
			return true
		}
	}
}

// reclaim makes memory ready to be used again that events referred to, all of
// which were pulled.
func (b *Broker) reclaim() {
	b.scratch.seen.kept.Release()
	b.scratch.seen = view{}
	b.shared.Reclaim()
	b.changes.reclaim(b.scrub)
}

// write lets a connection write, unless its transport is blocked. One whose
// session is being taken over writes all the same, and then has to end.
func (b *Broker) write(c *conn, ev *Event) bool {
	b.writers.pop()
	if c.blocked && c.successor == nil {
		return false
	}
	c.srv.SetWriteBlocked(b.now, false)
	ok := c.srv.NextInto(&ev.Event)
	c.srv.SetWriteBlocked(b.now, true)
	if !ok {
		if c.successor != nil {
			c.srv.Closed(b.now, nil)
			b.busy.push(c)
		}
		return false
	}
	// What the size of the output held back can go on now.
	if ev.Kind != events.Write || ev.Size >= int64(b.cfg.Server.HighWater) || c.srv.Status() == session.StatusClosing {
		b.busy.push(c)
	}
	ev.Conn, ev.Client = c.handle, c.client
	return b.handle(c, ev)
}

// tellDeadline yields a Timer event if the deadline is earlier than what was told, or
// if that has passed.
func (b *Broker) tellDeadline(ev *Event) bool {
	at := b.timers.earliest()
	if at.IsZero() || at.Equal(b.told) || b.told.After(b.now) && at.After(b.told) {
		return false
	}
	b.told = at
	ev.Kind, ev.Deadline = events.Timer, b.clock.outside(at)
	return true
}

// handle serves an event of a session. It reports whether the driver is to see
// it.
func (b *Broker) handle(c *conn, ev *Event) bool {
	switch ev.Kind {
	case events.Write, events.Refused:
		return true
	case events.Message:
		return b.message(c, ev)
	case events.Published:
		if c.sess != nil {
			b.back(c.sess, ev.Token)
		}
	case events.Timer:
		b.timers.set(&c.timer, ev.Deadline)
	case events.Connect:
		return b.connect(c, ev.Packet.(*codec.Connect))
	case events.Auth:
		if c.entry != nil {
			c.entry.asked = true
		}
		return true
	case events.Connected:
		b.storeWill(c.sess)
		return true
	case events.Store, events.Discard:
		b.change(c, ev)
	case events.Dropped:
		b.dropped(c.sess, &ev.Event)
		return true
	case events.Disconnected:
		b.disconnected(c, &ev.Event)
		return true
	case events.Subscribe:
		return b.asksSubscribe(c, ev)
	case events.Unsubscribe:
		p := ev.Packet.(*codec.Unsubscribe)
		for i, f := range p.Filters {
			p.Filters[i] = mountedFilter(c.at.MountPoint, f)
		}
		b.ordered(c, question{unsubscribe: p})
	case events.Close:
		b.closed(c)
		return true
	}
	return false
}
