package interop

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	. "github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// The time in JSON, which mosquitto 2.0 prints with a Z before the zone.
var timestamp = regexp.MustCompile(`"tst":\t?"[^"]*"`)

// The properties in JSON, which mosquitto_sub prints in the order in which they
// came.
var properties = regexp.MustCompile(`"properties":\{(.*?)\},"payload"`)

func normal(out []byte) string {
	text := timestamp.ReplaceAllString(string(out), `"tst":""`)
	return properties.ReplaceAllStringFunc(text, func(s string) string {
		list := strings.Split(properties.FindStringSubmatch(s)[1], `,"`)
		for i := range list {
			list[i] = strings.Trim(list[i], `"}`)
		}
		slices.Sort(list)
		return strings.Join(list, "|")
	})
}

// same runs mosquitto_sub and our subscribe, or whatever the programs are, with
// the same flags and demands the same output and exit code.
func same(t *testing.T, theirs, ours string, args ...string) {
	t.Helper()
	their, our := Start(t, nil, theirs, args...), Start(t, nil, ours, args...)
	theirCode, ourCode := their.Wait(Limit), our.Wait(Limit)
	got, want := normal(our.Stdout.Bytes()), normal(their.Stdout.Bytes())
	if got != want || ourCode != theirCode {
		t.Errorf("%q:\n%s %d %.600q\n%s %d %.600q\n%s", args, ours, ourCode, got, theirs, theirCode, want, our.Stderr.Bytes())
	}
}

// retained publishes what the tests look at.
func retained(t *testing.T, port string) {
	t.Helper()
	pub := func(args ...string) {
		Run(t, nil, "mosquitto_pub", append([]string{"-p", port, "-r", "-q", "1", "-V", "mqttv5"}, args...)...)
	}
	pub("-t", "d/1", "-m", "one")
	pub("-t", "d/2", "-m", `{"temperature": 21.5, "list": [1,2,"ü"]}`, "-D", "publish", "content-type", "application/json",
		"-D", "publish", "response-topic", "answer/here", "-D", "publish", "correlation-data", "corr",
		"-D", "publish", "payload-format-indicator", "1",
		"-D", "publish", "user-property", "k", "v", "-D", "publish", "user-property", "key 2", "v2")
	pub("-t", "j/1", "-m", `{"a":[1,[2,"x"],{"b":{},"c":[]}],"d":{"e":true}}`, "-D", "publish", "user-property", "k", "v")
	pub("-t", "d/ümlaut", "-m", "tab\tquote\" back\\slash")
	file := filepath.Join(t.TempDir(), "binary")
	if err := os.WriteFile(file, []byte{0, 1, 0xAB, 'x', '\n', 0xFF}, 0o600); err != nil {
		t.Fatal(err)
	}
	pub("-t", "b/1", "-f", file)
}

// formats are values of -F whose output has to be that of mosquitto_sub. Not
// among them are widths of %x and %X, and small ones of %p, by which mosquitto_sub
// 2.0.11 cuts the payload off; its manual has them as the least width.
var formats = []string{
	"plain", "", "%t|%p|%q|%r|%l|%x|%X|%m",
	"%10t|%-10t|%010t|%.2t|%10.2t|%-10.2t|%-010.2t", "%50p|%-50p|%050p",
	"%5l|%-5l|%05l|%-05l",
	"%5m|%-5m|%05m", "%A|%5A|%05A|%-5A|", "%C|%20C|%.1C|%-5.2C|%20.3C|", "%D|%D", "%F|%3F|%03F|%-3F|",
	"%E|%3E|%03E|", "%P|", "%R|%20R|%.2R|%-9.2R|", "%S|%5S|%05S|%-5S|",
	`\\|\t|\n|\a|\e|\r|\v|`, "%%|@@|100%%", "@Y|%%t|@@Y", `a\0b`, "%j", "%t %j", "%J",
}

func TestSameFormats(t *testing.T) {
	port := mosquitto(t)
	retained(t, port)
	for _, v := range versions {
		for _, f := range formats {
			for _, topic := range []string{"d/+", "b/1"} {
				if strings.ContainsAny(f, "jJ") && topic == "b/1" {
					continue // what is no UTF-8 cannot be JSON: theirs is not
				}
				count := map[string]string{"d/+": "3", "b/1": "1"}[topic]
				same(t, "mosquitto_sub", "subscribe", "-p", port, "-V", v, "-t", topic, "-C", count, "-q", "1", "-F", f)
			}
		}
		same(t, "mosquitto_sub", "subscribe", "-p", port, "-V", v, "-t", "d/+", "-C", "3", "-N", "-F", "%t")
		for _, f := range []string{"%j", "%J"} {
			for _, topic := range []string{"d/1", "d/ümlaut", "j/1"} {
				same(t, "mosquitto_sub", "subscribe", "-p", port, "-V", v, "-t", topic, "-C", "1", "-F", f, "--pretty")
			}
		}
	}
	same(t, "mosquitto_sub", "subscribe", "-p", port, "-V", "5", "-t", "d/2", "-C", "1", "-F", "%S|%3S|%03S|%j", "-D", "subscribe", "subscription-identifier", "7")
}

