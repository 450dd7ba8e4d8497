package client_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/events"
	"github.com/mqttcore/mqttcore/session"
	"github.com/mqttcore/mqttcore/session/client"
)

// serve moves events and bytes until nothing is left to do.
func (w *world) serve() {
	for busy := true; busy; {
		busy = false
		for ev, ok := w.c.Next(); ok; ev, ok = w.c.Next() {
			busy = true
			w.clear()
			w.onClient(ev)
		}
		w.clear()
		for w.up {
			ev, ok := w.s.Next()
			if !ok {
				break
			}
			busy = true
			w.onServer(ev)
		}
		if len(w.wire) > 0 {
			busy = true
			n := 1 + w.rng.IntN(len(w.wire))
			w.c.Receive(w.now, bytes.Clone(w.wire[:n]))
			w.wire = w.wire[n:]
		}
		if busy && w.up && !w.calm && w.chance(1) {
			w.cut()
		}
	}
	if d := w.c.Deadline(); !d.IsZero() && !d.After(w.now) {
		w.fault("deadline %v is not after %v", d, w.now)
	}
}

// clear marks the end of the deliveries within one call of Next.
func (w *world) clear() {
	for _, d := range w.downward {
		d.inside = false
	}
}

// cut ends the connection under both, with bytes on the way.
func (w *world) cut() {
	if !w.up {
		return
	}
	w.printf("cut")
	w.counts["cut"]++
	w.end()
	w.c.Closed(w.now, nil)
}

// end ends the connection of the server.
func (w *world) end() {
	if !w.up {
		return
	}
	w.s.Closed(w.now, nil)
	for w.up {
		ev, ok := w.s.Next()
		if !ok {
			break
		}
		w.onServer(ev)
	}
	w.up, w.wire = false, nil
}

func (w *world) onClient(ev client.Event) {
	switch ev.Kind {
	case client.Write:
		b := bytes.Join(ev.Data, nil)
		if !w.calm && w.chance(3) { // only a part arrives
			b = b[:w.rng.IntN(len(b))]
			defer w.cut()
		}
		if w.up {
			w.s.Receive(w.now, b)
		}
		return
	case client.Timer, client.Store, client.Discard:
		return
	}
	w.printf("%v", ev)
	switch ev.Kind {
	case client.Open:
		w.open()
	case client.Close:
		w.end()
	case client.Stopped:
		w.check(w.c.Start(w.now))
	case client.Published, client.Dropped:
		w.outcome(ev)
	case client.Orphaned:
		w.counts["orphaned"]++
		w.sent[ev.Token].orphaned = true
		if w.orphans == client.OrphansFail || w.orphans == client.OrphansRepublishQoS1 && ev.QoS == codec.QoS2 {
			w.fault("policy %d, and %v", w.orphans, ev)
		}
	case client.Message:
		w.counts["message to nobody"]++
		w.received(ev.Publish)
	case client.Response:
		w.answered(ev.Token, ev.Publish, ev.Err)
	case client.Stray:
		if ev.Late {
			w.counts["late"]++
		}
	case client.Subscribed:
		switch {
		case ev.Reason.IsError():
			w.counts["subscription refused"]++
		case ev.Restored:
			w.counts["subscription restored"]++
		}
	case client.Unsubscribed:
		w.counts["unsubscribed"]++
	}
}

func (w *world) open() {
	if w.c.Status() != client.StatusOpening {
		return // stopped meanwhile
	}
	if !w.calm && w.chance(15) {
		w.counts["openfail"]++
		w.c.OpenFailed(w.now, fmt.Errorf("no route"))
		return
	}
	w.end()
	w.s = session.NewServer(session.ServerConfig{Config: session.Config{Queue: session.QueueLimits{Messages: -1}}})
	w.s.Open(w.now)
	w.up = true
	w.check(w.c.Opened(w.now))
	w.c.SetWriteBlocked(w.now, false)
}

