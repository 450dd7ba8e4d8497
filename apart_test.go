package mqttcore_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
	"github.com/mqttcore/mqttcore/session/sessiontest"
)

var morning = time.Date(2030, 1, 1, 8, 0, 0, 0, time.UTC)

// TestApart does the same work in several goroutines at once, each with values
// of its own. All come to the same, and the race detector finds nothing that
// they share: this is why it has nothing to find in tests without goroutines.
func TestApart(t *testing.T) {
	packets := goldenPackets(t)
	for name, work := range map[string]func(log *strings.Builder) error{
		"packets": func(log *strings.Builder) error { return usePackets(packets, log) },
		"pair":    usePair,
		"broker":  useBroker,
	} {
		t.Run(name, func(t *testing.T) {
			var (
				logs [4]strings.Builder
				errs [len(logs)]error
				wait sync.WaitGroup
			)
			for i := range logs {
				wait.Go(func() { errs[i] = work(&logs[i]) })
			}
			wait.Wait()
			for i := range logs {
				if errs[i] != nil || logs[i].Len() < 1000 || logs[i].String() != logs[0].String() {
					t.Errorf("goroutine %d: %v\n%s\nthe first one:\n%s", i, errs[i], &logs[i], &logs[0])
				}
			}
		})
	}
}

// golden is a packet of spec/packets.
type golden struct{ Name, Version, Hex string }

func goldenPackets(t *testing.T) (all []golden) {
	t.Helper()
	names, err := filepath.Glob("spec/packets/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		var file struct{ Golden []golden }
		if data, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		} else if err := yaml.Unmarshal(data, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all = append(all, file.Golden...)
	}
	if len(all) < 50 {
		t.Fatalf("only %d packets", len(all))
	}
	return all
}

// usePackets takes each packet through all forms that it has.
func usePackets(packets []golden, log *strings.Builder) error {
	versions := map[string]codec.Version{"v3.1.1": codec.V311, "v5.0": codec.V5, "v3.1.1 wide": codec.V311Wide, "v5.0 wide": codec.V5Wide}
	var d codec.Decoder
	for _, g := range packets {
		v := versions[g.Version]
		data, err := hex.DecodeString(strings.ReplaceAll(g.Hex, " ", ""))
		if err != nil {
			return err
		}
		h, _, err := codec.Frame(data, 0)
		if err != nil {
			return err
		}
		p, err := d.Decode(h, data[h.Len:], v)
		if err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		text, err := p.MarshalJSON()
		if err != nil {
			return err
		}
		q, err := codec.ParseJSON(text)
		if err != nil {
			return err
		}
		out, err := q.AppendTo(nil, v)
		if err != nil || !bytes.Equal(out, data) {
			return fmt.Errorf("%s: %x, %w", g.Name, out, err)
		}
		fmt.Fprintln(log, codec.Clone(p), p.LogValue(), p.Validate(codec.V311))
		p, err = d.DecodeLoose(h, data[h.Len:max(h.Len, len(data)-1)], v) // one byte short
		fmt.Fprintln(log, p, err)
	}
	return nil
}

// usePair lets two sessions exchange messages while connections break.
func usePair(log *strings.Builder) error {
	cfg := sessiontest.Config{MaximumChunk: 7, Seed: 1}
	cfg.Client.Persist, cfg.Server.Persist = true, true
	pair := sessiontest.New(cfg)
	for round := range 5 {
		if err := pair.Connect(&codec.Connect{ClientID: codec.Bytes("c")}); err != nil {
			return err
		}
		for qos := range codec.QoS2 + 1 {
			p := &codec.Publish{Topic: codec.Bytes("t"), QoS: qos, Payload: fmt.Append(nil, round)}
			if _, err := pair.Client.Publish(pair.Now(), p); err != nil {
				return err
			}
		}
		settle(pair, log)
		if round%2 == 0 {
			pair.Crash(sessiontest.Side(round / 2 % 2))
		} else {
			pair.Cut()
		}
		settle(pair, log)
	}
	return nil
}

// settle runs the pair for a second of its own.
func settle(pair *sessiontest.Pair, log *strings.Builder) {
	for limit := pair.Now().Add(time.Second); ; {
		side, ev, ok := pair.Next(limit)
		if !ok {
			return
		}
		fmt.Fprintln(log, side, ev)
	}
}

