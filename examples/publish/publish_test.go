package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-m x":                                  "add -t",
		"-t t":                                  "add one of -m",
		"-t t -m x -n":                          "exclude each other",
		"-t t -l -s":                            "exclude each other",
		"-t a/# -m x":                           "would be illegal",
		"-t t -q 3 -m x":                        "use 0, 1 or 2",
		"-t t -m x -D publish topic-alias 0":    "would be illegal",
		"-t t -m x -D publish response-topic +": "would be illegal",
	} {
		var f *cli.Failure
		if _, _, err := parse(strings.Fields(args)); !errors.As(err, &f) || f.Code != cli.ExitUsage || !strings.Contains(f.Text, want) {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
	// An empty message is one too.
	if _, _, err := parse([]string{"-t", "t", "-m", ""}); err != nil {
		t.Error(err)
	}
}

// collect takes everything that a source brings.
func collect(t *testing.T, o *options, in io.Reader) (got []string, err error) {
	t.Helper()
	messages, err := o.open(context.Background(), in)
	if err != nil {
		return nil, err
	}
	for m := range messages {
		if m.err != nil {
			return got, m.err
		}
		got = append(got, string(m.payload))
	}
	return got, nil
}

func TestSources(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, tt := range []struct {
		o    options
		in   string
		want []string
	}{
		{options{message: "m"}, "", []string{"m"}},
		{options{null: true}, "", []string{""}},
		{options{stdin: true}, "a\nb\n", []string{"a\nb\n"}},
		{options{stdin: true}, "", []string{""}},
		{options{lines: true}, "", nil},
		{options{lines: true}, "a\n\nb", []string{"a", "", "b"}},
		{options{lines: true}, "a\r\n" + long + "\n", []string{"a\r", long}},
	} {
		got, err := collect(t, &tt.o, strings.NewReader(tt.in))
		if err != nil || strings.Join(got, "|") != strings.Join(tt.want, "|") || len(got) != len(tt.want) {
			t.Errorf("%+v: got %.100q, error %v", tt.o, got, err)
		}
	}
}

func TestSourceErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, o := range []options{{lines: true}, {stdin: true}} {
		if _, err := collect(t, &o, io.MultiReader(strings.NewReader("a"), errReader{broken})); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
	}
	defer func(old int64) { maxPayload = old }(maxPayload)
	maxPayload = 1 << 20
	if _, err := collect(t, &options{stdin: true}, endless{}); err == nil || !strings.Contains(err.Error(), "larger than MQTT allows") {
		t.Errorf("error %v", err)
	}
	if _, err := collect(t, &options{lines: true}, endless{}); err == nil || !strings.Contains(err.Error(), "larger than MQTT allows") {
		t.Errorf("error %v", err)
	}
	if _, err := collect(t, &options{file: "/does/not/exist"}, nil); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("error %v", err)
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

// endless is an input without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
