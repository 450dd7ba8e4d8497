package client

import (
	"iter"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// subscriptions is the set of subscriptions that should exist, and what is
// known of those at the server.
type subscriptions struct {
	set        map[string]*entry
	head, tail *entry // all of set, in the order in which they were made
	index      index
	groups     map[uint32]*group   // by Subscription Identifier
	last       uint32              // the identifier given out last
	dirty      []*entry            // something is to be sent, in this order
	asked      map[uint64][]*entry // of the requests under way, by token

	filters []codec.Subscription // of the packet that is formed
	names   []codec.Bytes
	batch   []*entry
	found   []*group // of the message that is delivered
	mark    uint64
}

// entry is a Topic Filter of the set, or one that is to be unsubscribed.
type entry struct {
	prev, next *entry
	sub        codec.Subscription
	filter     string
	group      *group
	place      int                   // in the group
	user       *codec.UserProperties // of the next SUBSCRIBE or UNSUBSCRIBE, nil for none
	node       *indexNode
	server     standing
	wanted     bool
	dirty      bool // what the server was told is not what is wanted
	listed     bool // in subscriptions.dirty
	restored   bool // it was active before the session was lost
}

// standing is what is known of a filter at the server.
type standing uint8

const (
	absent  standing = iota // no subscription
	unsure                  // the connection ended before the answer
	pending                 // the answer is to come
	active                  // subscribed
)

// group is the filters of one call of Subscribe, which share a handler and a
// Subscription Identifier.
type group struct {
	id      uint32
	chosen  bool // id is the application's
	handler Handler
	stream  StreamHandler
	user    *codec.UserProperties // of SUBSCRIBE, nil for none
	answers bool                  // Response Topics that Request subscribed
	entries []*entry
	mark    uint64
}

// maxIdentifier is the largest Subscription Identifier. (v5.0 3.8.2.1.2)
const maxIdentifier = 268_435_455

func (s *subscriptions) init() {
	s.set = make(map[string]*entry)
	s.groups = make(map[uint32]*group)
	s.asked = make(map[uint64][]*entry)
}

// Subscribe adds filters to the set of subscriptions that should exist, each in
// place of the one with the same filter. They are sent now or with the next
// connection, and again whenever the server has lost the session, but not when
// the session goes on. The answer for each filter is an event Subscribed.
//
// Messages that match go to h, from within Next; with nil they become Message
// events. Filters are copied. The error is that of an illegal SUBSCRIBE; then
// nothing changed. What the server does not offer, or has no room for, is
// refused by Subscribed too. (v3.1.1 and v5.0 3.8)
func (c *Client) Subscribe(now time.Time, h Handler, filters ...codec.Subscription) error {
	return c.SubscribeWith(now, SubscribeOptions{Handler: h}, filters...)
}

// SubscribeOptions is what SubscribeWith says about all of its filters.
type SubscribeOptions struct {
	// Handler takes the messages that match; with nil they become Message
	// events.
	Handler Handler
	// Stream takes those whose payload comes in pieces; with nil they become
	// MessageBegin, MessageData and MessageEnd events.
	Stream StreamHandler
	// Identifier is the Subscription Identifier where the server offers them. 0
	// stands for one that the Client chooses. (v5.0 3.8.2.1.2)
	Identifier uint32
	// UserProperties are those of SUBSCRIBE, each time that it is sent. They are
	// copied. (v5.0 3.8.2.1.3)
	UserProperties codec.UserProperties
}

// SubscribeWith is Subscribe with more options. An error is also that another
// subscription has the Identifier.
func (c *Client) SubscribeWith(now time.Time, o SubscribeOptions, filters ...codec.Subscription) error {
	const op = "Subscribe"
	p := codec.Subscribe{PacketID: 1, Filters: filters}
	p.Properties.UserProperties = o.UserProperties
	if o.Identifier != 0 {
		p.Properties.SubscriptionIdentifier = codec.Some(o.Identifier)
	}
	if err := p.Validate(c.version); err != nil {
		return &session.Error{Op: op, Code: reasonOf(err), Err: err}
	}
	if c.subs.groups[o.Identifier] != nil {
		return &session.Error{Op: op, Err: session.ErrState, Code: codec.ReasonProtocolError, Detail: "another subscription has the Subscription Identifier"}
	}
	c.set(now)
	g := &group{id: o.Identifier, chosen: o.Identifier != 0, handler: o.Handler, stream: o.Stream, user: keep(o.UserProperties)}
	c.subs.want(g, filters)
	c.flush()
	return nil
}

// keep returns a copy of User Properties, nil for none.
func keep(u codec.UserProperties) *codec.UserProperties {
	if u.Len() == 0 {
		return nil
	}
	u = u.Clone()
	return &u
}

// Unsubscribe takes filters out of the set and off the server. Their handlers
// are not called any more; messages that still come become Message events. The
// answer for each filter is an event Unsubscribed. The error is that of an
// illegal UNSUBSCRIBE; then nothing changed. (v3.1.1 and v5.0 3.10)
func (c *Client) Unsubscribe(now time.Time, filters ...string) error {
	return c.UnsubscribeWith(now, codec.UserProperties{}, filters...)
}

// UnsubscribeWith is Unsubscribe with User Properties, which are copied. (v5.0
// 3.10.2.1.2)
func (c *Client) UnsubscribeWith(now time.Time, user codec.UserProperties, filters ...string) error {
	p := codec.Unsubscribe{PacketID: 1}
	p.Properties.UserProperties = user
	for _, f := range filters {
		p.Filters = append(p.Filters, codec.Bytes(f))
	}
	if err := p.Validate(c.version); err != nil {
		return &session.Error{Op: "Unsubscribe", Code: reasonOf(err), Err: err}
	}
	c.set(now)
	s, kept := &c.subs, keep(user)
	for _, f := range filters {
		e := s.entry(f)
		s.leave(e)
		e.wanted, e.user = false, kept
		s.touch(e)
	}
	c.flush()
	return nil
}

// Subscriptions returns an iterator over the set of subscriptions that should
// exist, in the order in which their filters were first subscribed, and tells
// of each whether the server has confirmed it. The set must not change
// meanwhile.
func (c *Client) Subscriptions() iter.Seq2[codec.Subscription, bool] {
	return func(yield func(codec.Subscription, bool) bool) {
		for e := c.subs.head; e != nil; e = e.next {
			if e.wanted && !yield(e.sub, e.server == active && !e.dirty) {
				return
			}
		}
	}
}

// want enters the filters of a group.
func (s *subscriptions) want(g *group, filters []codec.Subscription) {
	if !g.chosen {
		g.id = s.identifier()
	}
	for _, f := range filters {
		e := s.entry(string(f.Filter))
		s.leave(e)
		e.sub, e.wanted, e.restored = f, true, false
		e.sub.Filter = codec.Bytes(e.filter)
		e.group, e.place, e.user = g, len(g.entries), g.user
		g.entries = append(g.entries, e)
		s.groups[g.id] = g
		s.index.add(e)
		s.touch(e)
	}
}

// identifier returns a Subscription Identifier that is not in use.
func (s *subscriptions) identifier() uint32 {
	for {
		s.last = s.last%maxIdentifier + 1
		if s.groups[s.last] == nil {
			return s.last
		}
	}
}

// entry returns the entry of a filter, which it makes if there is none.
func (s *subscriptions) entry(filter string) *entry {
	if e := s.set[filter]; e != nil {
		return e
	}
	filter = strings.Clone(filter)
	e := &entry{filter: filter, prev: s.tail}
	s.set[filter] = e
	if s.tail == nil {
		s.head = e
	} else {
		s.tail.next = e
	}
	s.tail = e
	return e
}

// leave takes an entry out of its group and the index, so that its handler is
// not called any more.
func (s *subscriptions) leave(e *entry) {
	g := e.group
	if g == nil {
		return
	}
	s.index.remove(e)
	last := len(g.entries) - 1
	g.entries[e.place] = g.entries[last]
	g.entries[e.place].place = e.place
	g.entries[last] = nil
	g.entries = g.entries[:last]
	if len(g.entries) == 0 {
		delete(s.groups, g.id)
	}
	e.group = nil
}

// remove takes an entry out of the set.
func (s *subscriptions) remove(e *entry) {
	s.leave(e)
	e.wanted, e.dirty = false, false
	delete(s.set, e.filter)
	if e.prev == nil {
		s.head = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		s.tail = e.prev
	} else {
		e.next.prev = e.prev
	}
}

// touch notes that the server is to be told of an entry.
func (s *subscriptions) touch(e *entry) {
	e.dirty = true
	if !e.listed {
		e.listed = true
		s.dirty = append(s.dirty, e)
	}
}

// dropped handles the end of a request without an answer. It reports false if
// the token is none of a request.
func (s *subscriptions) dropped(token uint64) bool {
	entries, ok := s.asked[token]
	if !ok {
		return false
	}
	delete(s.asked, token)
	for _, e := range entries {
		e.server = unsure
	}
	return true
}
