package session_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
)

// keep returns a Kept with a payload of the given size.
func keep(sh *session.Shared, size int) *session.Kept {
	p := &codec.Publish{Topic: codec.Bytes("a/b"), PacketID: 7, Dup: true, Payload: codec.Bytes(strings.Repeat("x", size))}
	p.Properties.UserProperties.Add("key", "value")
	k := sh.Keep(p)
	for i := range p.Payload {
		p.Payload[i] = 'y'
	}
	return k
}

// intact reports whether the message is what keep made.
func intact(k *session.Kept) bool {
	p := &k.Publish
	return string(p.Topic) == "a/b" && strings.Count(string(p.Payload), "x") == len(p.Payload) && p.Properties.UserProperties.Len() == 1 && p.PacketID == 0 && !p.Dup
}

// A message stays as long as somebody needs it, and its memory is used again once
// nobody does, after Reclaim.
func TestKept(t *testing.T) {
	for _, size := range []int{0, 1, 100, 1023, 1024, 10000} {
		var sh session.Shared
		sh.Scrub()
		k := keep(&sh, size)
		view := k.View()
		view.Publish.Topic = view.Publish.Topic[2:]
		k.Release()
		sh.Reclaim()
		if !intact(k) || string(view.Publish.Topic) != "b" {
			t.Errorf("%d bytes: a view does not count: %v", size, &k.Publish)
		}
		view.Use()
		view.Release()
		sh.Reclaim()
		if !intact(k) {
			t.Errorf("%d bytes: Use does not count", size)
		}
		view.Release()
		if !intact(k) || keep(&sh, size) == k {
			t.Errorf("%d bytes: used again before Reclaim", size)
		}
		sh.Reclaim()
		if intact(k) {
			t.Errorf("%d bytes: not overwritten", size)
		}
		if again := keep(&sh, size); again != k || !intact(again) {
			t.Errorf("%d bytes: not used again: %v", size, &again.Publish)
		}
	}
}

// A message of the collector's is not overwritten, and what it was kept in is used
// again without it.
func TestKeptWrap(t *testing.T) {
	var sh session.Shared
	sh.Scrub()
	p := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: codec.Bytes("payload")}
	k := sh.Wrap(p)
	view := k.View()
	k.Release()
	sh.Reclaim()
	if string(k.Publish.Payload) != "payload" || string(view.Publish.Topic) != "a/b" {
		t.Errorf("a view does not count: %v", &k.Publish)
	}
	view.Release()
	sh.Reclaim()
	if string(p.Topic) != "a/b" || string(p.Payload) != "payload" {
		t.Errorf("overwritten: %v", p)
	}
	if k.Publish.Topic != nil || k.Publish.Payload != nil {
		t.Errorf("still referred to: %v", &k.Publish)
	}
	big := &codec.Publish{Topic: codec.Bytes("a/b"), Payload: make(codec.Bytes, 100)}
	k = sh.Wrap(big)
	s := connected(t, codec.V5, session.Config{Shared: &sh, ReferenceSize: 1})
	if _, err := s.PublishShared(start, &k.Publish, session.Delivery{Kept: k}); err != nil {
		t.Fatal(err)
	}
	drain(s)
	k.Release()
	sh.Reclaim()
	if sh.Wrap(big) != k {
		t.Error("not used again after a Write that refers to the payload")
	}
	var other session.Shared
	if n := testing.AllocsPerRun(100, func() {
		other.Wrap(p).Release()
		other.Reclaim()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Nobody may be given up twice.
func TestKeptReleasedTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	var sh session.Shared
	k := keep(&sh, 1)
	k.Release()
	k.Release()
}

// A session needs a message until it is acknowledged, a Write its payload for
// ever where it refers to it.
func TestKeptBySession(t *testing.T) {
	for qos := codec.QoS0; qos <= codec.QoS2; qos++ {
		for _, reference := range []int{50, 1000} {
			var sh session.Shared
			sh.Scrub()
			s := connected(t, codec.V5, session.Config{Shared: &sh, ReferenceSize: reference})
			k := keep(&sh, 100)
			view := k.View()
			k.Release()
			if _, err := s.PublishShared(start, &view.Publish, session.Delivery{QoS: qos, Kept: view}); err != nil {
				t.Fatal(err)
			}
			view.Release()
			sh.Reclaim()
			if qos > codec.QoS0 != intact(k) {
				t.Errorf("QoS %d: intact before its acknowledgement: %v", qos, intact(k))
			}
			var sent []byte
			for ev, ok := s.Next(); ok; ev, ok = s.Next() {
				if ev.Kind == events.Write {
					for _, b := range ev.Data {
						sent = append(sent, b...)
					}
				}
			}
			if !strings.HasSuffix(string(sent), strings.Repeat("x", 100)) {
				t.Errorf("QoS %d: sent %q", qos, sent)
			}
			if qos > codec.QoS0 {
				s.Receive(start, []byte{0x40 + byte(qos-1)<<4, 2, 0, 1}) // PUBACK or PUBREC
				drain(s)
			}
			sh.Reclaim()
			if intact(k) {
				t.Errorf("QoS %d: still there", qos)
			}
		}
	}
}

// What a burst needed is not kept for ever, and what is needed stays.
func TestKeptShrinks(t *testing.T) {
	var sh session.Shared
	before := heapInUse()
	var list []*session.Kept
	for range 4000 {
		list = append(list, keep(&sh, 700))
	}
	for _, k := range list {
		k.Release()
	}
	list = nil
	sh.Reclaim()
	full := heapInUse() - before
	for range 20 * 1024 {
		k := keep(&sh, 700)
		k.Release()
		sh.Reclaim()
	}
	if kept := heapInUse() - before; full < 2<<20 || full > 6<<20 || kept > 64<<10 {
		t.Errorf("%d bytes after a burst, %d later", full, kept)
	}
	p := &codec.Publish{Topic: codec.Bytes("a"), Payload: codec.Bytes("0123456789")}
	if n := testing.AllocsPerRun(100, func() {
		sh.Keep(p).Release()
		sh.Reclaim()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// heapInUse returns the bytes that are in use after a collection.
func heapInUse() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
