package main

import (
	"github.com/mqttcore/mqttcore/codec"
)

// tracker finds what is illegal between the packets of a connection. It claims
// what is certain from the packets that it saw, and no more.
type tracker struct {
	// whole tells that every packet since the connection began was seen.
	whole bool
	// fresh tells that both sides began without a session from before, so that
	// identifiers are from this connection.
	fresh     bool
	connect   *limits
	connack   *limits
	announced bool // that CONNACK is missing
	sides     [2]half
}

// limits are what one side wants of the other.
type limits struct{ packetSize, receive, aliases uint32 }

// half is what one side has begun.
type half struct {
	gone    bool // it has sent DISCONNECT
	resent  bool // it sends things again, so answers may come twice
	used    map[uint32]bool
	open    map[uint32]exchange // by identifiers
	publish int                 // of those that are PUBLISH
	aliases map[uint16]string
}

// exchange is what was begun with an identifier and is not complete.
type exchange struct {
	request codec.PacketType // PUBLISH, SUBSCRIBE or UNSUBSCRIBE
	next    codec.PacketType // which is to come
	filters int
}

// forget tells that packets were missed.
func (t *tracker) forget() {
	aliases := [2]map[uint16]string{t.sides[client].aliases, t.sides[server].aliases}
	*t = tracker{}
	for s := range t.sides {
		t.sides[s].aliases = aliases[s] // the best that is known
	}
}

// complaint collects the faults of a packet.
type complaint struct {
	p      *packet
	faults []*codec.Error
}

// add adds a fault. The rules are of v3.1.1 and v5.0, without MQTT-; empty for none.
func (c *complaint) add(v311, v5, field, detail string) {
	rule := v311
	if c.p.v.IsV5() {
		rule = v5
	}
	if rule != "" {
		rule = "MQTT-" + rule
	}
	t := codec.PacketType(c.p.bytes[0] >> 4)
	c.faults = append(c.faults, &codec.Error{
		Packet: t, Version: c.p.v.Base(), Field: field, Offset: -1, Rule: rule,
		Code: codec.ReasonProtocolError, Detail: detail, Err: codec.ErrProtocol,
	})
}

// judge takes the next packet, and returns what is wrong with it in this place.
func (t *tracker) judge(p *packet) []*codec.Error {
	c := &complaint{p: p}
	mine := &t.sides[p.from]
	if mine.gone {
		c.add("3.14.4-2", "3.14.4-1", "", "it is sent after DISCONNECT")
	}
	if t.whole {
		t.opening(c)
	}
	if p.body == nil {
		t.forget() // it may have been anything
		return c.faults
	}
	t.sizes(c)
	switch body := p.body.(type) {
	case *codec.Connect:
		t.connect = limitsOf(body.Properties.MaximumPacketSize, body.Properties.ReceiveMaximum, body.Properties.TopicAliasMaximum)
	case *codec.Connack:
		t.connack = limitsOf(body.Properties.MaximumPacketSize, body.Properties.ReceiveMaximum, body.Properties.TopicAliasMaximum)
		t.fresh = t.whole && !body.SessionPresent
	case *codec.Disconnect:
		mine.gone = true
	case *codec.Publish:
		t.alias(c, body)
		if body.QoS > 0 && body.QoS < 3 {
			t.published(c, body)
		}
	case *codec.Subscribe:
		t.begin(c, body.PacketID, false, exchange{codec.TypeSubscribe, codec.TypeSuback, len(body.Filters)})
	case *codec.Unsubscribe:
		t.begin(c, body.PacketID, false, exchange{codec.TypeUnsubscribe, codec.TypeUnsuback, len(body.Filters)})
	case *codec.Pubrel:
		t.step(c, p.from, body.PacketID, codec.TypePubrel, codec.TypePubcomp)
	case *codec.Puback:
		t.step(c, p.from.other(), body.PacketID, codec.TypePuback, 0)
	case *codec.Pubrec:
		next := codec.TypePubrel
		if body.ReasonCode.IsError() {
			next = 0
		}
		t.step(c, p.from.other(), body.PacketID, codec.TypePubrec, next)
	case *codec.Pubcomp:
		t.step(c, p.from.other(), body.PacketID, codec.TypePubcomp, 0)
	case *codec.Suback:
		t.answered(c, body.PacketID, codec.TypeSuback, len(body.ReasonCodes))
	case *codec.Unsuback:
		codes := len(body.ReasonCodes)
		if !p.v.IsV5() {
			codes = -1 // there are none
		}
		t.answered(c, body.PacketID, codec.TypeUnsuback, codes)
	}
	return c.faults
}

func limitsOf(size codec.Opt[uint32], receive, aliases codec.Opt[uint16]) *limits {
	return &limits{packetSize: size.Or(codec.MaxPacketSize), receive: uint32(receive.Or(65535)), aliases: uint32(aliases.Or(0))}
}

