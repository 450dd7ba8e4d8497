package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"

	"github.com/mqttcore/mqttcore/examples/internal/driver"
)

// The waits between two attempts to connect.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
	shareOfLuck = 0.3
)

// usualInflight is -M where the broker cannot say how much it takes. Mosquitto's
// programs have it too, and its broker stalls beyond.
const usualInflight = 20

// Line is the client of a program with its driver. It tells the user how the
// connection goes.
type Line struct {
	*driver.Driver
	env     *Env
	flags   *Connection
	refused error // CONNACK said no

	// Connected tells whether the connection stands, Ever whether it ever did.
	Connected, Ever bool
	// Again tells whether to connect again when the connection is lost.
	Again bool
}

// Line returns the client that the flags describe. Whether Again is set or not,
// the first attempt is the only one: a wrong address should be told at once.
func (c *Connection) Line(env *Env, cfg client.Config) *Line {
	l := &Line{env: env, flags: c}
	env.Quiet = c.Quiet
	cfg.Connect = c.Connect()
	cfg.Session.Version = c.Version.Codec()
	cfg.Session.MaximumInflight = c.MaxInflight
	if c.MaxInflight == 0 && !c.Version.Codec().IsV5() {
		cfg.Session.MaximumInflight = usualInflight
	}
	if c.Keep && cfg.Session.State == nil {
		cfg.Session.State = session.NewState() // the broker may have one from before
	}
	if c.Debug {
		cfg.Session.Observe = observer(env)
	}
	cfg.Backoff = client.Backoff{Minimum: firstWait, Maximum: longestWait, Jitter: shareOfLuck, Random: rand.Float64}
	cfg.Retry = l.retry
	to := c.Transport()
	dial := func(ctx context.Context, server string) (net.Conn, error) {
		at := to.At(server)
		return at.Dial(ctx)
	}
	l.Driver = driver.New(client.New(cfg), driver.Options{Dial: dial})
	return l
}

// Subscribe adds filters to those that are subscribed to, with the properties of
// -D subscribe.
func (l *Line) Subscribe(now time.Time, filters ...codec.Subscription) error {
	p := l.flags.Properties.Subscribe
	o := client.SubscribeOptions{Identifier: p.SubscriptionIdentifier.Or(0), UserProperties: p.UserProperties}
	return l.Client.SubscribeWith(now, o, filters...)
}

// Unsubscribe takes filters off the broker, with the properties of -D unsubscribe.
func (l *Line) Unsubscribe(now time.Time, filters ...string) error {
	return l.Client.UnsubscribeWith(now, l.flags.Properties.Unsubscribe.UserProperties, filters...)
}

func (l *Line) retry(f client.Failure) bool {
	return l.Ever && l.Again && client.DefaultRetry(f)
}

// Start begins to connect.
func (l *Line) Start() error {
	if err := l.Client.Start(time.Now()); err != nil {
		return Usagef("CONNECT cannot be sent: %v", err)
	}
	return nil
}

// Note looks at an event. It is to be called with each, before anything else.
func (l *Line) Note(ev *client.Event) {
	switch ev.Kind {
	case client.Connected:
		if l.Ever {
			l.env.Complain("connected to %s again", l.flags.Address())
		}
		l.Connected, l.Ever, l.refused = true, true, nil
	case client.Refused:
		l.refused = Refused(l.flags.Address(), l.flags.Version.Codec(), ev.Packet.(*codec.Connack))
	case client.Close:
		l.Connected = false
	case client.Waiting:
		wait := time.Until(ev.Deadline).Round(time.Millisecond)
		l.env.Complain("%v; trying again in %v", l.explain(ev.Err), wait)
	}
}

// End explains why there is no further attempt, after Stopped.
func (l *Line) End(ev *client.Event) error {
	if l.refused != nil {
		return l.refused
	}
	return l.explain(ev.Err)
}

func (l *Line) explain(err error) error {
	var dial *driver.DialError
	var wrong *codec.Error
	switch {
	case l.refused != nil:
		return l.refused
	case errors.As(err, &dial):
		return Unreachable(l.flags.Address(), dial.Err)
	case errors.As(err, &wrong) && !l.Ever && errors.Is(err, session.ErrState):
		return Usagef("CONNECT cannot be sent: %v", err)
	}
	return Ended(l.flags.Address(), err, l.Ever)
}

// Stop ends the connection by DISCONNECT, or the attempts to make one.
func (l *Line) Stop(interrupted bool) {
	now := time.Now()
	if l.Client.Stop(now, l.flags.Disconnect(interrupted)) != nil {
		// Only if a limit of the broker forbids the properties.
		_ = l.Client.Stop(now, nil)
	}
}

// observer prints packets, without payloads and passwords.
func observer(env *Env) func(session.Observation) {
	var mu sync.Mutex // nothing of ours is called under it
	return func(o session.Observation) {
		direction := "sent"
		if o.In {
			direction = "received"
		}
		line := fmt.Sprintf("%s %s %v\n", time.Now().Format("15:04:05.000"), direction, o.Packet)
		mu.Lock()
		defer mu.Unlock()
		_, _ = env.Stderr.Write([]byte(line)) // there is nobody to tell
	}
}
