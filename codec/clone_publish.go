package codec

// CloneSize returns the bytes of a copy of p, see CloneTo.
func (p *Publish) CloneSize() int {
	q, o := *p, owner{}
	q.own(&o)
	return o.n
}

// CloneTo makes q a copy of p with its bytes in buf, which must have room for
// CloneSize bytes.
func (p *Publish) CloneTo(q *Publish, buf []byte) {
	*q = *p
	o := owner{buf: buf[:0], moving: true}
	q.own(&o)
}