// useBroker lets clients of both versions exchange messages through a broker.
func useBroker(log *strings.Builder) error {
	var cfg broker.Config
	cfg.Server.Persist = true
	b := broker.New(cfg)
	clients := map[broker.Handle]*session.Client{}
	var order []broker.Handle
	for i, v := range []codec.Version{codec.V311, codec.V5, codec.V311, codec.V5} {
		c, h := session.NewClient(session.ClientConfig{Version: v}), b.Open(morning, nil)
		clients[h], order = c, append(order, h)
		if err := c.Connect(morning, &codec.Connect{ClientID: fmt.Append(nil, "c", i)}); err != nil {
			return err
		}
	}
	for round := range 6 {
		for exchange(b, clients, order, log) {
		}
		for i, h := range order {
			c := clients[h]
			filter := []string{"a/+", "#", "$share/g/a/b", "a/b"}[(round+i)%4]
			_, err := c.Subscribe(morning, &codec.Subscribe{Filters: []codec.Subscription{{Filter: codec.Bytes(filter), QoS: codec.QoS2}}})
			if err != nil {
				return err
			}
			p := &codec.Publish{Topic: codec.Bytes("a/b"), QoS: codec.QoS(i % 3), Retain: round%2 == 1, Payload: fmt.Append(nil, round, i)}
			if _, err := c.Publish(morning, p); err != nil {
				return err
			}
		}
	}
	fmt.Fprintln(log, b.Stats())
	return nil
}

// exchange passes on what the clients and the broker have to say. It reports
// whether there was anything.
func exchange(b *broker.Broker, clients map[broker.Handle]*session.Client, order []broker.Handle, log *strings.Builder) (some bool) {
	for _, h := range order {
		for ev := range clients[h].Events() {
			some = true
			fmt.Fprintln(log, ev)
			if ev.Kind == events.Write {
				b.Receive(morning, h, bytes.Join(ev.Data, nil))
			}
		}
	}
	for ev := range b.Events() {
		some = true
		fmt.Fprintln(log, ev)
		if c := clients[ev.Conn]; ev.Kind == events.Write && c != nil {
			c.Receive(morning, bytes.Join(ev.Data, nil))
		}
	}
	return some
}

// TestRaced holds the packages that make race takes of this module against those
// with goroutines, in their tests alone as TestLayers sees to it: elsewhere the
// race detector has nothing to find. Benchmarks, in files of their own, do not count.
func TestRaced(t *testing.T) {
	var found []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (name == "examples" || entry.Name() == "testdata" || entry.Name() == ".git"):
			return fs.SkipDir
		case filepath.Ext(name) == ".go" && !strings.Contains(name, "_bench_"):
			src, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			dir := "."
			if parent := filepath.Dir(name); parent != "." {
				dir = "./" + filepath.ToSlash(parent)
			}
			if goes(t, src) && !slices.Contains(found, dir) {
				found = append(found, dir)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	_, raced, _ := strings.Cut(readFile(t, "Makefile"), "\nRACED := ")
	raced, _, _ = strings.Cut(raced, "\n")
	if want := strings.Join(found, " "); raced != want {
		t.Errorf("Makefile has RACED := %s, and these packages have goroutines: %s", raced, want)
	}
}

// goes reports whether a file starts goroutines: by itself or by what it calls.
func goes(t *testing.T, src []byte) (found bool) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			found = true
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok {
				found = found || slices.Contains([]string{"Go", "Parallel", "RunParallel", "AfterFunc"}, f.Sel.Name)
			}
		}
		return true
	})
	return found
}

func TestGoes(t *testing.T) {
	for src, want := range map[string]bool{
		"go f()": true, "wait.Go(f)": true, "t.Parallel()": true, "b.RunParallel(f)": true, "time.AfterFunc(d, f)": true,
		"f()": false, `f("go f()")`: false, "t.Run(name, f)": false,
	} {
		if goes(t, []byte("package x; func g() { "+src+" }")) != want {
			t.Errorf("%s: want %v", src, want)
		}
	}
}
