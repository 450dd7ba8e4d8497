package sessiontest_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/sessiontest"
)

// party is the application on one side of a simulation.
type party struct {
	total     int
	manual    bool            // ManualAck
	streams   bool            // sends payloads in pieces
	published int             // of its own messages: Publish took them
	durable   int             // of these, told by Store
	tokens    map[uint64]int  // message by token
	token     uint64          // the last one
	givenUp   map[uint64]bool // by token, as its record says
	at        map[int]time.Time
	times     map[int]int  // how often Publish took a message
	finished  map[int]bool // Published
	excused   map[int]bool // Dropped for a reason
	sent0     int          // messages of QoS 0

	got     map[int]int    // deliveries of the other side's messages
	got0    int            // of these, QoS 0
	latest  map[string]int // the last new message of each topic and QoS
	seen    map[int]bool   // messages that came at least once
	held    []held         // delivered, not acknowledged or not stored yet
	pending []uint64       // tokens that wait for Ack
	begun   *codec.Publish // its payload comes in pieces
	size    int64
}

// held is a message whose delivery takes effect together with a Store event.
type held struct{ id, message int }

func newParty(total int, manual, streams bool) *party {
	return &party{
		total: total, manual: manual, streams: streams,
		tokens: map[uint64]int{}, givenUp: map[uint64]bool{}, at: map[int]time.Time{}, times: map[int]int{}, finished: map[int]bool{}, excused: map[int]bool{},
		got: map[int]int{}, latest: map[string]int{}, seen: map[int]bool{},
	}
}

// The content of a message follows from its number.

func qos(message int) codec.QoS { return codec.QoS(message*7/3) % 3 }

func topic(message int) string { return []string{"topic/one", "topic/two"}[message%2] }

// length is the size of the payload of a message that goes in pieces.
func length(message int) int { return 1 + message*37%300 }

// expires returns the Message Expiry Interval of a message, 0 for none.
func (s *simulation) expires(message int) uint32 {
	if s.expiry && message%5 == 2 {
		return uint32(1 + message%3)
	}
	return 0
}

// payload answers Wanted: the first byte is the number of the message.
func (s *simulation) payload(side sessiontest.Side, token uint64, offset int64, p []byte) {
	m := s.sides[side].tokens[token]
	fill(m, offset, p)
	if offset == 0 {
		p[0] = byte(m)
	}
}

// crash forgets what was not durable: messages that no Store told are published
// again, deliveries that no Store told never happened.
func (p *party) crash() {
	p.published = p.durable
	p.held, p.pending, p.begun = nil, nil, nil
}

// forget makes up for a session that vanished without a word.
func (p *party) forget() {
	for m := range p.published {
		p.excused[m] = p.excused[m] || !p.finished[m]
	}
	p.held, p.pending, p.begun = nil, nil, nil
}

// endpoint is what the two sides have in common.
type endpoint interface {
	Publish(time.Time, *codec.Publish) (uint64, error)
	PublishStream(time.Time, *codec.Publish, int) (uint64, error)
	Ack(time.Time, uint64, session.Reply) error
	Erase(time.Time, uint64) error
}

func (s *simulation) endpoint(side int) endpoint {
	if side == int(sessiontest.Client) {
		return s.Client
	}
	return s.Server
}

// publish lets both sides publish what the queue takes, now or perhaps. It
// reports whether they did.
func (s *simulation) publish(now bool) (did bool) {
	for i, p := range s.sides {
		for len(p.pending) > 0 && (now || s.rand.IntN(3) == 0) {
			if !s.ack(i) {
				break
			}
			did = true
		}
		if s.erases && s.rand.IntN(10) == 0 {
			did = s.erase(i, p) || did
		}
		if p.published == p.total || !now && s.rand.IntN(3) > 0 {
			continue
		}
		if i == int(sessiontest.Server) && s.Server.Status() != session.StatusConnected {
			continue
		}
		did = s.publishOne(i, p) || did
	}
	return did
}

func (s *simulation) publishOne(side int, p *party) bool {
	n := p.published
	m := &codec.Publish{Topic: codec.Bytes(topic(n)), QoS: qos(n)}
	if left := s.expires(n); left > 0 {
		m.Properties.MessageExpiryInterval = codec.Some(left)
	}
	var token uint64
	var err error
	if p.streams && n%4 == 1 {
		token, err = s.endpoint(side).PublishStream(s.Now(), m, length(n))
	} else {
		m.Payload = codec.Bytes{byte(n)}
		token, err = s.endpoint(side).Publish(s.Now(), m)
	}
	if err != nil {
		return false
	}
	s.log("%v publishes %d as %d", sessiontest.Side(side), n, token)
	p.tokens[token], p.token, p.givenUp[token] = n, token, false
	p.at[n] = s.Now()
	p.times[n]++
	p.excused[n] = false
	if qos(n) == codec.QoS0 {
		p.sent0++
	}
	p.published++
	return true
}

