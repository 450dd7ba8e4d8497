package server

import (
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/mqttcore/mqttcore/codec"

	"github.com/mqttcore/mqttcore/examples/broker/internal/config"
	"github.com/mqttcore/mqttcore/examples/broker/internal/listen"
	"github.com/mqttcore/mqttcore/examples/internal/programtest"
)

// Garbage closes its own connection, with a reason in the log and without what
// it said.
func TestGarbage(t *testing.T) {
	r := start(t, nil, nil)
	good := r.enter("good")
	for _, tt := range []struct{ bytes, say string }{
		{"\x10\xff\xff\xff\xff\xff", "Malformed"},
		{"\x30\x05\x00\x01aXX", "before CONNECT"},
		{"\x10\x10\x00\x04MQTT\x05\xff\x00\x3c\x00\x00\x03sec\x00", "CONNECT"},
	} {
		c := r.dial()
		if _, err := c.Write([]byte(tt.bytes)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Errorf("%q: not closed: %v", tt.bytes, err)
		}
		r.log.await(t, tt.say)
	}
	if strings.Contains(r.log.String(), "sec\\x00") {
		t.Errorf("the log has what was sent:\n%s", r.log)
	}
	good.send(&codec.Pingreq{})
	good.expect(codec.TypePingresp)
}

// Whatever the broker does not let in is counted, and nothing else is.
func TestRefusedAreCounted(t *testing.T) {
	r := start(t, nil, nil)
	silent := r.dial()
	r.await(func() bool { return r.conn(silent).handle != 0 })
	r.await(func() bool {
		r.server.broker.Tick(time.Now().Add(2 * limit))
		return true
	})
	for _, bytes := range []string{
		"\x10\xff\xff\xff\xff\xff",
		"\x30\x05\x00\x01aXX",
		"\x10\x10\x00\x04MQTT\x06\x02\x00\x3c\x00\x00\x03abc",
		"\x10\x0c\x00\x04MQTT\x04\x00\x00\x3c\x00\x00",
	} {
		c := r.dial()
		_, _ = c.Write([]byte(bytes))
		_, _ = io.ReadAll(c)
	}
	gone := r.dial()
	gone.Close()
	in := r.enter("in")
	in.send(&codec.Publish{Topic: codec.Bytes("a"), QoS: codec.QoS1, PacketID: 1}, &codec.Connect{})
	_, _ = io.ReadAll(in)
	r.await(func() bool { return r.server.broker.Stats().Connections == 0 })
	st, err := r.server.Stats(t.Context())
	want := map[string]uint64{
		"CONNECT did not come in time": 1, "Malformed Packet": 1, "Protocol Error": 1,
		"Unsupported Protocol Version": 1, "Client Identifier not valid": 1,
	}
	if err != nil || !maps.Equal(st.Refused, want) {
		t.Errorf("%v %v, want %v", st.Refused, err, want)
	}
}

func TestConnectTimeout(t *testing.T) {
	r := start(t, nil, func(c *config.Config) { c.Limits.ConnectTimeout = 50 * time.Millisecond })
	if _, err := io.ReadAll(r.dial()); err != nil {
		t.Errorf("not closed: %v", err)
	}
	r.log.await(t, "CONNECT did not come")
}

// Connections beyond the bound are closed, and places come free again.
func TestMaxConnections(t *testing.T) {
	r := start(t, nil, func(c *config.Config) { c.Limits.Connections = 2 })
	a, b := r.enter("a"), r.enter("b")
	if got, _ := io.ReadAll(r.dial()); len(got) != 0 {
		t.Errorf("got % x", got)
	}
	r.log.await(t, "too many connections")
	a.send(&codec.Disconnect{})
	if _, err := a.r.ReadPacket(); err != io.EOF {
		t.Errorf("error %v", err)
	}
	a.Close()
	for end := time.Now().Add(limit); ; time.Sleep(time.Millisecond) {
		c := r.dial()
		buf, _ := (&codec.Connect{CleanStart: true, ClientID: codec.Bytes("c")}).AppendTo(nil, codec.V5)
		_, _ = c.Write(buf)
		if _, err := c.Read(buf); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the place does not come free")
		}
	}
	b.send(&codec.Pingreq{})
	b.expect(codec.TypePingresp)
}

// A subscriber that does not read holds up nobody, and is closed in the end.
func TestSlowReader(t *testing.T) {
	programtest.Patiently(t, 300*time.Millisecond, func(timeout time.Duration) error {
		r := start(t, nil, func(c *config.Config) { c.Limits.WriteTimeout, c.Limits.QueuedMessages = timeout, 10 })
		r.enter("slow").subscribe("big")
		fast, pub := r.enter("fast"), r.enter("pub")
		fast.subscribe("big")
		for range 60 {
			pub.send(&codec.Publish{Topic: codec.Bytes("big"), Payload: make([]byte, 1<<20)})
			if _, err := fast.r.ReadPacket(); err != nil {
				return err
			}
		}
		r.log.await(t, `client=slow error="the client took less than 64 KiB in the time for writing"`)
		return nil
	})
}

// A client that sends requests and reads no answers is not read from without
// end.
func TestRequestsWithoutReading(t *testing.T) {
	r := start(t, nil, func(c *config.Config) { c.Limits.WriteTimeout = 300 * time.Millisecond })
	c := r.enter("flood")
	good := r.enter("good")
	var b []byte
	for range 10000 {
		b, _ = (&codec.Pingreq{}).AppendTo(b, codec.V5)
	}
	var err error
	for err == nil {
		_, err = c.Write(b)
	}
	if isTimeout(err) {
		t.Error("it could send for ever")
	}
	r.log.await(t, "less than 64 KiB in the time for writing")
	good.send(&codec.Pingreq{})
	good.expect(codec.TypePingresp)
}

