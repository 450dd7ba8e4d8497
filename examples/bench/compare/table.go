//go:build linux

package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// row is one case with what was measured, by rounds.
type row struct {
	test         *test
	ours, theirs []report
}

// median returns the median of a number of all reports.
func median(all []report, number func(*report) float64) float64 {
	if len(all) == 0 {
		return 0
	}
	var x []float64
	for i := range all {
		x = append(x, number(&all[i]))
	}
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

// value returns the number that the case is about.
func (t *test) value(r *report) float64 {
	switch t.kind {
	case oneByOne:
		return latency50(r)
	case stored:
		return r.AcknowledgedPerSecond
	case idle:
		return r.Process.PerConnection
	}
	return r.Process.PerMessage
}

func latency50(r *report) float64 {
	if r.Latency == nil {
		return 0
	}
	return r.Latency.P50
}

func (r *report) rate() float64 { return max(r.ReceivedPerSecond, r.AcknowledgedPerSecond) }

// printTable prints Markdown.
func printTable(w io.Writer, table []*row, theirs string) {
	out := [][]string{{"case", ours, theirs, "ratio", "required", "verdict", "messages/s", theirs, "latency, µs", theirs}}
	for _, r := range table {
		a, b := median(r.ours, r.test.value), median(r.theirs, r.test.value)
		out = append(out, []string{
			r.test.name, r.test.show(a), r.test.show(b), ratio(a, b), r.test.required(), r.verdict(a, b),
			count(median(r.ours, (*report).rate)), count(median(r.theirs, (*report).rate)),
			count(median(r.ours, latency50)), count(median(r.theirs, latency50)),
		})
	}
	align(w, out)
	fmt.Fprint(w, notes)
}

const notes = `
Where nothing else is said, the numbers are microseconds of processor time of the broker for each message that is
received. Rows without a requirement show the case that suits us least: few messages at a time, so that each pays for
waking the process, for which Go needs several threads, here on the same processor. Messages a second depend on what else
the machine does. Latency is the median from sending to receiving, under this load. "kept on disk" is acknowledged
messages a second: our broker has them on the disk before it acknowledges them; mosquitto writes its file at its end, or
after half an hour.
`

// show writes a value with its unit.
func (t *test) show(x float64) string {
	if x == 0 {
		return "—"
	}
	switch t.kind {
	case oneByOne:
		return fmt.Sprintf("%.0f µs", x)
	case stored:
		return count(x) + "/s"
	case idle:
		return count(x) + " B"
	}
	return fmt.Sprintf("%.2f", x)
}

func (t *test) required() string {
	switch {
	case t.limit == 0:
		return "—"
	case t.kind == stored:
		return "≥ " + t.show(t.limit)
	case t.kind == idle:
		return "≤ " + t.show(t.limit) + ", aim " + t.show(t.aim)
	case t.aim > 0:
		return fmt.Sprintf("≤ %.2f, aim %.3f", t.limit, t.aim)
	}
	return fmt.Sprintf("≤ %.2f", t.limit)
}

// verdict says whether our broker does what is required.
func (r *row) verdict(ours, theirs float64) string {
	t := r.test
	for _, x := range r.ours {
		if x.Lost != 0 {
			return fmt.Sprintf("LOST %d", x.Lost)
		}
	}
	x := ours
	if t.kind == processorTime || t.kind == oneByOne {
		if theirs == 0 {
			return "—"
		}
		x /= theirs
	}
	switch {
	case t.limit == 0:
		return "—"
	case t.kind == stored && x < t.limit, t.kind != stored && x > t.limit:
		return "NOT MET"
	case t.aim > 0 && x <= t.aim:
		return "met, and the aim"
	}
	return "met"
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return "—"
	}
	return fmt.Sprintf("%.3f", a/b)
}

// count writes a whole number with its thousands apart.
func count(x float64) string {
	if x == 0 {
		return "—"
	}
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// align writes the cells in columns.
func align(w io.Writer, table [][]string) {
	width := make([]int, len(table[0]))
	for _, cells := range table {
		for i, c := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	for n, cells := range table {
		for i, c := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(c))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s |", c, pad)
			} else {
				fmt.Fprintf(w, " %s%s |", pad, c)
			}
		}
		fmt.Fprintln(w)
		if n == 0 {
			fmt.Fprintf(w, "|%s", strings.Repeat("-", width[0]+2))
			for _, n := range width[1:] {
				fmt.Fprintf(w, "|%s:", strings.Repeat("-", n+1))
			}
			fmt.Fprintln(w, "|")
		}
	}
}
