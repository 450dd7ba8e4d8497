package session

import (
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// Subscribe sends SUBSCRIBE. The session chooses the Packet Identifier, so
// PacketID must be 0. The token names the request in the event Subscribed, or
// in Dropped with ErrEnded if the connection ends before. p is not kept.
// Errors are ErrState without a connection, ErrLimit for what the server does
// not offer, ErrExhausted, and an *codec.Error for an illegal packet. (v3.1.1
// and v5.0 3.8)
func (c *Client) Subscribe(now time.Time, p *codec.Subscribe) (token uint64, err error) {
	const op = "Subscribe"
	if err := c.requestable(op, p.PacketID); err != nil {
		return 0, err
	}
	props := &p.Properties
	if rule, code := c.unavailable(p.Filters, props.SubscriptionIdentifier.Set); rule != "" {
		return 0, overLimit(op, rule, code, "the server does not offer it")
	}
	c.setNow(now)
	q := *p
	return c.request(op, stageSubscribe, len(p.Filters), func(id uint32) (bool, error) {
		q.PacketID = id
		return c.fit(&q, nil, nil)
	})
}

// Unsubscribe sends UNSUBSCRIBE. It works like Subscribe; the event is
// Unsubscribed. (v3.1.1 and v5.0 3.10)
func (c *Client) Unsubscribe(now time.Time, p *codec.Unsubscribe) (token uint64, err error) {
	const op = "Unsubscribe"
	if err := c.requestable(op, p.PacketID); err != nil {
		return 0, err
	}
	c.setNow(now)
	q := *p
	return c.request(op, stageUnsubscribe, len(p.Filters), func(id uint32) (bool, error) {
		q.PacketID = id
		return c.fit(&q, nil, nil)
	})
}

// requestable reports whether a request can be sent.
func (c *Client) requestable(op string, id uint32) error {
	switch {
	case c.status != StatusConnected:
		return stateError(op, c.status)
	case id != 0:
		return misuse(op, "the session chooses the Packet Identifier")
	}
	return nil
}

// request sends a packet under a new identifier. [MQTT-2.2.1-3]
func (c *Client) request(op string, kind stage, filters int, send func(id uint32) (bool, error)) (uint64, error) {
	m := c.sh.message()
	m.stage, m.filters = kind, filters
	if !c.st.ids.alloc(m, c.own.MaxPacketID()) {
		c.sh.freeMessage(m)
		return 0, &Error{Op: op, Err: ErrExhausted, Code: codec.ReasonQuotaExceeded}
	}
	sent, err := send(m.id)
	if err == nil && !sent {
		err = overLimit(op, "MQTT-3.2.2-15", codec.ReasonPacketTooLarge, "packet is above the Maximum Packet Size of the server")
	}
	if err != nil {
		c.st.ids.undo(m)
		c.sh.freeMessage(m)
		return 0, asError(op, err)
	}
	m.token = c.st.token()
	c.client.requests.push(m)
	return m.token, nil
}

// unavailable returns the rule and the code of the first thing in a SUBSCRIBE
// that the server does not offer. (v5.0 3.2.2.3.11 to 3.2.2.3.13)
func (c *core) unavailable(filters []codec.Subscription, identifier bool) (rule string, code codec.ReasonCode) {
	f := c.limits.features
	if f&(noWildcard|noSubscriptionID|noShared) == 0 {
		return "", 0
	}
	if identifier && f&noSubscriptionID != 0 {
		return "U5-3.2.2.3.12-b", codec.ReasonSubscriptionIdentifiersNotSupported
	}
	for i := range filters {
		filter := string(filters[i].Filter)
		switch {
		case f&noWildcard != 0 && strings.ContainsAny(filter, "+#"):
			return "U5-3.2.2.3.11-b", codec.ReasonWildcardSubscriptionsNotSupported
		case f&noShared != 0 && strings.HasPrefix(filter, "$share/"):
			return "U5-3.2.2.3.13-b", codec.ReasonSharedSubscriptionsNotSupported
		}
	}
	return "", 0
}

// onSuback ends a SUBSCRIBE. (v3.1.1 and v5.0 3.9)
func (c *core) onSuback(ev *events.Event, p *codec.Suback) error {
	return c.answered(ev, p, p.PacketID, stageSubscribe, events.Subscribed, len(p.ReasonCodes))
}

// onUnsuback ends an UNSUBSCRIBE. In v3.1.1 UNSUBACK has no codes. (v3.1.1 and
// v5.0 3.11)
func (c *core) onUnsuback(ev *events.Event, p *codec.Unsuback) error {
	codes := len(p.ReasonCodes)
	if !c.version.IsV5() {
		codes = -1
	}
	return c.answered(ev, p, p.PacketID, stageUnsubscribe, events.Unsubscribed, codes)
}

func (c *core) answered(ev *events.Event, p codec.Packet, id uint32, kind stage, event events.Kind, codes int) error {
	m := c.st.ids.get(id)
	switch {
	case m == nil:
		unexpected(ev, p, id)
		return nil
	case m.stage != kind:
		return c.violation(p.Type(), "MQTT-2.2.1-6", "MQTT-2.3.1-7", codec.ReasonProtocolError,
			"not the answer that packet identifier %d waits for", id)
	case codes >= 0 && codes != m.filters:
		rule := [2]string{"MQTT-3.8.4-6", "MQTT-3.8.4-5"}
		if kind == stageUnsubscribe {
			rule = [2]string{"MQTT-3.11.3-1", ""}
		}
		return c.violation(p.Type(), rule[0], rule[1], codec.ReasonProtocolError, "%d reason codes for %d filters", codes, m.filters)
	}
	*ev = events.Event{Kind: event, Token: m.token, PacketID: id, Packet: p}
	c.client.requests.remove(m)
	c.st.ids.remove(m)
	c.sh.freeMessage(m)
	return nil
}

// onSubscribe announces a SUBSCRIBE. (v3.1.1 and v5.0 3.8)
func (c *core) onSubscribe(ev *events.Event, p *codec.Subscribe) error {
	if rule, code := c.unavailable(p.Filters, p.Properties.SubscriptionIdentifier.Set); rule != "" {
		return c.violation(codec.TypeSubscribe, rule, "", code, "it was announced as unavailable")
	}
	*ev = events.Event{Kind: events.Subscribe, Packet: p, PacketID: p.PacketID}
	return c.requested(codec.TypeSubscribe, p.PacketID, receiptSubscribe, len(p.Filters))
}

// onUnsubscribe announces an UNSUBSCRIBE. (v3.1.1 and v5.0 3.10)
func (c *core) onUnsubscribe(ev *events.Event, p *codec.Unsubscribe) error {
	*ev = events.Event{Kind: events.Unsubscribe, Packet: p, PacketID: p.PacketID}
	return c.requested(codec.TypeUnsubscribe, p.PacketID, receiptUnsubscribe, len(p.Filters))
}

// requested enters a request of the client, whose identifiers are shared with
// its messages. [MQTT-2.2.1-3] [v3.1.1 MQTT-2.3.1-2]
func (c *core) requested(t codec.PacketType, id uint32, kind receiptState, filters int) error {
	if c.st.received.get(id) != nil {
		return c.violation(t, "MQTT-2.2.1-3", "MQTT-2.3.1-2", codec.ReasonProtocolError, "packet identifier %d is in use", id)
	}
	r := c.sh.receipt()
	r.id, r.state, r.filters, r.epoch = id, kind, filters, c.st.epoch
	c.st.received.add(r)
	return nil
}

// Suback answers the SUBSCRIBE with the same PacketID. p has one reason code
// for each filter, in their order; in v3.1.1 all codes of 0x80 and above become
// 0x80. p is not kept. [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-6]
func (s *Server) Suback(now time.Time, p *codec.Suback) error {
	const op = "Suback"
	s.setNow(now)
	r, err := s.requestOf(op, p.PacketID, receiptSubscribe, len(p.ReasonCodes))
	if err != nil {
		return err
	}
	q := &s.sh.suback
	codes := append(q.ReasonCodes[:0], p.ReasonCodes...)
	*q = *p
	q.ReasonCodes = codes
	if !s.version.IsV5() {
		for i, code := range codes {
			if code.IsError() {
				codes[i] = codec.ReasonUnspecifiedError
			}
		}
	}
	return s.answerRequest(op, r, q, &q.Properties.ReasonString, &q.Properties.UserProperties)
}

// Unsuback answers the UNSUBSCRIBE with the same PacketID. p has one reason
// code for each filter, in their order; in v3.1.1 there are none and they are
// left out. p is not kept. [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.11.3-1]
func (s *Server) Unsuback(now time.Time, p *codec.Unsuback) error {
	const op = "Unsuback"
	codes := len(p.ReasonCodes)
	if !s.version.IsV5() {
		codes = -1
	}
	s.setNow(now)
	r, err := s.requestOf(op, p.PacketID, receiptUnsubscribe, codes)
	if err != nil {
		return err
	}
	q := &s.sh.unsuback
	*q = *p
	if !s.version.IsV5() {
		q.ReasonCodes = nil
	}
	return s.answerRequest(op, r, q, &q.Properties.ReasonString, &q.Properties.UserProperties)
}

// requestOf returns the request that is answered.
func (s *Server) requestOf(op string, id uint32, kind receiptState, codes int) (*receipt, error) {
	if s.status != StatusConnected {
		return nil, stateError(op, s.status)
	}
	r := s.st.received.get(id)
	switch {
	case r == nil || r.state != kind:
		return nil, &Error{Op: op, Rule: "MQTT-2.2.1-6", Err: ErrState, Code: codec.ReasonPacketIdentifierNotFound,
			Detail: "no request with this Packet Identifier waits for an answer"}
	case codes >= 0 && codes != r.filters:
		return nil, &Error{Op: op, Rule: "MQTT-3.8.4-6", Err: ErrState, Code: codec.ReasonProtocolError,
			Detail: "the number of reason codes is not the number of filters"}
	}
	return r, nil
}

// answerRequest sends SUBACK or UNSUBACK. One that does not fit the client's
// Maximum Packet Size ends the connection, as the request cannot be answered.
func (s *Server) answerRequest(op string, r *receipt, p codec.Packet, reason *codec.Opt[codec.Bytes], user *codec.UserProperties) error {
	sent, err := s.fit(p, reason, user)
	if err != nil {
		return asError(op, err)
	}
	s.forget(r)
	if !sent {
		s.violate(s.violation(p.Type(), "MQTT-3.1.2-24", "", codec.ReasonPacketTooLarge,
			"Maximum Packet Size of %d leaves no room for it", s.limits.packetOut))
	}
	return nil
}
