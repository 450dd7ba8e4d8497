package client

import (
	"iter"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// Client is a session over many connections. Its methods are not safe for
// concurrent use.
type Client struct {
	cfg     Config
	s       *session.Client
	version codec.Version // what the client sends
	now     time.Time
	told    time.Time // the deadline of the last Timer event; zero after Tick

	notes    []note // events that are due
	noted    int    // of notes, how many were pulled
	held     []events.Event
	handling bool // a handler runs

	link    link
	out     outgoing
	orphans []parcel
	subs    subscriptions
	streams streams
	calls   calls
	stats   Stats
}

// Stats counts since New.
type Stats struct {
	// Attempts counts Open events, Connections successful CONNACKs.
	Attempts, Connections uint64
	// Handled counts messages that went to at least one handler, Unhandled
	// those that became a Message event.
	Handled, Unhandled uint64
	// Orphaned counts messages that were published again after the session
	// was lost.
	Orphaned uint64
	// Responses counts requests that got a response, Failed those that ended
	// without.
	Responses, Failed uint64
	// Late counts responses that came after their request had ended, Stray
	// all other messages on a Response Topic that answer no request.
	Late, Stray uint64
}

// New returns a client that does nothing until Start. What is published and
// subscribed before is kept for the first connection.
func New(cfg Config) *Client {
	cfg.normalize()
	c := &Client{cfg: cfg, s: session.NewClient(cfg.Session)}
	c.version = c.s.Version().FromClient()
	if cfg.Session.AllowControlCharacters {
		c.version = c.version.AllowControlCharacters()
	}
	if cfg.Connect != nil {
		c.link.connect = *cfg.Connect.Clone()
	}
	c.subs.init()
	c.calls.init()
	return c
}

// Session returns the session, to read from: Limits, Stats, Status, State,
// Version, Vacancy, Inflight and Queued. The Client calls all other methods
// itself.
func (c *Client) Session() *session.Client { return c.s }

// Status returns what the client is doing.
func (c *Client) Status() Status { return c.link.status }

// Stats returns the counters.
func (c *Client) Stats() Stats { return c.stats }

// Receive takes bytes of the server, cut at any place. They are borrowed until
// Next reports false or Receive is called again. It must not be called by a
// handler.
func (c *Client) Receive(now time.Time, p []byte) {
	if c.handling {
		panic("mqtt: Receive within a handler")
	}
	c.set(now)
	c.s.Receive(now, p)
}

// Tick tells the time. What is due happens with the next events.
func (c *Client) Tick(now time.Time) {
	c.set(now)
	c.told = time.Time{} // the driver's timer is used up, also where it was early
	c.s.Tick(now)
}

// Deadline returns the time at which Tick is to be called next, zero for none:
// the keep alive, the end of a wait, the time limit of a request.
func (c *Client) Deadline() time.Time {
	at := c.s.Deadline()
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if c.link.status == StatusWaiting {
		sooner(c.link.retryAt)
	}
	sooner(c.calls.deadline())
	return at
}

// Events returns an iterator over the events that are due. See Next.
func (c *Client) Events() iter.Seq[Event] {
	return func(yield func(Event) bool) {
		for ev, ok := c.Next(); ok; ev, ok = c.Next() {
			if !yield(ev) {
				return
			}
		}
	}
}

// Next returns the next event that is due, after it has called the handlers of
// the messages before it. It reports false when there is nothing to do until
// another method is called, and within a handler.
func (c *Client) Next() (ev Event, ok bool) {
	if c.handling {
		return ev, false
	}
	for {
		if c.pull(&ev) {
			return ev, true
		}
		c.work()
		if c.pull(&ev) {
			return ev, true
		}
		ev = Event{}
		ev.Event, ok = c.s.Next()
		if !ok {
			break
		}
		ev.Kind = Kind(ev.Event.Kind)
		if c.handle(&ev) {
			return ev, true
		}
	}
	c.settleQoS0(false)
	c.release()
	if c.pull(&ev) {
		return ev, true
	}
	return ev, c.tellDeadline(&ev)
}

// handle looks at an event of the session. It reports whether the driver is to
// see it now.
func (c *Client) handle(ev *Event) bool {
	switch ev.Kind {
	case Message:
		return c.message(ev)
	case MessageBegin:
		return c.begin(ev)
	case MessageData:
		return c.piece(ev)
	case MessageEnd:
		return c.end(ev)
	case Published:
		return c.published(ev)
	case Dropped:
		return c.dropped(ev)
	case Write:
		c.settleQoS0(true)
	case Timer:
		return false // Deadline has it, among others
	case Discard:
		return !c.hold(ev)
	case Subscribed:
		c.subscribed(ev)
		return false
	case Unsubscribed:
		c.unsubscribed(ev)
		return false
	case SessionLost:
		c.republish()
		ev.Queued = uint32(c.s.Queued())
		c.note(*ev)
		return false // after the Orphaned events
	case Connected:
		c.connected(ev)
	case Refused, Disconnected:
		c.blame(ev)
	case Close:
		c.closed(ev)
		return false
	}
	return true
}

// work does what became due by itself.
func (c *Client) work() {
	if c.link.status == StatusWaiting && !c.link.retryAt.After(c.now) {
		c.open()
	}
	c.expireCalls()
	c.flush()
}

// set takes over the time of a call. Time never goes back.
func (c *Client) set(now time.Time) {
	if c.now.Before(now) {
		c.now = now
	}
}

// note is an event that is due. With a handler it goes there.
type note struct {
	ev      Event
	handler ResponseHandler
}

// note makes an event due.
func (c *Client) note(ev Event) { c.notes = append(c.notes, note{ev: ev}) }

// pull takes the next of the events that are due.
func (c *Client) pull(ev *Event) bool {
	for c.noted < len(c.notes) {
		n := c.notes[c.noted]
		c.notes[c.noted] = note{}
		c.noted++
		if c.noted == len(c.notes) {
			c.notes, c.noted = c.notes[:0], 0
		}
		if n.handler == nil {
			if *ev = n.ev; ev.Kind == Stopped {
				c.link.ending = false
			}
			return true
		}
		c.respond(n.handler, &n.ev)
	}
	return false
}

// tellDeadline yields a Timer event if the deadline is earlier than what was
// told, or if that has passed.
func (c *Client) tellDeadline(ev *Event) bool {
	at := c.Deadline()
	passed := !c.told.IsZero() && !c.told.After(c.now)
	if at.IsZero() {
		if passed {
			c.told = time.Time{}
		}
		return false
	}
	if at.Equal(c.told) || !c.told.IsZero() && at.After(c.told) && !passed {
		return false
	}
	c.told = at
	*ev = Event{Kind: Timer}
	ev.Event.Kind, ev.Deadline = events.Timer, at
	return true
}
