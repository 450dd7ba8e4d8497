package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/examples/internal/cli"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	os.Exit(m.Run())
}

// call runs the program and returns what it printed and its exit code.
func call(t *testing.T, stdin []byte, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	env := &cli.Env{Name: "inspect", Args: args, Stdin: bytes.NewReader(stdin), Stdout: &out, Stderr: &errs}
	code = cli.Report(env, run(context.Background(), env))
	return out.String(), errs.String(), code
}

// expect runs the program and compares its output and exit code.
func expect(t *testing.T, want string, code int, stdin []byte, args ...string) {
	t.Helper()
	got, stderr, exit := call(t, stdin, args...)
	if want = strings.TrimPrefix(want, "\n"); got != want || exit != code || stderr != "" {
		t.Errorf("%q: exit code %d, want %d, %s\ngot\n%s\nwant\n%s", args, exit, code, stderr, got, want)
	}
}

func TestHelpText(t *testing.T) { programtest.HelpNames(t, helpText, new(options).flags()) }

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                     "nothing to show",
		"a b":                                  "name one file",
		"a --hex 00":                           "exclude each other",
		"--listen :1":                          "go together",
		"a --to h":                             "go together",
		"a --pretty":                           "add --payload",
		"a --json -x":                          "does not go with",
		"a -V 3":                               "use 311 or 5",
		"a --from me":                          "use client or server",
		"a -T NOPE":                            "use names such as CONNECT",
		"a -t a#":                              "no topic filter",
		"a -p 0":                               "from 1 to 65535",
		"a -p 70000":                           "from 1 to 65535",
		"--listen x --to h":                    "use ADDRESS:PORT",
		"--listen :0 --to h:x":                 "is none from 1 to 65535",
		"--listen :0 --to http://h":            "use mqtt://",
		"--listen :0 --to mqtt://u@h":          "no user and no topic",
		"--listen :0 --to mqtt://h/t":          "no user and no topic",
		"--listen :0 --to h --cert /a":         "--cert needs --to mqtts://",
		"--listen :0 --to mqtts://h --cert /a": "go together",
		"--listen :0 --to h --insecure":        "--insecure needs --to mqtts://",
		"a --payloads":                         "is it --payload?",
	} {
		_, stderr, code := call(t, nil, strings.Fields(args)...)
		if code != exitUsage || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %s, want %s", args, code, stderr, want)
		}
	}
}

const (
	connectHex = "10 1b 0004 4d515454 05 c2 003c 05 11 0000000a 0001 61 0001 75 0003 707764"
	publishHex = "32 0a 0003 612f62 0001 00 6869"
)

// What a line says of legal packets of all types.
func TestLines(t *testing.T) {
	for _, c := range []struct{ args, hex, want string }{
		{"", connectHex, "CONNECT v5.0 CleanStart KeepAlive=60 SessionExpiryInterval=10 ClientID=a Username=REDACTED Password=REDACTED"},
		{"--secrets", connectHex, "CONNECT v5.0 CleanStart KeepAlive=60 SessionExpiryInterval=10 ClientID=a Username=u Password=pwd"},
		{"", "10 13 0004 4d515454 04 06 0000 0001 61 0001 77 0001 7a", "CONNECT v3.1.1 CleanStart ClientID=a Will.Topic=w Will.Payload=(1 byte)"},
		{"-V 5", "20 06 00 00 03 21 00 14", "CONNACK 0x00 Success ReceiveMaximum=20"},
		{"-V 5", "20 05 00 00 02 24 00", "CONNACK 0x00 Success MaximumQoS=0"},
		{"-V 5", publishHex, "PUBLISH q1 #1 a/b 2 bytes"},
		{"-V 5", "3d 06 0001 61 0001 00", "PUBLISH dup q2 retain #1 a 0 bytes"},
		{"-V 5", "30 0f 0001 61 0a 23 0001 26 0001 6b 0001 76 7a", "PUBLISH q0 a TopicAlias=1 UserProperty.k=v 1 byte"},
		{"-V 5", "40 03 0001 10", "PUBACK #1 0x10 No matching subscribers"},
		{"-V 5", "50 02 0001", "PUBREC #1"},
		{"-V 5", "62 02 0001", "PUBREL #1"},
		{"-V 5", "70 02 0001", "PUBCOMP #1"},
		{"-V 5", "82 0b 0001 00 0001 61 01 0001 62 2e", "SUBSCRIBE #1 a q1 b RetainHandling=2 RetainAsPublished NoLocal q2"},
		{"-V 5", "90 05 0001 00 00 87", "SUBACK #1 0x00 Granted QoS 0 0x87 Not authorized"},
		{"-V 5", "a2 09 0001 00 0001 61 0001 62", "UNSUBSCRIBE #1 a b"},
		{"-V 5", "b0 04 0001 00 11", "UNSUBACK #1 0x11 No subscription existed"},
		{"-V 5", "c0 00", "PINGREQ"},
		{"-V 5", "d0 00", "PINGRESP"},
		{"-V 5", "e0 02 04 00", "DISCONNECT 0x04 Disconnect with Will Message"},
		{"-V 5", "f0 0b 18 09 15 0001 6d 16 0002 6869", "AUTH 0x18 Continue authentication AuthenticationMethod=m AuthenticationData=REDACTED"},
	} {
		expect(t, "@0 "+c.want+"\n", 0, nil, append(strings.Fields(c.args), "--hex", c.hex)...)
	}
}

