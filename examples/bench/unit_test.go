package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-x":                                "no flag -x",
		"--publishers 0 --subscribers 0":    "one of them has to be above",
		"--publishers -1":                   "numbers from 0",
		"--topics 0":                        "--topics takes",
		"--publishers 65536 --topics 65536": "too many",
		"--size 15":                         "--size takes",
		"--window 0":                        "--window takes",
		"--rate -1":                         "--rate takes",
		"--rate NaN":                        "--rate takes",
		"-n 0":                              "-n takes",
		"-n 1 --duration 1s":                "-n excludes",
		"-n 1 --publishers 0":               "-n needs publishers",
		"--duration 0s":                     "such as 10s",
		"--duration soon":                   "--duration soon",
		"--split --share":                   "exclude each other",
		"--offline":                         "-q 1 or 2",
		"--offline -q 1 --subscribers 0":    "needs publishers, subscribers",
		"--pid -1":                          "--pid takes",
		"-t a/#":                            "is no topic",
		"-p 0":                              "port from 1",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}

func TestTopic(t *testing.T) {
	for args, want := range map[string]string{"-t a": "a", "-L mqtt://h/b": "b", "-L mqtt://h/b -t a": "a", "": "bench/"} {
		o, _, err := parse(strings.Fields(args))
		if err != nil || !strings.HasPrefix(o.topic, want) {
			t.Errorf("%s: %+v, error %v", args, o, err)
		}
	}
}

// What subscribers ask for is what the check expects, and each topic has a
// publisher.
func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		publishers, subscribers, topics int
		flag                            string
	}{
		{1, 1, 1, ""}, {3, 2, 3, ""}, {2, 3, 5, ""}, {5, 2, 2, ""}, {1, 0, 1, ""},
		{3, 3, 3, "--split"}, {2, 5, 3, "--split"}, {2, 3, 7, "--split"}, {7, 3, 2, "--split"},
		{3, 4, 3, "--share"}, {1, 1, 2, "--share"}, {1, 0, 1, "--share"},
	} {
		o := &options{publishers: tt.publishers, subscribers: tt.subscribers, topics: tt.topics, topic: "p", split: tt.flag == "--split", share: tt.flag == "--share"}
		copies := make([]int, tt.topics)
		for s := range tt.subscribers {
			for _, f := range o.filters(s) {
				for topic := range copies {
					filter := strings.TrimPrefix(string(f.Filter), "$share/bench/")
					if filter == "p/#" || filter == o.topicName(topic) {
						copies[topic]++
					}
				}
			}
		}
		published := map[int]bool{}
		for p := range tt.publishers {
			for topic := range o.dealt(p, o.publishers) {
				published[topic] = true
			}
		}
		for topic, n := range copies {
			if o.share {
				n = min(n, 1)
			}
			if got := o.receivers(topic); got != n || !published[topic] {
				t.Errorf("%+v: topic %d: %d receivers, subscriptions of %d, published %v", tt, topic, got, n, published[topic])
			}
		}
	}
}

// A sequence knows the same as a set of numbers.
func TestSequence(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var q sequence
		came := map[uint32]bool{}
		next, missing := uint32(0), 0
		for range 60 {
			n := uint32(r.IntN(40))
			want, skipped := inOrder, 0
			switch {
			case came[n]:
				want = again
			case n < next:
				want = late
				missing--
			default:
				skipped = int(n - next)
				missing += skipped
				next = n + 1
			}
			came[n] = true
			if got, s := q.take(n); got != want || s != skipped {
				t.Fatalf("%d after %v: %v, %d skipped, want %v, %d", n, came, got, s, want, skipped)
			}
		}
		known := 0
		for _, g := range q.gaps {
			known += int(g.to - g.from)
		}
		if known != missing || q.fresh != int64(len(came)) || !slices.IsSortedFunc(q.gaps, func(a, b gap) int { return int(a.to) - int(b.from) }) {
			t.Fatalf("gaps %v and %d numbers, want %d missing of %v", q.gaps, q.fresh, missing, came)
		}
	}
}

func TestIdentifiers(t *testing.T) {
	var x identifiers
	x.open(3)
	for round := range 5 {
		a, b := x.take(1), x.take(2)
		if a == b || a == 0 || a > 3 || b == 0 || b > 3 || x.vacant.Load() != 1 {
			t.Fatalf("round %d: %d %d, %d vacant", round, a, b, x.vacant.Load())
		}
		for id, ok := range map[uint32]bool{a: true, b: true, 0: false, 4: false, 6 - a - b: false} {
			if _, got := x.release(id); got != ok {
				t.Fatalf("round %d: identifier %d: %v", round, id, got)
			}
		}
		if _, ok := x.release(a); ok {
			t.Fatal("an identifier is released twice")
		}
		if c := x.take(3); c == a || c == b {
			t.Fatalf("%d was used just now", c)
		} else if sent, ok := x.release(c); sent != 3 || !ok {
			t.Fatal(sent, ok)
		}
	}
}

// Both ways to count processor time tell about the same.
func TestProcess(t *testing.T) {
	p, err := openProcess(os.Getpid())
	if err != nil {
		t.Skipf("there is no /proc here: %v", err)
	}
	for until := time.Now().Add(50 * time.Millisecond); time.Now().Before(until); {
	}
	rough, err1 := p.roughTime()
	exact, err2 := p.exactTime()
	if err1 != nil || err2 != nil || exact != 0 && (exact-rough).Abs() > 5*tick+rough/5 {
		t.Errorf("%v and %v, errors %v, %v", rough, exact, err1, err2)
	}
}

func TestGrouped(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 7.25: "7.2", 999: "999", 1000: "1,000", 1234567.8: "1,234,568", -1234: "-1,234"} {
		if got := grouped(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}

func TestAcks(t *testing.T) {
	for typ, flags := range map[codec.PacketType]byte{codec.TypePuback: 0, codec.TypePubrec: 0, codec.TypePubrel: 2, codec.TypePubcomp: 0} {
		b := appendAck(nil, typ, flags, 0x1234)
		if p, n, err := codec.Decode(b, codec.V311); err != nil || n != len(b) || p.Type() != typ {
			t.Errorf("% x: %v %v", b, p, err)
		}
	}
}
