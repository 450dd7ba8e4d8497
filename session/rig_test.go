package session_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// conn is what Client and Server have in common.
type conn interface {
	Receive(time.Time, []byte)
	Next() (events.Event, bool)
	Tick(time.Time)
	Deadline() time.Time
	Closed(time.Time, error)
	SetWriteBlocked(time.Time, bool)
	HoldInput(time.Time, bool)
	InputPaused() bool
	Publish(time.Time, *codec.Publish) (uint64, error)
	PublishShared(time.Time, *codec.Publish, session.Delivery) (uint64, error)
	Erase(time.Time, uint64) error
	Ack(time.Time, uint64, session.Reply) error
	Release(time.Time, uint32, session.Reply) error
	PublishStream(time.Time, *codec.Publish, int) (uint64, error)
	PublishData(time.Time, uint64, []byte) error
	Abort(time.Time, uint64) error
	Complete(time.Time, uint64, session.Reply) error
	Respond(session.Reply) error
	Disconnect(time.Time, *codec.Disconnect) error
	Status() session.Status
	Version() codec.Version
	State() *session.State
	Limits() session.Limits
	Stats() session.Stats
	Vacancy() int
	Inflight() int
	Queued() int
}

var (
	_ conn = (*session.Client)(nil)
	_ conn = (*session.Server)(nil)
)

// start is the time at which every test begins.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

// rig runs the commands of a scenario on one side of a connection and prints
// what comes of them. The commands are described in testdata/scenarios/README.
type rig struct {
	conn
	c   *session.Client
	s   *session.Server
	v   codec.Version // of the peer, for what it sends
	now time.Time
	out strings.Builder

	// chunk cuts what is received into pieces, split into two there, 0 for not
	// at all; drain pulls the events after every piece rather than at the end.
	chunk   int
	split   int
	drain   bool
	respond *session.Reply // given to Respond at every Message
	tokens  map[string]uint64
	state   *session.State
	shared  session.Shared
	server  session.ServerConfig
	merge   bool // prints only the bytes of writes, and at the end of each command
	written []byte
	longest int    // of the inputs
	data    []byte // of MessageData that follow one another
}

func newRig() *rig { return &rig{now: start, tokens: map[string]uint64{}} }

// run executes one command and returns what it printed.
func (r *rig) run(line string) (out string, err error) {
	r.out.Reset()
	defer func() { out = rule.ReplaceAllString(r.out.String(), "rule $1") }()
	name, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	command, ok := commands[name]
	if !ok {
		return "", fmt.Errorf("no command %q", name)
	}
	if err := command(r, rest); err != nil {
		var bad badScenario
		if errors.As(err, &bad) {
			return "", err
		}
		fmt.Fprintf(&r.out, "error %v\n", err)
	}
	if r.conn != nil {
		r.pull()
		r.flush()
		if r.merge && len(r.written) > 0 {
			fmt.Fprintf(&r.out, "Write % X\n", r.written)
			r.written = nil
		}
	}
	return "", nil
}

// rule finds the rules that errors name. Traces show them in another form, as
// the form in brackets cites what a test proves.
var rule = regexp.MustCompile(`\[((MQTT|U5|U311)-[0-9a-z.-]+)\]`)

// badScenario is a mistake in a scenario rather than an outcome of it.
type badScenario struct{ error }

// pull prints all events that are due.
func (r *rig) pull() {
	for ev, ok := r.Next(); ok; ev, ok = r.Next() {
		r.print(ev)
		if (ev.Kind == events.Message || ev.Kind == events.MessageBegin) && r.respond != nil {
			if err := r.Respond(*r.respond); err != nil {
				fmt.Fprintf(&r.out, "error %v\n", err)
			}
		}
	}
}

// flush prints the pieces of a payload that came together as one, since where
// they are cut depends on how the bytes arrive.
func (r *rig) flush() {
	if len(r.data) > 0 {
		fmt.Fprintf(&r.out, "MessageData size=%d %.30q\n", len(r.data), r.data)
		r.data = nil
	}
}

