package rules

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// Count is the coverage of one layer of one standard.
type Count struct {
	Rules       int // statements of the layer
	Tested      int // those that a test cites
	Implemented int // those that a check of the protocol files names
	Untested    []Rule
}

// Report is the coverage of both standards.
type Report struct {
	counts map[Version]map[string]*Count
}

// Coverage counts the rules of s by version and layer.
func (s *Set) Coverage(tests, spec []Citation) *Report {
	tested, implemented := keys(tests), keys(spec)
	r := &Report{counts: map[Version]map[string]*Count{}}
	for _, v := range Versions {
		r.counts[v] = map[string]*Count{}
		for _, l := range Layers {
			r.counts[v][l] = &Count{}
		}
	}
	for _, rule := range s.Rules {
		c, k := r.counts[rule.Version][rule.Layer], Key{rule.ID, rule.Version}
		c.Rules++
		if implemented[k] {
			c.Implemented++
		}
		if tested[k] {
			c.Tested++
		} else {
			c.Untested = append(c.Untested, rule)
		}
	}
	return r
}

// Count returns the coverage of one layer of one standard.
func (r *Report) Count(v Version, layer string) Count { return *r.counts[v][layer] }

// Write prints the table, and with list every rule that no test cites.
func (r *Report) Write(w io.Writer, list bool) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "version\tlayer\trules\ttested\t\tnamed in spec\tuntested\t")
	for _, v := range Versions {
		var sum Count
		for _, l := range Layers {
			c := r.counts[v][l]
			row(tw, string(v), l, c, len(c.Untested))
			sum.Rules += c.Rules
			sum.Tested += c.Tested
			sum.Implemented += c.Implemented
		}
		row(tw, string(v), "all", &sum, sum.Rules-sum.Tested)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if !list {
		return nil
	}
	for _, v := range Versions {
		for _, l := range Layers {
			for i, rule := range r.counts[v][l].Untested {
				if i == 0 {
					fmt.Fprintf(w, "\n%s %s, rules without a test:\n", v, l)
				}
				fmt.Fprintf(w, "  [%s] %s  %s\n", rule.ID, v, rule.Says)
			}
		}
	}
	return nil
}

func row(w io.Writer, version, layer string, c *Count, untested int) {
	percent := "-"
	if c.Rules > 0 {
		percent = fmt.Sprintf("%.1f %%", 100*float64(c.Tested)/float64(c.Rules))
	}
	fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\t%d\t%d\t\n", version, layer, c.Rules, c.Tested, percent, c.Implemented, untested)
}
