package passwd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/examples/broker/internal/access"
	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func run(stdin string, args ...string) (out string, err error) {
	var stdout bytes.Buffer
	err = Run(context.Background(), &cli.Env{Args: args, Stdin: strings.NewReader(stdin), Stdout: &stdout, Stderr: &stdout})
	return stdout.String(), err
}

func TestPasswd(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	for _, c := range []struct {
		stdin string
		args  []string
		ann   string // her password then
	}{
		{"first\n", []string{file, "ann"}, "first"},
		{"second", []string{"-I", "7", file, "ann"}, "second"},
		{"third one \r\nrest\n", []string{"--iterations=8", file, "ann"}, "third one "},
		{"x\n", []string{file, "bob"}, "third one "},
		{"", []string{"-D", file, "bob"}, "third one "},
	} {
		if out, err := run(c.stdin, c.args...); err != nil || out != "" {
			t.Fatalf("%q: %q %v", c.args, out, err)
		}
		a, err := access.Load(&config.Access{PasswordFile: file})
		if err != nil || !a.Check("ann", []byte(c.ann), true) {
			t.Errorf("%q: ann does not come in: %v", c.args, err)
		}
	}
	data, _ := os.ReadFile(file)
	if lines := strings.Split(string(data), "\n"); len(lines) != 2 || !strings.HasPrefix(lines[0], "ann:$7$8$") {
		t.Errorf("in the file stands %q", data)
	}
}

func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	for _, c := range []struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		{"x", nil, cli.ExitUsage, "takes a file and a user name"},
		{"x", []string{file}, cli.ExitUsage, "takes a file and a user name"},
		{"x", []string{file, "ann", "secret"}, cli.ExitUsage, "takes a file and a user name"},
		{"x", []string{"-c", file, "ann"}, cli.ExitUsage, "-c: it is not needed"},
		{"x", []string{"-b", file, "ann", "secret"}, cli.ExitUsage, "-b: others can see"},
		{"x", []string{"-cb", file, "ann", "secret"}, cli.ExitUsage, "-c: it is not needed"},
		{"x", []string{"-z", file, "ann"}, cli.ExitUsage, "-z"},
		{"x", []string{"-I", "0", file, "ann"}, cli.ExitFile, "from 1"},
		{"\n", []string{file, "ann"}, cli.ExitFile, "the password is empty"},
		{"", []string{file, "ann"}, cli.ExitFile, "the password is empty"},
		{"x", []string{file, "a:b"}, cli.ExitFile, "colon"},
		{"", []string{"-D", file, "ann"}, cli.ExitFile, "no such file"},
	} {
		var f *cli.Failure
		if _, err := run(c.stdin, c.args...); !errors.As(err, &f) || f.Code != c.code || !strings.Contains(f.Text, c.want) {
			t.Errorf("%q: error %v, want %s", c.args, err, c.want)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("an error left a file behind")
	}
}

// An interrupt ends the wait for a password, and changes nothing.
func TestInterrupted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	ctx, cancel := context.WithCancel(t.Context())
	in, out := io.Pipe()
	defer out.Close()
	cancel()
	var f *cli.Failure
	err := Run(ctx, &cli.Env{Args: []string{file, "ann"}, Stdin: in, Stdout: io.Discard, Stderr: io.Discard})
	if !errors.As(err, &f) || f.Code != cli.ExitInterrupted {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made")
	}
}

func TestHelp(t *testing.T) {
	if out, err := run("", "--help"); err != nil || out != helpText {
		t.Errorf("%q %v", out, err)
	}
}
