package session

// flow counts open messages. Both counters belong to the connection.
// (v5.0 4.9)
type flow struct {
	quota int32 // QoS 1 and 2 messages that may be sent now
	open  int32 // those of the peer that are not fully acknowledged
	bytes int   // payloads on their way, of QoS 1 and 2
}

// startFlow sets the send quota. [MQTT-4.9.0-1] [U5-4.9-b]
func (c *core) startFlow() {
	c.flow = flow{quota: int32(min(c.limits.receiveOut, c.cfg.MaximumInflight))}
}

// admits reports whether m, of QoS 1 or 2, may be sent now.
func (c *core) admits(m *message) bool {
	most := c.cfg.MaximumInflightBytes
	return c.flow.quota > 0 && (most <= 0 || c.flow.bytes == 0 || c.flow.bytes+m.payload() <= most)
}

// take uses one unit of quota for m. [MQTT-4.9.0-2]
func (c *core) take(m *message) {
	c.flow.quota--
	c.flow.bytes += m.payload()
	m.epoch = c.st.epoch
}

// give returns the unit that m used on this connection, if it did. A PUBREL
// that was resent used none. [U5-4.9-a]
func (c *core) give(m *message) {
	if m.epoch == c.st.epoch && c.status == StatusConnected {
		c.flow.quota++
		c.uncount(m)
	}
}

// uncount takes the payload of m, if it is still there, off those under way.
func (c *core) uncount(m *message) {
	if m.pub != nil {
		c.flow.bytes -= m.payload()
	}
}

// letGo forgets the message itself: the peer has it, or it was given up. What
// is left of m keeps its identifier and its quota.
func (c *core) letGo(m *message) {
	if m.epoch == c.st.epoch && c.status == StatusConnected {
		c.uncount(m)
	}
	m.kept.Release()
	m.pub, m.kept, m.ids = nil, nil, nil
}

// Vacancy returns how many messages of QoS 1 and 2 may be sent now before
// further ones have to wait in the queue; 0 without a connection.
// MaximumInflightBytes may make them wait earlier. (v5.0 4.9)
func (c *core) Vacancy() int {
	if c.status != StatusConnected {
		return 0
	}
	return max(0, int(c.flow.quota)-c.st.Queued())
}

// Inflight returns the number of messages that were sent and are not fully
// acknowledged.
func (c *core) Inflight() int {
	if c.st == nil {
		return 0
	}
	return c.st.Inflight()
}

// Queued returns the number of messages that wait and were never sent.
func (c *core) Queued() int {
	if c.st == nil {
		return 0
	}
	return c.st.Queued()
}