// opening judges the first packets.
func (t *tracker) opening(c *complaint) {
	kind := codec.PacketType(c.p.bytes[0] >> 4)
	switch {
	case c.p.from == client && t.connect == nil && kind != codec.TypeConnect:
		c.add("3.1.0-1", "3.1.0-1", "", "the first packet of a client has to be CONNECT")
		t.connect = limitsOf(codec.Opt[uint32]{}, codec.Opt[uint16]{}, codec.Opt[uint16]{}) // said once
	case c.p.from == client && t.connect != nil && kind == codec.TypeConnect:
		c.add("3.1.0-2", "3.1.0-2", "", "it is the second CONNECT of the connection")
	case c.p.from == server && t.connack != nil && kind == codec.TypeConnack:
		c.add("", "3.2.0-2", "", "it is the second CONNACK of the connection")
	case c.p.from == server && t.connack == nil && !t.announced && kind != codec.TypeConnack && !(c.p.v.IsV5() && kind == codec.TypeAuth):
		c.add("3.2.0-1", "3.2.0-1", "", "the server has not sent CONNACK")
		t.announced = true // said once
	}
}

// sizes holds a packet of the server against what the client takes. Of a client's
// packets one cannot tell whether CONNACK had reached it.
func (t *tracker) sizes(c *complaint) {
	if c.p.from == server && t.connect != nil && c.p.v.IsV5() && uint32(c.p.size) > t.connect.packetSize {
		c.add("", "3.1.2-24", "", "it is larger than the client's Maximum Packet Size")
	}
}

// alias resolves a Topic Alias.
func (t *tracker) alias(c *complaint, p *codec.Publish) {
	mine := &t.sides[c.p.from]
	alias, ok := p.Properties.TopicAlias.Get()
	if !ok || alias == 0 {
		return
	}
	limit, rule := t.connect, "3.3.2-11"
	if c.p.from == client {
		limit, rule = t.connack, "3.3.2-9"
	}
	if limit != nil && uint32(alias) > limit.aliases {
		c.add("", rule, "Properties.TopicAlias", "it is above the Topic Alias Maximum of the receiver")
	}
	if mine.aliases == nil {
		mine.aliases = make(map[uint16]string)
	}
	topic, known := mine.aliases[alias]
	switch {
	case len(p.Topic) > 0:
		mine.aliases[alias] = string(p.Topic)
	case known:
		c.p.topic = topic
	case t.whole:
		c.add("", "", "Properties.TopicAlias", "no packet before this one said which topic the alias stands for")
	}
}

// published takes a PUBLISH with an identifier.
func (t *tracker) published(c *complaint, p *codec.Publish) {
	mine := &t.sides[c.p.from]
	e := exchange{request: codec.TypePublish, next: codec.TypePuback}
	if p.QoS == codec.QoS2 {
		e.next = codec.TypePubrec
	}
	mine.resent = mine.resent || p.Dup
	if old, ok := mine.open[p.PacketID]; ok && p.Dup && old.request == codec.TypePublish {
		return // the same again
	}
	t.begin(c, p.PacketID, p.Dup, e)
	if c.p.from == server && t.fresh && t.connect != nil && uint32(mine.publish) > t.connect.receive {
		c.add("", "3.3.4-9", "", "more messages are open than the client's Receive Maximum allows")
	}
}

// begin takes a packet that needs an answer.
func (t *tracker) begin(c *complaint, id uint32, dup bool, e exchange) {
	mine := &t.sides[c.p.from]
	if _, ok := mine.open[id]; ok && !dup {
		v311, v5 := "2.3.1-2", "2.2.1-3"
		if c.p.from == server {
			v311, v5 = "2.3.1-4", "2.2.1-4"
		}
		c.add(v311, v5, "PacketID", "what was begun with this identifier is not complete")
	}
	if mine.open == nil {
		mine.open, mine.used = make(map[uint32]exchange), make(map[uint32]bool)
	}
	mine.close(id)
	mine.open[id], mine.used[id] = e, true
	if e.request == codec.TypePublish {
		mine.publish++
	}
}

// close forgets what was begun with an identifier.
func (h *half) close(id uint32) {
	if h.open[id].request == codec.TypePublish {
		h.publish--
	}
	delete(h.open, id)
}

// step takes a packet that goes on with what owner began. After it comes next,
// or nothing.
func (t *tracker) step(c *complaint, owner side, id uint32, kind, next codec.PacketType) (exchange, bool) {
	theirs := &t.sides[owner]
	e, ok := theirs.open[id]
	certain := t.whole && t.fresh && !theirs.resent
	v311, v5 := "2.3.1-6", "2.2.1-5"
	if kind == codec.TypeSuback || kind == codec.TypeUnsuback {
		v311, v5 = "2.3.1-7", "2.2.1-6"
	}
	switch {
	case !ok && certain && !theirs.used[id]:
		c.add(v311, v5, "PacketID", "nobody has used this identifier")
	case ok && kind == codec.TypePubrel && e.next == codec.TypePubcomp:
		theirs.resent = true // v3.1.1 does not forbid it
	case ok && certain && e.next != kind:
		c.add(v311, v5, "PacketID", e.request.String()+" with this identifier waits for "+e.next.String())
	case ok && e.next == kind && next != 0:
		e.next = next
		theirs.open[id] = e
	case ok && e.next == kind:
		theirs.close(id)
	}
	return e, ok && e.next == kind
}

// answered takes the answer to SUBSCRIBE or UNSUBSCRIBE.
func (t *tracker) answered(c *complaint, id uint32, kind codec.PacketType, codes int) {
	e, ok := t.step(c, c.p.from.other(), id, kind, 0)
	if !ok || codes < 0 || codes == e.filters {
		return
	}
	v311, v5 := "3.8.4-5", "3.8.4-6"
	if kind == codec.TypeUnsuback {
		v5 = "3.11.3-2"
	}
	c.add(v311, v5, "ReasonCodes", "it has another number of codes than the request had filters")
}
