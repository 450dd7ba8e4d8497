package server

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// No acknowledgement leaves before what it promises is durable, and what came
// meanwhile takes one commit together. Others are served.
func TestAcknowledgedAfterCommit(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, nil)
	sub, _ := r.connect("sub")
	sub.subscribe("a")
	pub, _ := r.connect("pub")
	other, _ := r.connect("other")
	open := st.shut()
	before := st.count()
	pub.send(message("a", codec.QoS1, 1))
	pub.silent()
	for id := range uint32(100) {
		pub.send(message("a", codec.QoS1, id+2))
	}
	pub.silent()
	sub.silent()
	open()
	for id := range uint32(101) {
		if got := pub.expect(codec.TypePuback).(*codec.Puback); got.PacketID != id+1 {
			t.Fatalf("got %v, want %d", got, id+1)
		}
	}
	for range 101 {
		sub.expect(codec.TypePublish)
	}
	other.send(&codec.Pingreq{})
	other.expect(codec.TypePingresp)
	if n := st.count() - before; n > 5 {
		t.Errorf("%d commits for 101 messages", n)
	}
}

// A store that fails stops acknowledgements, not the broker. It goes on when the
// store does.
func TestStoreFails(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, nil)
	sub, _ := r.connect("sub")
	sub.subscribe("a")
	pub, _ := r.connect("pub")
	st.fail(errors.New("no room"))
	pub.send(message("a", codec.QoS2, 1))
	r.log.await(t, "no room")
	pub.silent()
	if err := r.server.Ready(); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("ready: %v", err)
	}
	st.fail(nil)
	pub.expect(codec.TypePubrec)
	sub.expect(codec.TypePublish)
	if err := r.server.Ready(); err != nil {
		t.Errorf("ready: %v", err)
	}
	if st, err := r.server.Stats(t.Context()); err != nil || st.Store.Failures == 0 || st.Store.Commits == 0 {
		t.Errorf("%+v %v", st, err)
	}
}

// At the end a store that fails is told.
func TestStoreFailsAtTheEnd(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, nil)
	pub, _ := r.connect("pub")
	st.fail(errors.New("no room"))
	retained := message("a", codec.QoS1, 1)
	retained.Retain = true
	pub.send(retained)
	r.log.await(t, "no room")
	if err := r.stop(); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(r.log.String(), "did not close in time") {
		t.Errorf("it did not wait no longer than it may:\n%s", r.log)
	}
	r.stop = func() error { return nil }
}

// So is one that fails when nobody waits for it any more.
func TestStoreFailsAfterTheEnd(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, nil)
	pub := r.dial()
	pub.send(&codec.Connect{ClientID: codec.Bytes("pub"), CleanStart: true})
	pub.expect(codec.TypeConnack)
	open := st.shut()
	retained := message("a", codec.QoS1, 1)
	retained.Retain = true
	pub.send(retained)
	r.await(func() bool { return r.server.commits.busy })
	st.fail(errors.New("no room"))
	ended := make(chan error)
	go func() { ended <- r.stop() }()
	<-r.server.done
	open()
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("error %v", err)
	}
	r.stop = func() error { return nil }
}

// What was acknowledged is there after a restart: sessions, subscriptions,
// messages that wait, retained messages.
func TestRestart(t *testing.T) {
	folder := t.TempDir()
	st := openStore(t, folder)
	r := start(t, st, nil)
	sub, _ := r.connect("sub")
	sub.subscribe("a/#")
	sub.send(&codec.Disconnect{})
	pub, _ := r.connect("pub")
	retained := message("r", codec.QoS1, 1)
	retained.Retain = true
	pub.send(retained, message("a/1", codec.QoS1, 2), message("a/2", codec.QoS2, 3))
	pub.expect(codec.TypePuback)
	pub.expect(codec.TypePuback)
	pub.expect(codec.TypePubrec)
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}

	st = openStore(t, folder)
	defer st.Close()
	r = start(t, st, nil)
	defer r.stop() // before the store closes
	sub, ack := r.connect("sub")
	if !ack.SessionPresent {
		t.Error("the session is gone")
	}
	for _, topic := range []string{"a/1", "a/2"} {
		if got := sub.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != topic || got.QoS == 0 {
			t.Errorf("got %v, want %s", got, topic)
		}
	}
	sub.send(&codec.Subscribe{PacketID: 7, Filters: []codec.Subscription{{Filter: codec.Bytes("r")}}})
	sub.expect(codec.TypeSuback)
	if got := sub.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "r" || !got.Retain {
		t.Errorf("got %v", got)
	}
	pub, ack = r.connect("pub")
	if !ack.SessionPresent {
		t.Error("the session is gone")
	}
	pub.send(&codec.Pubrel{PacketID: 3})
	if got := pub.expect(codec.TypePubcomp).(*codec.Pubcomp); got.ReasonCode != codec.ReasonSuccess {
		t.Errorf("got %v", got)
	}
}

// While changes cannot be stored no more is read than fits.
func TestStoreStalls(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, func(c *config.Config) { c.Limits.InflightMessages = 65535 })
	sub, _ := r.connect("sub")
	sub.subscribe("a")
	sub.send(&codec.Disconnect{})
	pub, _ := r.connect("pub")
	open := st.shut()
	payload := make(codec.Bytes, 1<<20)
	const most = 200
	sent := make(chan int)
	go func() {
		n := 0
		for ; n < most; n++ {
			p := message("a", codec.QoS1, uint32(n+1))
			p.Payload = payload
			buf, _ := p.AppendTo(nil, codec.V5)
			_ = pub.SetWriteDeadline(time.Now().Add(time.Second))
			if _, err := pub.Write(buf); err != nil {
				break
			}
		}
		sent <- n
	}()
	if n := <-sent; n >= most {
		t.Errorf("%d MiB were taken while none could be stored", n)
	}
	open()
}

// While the broker reads from nobody, because changes cannot be stored, nobody
// counts as silent.
func TestKeepAliveWhileStoreStalls(t *testing.T) {
	st := newGatedStore(t)
	r := start(t, st, func(c *config.Config) { c.Limits.InflightMessages = 65535 })
	sub, _ := r.connect("sub")
	sub.subscribe("a")
	sub.send(&codec.Disconnect{})
	alive := r.dial()
	alive.send(&codec.Connect{ClientID: codec.Bytes("alive"), KeepAlive: 10})
	alive.expect(codec.TypeConnack)
	late := r.dial()
	pub, _ := r.connect("pub")
	open := st.shut()
	p := message("a", codec.QoS1, 1)
	p.Payload = make(codec.Bytes, mostOpen)
	pub.send(p) // is under way
	r.await(func() bool { return r.server.commits.busy })
	p.PacketID = 2
	pub.send(p)
	r.await(r.server.commits.full)

	alive.send(&codec.Pingreq{})
	late.send(&codec.Connect{ClientID: codec.Bytes("late")})
	r.await(func() bool { return r.conn(alive).eager && r.conn(late).eager })
	r.await(func() bool {
		r.server.broker.Tick(time.Now().Add(2 * limit))
		return true
	})
	open()
	pub.expect(codec.TypePuback)
	alive.expect(codec.TypePingresp)
	late.expect(codec.TypeConnack)
}
