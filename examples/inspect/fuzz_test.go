package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
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
			s := &c.streams[from]
			for piece := range slices.Chunk(b, int(cut)+1) {
				s.feed(piece, func(at int) time.Time {
					if at < 0 || at >= len(piece) {
						t.Fatalf("the time of byte %d of %d is asked for", at, len(piece))
					}
					return time.Time{}
				})
			}
			s.end(time.Time{}, true)
			if err := i.flush(); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if o.json && !json.Valid([]byte(line)) {
					t.Fatalf("no JSON: %s", line)
				}
				if strings.ContainsAny(line, "\x1b\x00\x07\r") {
					t.Fatalf("harmful: %q", line)
				}
			}
			if faults >= 0 && faults != i.faults {
				t.Fatalf("%d illegal packets, and %d with other flags", faults, i.faults)
			}
			faults = i.faults
		}
	})
}
