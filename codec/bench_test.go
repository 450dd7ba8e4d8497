package codec_test

import (
	"testing"

	"github.com/mqttcore/mqttcore/codec"
)

// benchCase is one comparison. Each side gets the same bytes, or the packet that
// they stand for, and does its work n times; both find the packet's bounds, and
// both reuse their structs and buffers.
type benchCase struct {
	name     string
	wire     []byte
	packets  int // in wire
	mqttcore func(n int) error
	floor    func(n int) error
}

// side is one of those that a case compares.
type side struct {
	name string
	run  func(n int) error
}

// sides returns what is compared: the codec; the hand-written floor that judges
// strings by utf8.Valid and bytes.IndexByte; the same floor that judges them
// eight bytes at once, as the codec does; and the copying of the same bytes,
// below which no work on all of them can get.
func (c *benchCase) sides() []side {
	dst := make([]byte, len(c.wire))
	return []side{
		{"mqttcore", c.mqttcore},
		{"floor", func(n int) error {
			floorPlain = true
			defer func() { floorPlain = false }()
			return c.floor(n)
		}},
		{"tuned-floor", c.floor},
		{"memcpy", func(n int) error {
			for range n {
				copy(dst, c.wire)
			}
			return nil
		}},
	}
}

func (c *benchCase) bench(b *testing.B, s side) {
	b.ReportAllocs()
	b.SetBytes(int64(len(c.wire)))
	if err := s.run(b.N); err != nil {
		b.Fatal(err)
	}
	if c.packets > 1 {
		b.ReportMetric(float64(c.packets)*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
	}
}

func runBench(b *testing.B, cases []benchCase) {
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			for _, s := range c.sides() {
				b.Run(s.name, func(b *testing.B) { c.bench(b, s) })
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) { runBench(b, decodeCases()) }
func BenchmarkEncode(b *testing.B) { runBench(b, encodeCases()) }

// decodeCases reads one packet into a reused struct, or a stream of them. The
// loops are written out for each type, so that neither side pays for a call
// through an interface that a program which knows its packet would not make.
func decodeCases() []benchCase {
	return []benchCase{
		decodePublish("publish-64B", wirePublish(64), codec.V5),
		decodePublish("publish-64KiB", wirePublish(64<<10), codec.V5),
		decodePublish("publish-8MiB", wirePublish(8<<20), codec.V5),
		decodePublish("publish-v3.1.1", wirePublishV311, codec.V311),
		decodePublish("publish-7-properties", wirePublishProps, codec.V5),
		decodeConnect(),
		decodeConnack(),
		decodeSubscribe(),
		decodePuback(),
		decodeStream(),
	}
}

func decodePublish(name string, wire []byte, v codec.Version) benchCase {
	v5 := v.IsV5()
	return benchCase{name, wire, 1,
		func(n int) error {
			var p codec.Publish
			for range n {
				h, end, err := codec.Frame(wire, 0)
				if err != nil {
					return err
				}
				if err := p.Decode(h, wire[h.Len:end], v); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			var p floorPublish
			for range n {
				start, end, err := floorFrame(wire)
				if err != nil {
					return err
				}
				if err := p.decode(wire[0], wire[start:end], v5); err != nil {
					return err
				}
			}
			return nil
		}}
}

func decodeConnect() benchCase {
	wire := wireConnect
	return benchCase{"connect-will", wire, 1,
		func(n int) error {
			var p codec.Connect
			for range n {
				h, end, err := codec.Frame(wire, 0)
				if err != nil {
					return err
				}
				if err := p.Decode(h, wire[h.Len:end], codec.V5); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			var p floorConnect
			for range n {
				start, end, err := floorFrame(wire)
				if err != nil {
					return err
				}
				if err := p.decode(wire[0], wire[start:end]); err != nil {
					return err
				}
			}
			return nil
		}}
}

func decodeConnack() benchCase {
	wire := wireConnack
	return benchCase{"connack-10-properties", wire, 1,
		func(n int) error {
			var p codec.Connack
			for range n {
				h, end, err := codec.Frame(wire, 0)
				if err != nil {
					return err
				}
				if err := p.Decode(h, wire[h.Len:end], codec.V5); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			var p floorConnack
			for range n {
				start, end, err := floorFrame(wire)
				if err != nil {
					return err
				}
				if err := p.decode(wire[0], wire[start:end], true); err != nil {
					return err
				}
			}
			return nil
		}}
}

func decodeSubscribe() benchCase {
	wire := wireSubscribe
	return benchCase{"subscribe-8-filters", wire, 1,
		func(n int) error {
			var p codec.Subscribe
			for range n {
				h, end, err := codec.Frame(wire, 0)
				if err != nil {
					return err
				}
				if err := p.Decode(h, wire[h.Len:end], codec.V5); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			var p floorSubscribe
			for range n {
				start, end, err := floorFrame(wire)
				if err != nil {
					return err
				}
				if err := p.decode(wire[0], wire[start:end], true); err != nil {
					return err
				}
			}
			return nil
		}}
}

func decodePuback() benchCase {
	wire := wirePuback
	return benchCase{"puback", wire, 1,
		func(n int) error {
			var p codec.Puback
			for range n {
				h, end, err := codec.Frame(wire, 0)
				if err != nil {
					return err
				}
				if err := p.Decode(h, wire[h.Len:end], codec.V5); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			var p floorAck
			for range n {
				start, end, err := floorFrame(wire)
				if err != nil {
					return err
				}
				if err := p.decode(wire[0], wire[start:end], true); err != nil {
					return err
				}
			}
			return nil
		}}
}

func decodeStream() benchCase {
	wire := mixedWire()
	return benchCase{"stream-1000", wire, 1000,
		func(n int) error {
			var d codec.Decoder
			for range n {
				for rest := wire; len(rest) > 0; {
					h, end, err := codec.Frame(rest, 0)
					if err != nil {
						return err
					}
					if _, err := d.Decode(h, rest[h.Len:end], codec.V5); err != nil {
						return err
					}
					rest = rest[end:]
				}
			}
			return nil
		},
		func(n int) error {
			d := floorDecoder{v5: true}
			for range n {
				if _, err := d.stream(wire); err != nil {
					return err
				}
			}
			return nil
		}}
}

// encodeCases writes one packet, or a stream of them, into a buffer with room.
func encodeCases() []benchCase {
	return []benchCase{
		encode[codec.Publish]("publish-64B", wirePublish(64), &floorPublishOut{topic: []byte(benchTopic), payload: payload(64)}),
		encode[codec.Publish]("publish-7-properties", wirePublishProps, benchPublishOut()),
		encode[codec.Subscribe]("subscribe-8-filters", wireSubscribe, &floorSubscribeOut{id: 10, filters: benchFilterOut()}),
		encode[codec.Puback]("puback", wirePuback, &floorAckOut{first: 0x40, id: 0x1234}),
		encodeStream(),
	}
}

// encode compares on one packet. Both sides are called through an interface.
func encode[T any](name string, wire []byte, out floorOut) benchCase {
	p := mustDecode(wire)
	if _, ok := p.(any).(*T); !ok {
		panic(name + ": not the packet it is named after")
	}
	buf := make([]byte, 0, len(wire)+64)
	return benchCase{name, wire, 1,
		func(n int) error {
			for range n {
				if _, err := p.AppendTo(buf, codec.V5); err != nil {
					return err
				}
			}
			return nil
		},
		func(n int) error {
			for range n {
				if _, err := out.appendTo(buf, true); err != nil {
					return err
				}
			}
			return nil
		}}
}

func encodeStream() benchCase {
	wire, outs := mixedWire(), mixedOut()
	var packets []codec.Packet
	for rest := wire; len(rest) > 0; {
		p := mustDecode(rest)
		packets = append(packets, p)
		rest = rest[p.Size(codec.V5):]
	}
	buf := make([]byte, 0, len(wire)+64)
	return benchCase{"stream-1000", wire, len(packets),
		func(n int) (err error) {
			for range n {
				dst := buf
				for _, p := range packets {
					if dst, err = p.AppendTo(dst, codec.V5); err != nil {
						return err
					}
				}
			}
			return nil
		},
		func(n int) (err error) {
			for range n {
				dst := buf
				for _, p := range outs {
					if dst, err = p.appendTo(dst, true); err != nil {
						return err
					}
				}
			}
			return nil
		}}
}

// mustDecode returns the first packet of wire, which owns its bytes.
func mustDecode(wire []byte) codec.Packet {
	p, _, err := codec.Decode(wire, codec.V5)
	if err != nil {
		panic(err)
	}
	return codec.Clone(p)
}
