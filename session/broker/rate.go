package broker

import (
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

// Limits bounds what one client may take; 0 stands for no bound.
type Limits struct {
	// MaximumQoS, if set, is the highest QoS on offer. v5.0 clients are told;
	// one that goes beyond it is disconnected. (v5.0 3.2.2.3.4)
	MaximumQoS codec.Opt[codec.QoS]
	// MaximumSubscriptions bounds the subscriptions of a session.
	MaximumSubscriptions int
	// MessagesPerSecond bounds the PUBLISH packets of a client, BytesPerSecond
	// everything that it sends. The messages of one second may come at once.
	// Beyond that the input of the client pauses, see Broker.InputPaused;
	// nothing is lost.
	MessagesPerSecond, BytesPerSecond int
}

// burst is how far a client may be ahead of its rates.
const burst = time.Second

// rate measures what a client sends. Each of the times is that at which the
// client would have sent what it did, had it kept to its rate.
type rate struct {
	conn            *conn
	messages, bytes time.Time
	timer           timer // when its input goes on
}

// count adds n to what was sent under a rate per second.
func count(at *time.Time, now time.Time, n, perSecond int) {
	if at.Before(now) {
		*at = now
	}
	*at = at.Add(time.Duration(float64(n) / float64(perSecond) * float64(time.Second)))
}

// charge counts what a client sent.
func (b *Broker) charge(c *conn, messages, bytes int) {
	if l := c.limits; l.MessagesPerSecond <= 0 && l.BytesPerSecond <= 0 {
		return
	}
	if c.rate == nil {
		c.rate = &rate{conn: c}
		c.rate.timer.owner = c.rate
	}
	if most := c.limits.MessagesPerSecond; most > 0 && messages > 0 {
		count(&c.rate.messages, b.now, messages, most)
	}
	if most := c.limits.BytesPerSecond; most > 0 && bytes > 0 {
		count(&c.rate.bytes, b.now, bytes, most)
	}
}

// throttle pauses the input of a client that is ahead of its rates.
func (b *Broker) throttle(c *conn) {
	r := c.rate
	if r == nil || r.timer.place != 0 || c.gone || c.srv.Status() != session.StatusConnected {
		return
	}
	at := r.messages
	if r.bytes.After(at) {
		at = r.bytes
	}
	if at = at.Add(-burst); at.After(b.now) {
		b.timers.set(&r.timer, at)
		b.listen(c)
	}
}

// listen handles what a client sends, or lets it wait: it is ahead of its rates,
// the driver holds it, or has too much to answer.
func (b *Broker) listen(c *conn) {
	late := c.rate != nil && c.rate.timer.place != 0
	overasked := b.overasked(c)
	if b.crowded() && !c.gone && !c.crowded {
		c.crowded = true
		b.crowd = append(b.crowd, c.handle)
	}
	c.srv.HoldInput(b.now, overasked || !c.gone && (c.held || late))
	b.busy.push(c)
}
