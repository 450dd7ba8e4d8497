package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// mochi uses one Packet again, decodes it in place, without the copies that the
// server of the library makes, and writes into a bytes.Buffer with room.
func mochi() *library {
	return &library{
		name:     "mochi-mqtt/server",
		module:   "github.com/mochi-mqtt/server/v2",
		versions: []byte{v311, v5},
		server:   "mqtt.New",
		protocol: "github.com/mochi-mqtt/server/v2",

		decode: func(version byte, wire []byte) func(int) error {
			var pk packets.Packet
			r := bytes.NewReader(nil)
			return func(n int) error {
				for range n {
					for rest := wire; len(rest) > 0; {
						size, err := mochiDecode(&pk, version, r, rest)
						if err != nil {
							return err
						}
						rest = rest[size:]
					}
				}
				return nil
			}
		},

		encode: func(version byte, wire []byte) (func(int) ([]byte, error), error) {
			all, err := mochiDecodeAll(version, wire)
			if err != nil {
				return nil, err
			}
			for _, pk := range all {
				pk.Mods.AllowResponseInfo = true // as the server does; else properties are left out
			}
			buf := bytes.NewBuffer(make([]byte, 0, len(wire)+64))
			return func(n int) ([]byte, error) {
				for range n {
					buf.Reset()
					for _, pk := range all {
						if err := mochiEncode(pk, buf); err != nil {
							return nil, err
						}
					}
				}
				return buf.Bytes(), nil
			}, nil
		},

		check: func(version byte, toServer bool, wire []byte) error {
			all, err := mochiDecodeAll(version, wire)
			if err != nil {
				return err
			}
			for _, pk := range all {
				if code := mochiValidate(pk, toServer); code != packets.CodeSuccess {
					return code
				}
			}
			return nil
		},

		longTopic: func(size int) ([]byte, error) {
			pk := packets.Packet{
				FixedHeader:     packets.FixedHeader{Type: packets.Publish},
				ProtocolVersion: v311,
				TopicName:       strings.Repeat("t", size),
			}
			var buf bytes.Buffer
			err := pk.PublishEncode(&buf)
			return buf.Bytes(), err
		},

		// The codec does not read streams; the server does.
		claim: func(wire []byte) error {
			s := mqtt.New(&mqtt.Options{Logger: slog.New(slog.DiscardHandler)})
			cl := s.NewClient(&readConn{r: bytes.NewReader(wire)}, "", "", false)
			var fh packets.FixedHeader
			if err := cl.ReadFixedHeader(&fh); err != nil {
				return err
			}
			_, err := cl.ReadPacket(&fh)
			return err
		},
	}
}

// mochiDecode reads the first packet of wire and returns its size.
func mochiDecode(pk *packets.Packet, version byte, r *bytes.Reader, wire []byte) (size int, err error) {
	*pk = packets.Packet{ProtocolVersion: version}
	if err := pk.FixedHeader.Decode(wire[0]); err != nil {
		return 0, err
	}
	r.Reset(wire[1:])
	n, used, err := packets.DecodeLength(r)
	if err != nil {
		return 0, err
	}
	if len(wire) < 1+used+n {
		return 0, io.ErrUnexpectedEOF
	}
	pk.FixedHeader.Remaining = n
	body := wire[1+used : 1+used+n]
	switch pk.FixedHeader.Type {
	case packets.Connect:
		err = pk.ConnectDecode(body)
	case packets.Connack:
		err = pk.ConnackDecode(body)
	case packets.Publish:
		err = pk.PublishDecode(body)
	case packets.Puback:
		err = pk.PubackDecode(body)
	case packets.Pubrec:
		err = pk.PubrecDecode(body)
	case packets.Pubrel:
		err = pk.PubrelDecode(body)
	case packets.Pubcomp:
		err = pk.PubcompDecode(body)
	case packets.Subscribe:
		err = pk.SubscribeDecode(body)
	case packets.Suback:
		err = pk.SubackDecode(body)
	case packets.Unsubscribe:
		err = pk.UnsubscribeDecode(body)
	case packets.Unsuback:
		err = pk.UnsubackDecode(body)
	case packets.Pingreq, packets.Pingresp:
	case packets.Disconnect:
		err = pk.DisconnectDecode(body)
	case packets.Auth:
		err = pk.AuthDecode(body)
	default:
		err = errors.New("invalid packet type")
	}
	return 1 + used + n, err
}

func mochiDecodeAll(version byte, wire []byte) (all []*packets.Packet, err error) {
	for len(wire) > 0 {
		pk := new(packets.Packet)
		size, err := mochiDecode(pk, version, bytes.NewReader(nil), wire)
		if err != nil {
			return nil, err
		}
		all = append(all, pk)
		wire = wire[size:]
	}
	return all, nil
}

func mochiEncode(pk *packets.Packet, buf *bytes.Buffer) error {
	switch pk.FixedHeader.Type {
	case packets.Connect:
		return pk.ConnectEncode(buf)
	case packets.Connack:
		return pk.ConnackEncode(buf)
	case packets.Publish:
		return pk.PublishEncode(buf)
	case packets.Puback:
		return pk.PubackEncode(buf)
	case packets.Pubrec:
		return pk.PubrecEncode(buf)
	case packets.Pubrel:
		return pk.PubrelEncode(buf)
	case packets.Pubcomp:
		return pk.PubcompEncode(buf)
	case packets.Subscribe:
		return pk.SubscribeEncode(buf)
	case packets.Suback:
		return pk.SubackEncode(buf)
	case packets.Pingreq:
		return pk.PingreqEncode(buf)
	case packets.Disconnect:
		return pk.DisconnectEncode(buf)
	}
	return errors.New("not a packet of the comparison")
}

// mochiValidate applies the checks of the codec that the server applies to what
// it receives.
func mochiValidate(pk *packets.Packet, toServer bool) packets.Code {
	if !toServer {
		return packets.CodeSuccess
	}
	switch pk.FixedHeader.Type {
	case packets.Connect:
		return pk.ConnectValidate()
	case packets.Publish:
		return pk.PublishValidate(65535)
	case packets.Subscribe:
		return pk.SubscribeValidate()
	case packets.Unsubscribe:
		return pk.UnsubscribeValidate()
	case packets.Auth:
		return pk.AuthValidate()
	}
	return packets.CodeSuccess
}

// readConn is a connection that can only be read.
type readConn struct {
	net.Conn
	r io.Reader
}

func (c *readConn) Read(p []byte) (int, error)      { return c.r.Read(p) }
func (c *readConn) Write(p []byte) (int, error)     { return len(p), nil }
func (c *readConn) Close() error                    { return nil }
func (c *readConn) RemoteAddr() net.Addr            { return &net.TCPAddr{} }
func (c *readConn) SetDeadline(time.Time) error     { return nil }
func (c *readConn) SetReadDeadline(time.Time) error { return nil }
