package broker_test

import (
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session/broker"
)

// admitting is a world whose driver is asked about CONNECT, with a client that has
// the session "c".
func admitting(t *testing.T) (w *world, old *client) {
	w = newWorld(t, broker.Config{Ask: broker.AskConnect})
	old = w.open(codec.V5)
	old.send(clean("c"))
	w.admit(old)
	old.expect("CONNACK 00 present=false")
	return w, old
}

func (w *world) admit(c *client) {
	w.b.Accept(w.now, c.h, broker.Admission{})
	w.drain()
}

// rival opens another connection for the session of admitting, with enhanced
// authentication.
func (w *world) rival() *client {
	c := w.open(codec.V5)
	p := clean("c")
	p.Properties.AuthenticationMethod = codec.Text("m")
	c.send(p)
	return c
}

// A client that has to send AUTH first is not let in by an answer that comes too
// early, and takes nothing over; the answer to its AUTH counts.
func TestAnswerBeforeAuth(t *testing.T) {
	step := &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}
	step.Properties.AuthenticationMethod = codec.Text("m")
	w, old := admitting(t)
	c := w.rival()
	if err := w.b.Authenticate(w.now, c.h, step); err != nil {
		t.Fatal(err)
	}
	w.admit(c)
	w.b.Refuse(w.now, c.h, codec.ReasonNotAuthorized)
	w.drain()
	c.expect("AUTH")
	if old.closed || c.closed {
		t.Fatalf("closed: old %v, new %v", old.closed, c.closed)
	}
	c.send(step)
	w.admit(c)
	c.expect("CONNACK 00 present=false")
	if !old.closed {
		t.Error("the session was not taken over")
	}
	// One that sends no AUTH is given up.
	c = w.rival()
	if err := w.b.Authenticate(w.now, c.h, step); err != nil {
		t.Fatal(err)
	}
	w.admit(c)
	if w.pass(time.Minute); !c.closed {
		t.Error("the wait for AUTH does not end")
	}
}

// A client that was let in, and waits for the end of the connection before, has no
// AUTH to send any more.
func TestAuthenticateAfterAccept(t *testing.T) {
	w, old := admitting(t)
	w.b.SetWriteBlocked(w.now, old.h, true)
	c := w.rival()
	w.b.Accept(w.now, c.h, broker.Admission{})
	if err := w.b.Authenticate(w.now, c.h, &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}); err == nil {
		t.Error("AUTH was sent")
	}
	w.drain()
	c.expect("CONNACK 00 present=false")
}

// A CONNACK that cannot be formed is a refusal also after AUTH.
func TestIllegalAdmissionAfterAuth(t *testing.T) {
	w, _ := admitting(t)
	c := w.rival()
	step := &codec.Auth{ReasonCode: codec.ReasonContinueAuthentication}
	step.Properties.AuthenticationMethod = codec.Text("m")
	if err := w.b.Authenticate(w.now, c.h, step); err != nil {
		t.Fatal(err)
	}
	w.drain()
	c.send(step)
	w.b.Accept(w.now, c.h, broker.Admission{ReasonString: "\x00"})
	w.drain()
	c.expect("AUTH", "CONNACK 80 present=false")
	if !c.closed {
		t.Error("not closed")
	}
}

// A client that was disconnected before it was let in takes nothing over.
func TestAcceptAfterDisconnect(t *testing.T) {
	w, old := admitting(t)
	for _, end := range []func(c *client){
		func(c *client) { w.b.Disconnect(w.now, c.h, codec.ReasonNotAuthorized) },
		func(c *client) { w.b.Refuse(w.now, c.h, codec.ReasonServerUnavailable) },
	} {
		c := w.rival()
		end(c)
		w.admit(c)
		c.expect("CONNACK 88 present=false")
		if old.closed || !c.closed {
			t.Errorf("closed: old %v, new %v", old.closed, c.closed)
		}
	}
}