// A packet with very many fields is a line that people can read, and soon.
func TestManyFields(t *testing.T) {
	properties := strings.Repeat("26 0001 6b 0001 76", 30000) // 210,000 bytes
	packet := "30 d6 e8 0c 0001 61 d0 e8 0c" + properties
	got, _, code := call(t, nil, "-V", "5", "--hex", packet)
	if code != 0 || len(got) > 2000 || !strings.Contains(got, "0 bytes … and 29961 more") {
		t.Errorf("exit code %d, %d bytes: %.3000s", code, len(got), got)
	}
}

// Illegal packets, and what is illegal from one side alone.
func TestFaults(t *testing.T) {
	want, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, string(want), exitFaults, nil, "-V", "5", "--hex", "82 0e 0001 00 0002 6123 01 0003 622f63 03 c000 40ffffffff 01 02")
	expect(t, `
@0 PUBLISH q0 a 1 byte
    ! malformed packet: Remaining Length at byte 1: the packet ends before the field does
`, exitFaults, nil, "-V", "5", "--hex", "30 09 0001 61 00 7a")
	connack := "20 03 00 00 00"
	expect(t, "@0 < CONNACK 0x00 Success\n", 0, nil, "-V", "5", "--from", "server", "--hex", connack)
	if got, _, code := call(t, nil, "-V", "5", "--from", "client", "--hex", connack); code != exitFaults || !strings.Contains(got, "> CONNACK") {
		t.Errorf("exit code %d, %s", code, got)
	}
}

// Nothing secret is in any output, whole, damaged or cut; and all of it with --secrets.
func TestSecrets(t *testing.T) {
	secrets := []string{"topsecretuser", "topsecretword", "topsecretdata"}
	field := func(s string) string { return "000d" + hex.EncodeToString([]byte(s)) }
	whole := "10 40 0004 4d515454 05 c2 003c 14 15 0001 6d 16" + field(secrets[2]) + "0001 61" + field(secrets[0]) + field(secrets[1])
	raw, err := hex.DecodeString(strings.ReplaceAll(whole, " ", ""))
	if err != nil || len(raw) != 66 {
		t.Fatal(len(raw), err)
	}
	shown := func(b []byte, args ...string) string {
		got, _, _ := call(t, nil, append(args, "--hex", hex.EncodeToString(b))...)
		// The digits of a dump and those of text.
		var joined strings.Builder
		for line := range strings.Lines(got) {
			if len(line) > 60 {
				joined.WriteString(strings.TrimSpace(line[12:60]) + " ")
			}
		}
		digits, _ := hex.DecodeString(strings.Map(func(r rune) rune {
			if strings.ContainsRune("0123456789abcdef", r) {
				return r
			}
			return -1
		}, joined.String()))
		return got + string(digits)
	}
	flags := [][]string{{}, {"-v"}, {"-x"}, {"-v", "-x", "--payload"}, {"--payload"}, {"--json", "-v", "--payload"}}
	var damaged [][]byte
	for n := 1; n < len(raw); n++ { // with another first byte it would have nothing secret
		one, top := bytes.Clone(raw), bytes.Clone(raw)
		one[n] ^= 1
		top[n] ^= 0x80
		damaged = append(damaged, raw[:n], one, top)
	}
	will := unhex(t, "10 1b 0004 4d515454 04 06 0000 0001 61 0001 77 0009 746f70736563726574")
	for n := range will {
		damaged = append(damaged, will[:n])
	}
	for n := range raw[1] { // the secrets become packets of their own
		short := bytes.Clone(raw)
		short[1] = n
		damaged = append(damaged, short)
	}
	damaged = append(damaged, unhex(t, "1003 0004 4d 300a 0004 6f707365 65637265")) // a whole PUBLISH
	for _, b := range damaged {
		for _, f := range flags {
			got := shown(b, f...)
			for _, s := range []string{"opse", "ecre", "tuser", "tword", "tdata"} {
				if strings.Contains(got, s) {
					t.Fatalf("%v shows %s of %x:\n%s", f, s, b, got)
				}
			}
		}
	}
	for _, s := range secrets {
		if got, _, _ := call(t, nil, "--secrets", "--hex", whole); !strings.Contains(got, s) {
			t.Errorf("no %s in %s", s, got)
		}
	}
}

