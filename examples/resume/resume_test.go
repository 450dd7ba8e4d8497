package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-i a -t t -f x":                         "add --state",
		"--state s -t t -f x":                    "add -i",
		"--state s -i a -t t":                    "-t goes with -f",
		"--state s -i a":                         "nothing to do",
		"--state s -i a -t t -f x -q 0":          "use 1 or 2",
		"--state s -i a -t t -f x -C 1":          "goes with --receive",
		"--state s -i a -t # -f x":               `-t "#" is no topic`,
		"--state s -i a --receive a# --output o": "is no topic filter",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}

// However the file is cut, the store has all batches before the cut and none
// behind it.
func TestStoreIsCut(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s")
	s, err := openStore(name)
	if err != nil {
		t.Fatal(err)
	}
	start := s.size
	sizes := []int64{start}
	for i := range int64(5) {
		s.setNumber(keyInput, i+1)
		s.setNumber(keyOutput, 1000*(i+1))
		if err := s.commit(); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, s.size)
	}
	whole, err := os.ReadFile(name)
	if err != nil || int64(len(whole)) != s.size {
		t.Fatalf("%d bytes, want %d, error %v", len(whole), s.size, err)
	}
	for cut := start; cut <= int64(len(whole)); cut++ {
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		again, err := openStore(name)
		if err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		for want < 5 && sizes[want+1] <= cut {
			want++
		}
		if in, out := again.number(keyInput), again.number(keyOutput); in != want || out != 1000*want {
			t.Errorf("cut at %d: %d and %d, want %d", cut, in, out, want)
		}
	}
}
