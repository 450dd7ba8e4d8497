// Compare measures the codec against those of other MQTT libraries for Go, and
// feeds all of them the same illegal packets. It prints Markdown.
package main

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func main() {
	rounds := flag.Int("rounds", 12, "`times` that every measurement is made; the fastest counts")
	benchtime := flag.Duration("benchtime", 20*time.Millisecond, "`length` of one measurement")
	each := flag.Bool("inputs", false, "print what becomes of each input instead")
	testing.Init()
	flag.Parse()
	if err := run(*rounds, *benchtime, *each); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(rounds int, benchtime time.Duration, each bool) error {
	if each {
		return show(perInput())
	}
	if err := flag.Set("test.benchtime", benchtime.String()); err != nil {
		return err
	}
	fmt.Printf("%s %s/%s, %s\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, cpu())
	tables, err := measure(rounds)
	if err != nil {
		return err
	}
	for _, t := range tables {
		t.print()
	}
	if err := show(strictness()); err != nil {
		return err
	}
	return show(facts())
}

func show(t *table, err error) error {
	if err == nil {
		t.print()
	}
	return err
}

// result is the fastest round of one library on one input.
type result struct {
	ns     float64
	allocs uint64
	ops    int
}

func (r *result) take(b testing.BenchmarkResult) {
	if ns := float64(b.T.Nanoseconds()) / float64(b.N); r.ops == 0 || ns < r.ns {
		r.ns, r.allocs, r.ops = ns, b.MemAllocs, b.N
	}
}

// cell is the time and the number of allocations for one packet.
func (r *result) cell(packets int) string {
	ns, allocs := r.ns/float64(packets), float64(r.allocs)/float64(r.ops)/float64(packets)
	s := fmt.Sprintf("%.0f", ns)
	if ns < 100 {
		s = fmt.Sprintf("%.1f", ns)
	}
	if packets > 1 && allocs >= 0.05 {
		return fmt.Sprintf("%s / %.1f", s, allocs)
	}
	return fmt.Sprintf("%s / %.0f", s, allocs)
}

// job is one library on one input.
type job struct {
	lib    *library
	input  input
	run    func(n int) error
	result result
}

// measure makes a table for each direction and version. The libraries take
// turns, round by round, so that whatever else the machine does meets all.
func measure(rounds int) (tables []*table, err error) {
	type group struct {
		title string
		names []string
		jobs  []*job
		libs  []*library
	}
	var groups []*group
	for _, version := range []byte{v311, v5} {
		for _, encode := range []bool{false, true} {
			verb := "decode "
			if encode {
				verb = "encode "
			}
			g := &group{title: verb + versionName(version)}
			for _, in := range inputs(version) {
				if !encode || in.encode {
					g.names = append(g.names, in.name)
				}
			}
			for _, l := range libraries() {
				if l.decode == nil || !l.reads(version) || encode && l.encode == nil {
					continue
				}
				g.libs = append(g.libs, l)
			}
			for _, in := range inputs(version) {
				for _, l := range g.libs {
					j := &job{lib: l, input: in}
					switch {
					case !encode:
						j.run = l.decode(version, in.wire)
					case in.encode:
						write, err := l.encode(version, in.wire)
						if err != nil {
							return nil, fmt.Errorf("%s: %s: %w", l.name, in.name, err)
						}
						j.run = func(n int) error { _, err := write(n); return err }
					default:
						continue
					}
					g.jobs = append(g.jobs, j)
				}
			}
			groups = append(groups, g)
		}
	}
	for range rounds {
		for _, g := range groups {
			for _, j := range g.jobs {
				var failed error
				b := testing.Benchmark(func(b *testing.B) {
					b.ReportAllocs()
					if failed = j.run(b.N); failed != nil {
						b.FailNow()
					}
				})
				if failed != nil {
					return nil, fmt.Errorf("%s: %s: %s: %w", g.title, j.lib.name, j.input.name, failed)
				}
				j.result.take(b)
			}
		}
	}
	for _, g := range groups {
		t := newTable(append([]string{g.title + ", ns / allocations"}, g.names...)...)
		for _, l := range g.libs {
			row := []string{l.title()}
			for _, j := range g.jobs {
				if j.lib == l {
					row = append(row, j.result.cell(j.input.packets))
				}
			}
			t.add(row...)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

// title is the name with the version that is measured.
func (l *library) title() string {
	info, _ := debug.ReadBuildInfo()
	if info != nil && l.module != "" {
		for _, m := range info.Deps {
			if m.Path == l.module && m.Replace == nil {
				return l.name + " " + m.Version
			}
		}
	}
	return l.name
}

// cpu is the name that the header of a benchmark shows.
func cpu() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for s := bufio.NewScanner(bytes.NewReader(data)); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// table is a table in Markdown.
type table struct{ rows [][]string }

func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print() {
	width := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(cells []string) {
		for i, cell := range cells {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				fmt.Printf("| %s%s |", cell, pad)
			} else {
				fmt.Printf(" %s%s |", pad, cell)
			}
		}
		fmt.Println()
	}
	fmt.Println()
	line(t.rows[0])
	for i := range width {
		if i == 0 {
			fmt.Printf("|%s|", strings.Repeat("-", width[i]+2))
		} else {
			fmt.Printf("%s:|", strings.Repeat("-", width[i]+1))
		}
	}
	fmt.Println()
	for _, row := range t.rows[1:] {
		line(row)
	}
}
