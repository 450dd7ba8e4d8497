// Package sessiontest connects a client and a server session back to back, with
// a virtual clock, a network that cuts, delays and breaks, and storage that
// survives crashes. Everything is deterministic: the same calls with the same
// seed give the same events. It is meant for tests, of this module and of its
// users.
package sessiontest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// Side names one end of a Pair.
type Side uint8

// The two sides.
const (
	Client Side = iota
	Server
)

// String returns "client" or "server".
func (s Side) String() string {
	if s == Client {
		return "client"
	}
	return "server"
}

// ErrCut is what both sides see of a connection that Cut or CutAfter broke.
var ErrCut = errors.New("connection was cut")

// Config configures a Pair. Its zero value is ready.
type Config struct {
	// Client and Server configure the two sides. With Persist their Store and
	// Discard events feed the storage of the Pair.
	Client session.ClientConfig
	Server session.ServerConfig
	// Connack is what the server accepts with; SessionPresent is set by the
	// session. ManualAccept leaves CONNECT to the caller.
	Connack      codec.Connack
	ManualAccept bool
	// Start is the time at which the virtual clock begins.
	Start time.Time
	// Latency is how long bytes are under way, in each direction.
	Latency time.Duration
	// MaximumChunk is the largest number of bytes that arrive at once; below
	// it their number is random. 0 stands for all that was written.
	MaximumChunk int
	// Window is the number of bytes under way above which a side is told that
	// the transport cannot take more. 0 stands for no bound.
	Window int
	// Payload, if not nil, answers Wanted events: it fills p with the payload
	// of a message from the given offset on. MaximumPiece bounds p; below it
	// its length is random. 0 stands for all that was asked for.
	Payload      func(side Side, token uint64, offset int64, p []byte)
	MaximumPiece int
	// Seed makes the random choices.
	Seed uint64
}

// Pair is a client and a server with a network and a clock between them.
type Pair struct {
	// Client and Server are the two sides as they are now; Crash replaces
	// them.
	Client *session.Client
	Server *session.Server

	cfg     Config
	old     *session.Server // of a connection that HalfOpen left, until a new one takes its state
	accept  bool            // CONNECT waits for the end of old
	rand    *rand.Rand
	now     time.Time
	open    bool
	budget  int // bytes until the connection is cut; below 0 for never
	pipes   [2]pipe
	records [2]map[uint64][]byte
	state   *session.State // of the server, between connections
	piece   []byte
}

// pipe is what one side wrote and the other did not receive yet.
type pipe struct {
	segments []segment
	size     int
}

type segment struct {
	at   time.Time
	data []byte
}

// New returns a pair that is not connected.
func New(cfg Config) *Pair {
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return &Pair{
		Client:  session.NewClient(cfg.Client),
		Server:  session.NewServer(cfg.Server),
		cfg:     cfg,
		rand:    rand.New(rand.NewPCG(cfg.Seed, 0)),
		now:     cfg.Start,
		budget:  -1,
		records: [2]map[uint64][]byte{{}, {}},
	}
}

// Now returns the virtual time.
func (p *Pair) Now() time.Time { return p.now }

// Advance moves the virtual time on.
func (p *Pair) Advance(d time.Duration) { p.now = p.now.Add(d) }

// Rand returns the source of the random choices.
func (p *Pair) Rand() *rand.Rand { return p.rand }

// Connect opens a transport and starts a connection on it. The connection
// before has to be over.
func (p *Pair) Connect(connect *codec.Connect) error {
	if err := p.Client.Connect(p.now, connect); err != nil {
		return err
	}
	p.Server.Open(p.now)
	p.pipes = [2]pipe{}
	p.open, p.budget = true, -1
	return nil
}

// Cut breaks the connection. What is under way is lost.
func (p *Pair) Cut() {
	if !p.open {
		return
	}
	p.open, p.accept = false, false
	p.pipes = [2]pipe{}
	p.Client.Closed(p.now, ErrCut)
	p.Server.Closed(p.now, ErrCut)
}

