package cli

import (
	"bytes"

	"github.com/mqttcore/mqttcore/codec"
)

// outgoing returns what puts the properties of -D subscribe and -D unsubscribe
// into the packets on their way out, or nil if there are none. A client.Client
// makes these packets itself, again and again, and knows filters only.
func (p *Properties) outgoing(v codec.Version) func([][]byte) [][]byte {
	if !p.has("subscribe") && !p.has("unsubscribe") {
		return nil
	}
	return func(data [][]byte) [][]byte {
		return [][]byte{p.rewrite(bytes.Join(data, nil), v.FromClient())}
	}
}

// rewrite returns whole packets with the properties put in.
func (p *Properties) rewrite(in []byte, v codec.Version) (out []byte) {
	for len(in) > 0 {
		h, n, err := codec.Frame(in, 0)
		if err != nil || n == 0 {
			return append(out, in...) // cannot be: a Write has whole packets
		}
		frame := in[:n]
		in = in[n:]
		if more, ok := p.complete(h, frame, v); ok {
			frame = more
		}
		out = append(out, frame...)
	}
	return out
}

// complete returns a SUBSCRIBE or UNSUBSCRIBE with its properties.
func (p *Properties) complete(h codec.Header, frame []byte, v codec.Version) ([]byte, bool) {
	var packet codec.Packet
	switch h.Type {
	case codec.TypeSubscribe:
		packet = new(codec.Subscribe)
	case codec.TypeUnsubscribe:
		packet = new(codec.Unsubscribe)
	default:
		return nil, false
	}
	if packet.Decode(h, frame[h.Len:], v) != nil {
		return nil, false
	}
	switch q := packet.(type) {
	case *codec.Subscribe:
		q.Properties = p.Subscribe
	case *codec.Unsubscribe:
		q.Properties = p.Unsubscribe
	}
	b, err := packet.AppendTo(nil, v)
	return b, err == nil
}
