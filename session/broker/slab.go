package broker

// slab keeps values that are named by numbers from 1, so that a name takes four
// bytes, and a value no allocation of its own. Values do not move.
type slab[T any] struct {
	chunks []*[1 << chunkBits]T
	free   []uint32
	used   uint32 // the highest number that was given out
}

const (
	chunkBits = 8
	chunkMask = 1<<chunkBits - 1
)

// add returns an empty value and its number.
func (s *slab[T]) add() (uint32, *T) {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i, s.at(i)
	}
	s.used++
	if s.used>>chunkBits == uint32(len(s.chunks)) {
		s.chunks = append(s.chunks, new([1 << chunkBits]T))
	}
	return s.used, s.at(s.used)
}

func (s *slab[T]) at(i uint32) *T { return &s.chunks[i>>chunkBits][i&chunkMask] }

// remove empties a value. Its number is given out again.
func (s *slab[T]) remove(i uint32) {
	var empty T
	*s.at(i) = empty
	s.free = append(s.free, i)
}

// chain is a list of values of a slab, and links a value's place in it.
type chain struct{ first, last uint32 }

type links struct{ prev, next uint32 }
