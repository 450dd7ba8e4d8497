package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// acks is the acknowledgement that follows the message before.
type acks struct {
	due   bool // the message that was delivered last is to be acknowledged
	qos   codec.QoS
	code  codec.ReasonCode
	id    uint32
	reply *Reply // what Respond added to code
}

// Reply is the content of an acknowledgement. The zero value is a plain
// success. In v3.1.1 acknowledgements have no content and it is left out.
type Reply struct {
	Code           codec.ReasonCode
	ReasonString   codec.Opt[codec.Bytes]
	UserProperties codec.UserProperties
}

// plain reports whether the reply has no properties.
func (r *Reply) plain() bool { return !r.ReasonString.Set && r.UserProperties.Len() == 0 }

// onPublish delivers an incoming message. (v3.1.1 and v5.0 3.3, 4.3)
func (c *core) onPublish(ev *events.Event, p *codec.Publish) error {
	c.stats.MessagesIn++
	if c.limits.features != 0 {
		if err := c.acceptable(p); err != nil {
			return err
		}
	}
	resolved := false
	if p.Properties.TopicAlias.Set {
		var err error
		if resolved, err = c.resolve(p); err != nil {
			return err
		}
	}
	if p.QoS > codec.QoS0 {
		if r := c.st.received.get(p.PacketID); r != nil {
			again, err := c.recount(r, p)
			if err != nil {
				return err
			}
			return c.answerAgain(r, again)
		}
		if err := c.count(); err != nil {
			return err
		}
	}
	ev.Kind, ev.Publish, ev.PacketID, ev.QoS = events.Message, p, p.PacketID, p.QoS
	if resolved {
		ev.Flags = events.Resolved
	}
	if p.QoS == codec.QoS0 {
		return nil
	}
	if !c.cfg.ManualAck {
		c.acks.due, c.acks.id, c.acks.qos = true, p.PacketID, p.QoS
		c.acks.code, c.acks.reply = codec.ReasonSuccess, nil
		return nil
	}
	r := c.receive(p.PacketID, p.QoS)
	ev.Token = r.token()
	c.await(r)
	return nil
}

// acceptable reports a message beyond what the server offers. In v3.1.1 nothing
// but the end of the connection says so: an acknowledgement would be a promise.
func (c *core) acceptable(p *codec.Publish) error {
	switch {
	case !c.server && p.QoS > c.limits.features.maximumQoS():
		return c.violation(codec.TypePublish, "U5-3.3.4-e", "", codec.ReasonQoSNotSupported, "QoS %d is above the Maximum QoS of the server", p.QoS)
	case !c.server:
		return nil
	case p.QoS > c.limits.features.maximumQoS():
		return c.violation(codec.TypePublish, "U5-3.2.2.3.4-b", "MQTT-3.3.5-2", codec.ReasonQoSNotSupported, "QoS %d is above Maximum QoS", p.QoS)
	case p.Retain && c.limits.features&noRetain != 0:
		return c.violation(codec.TypePublish, "U5-3.2.2.3.5-b", "MQTT-3.3.5-2", codec.ReasonRetainNotSupported, "RETAIN, but Retain Available is 0")
	}
	return nil
}

// count counts an open message of the peer. [U5-3.3.4-d]
func (c *core) count() error {
	if c.flow.open >= int32(c.limits.receiveIn) {
		return c.violation(codec.TypePublish, "U5-3.3.4-d", "", codec.ReasonReceiveMaximumExceeded,
			"more than %d messages are not acknowledged", c.limits.receiveIn)
	}
	c.flow.open++
	return nil
}

// receive enters a message of the peer that counts on this connection.
func (c *core) receive(id uint32, qos codec.QoS) *receipt {
	r := c.sh.receipt()
	c.st.seq++
	r.id, r.qos, r.seq, r.epoch = id, qos, c.st.seq, c.st.epoch
	c.st.received.add(r)
	return r
}

// await puts a receipt at the end of those whose turn is to come.
func (c *core) await(r *receipt) {
	if r.qos == codec.QoS1 {
		c.st.qos1.push(r)
	} else {
		c.st.qos2.push(r)
	}
}