func (r *rig) print(ev events.Event) {
	if ev.Kind == events.MessageData {
		r.data = append(r.data, ev.Data[0]...)
		return
	}
	if ev.Kind != events.Write && ev.Kind != events.Timer || !r.merge {
		r.flush()
	}
	switch ev.Kind {
	case events.Write:
		data := bytes.Join(ev.Data, nil)
		if int64(len(data)) != ev.Size {
			fmt.Fprintf(&r.out, "Size is %d, Data has %d bytes\n", ev.Size, len(data))
		}
		if r.merge {
			r.written = append(r.written, data...)
			return
		}
		for len(data) > 0 {
			h, n, err := codec.Frame(data, 0)
			if err != nil || n == 0 {
				// A part of a packet whose payload is sent in pieces.
				fmt.Fprintf(&r.out, "Write % X\n", data)
				return
			}
			p := codec.NewPacket(h.Type)
			v := r.Version()
			if v == 0 {
				v = codec.V311
			}
			if err := p.DecodeLoose(h, data[h.Len:n], v); err != nil {
				fmt.Fprintf(&r.out, "Write % X %v\n", data[:n], err)
			} else {
				fmt.Fprintf(&r.out, "Write %v\n", p)
			}
			data = data[n:]
		}
	case events.Timer:
		if !r.merge {
			fmt.Fprintf(&r.out, "Timer +%v\n", ev.Deadline.Sub(start))
		}
	case events.Message:
		line := ev.String()
		if len(ev.Publish.Payload) < 30 {
			line += fmt.Sprintf(" %q", ev.Publish.Payload)
		}
		fmt.Fprintln(&r.out, line)
	default:
		ev.Deadline = time.Time{}
		fmt.Fprintln(&r.out, ev)
	}
}

// receive feeds bytes in the pieces that the run asks for.
func (r *rig) receive(p []byte) {
	r.longest = max(r.longest, len(p))
	for len(p) > 0 {
		n := len(p)
		switch {
		case r.chunk > 0:
			n = min(n, r.chunk)
		case r.split > 0:
			n = min(n, r.split)
		}
		piece := bytes.Clone(p[:n])
		r.Receive(r.now, piece)
		if r.drain {
			r.pull()
		}
		p = p[n:]
		if r.chunk == 0 && r.split > 0 && len(p) > 0 {
			r.Receive(r.now, bytes.Clone(p))
			if r.drain {
				r.pull()
			}
			return
		}
	}
}