// HalfOpen breaks the connection for the client alone: the server does not
// notice. When the next CONNECT comes, the new connection takes the session
// over, and the old one ends with reason code 0x8E.
func (p *Pair) HalfOpen() {
	if !p.open || p.Server.State() == nil || p.old != nil {
		p.Cut()
		return
	}
	p.open = false
	p.pipes = [2]pipe{}
	p.Client.Closed(p.now, ErrCut)
	p.old, p.Server = p.Server, session.NewServer(p.cfg.Server)
}

// Forget makes the server lose the session state and its storage, as if it had
// never had them. It has no connection then.
func (p *Pair) Forget() {
	p.Cut()
	p.Server, p.old, p.accept, p.state = session.NewServer(p.cfg.Server), nil, false, nil
	p.records[Server] = map[uint64][]byte{}
}

// CutAfter breaks the connection once so many more bytes have arrived.
func (p *Pair) CutAfter(n int) { p.budget = n }

// Crash ends one side at once and starts it anew with what its storage holds.
// Events that were not pulled are lost with it. The other side sees the
// connection cut.
func (p *Pair) Crash(side Side) {
	p.Cut()
	st := p.restore(side)
	if side == Client {
		cfg := p.cfg.Client
		if cfg.State = st; st == nil {
			// The server may have a session of which nothing was stored here.
			cfg.State = session.NewState()
		}
		p.Client = session.NewClient(cfg)
		return
	}
	p.state, p.old, p.accept = st, nil, false
	p.Server = session.NewServer(p.cfg.Server)
}

// restore returns the state that the storage of a side holds, nil for none.
func (p *Pair) restore(side Side) *session.State {
	if len(p.records[side]) == 0 {
		return nil
	}
	st := new(session.State)
	for _, record := range p.records[side] {
		if err := st.RestoreRecord(record); err != nil {
			panic(err) // AppendRecord made it
		}
	}
	return st
}

// State returns the session state of a side, nil for none.
func (p *Pair) State(side Side) *session.State {
	switch {
	case side == Client:
		return p.Client.State()
	case p.old != nil:
		return p.old.State()
	case p.Server.State() != nil:
		return p.Server.State()
	}
	return p.state
}

// Next returns the next event of either side. What asks for something was
// done: bytes were sent, CONNECT was answered, records were stored. When
// neither side has an event, time moves on to the next arrival or deadline that
// is not after limit. It reports false when there is none.
func (p *Pair) Next(limit time.Time) (Side, events.Event, bool) {
	for {
		if ev, ok := p.Client.Next(); ok {
			p.handle(Client, &ev)
			return Client, ev, true
		}
		if ev, ok := p.leave(); ok {
			return Server, ev, true
		}
		if ev, ok := p.Server.Next(); ok {
			p.handle(Server, &ev)
			return Server, ev, true
		}
		if !p.advance(limit) {
			return 0, events.Event{}, false
		}
	}
}

// handle does what an event asks for.
func (p *Pair) handle(side Side, ev *events.Event) {
	switch ev.Kind {
	case events.Write:
		data := bytes.Join(ev.Data, nil)
		if p.open {
			pipe := &p.pipes[side]
			pipe.segments = append(pipe.segments, segment{p.now.Add(p.cfg.Latency), data})
			pipe.size += len(data)
			p.press(side)
		}
	case events.Close:
		if side == Server && p.Server.State() != nil {
			p.state = p.Server.State()
		}
		p.closed(side)
	case events.Connect:
		if p.cfg.ManualAccept {
			return
		}
		if p.old == nil {
			p.answer()
			return
		}
		p.accept = true
		_ = p.old.Disconnect(p.now, &codec.Disconnect{ReasonCode: codec.ReasonSessionTakenOver})
		p.old.Closed(p.now, ErrCut) // nobody reads what it writes
	case events.Wanted:
		p.provide(side, ev)
	case events.Store, events.Discard:
		p.record(side, ev)
	}
}

func (p *Pair) record(side Side, ev *events.Event) {
	if ev.Kind == events.Discard {
		delete(p.records[side], ev.Key())
		return
	}
	p.records[side][ev.Key()] = session.AppendRecord(nil, *ev)
}