// recount looks at a PUBLISH whose identifier is in use. Only the repetition of
// a QoS 2 message is legal, and it is not delivered again. again reports whether
// it was repeated on one connection; else it counts here. [MQTT-4.3.3-10]
func (c *core) recount(r *receipt, p *codec.Publish) (again bool, err error) {
	inUse := func() (bool, error) {
		rule := [2]string{"MQTT-2.2.1-3", "MQTT-2.3.1-2"}
		if !c.server {
			rule = [2]string{"MQTT-2.2.1-4", "MQTT-2.3.1-4"}
		}
		return false, c.violation(codec.TypePublish, rule[0], rule[1], codec.ReasonProtocolError, "packet identifier %d is in use", p.PacketID)
	}
	switch {
	case r.qos == codec.QoS1 && p.QoS == codec.QoS1 && r.state <= receiptAnswered && p.Dup && !c.version.IsV5():
		return true, nil // v3.1.1 does not forbid it
	case r.qos != p.QoS || r.state > receiptDone:
		return inUse()
	case p.QoS == codec.QoS1:
		return inUse()
	}
	if r.epoch == c.st.epoch {
		return true, nil
	}
	if err := c.count(); err != nil {
		return false, err
	}
	r.epoch = c.st.epoch
	return false, nil
}

// answerAgain answers a message that was repeated.
func (c *core) answerAgain(r *receipt, again bool) error {
	switch {
	case r.qos == codec.QoS1:
		return nil // the answer is still to come
	case r.state == receiptDone:
		return c.sendPubrec(r.id, codec.ReasonSuccess, nil)
	case !again:
		c.await(r)
		return c.inTurn()
	}
	return nil
}

// answer acknowledges the message that was delivered last.
func (c *core) answer() {
	a := &c.acks
	a.due = false
	var err error
	switch {
	case a.qos == codec.QoS1:
		c.flow.open--
		err = c.sendPuback(a.id, a.code, a.reply)
	case a.code.IsError():
		c.flow.open-- // [MQTT-4.3.3-9]
		err = c.sendPubrec(a.id, a.code, a.reply)
	default:
		r := c.receive(a.id, codec.QoS2)
		r.state = receiptDone
		c.storeReceived(r.id)
		err = c.sendPubrec(a.id, a.code, a.reply)
	}
	a.reply = nil
	if err != nil {
		c.violate(err)
	}
}

func (c *core) storeReceived(id uint32) {
	if c.cfg.Persist {
		c.tell(note{kind: events.Store, record: events.RecordReceived, id: id})
	}
}

// Respond sets the content of the automatic acknowledgement of the message that
// was delivered last. It is called before the next event is pulled. A code of
// 0x80 or above refuses the message. In v3.1.1 there is no content, and the
// message is acknowledged all the same. Between MessageBegin and MessageEnd a
// refusal, also of QoS 0, makes the session skip the rest of the payload.
// (v5.0 3.4.2.1, 3.5.2.1)
func (c *core) Respond(r Reply) error {
	if c.arriving != nil && !c.cfg.ManualAck {
		return c.respondArriving(r)
	}
	if c.work == nil || !c.acks.due {
		return misuse("Respond", "no message waits for its acknowledgement")
	}
	if err := c.checkReply("Respond", c.acks.id, c.acks.qos, &r); err != nil {
		return err
	}
	if !c.version.IsV5() {
		return nil
	}
	c.acks.code, c.acks.reply = r.Code, nil
	if !r.plain() {
		kept := r
		c.acks.reply = &kept
	}
	return nil
}

// checkReply reports a reply that PUBACK or PUBREC may not have.
func (c *core) checkReply(op string, id uint32, qos codec.QoS, r *Reply) error {
	if r.Code == codec.ReasonSuccess && r.plain() || !c.version.IsV5() {
		return nil
	}
	var err error
	if qos == codec.QoS1 {
		p := codec.Puback{PacketID: id, ReasonCode: r.Code}
		p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
		err = p.Validate(c.own)
	} else {
		p := codec.Pubrec{PacketID: id, ReasonCode: r.Code}
		p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
		err = p.Validate(c.own)
	}
	if err != nil {
		return asError(op, err)
	}
	return nil
}

