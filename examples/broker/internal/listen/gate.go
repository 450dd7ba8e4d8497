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

// Place is what a connection has at a Gate. It may move, but not be in use twice.
type Place struct {
	gate     *Gate
	listener *Listener
	address  netip.AddrPort // not valid for a Unix socket
	pending  bool
}

// admit gives the connection a place, or returns the cause why there is none.
func (g *Gate) admit(c *Conn) (cause string) {
	p := &c.Place
	p.address = address(c.Conn)
	network := p.Network()
	g.mu.Lock()
	defer g.mu.Unlock()
	from := g.from[network] // of no address there are none
	switch {
	case full(g.all.open, g.limits.Connections):
		cause = "too many connections"
	case full(g.of[c.Listener], c.Listener.cfg.MaxConnections):
		cause = "too many connections of this listener"
	case full(g.all.pending, g.limits.PendingConnections):
		cause = "too many connections that are not let in yet"
	case full(from.open, g.limits.ConnectionsPerAddress):
		cause = "too many connections from this address"
	case full(from.pending, (g.limits.PendingConnections+1)/2):
		cause = "too many connections from this address that are not let in yet"
	default:
		p.gate, p.listener, p.pending = g, c.Listener, true
		g.of[c.Listener]++
		g.count(network, 1, 1)
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

// LetIn tells the Gate that the client has been let in, and is none of the
// pending ones any more.
func (p *Place) LetIn() {
	if p.gate == nil {
		return
	}
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	if p.pending {
		p.pending = false
		p.gate.count(p.Network(), 0, -1)
	}
}

// Release gives the place free. It may be called more than once.
func (p *Place) Release() {
	g := p.gate
	if g == nil {
		return
	}
	p.LetIn()
	g.mu.Lock()
	defer g.mu.Unlock()
	if p.listener != nil {
		g.of[p.listener]--
		g.count(p.Network(), -1, 0)
		p.listener = nil
	}
}

// Remote names the client for people.
func (p *Place) Remote() string {
	if !p.address.IsValid() {
		return "of this machine" // clients of a Unix socket have no name
	}
	return p.address.String()
}

// Network returns what counts as one address: whoever has an IPv6 address
// commonly has all of its /64.
func (p *Place) Network() netip.Prefix {
	ip := p.address.Addr().WithZone("")
	bits := ip.BitLen()
	if ip.Is6() {
		bits = 64
	}
	n, _ := ip.Prefix(bits) // has no error for these, and of no address there is none
	return n
}

// address returns where a connection comes from.
func address(c net.Conn) netip.AddrPort {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	from := tcp.AddrPort()
	return netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}
