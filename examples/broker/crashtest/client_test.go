package crashtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/driver"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// address is where the broker listens at present.
type address struct{ atomic.Pointer[string] }

func (a *address) dial(ctx context.Context, _ string) (net.Conn, error) {
	at := a.Load()
	if at == nil {
		return nil, errors.New("the broker is not there")
	}
	return new(net.Dialer).DialContext(ctx, "tcp", *at)
}

// actor is a client with a session of its own, which lives as long as the test
// and connects again and again. Its functions run on its goroutine.
type actor struct {
	t      *testing.T
	name   string
	client *client.Client
	driver *driver.Driver
	do     chan func()
	over   chan struct{}

	on    func(client.Event) // sees what happens
	idle  func()             // is called when nothing is due
	lossy bool               // the session is allowed to be new
	mute  bool               // it acknowledges nothing

	known     bool // the broker said that it has the session
	connected bool
}

const (
	expiry = 3600 // seconds
	limit  = programtest.Limit
)

// start starts an actor. Change may change its CONNECT.
func (a *actor) start(at *address, version codec.Version, change func(*codec.Connect)) {
	connect := &codec.Connect{ClientID: codec.Bytes(a.name), KeepAlive: 60}
	if version == codec.V5 {
		connect.Properties.SessionExpiryInterval = codec.Some(uint32(expiry))
	}
	if change != nil {
		change(connect)
	}
	a.client = client.New(client.Config{
		Session: session.ClientConfig{Version: version, Config: session.Config{ManualAck: a.mute, Queue: session.QueueLimits{Messages: -1}}},
		Connect: connect,
		Backoff: client.Backoff{Minimum: 2 * time.Millisecond, Maximum: 10 * time.Millisecond},
		Retry:   func(client.Failure) bool { return true },
	})
	a.restart(at)
}

// restart starts an actor that was stopped.
func (a *actor) restart(at *address) {
	a.driver = driver.New(a.client, driver.Options{Dial: at.dial})
	a.do, a.over = make(chan func()), make(chan struct{})
	if err := a.client.Start(time.Now()); err != nil {
		a.t.Fatal(err)
	}
	go a.run()
}

func (a *actor) run() {
	defer close(a.over)
	for {
		for ev := range a.driver.Events() {
			if ev.Kind == client.Stopped {
				a.driver.Close(limit)
				return
			}
			a.see(ev)
		}
		if a.idle != nil {
			a.idle()
		}
		select {
		case h := <-a.driver.Happened():
			a.driver.Handle(h)
		case f := <-a.do:
			f()
		}
	}
}

// see checks that the session lives, and passes an event on.
func (a *actor) see(ev client.Event) {
	switch ev.Kind {
	case client.Connected:
		if a.known && !ev.SessionPresent() && !a.lossy {
			a.t.Errorf("%s: the broker has lost the session", a.name)
		}
		a.known, a.connected = true, true
	case client.Close:
		a.connected = false
	case client.SessionLost, client.Dropped, client.Refused:
		if !a.lossy {
			a.t.Errorf("%s: %v", a.name, ev)
		}
	case client.Disconnected:
		a.t.Logf("%s: %v", a.name, ev)
	}
	if a.on != nil {
		a.on(ev)
	}
}

// call runs f on the goroutine of the actor and waits for it.
func (a *actor) call(f func()) {
	done := make(chan struct{})
	select {
	case a.do <- func() { f(); close(done) }:
		<-done
	case <-a.over:
		a.t.Errorf("%s has ended", a.name)
	}
}

// await waits until a condition holds, of which f tells on the goroutine of the
// actor.
func (a *actor) await(what string, f func() bool) {
	a.t.Helper()
	for end := time.Now().Add(limit); ; time.Sleep(5 * time.Millisecond) {
		var ok bool
		a.call(func() { ok = f() })
		if ok {
			return
		}
		if time.Now().After(end) {
			a.t.Fatalf("%s: not %s within %v", a.name, what, limit)
		}
	}
}

func (a *actor) stop() {
	a.call(func() {
		if err := a.client.Stop(time.Now(), nil); err != nil {
			a.t.Error(err)
		}
	})
	<-a.over
}

