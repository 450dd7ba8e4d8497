package session

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
)

// timers are the instants from which the deadline follows. (v3.1.1 and v5.0
// 3.1.2.10)
type timers struct {
	// wait is what the state of the connection waits for: CONNECT, CONNACK or
	// AUTH, then PINGRESP, at the end the transport.
	wait     instant
	received instant // the last whole packet
	told     instant // the deadline of the last Timer event; 0 after Tick
	deaf     instant // since when the input is paused, 0 while it is not
}

// Deadline returns the time at which Tick is to be called next, zero for none.
// After Tick and pulling all events it lies in the future.
func (c *core) Deadline() time.Time { return c.timeOf(c.deadline()) }

func (c *core) deadline() instant {
	t := &c.timers
	var at instant
	sooner := func(i instant) {
		if i != 0 && (at == 0 || i < at) {
			at = i
		}
	}
	switch c.status {
	case StatusOpened, StatusConnecting, StatusAuthenticating:
		sooner(c.answerDue())
	case StatusConnected:
		if c.server {
			sooner(c.silence())
		} else {
			sooner(c.pingAt())
			sooner(c.pongDue())
		}
	case StatusClosing:
		if c.unsent() > 0 {
			sooner(t.wait)
		}
	}
	return at
}

// pingAt returns when a client that sends nothing has to send PINGREQ. The Keep
// Alive counts from the end of a packet. [MQTT-3.1.2-20] [v3.1.1 MQTT-3.1.2-23]
func (c *core) pingAt() instant {
	if c.sending != nil {
		return 0 // there is no room for it within a packet
	}
	every := time.Duration(c.limits.keepAlive) * time.Second
	if c.client.pingEvery > 0 && (every == 0 || c.client.pingEvery < every) {
		every = c.client.pingEvery
	}
	if every == 0 {
		return 0
	}
	return c.client.sent + instant(every)
}

// answerDue returns when a peer is given up whose CONNECT, CONNACK or AUTH did
// not come.
func (c *core) answerDue() instant {
	if c.held {
		return 0
	}
	return c.timers.wait
}

// silence returns when a server gives up a client from which nothing came: 1.5
// times the Keep Alive, up to 98,302.5 s. [MQTT-3.1.2-22]
// [v3.1.1 MQTT-3.1.2-24]
func (c *core) silence() instant {
	if c.limits.keepAlive == 0 {
		return 0
	}
	return c.missed(c.timers.received + instant(time.Duration(c.limits.keepAlive)*time.Second*3/2))
}

// pongDue returns when a client gives up a server whose PINGRESP did not come.
func (c *core) pongDue() instant { return c.missed(c.timers.wait) }

// missed returns when what has to come until the given time is missed: never as long
// as the input is paused, unless that began later.
func (c *core) missed(at instant) instant {
	if c.held || c.InputPaused() && at > c.timers.deaf {
		return 0
	}
	return at
}

// listens notes whether the peer is read from. The time in which it is not does not
// count as its silence, as nobody would notice what it sends.
func (c *core) listens() {
	t := &c.timers
	switch {
	case c.InputPaused():
		if t.deaf == 0 {
			t.deaf = c.now
		}
		return
	case t.deaf == 0:
		return
	}
	d := c.now - t.deaf
	t.deaf = 0
	t.received = min(t.received+d, c.now)
	if t.wait != 0 && c.status.live() {
		t.wait += d
		if c.server {
			t.wait = min(t.wait, c.after(c.cfg.connectTimeout))
		} else if c.status == StatusConnected {
			t.wait = min(t.wait, c.after(c.client.pongWait))
		}
	}
}

// Tick tells the time. It does what is due.
func (c *core) Tick(now time.Time) {
	c.setNow(now)
	c.timers.told = 0 // the driver's timer is used up, also where it was early
	c.listens()
	if c.acks.due {
		c.answer() // the message before was handled; nothing may follow DISCONNECT
	}
	due := func(i instant) bool { return i != 0 && i <= c.now }
	switch t := &c.timers; c.status {
	case StatusOpened, StatusConnecting, StatusAuthenticating:
		if due(c.answerDue()) {
			c.finishWith(codec.ReasonUnspecifiedError, c.timeoutError())
		}
	case StatusConnected:
		switch {
		case c.server && due(c.silence()):
			if c.version.IsV5() {
				c.tellReason(codec.ReasonKeepAliveTimeout)
			}
			c.finishWith(codec.ReasonKeepAliveTimeout, timedOut("nothing came for 1.5 times the Keep Alive"))
		case c.server:
		case due(c.pongDue()):
			c.finishWith(codec.ReasonKeepAliveTimeout, timedOut("PINGRESP did not come"))
		case due(c.pingAt()):
			c.ping()
		}
	case StatusClosing:
		if due(t.wait) {
			c.lost = true
			c.dropOutput()
		}
	}
}

func timedOut(detail string) error {
	return &Error{Op: "Tick", Err: ErrTimeout, Code: codec.ReasonKeepAliveTimeout, Detail: detail}
}

func (c *core) timeoutError() error {
	detail := "CONNECT did not come"
	switch {
	case c.status == StatusAuthenticating:
		detail = "AUTH did not come"
	case c.status == StatusConnecting:
		detail = "CONNACK did not come"
	}
	return &Error{Op: "Tick", Err: ErrTimeout, Code: codec.ReasonUnspecifiedError, Detail: detail}
}

// ping queues PINGREQ. Only the first of several without answer starts the
// wait.
func (c *core) ping() {
	if c.encode(&c.sh.pingreq) != nil {
		return
	}
	if c.sending != nil {
		c.sending.ping = true
		return
	}
	c.client.sent = c.now
	if c.timers.wait == 0 {
		c.timers.wait = c.after(c.client.pongWait)
	}
}

// heard notes that the peer is alive, so that a PINGRESP behind a large message
// is waited for.
func (c *core) heard() {
	if c.timers.wait != 0 && c.status == StatusConnected && !c.server {
		c.timers.wait = c.after(c.client.pongWait)
	}
}

// tellDeadline yields the deadline if it is earlier than what was told, or if
// that has passed. One that only moved back is not told, because it does so
// with nearly every packet: the timer that fires early costs one Tick.
func (c *core) tellDeadline(ev *events.Event) bool {
	c.listens()
	t := &c.timers
	at := c.deadline()
	passed := t.told != 0 && t.told <= c.now
	if at == 0 {
		if passed {
			t.told = 0
		}
		return false
	}
	if at == t.told || t.told != 0 && at > t.told && !passed {
		return false
	}
	t.told = at
	*ev = events.Event{Kind: events.Timer, Deadline: c.timeOf(at)}
	return true
}
