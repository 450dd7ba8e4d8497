package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// parse reads the flags of a Connection and two of a program.
func parse(t *testing.T, args ...string) (c *Connection, topics []string, verbose, help bool, err error) {
	t.Helper()
	c = new(Connection)
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	c.AddTo(fs)
	fs.StringArrayVarP(&topics, "topic", "t", nil, "")
	fs.BoolVarP(&verbose, "verbose", "v", false, "")
	if help, err = Parse(fs, args, &c.Properties); err == nil && !help {
		err = c.Check("publish")
	}
	return c, topics, verbose, help, err
}

func TestConnectionFlags(t *testing.T) {
	pid := os.Getpid()
	for _, tt := range []struct {
		args string
		want string // of CONNECT
	}{
		{"", `CONNECT CleanStart=true KeepAlive=60 ClientID=""`},
		{"-V 311", `CONNECT CleanStart=true KeepAlive=60 ClientID=""`},
		{"-i me -k 5", `CONNECT CleanStart=true KeepAlive=5 ClientID=me`},
		{"-I me- -k0", fmt.Sprintf(`CONNECT CleanStart=true ClientID=me-%d`, pid)},
		{"-i me -c", `CONNECT KeepAlive=60 ClientID=me SessionExpiryInterval=4294967295`},
		{"-i me -c -V mqttv311", `CONNECT KeepAlive=60 ClientID=me`},
		{"-i me -c -x 7", `CONNECT KeepAlive=60 ClientID=me SessionExpiryInterval=7`},
		{"-x -1", `CONNECT CleanStart=true KeepAlive=60 ClientID="" SessionExpiryInterval=4294967295`},
		{"-u bob -P secret", `CONNECT CleanStart=true KeepAlive=60 ClientID="" Username=REDACTED Password=REDACTED`},
		{"--will-topic w --will-payload gone --will-qos 1 --will-retain -D will will-delay-interval 9",
			`CONNECT CleanStart=true KeepAlive=60 ClientID="" Will.QoS=1 Will.Retain=true Will.WillDelayInterval=9 Will.Topic=w Will.Payload="4 bytes"`},
		{"-D connect receive-maximum 10 -D connect user-property a b",
			`CONNECT CleanStart=true KeepAlive=60 ClientID="" ReceiveMaximum=10 UserProperties.a=b`},
	} {
		c, _, _, _, err := parse(t, strings.Fields(tt.args)...)
		if err != nil {
			t.Errorf("%s: %v", tt.args, err)
			continue
		}
		got, want := normal(c.Connect().String()), normal(tt.want)
		if got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.args, got, want)
		}
	}
}

// normal orders the fields of a packet, since their order is the codec's.
func normal(s string) string {
	fields := strings.Fields(s)
	for i := range fields {
		for j := i + 1; j < len(fields); j++ {
			if fields[j] < fields[i] {
				fields[i], fields[j] = fields[j], fields[i]
			}
		}
	}
	return strings.Join(fields, " ")
}

