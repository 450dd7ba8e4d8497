package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Inputs of the benchmarks, put together byte by byte, so that no library of
// the comparison has made them.

// v311 and v5 are the protocol levels of CONNECT.
const (
	v311 = 4
	v5   = 5
)

// text is a string or binary field.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// block is a length and the parts that it counts.
func block(parts ...[]byte) (b []byte) {
	body := slices.Concat(parts...)
	n := len(body)
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(append(b, byte(n)), body...)
}

func packet(first byte, parts ...[]byte) []byte { return append([]byte{first}, block(parts...)...) }

func prop(id byte, value ...byte) []byte { return append([]byte{id}, value...) }

func textProp(id byte, value string) []byte { return prop(id, text(value)...) }

func userProp(name, value string) []byte { return prop(0x26, append(text(name), text(value)...)...) }

// noProps is what a packet of the version has for no properties.
func noProps(version byte) []byte {
	if version == v5 {
		return []byte{0}
	}
	return nil
}

func payload(n int) []byte { return []byte(strings.Repeat(`{"celsius":21.5}`, n/16+1)[:n]) }

const topic = "building/7/floor/3/temp1" // 24 bytes

func publish(version byte) []byte {
	return packet(0x30, text(topic), noProps(version), payload(64))
}

func publishProps(payloadSize int) []byte {
	return packet(0x30, text(topic), block(
		prop(0x01, 1),
		prop(0x02, 0, 0, 0x0E, 0x10),
		textProp(0x03, "application/json"),
		textProp(0x08, "clients/gateway-0041/replies"),
		textProp(0x09, "0123456789abcdef"),
		prop(0x23, 0, 7),
		userProp("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-01"),
	), payload(payloadSize))
}

func connect() []byte {
	return packet(0x10,
		text("MQTT"), []byte{5, 0xEE, 0, 60}, // user name, password, retained will of QoS 1, Clean Start
		block(
			prop(0x11, 0, 0, 0x0E, 0x10),
			prop(0x21, 0, 100),
			prop(0x27, 0, 1, 0, 0),
			prop(0x22, 0, 16),
			prop(0x17, 1),
			userProp("firmware", "2.14.0"),
		),
		text("gateway-0041-north"),
		block(
			prop(0x18, 0, 0, 0, 30),
			prop(0x01, 1),
			prop(0x02, 0, 1, 0x51, 0x80),
			textProp(0x03, "application/json"),
		),
		text("gateways/0041/state/last"), text(`{"state":"lost","since":"start"}`),
		text("gateway-0041"), text("correct horse battery"),
	)
}

func connack() []byte {
	return packet(0x20, []byte{0, 0}, block(
		prop(0x11, 0, 0, 0x0E, 0x10),
		prop(0x21, 0, 20),
		prop(0x24, 1),
		prop(0x25, 1),
		prop(0x27, 0, 0x10, 0, 0),
		textProp(0x12, "auto-8f14e45fceea167a"),
		prop(0x22, 0, 10),
		textProp(0x1F, "welcome"),
		prop(0x28, 1),
		prop(0x13, 0, 30),
	))
}

var filters = []string{
	"building/7/floor/3/temp1", "building/+/floor/+/humidity", "gateways/#", "clients/gateway-0041/replies",
	"building/7/#", "+/+/alarms/critical", "$share/workers/jobs/pending", "plant/line-4/press/+/cycle",
}

func subscribe(version byte, id uint16, count int) []byte {
	parts := [][]byte{binary.BigEndian.AppendUint16(nil, id), noProps(version)}
	for i, f := range filters[:count] {
		parts = append(parts, text(f), []byte{byte(i % 3)})
	}
	return packet(0x82, parts...)
}

func puback() []byte { return packet(0x40, []byte{0x12, 0x34}) }

// streamPackets is the number of packets in a stream.
const streamPackets = 1000

// stream is what a busy link carries in both directions, in an order that is
// always the same.
func stream(version byte) []byte {
	r := rand.New(rand.NewPCG(3, 11))
	id := func() []byte { return binary.BigEndian.AppendUint16(nil, uint16(1+r.IntN(65535))) }
	var packets [][]byte
	add := func(n int, make func() []byte) {
		for range n {
			packets = append(packets, make())
		}
	}
	message := func(qos byte) func() []byte {
		return func() []byte {
			first := 0x30 | qos<<1
			if r.IntN(8) == 0 {
				first |= 1
			}
			name := fmt.Sprintf("building/%d/floor/%d/%s", r.IntN(40), r.IntN(12),
				[]string{"temp1", "humidity", "door/north", "hvac/fan/speed"}[r.IntN(4)])
			var packetID []byte
			if qos > 0 {
				packetID = id()
			}
			return packet(first, text(name), packetID, noProps(version), payload(16+r.IntN(200)))
		}
	}
	ack := func(first byte) func() []byte { return func() []byte { return packet(first, id()) } }
	add(360, message(0))
	add(120, message(1))
	add(60, message(2))
	if version == v5 {
		add(40, func() []byte { return publishProps(16 + r.IntN(300)) })
	} else {
		add(40, message(0))
	}
	add(160, ack(0x40))
	add(60, ack(0x50))
	add(60, ack(0x62))
	add(60, ack(0x70))
	add(30, func() []byte { return packet(0xC0) })
	add(20, func() []byte { return subscribe(version, uint16(1+r.IntN(65535)), 1+r.IntN(4)) })
	add(20, func() []byte { return packet(0x90, id(), noProps(version), []byte{0, 1, 2, 0x80}[:1+r.IntN(4)]) })
	add(10, func() []byte { return packet(0xE0, noProps(version)) }) // v5: with the reason code, which one library needs
	r.Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	return slices.Concat(packets...)
}

// input is one case of the benchmarks.
type input struct {
	name    string
	wire    []byte
	packets int
	encode  bool // whether it is also written
}

func inputs(version byte) []input {
	sub := input{"SUBSCRIBE, 8 filters", subscribe(version, 10, 8), 1, true}
	ack := input{"PUBACK", puback(), 1, true}
	mixed := input{"mixed stream", stream(version), streamPackets, false}
	if version == v311 {
		return []input{{"PUBLISH", publish(v311), 1, true}, sub, ack, mixed}
	}
	return []input{
		{"PUBLISH", publish(v5), 1, true},
		{"PUBLISH, 7 properties", publishProps(256), 1, true},
		{"CONNECT, will", connect(), 1, false},
		{"CONNACK, 10 properties", connack(), 1, false},
		sub, ack, mixed,
	}
}
