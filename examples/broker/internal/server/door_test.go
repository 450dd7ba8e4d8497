package server

import (
	"path/filepath"
	"testing"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
)

// house is a folder with a store, Unix sockets and rules for each of them.
type house struct{ folder string }

func newHouse(t *testing.T) house {
	h := house{t.TempDir()}
	for _, topics := range []string{"a", "b"} {
		write(t, h.path("acl-"+topics), "topic readwrite "+topics+"/#\n")
	}
	return h
}

func (h house) path(name string) string { return filepath.Join(h.folder, name) }

// listener is a socket whose clients may read and write the topics below a or b.
type listener struct{ socket, topics string }

// open runs a server until done is called. Stored clients are told by the names
// that the listeners have then, if there are any.
func (h house) open(t *testing.T, listeners []listener, names ...string) (r *rig, done func()) {
	t.Helper()
	st := openStore(t, h.path("store"))
	r = start(t, st, func(c *config.Config) {
		c.CheckRetainSource, c.Listeners = true, nil
		for _, l := range listeners {
			a := &config.Access{AllowAnonymous: true, ACLFile: h.path("acl-" + l.topics)}
			c.Listeners = append(c.Listeners, &config.Listener{Network: "unix", Address: h.path(l.socket), Access: a, MaximumQoS: 2})
		}
	})
	renamed := make(chan struct{})
	r.server.ask(func() {
		for i, name := range names {
			r.server.doors[r.server.options.Listeners[i]].endpoint.Name = name
		}
		close(renamed)
	})
	<-renamed
	return r, func() {
		t.Helper()
		if err := r.stop(); err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}
}

// enter connects a client by one of the sockets.
func (h house) enter(r *rig, socket, id string) (*peer, *codec.Connack) {
	r.t.Helper()
	p := r.dialAt("unix", h.path(socket))
	return p, p.connect(id)
}

// What is stored goes by the rules of the listener that it came by, wherever it
// stands in the configuration. Where that is no more, nothing is lost.
func TestListenersMove(t *testing.T) {
	for name, tt := range map[string]struct {
		names []string // in the first run, if other than usual
		later []listener
		by    string // socket whose clients may use a, then
	}{
		"another before":      {nil, []listener{{"new", "b"}, {"one", "a"}, {"two", "b"}}, "one"},
		"swapped":             {nil, []listener{{"two", "b"}, {"one", "a"}}, "one"},
		"gone":                {nil, []listener{{"two", "b"}, {"new", "a"}}, "new"},
		"gone, one left":      {nil, []listener{{"new", "a"}}, "new"},
		"of earlier versions": {[]string{"listener 1", "listener 2"}, []listener{{"two", "b"}, {"one", "a"}}, "one"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			r, done := h.open(t, []listener{{"one", "a"}, {"two", "b"}}, tt.names...)
			sub, _ := h.enter(r, "one", "sub")
			sub.subscribe("a/#")
			sub.send(&codec.Disconnect{})
			pub, _ := h.enter(r, "one", "pub")
			pub.publish("a/kept", true)
			pub.Close()
			done()

			r, done = h.open(t, tt.later)
			defer done()
			pub, _ = h.enter(r, tt.by, "pub")
			if code := pub.publish("a/waits", false); code != codec.ReasonSuccess {
				t.Errorf("published with %v", code)
			}
			sub, ack := h.enter(r, tt.by, "sub")
			if !ack.SessionPresent {
				t.Error("the session is gone")
			}
			for _, want := range []string{"a/kept", "a/waits"} {
				if got := sub.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != want {
					t.Errorf("got %s, want %s", got.Topic, want)
				}
			}
			other, _ := h.enter(r, tt.by, "other")
			other.subscribe("a/#")
			if got := other.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "a/kept" || !got.Retain {
				t.Errorf("got %s, want what is retained", got.Topic)
			}
		})
	}
}

// What waits for a client whose listener is no more is kept from it by the rules
// of the one by which it comes back.
func TestListenerGoneRulesStay(t *testing.T) {
	h := newHouse(t)
	r, done := h.open(t, []listener{{"one", "a"}, {"two", "b"}})
	sub, _ := h.enter(r, "one", "sub")
	sub.subscribe("#")
	sub.send(&codec.Disconnect{})
	done()
	r, done = h.open(t, []listener{{"two", "b"}, {"new", "a"}})
	defer done()
	for socket, topic := range map[string]string{"two": "b/1", "new": "a/1"} {
		pub, _ := h.enter(r, socket, "pub by "+socket)
		if code := pub.publish(topic, false); code != codec.ReasonSuccess {
			t.Errorf("%s: published with %v", topic, code)
		}
	}
	sub, _ = h.enter(r, "two", "sub")
	if got := sub.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != "b/1" {
		t.Errorf("got %s", got.Topic)
	}
	sub.silent()
}

// Where all listeners have the same rules, these hold for what came by another
// one too.
func TestListenerGoneSameRules(t *testing.T) {
	h := newHouse(t)
	r, done := h.open(t, []listener{{"one", "b"}})
	pub, _ := h.enter(r, "one", "pub")
	pub.publish("b/kept", true)
	pub.Close()
	done()
	r, done = h.open(t, []listener{{"two", "b"}, {"three", "b"}})
	defer done()
	sub, _ := h.enter(r, "two", "sub")
	sub.subscribe("#")
	sub.expect(codec.TypePublish)
	write(t, h.path("acl-b"), "topic read b/#\n")
	if err := r.server.Reload(); err != nil {
		t.Fatal(err)
	}
	sub, _ = h.enter(r, "three", "another")
	sub.subscribe("#")
	sub.silent()
}
