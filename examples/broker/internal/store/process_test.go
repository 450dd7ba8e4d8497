package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestMain is another process too, if a test wants one: it commits pairs in a
// folder, and says so, until it is killed.
func TestMain(m *testing.M) {
	folder := os.Getenv("MQTTCORE_STORE")
	if folder == "" {
		os.Exit(m.Run())
	}
	s, err := Open(folder, "", quiet)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	begin, _ := strconv.Atoi(os.Getenv("MQTTCORE_BEGIN"))
	b := s.NewBatch()
	for i := begin; ; i++ {
		b.Set(binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, i%5000))
		if err := s.Commit(b); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		b.Reset()
		fmt.Println(i)
	}
}

// process starts another process.
func process(t *testing.T, folder string, begin int) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "MQTTCORE_STORE="+folder, fmt.Sprint("MQTTCORE_BEGIN=", begin))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it may have ended
	return cmd, bufio.NewScanner(out)
}

// A process that is killed has lost nothing that it was told was committed, and
// keeps nobody out.
func TestKilledProcess(t *testing.T) {
	folder := t.TempDir()
	next := 0
	for round := range 10 {
		cmd, out := process(t, folder, next)
		last := next - 1
		for out.Scan() {
			if last == next+10*round {
				go func() { _ = cmd.Process.Kill() }() // while it works
			}
			n, err := strconv.Atoi(out.Text())
			if err != nil {
				t.Fatal(out.Text())
			}
			last = n
		}
		_ = cmd.Wait() // it was killed
		s := mustOpen(t, folder)
		got := contents(t, s)
		for i := range last + 1 {
			if v, ok := got[string(binary.BigEndian.AppendUint32(nil, uint32(i)))]; !ok || len(v) != i%5000 {
				t.Fatalf("pair %d of %d is missing", i, last)
			}
		}
		if len(got) > last+2 {
			t.Fatalf("%d pairs, of which %d were committed", len(got), last+1)
		}
		next = len(got)
		mustClose(t, s)
	}
	t.Logf("%d pairs", next)
}

func TestSecondProcessIsRefused(t *testing.T) {
	folder := t.TempDir()
	cmd, out := process(t, folder, 0)
	if !out.Scan() {
		t.Fatal("it does not begin")
	}
	_, err := Open(folder, "", quiet)
	explains(t, err, ErrInUse, "in use by another process")
	second, said := process(t, folder, 0)
	if !said.Scan() || !strings.Contains(said.Text(), "in use by another process") || second.Wait() == nil {
		t.Errorf("a second process says %q", said.Text())
	}
	_ = cmd.Process.Kill() // it may not have ended by itself
	_ = cmd.Wait()
	mustClose(t, mustOpen(t, folder))
}