// outcome is that of a message of the client.
func (w *world) outcome(ev client.Event) {
	m := w.sent[ev.Token]
	if m == nil {
		w.fault("outcome of unknown message %d", ev.Token)
		return
	}
	m.outcomes++
	m.ok = ev.Kind == client.Published && !ev.Reason.IsError()
	if ev.Kind == client.Dropped {
		what := ev.Err.Error()
		if i := strings.LastIndex(what, ": "); i >= 0 {
			what = what[i+2:]
		}
		w.counts["dropped: "+what]++
	}
}

func (w *world) onServer(ev events.Event) {
	switch ev.Kind {
	case events.Write:
		w.wire = append(w.wire, bytes.Join(ev.Data, nil)...)
	case events.Close:
		w.up = false
		w.c.Receive(w.now, w.wire) // borrowed until Closed is served
		w.wire = nil
		w.c.Closed(w.now, nil)
	case events.Connect:
		w.connect()
	case events.Connected:
		if ev.SessionPresent() {
			w.counts["session went on"]++
		} else {
			clear(w.filters)
		}
	case events.SessionLost:
		w.counts["session lost"]++
	case events.Message:
		w.arrived(ev.Publish)
	case events.Published:
		if d := w.tokens[ev.Token]; d != nil {
			d.done = !ev.Reason.IsError()
		}
	case events.Subscribe:
		w.onSubscribe(ev.Packet.(*codec.Subscribe))
	case events.Unsubscribe:
		p := ev.Packet.(*codec.Unsubscribe)
		a := &codec.Unsuback{PacketID: p.PacketID}
		for _, f := range p.Filters {
			delete(w.filters, string(f))
			a.ReasonCodes = append(a.ReasonCodes, codec.ReasonSuccess)
		}
		w.check(w.s.Unsuback(w.now, a))
	}
}

// connect answers CONNECT.
func (w *world) connect() {
	if !w.calm {
		switch n := w.rng.IntN(100); {
		case n < 10:
			w.counts["refused"]++
			w.check(w.s.Refuse(w.now, &codec.Connack{ReasonCode: codec.ReasonServerUnavailable}))
			return
		case n < 15:
			w.counts["hang"]++
			return
		case n < 30 && w.state != nil:
			w.counts["session lost"]++
			w.state = nil
		}
	}
	a := &codec.Connack{}
	if w.version.IsV5() {
		a.Properties.ReceiveMaximum = codec.Some(uint16(1 + w.rng.IntN(5)))
		if w.chance(20) {
			a.Properties.SubscriptionIdentifierAvailable = codec.Some(uint8(0))
		}
	}
	if w.state != nil && w.state.Expired(w.now) {
		w.state = nil
	}
	if w.state == nil {
		clear(w.tokens)
	}
	w.check(w.s.Accept(w.now, a, w.state))
	w.state = w.s.State()
}

func (w *world) onSubscribe(p *codec.Subscribe) {
	a := &codec.Suback{PacketID: p.PacketID}
	for _, f := range p.Filters {
		code := codec.ReasonCode(f.QoS)
		for s, confirmed := range w.c.Subscriptions() {
			if confirmed && string(s.Filter) == string(f.Filter) {
				w.fault("confirmed, but sent again: %s", f.Filter)
			}
		}
		if !w.calm && w.chance(5) {
			code = codec.ReasonUnspecifiedError
			delete(w.filters, string(f.Filter))
		} else {
			w.filters[string(f.Filter)] = remote{f.QoS, p.Properties.SubscriptionIdentifier.Or(0)}
		}
		a.ReasonCodes = append(a.ReasonCodes, code)
	}
	w.check(w.s.Suback(w.now, a))
}

// arrived takes a message of the client.
func (w *world) arrived(p *codec.Publish) {
	m := w.byName[string(p.Payload)]
	if m == nil {
		w.fault("unknown message %q arrived", p.Payload)
		return
	}
	w.printf("arrived %s", p.Payload)
	if m.arrived++; m.arrived == 1 {
		if m.number < w.last {
			w.fault("message %d arrived after %d", m.number, w.last)
		}
		w.last = m.number
	}
	if topic, ok := p.Properties.ResponseTopic.Get(); ok {
		r := &codec.Publish{Topic: bytes.Clone(topic), Payload: bytes.Clone(p.Payload), QoS: codec.QoS(w.rng.IntN(3))}
		r.Properties.CorrelationData = codec.Some(codec.Bytes(bytes.Clone(p.Properties.CorrelationData.Value)))
		w.late = append(w.late, r)
		if w.chance(50) {
			w.answerLate()
		}
	}
}

