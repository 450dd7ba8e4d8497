package main

import (
	"bytes"
	"fmt"
	"strings"

	pahov5 "github.com/eclipse/paho.golang/packets"
	paho "github.com/eclipse/paho.golang/paho"
	mqtt "github.com/eclipse/paho.mqtt.golang"
	pahov3 "github.com/eclipse/paho.mqtt.golang/packets"
)

var (
	_ = mqtt.NewClient
	_ = paho.NewClient
)

// pahoV3 uses a bytes.Reader again, and writes into a bytes.Buffer with room.
func pahoV3() *library {
	readAll := func(wire []byte) (packets []pahov3.ControlPacket, err error) {
		for r := bytes.NewReader(wire); r.Len() > 0; {
			p, err := pahov3.ReadPacket(r)
			if err != nil {
				return nil, err
			}
			packets = append(packets, p)
		}
		return packets, nil
	}
	return &library{
		name:     "paho.mqtt.golang",
		module:   "github.com/eclipse/paho.mqtt.golang",
		versions: []byte{v311},
		client:   "mqtt.NewClient",
		protocol: "github.com/eclipse/paho.mqtt.golang",

		decode: func(_ byte, wire []byte) func(int) error {
			r := bytes.NewReader(nil)
			return func(n int) error {
				for range n {
					for r.Reset(wire); r.Len() > 0; {
						if _, err := pahov3.ReadPacket(r); err != nil {
							return err
						}
					}
				}
				return nil
			}
		},

		encode: func(_ byte, wire []byte) (func(int) ([]byte, error), error) {
			packets, err := readAll(wire)
			if err != nil {
				return nil, err
			}
			buf := bytes.NewBuffer(make([]byte, 0, len(wire)+64))
			return func(n int) ([]byte, error) {
				for range n {
					buf.Reset()
					for _, p := range packets {
						if err := p.Write(buf); err != nil {
							return nil, err
						}
					}
				}
				return buf.Bytes(), nil
			}, nil
		},

		check: func(_ byte, _ bool, wire []byte) error {
			packets, err := readAll(wire)
			for _, p := range packets {
				if c, ok := p.(*pahov3.ConnectPacket); ok && c.Validate() != pahov3.Accepted {
					return fmt.Errorf("CONNECT is answered with %d", c.Validate())
				}
			}
			return err
		},

		longTopic: func(size int) ([]byte, error) {
			p := pahov3.NewControlPacket(pahov3.Publish).(*pahov3.PublishPacket)
			p.TopicName = strings.Repeat("t", size)
			var buf bytes.Buffer
			err := p.Write(&buf)
			return buf.Bytes(), err
		},

		claim: func(wire []byte) error {
			_, err := pahov3.ReadPacket(bytes.NewReader(wire))
			return err
		},
	}
}

// pahoV5 does the same.
func pahoV5() *library {
	readAll := func(wire []byte) (packets []*pahov5.ControlPacket, err error) {
		for r := bytes.NewReader(wire); r.Len() > 0; {
			p, err := pahov5.ReadPacket(r)
			if err != nil {
				return nil, err
			}
			packets = append(packets, p)
		}
		return packets, nil
	}
	return &library{
		name:     "paho.golang",
		module:   "github.com/eclipse/paho.golang",
		versions: []byte{v5},
		client:   "paho.NewClient",
		protocol: "github.com/eclipse/paho.golang/paho",

		decode: func(_ byte, wire []byte) func(int) error {
			r := bytes.NewReader(nil)
			return func(n int) error {
				for range n {
					for r.Reset(wire); r.Len() > 0; {
						if _, err := pahov5.ReadPacket(r); err != nil {
							return err
						}
					}
				}
				return nil
			}
		},

		encode: func(_ byte, wire []byte) (func(int) ([]byte, error), error) {
			packets, err := readAll(wire)
			if err != nil {
				return nil, err
			}
			buf := bytes.NewBuffer(make([]byte, 0, len(wire)+64))
			return func(n int) ([]byte, error) {
				for range n {
					buf.Reset()
					for _, p := range packets {
						if _, err := p.WriteTo(buf); err != nil {
							return nil, err
						}
					}
				}
				return buf.Bytes(), nil
			}, nil
		},

		check: func(_ byte, _ bool, wire []byte) error {
			_, err := readAll(wire)
			return err
		},

		longTopic: func(size int) ([]byte, error) {
			p := pahov5.Publish{Topic: strings.Repeat("t", size), Properties: &pahov5.Properties{}}
			var buf bytes.Buffer
			_, err := p.WriteTo(&buf)
			return buf.Bytes(), err
		},

		claim: func(wire []byte) error {
			_, err := pahov5.ReadPacket(bytes.NewReader(wire))
			return err
		},
	}
}
