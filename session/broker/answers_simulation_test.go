package broker_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// lateDriver answers questions late, in any order, and some twice, to clients that
// lose their connections and are taken over, while the broker is killed.
type lateDriver struct {
	t       *testing.T
	r       *rand.Rand
	now     time.Time
	cfg     broker.Config
	b       *broker.Broker
	disk    disk
	unit    unit
	peers   []*latePeer
	byConn  map[broker.Handle]*latePeer
	asked   []broker.Question
	connect []broker.Handle // whose CONNECT waits
	sent    []string        // messages above QoS 0
}

// latePeer is a client and what is between it and the broker.
type latePeer struct {
	d         *lateDriver
	id        string
	c         *session.Client
	connect   *codec.Connect
	receives  bool // it subscribes, and does not publish
	h         broker.Handle
	up        bool
	in, out   []byte // to and from it
	got       []string
	published int
}

func newLateDriver(t *testing.T, seed uint64) *lateDriver {
	r := rand.New(rand.NewPCG(seed, 3))
	d := &lateDriver{t: t, r: r, now: start, disk: disk{}, byConn: make(map[broker.Handle]*latePeer)}
	d.cfg.Ask = broker.AskPublish | broker.AskConnect | broker.AskSubscribe
	d.cfg.Server.Persist = true
	if r.IntN(2) == 0 {
		d.cfg.ReceiveMaximum = uint16(1 + r.IntN(5))
	}
	d.b = broker.New(d.cfg)
	d.b.Scrub()
	for i := range 4 {
		v := bothVersions[r.IntN(2)]
		p := &latePeer{d: d, id: fmt.Sprint("c", i), receives: i >= 2}
		p.connect = lasting(p.id, v)
		if v.IsV5() && r.IntN(2) == 0 {
			p.connect.Properties.ReceiveMaximum = codec.Some(uint16(1 + r.IntN(3)))
		}
		cfg := session.ClientConfig{Version: v, ConnackTimeout: -1, PingTimeout: -1}
		cfg.MaximumInflight = uint16(1 + r.IntN(8))
		p.c = session.NewClient(cfg)
		d.peers = append(d.peers, p)
	}
	return d
}

// serve handles the events of the broker.
func (d *lateDriver) serve() {
	for ev := range d.b.Events() {
		if ev.Question != 0 {
			d.asked = append(d.asked, ev.Question)
		}
		p := d.byConn[ev.Conn]
		switch ev.Kind {
		case events.Store, events.Discard:
			d.unit.add(ev)
		case events.Write:
			d.unit.commit(d.disk)
			if p.up && p.h == ev.Conn {
				p.in = append(p.in, slices.Concat(ev.Data...)...)
			}
		case events.Connect:
			d.connect = append(d.connect, ev.Conn)
		case events.Close:
			delete(d.byConn, ev.Conn)
			if p.up && p.h == ev.Conn {
				p.receive(len(p.in))
				p.drop(false)
			}
		}
	}
	d.unit.commit(d.disk)
}

func (p *latePeer) serve() {
	for ev := range p.c.Events() {
		switch ev.Kind {
		case events.Write:
			p.out = append(p.out, slices.Concat(ev.Data...)...)
		case events.Message:
			p.got = append(p.got, string(ev.Publish.Payload))
		case events.Connected:
			if p.receives {
				if _, err := p.c.Subscribe(p.d.now, &codec.Subscribe{Filters: []codec.Subscription{filter("t/#", 2)}}); err != nil {
					p.d.t.Error(err)
				}
			}
		case events.Close:
			p.drop(true)
		}
	}
}

func (p *latePeer) open() {
	p.h, p.up, p.in, p.out = p.d.b.Open(p.d.now, nil), true, nil, nil
	p.d.byConn[p.h] = p
	if err := p.c.Connect(p.d.now, p.connect); err != nil {
		p.d.t.Error(err)
	}
	p.serve()
	p.d.serve()
}

// drop ends the connection, of which the broker may learn.
func (p *latePeer) drop(told bool) {
	if !p.up {
		return
	}
	p.up = false
	p.c.Closed(p.d.now, nil)
	p.serve()
	if told {
		p.d.b.Closed(p.d.now, p.h, nil)
		p.d.serve()
	}
}

func (p *latePeer) receive(n int) {
	b := p.in[:n]
	p.in = slices.Clone(p.in[n:])
	p.c.Receive(p.d.now, b)
	p.serve()
}

