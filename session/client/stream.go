package client

import (
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// StreamHandler takes the beginning of a message whose payload comes in pieces,
// see StreamAbove of a session: m has no payload yet, and size is its length in
// bytes. It returns what takes the payload, or nil to let it pass by. It runs like
// a Handler, and so do the methods of the Stream.
//
// Messages with a smaller payload go to the Handler, and responses to the one of
// their Request, which puts them together.
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
	to       []Stream
	passed   bool // the driver sees the pieces too
	response *response
}

// response is one that comes in pieces.
type response struct {
	of      *call // nil if nobody wants it any more
	publish *codec.Publish
}

func (r *response) add(piece []byte) {
	if r.of != nil {
		r.publish.Payload = append(r.publish.Payload, piece...)
	}
}

// collect begins to put a response together. What it takes grows with what comes,
// not with what is announced.
func (c *Client) collect(k *call, ev *Event) {
	if ev.Size > int64(c.cfg.Requests.MaximumResponse) {
		c.fail(k, &session.Error{Op: "Request", Err: codec.ErrTooLarge, Code: codec.ReasonPacketTooLarge,
			Detail: fmt.Sprintf("the response has %d bytes, see Requests.MaximumResponse", ev.Size)})
		k = nil
	}
	c.streams.response = &response{of: k, publish: ev.Publish.Clone()}
}

// collected ends a response that came in pieces. With an error it may come again.
func (c *Client) collected(r *response, ev *Event) bool {
	switch {
	case ev.Err != nil:
		return false
	case r.of == nil:
		c.acknowledge(ev)
		return false
	}
	ev.Publish = r.publish
	if c.calls.byData[r.of.data] == r.of {
		return c.answer(r.of, ev)
	}
	c.late(ev) // its time passed meanwhile
	ev.Kind = Stray
	return true
}

// begin hands a message whose payload is to come to whom it is for. It reports
// whether the driver is to see it.
func (c *Client) begin(ev *Event) bool {
	if k := c.answered(ev); k != nil {
		c.collect(k, ev)
		return false
	}
	if ev.Late {
		c.streams.passed = true
		return true
	}
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
	for _, p := range ev.Data {
		if r := c.streams.response; r != nil {
			r.add(p)
		}
		for _, to := range c.streams.to {
			to.Piece(c.now, p)
		}
	}
	return c.streams.passed
}

// end tells the end of a payload.
func (c *Client) end(ev *Event) bool {
	to, passed, response := c.streams.to, c.streams.passed, c.streams.response
	c.streams = streams{}
	if response != nil {
		return c.collected(response, ev)
	}
	c.handling = true
	defer c.handled()
	for _, s := range to {
		s.End(c.now, ev.Err)
	}
	return passed
}