// erase gives up one of the last messages, if it is not through.
func (s *simulation) erase(side int, p *party) bool {
	token := p.token - min(p.token, uint64(s.rand.IntN(6)))
	if _, ok := p.tokens[token]; !ok || s.endpoint(side).Erase(s.Now(), token) != nil {
		return false
	}
	s.log("%v erases %d", sessiontest.Side(side), token)
	return true
}

// ack acknowledges one of the messages that wait for it, in any order. A QoS 1
// message of an earlier connection is unknown by now. Between two connections a
// server cannot take it; the message stays to be acknowledged on the next.
func (s *simulation) ack(side int) bool {
	p := s.sides[side]
	i := s.rand.IntN(len(p.pending))
	token := p.pending[i]
	p.pending = append(p.pending[:i], p.pending[i+1:]...)
	err := s.endpoint(side).Ack(s.Now(), token, session.Reply{})
	s.log("%v acknowledges %d: %v", sessiontest.Side(side), token, err)
	if errors.Is(err, session.ErrState) {
		p.pending = append(p.pending, token)
		return false
	}
	return true
}

// handle is the application of a side.
func (s *simulation) handle(side sessiontest.Side, ev events.Event) error {
	p := s.sides[side]
	if s.known && side == sessiontest.Client {
		s.known, s.lost = false, true
	}
	switch ev.Kind {
	case events.Message, events.MessageBegin, events.MessageData, events.MessageEnd:
		return s.message(side, ev)
	case events.Store, events.Discard:
		return s.stored(side, ev)
	case events.Published:
		if ev.Reason.IsError() && ev.Reason != codec.ReasonPacketIdentifierNotFound {
			return fmt.Errorf("%v", ev)
		}
		if p.givenUp[ev.Token] {
			return fmt.Errorf("%v of a message that was given up", ev)
		}
		p.finished[p.tokens[ev.Token]] = true
	case events.Connected:
		if side == sessiontest.Client {
			if s.losing && !s.lost && ev.SessionPresent() {
				return fmt.Errorf("%v, but one side had lost it", ev)
			}
			// In v3.1.1 a clean session ends with its connection.
			s.known = s.losing && (s.version.IsV5() || !s.connect.CleanStart)
			s.connect.CleanStart = false
		}
		if !ev.SessionPresent() {
			p.held, p.pending = nil, nil
		}
	case events.SessionLost:
		if ev.Count > 0 && !s.losing {
			return fmt.Errorf("%v %v", side, ev)
		}
	case events.Dropped:
		return s.dropped(side, ev)
	case events.Unexpected:
		// An acknowledgement of what a crash forgot.
	case events.Refused:
		return fmt.Errorf("%v %v", side, ev)
	case events.Close:
		if !p.manual {
			p.held = nil
		}
		halfOpen := side == sessiontest.Server && errors.Is(ev.Err, session.ErrTimeout)
		if ev.Err != nil && ev.Err != sessiontest.ErrCut && ev.Err != session.ErrTransport && !halfOpen {
			return fmt.Errorf("%v %v", side, ev)
		}
	}
	return nil
}

// message takes an application message, whole or in pieces.
func (s *simulation) message(side sessiontest.Side, ev events.Event) error {
	p := s.sides[side]
	switch ev.Kind {
	case events.MessageBegin:
		p.begun, p.size = ev.Publish.Clone(), ev.Size
		return nil
	case events.MessageData:
		p.begun.Payload = append(p.begun.Payload, ev.Data[0]...)
		return nil
	case events.MessageEnd:
		if ev.Err != nil {
			p.begun = nil
			return nil
		}
		if int64(len(p.begun.Payload)) != p.size {
			return fmt.Errorf("%d bytes came of a payload of %d", len(p.begun.Payload), p.size)
		}
		ev.Publish, p.begun = p.begun, nil
	}
	if ev.Token != 0 {
		p.pending = append(p.pending, ev.Token)
	}
	if err := s.intact(s.sides[1-side], ev.Publish); err != nil {
		return err
	}
	m := int(ev.Publish.Payload[0])
	if err := p.inOrder(m); err != nil {
		return err
	}
	if ev.Publish.QoS == codec.QoS2 {
		p.held = append(p.held, held{int(ev.PacketID), m})
		return nil
	}
	return p.deliver(s.sides[1-side], m)
}