// Values that look like flags, clusters of flags, and help.
func TestParse(t *testing.T) {
	c, topics, verbose, _, err := parse(t, "-vt", "-D", "--topic=-help", "-t-x", "-h", "-h", "-p1", "--username", "--help")
	if err != nil || !verbose || strings.Join(topics, " ") != "-D -help -x" || c.Host != "-h" || c.Port != 1 || c.User != "--help" {
		t.Errorf("topics %q, verbose %v, %+v, error %v", topics, verbose, c, err)
	}
	for _, args := range []string{"--help", "-help", "-h", "-t a --help", "-z --help"} {
		if _, _, _, help, err := parse(t, strings.Fields(args)...); !help && err == nil {
			t.Errorf("%s: no help", args)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for args, want := range map[string]string{
		"-z":                                    "no flag -z",
		"-vz":                                   "no flag -z",
		"--prot 1":                              "no flag --prot; is it --port?",
		"--session 1":                           "no flag --session; is it --session-expiry-interval?",
		"--nope":                                "no flag --nope",
		"--nope=1":                              "no flag --nope",
		"-ü":                                    "no flag -ü",
		"x":                                     `"x" is not expected`,
		"-t a x":                                `"x" is not expected`,
		"--":                                    `"--" is not expected`,
		"-t":                                    "-t needs a value",
		"--topic":                               "--topic needs a value",
		"-vt":                                   "-vt needs a value",
		"-p x":                                  "-p x: use a number",
		"-p 0":                                  "port from 1",
		"-k 65536":                              "-k 65536: use a number",
		"-V 3":                                  "use 311 or 5",
		"-V mqttv31":                            "not spoken here",
		"--will-qos 3 --will-topic x":           "use 0, 1 or 2",
		"--will-payload x":                      "needs --will-topic",
		"--will-topic a/#":                      "CONNECT would be illegal",
		"-i a -I b":                             "exclude each other",
		"-c":                                    "add -i",
		"-x y":                                  "seconds",
		"-x 5 -V 311":                           "-x needs MQTT 5",
		"-V 311 -D connect receive-maximum 1":   "-D needs MQTT 5",
		"-V 311 -P secret":                      "-P needs -u",
		"-D":                                    "-D takes a command",
		"-D publish content-type":               "-D takes a command",
		"-D nope x y":                           "use one of connect, disconnect",
		"-D publish nope y":                     "use one of content-type",
		"-D publish user-property x":            "a name and a value",
		"-D publish message-expiry-interval x":  "from 0 to 4294967295",
		"-D publish payload-format-indicator 2": "from 0 to 1",
		"-D subscribe user-property a b":        "nothing of that kind is sent here",
		"-D connect receive-maximum 0":          "CONNECT would be illegal",
		"-D connect authentication-data x":      "CONNECT would be illegal",
	} {
		_, _, _, _, err := parse(t, strings.Fields(args)...)
		var f *Failure
		if !errors.As(err, &f) || f.Code != ExitUsage || !strings.Contains(f.Text, want) || strings.Contains(f.Text, "\n") {
			t.Errorf("%s: error %v, want %s", args, err, want)
		}
	}
}

// What Report prints is one line for each mistake, whatever the errors hold.
func TestReport(t *testing.T) {
	var out bytes.Buffer
	env := &Env{Name: "prog", Stderr: &out}
	for _, tt := range []struct {
		err  error
		code int
		text string
	}{
		{nil, 0, ""},
		{errors.New("a\nb"), ExitLost, "prog: a b\n"},
		{Usagef("bad %d", 1), ExitUsage, "prog: bad 1; see prog --help\n"},
		{Failf(ExitFile, "no"), ExitFile, "prog: no\n"},
		{FailAll(ExitFile, errors.New("a\nb")), ExitFile, "prog: a b\n"},
		{FailAll(ExitFile, errors.Join(errors.New("a"), errors.Join(errors.New("b\nc"), nil), errors.New("d"))), ExitFile, "prog: a\nprog: b c\nprog: d\n"},
		{&Failure{Code: 9}, 9, ""},
	} {
		out.Reset()
		if code := Report(env, tt.err); code != tt.code || out.String() != tt.text {
			t.Errorf("%v: %d, %q", tt.err, code, out.String())
		}
	}
}

func TestExplanations(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err  error
		code int
		say  string
	}{
		{Unreachable("h:1", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED))), ExitUnreachable, "nothing listens on h:1"},
		{Unreachable("h:1", dial(&net.DNSError{Err: "no such host"})), ExitUnreachable, `host "h" is not known`},
		{Unreachable("h:1", dial(os.ErrDeadlineExceeded)), ExitUnreachable, "no answer from h:1"},
		{Unreachable("h:1", dial(os.NewSyscallError("connect", syscall.ENETUNREACH))), ExitUnreachable, "network is unreachable"},
		{Unreachable("h:1", context.Canceled), ExitInterrupted, "interrupted"},
		{Refused("h:1", codec.V5, &codec.Connack{ReasonCode: codec.ReasonBadUserNameOrPassword}), 0x86, "check -u and -P"},
		{Refused("h:1", codec.V5, &codec.Connack{ReasonCode: codec.ReasonBanned}), 0x8A, "Banned"},
		{Ended("h:1", io.EOF, false), ExitLost, "another version with -V"},
		{Ended("h:1", nil, true), ExitLost, "closed the connection"},
		{Ended("h:1", session.ErrTimeout, false), ExitLost, "is it an MQTT broker"},
		{Ended("h:1", session.ErrTimeout, true), ExitLost, "does not answer any more"},
		{Ended("h:1", &codec.Error{Err: codec.ErrMalformed}, true), ExitLost, "not MQTT"},
		{Ended("h:1", errors.New("odd"), true), ExitLost, "odd"},
		{File("f", os.ErrNotExist), ExitFile, `no file "f"`},
		{File("f", os.ErrPermission), ExitFile, "permissions"},
	} {
		var f *Failure
		if !errors.As(tt.err, &f) || f.Code != tt.code || !strings.Contains(f.Text, tt.say) {
			t.Errorf("got %d %v, want %d %s", f.Code, tt.err, tt.code, tt.say)
		}
	}
}

// Every reason string of a broker is printable.
func TestReasonString(t *testing.T) {
	ack := &codec.Connack{ReasonCode: codec.ReasonNotAuthorized}
	ack.Properties.ReasonString = codec.Text("go\x1b[2J away")
	if text := Refused("h:1", codec.V5, ack).Error(); !strings.HasSuffix(text, "it says: go [2J away") {
		t.Error(text)
	}
}
