package session

import (
	"strconv"

	"github.com/mqttcore/mqttcore/codec"
)

// emit encodes the PUBLISH of m. With an error nothing was encoded, and no
// alias was taken.
func (c *core) emit(m *message, dup bool) (err error) {
	if c.send == nil || dup {
		err = c.emitWith(m, dup, nil)
	} else {
		err = c.emitAlias(m)
	}
	if err != nil {
		return err
	}
	c.stats.MessagesOut++
	if !dup {
		c.sh.sent.Messages[m.qos]++
		c.sh.sent.Bytes += uint64(m.payload())
	}
	return nil
}

// emitAlias is emit with an alias, where there is one.
func (c *core) emitAlias(m *message) error {
	use := c.send.use(m, c.st.epoch)
	err := c.emitWith(m, false, &use)
	if err != nil && use.alias != 0 {
		// Too large, perhaps, for the alias alone.
		use.mapping = mapping{}
		err = c.emitWith(m, false, &use)
	}
	if err == nil && use.alias != 0 {
		c.send.commit(&use)
	}
	return err
}

// emitWith encodes the PUBLISH of m with an alias, nil for none.
func (c *core) emitWith(m *message, dup bool, use *aliasUse) error {
	if m.shared && !dup && c.cfg.Observe == nil && m.qos <= codec.QoS2 && len(m.pub.Payload) <= maxPayload {
		if done, err := c.emitShared(m, use); done {
			return err
		}
	}
	p := c.form(m, dup)
	use.put(p)
	if m.streamed {
		return c.appendHead(p, int(m.size))
	}
	return c.appendPublish(p, c.lentPayload(m, p))
}

// form returns the PUBLISH of m as it is to be sent.
func (c *core) form(m *message, dup bool) *codec.Publish {
	p := &c.sh.publish
	switch {
	case c.version.IsV5():
		*p = *m.pub
		c.properties(m, p, dup)
	case m.shared || m.token != 0:
		// Properties do not exist here.
		p = &c.sh.plain
		p.Topic, p.Payload = m.pub.Topic, m.pub.Payload
	default:
		*p = *m.pub // the codec refuses what the caller of Publish set
	}
	p.QoS, p.Retain, p.Dup, p.PacketID = m.qos, m.retain, dup, m.id
	return p
}

// properties fills in the properties of a PUBLISH that are those of this
// delivery. (v5.0 3.3.2.3)
func (c *core) properties(m *message, p *codec.Publish, dup bool) {
	props := &p.Properties
	props.TopicAlias = codec.Opt[uint16]{}
	switch {
	case m.ids != nil:
		props.SubscriptionIdentifiers = *m.ids
	case m.shared:
		props.SubscriptionIdentifiers = codec.SubscriptionIdentifiers{}
	}
	if left, ok := c.expiry(m, dup); ok {
		props.MessageExpiryInterval = codec.Some(left)
	}
}

// expiry returns the Message Expiry Interval that m has now, if it has one.
func (c *core) expiry(m *message, dup bool) (seconds uint32, ok bool) {
	if m.expires == 0 {
		return 0, false
	}
	// Rounded up; and not below 1 once it was sent, as it may not be dropped any
	// more.
	left := max(0, (m.expires-c.unix()+999)/1000)
	if dup {
		left = max(1, left)
	}
	return uint32(min(left, NeverExpires)), true
}

// lentPayload returns a payload to which the output may refer, nil for one that
// is copied into it: one that is small, or that the caller gets back at once.
func (c *core) lentPayload(m *message, p *codec.Publish) []byte {
	if len(p.Payload) < c.cfg.ReferenceSize || m.borrowed || !m.shared && m.qos == codec.QoS0 && m.token == 0 {
		return nil
	}
	m.kept.lend()
	return p.Payload
}

// appendPublish appends a PUBLISH to the output, if the peer takes it. Unless
// payload is nil, the output refers to it, which has the bytes of that of p.
func (c *core) appendPublish(p *codec.Publish, payload []byte) (err error) {
	buf := c.room()
	start := len(buf)
	if payload == nil {
		buf, err = p.AppendTo(buf, c.own)
	} else {
		buf, err = p.AppendHeaderTo(buf, c.own)
	}
	if err != nil {
		return err
	}
	size := uint64(len(buf) - start + len(payload))
	if limit := uint64(c.limits.packetOut); limit != 0 && size > limit {
		return c.tooLarge("Publish", size)
	}
	if c.cfg.Observe != nil {
		c.observe(false, p, buf[start:], payload)
	}
	c.wrote(buf, payload)
	return nil
}

