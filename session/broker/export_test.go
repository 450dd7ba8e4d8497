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