// move carries bytes both ways, all of them or some. It reports whether there were
// any.
func (p *latePeer) move(all bool) (moved bool) {
	some := func(n int) int {
		if all {
			return n
		}
		return 1 + p.d.r.IntN(n)
	}
	if p.up && len(p.out) > 0 && !p.d.b.InputPaused(p.h) {
		n := some(len(p.out))
		b := p.out[:n]
		p.out, moved = slices.Clone(p.out[n:]), true
		p.d.b.Receive(p.d.now, p.h, b)
		p.d.serve()
	}
	if p.up && len(p.in) > 0 {
		moved = true
		p.receive(some(len(p.in)))
	}
	return moved
}

func (p *latePeer) publish() {
	qos := codec.QoS(p.d.r.IntN(3))
	text := fmt.Sprintf("%s %d %d", p.id, qos, p.published)
	if _, err := p.c.Publish(p.d.now, &codec.Publish{Topic: codec.Bytes("t/" + p.id), Payload: codec.Bytes(text), QoS: qos}); err != nil {
		return // it is not connected yet
	}
	p.published++
	if qos > codec.QoS0 {
		p.d.sent = append(p.d.sent, text)
	}
	p.serve()
}

// answer answers one of what was asked, if there is something. It reports whether
// there was.
func (d *lateDriver) answer() bool {
	n := len(d.asked) + len(d.connect)
	if n == 0 {
		return false
	}
	if i := d.r.IntN(n); i < len(d.asked) {
		q := d.asked[i]
		d.asked = slices.Delete(d.asked, i, i+1)
		for range 1 + d.r.IntN(6)/5 {
			d.b.Answer(d.now, q, broker.Answer{})
		}
	} else {
		i -= len(d.asked)
		h := d.connect[i]
		d.connect = slices.Delete(d.connect, i, i+1)
		d.b.Accept(d.now, h, broker.Admission{})
	}
	d.serve()
	return true
}

// kill ends the broker, and starts another one from what is stored.
func (d *lateDriver) kill() {
	for _, p := range d.peers {
		p.drop(false)
	}
	clear(d.byConn)
	d.asked, d.connect, d.unit = nil, nil, nil
	d.b = broker.New(d.cfg)
	d.b.Scrub()
	if err := d.b.Restore(d.now, d.disk.pairs()); err != nil {
		d.t.Fatal(err)
	}
	d.serve()
}

// settle lets everything arrive.
func (d *lateDriver) settle() {
	for range 5000 {
		busy := d.answer()
		for _, p := range d.peers {
			if !p.up {
				p.open()
				busy = true
			}
			busy = p.move(true) || busy
		}
		if !busy {
			return
		}
	}
	d.t.Fatal("it does not come to rest")
}

func (d *lateDriver) step() {
	p := d.peers[d.r.IntN(len(d.peers))]
	switch op := d.r.IntN(40); {
	case op < 12 && !p.receives:
		p.publish()
	case op < 22:
		p.move(d.r.IntN(2) == 0)
	case op < 26:
		p.drop(d.r.IntN(2) == 0)
	case op < 30 && !p.up:
		p.open()
	case op < 38:
		d.answer()
	case op == 38:
		d.kill()
	}
	d.now = d.now.Add(10 * time.Millisecond)
}

// check expects at a receiver each message that was sent after it had subscribed,
// that of QoS 2 once, and those of a publisher and a QoS in order.
func (d *lateDriver) check(p *latePeer) {
	times := make(map[string]int)
	var order []string // as they came first
	for _, text := range p.got {
		if times[text]++; times[text] == 1 {
			order = append(order, text)
		}
	}
	for _, text := range d.sent {
		if n := times[text]; n == 0 || n > 1 && strings.Contains(text, " 2 ") {
			d.t.Errorf("%s got %q %d times", p.id, text, n)
		}
	}
	last := make(map[string]int)
	for _, text := range order {
		var from string
		var qos, n int
		if _, err := fmt.Sscan(text, &from, &qos, &n); err != nil {
			d.t.Fatal(err)
		}
		key := fmt.Sprint(from, qos)
		if before, ok := last[key]; ok && n < before && qos > 0 {
			d.t.Errorf("%s got %q after number %d", p.id, text, before)
		}
		last[key] = n
	}
}

// Whenever answers come, and whatever happens meanwhile, nothing that was
// acknowledged is lost, and nothing of QoS 2 comes twice.
func TestAnswersSimulation(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 100
	}
	for n := range seeds {
		d := newLateDriver(t, n)
		d.settle() // so that the receivers have subscribed
		for range 200 {
			d.step()
		}
		d.settle()
		for _, p := range d.peers[2:] {
			d.check(p)
		}
		if q := d.b.Stats().Questions; q != 0 {
			t.Errorf("%d questions are left", q)
		}
		if t.Failed() {
			t.Fatalf("seed %d", n)
		}
	}
}
