package client

// Leftovers returns how much is kept of messages, requests and packets that
// have ended.
func (c *Client) Leftovers() int {
	o, s := &c.out, &c.subs
	n := len(o.waiting) + o.live + len(o.unwritten) + len(o.names) + len(o.renamed) + len(o.expires)
	n += len(s.dirty) + len(s.asked) + len(c.orphans) + len(c.held) + len(c.notes)
	n += len(c.calls.heap) + len(c.calls.byData) + len(c.calls.byToken)
	groups := map[*group]bool{}
	for e := s.head; e != nil; e = e.next {
		groups[e.group] = true
		n--
	}
	return n + len(s.set) + len(s.groups) - len(groups)
}
