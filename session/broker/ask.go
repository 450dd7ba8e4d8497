package broker

import (
	"slices"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// Ask is a set of things about which the broker asks its driver. It goes on with
// everything else while it waits for the answer, so a driver may look it up
// elsewhere.
type Ask uint8

const (
	// AskConnect yields Connect, which the driver answers with Accept, Refuse or
	// Authenticate, and Auth, which it answers with these too or, for a client
	// that is connected, with Authenticate or Disconnect. Until then nothing else
	// of the client is handled.
	AskConnect Ask = 1 << iota
	// AskPublish yields Message with a Question.
	AskPublish
	// AskSubscribe yields Subscribe with a Question.
	AskSubscribe
	// AskWill yields Message with a Question, without a connection, when a Will
	// is to be published.
	AskWill
)

// Question names what the driver is asked; the zero Question asks nothing. The
// questions of one client are settled in their order, in whatever order they
// are answered.
type Question uint64

// Answer is the driver's answer to a Question. Its zero value allows everything.
type Answer struct {
	// Reason refuses with a code of 0x80 or above: a message is not routed, and
	// acknowledged with the code; of a SUBSCRIBE all filters are refused.
	Reason codec.ReasonCode
	// Publish, if not nil, takes the place of the message. It must not change
	// any more. One that is illegal is not routed, and refused with code 0x83.
	Publish *codec.Publish
	// Granted holds, for each filter of SUBSCRIBE, a code that refuses it or the
	// highest QoS to be granted. nil grants what the client wants.
	Granted []codec.ReasonCode
}

// Admission says as whom a client may connect, and completes CONNACK.
type Admission struct {
	// User is the name that the client proved to be its own, empty for none. It
	// is told to the Policy and stored with the session.
	User string
	// Limits, if not nil, are those of this client in place of Config.Limits.
	Limits *Limits
	// NoWill leaves out the Will of the client.
	NoWill bool
	// These are for v5.0 clients. ResponseInformation is only for those that
	// asked for it.
	ResponseInformation, ReasonString string
	AuthenticationData                codec.Bytes
	UserProperties                    codec.UserProperties
}

func (a *Admission) properties() (p codec.ConnackProperties) {
	if a.ResponseInformation != "" {
		p.ResponseInformation = codec.Text(a.ResponseInformation)
	}
	if a.ReasonString != "" {
		p.ReasonString = codec.Text(a.ReasonString)
	}
	if a.AuthenticationData != nil {
		p.AuthenticationData = codec.Some(a.AuthenticationData)
	}
	p.UserProperties = a.UserProperties
	return p
}

// mostAsked is the number of open questions of a client from which on it is not
// read from.
const mostAsked = 64

// mostQuestions is the number of open questions in all from which on no client is
// read from whose messages would be asked about, and no Will asked about.
const mostQuestions = 1 << 16

// Accept answers a Connect, or the Auth that ends its authentication: the client
// may connect. Here and in Refuse, a client that waits for no answer is ignored: one
// that has to send AUTH first, say, or that Disconnect has ended.
func (b *Broker) Accept(now time.Time, h Handle, a Admission) {
	b.set(now)
	if c := b.admitting(h); c != nil {
		e := c.entry
		e.admission, e.asked = a, false
		c.client.User = a.User
		if a.Limits != nil {
			c.limits = a.Limits
		}
		if !e.informed {
			e.admission.ResponseInformation = "" // [MQTT-3.1.2-28]
		}
		b.admit(c)
	}
}

// Refuse answers a Connect or Auth: the client may not connect. Close follows.
// [MQTT-3.1.4-2] [MQTT-4.12.0-4]
func (b *Broker) Refuse(now time.Time, h Handle, reason codec.ReasonCode) {
	b.set(now)
	if c := b.admitting(h); c != nil {
		c.entry.asked = false
		b.refuse(c, reason)
	}
}

// admitting returns a connection whose CONNECT waits for the driver, or nil.
func (b *Broker) admitting(h Handle) *conn {
	c := b.conns.get(h)
	if c == nil || c.entry == nil || !c.entry.asked {
		return nil
	}
	return c
}

// Authenticate sends AUTH to a client, as the answer to a Connect or Auth: with
// reason code 0x18 to go on, or with 0x00 at the end of a re-authentication.
// (v5.0 4.12)
func (b *Broker) Authenticate(now time.Time, h Handle, p *codec.Auth) error {
	b.set(now)
	c := b.conns.get(h)
	if c == nil || c.entry != nil && !c.entry.asked {
		return session.ErrState
	}
	b.busy.push(c)
	err := c.srv.Auth(b.now, p)
	if err == nil && c.entry != nil {
		c.entry.asked = false // until Auth
	}
	return err
}

// question is something that waits for the driver, or for the question before
// it. One of the packets is set.
type question struct {
	id          Question
	conn        *conn // nil for a Will
	sess        *sess
	from        *Client // as it was then
	publish     *codec.Publish
	subscribe   *codec.Subscribe
	unsubscribe *codec.Unsubscribe
	token       uint64 // of publish
	answered    bool
	answer      Answer
}

// ask puts a question to the driver with the event that it is about.
func (b *Broker) ask(c *conn, ev *Event, q *question) {
	b.asked++
	q.id, q.conn, q.sess, q.from = b.asked, c, c.sess, c.client
	b.questions[q.id] = q
	ev.Question = q.id
	b.postpone(c, q)
}

// postpone lets something wait for its answer, or for those before it.
func (b *Broker) postpone(c *conn, q *question) {
	c.sess.waits(q)
	if b.overasked(c) {
		b.listen(c)
	}
}

// overasked reports whether too much waits for the driver to add more from a
// client.
func (b *Broker) overasked(c *conn) bool {
	return c.sess != nil && c.sess.openQuestions() >= mostAsked || b.crowded()
}

// crowded reports whether no client is read from, as there are too many questions.
func (b *Broker) crowded() bool {
	return len(b.questions) >= mostQuestions && b.cfg.Ask&(AskPublish|AskSubscribe) != 0
}

// askWill asks whether a Will may be published. Where the driver leaves too much
// unanswered, which any client could add to, it is not. Until the answer comes it
// is stored apart, as its session may end, or its client leave another Will.
func (b *Broker) askWill(s *sess, p *codec.Publish) {
	if len(b.questions) >= mostQuestions {
		b.stats.drop(p.QoS)
		b.discardWill(s)
		return
	}
	b.asked++
	q := &question{id: b.asked, sess: s, from: s.client, publish: p}
	b.storeAsked(q)
	b.discardWill(s)
	b.askAboutWill(q)
}

func (b *Broker) askAboutWill(q *question) {
	b.questions[q.id] = q
	ev := Event{Client: q.from, Question: q.id}
	ev.Kind, ev.Publish, ev.QoS = events.Message, q.publish, q.publish.QoS
	b.tell(ev)
}

// asksSubscribe handles SUBSCRIBE. It reports whether the driver is asked.
func (b *Broker) asksSubscribe(c *conn, ev *Event) bool {
	p := ev.Packet.(*codec.Subscribe)
	for i := range p.Filters {
		p.Filters[i].Filter = mountedFilter(c.at.MountPoint, p.Filters[i].Filter)
	}
	if b.cfg.Ask&AskSubscribe == 0 {
		b.ordered(c, question{subscribe: p})
		return false
	}
	b.ask(c, ev, &question{subscribe: p.Clone()})
	return true
}

// ordered does what needs no answer, in its turn.
func (b *Broker) ordered(c *conn, q question) {
	q.conn, q.sess, q.from, q.answered = c, c.sess, c.client, true
	if c.sess.openQuestions() == 0 {
		b.settle(&q)
		return
	}
	if q.subscribe != nil {
		q.subscribe = q.subscribe.Clone()
	} else {
		q.unsubscribe = q.unsubscribe.Clone()
	}
	waits := q
	b.postpone(c, &waits)
}

// Answer answers a question. One that is answered already is ignored, as is a
// SUBSCRIBE whose connection has ended; a message is routed all the same.
func (b *Broker) Answer(now time.Time, id Question, a Answer) {
	b.set(now)
	q := b.questions[id]
	if q == nil {
		return
	}
	delete(b.questions, id)
	q.answered, q.answer = true, a
	if q.conn == nil {
		b.settleWill(q)
		b.disperse()
		return
	}
	s := q.sess
	for s.openQuestions() > 0 && s.late.asked[0].answered {
		q := s.late.asked[0]
		s.late.asked = slices.Delete(s.late.asked, 0, 1)
		b.settle(q)
	}
	if s.conn != nil {
		b.listen(s.conn)
	}
	b.disperse()
}

// disperse reads again from those that came when there were too many questions.
func (b *Broker) disperse() {
	if b.crowded() || len(b.crowd) == 0 {
		return
	}
	for _, h := range b.crowd {
		if c := b.conns.get(h); c != nil {
			c.crowded = false
			b.listen(c)
		}
	}
	b.crowd = nil
}

// settle does what was asked about.
func (b *Broker) settle(q *question) {
	switch {
	case q.publish != nil:
		b.settlePublish(q)
	case q.conn != q.sess.conn:
		// The client has to ask again.
	case q.subscribe != nil:
		granted := q.answer.Granted
		if q.answer.Reason.IsError() {
			granted = slices.Repeat([]codec.ReasonCode{q.answer.Reason}, len(q.subscribe.Filters))
		}
		b.subscribe(q.conn, q.subscribe, granted)
		b.busy.push(q.conn)
	default:
		b.unsubscribe(q.conn, q.unsubscribe)
		b.busy.push(q.conn)
	}
}

// settlePublish routes a message, or not, and acknowledges it. A client that is
// away gets the answer to QoS 2 later, and repeats QoS 1.
func (b *Broker) settlePublish(q *question) {
	qos := q.publish.QoS
	code := b.acceptsAnswered(q)
	if s := q.sess; qos > codec.QoS0 && !s.ended {
		b.acknowledge(s, q.token, code)
	}
}

// settleWill publishes a Will, or not.
func (b *Broker) settleWill(q *question) {
	b.acceptsAnswered(q)
	b.discardAsked(q)
}

// acceptsAnswered routes the message of a question as the driver wants it.
func (b *Broker) acceptsAnswered(q *question) codec.ReasonCode {
	p := q.publish
	switch r := q.answer.Publish; {
	case q.answer.Reason.IsError():
		return q.answer.Reason
	case r != nil && legal(r) != nil:
		return codec.ReasonImplementationSpecificError
	case r != nil:
		p = r
	}
	m := *p
	m.PacketID, m.Dup = 0, false
	return b.accepts(q.sess, q.from, &m, owned)
}

// acknowledge acknowledges a message. A code that the acknowledgement cannot have
// is taken for an unspecified error; a message of QoS 1 of an earlier connection is
// not known any more, and its client repeats it. At QoS 2 what was routed is stored
// as received, so that it is not routed again.
func (b *Broker) acknowledge(s *sess, token uint64, code codec.ReasonCode) {
	ack := func(code codec.ReasonCode) (err error) {
		r := session.Reply{Code: code}
		if s.conn != nil {
			b.busy.push(s.conn)
			return s.conn.srv.Ack(b.now, token, r)
		}
		id, err := s.state.Ack(token, r)
		if id != 0 && s.durable {
			ev := events.Event{Kind: events.Store, Record: events.RecordReceived, PacketID: id}
			b.tellLater(store(b.recordKey(s, ev.Key()), b.record(s, ev)))
		}
		return err
	}
	if err := ack(code); err != nil && code.IsError() {
		_ = ack(codec.ReasonUnspecifiedError)
	}
}

// Revoke ends a subscription of a client that it may not have any more. It
// reports whether there was one.
func (b *Broker) Revoke(now time.Time, clientID, filter string) bool {
	b.set(now)
	s := b.sessions[clientID]
	if s == nil {
		return false
	}
	sub := b.subs.find(s, []byte(filter))
	if sub == nil {
		return false
	}
	b.leave(sub)
	return true
}
