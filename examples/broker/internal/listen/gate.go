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
	all      int
	pending  int
	of       map[*Listener]int
	from     map[netip.Prefix]int
	refusals map[string]int64
}

// NewGate returns a Gate with the limits for connections, of which 0 stands for
// none. ConnectTimeout bounds the handshakes.
func NewGate(limits *config.Limits) *Gate {
	return &Gate{
		limits:   limits,
		of:       make(map[*Listener]int),
		from:     make(map[netip.Prefix]int),
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
	s := GateStats{All: g.all, Pending: g.pending, Of: make(map[*Listener]int), Refused: make(map[string]int64)}
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
	from     netip.Prefix // not valid without a bound
	pending  bool
}

// admit gives the connection a place, or returns the cause why there is none.
func (g *Gate) admit(c *Conn) (cause string) {
	p := place{gate: g, listener: c.Listener, pending: true}
	if g.limits.ConnectionsPerAddress > 0 {
		p.from = network(c.RemoteAddr())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case full(g.all, g.limits.Connections):
		cause = "too many connections"
	case full(g.of[p.listener], p.listener.cfg.MaxConnections):
		cause = "too many connections of this listener"
	case full(g.pending, g.limits.PendingConnections):
		cause = "too many connections that are not let in yet"
	case p.from.IsValid() && full(g.from[p.from], g.limits.ConnectionsPerAddress):
		cause = "too many connections from this address"
	default:
		g.count(&p, 1)
		g.pending++
		c.place = p
		return ""
	}
	g.refusals[cause]++
	return cause
}

func full(n, most int) bool { return most > 0 && n >= most }

func (g *Gate) count(p *place, by int) {
	g.all += by
	g.of[p.listener] += by
	if p.from.IsValid() {
		if g.from[p.from] += by; g.from[p.from] == 0 {
			delete(g.from, p.from)
		}
	}
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
		p.gate.pending--
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
		g.count(p, -1)
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
