package client

import "time"

// deadline returns when the first request ends, zero for never.
func (s *calls) deadline() time.Time {
	if len(s.heap) == 0 {
		return time.Time{}
	}
	return s.heap[0].deadline
}

// add enters a request.
func (s *calls) add(k *call) {
	s.byData[k.data], s.byToken[k.token] = k, k
	k.place = len(s.heap)
	s.heap = append(s.heap, k)
	s.up(k)
}

// remove takes a request out.
func (s *calls) remove(k *call) {
	delete(s.byData, k.data)
	delete(s.byToken, k.token)
	last := len(s.heap) - 1
	end := s.heap[last]
	s.heap[last] = nil
	s.heap = s.heap[:last]
	if end != k {
		s.put(end, k.place)
		s.up(end)
		s.down(end)
	}
}

// before reports whether a ends before b: of two at the same time, the one that
// was made first.
func before(a, b *call) bool {
	if a.deadline.Equal(b.deadline) {
		return a.token < b.token
	}
	return a.deadline.Before(b.deadline)
}

func (s *calls) put(k *call, place int) { s.heap[place], k.place = k, place }

// up moves a request towards the head of the heap, to its place.
func (s *calls) up(k *call) {
	for k.place > 0 {
		parent := s.heap[(k.place-1)/2]
		if !before(k, parent) {
			return
		}
		i, j := k.place, parent.place
		s.put(parent, i)
		s.put(k, j)
	}
}

// down moves a request away from the head of the heap, to its place.
func (s *calls) down(k *call) {
	for {
		i := 2*k.place + 1
		if i >= len(s.heap) {
			return
		}
		child := s.heap[i]
		if i+1 < len(s.heap) && before(s.heap[i+1], child) {
			child = s.heap[i+1]
		}
		if !before(child, k) {
			return
		}
		i, j := k.place, child.place
		s.put(child, i)
		s.put(k, j)
	}
}
