package client

import (
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Handler takes the messages that match a subscription. It runs within Next, on
// the stack of the Client's owner. now is the time of the last call that told
// one.
//
// It may call every method of the Client but Receive; none of them blocks or
// calls a handler, and Next reports false. The message is borrowed until the
// handler returns. It is acknowledged after that, see Reply, or by Ack where
// session.Config.ManualAck says so.
type Handler func(now time.Time, m Incoming)

// Incoming is an application message on its way to a handler.
type Incoming struct {
	// Publish is the message, with its full topic.
	*codec.Publish
	// Token is what Ack takes; 0 at QoS 0 and without ManualAck.
	Token uint64
	// Resolved tells that the topic came from a topic alias.
	Resolved bool
}

// ResponseHandler takes the end of a request: the response, or why there is
// none. It runs like a Handler. p is nil if err is not, and borrowed until the
// handler returns.
type ResponseHandler func(now time.Time, token uint64, p *codec.Publish, err error)

// message hands a message to whom it is for. It reports whether the driver is
// to see it.
func (c *Client) message(ev *Event) bool {
	if k := c.answered(ev); k != nil {
		return c.answer(k, ev)
	}
	if ev.Late {
		ev.Kind = Stray
		return true
	}
	s := &c.subs
	c.match(ev.Publish)
	found := s.found
	s.found = nil // handlers may want it
	handled, other, answers := false, false, false
	for _, g := range found {
		switch {
		case len(g.entries) == 0: // unsubscribed by the handler before
		case g.answers:
			answers = true
		case g.handler == nil:
			other = true
		default:
			handled = true
			c.deliver(g.handler, ev)
		}
	}
	clear(found)
	s.found = found
	if handled {
		c.stats.Handled++
	}
	switch {
	case handled && !other:
		return false
	case answers && !other:
		ev.Kind = Stray
		c.stats.Stray++
		return true
	}
	c.stats.Unhandled++
	return true
}

// match puts the groups that a message is for into found. They are those with
// the Subscription Identifiers that the server put in. An identifier may be one
// of an earlier process, or its filter be another's by now, so it counts only
// where a filter of the group matches; if none counts, the topic decides.
func (c *Client) match(p *codec.Publish) {
	s := &c.subs
	s.found = s.found[:0]
	s.mark++
	if p.Properties.SubscriptionIdentifiers.Len() > 0 {
		for id := range p.Properties.SubscriptionIdentifiers.All() {
			if g := s.groups[id]; g != nil && g.mark != s.mark && s.covers(g, p.Topic) {
				s.find(g)
			}
		}
	}
	if len(s.found) == 0 {
		s.index.match(p.Topic, s)
	}
}

// covers reports whether a filter of the group matches the topic.
func (s *subscriptions) covers(g *group, topic []byte) bool {
	if len(g.entries) <= 8 {
		for _, e := range g.entries {
			if _, filter, _ := codec.ParseShared(e.filter); codec.Match(filter, topic) {
				return true
			}
		}
		return false
	}
	n := len(s.found)
	for _, other := range s.found {
		other.mark = 0 // so that it is not missed below
	}
	s.index.match(topic, s)
	ok := slices.Contains(s.found[n:], g)
	for _, other := range s.found[n:] {
		other.mark = 0
	}
	s.found = s.found[:n]
	for _, other := range s.found {
		other.mark = s.mark
	}
	return ok
}

// deliver calls a handler.
func (c *Client) deliver(h Handler, ev *Event) {
	c.handling = true
	defer c.handled()
	h(c.now, Incoming{Publish: ev.Publish, Token: ev.Token, Resolved: ev.Resolved()})
}

// respond calls the handler of a request.
func (c *Client) respond(h ResponseHandler, ev *Event) {
	c.handling = true
	defer c.handled()
	h(c.now, ev.Token, ev.Publish, ev.Err)
}

func (c *Client) handled() { c.handling = false }

// Reply sets the content of the automatic acknowledgement of the message that
// is being handled, or that the last Message event delivered. See Respond of a
// session. (v5.0 3.4.2.1, 3.5.2.1)
func (c *Client) Reply(r session.Reply) error { return c.s.Respond(r) }

// Ack acknowledges a message where ManualAck leaves it to the application. See
// Ack of a session.
func (c *Client) Ack(now time.Time, token uint64, r session.Reply) error {
	c.set(now)
	return c.s.Ack(now, token, r)
}

// Release sends PUBREL where ManualRelease leaves it to the application. See
// Release of a session.
func (c *Client) Release(now time.Time, id uint32, r session.Reply) error {
	c.set(now)
	return c.s.Release(now, id, r)
}

// Complete sends PUBCOMP where ManualComplete leaves it to the application. See
// Complete of a session.
func (c *Client) Complete(now time.Time, token uint64, r session.Reply) error {
	c.set(now)
	return c.s.Complete(now, token, r)
}

// Auth sends AUTH, to answer the server's or to authenticate again. See Auth of
// a session. (v5.0 4.12)
func (c *Client) Auth(now time.Time, p *codec.Auth) error {
	c.set(now)
	return c.s.Auth(now, p)
}

// Ping sends PINGREQ. The Keep Alive needs no help. (v3.1.1 and v5.0 3.12)
func (c *Client) Ping(now time.Time) error {
	c.set(now)
	return c.s.Ping(now)
}

// SetWriteBlocked tells whether the transport cannot take bytes at present.
// Until it can there is no Write; all other events go on. See SetWriteBlocked of a
// session.
func (c *Client) SetWriteBlocked(now time.Time, blocked bool) {
	c.set(now)
	c.s.SetWriteBlocked(now, blocked)
}

// InputPaused reports whether the driver should read no more for now.
func (c *Client) InputPaused() bool { return c.s.InputPaused() }

// ReplaceWriteBuffer gives the bytes of the Write event before to the driver
// for good. See ReplaceWriteBuffer of a session.
func (c *Client) ReplaceWriteBuffer(buf []byte) (written []byte) { return c.s.ReplaceWriteBuffer(buf) }
