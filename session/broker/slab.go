package broker

// slab keeps values that are named by numbers from 1, so that a name takes four
// bytes, and a value no allocation of its own. Values do not move.
type slab[T any] struct {
	chunks []chunk[T]
	free   []uint32
	used   uint32 // the highest number that was given out
}

// chunk has room for values. Where none is used it has no memory.
type chunk[T any] struct {
	values *[1 << chunkBits]T
	used   int
}

const (
	chunkBits = 8
	chunkMask = 1<<chunkBits - 1
)

// add returns an empty value and its number.
func (s *slab[T]) add() (uint32, *T) {
	var i uint32
	if n := len(s.free); n > 0 {
		i, s.free = s.free[n-1], s.free[:n-1]
	} else {
		s.used++
		i = s.used
	}
	if i>>chunkBits == uint32(len(s.chunks)) {
		s.chunks = append(s.chunks, chunk[T]{})
	}
	c := &s.chunks[i>>chunkBits]
	if c.values == nil {
		c.values = new([1 << chunkBits]T)
	}
	c.used++
	return i, &c.values[i&chunkMask]
}

func (s *slab[T]) at(i uint32) *T { return &s.chunks[i>>chunkBits].values[i&chunkMask] }

// remove empties a value. Its number is given out again.
func (s *slab[T]) remove(i uint32) {
	c := &s.chunks[i>>chunkBits]
	var empty T
	c.values[i&chunkMask] = empty
	if c.used--; c.used == 0 {
		c.values = nil
	}
	s.free = append(s.free, i)
}

// chain is a list of values of a slab: the number of the first one, 0 for an empty
// list. links are a value's place in it; before the first one comes the last.
type chain = uint32

type links struct{ prev, next uint32 }
