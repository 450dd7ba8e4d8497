package codec_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/mqttcore/mqttcore/codec"
)

// TestBenchInputs proves that both sides of each comparison do the same work:
// the codec reads every input, writes it again byte for byte (properties may
// come in another order), and the floor reads what the codec has written.
func TestBenchInputs(t *testing.T) {
	for _, c := range slices.Concat(decodeCases(), encodeCases()) {
		for _, s := range c.sides() {
			if err := s.run(1); err != nil {
				t.Errorf("%s: %s: %v", c.name, s.name, err)
			}
		}
		v := codec.V5
		if strings.HasSuffix(c.name, "v3.1.1") {
			v = codec.V311
		}
		var out []byte
		packets := 0
		for rest := c.wire; len(rest) > 0; packets++ {
			p, n, err := codec.Decode(rest, v)
			if err != nil || n == 0 {
				t.Fatalf("%s: packet %d: %v", c.name, packets, err)
			}
			if out, err = p.AppendTo(out, v); err != nil {
				t.Fatalf("%s: packet %d: %v", c.name, packets, err)
			}
			rest = rest[n:]
		}
		if packets != c.packets {
			t.Errorf("%s: %d packets, want %d", c.name, packets, c.packets)
		}
		if !sameBytes(out, c.wire) {
			t.Errorf("%s: written again:\n got %x\nwant %x", c.name, out, c.wire)
		}
		d := floorDecoder{v5: v.IsV5()}
		if n, err := d.stream(out); n != packets || err != nil {
			t.Errorf("%s: the floor reads %d packets of what the codec wrote: %v", c.name, n, err)
		}
	}
}

// sameBytes reports whether a and b hold the same bytes in any order.
func sameBytes(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return bytes.Equal(a, b)
}

// maxRatio is how much more processor time than the floor the codec may take.
const maxRatio = 1.2

// TestBenchTable measures the cases and prints them with their ratios. It runs
// with MQTTCORE_BENCH set to the number of rounds. The sides of a case take turns
// in each round, so that whatever else the machine does meets all of them, and
// the fastest round of each side counts; the median of the rounds' own ratios is
// printed beside it, and shows by its distance how quiet the machine was.
// -benchtime sets the length of one measurement.
func TestBenchTable(t *testing.T) {
	rounds, err := strconv.Atoi(cmp.Or(os.Getenv("MQTTCORE_BENCH"), "0"))
	if err != nil || rounds < 0 {
		t.Fatalf("MQTTCORE_BENCH: %q is not a number of rounds", os.Getenv("MQTTCORE_BENCH"))
	}
	if rounds == 0 {
		t.Skip("set MQTTCORE_BENCH to a number of rounds, as make bench does")
	}
	var buf bytes.Buffer
	tw := tabwriter.NewWriter(&buf, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "%-29s\tbytes\tmqttcore ns\tfloor ns\ttuned ns\tmemcpy ns\tratio\tmedian\tto tuned\tMB/s\tM packets/s\tallocs\t\n", "case")
	table := func(kind string, cases []benchCase) {
		for _, c := range cases {
			m := measure(t, &c, rounds)
			over := ""
			if m.ratio > maxRatio {
				over = fmt.Sprintf("  over %.1f", maxRatio)
			}
			fmt.Fprintf(tw, "%-29s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t%.0f\t%.1f\t%d\t%s\n", kind+" "+c.name, len(c.wire),
				m.ns[0], m.ns[1], m.ns[2], m.ns[3], m.ratio, m.median, m.ns[0]/m.ns[2],
				float64(len(c.wire))/m.ns[0]*1e3, float64(c.packets)/m.ns[0]*1e3, m.allocs, over)
		}
	}
	table("decode", decodeCases())
	table("encode", encodeCases())
	if err := tw.Flush(); err != nil {
		t.Fatal(err)
	}
	fmt.Print(buf.String())
}

// measurement is what the rounds of one case gave.
type measurement struct {
	ns     [4]float64 // fastest round of each side
	ratio  float64    // mqttcore to floor, fastest rounds
	median float64    // mqttcore to floor, median of the rounds
	allocs int64      // of mqttcore for one operation
}

func measure(t *testing.T, c *benchCase, rounds int) (m measurement) {
	var ratios []float64
	for range rounds {
		var ns [4]float64
		for i, s := range c.sides() {
			r := testing.Benchmark(func(b *testing.B) { c.bench(b, s) })
			if r.N == 0 {
				t.Fatalf("%s: %s failed", c.name, s.name)
			}
			ns[i] = float64(r.T.Nanoseconds()) / float64(r.N)
			if m.ns[i] == 0 || ns[i] < m.ns[i] {
				m.ns[i] = ns[i]
			}
			if i == 0 {
				m.allocs = max(m.allocs, r.AllocsPerOp())
			}
		}
		ratios = append(ratios, ns[0]/ns[1])
	}
	slices.Sort(ratios)
	m.ratio, m.median = m.ns[0]/m.ns[1], ratios[len(ratios)/2]
	return m
}