// intact checks the content of a message, and that it had not expired.
func (s *simulation) intact(from *party, p *codec.Publish) error {
	m := int(p.Payload[0])
	want := 1
	if from.streams && m%4 == 1 {
		want = length(m)
	}
	if string(p.Topic) != topic(m) || p.QoS != qos(m) || len(p.Payload) != want {
		return fmt.Errorf("message %d came as %v", m, p)
	}
	for i, b := range p.Payload[1:] {
		if b != pattern(m, int64(i+1)) {
			return fmt.Errorf("byte %d of message %d is wrong", i+1, m)
		}
	}
	interval, set := p.Properties.MessageExpiryInterval.Get()
	left := s.expires(m)
	age := s.Now().Sub(from.at[m])
	switch {
	case set != (left > 0) || interval > left:
		return fmt.Errorf("message %d came with the interval %d, %v", m, interval, set)
	case set && !p.Dup && age > time.Duration(left)*time.Second+s.latency:
		return fmt.Errorf("message %d came %v after it was published and expired after %d s", m, age, left)
	case set && !p.Dup && time.Duration(interval)*time.Second > time.Duration(left+1)*time.Second-age+s.latency:
		return fmt.Errorf("message %d has %d s left after %v, at first %d s", m, interval, age, left)
	}
	return nil
}

// stored takes note of what is durable.
func (s *simulation) stored(side sessiontest.Side, ev events.Event) error {
	p := s.sides[side]
	switch {
	case ev.Kind == events.Discard:
		if m, ok := p.tokens[ev.Token]; ok && ev.Record == events.RecordMessage && qos(m) > codec.QoS0 && !p.finished[m] && !p.excused[m] {
			return fmt.Errorf("%v %v of a message of which nothing was told", side, ev)
		}
	case ev.Record == events.RecordReceived:
		for i, h := range p.held {
			if h.id == int(ev.PacketID) {
				p.held = append(p.held[:i], p.held[i+1:]...)
				return p.deliver(s.sides[1-side], h.message)
			}
		}
		return fmt.Errorf("%v of a message that was not delivered", ev)
	case ev.Flags&events.GivenUp != 0:
		p.givenUp[ev.Token] = true
	case ev.Record == events.RecordMessage:
		if m, ok := p.tokens[ev.Token]; ok {
			p.durable = max(p.durable, m+1)
		}
	}
	return nil
}

// dropped checks that there was a reason.
func (s *simulation) dropped(side sessiontest.Side, ev events.Event) error {
	p := s.sides[side]
	m, ok := p.tokens[ev.Token]
	switch {
	case !ok:
		return fmt.Errorf("%v %v of an unknown message", side, ev)
	case errors.Is(ev.Err, session.ErrSessionLost) && s.losing:
	case errors.Is(ev.Err, session.ErrExpired) && s.expires(m) > 0:
		if age := s.Now().Sub(p.at[m]); age < time.Duration(s.expires(m))*time.Second {
			return fmt.Errorf("%v %v after %v", side, ev, age)
		}
	case errors.Is(ev.Err, session.ErrIncomplete) && qos(m) == codec.QoS0:
	case errors.Is(ev.Err, session.ErrErased) && s.erases:
	default:
		return fmt.Errorf("%v %v", side, ev)
	}
	p.excused[m] = true
	return nil
}

// deliver counts a delivery of the other side's message.
func (p *party) deliver(from *party, m int) error {
	p.got[m]++
	switch qos(m) {
	case codec.QoS0:
		p.got0++
		if p.got[m] > from.times[m] {
			return fmt.Errorf("QoS 0 message %d was delivered %d times and published %d times", m, p.got[m], from.times[m])
		}
	case codec.QoS2:
		if p.got[m] > 1 {
			return fmt.Errorf("QoS 2 message %d was delivered %d times", m, p.got[m])
		}
	}
	return nil
}

// inOrder checks that a message that comes for the first time is newer than those
// before.
func (p *party) inOrder(m int) error {
	key := topic(m) + string(rune('0'+qos(m)))
	if last, ok := p.latest[key]; ok && m < last && !p.seen[m] {
		return fmt.Errorf("message %d came after %d", m, last)
	}
	p.latest[key], p.seen[m] = max(m, p.latest[key]), true
	return nil
}