func (a *actor) subscribe(qos codec.QoS, filters ...string) {
	for _, f := range filters {
		if err := a.client.Subscribe(time.Now(), nil, codec.Subscription{Filter: codec.Bytes(f), QoS: qos}); err != nil {
			a.t.Error(err)
		}
	}
}

// publish sends a message and returns its token.
func (a *actor) publish(topic, payload string, qos codec.QoS, retain bool) uint64 {
	token, err := a.client.Publish(time.Now(), &codec.Publish{Topic: codec.Bytes(topic), Payload: codec.Bytes(payload), QoS: qos, Retain: retain})
	if err != nil {
		a.t.Error(err)
	}
	return token
}

// publisher sends numbered messages to a topic, as fast as they are
// acknowledged.
type publisher struct {
	actor
	topic   string
	qos     codec.QoS
	retain  int // so many retained topics below topic, in turn; 0 for none
	window  int
	padding string

	pause       bool
	sent, acked int
	numbers     map[uint64]int // by token
	last        map[string]int // number last acknowledged, by topic
}

func newPublisher(t *testing.T, at *address, version codec.Version, topic string, qos codec.QoS, window, retain int) *publisher {
	p := &publisher{topic: topic, qos: qos, window: window, retain: retain, numbers: make(map[uint64]int), last: make(map[string]int)}
	p.actor = actor{t: t, name: topic, on: p.saw, idle: p.fill}
	p.start(at, version, nil)
	return p
}

func (p *publisher) at(n int) string {
	if p.retain == 0 {
		return p.topic
	}
	return fmt.Sprint(p.topic, "/", n%p.retain)
}

func (p *publisher) fill() {
	for !p.pause && len(p.numbers) < p.window {
		token := p.publish(p.at(p.sent), fmt.Sprintf("%s %d %s", p.topic, p.sent, p.padding), p.qos, p.retain > 0)
		p.numbers[token] = p.sent
		p.sent++
	}
}

func (p *publisher) saw(ev client.Event) {
	if ev.Kind != client.Published {
		return
	}
	n, ok := p.numbers[ev.Token]
	// A PUBREL that is sent again may find that the exchange was over.
	// (v5.0 3.7.2.1)
	over := p.qos == codec.QoS2 && ev.Reason == codec.ReasonPacketIdentifierNotFound
	if !ok || ev.Reason >= 0x80 && !over {
		p.t.Errorf("%s: outcome %v", p.name, ev)
	}
	delete(p.numbers, ev.Token)
	p.acked++
	p.last[p.at(n)] = n
}

// drain waits until everything that was sent is acknowledged.
func (p *publisher) drain() {
	p.t.Helper()
	p.call(func() { p.pause = true })
	p.await("everything acknowledged", func() bool { return len(p.numbers) == 0 })
}

// receiver has subscriptions and counts what comes, by payload.
type receiver struct {
	actor
	order   []string
	seen    map[string]int
	granted map[string]bool
	when    map[string]time.Time
}

func newReceiver(t *testing.T, at *address, version codec.Version, name string, qos codec.QoS, filters ...string) *receiver {
	r := &receiver{seen: make(map[string]int), granted: make(map[string]bool), when: make(map[string]time.Time)}
	r.actor = actor{t: t, name: name, on: r.saw}
	r.start(at, version, nil)
	r.call(func() { r.subscribe(qos, filters...) })
	r.await("subscribed", func() bool { return len(r.granted) == len(filters) })
	return r
}

func (r *receiver) saw(ev client.Event) {
	switch ev.Kind {
	case client.Subscribed:
		if ev.Reason >= 0x80 || ev.Restored {
			r.t.Errorf("%s: %v", r.name, ev)
		}
		r.granted[ev.Filter] = true
	case client.Unsubscribed:
		delete(r.granted, ev.Filter)
	case client.Message:
		payload := string(ev.Publish.Payload)
		if r.seen[payload]++; r.seen[payload] == 1 {
			r.order = append(r.order, payload)
			r.when[payload] = time.Now()
		}
	}
}
