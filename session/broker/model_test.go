package broker_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// model is what a broker has to do, written down plainly: who has to get what,
// and what nobody may get. It knows only what clients did and were told.
type model struct {
	sessions map[string]*modelSession
	messages []*modelMessage // by serial number
	retained map[string]int  // the serial number of the acknowledged one by topic; below 0 if that is uncertain
	wants    []want
	shared   map[string]map[int]int  // how often by filter and serial number
	lost     map[string]map[int]bool // by filter and serial number, what may be lost with members that left
	denied   map[denial]int          // with the first message that comes too late
	problems []string
}

// denial is that a client may not have a topic.
type denial struct{ id, topic string }

type modelMessage struct {
	topic     string
	from      string
	qos       codec.QoS
	retain    bool
	forbidden bool // a Will that was withdrawn or cancelled, or dropped
	dropped   bool // by the Policy
	again     bool // the session of its publisher ended, who may not know and send it again
	// who was subscribed for certain when it was published
	certain []*modelSub
}

// want is a message that a session has to get.
type want struct {
	sub    *modelSub
	serial int
	qos    codec.QoS
}

type modelSub struct {
	session *modelSession
	filter  string
	qos     codec.QoS
	sure    bool // SUBACK came
	gone    bool
}

// modelSession is a session from its first CONNACK to its end.
type modelSession struct {
	id        string
	unsure    bool // the broker died while it answered CONNECT or DISCONNECT
	connected bool
	expiry    uint32
	ends      time.Time // while it is not connected
	over      bool
	subs      map[string]*modelSub
	ever      map[string]int // filters that were asked for, with the first message after UNSUBACK
	will      int            // serial number, 0 for none
	delay     uint32
	due       time.Time // of the Will
	got       map[int]int
	last      map[string]int // the last serial number by publisher, topic and QoS
	withheld  map[string]int // topics that were denied while it was away, with the first message after that
}

func newModel() *model {
	return &model{sessions: make(map[string]*modelSession), messages: []*modelMessage{nil},
		retained: make(map[string]int), shared: make(map[string]map[int]int), lost: make(map[string]map[int]bool), denied: make(map[denial]int)}
}

func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// connected is told when the broker accepted a client.
func (m *model) connected(now time.Time, id string, clean bool, expiry uint32, present bool, will int, delay uint32) {
	s := m.sessions[id]
	if s != nil && s.over && !s.unsure {
		s = nil
	}
	if s != nil && s.unsure {
		s.over = false // that it ended may not be stored
		if !present {
			m.end(s)
			s = nil
		}
	} else if want := s != nil && !clean; present != want {
		m.problem("%s: Session Present is %v", id, present)
	}
	if s != nil && clean {
		m.end(s)
		s = nil
	}
	if s == nil {
		s = &modelSession{id: id, subs: make(map[string]*modelSub), ever: make(map[string]int), got: make(map[int]int), last: make(map[string]int)}
		m.sessions[id] = s
	}
	if s.will != 0 && !s.unsure {
		m.messages[s.will].forbidden = true
	}
	s.unsure, s.connected, s.expiry, s.ends, s.due = false, true, expiry, time.Time{}, time.Time{}
	s.will, s.delay = will, delay
}

// closed is told when the connection of a session is over.
func (m *model) closed(now time.Time, s *modelSession, withdrawn bool) {
	s.connected = false
	if withdrawn && s.will != 0 {
		m.messages[s.will].forbidden = true
		s.will = 0
	}
	s.due = now.Add(time.Duration(s.delay) * time.Second)
	s.ends = now.Add(time.Duration(s.expiry) * time.Second)
	m.tick(now)
}

// tick does what is due.
func (m *model) tick(now time.Time) {
	for _, s := range m.sessions {
		if s.connected || s.over {
			continue
		}
		if s.will != 0 && !s.due.After(now) {
			m.publishWill(s)
		}
		if !s.ends.After(now) {
			m.end(s)
		}
	}
}

