package broker_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// peer is one client.
type peer struct {
	s          *simulation
	id         string
	at         *broker.Endpoint
	v          codec.Version
	c          *session.Client
	h          broker.Handle
	accepted   broker.Handle // by the broker, the last one
	up         bool          // the client has a transport
	out, in    []byte
	clean      bool // of the CONNECT under way
	fresh      bool // nothing is left of a session
	expiry     uint32
	will       int
	delay      uint32
	withdrawn  bool
	serials    map[uint64]int       // of messages by token
	subscribes map[uint64]*modelSub // by token
	leaves     map[uint64]*modelSub
}

func (p *peer) reset() {
	cfg := session.ClientConfig{Version: p.v, ConnackTimeout: -1}
	cfg.Queue.Messages = -1
	p.c = session.NewClient(cfg)
	p.serials, p.subscribes, p.leaves = make(map[uint64]int), make(map[uint64]*modelSub), make(map[uint64]*modelSub)
}

// lose ends the client's side of the transport.
func (p *peer) lose() {
	if p.up {
		p.up, p.out, p.in = false, nil, nil
		p.c.Closed(p.s.now, nil)
		p.pull()
	}
}

// pull handles the events of the client.
func (p *peer) pull() {
	m := p.s.m
	for ev := range p.c.Events() {
		switch ev.Kind {
		case events.Write:
			for _, b := range ev.Data {
				p.out = append(p.out, b...)
			}
		case events.Message:
			if ev.Publish.Topic[0] == '$' {
				continue // figures of the broker
			}
			fields := strings.Fields(string(ev.Publish.Payload))
			serial, _ := strconv.Atoi(fields[0])
			m.received(p.id, serial, p.full(string(ev.Publish.Topic)), ev.Publish)
		case events.Published:
			if serial := p.serials[ev.Token]; serial > 0 {
				m.acknowledged(serial)
			}
			delete(p.serials, ev.Token)
		case events.Dropped:
			if serial := p.serials[ev.Token]; serial > 0 && m.messages[serial].retain {
				m.retained[m.messages[serial].topic] = -1
			}
			delete(p.serials, ev.Token)
		case events.Unsubscribed:
			if sub := p.leaves[ev.Token]; sub != nil && sub.session.subs[sub.filter] == nil {
				sub.session.ever[sub.filter] = len(m.messages)
			}
		case events.Connected:
			p.fresh = false
		case events.Subscribed:
			if sub := p.subscribes[ev.Token]; sub != nil {
				sub.sure = !sub.session.over && m.sessions[p.id] == sub.session
			}
		case events.Close:
			if p.up {
				p.up, p.in = false, nil
			}
		}
	}
}

// session returns what the model knows of the peer, or nil.
func (p *peer) session() *modelSession {
	if ms := p.s.m.sessions[p.id]; ms != nil && !ms.over && ms.connected && !ms.unsure && p.c.Status() == session.StatusConnected {
		return ms
	}
	return nil
}

func (p *peer) worker() bool { return p.id[0] == 'w' }

// connect opens a transport, perhaps while the broker still holds the last one.
func (p *peer) connect() {
	s := p.s
	q := &codec.Connect{ClientID: codec.Bytes(p.id)}
	// A client that asked for a clean start has nothing to go on with.
	p.clean = p.fresh || s.r.IntN(6) == 0
	p.fresh = p.clean
	q.CleanStart = p.clean
	p.expiry, p.will, p.delay = 1<<30, 0, 0
	if p.v.IsV5() {
		if p.expiry = []uint32{1 << 30, 1 << 30, 25, 0}[s.r.IntN(4)]; p.expiry > 0 {
			q.Properties.SessionExpiryInterval = codec.Some(p.expiry)
		}
		if s.r.IntN(2) == 0 {
			q.Properties.ReceiveMaximum = codec.Some(uint16(1 + s.r.IntN(5)))
		}
		q.Properties.TopicAliasMaximum = codec.Some(uint16(s.r.IntN(4)))
	} else if p.clean {
		p.expiry = 0
	}
	if s.r.IntN(3) == 0 {
		if p.v.IsV5() {
			p.delay = uint32(s.r.IntN(3) * 15)
		}
		p.will = p.message("will/"+p.id, codec.QoS1, false)
		w := codec.Will{Topic: codec.Bytes("will/" + p.id), Payload: codec.Bytes(fmt.Sprint(p.will)), QoS: codec.QoS1}
		if p.delay > 0 {
			w.Properties.WillDelayInterval = codec.Some(p.delay)
		}
		q.Will = codec.Some(w)
	}
	if p.c.Connect(s.now, q) != nil {
		return
	}
	p.h, p.up, p.out, p.in = s.b.Open(s.now, p.at), true, nil, nil
	s.byConn[p.h] = p
	s.serve(-1)
	p.pull()
}

// full returns a topic as the broker knows it.
func (p *peer) full(topic string) string {
	if p.at == nil {
		return topic
	}
	return p.at.MountPoint + topic
}