// Ack acknowledges the message with the given token where ManualAck leaves it
// to the application. Acknowledgements leave in the order in which the messages
// of the same QoS arrived, whatever the order of the calls. [MQTT-4.6.0-2]
// [MQTT-4.6.0-3]
//
// Between MessageBegin and MessageEnd only a refusal is possible, a code of 0x80
// or above; the session then skips the rest of the payload. In v3.1.1 that is
// acknowledged all the same.
//
// A QoS 1 message of an earlier connection has no token any more, since the
// peer sends it again; a QoS 2 message keeps its token and is acknowledged when
// the peer repeats it, unless the peer gave it up. After Close of a Server, Ack of
// the Server that has the State next takes it, or Ack of the State. The bytes of r
// are kept until then.
func (c *core) Ack(now time.Time, token uint64, r Reply) error {
	const op = "Ack"
	if c.ownState() == nil {
		return stateError(op, c.status)
	}
	c.setNow(now)
	rc := c.st.received.get(uint32(token))
	if rc != nil && rc.seq == uint32(token>>32) && rc.state == receiptArriving {
		return c.ackArriving(rc, r)
	}
	rc, err := c.st.waiting(token)
	if err != nil {
		return err
	}
	if err := c.checkReply(op, rc.id, rc.qos, &r); err != nil {
		return err
	}
	if !c.version.IsV5() {
		r = Reply{}
	}
	if rc.acknowledge(&r) {
		c.storeReceived(rc.id)
	}
	if c.status != StatusConnected {
		return nil
	}
	if err := c.inTurn(); err != nil {
		c.violate(err)
	}
	return nil
}

// Ack is Ack of a Client or Server for a message of QoS 2 while no connection has
// the session. If the message was taken, id is its Packet Identifier, which is to be
// stored as a RecordReceived together with what became of the message; if it was
// refused, id is 0. The errors are the same.
func (s *State) Ack(token uint64, r Reply) (id uint32, err error) {
	const op = "Ack"
	if s.open {
		return 0, misuse(op, "a connection has the session")
	}
	s.arrange()
	rc, err := s.waiting(token)
	if err != nil {
		return 0, err
	}
	p := codec.Pubrec{PacketID: rc.id, ReasonCode: r.Code}
	p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
	if err := p.Validate(codec.V5Wide); err != nil {
		return 0, asError(op, err)
	}
	if rc.acknowledge(&r) {
		id = rc.id
	}
	return id, nil
}

// waiting returns the receipt that a token names, whose answer is to come.
func (s *State) waiting(token uint64) (*receipt, error) {
	rc := s.received.get(uint32(token))
	if rc == nil || rc.seq != uint32(token>>32) || rc.state != receiptWaiting {
		return nil, &Error{Op: "Ack", Err: ErrUnknownToken, Code: codec.ReasonPacketIdentifierNotFound}
	}
	return rc, nil
}

// acknowledge notes the answer of the application. It reports whether that has to
// be stored: who has taken a message of QoS 2 must not get it again, whatever
// becomes of PUBREC. [MQTT-4.3.3-10]
func (r *receipt) acknowledge(reply *Reply) bool {
	r.state = receiptAnswered
	if reply.Code != codec.ReasonSuccess || !reply.plain() {
		kept := *reply
		r.reply = &kept
	}
	r.stored = r.qos == codec.QoS2 && !reply.Code.IsError()
	return r.stored
}

// inTurn sends the acknowledgements whose turn has come.
func (c *core) inTurn() error {
	for r := c.st.qos1.head; r != nil && r.state == receiptAnswered; r = c.st.qos1.head {
		c.st.qos1.pop()
		code, reply := r.answer()
		id := r.id
		c.forget(r)
		if err := c.sendPuback(id, code, reply); err != nil {
			return err
		}
	}
	for r := c.st.qos2.head; r != nil && r.state == receiptAnswered; r = c.st.qos2.head {
		c.st.qos2.pop()
		code, reply := r.answer()
		id := r.id
		if code.IsError() {
			c.forget(r)
		} else {
			r.state, r.reply = receiptDone, nil
			if !r.stored {
				c.storeReceived(id)
			}
		}
		if err := c.sendPubrec(id, code, reply); err != nil {
			return err
		}
	}
	return nil
}

// answer returns what the application replied.
func (r *receipt) answer() (codec.ReasonCode, *Reply) {
	if r.reply == nil {
		return codec.ReasonSuccess, nil
	}
	return r.reply.Code, r.reply
}

