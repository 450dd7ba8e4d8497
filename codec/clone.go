package codec

import "slices"

// owner gives a copied packet bytes of its own, all in one piece. The fields
// are handed to it twice: first it counts their bytes, then it moves them.
type owner struct {
	n      int
	buf    []byte
	moving bool
}

// allocate ends the counting. It reports whether there is anything to move.
func (o *owner) allocate() bool {
	o.buf, o.moving = make([]byte, 0, o.n), true
	return true
}

func (o *owner) bytes(b *Bytes) {
	if !o.moving {
		o.n += len(*b)
		return
	}
	if *b == nil {
		return
	}
	at := len(o.buf)
	o.buf = append(o.buf, *b...)
	*b = Bytes(o.buf[at:len(o.buf):len(o.buf)])
}

func (o *owner) repeated(r *repeated, id byte) {
	if r.block == nil {
		return
	}
	if !o.moving {
		o.n += r.size(id)
		return
	}
	at := len(o.buf)
	o.buf = r.appendTo(o.buf, id)
	r.block, r.mixed = o.buf[at:len(o.buf):len(o.buf)], false
}

// ownList gives a list elements of its own.
func ownList[T any, L ~[]T](o *owner, list *L) {
	if !o.moving {
		*list = slices.Clone(*list)
	}
}
