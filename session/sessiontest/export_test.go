package sessiontest

import "time"

// SetNow replaces the virtual time.
func (p *Pair) SetNow(now time.Time) { p.now = now }
