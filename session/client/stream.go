package client

import "time"

// StreamHandler takes the beginning of a message whose payload comes in pieces,
// see StreamAbove of a session: m has no payload yet, and size is its length in
// bytes. It returns what takes the payload, or nil to let it pass by. It runs like
// a Handler, and so do the methods of the Stream.
//
// Messages with a smaller payload go to the Handler. What is published in answer
// to a Request has to be whole: a response in pieces is a message like others.
type StreamHandler func(now time.Time, m Incoming, size int64) Stream

// Stream takes the payload of one message.
type Stream interface {
	// Piece takes the next piece, which is borrowed until it returns.
	Piece(now time.Time, p []byte)
	// End tells that the payload is complete, after which the message is
	// acknowledged. With an error the connection ended before: what came is void,
	// and above QoS 0 the message begins anew when the session goes on.
	End(now time.Time, err error)
}

// streams is where the payload that comes in pieces goes. There is one such
// message at a time.
type streams struct {
	to     []Stream
	passed bool // the driver sees the pieces too
}

// begin hands a message whose payload is to come to whom it is for. It reports
// whether the driver is to see it.
func (c *Client) begin(ev *Event) bool {
	s := &c.subs
	c.match(ev.Publish)
	found := s.found
	s.found = nil // handlers may want it
	taken, other := false, false
	for _, g := range found {
		switch {
		case len(g.entries) == 0: // unsubscribed by the handler before
		case g.stream == nil:
			other = true
		default:
			taken = true
			if to := c.takeStream(g.stream, ev); to != nil {
				c.streams.to = append(c.streams.to, to)
			}
		}
	}
	clear(found)
	s.found = found
	c.streams.passed = other || !taken
	if taken {
		c.stats.Handled++
	}
	if c.streams.passed {
		c.stats.Unhandled++
	}
	return c.streams.passed
}

// takeStream calls a handler.
func (c *Client) takeStream(h StreamHandler, ev *Event) Stream {
	c.handling = true
	defer c.handled()
	return h(c.now, Incoming{Publish: ev.Publish, Token: ev.Token, Resolved: ev.Resolved()}, ev.Size)
}

// piece hands on a piece of a payload.
func (c *Client) piece(ev *Event) bool {
	c.handling = true
	defer c.handled()
	for _, to := range c.streams.to {
		for _, p := range ev.Data {
			to.Piece(c.now, p)
		}
	}
	return c.streams.passed
}

// end tells the end of a payload.
func (c *Client) end(ev *Event) bool {
	to, passed := c.streams.to, c.streams.passed
	c.streams = streams{}
	c.handling = true
	defer c.handled()
	for _, s := range to {
		s.End(c.now, ev.Err)
	}
	return passed
}
