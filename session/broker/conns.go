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

	// connect is a copy of CONNECT until it is answered, admission what the driver
	// said to it.
	connect   *codec.Connect
	admission *Admission
	sess      *sess // from a successful CONNACK to Close
	// successor waits with its CONNECT for the Close of this connection,
	// whose session it takes over; heirOf is the way back.
	successor, heirOf *conn
	blocked           bool // the transport cannot take bytes
	gone              bool // the transport is closed
	admitting         bool // the driver was asked whether it may connect

	places [2]place // in the two lines of the broker
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
	role       int // which of the places of a connection is meant
}

// place is that of a connection in a line.
type place struct {
	next *conn
	in   bool
}

func (l *line) push(c *conn) {
	p := &c.places[l.role]
	if p.in {
		return
	}
	p.in = true
	if l.tail == nil {
		l.head = c
	} else {
		l.tail.places[l.role].next = c
	}
	l.tail = c
}

func (l *line) pop() {
	p := &l.head.places[l.role]
	l.head = p.next
	if l.head == nil {
		l.tail = nil
	}
	*p = place{}
}
