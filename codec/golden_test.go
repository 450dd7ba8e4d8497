package codec

import (
	"bytes"
	"encoding/hex"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// goldenBytes returns the bytes of golden packet i.
func goldenBytes(t testing.TB, i int) []byte {
	t.Helper()
	data, err := hex.DecodeString(golden[i].hex)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestGolden compares each golden packet with its value, both ways.
func TestGolden(t *testing.T) {
	for i, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			data := goldenBytes(t, i)
			p, n, err := Decode(data, g.version)
			if err != nil || n != len(data) || p.Type() != g.packet {
				t.Fatalf("Decode = %v, %d, %v", p, n, err)
			}
			want := NewPacket(g.packet)
			if err := want.UnmarshalJSON([]byte(g.json)); err != nil {
				t.Fatal(err)
			}
			gotJSON, _ := p.MarshalJSON()
			wantJSON, _ := want.MarshalJSON()
			if diff := cmp.Diff(string(wantJSON), string(gotJSON)); diff != "" {
				t.Errorf("decoded differs (-want +got):\n%s", diff)
			}
			for name, q := range map[string]Packet{"decoded": p, "from JSON": want, "clone": Clone(p)} {
				out, err := q.AppendTo([]byte("prefix"), g.version)
				if err != nil || !bytes.Equal(out, append([]byte("prefix"), data...)) {
					t.Errorf("%s: AppendTo = %x, %v; want %x", name, out, err, data)
				}
				if size := q.Size(g.version); size != len(data) {
					t.Errorf("%s: Size = %d, want %d", name, size, len(data))
				}
			}
		})
	}
}
