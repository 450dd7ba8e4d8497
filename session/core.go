package session

import (
	"iter"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// core is what Client and Server have in common.
type core struct {
	cfg *settings
	sh  *Shared
	st  *State

	version codec.Version // how the peer speaks: what is decoded
	own     codec.Version // how this side speaks: what is encoded
	server  bool
	status  Status
	// waiting: the application has to answer CONNECT or AUTH before another
	// packet is looked at.
	waiting   bool
	blocked   bool // the transport cannot take bytes
	lost      bool // the transport is gone: nothing can be written
	lastInput bool // the transport is gone, but what it brought is still to be read
	awake     bool // it has work and exchanges
	held      bool // the application wants no more of the peer for now: HoldInput

	*work    // nil while nothing is in hand, see wake
	now      instant
	timers   timers
	flow     flow
	limits   limits
	auth     *authState     // never nil
	send     *aliasSender   // nil: no aliases
	recv     *aliasReceiver // nil: no mapping yet
	arriving *arriving      // a message whose payload comes in pieces
	sending  *sending       // a message whose payload goes in pieces
	end      *ending        // once it is ending
	stats    Stats
	client   *clientSide // nil on a server
}

// note is an event that is due. It is smaller than events.Event.
type note struct {
	kind    events.Kind
	record  events.Record
	flags   events.Flags
	qos     codec.QoS
	retain  bool
	shared  bool   // pub says nothing about Subscription Identifiers
	size    uint32 // of the payload of a streamed message
	id      uint32
	token   uint64
	count   uint64 // of SessionLost; the order of a RecordRelease
	expires int64  // Unix time in ms; in a RecordSession the end of its connection
	pub     *codec.Publish
	ids     *codec.SubscriptionIdentifiers
	client  string // of a RecordSession
	err     error
}

// event turns the note into an event. A stored message is put together in p as
// it is to be sent.
func (n *note) event(ev *events.Event, p *codec.Publish) {
	*ev = events.Event{
		Kind: n.kind, Flags: n.flags, Record: n.record, QoS: n.qos,
		PacketID: n.id, Token: n.token, Publish: n.pub, Err: n.err,
	}
	switch {
	case n.kind == events.SessionLost:
		ev.Count, ev.Queued, ev.PacketID = int(n.count), n.id, 0
	case n.kind != events.Store:
		return
	case n.record == events.RecordSession:
		ev.Size, ev.PacketID, ev.Token, ev.Count = int64(n.id), uint32(n.token), 0, int(n.count)
		ev.ClientID = n.client
	case n.record == events.RecordRelease:
		ev.Count = int(n.count)
	case n.record == events.RecordMessage:
		ev.Size = int64(n.size)
		*p = *n.pub
		p.QoS, p.Retain, p.PacketID, p.Dup = n.qos, n.retain, n.id, false
		p.Properties.TopicAlias = codec.Opt[uint16]{}
		if n.ids != nil {
			p.Properties.SubscriptionIdentifiers = *n.ids
		} else if n.shared {
			p.Properties.SubscriptionIdentifiers = codec.SubscriptionIdentifiers{}
		}
		ev.Publish = p
	}
	if n.expires != 0 {
		ev.Deadline = time.UnixMilli(n.expires)
	}
}

// note returns what is to be told of m.
func (s *State) note(kind events.Kind, m *message) note {
	n := note{
		kind: kind, record: events.RecordMessage, qos: m.qos, retain: m.retain, shared: m.shared,
		id: m.id, token: m.token, expires: s.stored(m.expires), pub: m.pub, ids: m.ids,
	}
	if m.streamed {
		n.flags, n.size = events.Streamed, m.size
	}
	if m.stage == stageReleased || m.stage == stageReceived || m.givenUp {
		n.record, n.count, n.expires, n.flags = events.RecordRelease, m.order, 0, 0
	}
	if m.stage == stageReceived {
		n.flags = events.Unreleased
	}
	if m.givenUp {
		n.flags |= events.GivenUp
	}
	return n
}

// droppedNote returns what is to be told of m when it is given up.
func (m *message) droppedNote(err error) note {
	return note{kind: events.Dropped, id: m.id, token: m.token, qos: m.qos, pub: m.pub, err: err}
}

func (c *core) init(cfg settings, server bool) {
	cfg.normalize()
	c.sh, c.server = cfg.Shared, server
	c.cfg = c.sh.settings(cfg)
	c.auth = &noAuth
}

// reset prepares for a new connection. Everything but the session state starts
// afresh; bytes of the connection before are forgotten.
func (c *core) reset() {
	c.waiting, c.blocked, c.lost, c.lastInput, c.held = false, false, false, false, false
	c.wake()
	c.dropInput()
	c.dropOutput()
	c.timers, c.flow, c.acks, c.limits = timers{}, flow{}, acks{}, limits{}
	c.auth, c.send, c.recv, c.end = &noAuth, nil, nil, nil
	if c.client != nil {
		c.st.resend, c.client.sent = resend{}, 0
	}
	c.arriving, c.sending = nil, nil
	c.stats = Stats{}
}

// Status returns the state of the connection.
func (c *core) Status() Status { return c.status }

// Version returns what the connection speaks, or zero on a Server that has not
// seen CONNECT.
func (c *core) Version() codec.Version {
	if !c.version.Known() {
		return 0
	}
	return c.version.Base()
}

// State returns the session state. It belongs to the connection until Close.
// On a Server it is nil before Accept.
func (c *core) State() *State { return c.st }

// ownState returns the session state as long as it is this connection's to
// change: on a Server until Close, as another connection may have it then.
func (c *core) ownState() *State {
	if c.server && c.status == StatusClosed {
		return nil
	}
	return c.st
}

// Stats returns the counters of the current or last connection.
func (c *core) Stats() Stats { return c.stats }

// Events returns an iterator over the events that are due. See Next.
func (c *core) Events() iter.Seq[events.Event] {
	return func(yield func(events.Event) bool) {
		var ev events.Event
		for c.NextInto(&ev) {
			if !yield(ev) {
				return
			}
		}
	}
}

// Next returns the next event that is due. It looks at no more than one packet
// at a time. It reports false when there is nothing to do until the next call
// of Receive, Tick, Closed or a method for the application. The bytes given to
// Receive are then no longer needed.
func (c *core) Next() (ev events.Event, ok bool) {
	ok = c.next(&ev)
	return ev, ok
}

// NextInto is Next into an event of the caller, which is not copied then.
func (c *core) NextInto(ev *events.Event) bool {
	*ev = events.Event{}
	return c.next(ev)
}

// next is Next into an event that comes empty.
func (c *core) next(ev *events.Event) bool {
	c.wakeWork()
	if c.out.lent {
		c.out.recycle(c.sh)
	}
	for {
		if c.noted < len(c.notes) && c.pull(ev) {
			return true
		}
		if c.acks.due {
			c.wake()
			c.answer()
			if c.noted < len(c.notes) || !c.status.live() {
				continue
			}
		}
		if c.hasInput() {
			c.wake()
			if c.status.live() && !c.InputPaused() && c.parse(ev) {
				if ev.Kind != events.None {
					return true
				}
				continue
			}
			c.keepInput()
		}
		if c.lastInput && c.status.live() {
			c.transportLost()
			continue
		}
		if c.status == StatusConnected && c.waits() {
			c.wake()
			c.pump()
			if c.pull(ev) || c.sending != nil && c.want(ev) {
				return true
			}
		}
		break
	}
	switch {
	case c.write(ev), c.finish(ev), c.tellDeadline(ev):
		return true
	}
	c.freePartial()
	c.rest()
	return false
}

// pull takes the next of the events that are due.
func (c *core) pull(ev *events.Event) bool {
	if c.noted == len(c.notes) {
		return false
	}
	n := &c.notes[c.noted]
	n.event(ev, &c.sh.stored)
	*n = note{}
	c.noted++
	if c.noted == len(c.notes) {
		c.dropNotes()
	}
	return true
}

// tell makes an event due.
func (c *core) tell(n note) {
	if c.notes == nil {
		c.notes = c.sh.noteList()
	}
	c.notes = append(c.notes, n)
}

func (c *core) dropNotes() {
	if c.notes != nil {
		clear(c.notes)
		c.sh.freeNotes(c.notes)
		c.notes, c.noted = nil, 0
	}
}

// dropped tells that m will not be sent, and frees it.
func (c *core) dropped(m *message, err error) {
	if !m.givenUp {
		c.tellDropped(m, err)
	}
	if m.stage < stageSubscribe {
		c.discard(m) // after Dropped, so that a crash between the two repeats it
	}
	c.sh.freeMessage(m)
}

func (c *core) tellDropped(m *message, err error) {
	c.stats.Dropped++
	c.tell(m.droppedNote(err))
}

// store asks for the record of m to be made durable.
func (c *core) store(m *message) {
	if c.cfg.Persist {
		c.tellMessage(m, events.Store)
	}
}

// tellMessage makes an event due that is about the record of m.
func (c *core) tellMessage(m *message, kind events.Kind) {
	if kind == events.Discard {
		c.tell(note{kind: kind, record: events.RecordMessage, id: m.id, token: m.token})
		return
	}
	c.tell(c.st.note(kind, m))
}

// storeSession asks for the record of the session itself to be made durable.
func (c *core) storeSession() {
	if c.cfg.Persist {
		s := c.st
		c.tell(note{kind: events.Store, record: events.RecordSession,
			id: s.expiry, token: uint64(s.ids.next), count: s.tokens, expires: s.stored(s.closed), client: s.clientID})
	}
}

// discard asks for the record of m to be removed.
func (c *core) discard(m *message) {
	if c.cfg.Persist && m.recorded() {
		c.tellMessage(m, events.Discard)
	}
}
