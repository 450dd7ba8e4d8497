package session

import "github.com/mqttcore/mqttcore/codec"

// aliasSender keeps the topic aliases of outgoing messages. It belongs to one
// connection. [MQTT-3.3.2-7]
type aliasSender struct {
	max     uint16
	policy  AliasPolicy
	byTopic map[string]uint16
	entries []aliasEntry      // by alias; 0 is the head of the list of use
	wanted  map[uint16]string // what the application assigned, sent or not
}

// aliasEntry is what the peer knows an alias to mean. Entries form a ring in
// the order of use, the latest first.
type aliasEntry struct {
	topic      string
	prev, next uint16
}

// aliasUse is an alias in a packet that is being formed.
type aliasUse struct {
	topic codec.Bytes // in full
	mapping
}

// mapping is what a packet says of an alias.
type mapping struct {
	alias uint16 // 0 for none
	known bool   // the peer knows it, the topic is left out
}

// startAliases sets up the aliases of outgoing messages. [MQTT-3.1.2-27]
// [MQTT-3.2.2-18]
func (c *core) startAliases() {
	limit := c.limits.aliasOut
	if c.cfg.MaximumAliases != 0 {
		limit = min(limit, c.cfg.MaximumAliases)
	}
	if c.cfg.TopicAliases == AliasOff || limit == 0 {
		return
	}
	c.send = &aliasSender{
		max:     limit,
		policy:  c.cfg.TopicAliases,
		byTopic: map[string]uint16{},
		entries: make([]aliasEntry, 1),
		wanted:  map[uint16]string{},
	}
}

// wantAlias takes over an alias that the application set in a message.
func (c *core) wantAlias(m *message, p *codec.Publish) error {
	const op = "Publish"
	alias := p.Properties.TopicAlias.Value
	switch {
	case c.cfg.TopicAliases != AliasManual && c.cfg.TopicAliases != AliasExisting:
		return misuse(op, "TopicAliases does not leave topic aliases to the application")
	case c.status != StatusConnected:
		return misuse(op, "topic aliases belong to a connection, and there is none")
	case c.send == nil || alias == 0 || alias > c.send.max:
		rule := "MQTT-3.2.2-17"
		if c.server {
			rule = "MQTT-3.1.2-26"
		}
		return overLimit(op, rule, codec.ReasonTopicAliasInvalid, "topic alias is above Topic Alias Maximum")
	case len(p.Topic) == 0 && c.send.wanted[alias] == "":
		return overLimit(op, "U5-3.3.4-c", codec.ReasonTopicAliasInvalid, "topic alias has no topic")
	}
	m.alias, m.short, m.epoch = alias, len(p.Topic) == 0, c.st.epoch
	return nil
}

// fullTopic gives a message that is kept the topic that its alias stands for,
// and takes the alias off: aliases end with the connection, messages do not.
func (c *core) fullTopic(m *message) {
	if m.short {
		m.pub.Topic = codec.Bytes(c.send.wanted[m.alias])
	}
	m.pub.Properties.TopicAlias = codec.Opt[uint16]{}
}

// use returns the alias of m where the policy says so. It takes effect by commit,
// once m is really sent.
func (s *aliasSender) use(m *message, epoch uint32) aliasUse {
	use := aliasUse{topic: m.pub.Topic}
	if m.alias != 0 && m.epoch == epoch {
		if len(use.topic) == 0 { // it is sent at once, see fullTopic
			use.topic = codec.Bytes(s.wanted[m.alias])
		}
		use.alias = m.alias
		use.known = m.short && s.topic(m.alias) == string(use.topic)
	} else if s.policy != AliasManual && len(use.topic) > aliasCost {
		use.mapping = s.choose(use.topic)
	}
	return use
}

// put makes p the packet with the alias.
func (u *aliasUse) put(p *codec.Publish) {
	if u == nil {
		return
	}
	if p.Topic = u.topic; u.alias != 0 {
		p.Properties.TopicAlias = codec.Some(u.alias)
	}
	if u.known {
		p.Topic = nil
	}
}

// aliasCost is the size of the Topic Alias property in bytes. A topic that is
// not longer gains nothing from it.
const aliasCost = 3

// choose returns the alias of a topic, or the one that it should get: the next
// free one, else the one used least recently.
func (s *aliasSender) choose(topic codec.Bytes) mapping {
	if alias, ok := s.byTopic[string(topic)]; ok {
		return mapping{alias, true}
	}
	switch {
	case s.policy != AliasAuto:
		return mapping{}
	case len(s.entries) <= int(s.max):
		return mapping{alias: uint16(len(s.entries))}
	}
	return mapping{alias: s.entries[0].prev}
}

func (s *aliasSender) topic(alias uint16) string {
	if int(alias) >= len(s.entries) {
		return ""
	}
	return s.entries[alias].topic
}

// commit notes that a packet with this alias was sent.
func (s *aliasSender) commit(use *aliasUse) {
	for len(s.entries) <= int(use.alias) {
		// A new entry is not in the ring, which its own number tells.
		n := uint16(len(s.entries))
		s.entries = append(s.entries, aliasEntry{prev: n, next: n})
	}
	e := &s.entries[use.alias]
	if !use.known && e.topic != string(use.topic) {
		if s.byTopic[e.topic] == use.alias {
			delete(s.byTopic, e.topic)
		}
		e.topic = string(use.topic)
		s.byTopic[e.topic] = use.alias
	}
	s.entries[e.prev].next, s.entries[e.next].prev = e.next, e.prev
	e.prev, e.next = 0, s.entries[0].next
	s.entries[e.next].prev = use.alias
	s.entries[0].next = use.alias
}

// aliasReceiver keeps the topic aliases of incoming messages, for one
// connection. It grows with the mappings that come, up to the own Topic Alias
// Maximum.
type aliasReceiver struct{ topics map[uint16][]byte }

// resolve gives an incoming message its full topic and takes its alias off. It
// reports whether the topic came from an alias. [MQTT-3.3.2-10]
// [MQTT-3.3.2-12]
func (c *core) resolve(p *codec.Publish) (resolved bool, err error) {
	alias := p.Properties.TopicAlias.Value
	if alias == 0 || alias > c.limits.aliasIn {
		return false, c.violation(codec.TypePublish, "U5-3.3.4-b", "", codec.ReasonTopicAliasInvalid,
			"Topic Alias %d, Topic Alias Maximum is %d", alias, c.limits.aliasIn)
	}
	p.Properties.TopicAlias = codec.Opt[uint16]{}
	if c.recv == nil {
		c.recv = &aliasReceiver{topics: map[uint16][]byte{}}
	}
	topic := c.recv.topics[alias]
	if len(p.Topic) > 0 {
		c.recv.topics[alias] = append(topic[:0], p.Topic...)
		return false, nil
	}
	if topic == nil {
		return false, c.violation(codec.TypePublish, "U5-3.3.4-c", "", codec.ReasonProtocolError, "Topic Alias %d has no topic", alias)
	}
	p.Topic = topic[:len(topic):len(topic)]
	return true, nil
}
