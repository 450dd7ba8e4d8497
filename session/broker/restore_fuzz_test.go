package broker_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/broker"
)

// everythingStored returns changes of every kind.
func everythingStored(t testing.TB) disk {
	w := durable(t, broker.Config{})
	w.at = &broker.Endpoint{Name: "n", MountPoint: "m/"}
	for _, id := range []string{"a", "b"} {
		w.connect(codec.V5, withWill(lasting(id, codec.V5), "will", 30)).subscribed(filter("t", 2), filter("$share/g/#", 1)).drop()
	}
	pub := w.connect(codec.V5, lasting("pub", codec.V5))
	pub.send(publish("t", strings.Repeat("x", 100), 2), retained("r", "y", 1))
	c := w.present(codec.V5, lasting("a", codec.V5), true)
	c.send(&codec.Pubrec{PacketID: 1})
	return maps.Clone(w.disk)
}

// A store with any damage is refused or restored; a broker that was restored
// works.
func FuzzRestore(f *testing.F) {
	stored := everythingStored(f)
	keys := slices.Sorted(maps.Keys(stored))
	if len(keys) < 12 {
		f.Fatalf("only %d keys", len(keys))
	}
	for i := range keys {
		f.Add(byte(i), byte(3), byte(0), byte(1))
		f.Add(byte(i), byte(250), byte(1), byte(0xFF))
	}
	f.Fuzz(func(t *testing.T, which, at, what, b byte) {
		d := maps.Clone(stored)
		key := keys[int(which)%len(keys)]
		value := []byte(d[key])
		switch what % 5 {
		case 0:
			if len(value) > 0 {
				value[int(at)%len(value)] ^= b
			}
		case 1:
			value = value[:int(at)%(len(value)+1)]
		case 2:
			value = append(value, b)
		case 3:
			delete(d, key)
			k := []byte(key)
			k[int(at)%len(k)] ^= b
			key = string(k)
		case 4:
			delete(d, key)
			key = key[:int(at)%len(key)]
		}
		d[key] = string(value)
		w := newWorld(t, persistent())
		w.cfg, w.disk = persistent(), d
		switch err := w.b.Restore(w.now, d.pairs()); {
		case errors.Is(err, broker.ErrCorrupt), errors.Is(err, session.ErrCorrupt):
			return
		case err != nil:
			t.Fatal(err)
		}
		w.drain()
		for _, id := range []string{"a", "b", "pub"} {
			w.connect(codec.V5, clean(id)).send(subscribe(filter("#", 2)))
		}
		w.connect(codec.V5, clean("pub")).send(publish("t", "x", 1))
		w.pass(7200e9)
	})
}
