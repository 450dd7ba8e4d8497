package client_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

// start is the time at which every test begins.
var start = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

var update = flag.Bool("update", false, "write what the scenarios print into their source files")

// rig is a client back to back with a server, and the trace of what happens:
// events of the client, and with > and < the packets to and from the server.
type rig struct {
	t     testing.TB
	c     *client.Client
	s     *session.Server // nil without a transport
	now   time.Time
	out   strings.Builder
	chunk int // cuts what the client receives, 0 for not at all

	config        client.Config
	server        session.ServerConfig
	state         *session.State              // of the server's session
	subs          map[string]bool             // of the server's session
	connack       codec.Connack               // of the next connections
	codes         map[string]codec.ReasonCode // instead of the QoS asked for
	silent        bool                        // the server answers no CONNECT
	ack           bool                        // it answers SUBSCRIBE and UNSUBSCRIBE
	mute          bool                        // what it writes is lost
	version       codec.Version
	onward        func(*rig, events.Event) // sees the server's events
	onClientEvent func(client.Event)       // sees the client's events
	inside        string                   // what handlers run
	incoming      client.Incoming          // of the handler that runs
	data          codec.Bytes              // Correlation Data of the request that the server got last
	missing       []byte                   // of the packet that half began
	timers        bool
}

func newRig(t testing.TB) *rig {
	return &rig{t: t, now: start, subs: map[string]bool{}, codes: map[string]codec.ReasonCode{}, version: codec.V5, ack: true}
}

func (r *rig) printf(format string, args ...any) { fmt.Fprintf(&r.out, format+"\n", args...) }

// drain serves both sides until nothing is left to do.
func (r *rig) drain() {
	for {
		ev, ok := r.c.Next()
		if ok {
			r.onClient(ev)
			continue
		}
		if r.s == nil || !r.drainServer() {
			break
		}
	}
	if d := r.c.Deadline(); !d.IsZero() && !d.After(r.now) {
		r.t.Fatalf("deadline %v is not in the future of %v", d, r.now)
	}
}

func (r *rig) onClient(ev client.Event) {
	if r.onClientEvent != nil {
		defer r.onClientEvent(ev)
	}
	switch ev.Kind {
	case client.Write:
		var b []byte
		for _, seg := range ev.Data {
			b = append(b, seg...)
		}
		r.packets(">", b)
		if r.s != nil {
			r.s.Receive(r.now, b)
		}
	case client.Timer:
		if r.timers {
			r.printf("Timer +%v", ev.Deadline.Sub(start))
		}
	case client.MessageData: // where it is cut depends on how the bytes arrive
	case client.Close:
		r.printf("%v", ev)
		for r.s != nil {
			r.s.Closed(r.now, nil)
			r.drainServer()
		}
	case client.Waiting:
		d := ev.Deadline.Sub(r.now)
		ev.Deadline = time.Time{}
		r.printf("%v wait=%v", ev, d)
	case client.Message, client.Response, client.Stray:
		line := ev.String()
		if ev.Publish != nil {
			line += fmt.Sprintf(" %q", ev.Publish.Payload)
		}
		r.printf("%s", line)
	default:
		r.printf("%v", ev)
	}
}

// packets prints what is written.
func (r *rig) packets(arrow string, b []byte) {
	v := r.version
	for len(b) > 0 {
		h, n, err := codec.Frame(b, 0)
		if err != nil || n == 0 {
			r.t.Fatalf("% X: %v", b, err)
		}
		p := codec.NewPacket(h.Type)
		if err := p.Decode(h, b[h.Len:n], v); err != nil {
			r.t.Fatalf("% X: %v", b[:n], err)
		}
		line := p.String()
		if m, ok := p.(*codec.Publish); ok {
			line += fmt.Sprintf(" %q", m.Payload)
			for id := range m.Properties.SubscriptionIdentifiers.All() {
				line += fmt.Sprintf(" id=%d", id)
			}
		}
		r.printf("%s %s", arrow, line)
		b = b[n:]
	}
}

// drainServer serves the server. It reports whether anything was due.
func (r *rig) drainServer() (busy bool) {
	for r.s != nil {
		ev, ok := r.s.Next()
		if !ok {
			break
		}
		busy = true
		r.onServer(ev)
	}
	return busy
}

func (r *rig) onServer(ev events.Event) {
	if r.onward != nil {
		r.onward(r, ev)
	}
	switch ev.Kind {
	case events.Write:
		var b []byte
		for _, seg := range ev.Data {
			b = append(b, seg...)
		}
		if r.mute {
			return
		}
		r.packets("<", b)
		r.feed(b)
	case events.Close:
		if ev.Err != nil && !errors.Is(ev.Err, session.ErrDisconnected) && !errors.Is(ev.Err, session.ErrTransport) {
			r.printf("server: %v", ev)
		}
		r.s = nil
		r.c.Closed(r.now, nil)
	case events.Message:
		if d := ev.Publish.Properties.CorrelationData; d.Set {
			r.data = append(codec.Bytes(nil), d.Value...)
		}
	case events.Connect:
		r.connect()
	case events.Connected:
		if !ev.SessionPresent() {
			clear(r.subs)
		}
	case events.Subscribe:
		r.subscribe(ev.Packet.(*codec.Subscribe))
	case events.Unsubscribe:
		p := ev.Packet.(*codec.Unsubscribe)
		a := codec.Unsuback{PacketID: p.PacketID}
		for _, f := range p.Filters {
			code := codec.ReasonSuccess
			if !r.subs[string(f)] {
				code = codec.ReasonNoSubscriptionExisted
			}
			delete(r.subs, string(f))
			a.ReasonCodes = append(a.ReasonCodes, code)
		}
		if r.ack {
			r.check(r.s.Unsuback(r.now, &a))
		}
	}
}

