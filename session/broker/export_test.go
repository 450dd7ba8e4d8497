package broker

// Scrub makes the broker overwrite memory before it uses it again, so that
// whoever has it for too long sees garbage.
func (b *Broker) Scrub() {
	b.scrub = true
	b.shared.Scrub()
}

// Lent returns how many messages members of shared subscriptions have.
func (b *Broker) Lent() (n int) {
	for _, s := range b.sessions {
		n += len(s.lent)
	}
	return n
}

// Turns returns how many turns of subscriptions are kept for a client, whether they
// are due or not.
func (b *Broker) Turns(id string) int {
	if r := b.sessions[id].replay; r != nil {
		return len(r.turns)
	}
	return 0
}

// Sole reports whether the index has all that a match needs of a filter.
func (b *Broker) Sole(filter string) bool {
	w := b.subs.way([]byte(filter))
	return b.subs.filters[w.kind].at(w.end).value.sess != nil
}
