package broker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// size returns the bytes that are stored.
func (d disk) size() (n int) {
	for k, v := range d {
		n += len(k) + len(v)
	}
	return n
}

// bodies returns how many payloads are stored apart.
func (d disk) bodies() (n int) {
	for k := range d {
		if k[0] == 'p' {
			n++
		}
	}
	return n
}

// A message for many that are away is stored once, comes to all of them, also
// after restarts, and goes with the last one that needs it.
func TestBodyStoredOnce(t *testing.T) {
	const receivers, payload = 100, 10000
	w := durable(t, broker.Config{})
	ids := func(i int) string { return fmt.Sprint("c", i) }
	for i := range receivers {
		v := bothVersions[i%2]
		w.connect(v, lasting(ids(i), v)).subscribed(filter("t", 1)).drop()
	}
	before := w.disk.size()
	text := strings.Repeat("x", payload)
	w.connect(codec.V5, clean("pub")).send(publish("t", text, 2), &codec.Pubrel{PacketID: 100})
	if n := w.disk.size() - before; n > payload+receivers*100 {
		t.Errorf("%d bytes stored for a message of %d to %d receivers", n, payload, receivers)
	}
	for i := range receivers {
		if i%10 == 5 {
			used := heap()
			w.restart()
			if n := heap() - used; n > receivers*payload/2 {
				t.Errorf("%d bytes more in memory after Restore", n)
			}
		}
		if w.disk.bodies() != 1 {
			t.Fatalf("%d payloads stored before client %d", w.disk.bodies(), i)
		}
		v := bothVersions[i%2]
		c := w.present(v, lasting(ids(i), v), true)
		c.expect("t=" + text + " q1")
		if i%3 == 0 {
			c.drop() // in flight
			c = w.present(v, lasting(ids(i), v), true)
			c.expect("t=" + text + " q1 dup")
		}
		c.send(&codec.Puback{PacketID: 1})
	}
	if w.disk.bodies() != 0 {
		t.Error("the payload is still stored")
	}
}

// It goes with sessions that end, too.
func TestBodyOfEndedSessions(t *testing.T) {
	w := durable(t, broker.Config{})
	for _, id := range []string{"a", "b"} {
		w.connect(codec.V5, expiring(lasting(id, codec.V5), 10)).subscribed(filter("t", 1)).drop()
	}
	w.connect(codec.V5, clean("pub")).send(publish("t", strings.Repeat("x", 1000), 1))
	if w.disk.bodies() != 1 {
		t.Fatal("not stored once")
	}
	w.restart()
	w.pass(3600e9)
	if len(w.disk) != 0 {
		t.Errorf("%q is left", w.disk)
	}
}

// A record without its payload is damage; a payload without records is removed.
func TestBodyWithoutRecord(t *testing.T) {
	w := durable(t, broker.Config{})
	for _, id := range []string{"a", "b"} {
		w.connect(codec.V5, lasting(id, codec.V5)).subscribed(filter("t", 1)).drop()
	}
	w.connect(codec.V5, clean("pub")).send(publish("t", strings.Repeat("x", 1000), 1))
	for key := range w.disk {
		if key[0] == 'p' {
			body := w.disk[key]
			delete(w.disk, key)
			if err := broker.New(w.cfg).Restore(w.now, w.disk.pairs()); err != broker.ErrCorrupt {
				t.Errorf("Restore: %v", err)
			}
			w.disk = disk{key: body}
		}
	}
	w.restart()
	if len(w.disk) != 0 {
		t.Errorf("%d left", len(w.disk))
	}
}