// commands are the commands of scenarios.
var commands = map[string]func(*rig, string) error{
	"client": func(r *rig, args string) error {
		cfg := session.ClientConfig{State: r.state}
		word, rest, _ := strings.Cut(args, " ")
		v, err := versionOf(word)
		if err != nil {
			return err
		}
		cfg.Version = v
		if err := parse(rest, &cfg); err != nil {
			return err
		}
		cfg.Shared = &r.shared
		r.c = session.NewClient(cfg)
		r.conn, r.v, r.s = r.c, v, nil
		return nil
	},
	"server": func(r *rig, args string) error {
		word, rest, _ := strings.Cut(args, " ")
		v, err := versionOf(word)
		if err != nil {
			return err
		}
		r.server = session.ServerConfig{}
		if err := parse(rest, &r.server); err != nil {
			return err
		}
		r.server.Shared = &r.shared
		r.s = session.NewServer(r.server)
		r.conn, r.v, r.c = r.s, v, nil
		r.s.Open(r.now)
		return nil
	},
	"open":  func(r *rig, _ string) error { r.s.Open(r.now); return nil },
	"state": func(r *rig, _ string) error { r.state = session.NewState(); return nil },
	"keep":  func(r *rig, _ string) error { r.state = r.State(); return nil },
	"connect": func(r *rig, args string) error {
		var p codec.Connect
		if err := parse(args, &p); err != nil {
			return err
		}
		return r.c.Connect(r.now, &p)
	},
	"accept": func(r *rig, args string) error {
		var p codec.Connack
		if err := parse(args, &p); err != nil {
			return err
		}
		st := r.state
		r.state = nil
		return r.s.Accept(r.now, &p, st)
	},
	"refuse": func(r *rig, args string) error {
		var p codec.Connack
		if err := parse(args, &p); err != nil {
			return err
		}
		return r.s.Refuse(r.now, &p)
	},
	// recv takes a packet by name and content, or "hex" and bytes.
	"recv": func(r *rig, args string) error {
		b, err := r.packet(args)
		if err != nil {
			return err
		}
		r.receive(b)
		return nil
	},
	"publish": func(r *rig, args string) error {
		var p codec.Publish
		if err := parse(args, &p); err != nil {
			return err
		}
		token, err := r.Publish(r.now, &p)
		if err == nil {
			fmt.Fprintf(&r.out, "token %d\n", token)
		}
		return err
	},
	"share": func(r *rig, args string) error {
		var p codec.Publish
		if err := parse(args, &p); err != nil {
			return err
		}
		_, err := r.PublishShared(r.now, &p, session.Delivery{QoS: p.QoS, Retain: p.Retain})
		return err
	},
	// stream takes the size of the payload and the message, data a token, the
	// size of the piece and its byte.
	"stream": func(r *rig, args string) error {
		word, rest, _ := strings.Cut(args, " ")
		size, err := strconv.Atoi(word)
		if err != nil {
			return badScenario{err}
		}
		var p codec.Publish
		if err := parse(rest, &p); err != nil {
			return err
		}
		token, err := r.PublishStream(r.now, &p, size)
		if err == nil {
			fmt.Fprintf(&r.out, "token %d\n", token)
		}
		return err
	},
	"data": func(r *rig, args string) error {
		var token uint64
		var size int
		var fill string
		if _, err := fmt.Sscan(args, &token, &size, &fill); err != nil {
			return badScenario{err}
		}
		return r.PublishData(r.now, token, bytes.Repeat([]byte(fill), size))
	},
	"abort": func(r *rig, args string) error {
		token, err := strconv.ParseUint(args, 10, 64)
		if err != nil {
			return badScenario{err}
		}
		return r.Abort(r.now, token)
	},
	"subscribe": func(r *rig, args string) error {
		var p codec.Subscribe
		if err := parse(args, &p); err != nil {
			return err
		}
		_, err := r.c.Subscribe(r.now, &p)
		return err
	},
	"unsubscribe": func(r *rig, args string) error {
		var p codec.Unsubscribe
		if err := parse(args, &p); err != nil {
			return err
		}
		_, err := r.c.Unsubscribe(r.now, &p)
		return err
	},
	"suback": func(r *rig, args string) error {
		var p codec.Suback
		if err := parse(args, &p); err != nil {
			return err
		}
		return r.s.Suback(r.now, &p)
	},
	"unsuback": func(r *rig, args string) error {
		var p codec.Unsuback
		if err := parse(args, &p); err != nil {
			return err
		}
		return r.s.Unsuback(r.now, &p)
	},
	"auth": func(r *rig, args string) error {
		var p codec.Auth
		if err := parse(args, &p); err != nil {
			return err
		}
		if r.c != nil {
			return r.c.Auth(r.now, &p)
		}
		return r.s.Auth(r.now, &p)
	},
	"ping": func(r *rig, _ string) error { return r.c.Ping(r.now) },
	"pong": func(r *rig, _ string) error { return r.s.Pong(r.now) },
	"disconnect": func(r *rig, args string) error {
		var p codec.Disconnect
		if err := parse(args, &p); err != nil {
			return err
		}
		return r.Disconnect(r.now, &p)
	},
	"ack":      func(r *rig, args string) error { return r.reply(args, r.Ack) },
	"complete": func(r *rig, args string) error { return r.reply(args, r.Complete) },
	"release": func(r *rig, args string) error {
		return r.reply(args, func(now time.Time, id uint64, reply session.Reply) error {
			return r.Release(now, uint32(id), reply)
		})
	},
	"erase": func(r *rig, args string) error {
		token, err := strconv.ParseUint(args, 10, 64)
		if err != nil {
			return badScenario{err}
		}
		return r.Erase(r.now, token)
	},
	"respond": func(r *rig, args string) error {
		r.respond = new(session.Reply)
		return parse(args, r.respond)
	},
	// after moves time on and calls Tick.
	"after": func(r *rig, args string) error {
		d, err := time.ParseDuration(args)
		if err != nil {
			return badScenario{err}
		}
		r.now = r.now.Add(d)
		r.Tick(r.now)
		return nil
	},
	// pass moves time on without a call.
	"pass": func(r *rig, args string) error {
		d, err := time.ParseDuration(args)
		r.now = r.now.Add(d)
		if err != nil {
			return badScenario{err}
		}
		return nil
	},
	"closed": func(r *rig, args string) error {
		var err error
		if args != "" {
			err = errors.New(args)
		}
		r.Closed(r.now, err)
		return nil
	},
	"block":   func(r *rig, _ string) error { r.SetWriteBlocked(r.now, true); return nil },
	"unblock": func(r *rig, _ string) error { r.SetWriteBlocked(r.now, false); return nil },
	"limits":  func(r *rig, _ string) error { fmt.Fprintf(&r.out, "%+v\n", r.Limits()); return nil },
	"status": func(r *rig, _ string) error {
		fmt.Fprintf(&r.out, "%v vacancy=%d inflight=%d queued=%d\n", r.Status(), r.Vacancy(), r.Inflight(), r.Queued())
		return nil
	},
	// reload stores the state and restores it into a new one.
	"reload": func(r *rig, _ string) error {
		b, err := r.State().AppendBinary(nil)
		if err != nil {
			return err
		}
		r.state = new(session.State)
		return r.state.UnmarshalBinary(b)
	},
}