func TestTree(t *testing.T) {
	expect(t, `
@0 PUBLISH q1 #1 a/b 2 bytes
         0+1           First byte
    000000  32                                               2                First byte
         0:11110000      Packet Type PUBLISH
         0:00001000      Dup false
         0:00000110      QoS 1
         0:00000001      Retain false
         1+1           Remaining Length 10
    000001  0a                                               .                Remaining Length
         2+5           Topic a/b
    000002  00 03 61 2f 62                                   ..a/b            Topic
         7+2           PacketID 1
    000007  00 01                                            ..               PacketID
         9+1           Properties
         9+1             Property Length 0
    000009  00                                               .                Property Length
        10+2           Payload 2 bytes
    00000a  2 bytes                                                           Payload
`, 0, nil, "-V", "5", "-vx", "--hex", publishHex)
}

func TestPayloads(t *testing.T) {
	expect(t, "@0 PUBLISH q1 #1 a/b 2 bytes\n    | hi\n", 0, nil, "-V", "5", "--payload", "--hex", publishHex)
	expect(t, `
@0 PUBLISH q0 a 7 bytes
    | {
    |   "x": 1
    | }
`, 0, nil, "-V", "311", "--payload", "--pretty", "--hex", "30 0a 0001 61"+hex.EncodeToString([]byte(`{"x":1}`)))
	expect(t, "@0 PUBLISH q0 a 5 bytes\n    | é\n    | z\n", 0, nil, "-V", "311", "--payload", "--hex", "30 08 0001 61 c3a90d0a7a")
	expect(t, `
@0 PUBLISH q0 a 2 bytes
    | 00000000  1b ff                                             |..|
`, 0, nil, "-V", "311", "--payload", "--hex", "30 05 0001 61 1bff")
}

func TestJSON(t *testing.T) {
	expect(t, `{"offset":0,"from":"client","type":"PUBLISH","version":"v5.0","size":12,"topic":"a/b","payloadSize":2,"packet":{"Packet":"PUBLISH","QoS":1,"Topic":"a/b","PacketID":1}}
{"offset":12,"from":"client","type":"PINGREQ","version":"v5.0","size":2,"packet":{"Packet":"PINGREQ"}}
`, 0, nil, "-V", "5", "--from", "client", "--json", "--hex", publishHex+"c000")
	for flag, want := range map[string]string{"--json": `"Topic":"w"}`, "--payload": `"Topic":"w","Payload":"z"}`} {
		got, _, _ := call(t, nil, "--json", flag, "--hex", "10 13 0004 4d515454 04 06 0000 0001 61 0001 77 0001 7a")
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", flag, got, want)
		}
	}
	got, _, code := call(t, nil, "-V", "5", "--json", "-v", "--hex", "82 07 0001 00 0001 61 03")
	var d struct {
		Faults []struct{ Rule, Says string }
		Parts  []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(got), &d); err != nil || code != exitFaults || len(d.Faults) == 0 || len(d.Parts) == 0 {
		t.Errorf("exit code %d, error %v, %s", code, err, got)
	}
}

func TestFilters(t *testing.T) {
	packets := connectHex + publishHex + "32 08 0001 63 0002 00 6869" + "c000" + "8200"
	for args, want := range map[string]string{
		"":                     "CONNECT PUBLISH PUBLISH PINGREQ SUBSCRIBE 1",
		"-T PUBLISH":           "PUBLISH PUBLISH 0",
		"-T connect,SUBSCRIBE": "CONNECT SUBSCRIBE 1",
		"-t a/+":               "PUBLISH 0",
		"--faults":             "SUBSCRIBE 1",
		"--faults -T PUBLISH":  "0",
		"-i a":                 "CONNECT PUBLISH PUBLISH PINGREQ SUBSCRIBE 1",
		"-i b":                 "0",
	} {
		got, _, code := call(t, nil, append(strings.Fields(args), "--hex", packets)...)
		var names []string
		for line := range strings.Lines(got) {
			if strings.HasPrefix(line, "@") {
				names = append(names, strings.Fields(line)[1])
			}
		}
		if s := strings.TrimSpace(strings.Join(names, " ") + " " + string(rune('0'+code))); s != want {
			t.Errorf("%s: %s, want %s", args, s, want)
		}
	}
}

