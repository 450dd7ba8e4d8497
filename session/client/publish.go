package client

import (
	"cmp"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// outgoing follows the messages whose outcome the session does not tell, or
// tells under another token.
type outgoing struct {
	waiting   []waiting // messages in the session's queue, in order; from head on
	head      int
	live      int      // of those, how many were not dropped
	unwritten []uint64 // messages of QoS 0 that the next Write carries

	// Messages that were published again, by their token of the session and
	// by the one that the application knows.
	names, renamed map[uint64]uint64
	// expires has the messages with a Message Expiry Interval, where orphans
	// are published again.
	expires map[uint64]time.Time
}

// waiting is a message in the session's queue.
type waiting struct {
	token uint64
	qos0  bool
	gone  bool // it was dropped
}

// Publish sends an application message, or queues it in the session while that
// cannot send it: without a connection, or over the Receive Maximum. The order
// of messages is kept. It copies what it has to keep. PacketID must be 0 and
// Dup false.
//
// The token names the message in its outcome, which is exactly one event:
// Published or Dropped. A message that is still under way when the client stops
// has its outcome after the next Start. Errors are those of Publish of a
// session; then there is no outcome. (v3.1.1 and v5.0 3.3, 4.3)
func (c *Client) Publish(now time.Time, p *codec.Publish) (token uint64, err error) {
	c.set(now)
	token, err = c.s.Publish(now, p)
	if err != nil {
		return 0, err
	}
	var expires time.Time
	if interval, ok := p.Properties.MessageExpiryInterval.Get(); ok && c.cfg.Orphans != OrphansFail {
		expires = c.now.Add(time.Duration(interval) * time.Second)
	}
	c.out.track(token, p.QoS, c.s.Queued() > 0, expires)
	return token, nil
}

// Erase gives up a message that waits, or that was sent and not acknowledged.
// Dropped with session.ErrErased is its outcome. See Erase of a session for the
// errors. A request that is erased ends too.
func (c *Client) Erase(now time.Time, token uint64) error {
	c.set(now)
	if t, ok := c.out.renamed[token]; ok {
		token = t
	}
	return c.s.Erase(now, token)
}

// track enters a new message. A session queues it exactly if there is anything
// in its queue afterwards.
func (o *outgoing) track(token uint64, qos codec.QoS, queued bool, expires time.Time) {
	if !expires.IsZero() {
		if o.expires == nil {
			o.expires = make(map[uint64]time.Time)
		}
		o.expires[token] = expires
	}
	switch {
	case queued:
		o.waiting = append(o.waiting, waiting{token: token, qos0: qos == codec.QoS0})
		o.live++
	case qos == codec.QoS0:
		o.unwritten = append(o.unwritten, token)
	}
}

// settle takes those messages out of waiting that the session has sent. Its
// queue is first in, first out, so they are the first ones; queued is what is
// left, all events of the session having been pulled.
func (o *outgoing) settle(queued int) {
	for o.head < len(o.waiting) {
		w := o.waiting[o.head]
		if !w.gone {
			if o.live <= queued {
				break
			}
			o.live--
			if w.qos0 {
				o.unwritten = append(o.unwritten, w.token)
			}
		}
		o.head++
	}
	switch {
	case o.head == len(o.waiting):
		o.waiting, o.head = o.waiting[:0], 0
	case o.head >= 64 && o.head >= len(o.waiting)/2:
		n := copy(o.waiting, o.waiting[o.head:])
		o.waiting, o.head = o.waiting[:n], 0
	}
}

// find returns the entry of a message that was not seen to leave the queue, or
// nil.
func (o *outgoing) find(token uint64) *waiting {
	list := o.waiting[o.head:]
	i, ok := slices.BinarySearchFunc(list, token, func(w waiting, token uint64) int { return cmp.Compare(w.token, token) })
	if !ok || list[i].gone {
		return nil
	}
	return &list[i]
}

// drop marks a message as dropped if it was waiting.
func (o *outgoing) drop(token uint64) {
	if w := o.find(token); w != nil {
		w.gone = true
		o.live--
	}
}

// end forgets a message and returns the token that the application knows.
func (o *outgoing) end(token uint64) uint64 {
	if len(o.expires) > 0 {
		delete(o.expires, token)
	}
	if len(o.names) == 0 {
		return token
	}
	name, ok := o.names[token]
	if !ok {
		return token
	}
	delete(o.names, token)
	delete(o.renamed, name)
	return name
}

// rename lets the application go on knowing a message by its first token.
func (o *outgoing) rename(token, name uint64) {
	if o.names == nil {
		o.names, o.renamed = make(map[uint64]uint64), make(map[uint64]uint64)
	}
	o.names[token], o.renamed[name] = name, token
}

// settleQoS0 follows messages of QoS 0 on their way out. With written the
// session has just yielded a Write, which carries all of its output.
func (c *Client) settleQoS0(written bool) {
	o := &c.out
	if o.live > 0 || o.head < len(o.waiting) {
		o.settle(c.s.Queued())
	}
	if !written || len(o.unwritten) == 0 {
		return
	}
	for _, token := range o.unwritten {
		ev := Event{Kind: Published}
		ev.Token = o.end(token)
		c.note(ev)
	}
	o.unwritten = o.unwritten[:0]
}

// loseQoS0 tells of messages of QoS 0 that ended with their connection before
// they were written.
func (c *Client) loseQoS0(err error) {
	c.settleQoS0(false)
	if err == nil {
		err = session.ErrEnded
	}
	for _, token := range c.out.unwritten {
		ev := Event{Kind: Dropped}
		ev.Token, ev.Err = c.out.end(token), err
		c.note(ev)
		c.failCall(ev.Token, err)
	}
	c.out.unwritten = c.out.unwritten[:0]
}

// published passes on an outcome.
func (c *Client) published(ev *Event) bool {
	ev.Token = c.out.end(ev.Token)
	// 0x92 stands in PUBCOMP alone: the server has the message. (v5.0 3.7.2.1)
	if ev.Reason.IsError() && ev.Reason != codec.ReasonPacketIdentifierNotFound {
		c.failCall(ev.Token, refusal("Request", ev.Reason))
	}
	return true
}

// dropped passes on an outcome, if it is one: the message may be published
// again, and what was dropped may be a request of ours.
func (c *Client) dropped(ev *Event) bool {
	if c.subs.dropped(ev.Token) {
		return false
	}
	c.out.drop(ev.Token)
	lost := ev.Err == session.ErrSessionLost && c.cfg.Orphans != OrphansFail
	if lost && ev.Publish != nil && c.cfg.Orphans.takes(ev.QoS) {
		c.orphans = append(c.orphans, c.parcel(ev))
		return false
	}
	ev.Token = c.out.end(ev.Token)
	if lost {
		// Told after the orphans are back in their place, so that nothing
		// that the driver publishes in answer goes before them.
		if ev.Publish != nil {
			ev.Publish = ev.Publish.Clone()
		}
		c.note(*ev)
	}
	c.failCall(ev.Token, ev.Err)
	return !lost
}
