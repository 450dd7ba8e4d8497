package store

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// apply makes the changes that data describes to a batch and to a model, and
// returns what is left of data. A change is two bytes, kind and key, and a
// length for a Set.
func apply(data []byte, b *Batch, model map[string]string) []byte {
	for len(data) >= 2 && data[0] != 0 {
		key := fmt.Appendf(nil, "%c%02d", 'a'+data[1]%4, data[1]/4)[:1+data[0]%3]
		switch data[0] >> 2 % 8 {
		case 0:
			b.DeletePrefix(key)
			maps.DeleteFunc(model, func(k, _ string) bool { return strings.HasPrefix(k, string(key)) })
		case 1, 2:
			b.Delete(key)
			delete(model, string(key))
		default:
			value := strings.Repeat(string(key), int(data[0])*int(data[1])/8)
			b.Set(key, []byte(value))
			model[string(key)] = value
		}
		data = data[2:]
	}
	return data
}

// follow makes batches of data, opens the store again where data says so, and
// compares it with the model.
func follow(t *testing.T, data []byte) {
	disk := vfs.NewMem()
	st := simulated(t, disk)
	model := make(map[string]string)
	b := st.NewBatch()
	for len(data) > 0 {
		data = apply(data, b, model)
		if err := st.Commit(b); err != nil {
			t.Fatal(err)
		}
		b.Reset()
		if len(data) < 2 {
			break
		}
		if data[1]%8 == 0 {
			expect(t, st, model)
			mustClose(t, st)
			st = simulated(t, disk)
			b = st.NewBatch()
		}
		data = data[2:]
	}
	expect(t, st, model)
	mustClose(t, st)
	st = simulated(t, disk)
	expect(t, st, model)
	mustClose(t, st)
}

func TestModel(t *testing.T) {
	for seed := uint64(0); seed < 20; seed += stride {
		r := rand.New(rand.NewPCG(seed, 7))
		data := make([]byte, 2000)
		for i := range data {
			if data[i] = byte(r.Uint32()); i%2 == 0 && r.IntN(12) == 0 {
				data[i] = 0 // the end of a batch
			}
		}
		follow(t, data)
	}
}

func FuzzBatches(f *testing.F) {
	f.Add([]byte("\x04a\x04b\x00\x00\x01a"))
	f.Add(binary.BigEndian.AppendUint64(nil, 0x4c614d6200080161))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) <= 4000 {
			follow(t, data)
		}
	})
}