func (m *model) publishWill(s *modelSession) {
	if !s.unsure {
		m.publish(s.will)
		m.acknowledged(s.will)
	}
	s.will = 0
}

func (m *model) end(s *modelSession) {
	if s.will != 0 {
		m.publishWill(s)
	}
	s.over = true
	for _, p := range m.messages[1:] {
		p.again = p.again || p.from == s.id
	}
	for _, sub := range s.subs {
		sub.gone = true
	}
	for f := range s.ever {
		m.leaves(s, f)
	}
}

// deny hides a topic from a client, also what waits for one that is away.
func (m *model) deny(id, topic string) {
	d := denial{id, topic}
	if m.denied[d] > 0 {
		return
	}
	m.denied[d] = len(m.messages)
	if s := m.sessions[id]; s != nil && !s.connected && !s.unsure {
		if s.withheld == nil {
			s.withheld = make(map[string]int)
		}
		s.withheld[topic] = len(m.messages)
	}
}

// publish notes who is subscribed when a message is published.
func (m *model) publish(serial int) {
	p := m.messages[serial]
	if p.dropped {
		return
	}
	for _, s := range m.sessions {
		for _, sub := range s.subs {
			if _, rest, _ := codec.ParseShared(sub.filter); sub.sure && !sub.gone && codec.Match(rest, p.topic) {
				p.certain = append(p.certain, sub)
			}
		}
	}
}

// acknowledged makes those who were subscribed all the time wait for a message.
func (m *model) acknowledged(serial int) {
	p := m.messages[serial]
	for _, sub := range p.certain {
		_, _, shared := codec.ParseShared(sub.filter)
		if qos := min(p.qos, sub.qos); qos > 0 && !sub.gone && !(shared && sub.session.unsure) {
			m.wants = append(m.wants, want{sub, serial, qos})
		}
	}
	if p.retain && !p.dropped {
		m.retained[p.topic] = serial
	}
}

// received checks a message that a client got.
func (m *model) received(id string, serial int, topic string, q *codec.Publish) {
	s := m.sessions[id]
	if s == nil || serial <= 0 || serial >= len(m.messages) {
		m.problem("%s got %v", id, q)
		return
	}
	p := m.messages[serial]
	if first := m.denied[denial{id, topic}]; first > 0 && serial >= first || serial < s.withheld[topic] {
		m.problem("%s got %v, which it may not have", id, q)
	}
	if p.topic != topic || q.QoS > p.qos || p.forbidden {
		m.problem("%s got %v, which is %+v", id, q, p)
	}
	matches := false
	for f, until := range s.ever {
		_, rest, shared := codec.ParseShared(f)
		if serial >= until || !codec.Match(rest, p.topic) {
			continue
		}
		matches = true
		if shared {
			if m.shared[f] == nil {
				m.shared[f] = make(map[int]int)
			}
			if s.got[serial] == 0 {
				m.shared[f][serial]++
			}
		}
	}
	if !matches {
		m.problem("%s got %v without a subscription", id, q)
	}
	if q.Retain {
		return
	}
	if s.got[serial] > 0 && q.QoS != codec.QoS1 && p.qos != codec.QoS1 && !p.again {
		m.problem("%s got %d, %v, for the second time", id, serial, q)
	}
	key := fmt.Sprint(p.from, p.topic, p.qos, q.QoS)
	// One of QoS 1 that its publisher repeats may be new to a later subscriber.
	first := s.got[serial] == 0 && (p.qos != codec.QoS1 || slices.ContainsFunc(p.certain, func(sub *modelSub) bool { return sub.session == s }))
	if first && serial < s.last[key] && id[0] != 'w' {
		m.problem("%s got %d after %d", id, serial, s.last[key])
	}
	s.last[key] = max(s.last[key], serial)
	s.got[serial]++
}
