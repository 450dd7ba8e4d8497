package session

import (
	"log/slog"

	"github.com/mqttcore/mqttcore/codec"
)

// Observation is a packet that came in or goes out. It is borrowed: nothing of
// it may be kept after the observer returns. Incoming packets are seen once
// they were decoded, outgoing ones when they join the output.
type Observation struct {
	// In tells an incoming packet from an outgoing one.
	In bool
	// Packet is the packet.
	Packet codec.Packet
	// Bytes is its encoded form, and Payload what follows it where the
	// payload is not copied.
	Bytes, Payload []byte
	// Rest is the length of a payload that comes or goes in pieces. The
	// pieces themselves are not seen.
	Rest int
}

// LogValue returns the observation without payloads and credentials.
func (o Observation) LogValue() slog.Value {
	direction := "out"
	if o.In {
		direction = "in"
	}
	return slog.GroupValue(
		slog.String("direction", direction),
		slog.Int("size", len(o.Bytes)+len(o.Payload)+o.Rest),
		slog.Any("packet", o.Packet),
	)
}

func (c *core) observe(in bool, p codec.Packet, b, payload []byte) {
	c.cfg.Observe(Observation{In: in, Packet: p, Bytes: b, Payload: payload})
}

// observeHead shows a packet whose payload goes in pieces.
func (c *core) observeHead(in bool, p codec.Packet, b []byte, rest int) {
	c.cfg.Observe(Observation{In: in, Packet: p, Bytes: b, Rest: rest})
}