// Clients are told when the broker stops, and it ends within 2 s although one of
// them does not close.
func TestStop(t *testing.T) {
	r := start(t, nil, nil)
	c := r.enter("c")
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	if d := c.expect(codec.TypeDisconnect).(*codec.Disconnect); d.ReasonCode != codec.ReasonServerShuttingDown {
		t.Errorf("got %v", d)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if most := max(lingering, stopping); most >= 2*time.Second {
		t.Errorf("it may take %v", most)
	}
}

// connection_messages: who comes and goes is logged, or not; who is refused or
// thrown out is.
func TestConnectionMessages(t *testing.T) {
	for _, without := range []bool{false, true} {
		r := start(t, nil, func(c *config.Config) { c.Log.NoConnections = without })
		r.enter("gone").Close()
		leaving := r.enter("leaving")
		leaving.send(&codec.Disconnect{ReasonCode: codec.ReasonUnspecifiedError})
		_, _ = io.ReadAll(leaving)
		r.enter("taken")
		r.enter("taken")
		wrong := r.enter("wrong")
		wrong.send(&codec.Connect{})
		_, _ = io.ReadAll(wrong)
		stranger := r.dial()
		if _, err := stranger.Write([]byte("\x30\x05\x00\x01aXX")); err != nil {
			t.Fatal(err)
		}
		_, _ = io.ReadAll(stranger)
		r.await(func() bool { return r.server.broker.Stats().Connections == 1 }) // the one that took over
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		for text, always := range map[string]bool{
			"msg=connected": false, "client=gone error": false, "client=leaving error": false, `reason="Session taken over"`: false,
			"client=wrong reason": true, "before CONNECT": true,
		} {
			if got := strings.Contains(r.log.String(), text); got != (always || !without) {
				t.Errorf("without %v: %q: %v\n%s", without, text, got, r.log)
			}
		}
	}
}

// Of a connection on which nothing came the log does not say at the end that the
// client closed it.
func TestSilentAtTheEnd(t *testing.T) {
	r := start(t, nil, nil)
	silent := r.dial()
	r.await(func() bool { return r.conn(silent).handle != 0 })
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	want := `level=DEBUG msg="connection closed" address=` + silent.LocalAddr().String() + ` reason="Server shutting down"`
	if !strings.Contains(r.log.String(), want+"\n") {
		t.Errorf("no %s in\n%s", want, r.log)
	}
}

// Whoever is never let in cannot fill the log.
func TestFloodOfTheLog(t *testing.T) {
	r := start(t, nil, nil)
	began := time.Now()
	for range 200 {
		c := r.dial()
		if _, err := c.Write([]byte("\x30\x05\x00\x01aXX")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
	}
	seconds := int(time.Since(began)/time.Second) + 2 // that were begun
	if n := strings.Count(r.log.String(), "connection closed"); n == 0 || n > mostGrumbles*seconds {
		t.Errorf("%d lines in %d s", n, seconds)
	}
}

// A topic has its bound in bytes.
func TestTopicLength(t *testing.T) {
	r := start(t, nil, nil)
	c := r.enter("c")
	for size, want := range map[int]codec.ReasonCode{topicLength: codec.ReasonGrantedQoS0, topicLength + 1: codec.ReasonTopicFilterInvalid} {
		c.send(&codec.Subscribe{PacketID: 1, Filters: []codec.Subscription{{Filter: codec.Bytes(strings.Repeat("x", size))}}})
		if got := c.expect(codec.TypeSuback).(*codec.Suback); got.ReasonCodes[0] != want {
			t.Errorf("%d bytes: %v", size, got)
		}
	}
}

// Two Writes of a connection that may leave in the same round keep their order.
func TestTwoWritesInARound(t *testing.T) {
	r := start(t, nil, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	socket, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	in := &listen.Conn{Conn: socket, Listener: r.server.options.Listeners[0]}
	c := r.server.sockets.adopt(r.server, in)
	if c == nil {
		c = &newStream(r.server, in).conn
	}
	behind := make(chan bool, 1)
	r.server.ask(func() {
		c.unsent = 1
		c.letGo(outgoing{data: net.Buffers{[]byte("one ")}})
		c.unsent++
		c.letGo(outgoing{data: net.Buffers{[]byte("two")}})
		behind <- c.behind != nil
	})
	if !<-behind {
		t.Error("the second Write does not wait for the first one")
	}
	got := make([]byte, len("one two"))
	_ = client.SetReadDeadline(time.Now().Add(limit))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "one two" {
		t.Errorf("got %q %v", got, err)
	}
}

// One message reaches many at once, over as many processors as there are, and in
// order.
func TestFanOut(t *testing.T) {
	r := start(t, nil, nil)
	var subs []*peer
	for i := range 100 {
		p := r.enter(fmt.Sprint("sub", i))
		p.subscribe("a/#")
		subs = append(subs, p)
	}
	pub := r.enter("pub")
	for i := range 50 {
		pub.send(message(fmt.Sprint("a/", i), codec.QoS0, 0))
	}
	for _, p := range subs {
		for i := range 50 {
			if got := p.expect(codec.TypePublish).(*codec.Publish); string(got.Topic) != fmt.Sprint("a/", i) {
				t.Fatalf("got %v, want %d", got, i)
			}
		}
	}
}

// enter connects a client without a session of its own.
func (r *rig) enter(id string) *peer {
	r.t.Helper()
	p := r.dial()
	p.send(&codec.Connect{CleanStart: true, ClientID: codec.Bytes(id)})
	p.expect(codec.TypeConnack)
	return p
}
