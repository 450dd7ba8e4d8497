package listen

import (
	"net"
	"net/netip"
	"sync"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// Gate bounds the connections of all listeners that it is given to.
type Gate struct {
	limits *config.Limits

	mu       sync.Mutex
	all      counts
	of       map[*Listener]int
	from     map[netip.Prefix]counts
	refusals map[string]int64
}

// counts are connections, and those of them that are not let in yet.
type counts struct{ open, pending int }

// NewGate returns a Gate with the limits for connections, of which 0 stands for
// none. One address gets half of the pending ones at most, so that nobody can
// keep others out with connections that say nothing. ConnectTimeout bounds the
// handshakes.
func NewGate(limits *config.Limits) *Gate {
	return &Gate{
		limits:   limits,
		of:       make(map[*Listener]int),
		from:     make(map[netip.Prefix]counts),
		refusals: make(map[string]int64),
	}
}

// GateStats counts connections.
type GateStats struct {
	All, Pending int
	Of           map[*Listener]int
	Refused      map[string]int64 // by cause, since the start
}

// Stats returns what there is now.
func (g *Gate) Stats() GateStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := GateStats{All: g.all.open, Pending: g.all.pending, Of: make(map[*Listener]int), Refused: make(map[string]int64)}
	for l, n := range g.of {
		s.Of[l] = n
	}
	for cause, n := range g.refusals {
		s.Refused[cause] = n
	}
	return s
}

// place is what a connection has at a Gate. Its fields belong to the Gate.
type place struct {
	gate     *Gate
	listener *Listener
	from     netip.Prefix // not valid for a Unix socket
	pending  bool
}

// admit gives the connection a place, or returns the cause why there is none.
func (g *Gate) admit(c *Conn) (cause string) {
	p := place{gate: g, listener: c.Listener, from: network(c.RemoteAddr())}
	g.mu.Lock()
	defer g.mu.Unlock()
	from := g.from[p.from] // of no address there are none
	switch {
	case full(g.all.open, g.limits.Connections):
		cause = "too many connections"
	case full(g.of[p.listener], p.listener.cfg.MaxConnections):
		cause = "too many connections of this listener"
	case full(g.all.pending, g.limits.PendingConnections):
		cause = "too many connections that are not let in yet"
	case full(from.open, g.limits.ConnectionsPerAddress):
		cause = "too many connections from this address"
	case full(from.pending, (g.limits.PendingConnections+1)/2):
		cause = "too many connections from this address that are not let in yet"
	default:
		p.pending = true
		g.of[p.listener]++
		g.count(p.from, 1, 1)
		c.place = p
		return ""
	}
	g.refusals[cause]++
	return cause
}

func full(n, most int) bool { return most > 0 && n >= most }

// count adds to what there is in all and from an address.
func (g *Gate) count(from netip.Prefix, open, pending int) {
	g.all.open += open
	g.all.pending += pending
	if !from.IsValid() {
		return
	}
	n := g.from[from]
	n.open += open
	n.pending += pending
	if n.open == 0 {
		delete(g.from, from)
		return
	}
	g.from[from] = n
}

// settle makes the place one of a client that was let in.
func (p *place) settle() {
	if p.gate == nil {
		return
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.pending {
		p.pending = false
		p.gate.count(p.from, 0, -1)
	}
}

// release gives the place free. It may be called more than once.
func (p *place) release() {
	g := p.gate
	if g == nil {
		return
	}
	p.settle()
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.listener != nil {
		g.of[p.listener]--
		g.count(p.from, -1, 0)
		p.listener = nil
	}
}

// network returns what counts as one address: whoever has an IPv6 address
// commonly has all of its /64.
func network(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.Prefix(bits) // has no error for these
	return p
}