// leave returns the next event of a connection that the client left, and lets
// the new one have its state after the last.
func (p *Pair) leave() (ev events.Event, ok bool) {
	if p.old == nil {
		return ev, false
	}
	if ev, ok = p.old.Next(); !ok {
		return ev, false
	}
	switch ev.Kind {
	case events.Store, events.Discard:
		p.record(Server, &ev)
	case events.Close:
		p.state, p.old = p.old.State(), nil
		if p.accept {
			p.answer()
		}
	}
	return ev, true
}

// answer accepts CONNECT.
func (p *Pair) answer() {
	p.accept = false
	ack := p.cfg.Connack
	if !p.Server.Version().IsV5() {
		ack.Properties = codec.ConnackProperties{}
	}
	st := p.state
	p.state = nil
	if err := p.Server.Accept(p.now, &ack, st); err != nil {
		panic(err) // the configuration is at fault
	}
}

// press tells a side whether it may write.
func (p *Pair) press(side Side) {
	if p.cfg.Window > 0 {
		p.side(side).SetWriteBlocked(p.now, p.pipes[side].size > p.cfg.Window)
	}
}

// provide answers a Wanted.
func (p *Pair) provide(side Side, ev *events.Event) {
	if p.cfg.Payload == nil {
		return
	}
	n := int(ev.Size)
	if p.cfg.MaximumPiece > 0 {
		n = min(n, 1+p.rand.IntN(p.cfg.MaximumPiece))
	}
	p.piece = append(p.piece[:0], make([]byte, n)...)
	p.cfg.Payload(side, ev.Token, ev.Offset, p.piece)
	if err := p.side(side).PublishData(p.now, ev.Token, p.piece); err != nil {
		panic(err) // it was asked for
	}
}

// closed passes the end of the transport on to the other side, behind the bytes
// that are under way.
func (p *Pair) closed(side Side) {
	if p.open {
		pipe := &p.pipes[side]
		pipe.segments = append(pipe.segments, segment{at: p.now.Add(p.cfg.Latency)})
	}
}

// advance lets the next thing happen.
func (p *Pair) advance(limit time.Time) bool {
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for side := range p.pipes {
		if s := p.pipes[side].segments; len(s) > 0 {
			sooner(s[0].at)
		}
	}
	sooner(p.Client.Deadline())
	sooner(p.Server.Deadline())
	if p.old != nil {
		sooner(p.old.Deadline())
	}
	if at.IsZero() || at.After(limit) {
		return false
	}
	p.now = p.now.Add(max(0, at.Sub(p.now)))
	for side := range p.pipes {
		if s := p.pipes[side].segments; len(s) > 0 && !s[0].at.After(p.now) {
			p.arrive(Side(side))
			return true
		}
	}
	p.Client.Tick(p.now)
	p.Server.Tick(p.now)
	if p.old != nil {
		p.old.Tick(p.now)
	}
	return true
}

// arrive delivers the first bytes that a side wrote.
func (p *Pair) arrive(from Side) {
	pipe := &p.pipes[from]
	s := &pipe.segments[0]
	n := len(s.data)
	if n == 0 {
		// The other end closed.
		pipe.segments = nil
		p.open = false
		p.side(1-from).Closed(p.now, nil)
		return
	}
	if p.cfg.MaximumChunk > 0 {
		n = min(n, 1+p.rand.IntN(p.cfg.MaximumChunk))
	}
	cut := p.budget >= 0 && n >= p.budget
	if cut {
		n = p.budget
	}
	data := s.data[:n]
	if s.data = s.data[n:]; len(s.data) == 0 {
		pipe.segments = pipe.segments[1:]
	}
	pipe.size -= n
	p.press(from)
	p.side(1-from).Receive(p.now, data)
	if p.budget >= 0 {
		p.budget -= n
	}
	if cut {
		p.Cut()
	}
}

// side returns what the two sides have in common.
func (p *Pair) side(side Side) interface {
	Receive(time.Time, []byte)
	Closed(time.Time, error)
	SetWriteBlocked(time.Time, bool)
	PublishData(time.Time, uint64, []byte) error
} {
	if side == Client {
		return p.Client
	}
	return p.Server
}