// answerLate sends the oldest response that is due.
func (w *world) answerLate() {
	if len(w.late) == 0 {
		return
	}
	r := w.late[0]
	w.late = w.late[1:]
	if _, ok := w.filters[string(r.Topic)]; ok && w.s.Status() == session.StatusConnected {
		_, err := w.s.Publish(w.now, r)
		w.check(err)
	}
}

// send publishes a message of the server to the client, if that has subscribed.
func (w *world) send() {
	if !w.up || w.s.Status() != session.StatusConnected {
		return
	}
	w.number++
	p := &codec.Publish{Topic: codec.Bytes(w.topic()), Payload: codec.Bytes(fmt.Sprintf("s%d", w.number))}
	found := false
	var ids []uint32
	for f, r := range w.filters {
		if codec.Match(f, string(p.Topic)) {
			found = true
			p.QoS = max(p.QoS, r.qos)
			if r.id != 0 {
				ids = append(ids, r.id)
			}
		}
	}
	if !found {
		return
	}
	slices.Sort(ids)
	for _, id := range ids {
		p.Properties.SubscriptionIdentifiers.Add(id)
	}
	token, err := w.s.Publish(w.now, p)
	w.printf("send %s QoS %d %v: %v", p.Payload, p.QoS, ids, err)
	if err != nil {
		w.fault("send: %v", err)
		return
	}
	d := &delivery{qos: p.QoS}
	w.downward[string(p.Payload)] = d
	if p.QoS > 0 {
		w.tokens[token] = d
	}
}

// settle lets everything end with a network that works.
func (w *world) settle() {
	w.printf("settle")
	w.calm = true
	w.c.SetWriteBlocked(w.now, false)
	for range 40 {
		w.serve()
		w.pass(5 * time.Second)
	}
	w.serve()
}

// verify checks what holds in the end.
func (w *world) verify() {
	if w.c.Status() != client.StatusConnected {
		w.fault("status is %v", w.c.Status())
	}
	if s := w.c.Session(); s.Inflight()+s.Queued() != 0 {
		w.fault("%d in flight, %d queued", s.Inflight(), s.Queued())
	}
	if n := w.c.Leftovers(); n != 0 {
		w.fault("%d things are kept", n)
	}
	for token, m := range w.sent {
		switch {
		case m.outcomes != 1:
			w.fault("message %d has %d outcomes", token, m.outcomes)
		case m.ok && m.qos > 0 && m.arrived == 0:
			w.fault("message %d was published and did not arrive", token)
		case m.qos != codec.QoS1 && m.arrived > 1 && !m.orphaned:
			w.fault("message %d of QoS %d arrived %d times", token, m.qos, m.arrived)
		}
	}
	for token, state := range w.asked {
		if state != 2 {
			w.fault("request %d has not ended", token)
		}
	}
	for name, d := range w.downward {
		switch {
		case d.done && d.arrived == 0:
			w.fault("message %s of the server was acknowledged and did not arrive", name)
		case d.qos != codec.QoS1 && d.arrived > 1:
			w.fault("message %s of the server arrived %d times at QoS %d", name, d.arrived, d.qos)
		}
	}
	w.verifySet()
}

// verifySet compares the set of subscriptions with that at the server.
func (w *world) verifySet() {
	want := map[string]bool{}
	for s, confirmed := range w.c.Subscriptions() {
		want[string(s.Filter)] = true
		if r, ok := w.filters[string(s.Filter)]; !ok || r.qos != s.QoS || !confirmed {
			w.fault("subscription %v: server has %v, confirmed %v", s, r, confirmed)
		}
	}
	for f := range w.filters {
		if !want[f] {
			w.fault("the server has %q too", f)
		}
	}
}