func (r *rig) feed(b []byte) {
	if r.chunk == 0 {
		r.c.Receive(r.now, b)
		return
	}
	for len(b) > 0 {
		n := min(r.chunk, len(b))
		r.c.Receive(r.now, append([]byte(nil), b[:n]...))
		b = b[n:]
	}
}

func (r *rig) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) connect() {
	if r.silent {
		return
	}
	p := r.connack
	if p.ReasonCode.IsError() {
		r.connack = codec.Connack{}
		r.check(r.s.Refuse(r.now, &p))
		return
	}
	r.check(r.s.Accept(r.now, &p, r.state))
	r.state = r.s.State()
}

func (r *rig) subscribe(p *codec.Subscribe) {
	a := codec.Suback{PacketID: p.PacketID}
	for _, f := range p.Filters {
		code, ok := r.codes[string(f.Filter)]
		if !ok {
			code = codec.ReasonCode(f.QoS)
		}
		if !code.IsError() {
			r.subs[string(f.Filter)] = true
		}
		a.ReasonCodes = append(a.ReasonCodes, code)
	}
	if r.ack {
		r.check(r.s.Suback(r.now, &a))
	}
}

// handler prints what it gets, and runs the commands of inside.
func (r *rig) handler(name string) client.Handler {
	return func(now time.Time, m client.Incoming) {
		r.printf("handler %s: %s %q", name, m.Topic, m.Payload)
		if r.inside != "" {
			before := string(m.Topic) + string(m.Payload)
			for line := range strings.SplitSeq(r.inside, ";") {
				r.incoming = m
				r.command(strings.TrimSpace(strings.ReplaceAll(line, "$topic", string(m.Topic))))
			}
			if after := string(m.Topic) + string(m.Payload); after != before {
				r.t.Errorf("the message changed from %q to %q under its handler", before, after)
			}
		}
	}
}

// scenario runs the commands of text and compares what they print with the
// lines that begin with a bar.
func scenario(t *testing.T, text string) {
	t.Helper()
	for _, chunk := range []int{0, 1, 3, 7} {
		got := newRigRun(t, text, chunk)
		if got == text {
			continue
		}
		if *update && chunk == 0 {
			_, file, _, _ := runtime.Caller(1)
			src, err := os.ReadFile(file)
			if err != nil || strings.Count(string(src), "`"+text+"`") != 1 {
				t.Fatalf("%s: scenario is not there exactly once: %v", file, err)
			}
			src = []byte(strings.Replace(string(src), "`"+text+"`", "`"+got+"`", 1))
			if err := os.WriteFile(file, src, 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Fatalf("chunks of %d: trace differs (-want +got):\n%s", chunk, cmp.Diff(text, got))
	}
}

// rule finds the rules that errors name; a trace shows them in another form, as
// that in brackets cites what a test proves.
var rule = regexp.MustCompile(`\[((MQTT|U5|U311)-[0-9a-z.-]+)\]`)

func newRigRun(t *testing.T, text string, chunk int) string {
	r := newRig(t)
	r.chunk = chunk
	var out strings.Builder
	for i, line := range strings.Split(text, "\n") {
		command := strings.TrimSpace(line)
		if strings.HasPrefix(command, "|") {
			continue
		}
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(line)
		if command == "" || strings.HasPrefix(command, "#") {
			continue
		}
		r.out.Reset()
		r.command(command)
		if r.c != nil {
			r.drain()
		}
		indent := line[:len(line)-len(strings.TrimLeft(line, "\t"))]
		for l := range strings.Lines(rule.ReplaceAllString(r.out.String(), "rule $1")) {
			out.WriteString("\n" + indent + "| " + strings.TrimSuffix(l, "\n"))
		}
	}
	return out.String()
}

// command runs one command. Its errors are part of the trace.
func (r *rig) command(line string) {
	name, rest, _ := strings.Cut(line, " ")
	f, ok := commands[name]
	if !ok {
		r.t.Fatalf("no command %q", name)
	}
	if err := f(r, strings.TrimSpace(rest)); err != nil {
		r.printf("error %v", err)
	}
}

func (r *rig) parse(s string, v any) {
	if s == "" {
		return
	}
	d := json.NewDecoder(strings.NewReader(s))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		r.t.Fatalf("%s: %v", s, err)
	}
}

// message reads "topic[:qos[:payload]]" or JSON.
func (r *rig) message(s string) *codec.Publish {
	p := new(codec.Publish)
	if strings.HasPrefix(s, "{") {
		r.parse(s, p)
		return p
	}
	f := strings.SplitN(s, ":", 3)
	p.Topic = codec.Bytes(f[0])
	if len(f) > 1 {
		q, _ := strconv.Atoi(f[1])
		p.QoS = codec.QoS(q)
	}
	if len(f) > 2 {
		p.Payload = codec.Bytes(f[2])
	}
	return p
}

// filters reads "name filter[:qos]..."; the name "-" stands for no handler.
func (r *rig) filters(s string) (client.Handler, []codec.Subscription) {
	f := strings.Fields(s)
	var list []codec.Subscription
	for _, s := range f[1:] {
		filter, qos, _ := strings.Cut(s, ":")
		q, _ := strconv.Atoi(qos)
		list = append(list, codec.Subscription{Filter: codec.Bytes(filter), QoS: codec.QoS(q)})
	}
	if f[0] == "-" {
		return nil, list
	}
	return r.handler(f[0]), list
}
