package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/mqttcore/mqttcore/codec"
)

// side is who sends.
type side int

const (
	client side = iota
	server
	nobody // is known to have sent the packets of a file
)

func (s side) other() side { return server - s }

func (s side) String() string { return [...]string{"client", "server", "sender"}[s] }

// of returns a version with the side that speaks it.
func (s side) of(v codec.Version) codec.Version {
	switch s {
	case client:
		return v.FromClient()
	case server:
		return v.FromServer()
	}
	return v
}

// connection is a connection that is looked at.
type connection struct {
	*inspector
	addresses [2]string // of both sides, empty for a file
	offsets   bool      // there is no time, but an offset
	id        string    // the client identifier
	version   codec.Version
	foreign   bool // it is not MQTT
	damaged   bool // a packet that may have secrets could not be read
	tracker   tracker
	carriers  [3]carrier
	kind      kind // of the carriers
	handshake
}

func newConnection(i *inspector) *connection {
	c := &connection{inspector: i}
	for s := range c.carriers {
		c.carriers[s] = carrier{c: c, from: side(s), mqtt: stream{c: c, from: side(s)}}
	}
	return c
}

// packet is what there is to say of a packet.
type packet struct {
	at     time.Time
	offset int // in the stream
	from   side
	v      codec.Version
	bytes  []byte // the packet, or its beginning
	size   int    // of the packet
	cut    bool   // it is too large to be kept
	root   *codec.Part
	body   codec.Packet // nil where it cannot be read
	faults []*codec.Error
	// damaged tells that it may be the rest of a packet that has secrets.
	damaged bool
	topic   string // of PUBLISH, also where an alias stands for it
}

// examine judges a packet and shows it.
func (c *connection) examine(p *packet) {
	if h, _, err := codec.Frame(p.bytes, 0); err == nil && h.Type == codec.TypeConnect && h.Len > 0 {
		c.introduced(p.bytes[h.Len:])
	}
	v := c.version
	if v == 0 {
		v = codec.V5 // which is as good as the other as long as it makes no difference
	}
	p.v = p.from.of(v)
	p.root = codec.Dissect(p.bytes, p.v)
	for _, part := range p.root.All() {
		if p.cut {
			part.Faults = withoutCut(part, len(p.bytes))
		}
		p.faults = append(p.faults, part.Faults...)
	}
	p.body = decoded(p)
	p.damaged = c.damaged
	c.note(p)
	if p.from != nobody {
		p.faults = append(p.faults, c.tracker.judge(p)...)
	}
	c.show(c, p)
}

// decoded returns a packet as far as its structure allows, and nil otherwise. Of
// a cut one that is a PUBLISH with the beginning of its payload.
func decoded(p *packet) codec.Packet {
	h, n, err := codec.Frame(p.bytes, 0)
	if err != nil {
		return nil
	}
	body := codec.NewPacket(h.Type)
	if body == nil || n == 0 && !(p.cut && h.Type == codec.TypePublish) {
		return nil
	}
	h.Remaining = len(p.bytes) - h.Len
	if body.DecodeLoose(h, p.bytes[h.Len:], p.v) != nil {
		return nil
	}
	return body
}

// withoutCut returns the faults of a part without those that it has because only
// the first bytes of the packet were kept.
func withoutCut(part *codec.Part, held int) (faults []*codec.Error) {
	for _, err := range part.Faults {
		if part.Name != "Remaining Length" && part.Offset+part.Len < held {
			faults = append(faults, err)
		}
	}
	return faults
}

// mayHaveSecrets reports whether packets of this type can have user names,
// passwords or authentication data.
func mayHaveSecrets(p *packet) bool {
	switch codec.PacketType(p.bytes[0] >> 4) {
	case codec.TypeConnect, codec.TypeConnack, codec.TypeAuth, 0:
		return true
	}
	return false
}

// introduced takes the version of CONNECT over.
func (c *connection) introduced(body []byte) {
	v, err := codec.DetectVersion(body)
	switch {
	case err == nil:
		c.version = v
	case bytes.HasPrefix(body, []byte("\x00\x06MQIsdp")):
		c.version = codec.V311 // of which MQTT 3.1 is the predecessor
	}
}

// note takes over what is to be known of a packet and its connection.
func (c *connection) note(p *packet) {
	switch body := p.body.(type) {
	case nil:
		// What follows may be the rest of it.
		c.damaged = c.damaged || mayHaveSecrets(p)
	case *codec.Publish:
		p.topic = string(body.Topic)
	case *codec.Connect:
		c.id = string(body.ClientID)
	case *codec.Connack:
		if id, ok := body.Properties.AssignedClientIdentifier.Get(); ok {
			c.id = string(id)
		}
	}
}

// guess finds the version out of packets, where no CONNECT told it: the one that
// they fit better.
func (c *connection) guess(b []byte, from side, at time.Time) {
	first, _, _ := codec.Frame(b, 0)
	if c.version != 0 || first.Type == codec.TypeConnect {
		return
	}
	n311, n5 := faultsIn(b, from.of(codec.V311)), faultsIn(b, from.of(codec.V5))
	switch {
	case n311 < n5:
		c.version = codec.V311
	case n5 < n311:
		c.version = codec.V5
	default:
		return
	}
	c.say(c, at, fmt.Sprintf("no CONNECT tells the version; it is guessed to be %v, which the packets fit better", c.version))
}

// faultsIn tells how badly the packets that b has whole fit a version: 0 if all
// are legal, and more for one that cannot be read than for one that is illegal.
func faultsIn(b []byte, v codec.Version) (sum int) {
	for {
		h, n, err := codec.Frame(b, 0)
		if err != nil || n == 0 {
			return sum
		}
		body := b[h.Len:n:n]
		switch p := codec.NewPacket(h.Type); {
		case p == nil || p.DecodeLoose(h, body, v) != nil:
			sum += 2
		case p.Decode(h, body, v) != nil:
			sum++
		}
		b = b[n:]
	}
}

// breaks shows what breaks a rule outside of packets; rule is empty for one of
// WebSocket itself.
func (c *connection) breaks(at time.Time, from side, what, rule, detail string) {
	v := c.version
	if v == 0 {
		v = codec.V5 // these rules are the same in both
	}
	c.showBreach(c, &breach{at: at, from: from, what: what, fault: &codec.Error{
		Version: v.Base(), Offset: -1, Rule: rule, Code: codec.ReasonProtocolError, Detail: detail, Err: codec.ErrProtocol,
	}})
}

// breach is a fault of what carries packets.
type breach struct {
	at    time.Time
	from  side
	what  string // breaks the rule
	fault *codec.Error
}

// turnAway tells that a connection is none of MQTT.
func (c *connection) turnAway(at time.Time, name string) {
	c.foreign = true
	c.say(c, at, "not MQTT but "+name)
}

// otherProtocol names what begins with b and is not MQTT, or returns "".
func otherProtocol(b []byte) string {
	for _, known := range []struct{ begin, name string }{
		{"\x16\x03", "TLS"}, {"POST ", "HTTP"}, {"HEAD ", "HTTP"}, {"PUT ", "HTTP"}, {"OPTIONS ", "HTTP"}, {"SSH-", "SSH"},
		{"PROXY ", "the PROXY protocol"}, {"\r\n\r\n\x00\r\nQUIT\n", "the PROXY protocol"},
	} {
		if bytes.HasPrefix(b, []byte(known.begin)) {
			return known.name
		}
	}
	return ""
}
