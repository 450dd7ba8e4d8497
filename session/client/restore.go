package client

import (
	"errors"
	"slices"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// restore brings the set and the server together on a new connection. Where the
// session goes on the server has what it has confirmed. It is called before the
// session sends what was queued, so that SUBSCRIBE goes first.
func (c *Client) restore(present bool) {
	s := &c.subs
	for e := s.head; e != nil; {
		next := e.next
		if !present {
			e.forget()
		}
		switch {
		case !e.wanted && !present:
			s.remove(e)
			c.unsubscribedEvent(e, codec.ReasonNoSubscriptionExisted, nil)
		case !e.wanted, e.server != active:
			s.touch(e)
		}
		e = next
	}
	c.flush()
}

// forget notes that the server has none of the subscriptions.
func (s *subscriptions) forget() {
	for e := s.head; e != nil; e = e.next {
		e.forget()
	}
}

func (e *entry) forget() {
	e.restored = e.restored || e.server == active
	e.server = absent
}

// flush sends what is to be sent, as far as the connection takes it.
func (c *Client) flush() {
	s := &c.subs
	if len(s.dirty) == 0 || c.s.Status() != session.StatusConnected {
		return
	}
	for len(s.dirty) > 0 {
		n, err := c.sendBatch()
		if errors.Is(err, session.ErrExhausted) {
			break // packet identifiers come free with the next answers
		}
		for _, e := range s.dirty[:n] {
			e.listed = false
		}
		s.dirty = s.dirty[n:]
	}
	if len(s.dirty) == 0 {
		s.dirty = nil
	}
}

// sendBatch sends as many entries from the head of dirty as go into one packet.
// It returns how many it has dealt with.
func (c *Client) sendBatch() (n int, err error) {
	s := &c.subs
	e := s.dirty[0]
	if !e.dirty || e.server == pending {
		return 1, nil // its answer comes first
	}
	if code := c.notOffered(e); code != 0 {
		c.giveUp(e, &session.Error{Op: "Subscribe", Err: session.ErrLimit, Code: code, Detail: code.String()})
		return 1, nil
	}
	c.fill()
	token, err := c.request(e)
	switch {
	case errors.Is(err, session.ErrExhausted):
		return 0, err
	case err != nil: // too large, alone in its packet
		c.giveUp(e, err)
		return 1, nil
	}
	for _, b := range s.batch {
		b.dirty, b.server = false, pending
	}
	s.asked[token] = slices.Clone(s.batch)
	return len(s.batch), nil
}

// giveUp handles an entry that cannot be sent.
func (c *Client) giveUp(e *entry, err error) {
	if e.wanted {
		c.subscribedEvent(e, reasonOf(err), err)
		c.refused(e, err)
		return
	}
	c.subs.remove(e)
	c.unsubscribedEvent(e, reasonOf(err), err)
}

// fill puts the entries of the next packet into batch: those at the head of
// dirty that ask for the same, with the same identifier, as far as the
// configuration and the Maximum Packet Size of the server go.
func (c *Client) fill() {
	s := &c.subs
	first := s.dirty[0]
	limit := int(c.s.Limits().MaximumPacketSize)
	size := c.emptySize(first)
	s.batch = s.batch[:0]
	for _, e := range s.dirty {
		same := e.dirty && e.server != pending && e.wanted == first.wanted && e.user == first.user &&
			(e.group == first.group || c.identifier(e) == 0 && c.identifier(first) == 0)
		size += 2 + len(e.filter)
		if e.wanted {
			size++
		}
		full := len(s.batch) == c.cfg.FiltersPerPacket || limit > 0 && 1+lengthSize(size)+size > limit
		if len(s.batch) > 0 && (!same || full || c.notOffered(e) != 0) {
			return
		}
		s.batch = append(s.batch, e)
	}
}

// emptySize returns the bytes behind the fixed header of a packet without
// filters. (v3.1.1 and v5.0 3.8, 3.10)
func (c *Client) emptySize(first *entry) (size int) {
	size = 2
	if c.version.Wide() {
		size = 4
	}
	if c.version.IsV5() {
		properties := 0
		if id := c.identifier(first); id != 0 {
			properties = 1 + lengthSize(int(id))
		}
		if first.user != nil {
			for k, v := range first.user.All() {
				properties += 5 + len(k) + len(v)
			}
		}
		size += lengthSize(properties) + properties
	}
	return size
}

// lengthSize returns the bytes of a Variable Byte Integer. (v5.0 1.5.5)
func lengthSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// request sends the packet for batch.
func (c *Client) request(first *entry) (token uint64, err error) {
	s := &c.subs
	if !first.wanted {
		s.names = s.names[:0]
		for _, e := range s.batch {
			s.names = append(s.names, codec.Bytes(e.filter))
		}
		p := codec.Unsubscribe{Filters: s.names}
		if first.user != nil {
			p.Properties.UserProperties = *first.user
		}
		return c.s.Unsubscribe(c.now, &p)
	}
	p := codec.Subscribe{}
	if first.user != nil {
		p.Properties.UserProperties = *first.user
	}
	s.filters = s.filters[:0]
	for _, e := range s.batch {
		s.filters = append(s.filters, e.sub)
	}
	p.Filters = s.filters
	if id := c.identifier(first); id != 0 {
		p.Properties.SubscriptionIdentifier = codec.Some(id)
	}
	return c.s.Subscribe(c.now, &p)
}

// identifier returns the Subscription Identifier with which an entry is subscribed,
// 0 for none.
func (c *Client) identifier(e *entry) uint32 {
	g := e.group
	if g == nil || !c.version.IsV5() || c.cfg.NoIdentifiers && !g.chosen || !c.s.Limits().SubscriptionIdentifiers {
		return 0
	}
	return g.id
}

// notOffered returns the reason code for a filter of a kind that the server
// has excluded, 0 for others. (v5.0 3.2.2.3.11, 3.2.2.3.13)
func (c *Client) notOffered(e *entry) codec.ReasonCode {
	if !c.version.IsV5() || !e.wanted {
		return 0
	}
	limits := c.s.Limits()
	if _, _, shared := codec.ParseShared(e.filter); shared && !limits.SharedSubscriptions {
		return codec.ReasonSharedSubscriptionsNotSupported
	}
	if codec.HasWildcards(e.filter) && !limits.WildcardSubscriptions {
		return codec.ReasonWildcardSubscriptionsNotSupported
	}
	return 0
}

// subscribed handles SUBACK, whose codes are in the order of the filters.
func (c *Client) subscribed(ev *Event) {
	s := &c.subs
	asked := s.asked[ev.Token]
	delete(s.asked, ev.Token)
	for i, code := range ev.Packet.(*codec.Suback).ReasonCodes {
		e := asked[i]
		e.server = active
		if code.IsError() {
			e.server = absent
		}
		c.subscribedEvent(e, code, nil)
		switch {
		case e.dirty:
			s.touch(e) // it was changed meanwhile
		case code.IsError():
			c.refused(e, refusal("Subscribe", code))
		}
	}
}

// refused handles the refusal of a filter, by the server or in its name.
func (c *Client) refused(e *entry, err error) {
	g := e.group
	e.dirty = false
	if c.cfg.Refused == RefusedRemove {
		c.subs.remove(e)
	}
	if g != nil && g.answers {
		c.failCalls(err, func(k *call) bool { return k.topic == e.filter })
	}
}

// unsubscribed handles UNSUBACK, which in v3.1.1 has no codes.
func (c *Client) unsubscribed(ev *Event) {
	s := &c.subs
	asked := s.asked[ev.Token]
	delete(s.asked, ev.Token)
	codes := ev.Packet.(*codec.Unsuback).ReasonCodes
	for i, e := range asked {
		var code codec.ReasonCode
		if i < len(codes) {
			code = codes[i]
		}
		e.server = absent
		c.unsubscribedEvent(e, code, nil)
		if e.wanted {
			s.touch(e) // again, meanwhile
		} else {
			s.remove(e)
		}
	}
}

func (c *Client) subscribedEvent(e *entry, code codec.ReasonCode, err error) {
	c.note(Event{Kind: Subscribed, Filter: e.filter, Restored: e.restored, Event: events.Event{Reason: code, Err: err}})
	e.restored = false
}

func (c *Client) unsubscribedEvent(e *entry, code codec.ReasonCode, err error) {
	c.note(Event{Kind: Unsubscribed, Filter: e.filter, Event: events.Event{Reason: code, Err: err}})
}