// tooLarge reports a packet above the Maximum Packet Size of the peer.
func (c *core) tooLarge(op string, size uint64) error {
	rule := "MQTT-3.2.2-15"
	if c.server {
		rule = "MQTT-3.1.2-24"
	}
	return &Error{Op: op, Err: ErrLimit, Rule: rule, Code: codec.ReasonPacketTooLarge,
		Detail: "packet of " + strconv.FormatUint(size, 10) + " bytes is above the Maximum Packet Size of " + strconv.FormatUint(uint64(c.limits.packetOut), 10)}
}

// fit appends a packet to the output. Reason String and User Properties are
// left out, one or both, if it would not fit otherwise, and where the client
// asked for none. It reports false if the packet does not fit even so, and an
// error if it is illegal. (v5.0 3.1.2.11.4, 3.1.2.11.7)
func (c *core) fit(p codec.Packet, reason *codec.Opt[codec.Bytes], user *codec.UserProperties) (sent bool, err error) {
	if c.limits.noProblemInfo && c.server && p.Type() != codec.TypeConnack && p.Type() != codec.TypeDisconnect && reason != nil {
		*reason, *user = codec.Opt[codec.Bytes]{}, codec.UserProperties{} // [MQTT-3.1.2-29]
	}
	buf, start, err := c.try(p)
	if err != nil {
		return false, err
	}
	if buf == nil && reason != nil && (reason.Set || user.Len() > 0) {
		text, pairs := *reason, *user
		for _, keep := range [...]struct{ reason, user bool }{{true, false}, {false, true}, {}} {
			*reason, *user = codec.Opt[codec.Bytes]{}, codec.UserProperties{}
			if keep.reason {
				*reason = text
			}
			if keep.user {
				*user = pairs
			}
			if buf, start, err = c.try(p); buf != nil || err != nil {
				break
			}
		}
	}
	if buf == nil || err != nil {
		return false, err
	}
	if c.cfg.Observe != nil {
		c.observe(false, p, buf[start:], nil)
	}
	c.wrote(buf, nil)
	return true, nil
}

// try encodes a packet behind the output. buf is nil if it is too large.
func (c *core) try(p codec.Packet) (buf []byte, start int, err error) {
	buf = c.room()
	start = len(buf)
	buf, err = p.AppendTo(buf, c.own)
	if err != nil {
		return nil, 0, err
	}
	if limit := c.limits.packetOut; limit != 0 && uint64(len(buf)-start) > uint64(limit) {
		return nil, start, nil
	}
	return buf, start, nil
}

// must sends a packet that the protocol demands. If the peer's Maximum Packet
// Size is too small for it, the connection cannot go on.
func (c *core) must(p codec.Packet, reason *codec.Opt[codec.Bytes], user *codec.UserProperties) error {
	sent, err := c.fit(p, reason, user)
	if err == nil && !sent {
		err = c.violation(p.Type(), "MQTT-3.1.2-24", "", codec.ReasonPacketTooLarge, "Maximum Packet Size of %d leaves no room for it", c.limits.packetOut)
	}
	return err
}

// acknowledge appends an acknowledgement that says nothing but success, which
// is the same in both versions. These are the packets that are sent most, so
// they do not go through the codec. It reports false where that is needed:
// where somebody wants to see the packet, or the peer may not have room for it.
func (c *core) acknowledge(t codec.PacketType, id uint32) bool {
	if c.cfg.Observe != nil || c.limits.packetOut != 0 && c.limits.packetOut < 6 {
		return false
	}
	first := byte(t) << 4
	if t == codec.TypePubrel {
		first |= 0x02 // (v3.1.1 and v5.0 3.6.1)
	}
	if c.own.Wide() {
		c.wrote(append(c.room(), first, 4, byte(id>>24), byte(id>>16), byte(id>>8), byte(id)), nil)
	} else {
		c.wrote(append(c.room(), first, 2, byte(id>>8), byte(id)), nil)
	}
	return true
}
