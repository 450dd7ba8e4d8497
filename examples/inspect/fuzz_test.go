package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/mqttcore/mqttcore/codec"
)

// Whatever comes, in whatever pieces, is shown in every form, does nothing to a
// terminal, and JSON is JSON.
func FuzzShow(f *testing.F) {
	for _, digits := range []string{connectHex, publishHex, connect311 + publish1 + disconnect, connect5 + "f00b180915 0001 6d 16 0002 6869", "8206000100016103", "10130004 4d515454 04 06 0000 0001 61 0001 77 0009 7a", "30ffffff7f00", "00", "160301"} {
		b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, uint8(3), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint8, fromClient bool) {
		faults := -1
		for _, o := range []*options{{}, {verbose: true, dump: true, payload: true, pretty: true}, {json: true, verbose: true, payload: true}, {json: true, secrets: true}} {
			var out bytes.Buffer
			i := newInspector(o, &out)
			c := newConnection(i)
			c.tracker.whole = true
			from := server
			if fromClient {
				from = client
			}
			s := &c.carriers[from]
			for piece := range slices.Chunk(b, int(cut)+1) {
				s.feed(piece, within(t, piece))
			}
			s.end(time.Time{}, true)
			harmless(t, i, &out)
			if faults >= 0 && faults != i.faults {
				t.Fatalf("%d illegal packets, and %d with other flags", faults, i.faults)
			}
			faults = i.faults
		}
	})
}

// within returns the times of bytes, all of which are the same.
func within(t *testing.T, b []byte) func(int) time.Time {
	return func(at int) time.Time {
		if at < 0 || at >= len(b) {
			t.Fatalf("the time of byte %d of %d is asked for", at, len(b))
		}
		return time.Time{}
	}
}

// harmless demands that what was shown does nothing to a terminal, and is JSON if
// it has to be.
func harmless(t *testing.T, i *inspector, out *bytes.Buffer) {
	if err := i.flush(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if i.json && !json.Valid([]byte(line)) {
			t.Fatalf("no JSON: %s", line)
		}
		if strings.ContainsAny(line, "\x1b\x00\x07\r") {
			t.Fatalf("harmful: %q", line)
		}
	}
}

// A WebSocket with whatever in it, and in whatever pieces, is read as it is in one;
// and with gaps or without its beginning it is read somehow.
func FuzzWebSocket(f *testing.F) {
	var p packer
	var t testing.T
	dialogues := []dialogue{
		conversation(&t)[2:],
		dialogue{}.and(client, p.pack(&t, client, connect311), client, p.pack(&t, client, long), server, "8208"+connack311, server, "8802 03e8"),
		{{client, binary(&t, client, "10")}, {client, frame(client, ws.Header{Fin: true, OpCode: ws.OpText}, []byte("x"))}, {server, "8100"}},
		{{client, ascii("GET / HTTP/1.1\r\n\r\n")}, {server, ascii(answer + "\r\n")}},
	}
	for _, d := range dialogues {
		var both [2][]byte
		for _, s := range d {
			both[s.from] = append(both[s.from], unhex(&t, s.digits)...)
		}
		for how := range uint8(8) {
			f.Add(both[client], both[server], uint8(2), how)
		}
	}
	begun := [2][]byte{[]byte(request + forMQTT), []byte(answer + deflate + forMQTT)}
	f.Fuzz(func(t *testing.T, up, down []byte, cut, how uint8) {
		joined, gap, bare := how&1 != 0, how&2 != 0, how&4 != 0
		faults := -1
		for _, o := range []*options{{verbose: true}, {json: true}} {
			var out bytes.Buffer
			i := newInspector(o, &out)
			c := newConnection(i)
			c.version = codec.V5
			for s, b := range [2][]byte{up, down} {
				w, whole := &c.carriers[s], o.json && !joined && !gap
				if joined {
					w.join()
				}
				if !bare && !joined {
					w.feed(begun[s], within(t, begun[s]))
				}
				size := int(cut) + 1
				if whole {
					size = len(b) + 1
				}
				for piece := range slices.Chunk(b, size) {
					w.feed(piece, within(t, piece))
					if gap {
						w.gap(int(cut)-2, time.Time{})
					}
				}
			}
			for s := range c.carriers {
				c.carriers[s].end(time.Time{}, false)
			}
			harmless(t, i, &out)
			if faults >= 0 && faults != i.faults {
				t.Fatalf("%d faults, and %d in other pieces", faults, i.faults)
			}
			faults = i.faults
		}
	})
}
