package broker

import (
	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Handle names a connection of a broker, from Open to its Close event. The zero
// Handle names none.
type Handle uint64

// conn is one connection.
type conn struct {
	handle Handle
	at     *endpoint
	srv    *session.Server
	timer  timer
	client *Client
	limits *Limits
	rate   *rate // nil as long as nothing is measured

	entry *entry // from CONNECT to its answer
	sess  *sess  // from a successful CONNACK to Close
	// successor waits with its CONNECT for the Close of this connection,
	// whose session it takes over.
	successor *conn
	next      [2]*conn // in each of the two lines of the broker
	in        [2]bool  // whether it is in them
	blocked   bool     // the transport cannot take bytes
	gone      bool     // the transport is closed
	held      bool     // the driver does not read: HoldInput
	crowded   bool     // it is in Broker.crowd
}

// Version returns what a connection speaks, 0 before CONNECT.
func (b *Broker) Version(h Handle) codec.Version {
	if c := b.conns.get(h); c != nil {
		return c.srv.Version()
	}
	return 0
}

// ConnLimits returns what the broker and a client agreed on. It is empty before
// CONNECT, and the client's own until CONNACK.
func (b *Broker) ConnLimits(h Handle) session.Limits {
	if c := b.conns.get(h); c != nil {
		return c.srv.Limits()
	}
	return session.Limits{}
}

// entry is what a CONNECT asks for, and what the driver said to it.
type entry struct {
	cleanStart bool
	unnamed    bool // the Client Identifier is left to the broker
	informed   bool // Response Information is wanted
	asked      bool // the driver has not answered yet
	keepAlive  uint16
	will       *will
	admission  Admission
	heirOf     *conn // the connection whose successor waits with it
}

// maximumQoS returns the highest QoS on offer.
func (c *conn) maximumQoS() codec.QoS {
	return min(c.at.MaximumQoS.Or(codec.QoS2), c.limits.MaximumQoS.Or(codec.QoS2))
}

// conns are the connections by handle. The lower half of a handle is the place
// in the table, from 1, the upper half tells apart those that had the place one
// after the other.
type conns struct {
	table []*conn
	uses  []uint32
	free  []uint32
	n     int
}

func (t *conns) add(c *conn) {
	var i uint32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = uint32(len(t.table))
		t.table, t.uses = append(t.table, nil), append(t.uses, 0)
	}
	t.uses[i]++
	t.table[i] = c
	t.n++
	c.handle = Handle(t.uses[i])<<32 | Handle(i+1)
}

// get returns the connection, or nil if its Close was pulled.
func (t *conns) get(h Handle) *conn {
	i := int(uint32(h)) - 1
	if i < 0 || i >= len(t.table) || t.table[i] == nil || t.table[i].handle != h {
		return nil
	}
	return t.table[i]
}

func (t *conns) remove(c *conn) {
	i := uint32(c.handle) - 1
	t.table[i] = nil
	t.free = append(t.free, i)
	t.n--
}

// line lists connections, first come, first served.
type line struct {
	head, tail *conn
	role       int // which of the two it is
}

func (l *line) push(c *conn) {
	if c.in[l.role] {
		return
	}
	c.in[l.role] = true
	if l.tail == nil {
		l.head = c
	} else {
		l.tail.next[l.role] = c
	}
	l.tail = c
}

func (l *line) pop() {
	c := l.head
	l.head = c.next[l.role]
	if l.head == nil {
		l.tail = nil
	}
	c.next[l.role], c.in[l.role] = nil, false
}
