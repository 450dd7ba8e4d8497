package main

import (
	"bytes"
	"errors"
	"io"

	"github.com/mqttcore/mqttcore/codec"
	"github.com/mqttcore/mqttcore/session"
)

var (
	_ = session.NewClient
	_ = session.NewServer
)

func ours() *library {
	return &library{
		name:     "mqttcore",
		module:   "github.com/mqttcore/mqttcore",
		versions: []byte{v311, v5},
		client:   "session.NewClient",
		server:   "session.NewServer",
		protocol: "github.com/mqttcore/mqttcore/session",

		decode: func(version byte, wire []byte) func(int) error {
			v := codec.Version(version)
			return func(n int) error {
				var d codec.Decoder
				for range n {
					for rest := wire; len(rest) > 0; {
						h, end, err := codec.Frame(rest, 0)
						if err != nil {
							return err
						}
						if _, err := d.Decode(h, rest[h.Len:end], v); err != nil {
							return err
						}
						rest = rest[end:]
					}
				}
				return nil
			}
		},

		encode: func(version byte, wire []byte) (func(int) ([]byte, error), error) {
			v := codec.Version(version)
			packets, err := decodeAll(v, wire)
			if err != nil {
				return nil, err
			}
			buf := make([]byte, 0, len(wire)+64)
			return func(n int) (_ []byte, err error) {
				var dst []byte
				for range n {
					dst = buf
					for _, p := range packets {
						if dst, err = p.AppendTo(dst, v); err != nil {
							return nil, err
						}
					}
				}
				return dst, nil
			}, nil
		},

		check: func(version byte, _ bool, wire []byte) error {
			_, err := decodeAll(codec.Version(version), wire)
			return err
		},

		longTopic: func(size int) ([]byte, error) {
			p := codec.Publish{Topic: bytes.Repeat([]byte("t"), size)}
			return p.AppendTo(nil, codec.V311)
		},

		claim: func(wire []byte) error {
			_, err := codec.NewReader(bytes.NewReader(wire), codec.V311, 0).ReadPacket()
			return err
		},
	}
}

// decodeAll returns the packets of wire, which own their bytes.
func decodeAll(v codec.Version, wire []byte) (packets []codec.Packet, err error) {
	for len(wire) > 0 {
		p, n, err := codec.Decode(wire, v)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		packets = append(packets, codec.Clone(p))
		wire = wire[n:]
	}
	return packets, nil
}

// oursOwned is what it costs to have from this library what the readers of the
// others give: packets from an io.Reader that stay valid.
func oursOwned() *library {
	return &library{
		name:     "mqttcore, Reader + Clone",
		versions: []byte{v311, v5},
		decode: func(version byte, wire []byte) func(int) error {
			return func(n int) error {
				r := codec.NewReader(&repeater{wire: wire, left: n}, codec.Version(version), 0)
				for {
					p, err := r.ReadPacket()
					if errors.Is(err, io.EOF) {
						return nil
					}
					if err != nil {
						return err
					}
					_ = codec.Clone(p)
				}
			}
		},
	}
}

// repeater is a stream of left times the same bytes.
type repeater struct {
	wire []byte
	at   int
	left int
}

func (r *repeater) Read(p []byte) (n int, err error) {
	for n < len(p) && r.left > 0 {
		m := copy(p[n:], r.wire[r.at:])
		n += m
		if r.at += m; r.at == len(r.wire) {
			r.at = 0
			r.left--
		}
	}
	if n == 0 {
		err = io.EOF
	}
	return n, err
}
