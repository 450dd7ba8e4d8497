package client

import (
	"errors"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// parcel is a message that is taken out of the session to be given to it again.
type parcel struct {
	name    uint64 // the token that the application knows
	pub     *codec.Publish
	expires time.Time
}

// parcel makes a copy of a message that the session has dropped. One of an
// earlier process, whose age is not known, gets all of its Message Expiry
// Interval again.
func (c *Client) parcel(ev *Event) parcel {
	p := parcel{pub: ev.Publish.Clone(), expires: c.out.expires[ev.Token]}
	p.pub.QoS, p.pub.PacketID, p.pub.Dup = ev.QoS, 0, false
	p.name = c.out.end(ev.Token)
	return p
}

// republish gives the orphans to the session again. They go before what is in
// its queue, which is taken out and put in again behind them; only messages of
// an earlier process that came with the State stay where they are, at the head
// of the queue.
func (c *Client) republish() {
	if len(c.orphans) == 0 {
		return
	}
	queue := c.takeQueue()
	for _, p := range c.orphans {
		ev := Event{Kind: Orphaned}
		ev.Token, ev.Publish, ev.QoS = p.name, p.pub, p.pub.QoS
		c.note(ev)
		c.stats.Orphaned++
		c.again(p)
	}
	for _, p := range queue {
		c.again(p)
	}
	clear(c.orphans)
	c.orphans = c.orphans[:0]
}

// again gives a message to the session, which keeps p.pub.
func (c *Client) again(p parcel) {
	err := session.ErrExpired
	var token uint64
	if p.expires.IsZero() || p.expires.After(c.now) {
		d := session.Delivery{QoS: p.pub.QoS, Retain: p.pub.Retain, Expires: p.expires}
		token, err = c.s.PublishShared(c.now, p.pub, d)
	}
	if errors.Is(err, session.ErrState) {
		err = session.ErrSessionLost // QueueLimits.RefuseOffline
	}
	if err != nil {
		ev := Event{Kind: Dropped}
		ev.Token, ev.Publish, ev.Err = p.name, p.pub, err
		c.note(ev)
		c.failCall(p.name, err)
		return
	}
	c.out.track(token, p.pub.QoS, c.s.Queued() > 0, p.expires)
	c.out.rename(token, p.name)
}

// takeQueue takes the messages out of the session's queue. It pulls the events
// that tell so, and keeps the others that come with them.
func (c *Client) takeQueue() (queue []parcel) {
	taken := make(map[uint64]bool)
	for _, w := range c.out.waiting[c.out.head:] {
		if !w.gone && c.s.Erase(c.now, w.token) == nil {
			taken[w.token] = true
		}
	}
	for len(taken) > 0 {
		sev, ok := c.s.Next()
		if !ok {
			break
		}
		ev := Event{Event: sev, Kind: Kind(sev.Kind)}
		switch {
		case ev.Kind == Dropped && taken[ev.Token]:
			c.out.drop(ev.Token)
			delete(taken, ev.Token)
			queue = append(queue, c.parcel(&ev))
		case c.handle(&ev):
			if ev.Publish != nil {
				ev.Publish = ev.Publish.Clone()
			}
			c.note(ev)
		}
	}
	c.out.settle(0)
	return queue
}

// hold keeps the Discard of a message back until the session has nothing more
// to tell. The message may be published again, and then its new record has to
// be durable before the old one goes. That a record goes later than it could
// does no harm. It reports false for what need not wait.
func (c *Client) hold(ev *Event) bool {
	if c.cfg.Orphans == OrphansFail || ev.Record != events.RecordMessage && ev.Record != events.RecordRelease {
		return false
	}
	c.held = append(c.held, ev.Event)
	return true
}

// release tells what was held back.
func (c *Client) release() {
	for _, ev := range c.held {
		c.note(Event{Event: ev, Kind: Discard})
	}
	c.held = c.held[:0]
}