// forget ends the exchange of a message of the peer.
func (c *core) forget(r *receipt) {
	if r.epoch == c.st.epoch && c.status == StatusConnected && r.state <= receiptReleased {
		c.flow.open--
	}
	c.st.received.remove(r)
	c.sh.freeReceipt(r)
}

// onPubrel answers PUBREL by PUBCOMP. (v3.1.1 and v5.0 4.3.3)
func (c *core) onPubrel(ev *events.Event, p *codec.Pubrel) error {
	r := c.st.received.get(p.PacketID)
	switch {
	case r == nil:
		return c.sendPubcomp(p.PacketID, Reply{Code: codec.ReasonPacketIdentifierNotFound})
	case r.state == receiptReleased:
		return nil // PUBCOMP is still the application's
	case r.state <= receiptAnswered && r.epoch != c.st.epoch:
		// The peer gave the message up: its PUBLISH does not come again.
		if r.stored {
			c.complete(r)
		} else {
			c.forget(r)
		}
		return c.sendPubcomp(p.PacketID, Reply{})
	case r.state != receiptDone:
		return c.wrongKind(codec.TypePubrel, p.PacketID)
	case c.cfg.ManualComplete:
		r.state = receiptReleased
		*ev = events.Event{Kind: events.Released, Token: r.token(), PacketID: r.id, Reason: p.ReasonCode, Packet: p}
		return nil
	}
	c.complete(r)
	return c.sendPubcomp(p.PacketID, Reply{})
}

// complete ends the exchange of a QoS 2 message of the peer. Its record goes
// before PUBCOMP, after which the identifier means a new message.
// [MQTT-4.3.3-12]
func (c *core) complete(r *receipt) {
	if c.cfg.Persist {
		c.tell(note{kind: events.Discard, record: events.RecordReceived, id: r.id})
	}
	c.forget(r)
}

// Complete sends PUBCOMP where ManualComplete leaves it to the application.
// Without a connection it is sent when the peer repeats PUBREL. (v3.1.1 and
// v5.0 3.7)
func (c *core) Complete(now time.Time, token uint64, r Reply) error {
	const op = "Complete"
	if c.ownState() == nil {
		return stateError(op, c.status)
	}
	c.setNow(now)
	rc := c.st.received.get(uint32(token))
	if rc == nil || rc.seq != uint32(token>>32) || rc.state != receiptReleased {
		return &Error{Op: op, Err: ErrUnknownToken, Code: codec.ReasonPacketIdentifierNotFound}
	}
	p := codec.Pubcomp{PacketID: rc.id, ReasonCode: r.Code}
	if err := p.Validate(c.own); err != nil {
		return asError(op, err)
	}
	id := rc.id
	c.complete(rc)
	if c.status == StatusConnected {
		if err := c.sendPubcomp(id, r); err != nil {
			c.violate(err)
		}
	}
	return nil
}

func (c *core) sendPuback(id uint32, code codec.ReasonCode, r *Reply) error {
	if code == codec.ReasonSuccess && r == nil && c.acknowledge(codec.TypePuback, id) {
		return nil
	}
	p := &c.sh.puback
	*p = codec.Puback{PacketID: id, ReasonCode: code}
	if r != nil {
		p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
	}
	return c.must(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
}

func (c *core) sendPubrec(id uint32, code codec.ReasonCode, r *Reply) error {
	if code == codec.ReasonSuccess && r == nil && c.acknowledge(codec.TypePubrec, id) {
		return nil
	}
	p := &c.sh.pubrec
	*p = codec.Pubrec{PacketID: id, ReasonCode: code}
	if r != nil {
		p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
	}
	return c.must(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
}

func (c *core) sendPubcomp(id uint32, r Reply) error {
	if r.Code == codec.ReasonSuccess && r.plain() && c.acknowledge(codec.TypePubcomp, id) {
		return nil
	}
	p := &c.sh.pubcomp
	*p = codec.Pubcomp{PacketID: id}
	if c.version.IsV5() {
		p.ReasonCode = r.Code
		p.Properties.ReasonString, p.Properties.UserProperties = r.ReasonString, r.UserProperties
	}
	return c.must(p, &p.Properties.ReasonString, &p.Properties.UserProperties)
}
