package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gopacket/gopacket/layers"

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

// Of fragments that do not contradict each other the packet comes that they are of,
// and of others the same or none; what is held is bounded.
func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 0, 1, 1, 1, 0, 2, 1, 0})
	f.Add([]byte{1, 1, 2, 0, 1, 0, 1, 1, 1, 0, 2, 3, 200, 0, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		d := newDefragmenter(func(uint16) bool { return true })
		now := time.Unix(0, 0)
		for piece := range slices.Chunk(b[:min(len(b), 512)], 4) {
			if len(piece) < 4 {
				break
			}
			now = now.Add(time.Duration(piece[0]>>2) * time.Second)
			data := make([]byte, 8*int(piece[2]))
			for i := range data {
				data[i] = byte((8*int(piece[1]) + i) / 8)
			}
			whole, _ := d.add(fragment{
				of: packetID{id: uint32(piece[0] & 3)}, next: layers.IPProtocolTCP,
				start: 8 * int(piece[1]), data: data, more: piece[3]&1 != 0, cut: piece[3]&2 != 0,
			}, now)
			for i := range whole {
				if whole[i] != byte(i/8) {
					t.Fatalf("byte %d is another one", i)
				}
			}
			held := 0
			for e := d.oldest.Front(); e != nil; e = e.Next() {
				for _, part := range e.Value.(*fragmented).parts {
					held += len(part.data) + fragmentCost
				}
			}
			if held != d.held || len(d.open) != d.oldest.Len() {
				t.Fatalf("%d bytes are held, and %d counted", held, d.held)
			}
		}
	})
}

// Any capture is read to its end, or it is told why not.
func FuzzCapture(f *testing.F) {
	var t testing.T
	for _, ip := range addresses {
		tp := playFragmented(&t, ip, func(tp *tape, f [][]byte) { tp.put(f...) })
		conversation(&t).on(tp.talk(ip[0], ip[1], 40002).open(), false).close()
		f.Add(tp.pcap())
		f.Add(tp.pcapng())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var out bytes.Buffer
		i := newInspector(&options{json: true, ports: []uint{1883}}, &out)
		if err := i.readCapture(context.Background(), bufio.NewReader(bytes.NewReader(b))); err != nil && err.Error() == "" {
			t.Fatal("it is not told what is wrong")
		}
		harmless(t, i, &out)
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
		{{client, message(&t, client, "10")}, {client, frame(client, ws.Header{Fin: true, OpCode: ws.OpText}, []byte("x"))}, {server, "8100"}},
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
