package main

import "slices"

// sequence checks the numbers of one stream at one place where all of them have
// to arrive.
type sequence struct {
	next  uint32 // what comes if nothing is missing
	gaps  []gap  // what is missing below, in order
	fresh int64  // different numbers that came
}

// gap is a range of missing numbers, without its end.
type gap struct{ from, to uint32 }

// verdict says what a number is to a sequence.
type verdict uint8

const (
	inOrder verdict = iota // it is higher than all before
	late                   // it was missing
	again                  // it came before
)

// take notes a number. skipped is how many are missing before it that were not
// known to be.
func (q *sequence) take(n uint32) (v verdict, skipped int) {
	if n >= q.next {
		if skipped = int(n - q.next); skipped > 0 {
			q.gaps = append(q.gaps, gap{q.next, n})
		}
		q.next = n + 1
		q.fresh++
		return inOrder, skipped
	}
	i, _ := slices.BinarySearchFunc(q.gaps, n, func(g gap, n uint32) int {
		if g.to <= n {
			return -1
		}
		return 1
	})
	if i == len(q.gaps) || n < q.gaps[i].from {
		return again, 0
	}
	q.fresh++
	g := &q.gaps[i]
	switch {
	case g.from+1 == g.to:
		q.gaps = slices.Delete(q.gaps, i, i+1)
	case n == g.from:
		g.from++
	case n == g.to-1:
		g.to--
	default:
		right := gap{n + 1, g.to}
		g.to = n
		q.gaps = slices.Insert(q.gaps, i+1, right)
	}
	return late, 0
}