// Bytes and digits, from files and the standard input.
func TestInputs(t *testing.T) {
	raw, _ := hex.DecodeString(strings.ReplaceAll(publishHex, " ", ""))
	folder := t.TempDir()
	want := "@0 PUBLISH q1 #1 a/b 2 bytes\n"
	for name, b := range map[string][]byte{
		"raw": raw, "digits": []byte(publishHex), "lines": []byte("0x32, 0x0A\r\n00:03:61-2f:62\n0001006869\n"), "capitals": []byte("320A 0003612F62 0001 00 6869"),
	} {
		expect(t, want, 0, b, "-V", "5", "-")
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, want, 0, nil, "-V", "5", file)
	}
	expect(t, "", 0, nil, "-")
	for _, c := range []struct{ want, hex string }{{"two", "320"}, {"no hexadecimal digit", "32 zz"}} {
		if _, stderr, code := call(t, nil, "--hex", c.hex); code != cli.ExitFile || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, %s", c.hex, code, stderr)
		}
	}
	if _, stderr, code := call(t, nil, "/does/not/exist"); code != cli.ExitFile || stderr != "inspect: /does/not/exist: no such file or directory\n" {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

// Where no CONNECT tells the version the one is taken that makes packets legal.
func TestGuess(t *testing.T) {
	expect(t, `
* no CONNECT tells the version; it is guessed to be v3.1.1, which the packets fit better
@0 PUBACK #1
@4 PUBLISH q0 t 2 bytes
`, 0, nil, "--hex", "40 02 0001 30 05 0001 74 6869")
	expect(t, `
* no CONNECT tells the version; it is guessed to be v5.0, which the packets fit better
@0 DISCONNECT 0x04 Disconnect with Will Message
`, 0, nil, "--hex", "e0 01 04")
	if got, _, _ := call(t, nil, "--hex", "82 06 0001 0001 61 03"); !strings.Contains(got, "guessed to be v3.1.1") || !strings.Contains(got, "SUBSCRIBE #1 a q3") {
		t.Errorf("a packet that is illegal in one version and senseless in the other: %s", got)
	}
}

// What came is shown before more comes, also where it ends within a packet or frame.
func TestPrompt(t *testing.T) {
	tp := newTape(t)
	tp.talk("10.0.0.1", "10.0.0.2", 40000).open().send(client, connect311+"c000")
	capture := append(tp.pcap(), tp.pcap()[24:54]...)
	for name, b := range map[string][]byte{"bytes": unhex(t, "c000 30"), "digits": []byte("c000 3"), "pcap": capture} {
		in, write := io.Pipe()
		out := newOutput()
		ended := make(chan int, 1)
		env := &cli.Env{Name: "inspect", Args: []string{"-"}, Stdin: in, Stdout: out, Stderr: newOutput()}
		go func() { ended <- cli.Report(env, run(context.Background(), env)) }()
		if _, err := write.Write(b); err != nil {
			t.Fatal(name, err)
		}
		out.await(t, "PINGREQ")
		write.Close()
		<-ended
	}
}

// Packets that do not tell the version are soon shown, however many they are.
func TestManyUndecided(t *testing.T) {
	const n = 100_000
	start := time.Now()
	got, _, code := call(t, bytes.Repeat(unhex(t, "40 02 0001"), n), "-")
	if code != 0 || strings.Count(got, "PUBACK #1\n") != n || time.Since(start) > programtest.Limit {
		t.Errorf("exit code %d, %d bytes after %v", code, len(got), time.Since(start))
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestBrokenOutput(t *testing.T) {
	var errs bytes.Buffer
	env := &cli.Env{Name: "inspect", Args: []string{"--hex", "c000"}, Stdout: brokenWriter{}, Stderr: &errs}
	if code := cli.Report(env, run(context.Background(), env)); code != cli.ExitFile || !strings.Contains(errs.String(), "broken") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
}
