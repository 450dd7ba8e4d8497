package cli

import (
	"slices"
	"strings"
)

// Nearest returns the name that somebody may have meant who wrote another one,
// "" if none is near.
func Nearest(name string, names []string) string {
	slices.Sort(names) // the first of those that are equally near
	best, least := "", min(len(name)/2, 3)+1
	for _, n := range names {
		if d := distance(strings.ToLower(name), n, least); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance returns how many letters have to be changed, put in or taken out to
// get from a to b, or least if it is no less.
func distance(a, b string, least int) int {
	if len(a)-len(b) >= least || len(b)-len(a) >= least {
		return least
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(d, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return min(row[len(b)], least)
}
