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
	srv    *session.Server
	timer  timer

	// connect is a copy of CONNECT until it is answered.
	connect  *codec.Connect
	clientID string
	sess     *sess // from a successful CONNACK to Close
	// successor waits with its CONNECT for the Close of this connection,
	// whose session it takes over; heirOf is the way back.
	successor, heirOf *conn
	unblocked         bool // the last Write was asked for although the transport is blocked

	next   *conn // in the list of busy connections
	queued bool  // whether it is in that list
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

// busy lists the connections that may have events, first come, first served:
// whoever receives a message is served after its publisher, so that one Write
// carries all that came in one read.
type busy struct{ head, tail *conn }

func (l *busy) push(c *conn) {
	if c.queued {
		return
	}
	c.queued = true
	if l.tail == nil {
		l.head = c
	} else {
		l.tail.next = c
	}
	l.tail = c
}

func (l *busy) pop() {
	c := l.head
	l.head = c.next
	if l.head == nil {
		l.tail = nil
	}
	c.next, c.queued = nil, false
}