func TestSameFormatErrors(t *testing.T) {
	port := mosquitto(t)
	for _, f := range []string{"%", "%5", "%-", "%z", "@", `\`, `\z`, "%.", "% t"} {
		same(t, "mosquitto_sub", "subscribe", "-p", port, "-t", "d/1", "-W", "1", "-F", f)
	}
}

// What is printed, and when the program ends, with retained messages.
func TestSameOutput(t *testing.T) {
	port := mosquitto(t)
	for _, v := range versions {
		retained(t, port)
		for _, flags := range []string{
			"-t d/+ -C 1", "-t d/+ -C 3 -v", "-t d/+ -C 3 -v -N", "-t d/+ -C 3 -N", "-t b/# -C 1", "-t b/# -v -C 1",
			"-t d/1 -t d/2 -C 2", "-t d/+ -T d/1 -C 2", "-t # -T d/+ -T x -C 1 -F %x", "-t d/+ -W 1 -R", "-t none -W 1", "-t d/+ -E",
			"-t d/+ -U x -C 3", "-t d/+ -C 3 -q 2", "-L mqtt://localhost:" + port + "/d/+ -C 3", "-t d/1 -c -C 1", "-t d/1 -C 0", "-t d/1 -W 0",
			"-t d/1 -q 3", "-t d/1 -i a -I b", "-t a/#/b -C 1", "-C 1", "-t d/1 --will-payload x",
		} {
			same(t, "mosquitto_sub", "subscribe", append(strings.Fields(flags), "-p", port, "-V", v)...)
		}
	}
	same(t, "mosquitto_sub", "subscribe", "-p", port, "-V", "5", "-t", "d/+", "-C", "3", "-F", "%r", "--retain-as-published")
}

// What waits in a session is not retained. Each program has a session of its own.
func TestSameFreshMessages(t *testing.T) {
	port := mosquitto(t)
	outputs := map[string]string{}
	for _, v := range versions {
		for _, flags := range []string{"-C 4", "-C 4 -v", "-C 4 -N", "-C 4 -v -N", "-C 4 -R -F %r:%p:%m:%q", "--retained-only", "-C 2 -T f/1", "-C 3 -F %J"} {
			for _, program := range []string{"mosquitto_sub", "subscribe"} {
				client := []string{"-p", port, "-V", v, "-c", "-i", program, "-q", "1", "-t", "f/+"}
				Run(t, nil, program, append(client, "-E")...)
				Run(t, strings.NewReader("1\n\n[1, 2]\nlast"), "mosquitto_pub", "-p", port, "-t", "f/1", "-q", "1", "-l")
				Run(t, nil, "mosquitto_pub", "-p", port, "-t", "f/2", "-q", "2", "-n", "--repeat", "2")
				p := Start(t, nil, program, append(client, strings.Fields(flags)...)...)
				outputs[program] = fmt.Sprint(p.Wait(Limit), " ", normal(p.Stdout.Bytes()))
				// Ends the session.
				Run(t, nil, program, "-p", port, "-V", v, "-i", program, "-t", "x", "-E")
			}
			if outputs["subscribe"] != outputs["mosquitto_sub"] {
				t.Errorf("%s %s: got %q, want %q", v, flags, outputs["subscribe"], outputs["mosquitto_sub"])
			}
		}
	}
}

// Not compared are the exit codes, -C and -R: mosquitto_sub 2.0.11 does not end with
// -C, nor remove anything with -R, which its manual says it does.
func TestSameRemoveRetained(t *testing.T) {
	ports := map[string]string{"mosquitto_sub": mosquitto(t), "subscribe": mosquitto(t)}
	for _, flags := range []string{"--retained-only", "-v -T d/1"} {
		remove, left := map[string]*Process{}, map[string]*Process{}
		for program, port := range ports {
			retained(t, port)
			args := append(strings.Fields(flags), "-p", port, "-V", "5", "-t", "d/+", "--remove-retained", "-W", "6")
			remove[program] = Start(t, nil, program, args...)
		}
		for program, port := range ports {
			remove[program].Wait(Limit)
			left[program] = Start(t, nil, "mosquitto_sub", "-p", port, "-t", "d/+", "-W", "6", "-v")
		}
		outputs := map[string]string{}
		for program, p := range left {
			p.Wait(Limit)
			outputs[program] = fmt.Sprintf("%q, left %q", remove[program].Stdout.Bytes(), p.Stdout.Bytes())
		}
		if outputs["subscribe"] != outputs["mosquitto_sub"] {
			t.Errorf("%s: got %s, want %s", flags, outputs["subscribe"], outputs["mosquitto_sub"])
		}
	}
}

// What mosquitto_pub sends, publish sends.
func TestSamePublishing(t *testing.T) {
	port := mosquitto(t)
	for _, tt := range []struct {
		args, in string
		count    int
	}{
		{"-m x", "", 1}, {"-n", "", 1}, {"-s", "a\nb\n", 1}, {"-l", "a\n\nb\r\nc", 4}, {"-m x -q 2 -r", "", 1},
		{"-m x --repeat 3", "", 3}, {"-s --repeat 2 --repeat-delay 0.1 -q 1", "in", 2}, {"-m x -M 1 -q 2 --repeat 3", "", 3},
		{"-m x -i me -k 10 --nodelay --quiet -A 127.0.0.1", "", 1},
		{"-m x -D publish user-property a b -D publish content-type c -D connect user-property x y -V 5 -x 10", "", 1},
	} {
		var outputs [2]string
		for i, program := range []string{"mosquitto_pub", "publish"} {
			sub := theirSubscriber(t, "-p", port, "-V", "5", "-t", "p", "-q", "2", "-C", fmt.Sprint(tt.count), "-F", "MSG %t %q %r %x %C %P")
			args := append(strings.Fields(tt.args), "-p", port, "-t", "p")
			if !strings.Contains(tt.args, "-V") {
				args = append(args, "-V", "311")
			}
			Run(t, strings.NewReader(tt.in), program, args...)
			outputs[i] = strings.Join(messages(sub), "\n")
			Run(t, nil, "mosquitto_pub", "-p", port, "-t", "p", "-r", "-n") // nothing retained stays
		}
		if outputs[0] != outputs[1] {
			t.Errorf("%s: got %q, want %q", tt.args, outputs[1], outputs[0])
		}
	}
}

// Responses, with both programs as the one that asks.
func TestSameRequests(t *testing.T) {
	port := mosquitto(t)
	_, ours := Broker(t)
	for _, port := range []string{port, ours} {
		for _, v := range versions {
			for _, q := range []string{"0", "2"} {
				answering := Start(t, nil, "request", "-d", "-p", port, "-V", v, "-q", "2", "--respond", "-t", "q/#", "-e", "a", "--exec", "rev")
				answering.Stderr.Await(t, "received SUBACK")
				for _, flags := range []string{"-m hello", "-m hello -v", "-m hello -N", "-n", "-m hello -F %t:%q:%r:%l:%p:%D", "-m x -D publish correlation-data own -F %D:%p"} {
					if strings.Contains(flags, "-D") != strings.Contains(v, "5") || strings.HasSuffix(flags, "%D") {
						continue
					}
					// One after the other, since v3.1.1 cannot tell whose the response is.
					var outputs [2]string
					for i, program := range []string{"mosquitto_rr", "request"} {
						args := append(strings.Fields(flags), "-p", port, "-V", v, "-q", q, "-t", "q/x", "-e", "a", "-W", "10")
						outputs[i] = string(Run(t, nil, program, args...))
					}
					if outputs[0] != outputs[1] {
						t.Errorf("%s %s: got %q, want %q", v, flags, outputs[1], outputs[0])
					}
				}
				answering.Signal(syscall.SIGTERM) // or it would answer the next ones too
				answering.Success()
				same(t, "mosquitto_rr", "request", "-p", port, "-V", v, "-t", "nobody", "-e", "nothing", "-m", "x", "-W", "1")
			}
		}
	}
}

// Both go through the same proxies.
func TestSameProxy(t *testing.T) {
	port := mosquitto(t)
	retained(t, port)
	for _, user := range []string{"", "me"} {
		proxy := StartProxy(t, user, "secret")
		for _, account := range []string{"", "me:secret@", "you:no@"} {
			if user == "" && account != "" {
				continue // mosquitto_sub insists on the password then
			}
			for _, host := range []string{"localhost", "127.0.0.1"} {
				args := []string{"-h", host, "-p", port, "--proxy", "socks5h://" + account + proxy.Address, "-t", "d/1", "-W", "25", "-C", "1"}
				theirs := Start(t, nil, "mosquitto_sub", args...)
				theirs.Wait(Limit)
				ours := Start(t, nil, "subscribe", args...)
				ours.Wait(Limit)
				if got, want := string(ours.Stdout.Bytes()), string(theirs.Stdout.Bytes()); got != want {
					t.Errorf("%q, proxy for %q: got %q, want %q", args, user, got, want)
				}
			}
		}
		if n := proxy.Served.Load(); n != 4 {
			t.Errorf("the proxy made %d connections", n)
		}
	}
}