// fullFilter returns a filter as the broker knows it.
func (p *peer) fullFilter(f string) string {
	if share, rest, ok := codec.ParseShared(f); ok {
		return "$share/" + share + "/" + p.full(rest)
	}
	return p.full(f)
}

// message returns a new serial number.
func (p *peer) message(topic string, qos codec.QoS, retain bool) int {
	m := p.s.m
	serial := len(m.messages)
	dropped := p.s.rules && isDropped(serial)
	m.messages = append(m.messages, &modelMessage{topic: p.full(topic), from: p.id, qos: qos, retain: retain, dropped: dropped, forbidden: dropped})
	return serial
}

// isDropped says which messages the Policy drops.
func isDropped(serial int) bool { return serial%13 == 0 }

var (
	simTopics  = []string{"a", "a/b", "a/b/c", "b", "b/c"}
	simFilters = []string{"a", "a/+", "#", "a/#", "+/b", "will/+", "+", "b/c", "$SYS/broker/clients/+"}
	simShared  = []string{"$share/g/#", "$share/h/a/#"}
)

func (p *peer) publish() {
	r := p.s.r
	topic, qos, retain := simTopics[r.IntN(len(simTopics))], codec.QoS(r.IntN(3)), r.IntN(5) == 0
	if retain {
		topic, qos = "kept/"+p.id, codec.QoS(1+r.IntN(2)) // by one client alone
	}
	if qos == 0 && !p.up {
		return
	}
	serial := p.message(topic, qos, retain)
	q := &codec.Publish{Topic: codec.Bytes(topic), Payload: codec.Bytes(fmt.Sprint(serial, " ", strings.Repeat("x", r.IntN(150)))), QoS: qos, Retain: retain}
	p.s.m.publish(serial)
	if token, err := p.c.Publish(p.s.now, q); err == nil && qos > 0 {
		p.serials[token] = serial
	}
}

func (p *peer) subscribe() {
	ms := p.session()
	if ms == nil {
		return
	}
	list := simFilters
	if p.worker() {
		list = simShared[len(p.id)-2 : len(p.id)-1] // one of them, or its messages come twice
	}
	f := list[p.s.r.IntN(len(list))]
	full := p.fullFilter(f)
	if old := ms.subs[full]; old != nil {
		if p.worker() {
			return
		}
		old.gone = true
	}
	sub := &modelSub{session: ms, filter: full, qos: codec.QoS(p.s.r.IntN(3))}
	if p.worker() {
		sub.qos = codec.QoS2
	}
	ms.subs[full], ms.ever[full] = sub, math.MaxInt
	token, err := p.c.Subscribe(p.s.now, &codec.Subscribe{Filters: []codec.Subscription{{Filter: codec.Bytes(f), QoS: sub.qos}}})
	if err == nil {
		p.subscribes[token] = sub
	}
}

func (p *peer) unsubscribe() {
	ms := p.session()
	if ms == nil || p.worker() {
		return
	}
	f := simFilters[p.s.r.IntN(len(simFilters))]
	if sub := ms.subs[p.fullFilter(f)]; sub != nil {
		sub.gone = true
		delete(ms.subs, sub.filter)
		if token, err := p.c.Unsubscribe(p.s.now, &codec.Unsubscribe{Filters: []codec.Bytes{codec.Bytes(f)}}); err == nil {
			p.leaves[token] = sub
		}
	}
}

// move carries some of what is under way. The broker may die meanwhile.
func (p *peer) move(all, deadly bool) {
	s := p.s
	p.pull()
	n := len(p.out)
	if !all && n > 0 {
		n = 1 + s.r.IntN(n)
	}
	if n > 0 && p.up {
		piece := slices.Clone(p.out[:n])
		p.out = p.out[n:]
		s.b.Receive(s.now, p.h, piece)
		most := -1
		if deadly {
			most = 1 + s.r.IntN(8)
		}
		if !s.serve(most) {
			s.die(p)
			return
		}
		clear(piece)
	}
	n = len(p.in)
	if !all && n > 0 {
		n = 1 + s.r.IntN(n)
	}
	if n > 0 && p.up {
		p.c.Receive(s.now, p.in[:n])
		p.pull()
		if len(p.in) >= n {
			p.in = p.in[n:]
		}
	}
}

// comeBack connects without a Will, unless there is nothing to come back to.
func (p *peer) comeBack() {
	if ms := p.s.m.sessions[p.id]; ms != nil && ms.over {
		return
	}
	p.connect()
	for p.will != 0 {
		p.lose()
		p.connect()
	}
}

// leave disconnects. What the client had to say may arrive, or not.
func (p *peer) leave() {
	_ = p.c.Disconnect(p.s.now, nil)
	p.pull()
	if out := p.out; p.s.r.IntN(4) > 0 {
		p.out = nil
		p.s.b.Receive(p.s.now, p.h, out)
		p.s.serve(-1)
	}
	p.s.b.Closed(p.s.now, p.h, nil)
	p.s.serve(-1)
}
