package crashtest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/client"
)

// sharedFilter is a shared subscription to all messages of QoS 1.
const sharedFilter = "$share/workers/q1/#"

// shared is a shared subscription with a member that stays, and another one each
// round, which acknowledges nothing and whose session ends with the broker.
type shared struct {
	t     *testing.T
	at    *address
	stays *receiver
	mute  *actor
	lent  map[string]bool // what came to mute ones
}

func newShared(t *testing.T, at *address) *shared {
	return &shared{t: t, at: at, stays: newReceiver(t, at, codec.V5, "stays", codec.QoS1, sharedFilter), lent: make(map[string]bool)}
}

func (s *shared) begin(round int) {
	a := &actor{t: s.t, name: fmt.Sprint("mute", round), lossy: true, mute: true}
	a.on = func(ev client.Event) {
		if ev.Kind == client.Message {
			s.lent[string(ev.Publish.Payload)] = true
		}
	}
	a.start(s.at, codec.V311, func(c *codec.Connect) { c.CleanStart = true })
	a.call(func() { a.subscribe(codec.QoS1, sharedFilter) })
	s.mute = a
}

func (s *shared) end() { s.mute.stop() }

// check expects all messages of QoS 1 at the member that stays.
func (s *shared) check(publishers []*publisher) {
	if s.mute != nil && len(s.lent) == 0 {
		s.t.Error("no message of a shared subscription was lent to members that did not acknowledge it")
	}
	sent := 0
	for _, p := range publishers {
		if p.qos != codec.QoS1 {
			continue
		}
		sent += p.sent
		s.stays.await("everything of "+p.topic+" there", func() bool {
			n := 0
			for payload := range s.stays.seen {
				if strings.HasPrefix(payload, p.topic+" ") {
					n++
				}
			}
			return n == p.sent
		})
	}
	s.t.Logf("%d messages of a shared subscription, of which %d were lent to members that did not acknowledge them", sent, len(s.lent))
	s.stays.stop()
}
