package programtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mostKills bounds how often a program is killed before it may end.
const mostKills = 25

// untilDone starts a program again and again, and kills it at random moments,
// until it gets to its end. log is what it said on its standard error.
func untilDone(t testing.TB, name string, args ...string) (kills int, log []byte) {
	t.Helper()
	for limit := time.Now().Add(2 * Limit); time.Now().Before(limit); {
		p := Start(t, nil, name, args...)
		if kills == mostKills {
			p.Success()
			return kills, append(log, p.Stderr.Bytes()...)
		}
		select {
		case <-p.ended:
			p.Success()
			return kills, append(log, p.Stderr.Bytes()...)
		case <-time.After(time.Duration(rand.IntN(40)+5) * time.Millisecond):
			err := p.cmd.Process.Kill()
			<-p.ended
			log = append(log, p.Stderr.Bytes()...)
			if p.cmd.ProcessState.Success() {
				return kills, log // it got to its end just before
			}
			if err != nil {
				t.Fatal(err)
			}
			kills++
		}
	}
	t.Fatalf("%s does not get to its end", name)
	return kills, log
}

var received = regexp.MustCompile(`received (PUBREL|PUBLISH Dup=true).* PacketID=(\d+)`)

// breach returns the identifier of a PUBLISH that a broker sent again after
// PUBREL, or "". After that the receiver cannot know that it is
// no new message. mosquitto 2.0.11 does so when a client with thousands of
// messages under way comes and goes quickly.
func breach(log []byte) string {
	released := map[string]bool{}
	for _, m := range received.FindAllSubmatch(log, -1) {
		id := string(m[2])
		if string(m[1]) == "PUBREL" {
			released[id] = true
		} else if released[id] {
			return id
		}
	}
	return ""
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

// KilledSender demands of a broker and of our resume that every line arrives
// exactly once and in order, though resume is killed again and again.
func KilledSender(t *testing.T, port, version string) {
	const lines = 10000
	t.Helper()
	folder := t.TempDir()
	input := filepath.Join(folder, "input")
	if err := os.WriteFile(input, []byte(numbered(lines)), 0o600); err != nil {
		t.Fatal(err)
	}
	topic := "killed/sender/" + version
	sub := Subscriber(t, "-p", port, "-V", version, "-t", topic, "-q", "2", "-C", fmt.Sprint(lines+1))
	kills, _ := untilDone(t, "resume", "-p", port, "-V", version, "-i", topic, "--state", filepath.Join(folder, "state"), "-t", topic, "-f", input)
	Run(t, nil, "publish", "-p", port, "-V", version, "-q", "2", "-t", topic, "-m", "end")
	if got, want := string(sub.Success()), numbered(lines)+"end\n"; got != want {
		t.Errorf("after %d kills: got %d lines, want %d, or in another order", kills, strings.Count(got, "\n"), lines+1)
	}
	t.Logf("%d kills", kills)
}

// KilledReceiver is the same for a resume that receives. The test is skipped
// where a broker that repeats sends a PUBLISH again that it had released.
func KilledReceiver(t *testing.T, port, version string, repeats bool) {
	const lines = 10000
	t.Helper()
	folder := t.TempDir()
	output := filepath.Join(folder, "output")
	topic := "killed/receiver/" + version
	args := []string{"-d", "-p", port, "-V", version, "-i", topic, "--state", filepath.Join(folder, "state"), "--receive", topic, "--output", output, "-C", fmt.Sprint(lines)}
	first := Start(t, nil, "resume", args...)
	first.Stderr.Await(t, "received SUBACK")
	first.Signal(syscall.SIGKILL)
	first.Wait(Limit)
	Run(t, strings.NewReader(numbered(lines)), "publish", "-p", port, "-V", version, "-q", "2", "-t", topic, "-l")
	kills, log := untilDone(t, "resume", args...)
	got, err := os.ReadFile(output)
	if id := breach(log); id != "" && repeats {
		t.Skipf("after %d kills the broker sent PUBLISH %s again, for which it had sent PUBREL: that is a new message", kills, id)
	}
	if err != nil || string(got) != numbered(lines) {
		t.Errorf("after %d kills: got %d lines, want %d, or in another order; error %v", kills, strings.Count(string(got), "\n"), lines, err)
	}
	t.Logf("%d kills", kills)
}
