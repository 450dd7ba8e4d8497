package broker

import (
	"maps"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// Event is an event of one connection. A driver serves Write, Timer and Close;
// Connected, Refused, Disconnected and Dropped are for information. Timer is
// the broker's own and has no Conn.
type Event struct {
	events.Event
	// Conn is the connection that the event is about.
	Conn Handle
	// Client is whose event it is, nil where it is nobody's. Before CONNECT only
	// its Endpoint is known.
	Client *Client
	// Question is what Answer takes, where the broker asks; see Ask.
	Question Question
	// Key and Value are those of a Store or Discard, see Config.Server.Persist.
	// They are borrowed like all that an event points to. Prefix makes a Discard that of all keys that begin with Key.
	Key, Value []byte
	Prefix     bool
}

// Broker is the logic of an MQTT broker. Its methods are not safe for
// concurrent use.
type Broker struct {
	cfg    Config
	shared session.Shared
	clock  clock
	now    time.Time // on its timeline

	endpoints map[*Endpoint]*endpoint
	away      map[Endpoint]*Endpoint // of clients that did not come since Restore
	conns     conns
	busy      line // may have something to handle
	writers   line // may have something to write
	outbox    outbox
	changes   changes
	bodies    bodies
	timers    timers
	told      time.Time // the deadline of the last Timer event; zero after Tick
	stopping  bool

	sessions      map[string]*sess
	sessionNumber uint64 // of the newest session
	assigned      uint64 // Client Identifiers that were assigned
	questions     map[Question]*question
	crowd         []Handle // of those that are not read from as there are too many
	asked         Question // the last one
	subs          subscriptionTree
	retained      retainedTree
	sys           sysState
	match         match // of the message that is being routed
	scratch       scratch
	scrub         bool // memory that is used again is overwritten first: for tests
	stats         Stats
}

// scratch is memory that is used again.
type scratch struct {
	codes   []codec.ReasonCode
	connack codec.Connack
	topic   codec.Bytes // with a mount point
	seen    view        // the last one
	replay  *replay     // nothing is due in it; nil for none
}

// New returns a broker without connections.
func New(cfg Config) *Broker {
	b := &Broker{cfg: cfg, sessions: make(map[string]*sess), questions: make(map[Question]*question), endpoints: make(map[*Endpoint]*endpoint)}
	b.writers.role = 1
	b.subs.init()
	b.bodies.known = make(map[*byte]*body)
	b.cfg.normalize(&b.shared)
	return b
}

// Open tells that a transport was accepted at an Endpoint, which may be nil. The
// handle names its connection from now on.
func (b *Broker) Open(now time.Time, e *Endpoint) Handle {
	b.set(now)
	at := b.endpoint(e)
	c := &conn{at: at, client: &at.nobody, limits: &at.limits, srv: session.NewServer(at.server)}
	c.timer.owner = c
	b.conns.add(c)
	b.startSys()
	b.stats.Opened++
	c.srv.Open(b.now)
	c.srv.SetWriteBlocked(b.now, true)
	b.busy.push(c)
	return c.handle
}

// Receive takes bytes that a transport brought. They are borrowed until Next
// reports false. A handle whose Close was pulled is ignored, here and in all
// other methods.
func (b *Broker) Receive(now time.Time, h Handle, p []byte) {
	b.set(now)
	if c := b.conns.get(h); c != nil {
		b.charge(c, 0, len(p))
		c.srv.Receive(b.now, p)
		b.busy.push(c)
	}
}

// Closed tells that a transport is gone. Close follows, unless it came already.
func (b *Broker) Closed(now time.Time, h Handle, err error) {
	b.set(now)
	if c := b.conns.get(h); c != nil {
		c.gone = true
		b.listen(c) // what came is handled all the same, unless it would be asked about
		c.srv.Closed(b.now, err)
		b.busy.push(c)
	}
}

// SetWriteBlocked tells whether a transport cannot take bytes at present. Until
// it can there is no Write for it, with one exception: the session of a blocked
// connection is taken over. Then one last Write comes, with Close behind it.
//
// A client that reads no more, and is not read from, is the driver's to give up, by a
// time that a write may take: it does not count as silent, see InputPaused.
func (b *Broker) SetWriteBlocked(now time.Time, h Handle, blocked bool) {
	b.set(now)
	if c := b.conns.get(h); c != nil {
		c.blocked = blocked
		b.busy.push(c)
	}
}

// InputPaused reports whether the driver should read no more from a transport
// for now: its peer does not read what was written to it or sends more than its
// Limits, or too many questions about it wait for an answer. Meanwhile the client does
// not count as silent. A driver that stopped to read asks again after it called another
// method, Tick included.
func (b *Broker) InputPaused(h Handle) bool {
	c := b.conns.get(h)
	return c != nil && c.srv.InputPaused()
}

// HoldInput tells whether the driver itself does not read from a transport for
// now, although it might have brought something: the store cannot keep up, say. As
// long as nobody listens to the client, it does not count as silent.
// (v3.1.1 and v5.0 3.1.2.10)
func (b *Broker) HoldInput(now time.Time, h Handle, held bool) {
	b.set(now)
	if c := b.conns.get(h); c != nil {
		c.held = held
		b.listen(c)
	}
}

// ReplaceWriteBuffer gives the bytes of the Write that was just pulled to the
// driver for good, except payloads that the segments of Data share with others
// and that nobody changes. The next Write of the connection is formed in buf,
// which may be nil. It returns the buffer that the driver has got, for use in
// another call once its bytes are written, or nil.
func (b *Broker) ReplaceWriteBuffer(h Handle, buf []byte) (written []byte) {
	if c := b.conns.get(h); c != nil {
		return c.srv.ReplaceWriteBuffer(buf)
	}
	return buf
}

// RecycleWriteBuffer takes back a buffer that ReplaceWriteBuffer returned, once
// its bytes are written, for the Writes of any connection. So connections hold
// none while they have nothing to write.
func (b *Broker) RecycleWriteBuffer(buf []byte) { b.shared.Recycle(buf) }

// Disconnect ends a connection. A v5.0 client is told the reason.
func (b *Broker) Disconnect(now time.Time, h Handle, reason codec.ReasonCode) {
	b.set(now)
	if c := b.conns.get(h); c != nil {
		b.disconnect(c, reason)
	}
}

// Shutdown ends all connections, v5.0 clients with the reason 0x8B. All Wills,
// also those whose delay is not over, are published before that, as nobody could
// do it later; with Persist they are put off until after Restore. With AskWill and
// without Persist an answer comes too late for clients that are connected, as all
// connections end at once. Connections that are opened later end too. [MQTT-3.1.2-8]
func (b *Broker) Shutdown(now time.Time) {
	b.set(now)
	b.stopping = true
	for _, id := range slices.Sorted(maps.Keys(b.sessions)) {
		if s := b.sessions[id]; s != nil && !b.cfg.Server.Persist {
			b.publishWill(s)
		}
	}
	for _, c := range b.conns.table {
		if c != nil {
			b.disconnect(c, codec.ReasonServerShuttingDown)
		}
	}
}

// disconnect ends a connection in any state. CONNACK has other reason codes
// than DISCONNECT.
func (b *Broker) disconnect(c *conn, reason codec.ReasonCode) {
	b.busy.push(c)
	if c.srv.Disconnect(b.now, &codec.Disconnect{ReasonCode: reason}) == nil {
		return
	}
	if c.entry != nil {
		c.entry.asked = false
		if c.srv.Refuse(b.now, &codec.Connack{ReasonCode: codec.ReasonServerUnavailable}) == nil {
			return
		}
	}
	if c.srv.Status() != session.StatusClosing { // CONNECT did not come yet
		c.srv.Closed(b.now, &session.Error{Op: "Disconnect", Err: session.ErrRefused, Code: reason, Detail: reason.String()})
	}
}

// Tick runs what is due at the given time.
func (b *Broker) Tick(now time.Time) {
	b.set(now)
	b.told = time.Time{} // the driver's timer is used up, also where it was early
	for t := b.timers.due(b.now); t != nil; t = b.timers.due(b.now) {
		switch owner := t.owner.(type) {
		case *conn:
			owner.srv.Tick(b.now)
			b.busy.push(owner)
		case *rate:
			b.listen(owner.conn)
		case *sess:
			b.rouse(owner)
		case *retainedNode:
			b.unretain(owner)
		case *sysState:
			b.round()
		}
	}
}

// Deadline returns the time at which Tick is to be called, zero for never. The
// Timer event tells it too, when it became earlier.
func (b *Broker) Deadline() time.Time { return b.clock.outside(b.timers.earliest()) }
